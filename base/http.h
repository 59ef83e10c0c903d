/* http.h -- the client's side of the protocol (docs/protocol.md), on libcurl.
 * SPDX-License-Identifier: MIT
 *
 * Used by pare and pare-worker alike. One struct http is one keep-alive connection; it belongs to one
 * thread. A refusal by the daemon (RFC 9457 problem details) becomes an enum err whose message is the
 * problem's `detail`: 400 and 422 ERR_INPUT, 401 and 403 ERR_DENIED, 404 ERR_NOT_FOUND, 409 ERR_CONFLICT, 410 ERR_GONE,
 * 413 ERR_LIMIT, 507 ERR_IO, no connection and 503 ERR_UNAVAILABLE, the rest ERR_INTERNAL. */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

struct http;

/* url: "unix:/run/pared/pared.sock" or "http://127.0.0.1:7700". token may be NULL; it is sent as a bearer
 * token. Nothing is connected before the first call. */
enum err http_open(const char *url, const char *token, struct http **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void http_close(struct http *h);

/* From now on every call ends with ERR_UNAVAILABLE within about a second of *stop becoming true (set by a signal
 * handler or another thread); NULL: none does. */
void http_set_stop(struct http *h, const atomic_bool *stop);

/* One exchange. body may be NULL. *ret is the parsed answer, NULL for 204; the caller cJSON_Deletes it.
 * timeout_s 0: no limit beyond a broken connection (long polls). */
enum err http_call(struct http *h, const char *method, const char *path, const cJSON *body, long timeout_s,
	cJSON **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* Whether the last call found nobody to talk to, which is a cause of ERR_UNAVAILABLE among others. */
bool http_unreached(const struct http *h);

/* Whether GET path would answer 200 (by HEAD). Any other answer is false: an upload may mend it, or be told why not. */
enum err http_exists(struct http *h, const char *path, bool *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* PUT of a file's bytes, or of bytes in memory. */
enum err http_put_file(struct http *h, const char *path, const char *file, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err http_put_bytes(struct http *h, const char *path, const void *data, size_t len, struct errinfo *e)
	__attribute__((warn_unused_result));

/* GET into a file, whole or not at all (temporary name, sync, rename); into its target as file_target says. */
enum err http_get_file(struct http *h, const char *path, const char *file, struct errinfo *e)
	__attribute__((warn_unused_result));

/* GET as text (an SVG, metrics); the caller frees. */
enum err http_get_text(struct http *h, const char *path, char **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* One server-sent event: its name ("message" when unnamed) and its data. False ends the stream. */
typedef bool http_event_cb(const char *event, const char *data, void *arg);

/* GET of an event stream until it ends (ERR_OK) or breaks (ERR_UNAVAILABLE). tick, when not NULL, is called
 * about once a second and ends the stream by answering false. */
enum err http_events(struct http *h, const char *path, http_event_cb *on_event, bool (*tick)(void *arg), void *arg,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

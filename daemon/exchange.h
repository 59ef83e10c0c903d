/* exchange.h -- one request and its answer, from the headers to the last byte.
 * SPDX-License-Identifier: MIT
 *
 *   begin -> (body)* -> end -> answered -> sent
 *                          '-> waiting (a long poll) -> answered
 *
 * An answer that is made while the turn has uncommitted writes waits for the commit: its connection is suspended and
 * resumed by exchange_send_all. Nothing positive ever leaves before. */
#ifndef DAEMON_EXCHANGE_H
#define DAEMON_EXCHANGE_H

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "daemon/route.h"

struct blob_writer;
struct daemon;
struct text;

enum { EXCHANGE_LARGEST_JSON = 16 * 1024 * 1024 };

struct exchange {
	struct daemon *daemon;
	struct MHD_Connection *connection;
	const struct route *route;
	struct route_args args;
	bool local; /* came over the Unix socket */

	char *body; /* JSON text */
	size_t len, capacity;
	int64_t taken;     /* bytes of body seen, kept or not */
	bool refused;      /* the answer is made, the rest of the body is thrown away */
	struct blob_writer *upload;

	struct MHD_Response *response;
	unsigned status;
	bool suspended;
	struct exchange *next_answer; /* among those that wait for the commit */
	int64_t lease;               /* granted by this answer; given back when it can't be sent */

	/* A long poll, see waiter.h. */
	bool waiting;
	route_cb *answer_late; /* for a trial: makes the answer; NULL: for a lease */
	struct exchange *next_waiter;
	int64_t deadline_ns;
	char worker[65];
};

struct exchange *exchange_new(struct daemon *d, struct MHD_Connection *connection, bool local); /* NULL: no memory */
/* The connection is done with it; complete says whether the answer was sent. */
void exchange_free(struct exchange *r, bool complete);

/* The steps of the life above; MHD_NO closes the connection. */
enum MHD_Result exchange_begin(struct exchange *r, const char *method, const char *path);
enum MHD_Result exchange_body(struct exchange *r, const char *data, size_t len);
enum MHD_Result exchange_end(struct exchange *r);

/* The body as JSON: valid UTF-8, an object; an empty body counts as {}. The caller cJSON_Deletes it. */
enum err exchange_json(struct exchange *r, cJSON **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The integer that the query gives `key`; *ret stays as it is when the query has none. ERR_INPUT names the key. */
enum err exchange_query_int(const struct exchange *r, const char *key, int64_t min, int64_t max, int64_t *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

/* Answers, for handlers: a response that is taken over; JSON text that is taken over; nothing (204). */
void exchange_answer(struct exchange *r, unsigned status, const char *type, struct MHD_Response *response);
enum err exchange_answer_json(struct exchange *r, unsigned status, struct text *t, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err exchange_answer_nothing(struct exchange *r, struct errinfo *e) __attribute__((warn_unused_result));
/* Problem details. */
void exchange_refuse(struct exchange *r, const struct errinfo *e);

/* For a long poll: the answer is made later, then exchange_wake puts it among those that wait for the commit. */
void exchange_wait(struct exchange *r);
void exchange_wake(struct exchange *r);

/* Whether the client is still there, as far as its socket knows. */
bool exchange_alive(const struct exchange *r);

/* The process that opened the connection, 0 when that can't be known: over TCP, or in another PID namespace. */
int exchange_peer(const struct exchange *r);

/* After a commit: all answers may go. */
void exchange_send_all(struct daemon *d);

#endif

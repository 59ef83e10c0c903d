/* exchange.c -- one request and its answer, from the headers to the last byte.
 * SPDX-License-Identifier: MIT */
#include "daemon/exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/json.h"
#include "base/log.h"
#include "base/utf8.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/server.h"
#include "daemon/text.h"
#include "daemon/waiter.h"
#include "store/blob.h"
#include "store/store.h"

enum { LONGEST_PATH = 512, MOST_THROWN_AWAY = 64 * 1024 * 1024 };

struct exchange *exchange_new(struct daemon *d, struct MHD_Connection *connection, bool local)
{
	struct exchange *r = calloc(1, sizeof *r);
	if (r)
		*r = (struct exchange){ .daemon = d, .connection = connection, .local = local };
	return r;
}

/* An answer that carried a lease and did not arrive: the worker knows nothing of it. */
static void give_back(struct exchange *r)
{
	struct errinfo e;
	struct hold *h = hold_find(r->daemon, r->lease);
	if (h && hold_release(r->daemon, h, &e))
		daemon_crash(r->daemon, &e);
}

void exchange_free(struct exchange *r, bool complete)
{
	if (r->lease && !complete)
		give_back(r);
	if (r->waiting)
		waiter_remove(r);
	server_forget_answer(r);
	blob_abort(r->upload);
	if (r->response)
		MHD_destroy_response(r->response);
	free(r->body);
	free(r);
}

/* ---- answers --------------------------------------------------------------------------------------------------- */

void exchange_answer(struct exchange *r, unsigned status, const char *type, struct MHD_Response *response)
{
	if (type)
		MHD_add_response_header(response, "Content-Type", type);
	r->status = status;
	r->response = response;
}

static enum err answer_text(struct exchange *r, unsigned status, const char *type, struct text *t, struct errinfo *e)
{
	char *body;
	size_t len;
	text_raw(t, "\n", 1);
	enum err err = text_take(t, &body, &len, e);
	if (err)
		return err;
	struct MHD_Response *response = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(body);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	exchange_answer(r, status, type, response);
	return ERR_OK;
}

enum err exchange_answer_json(struct exchange *r, unsigned status, struct text *t, struct errinfo *e)
{
	return answer_text(r, status, "application/json", t, e);
}

enum err exchange_answer_nothing(struct exchange *r, struct errinfo *e)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
	if (!response)
		return err_set(e, ERR_MEMORY, "out of memory");
	exchange_answer(r, 204, NULL, response);
	return ERR_OK;
}

struct refusal {
	unsigned status;
	const char *type, *title;
};

static struct refusal refusal_of(enum err code)
{
	switch (code) {
	case ERR_INPUT:
	case ERR_UNSUPPORTED:
		return (struct refusal){ 400, "input", "Bad Request" };
	case ERR_DENIED:
		return (struct refusal){ 401, "denied", "Unauthorized" };
	case ERR_NOT_FOUND:
		return (struct refusal){ 404, "not-found", "Not Found" };
	case ERR_CONFLICT:
		return (struct refusal){ 409, "conflict", "Conflict" };
	case ERR_GONE:
		return (struct refusal){ 410, "gone", "Gone" };
	case ERR_LIMIT:
		return (struct refusal){ 413, "limit", "Content Too Large" };
	case ERR_UNAVAILABLE:
		return (struct refusal){ 503, "unavailable", "Service Unavailable" };
	case ERR_IO:
		return (struct refusal){ 507, "io", "Insufficient Storage" };
	case ERR_OK:
	case ERR_MEMORY:
	case ERR_INTERNAL:
		break;
	}
	return (struct refusal){ 500, "internal", "Internal Server Error" };
}

static void refuse_as(struct exchange *r, const struct refusal *as, const char *detail)
{
	struct text t;
	struct errinfo e;
	char type[40];
	snprintf(type, sizeof type, "pared:%s", as->type);
	text_init(&t);
	text_open(&t, '{');
	text_put_string(&t, "type", type);
	text_put_string(&t, "title", as->title);
	text_put_int(&t, "status", as->status);
	text_put_string(&t, "detail", detail);
	text_close(&t, '}');
	r->refused = true;
	if (answer_text(r, as->status, "application/problem+json", &t, &e))
		return; /* no memory for the refusal: the connection is closed */
	if (as->status == 401)
		MHD_add_response_header(r->response, "WWW-Authenticate", "Bearer");
}

void exchange_refuse(struct exchange *r, const struct errinfo *e)
{
	struct refusal as = refusal_of(e->code);
	if (as.status >= 500 && e->code != ERR_UNAVAILABLE)
		log_error("%s", e->msg);
	refuse_as(r, &as, e->msg);
}

/* Queues the answer now, or when the turn's writes are committed. */
static enum MHD_Result answered(struct exchange *r)
{
	if (!r->response)
		return MHD_NO;
	if (!store_dirty(r->daemon->store))
		return MHD_queue_response(r->connection, r->status, r->response);
	exchange_wait(r);
	exchange_wake(r);
	return MHD_YES;
}

/* A write that failed half way can't be told from one that succeeded: no answer at all (daemon.h). What only reads can
 * fail by itself, whatever others of its turn have written. */
static void settle(struct exchange *r, enum err err, struct errinfo *e)
{
	bool writes = strcmp(r->route->method, "GET") != 0;
	if (!err)
		return;
	if ((err == ERR_IO || err == ERR_MEMORY || err == ERR_INTERNAL) && writes && store_dirty(r->daemon->store))
		daemon_crash(r->daemon, e);
	exchange_refuse(r, e);
}

/* ---- the steps -------------------------------------------------------------------------------------------------- */

/* The token of "Bearer TOKEN", NULL when it isn't that. The scheme's case, and blanks around the token, don't matter
 * (RFC 7235). */
static const char *bearer_token(const char *header, size_t *ret_len)
{
	static const char scheme[] = "Bearer";
	size_t n = sizeof scheme - 1;
	if (strncasecmp(header, scheme, n) || header[n] != ' ')
		return NULL;
	const char *token = header + n + strspn(header + n, " ");
	size_t len = strlen(token);
	while (len && (token[len - 1] == ' ' || token[len - 1] == '\t'))
		len--;
	*ret_len = len;
	return token;
}

/* Takes as long for a wrong token as for the right one. */
static bool token_matches(const char *given, size_t given_len, const char *token)
{
	size_t len = strlen(token);
	unsigned char difference = given_len != len;
	for (size_t i = 0; i < len; i++)
		difference |= (unsigned char)(token[i] ^ given[given_len ? i % given_len : 0]);
	return difference == 0;
}

static enum err check_token(struct exchange *r, struct errinfo *e)
{
	size_t len = 0;
	if (r->local)
		return ERR_OK;
	const char *header = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Authorization");
	if (!header)
		return err_set(e, ERR_DENIED, "Authorization: missing, expected Bearer and the token");
	const char *token = bearer_token(header, &len);
	if (!token)
		return err_set(e, ERR_DENIED, "Authorization: is of another scheme, expected Bearer and the token");
	if (!token_matches(token, len, r->daemon->config.tcp_token))
		return err_set(e, ERR_DENIED, "Authorization: not the right token");
	return ERR_OK;
}

/* Of JSON bodies; uploads check theirs against the configuration. */
static enum err check_length(struct exchange *r, struct errinfo *e)
{
	const char *header = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, "Content-Length");
	if (header && strtoull(header, NULL, 10) > EXCHANGE_LARGEST_JSON)
		return err_set(e, ERR_LIMIT, "Content-Length: is %.20s, expected at most %d", header,
			EXCHANGE_LARGEST_JSON);
	return ERR_OK;
}

static enum err find_route(struct exchange *r, const char *method, const char *path, struct errinfo *e)
{
	static const struct refusal no_method = { 405, "method", "Method Not Allowed" };
	char allowed[64], detail[256];
	if (strlen(path) > LONGEST_PATH)
		return err_set(e, ERR_NOT_FOUND, "path: has %zu bytes, no path is longer than %d", strlen(path),
			LONGEST_PATH);
	switch (route_find(api_routes, api_route_count, method, path, &r->route, &r->args, allowed)) {
	case ROUTE_FOUND:
		break;
	case ROUTE_NO_PATH:
		return err_set(e, ERR_NOT_FOUND, "there is no %.200s", path);
	case ROUTE_NO_METHOD:
		snprintf(detail, sizeof detail, "method: is %.40s, %.100s has %s", method, path, allowed);
		refuse_as(r, &no_method, detail);
		if (r->response)
			MHD_add_response_header(r->response, "Allow", allowed);
		return ERR_OK;
	}
	if (r->daemon->stopping && !r->route->while_stopping)
		return err_set(e, ERR_UNAVAILABLE, "the daemon is shutting down");
	return ERR_OK;
}

enum MHD_Result exchange_begin(struct exchange *r, const char *method, const char *path)
{
	struct errinfo e;
	enum err err = check_token(r, &e);
	if (!err)
		err = find_route(r, method, path, &e);
	if (!err && !r->refused)
		err = r->route->begin ? r->route->begin(r, &e) : check_length(r, &e);
	if (err)
		exchange_refuse(r, &e); /* nothing of the store was touched yet, whatever the turn has written */
	if (!r->refused)
		return MHD_YES;
	return r->response ? MHD_queue_response(r->connection, r->status, r->response) : MHD_NO;
}

static enum err collect(struct exchange *r, const char *data, size_t len, struct errinfo *e)
{
	if (r->len + len > EXCHANGE_LARGEST_JSON)
		return err_set(e, ERR_LIMIT, "body: is larger than %d bytes", EXCHANGE_LARGEST_JSON);
	if (r->len + len + 1 > r->capacity) {
		size_t capacity = 2 * (r->len + len + 1);
		char *grown = realloc(r->body, capacity);
		if (!grown)
			return err_set(e, ERR_MEMORY, "out of memory");
		r->body = grown;
		r->capacity = capacity;
	}
	memcpy(r->body + r->len, data, len);
	r->len += len;
	r->body[r->len] = '\0';
	return ERR_OK;
}

enum MHD_Result exchange_body(struct exchange *r, const char *data, size_t len)
{
	struct errinfo e;
	enum err err;
	r->taken += (int64_t)len;
	if (r->refused)
		return r->response && r->taken < MOST_THROWN_AWAY ? MHD_YES : MHD_NO;
	err = r->upload ? blob_write(r->upload, data, len, &e) : collect(r, data, len, &e);
	if (err) {
		blob_abort(r->upload);
		r->upload = NULL;
		r->taken = 0;
		exchange_refuse(r, &e);
	}
	return MHD_YES;
}

enum MHD_Result exchange_end(struct exchange *r)
{
	struct errinfo e;
	if (r->waiting || r->suspended)
		return MHD_YES;
	if (!r->response && !r->refused)
		settle(r, r->route->handle(r, &e), &e);
	else if (r->response)
		return MHD_queue_response(r->connection, r->status, r->response);
	return r->waiting ? MHD_YES : answered(r);
}

void exchange_wait(struct exchange *r)
{
	r->suspended = true;
	MHD_suspend_connection(r->connection);
}

void exchange_wake(struct exchange *r)
{
	server_add_answer(r);
}

void exchange_send_all(struct daemon *d)
{
	for (struct exchange *r; (r = server_take_answer(d));) {
		r->suspended = false;
		MHD_resume_connection(r->connection);
		server_kick(d->server);
	}
}

bool exchange_alive(const struct exchange *r)
{
	char byte;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection,
		MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info)
		return false;
	ssize_t n = recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

int exchange_peer(const struct exchange *r)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof peer;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->connection,
		MHD_CONNECTION_INFO_CONNECTION_FD);
	if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return 0;
	return (int)peer.pid;
}

/* ---- the query --------------------------------------------------------------------------------------------------- */

enum err exchange_query_int(const struct exchange *r, const char *key, int64_t min, int64_t max, int64_t *ret,
	struct errinfo *e)
{
	const char *text = MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, key);
	if (!text)
		return ERR_OK;
	size_t digits = strspn(text, "0123456789");
	int64_t x = digits && digits <= 15 && !text[digits] ? strtoll(text, NULL, 10) : -1;
	if (x < min || x > max)
		return err_set(e, ERR_INPUT, "%s: is \"%.40s\", expected an integer from %lld to %lld", key,
			utf8_printable(text) ? text : "?", (long long)min, (long long)max);
	*ret = x;
	return ERR_OK;
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

/* The length of the well-formed UTF-8 sequence at p, 0 when it is none (RFC 3629). */
static size_t utf8_sequence(const unsigned char *p, size_t left)
{
	size_t n = p[0] < 0x80 ? 1 : p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		: p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
	bool outside = (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90);
	return overlong || outside ? 0 : n;
}

static enum err check_utf8(const char *text, size_t len, struct errinfo *e)
{
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_sequence((const unsigned char *)text + i, len - i);
		if (n == 0)
			return err_set(e, ERR_INPUT, "body: byte %zu is 0x%02x, expected UTF-8", i,
				(unsigned char)text[i]);
	}
	return ERR_OK;
}

enum err exchange_json(struct exchange *r, cJSON **ret, struct errinfo *e)
{
	cJSON *doc;
	char brief[64];
	enum err err = check_utf8(r->body ? r->body : "", r->len, e);
	if (!err)
		err = json_parse("body", r->len ? r->body : "{}", r->len ? r->len : 2, &doc, e);
	if (err)
		return err;
	if (!cJSON_IsObject(doc)) {
		err = err_set(e, ERR_INPUT, "body: is %s, expected an object", json_brief(doc, brief));
		cJSON_Delete(doc);
		return err;
	}
	*ret = doc;
	return ERR_OK;
}

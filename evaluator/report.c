/* report.c -- what a worker tells the daemon about a lease, repeated until the daemon has heard it.
 * SPDX-License-Identifier: MIT
 *
 * Every call is safe to repeat: a blob is stored once, and the same report twice is fine by the protocol. */
#include "evaluator/report.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/digest.h"
#include "evaluator/backoff.h"

enum { CALL_TIMEOUT_S = 10 };

typedef enum err attempt_cb(const struct reporter *r, void *arg, struct errinfo *e);

static enum err persist(const struct reporter *r, attempt_cb *attempt, void *arg, struct errinfo *e)
{
	struct backoff b = { 0 };
	int64_t until = clock_ns() + (int64_t)(r->patience_s * 1e9);
	enum err err;
	do
		err = attempt(r, arg, e);
	while (err == ERR_UNAVAILABLE && clock_ns() < until && backoff_wait(&b, r->stop));
	return err;
}

struct message {
	const char *verb;
	const cJSON *body;
};

static enum err post(const struct reporter *r, void *arg, struct errinfo *e)
{
	const struct message *m = arg;
	char path[96];
	snprintf(path, sizeof path, "/v1/leases/%lld/%s", (long long)r->lease, m->verb);
	return http_call(r->http, "POST", path, m->body, CALL_TIMEOUT_S, NULL, e);
}

struct upload {
	const char *file;
	char path[96]; /* of the blob, in the protocol */
};

static enum err put(const struct reporter *r, void *arg, struct errinfo *e)
{
	const struct upload *u = arg;
	bool there = false;
	enum err err = http_exists(r->http, u->path, &there, e);
	return err || there ? err : http_put_file(r->http, u->path, u->file, e);
}

static enum err upload_model(const struct reporter *r, cJSON *report, const char *model, struct errinfo *e)
{
	struct upload u = { .file = model };
	char digest[DIGEST_HEX + 1];
	enum err err = digest_file(model, digest, e);
	if (err)
		return err;
	snprintf(u.path, sizeof u.path, "/v1/blobs/%s", digest);
	err = persist(r, put, &u, e);
	if (err)
		return err;
	cJSON_DeleteItemFromObjectCaseSensitive(report, "model");
	return cJSON_AddStringToObject(report, "model", digest) ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

enum err report_complete(const struct reporter *r, cJSON *report, const char *model, struct errinfo *e)
{
	struct message m = { "complete", report };
	enum err err = model ? upload_model(r, report, model, e) : ERR_OK;
	return err ? err : persist(r, post, &m, e);
}

enum err report_fail(const struct reporter *r, const char *reason, struct errinfo *e)
{
	char clean[sizeof e->msg];
	snprintf(clean, sizeof clean, "%s", reason);
	for (char *p = clean; *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	cJSON *body = cJSON_CreateObject();
	struct message m = { "fail", body };
	enum err err = body && cJSON_AddStringToObject(body, "reason", clean) ? persist(r, post, &m, e)
									      : err_set(e, ERR_MEMORY, "out of memory");
	cJSON_Delete(body);
	return err;
}

enum err report_release(const struct reporter *r, struct errinfo *e)
{
	cJSON *body = cJSON_CreateObject();
	struct message m = { "release", body };
	enum err err = body ? persist(r, post, &m, e) : err_set(e, ERR_MEMORY, "out of memory");
	cJSON_Delete(body);
	return err;
}

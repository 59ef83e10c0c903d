/* api_lease.c -- workers: ask for a lease, keep it, report.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/job.h"
#include "daemon/pool.h"
#include "daemon/report.h"
#include "daemon/exchange.h"
#include "daemon/result.h"
#include "daemon/text.h"
#include "daemon/waiter.h"
#include "daemon/worker.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { LONGEST_REASON = 500 };

struct ask {
	const char *worker;
	int64_t wait;
};

static const struct json_field ask_fields[] = {
	JSON_FIELD(struct ask, worker, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct ask, wait, JSON_INT, false, 0, 60),
};

/* Whether the process at the other end of the Unix socket is this one. */
static bool is_peer(const struct exchange *r, int pid)
{
	int peer = exchange_peer(r);
	return peer && peer == pid;
}

static enum err read_ask(struct exchange *r, const cJSON *doc, int *ret_wait, struct errinfo *e)
{
	struct ask ask = { 0 };
	struct worker *w;
	enum err err = json_read(doc, "", ask_fields, COUNT(ask_fields), &ask, e);
	if (err)
		return err;
	if (!worker_name_valid(ask.worker))
		return err_set(e, ERR_INPUT, "worker: is \"%.80s\", expected 1 to 64 letters, digits, dots, "
			"underscores and hyphens", ask.worker);
	bool ours = pool_has(r->daemon->pool, ask.worker);
	if (ours && !(r->local && is_peer(r, pool_pid(r->daemon->pool, ask.worker))))
		return err_set(e, ERR_CONFLICT, "worker: is \"%s\", a name that the daemon's own workers have",
			ask.worker);
	err = worker_named(r->daemon, ask.worker, ours, &w, e);
	if (err)
		return err;
	w->seen = clock_wall_ms();
	memcpy(r->worker, w->name, sizeof r->worker);
	*ret_wait = (int)ask.wait;
	return ERR_OK;
}

enum err api_lease_ask(struct exchange *r, struct errinfo *e)
{
	cJSON *doc;
	int wait = 0;
	enum err err = exchange_json(r, &doc, e);
	if (err)
		return err;
	err = read_ask(r, doc, &wait, e);
	cJSON_Delete(doc);
	return err ? err : waiter_add(r, wait, e);
}

/* The lease that is meant; the store knows whether one that is not out ever was. */
static enum err find(struct exchange *r, struct hold **ret, struct errinfo *e)
{
	struct lease_row row;
	*ret = hold_find(r->daemon, r->args.id);
	if (*ret) {
		struct worker *w = worker_find(r->daemon, (*ret)->row.worker);
		if (w)
			w->seen = clock_wall_ms();
		return ERR_OK;
	}
	enum err err = lease_load(r->daemon->store, r->args.id, &row, e);
	if (err)
		return err;
	lease_row_fini(&row);
	return err_set(e, ERR_GONE, "lease %lld: is over", (long long)r->args.id);
}

static const struct last_word *reported(const struct daemon *d, int64_t id)
{
	for (size_t i = 0; i < COUNT(d->reported); i++)
		if (d->reported[i].lease == id)
			return &d->reported[i];
	return NULL;
}

/* Of the verb and the body: a failure is no completion. */
static enum err digest_request(const struct exchange *r, char ret[DIGEST_HEX + 1], struct errinfo *e)
{
	struct digest *digest = digest_new();
	if (!digest)
		return err_set(e, ERR_MEMORY, "out of memory");
	digest_update(digest, r->route->pattern, strlen(r->route->pattern));
	if (r->len)
		digest_update(digest, r->body, r->len);
	digest_final(digest, ret);
	digest_free(digest);
	return ERR_OK;
}

static enum err remember(struct exchange *r, struct errinfo *e)
{
	struct daemon *d = r->daemon;
	struct last_word *word = &d->reported[d->reported_next % COUNT(d->reported)];
	enum err err = digest_request(r, word->digest, e);
	if (err)
		return err;
	word->lease = r->args.id;
	d->reported_next++;
	return ERR_OK;
}

static enum err answer_empty(struct exchange *r, struct errinfo *e)
{
	struct text t;
	text_init(&t);
	text_open(&t, '{');
	text_close(&t, '}');
	return exchange_answer_json(r, 200, &t, e);
}

/* For bodies that say nothing. */
static enum err expect_empty(struct exchange *r, struct errinfo *e)
{
	static const struct json_field none[1];
	cJSON *doc;
	enum err err = exchange_json(r, &doc, e);
	if (err)
		return err;
	err = json_read(doc, "", none, 0, NULL, e);
	cJSON_Delete(doc);
	return err;
}

enum err api_lease_beat(struct exchange *r, struct errinfo *e)
{
	struct hold *h;
	struct text t;
	enum err err = expect_empty(r, e);
	if (!err)
		err = find(r, &h, e);
	if (err)
		return err;
	hold_beat(r->daemon, h);
	text_init(&t);
	text_open(&t, '{');
	text_put_bool(&t, "cancel", false);
	text_close(&t, '}');
	return exchange_answer_json(r, 200, &t, e);
}

enum err api_lease_release(struct exchange *r, struct errinfo *e)
{
	struct hold *h;
	enum err err = expect_empty(r, e);
	if (!err)
		err = find(r, &h, e);
	if (!err)
		err = hold_release(r->daemon, h, e);
	return err ? err : answer_empty(r, e);
}

/* The lease is over by its worker's word. The job may have ended with it, and the hold be gone. */
static enum err conclude(struct exchange *r, const char *worker, bool failed, struct errinfo *e)
{
	struct daemon *d = r->daemon;
	struct worker *w = worker_find(d, worker);
	struct hold *h = hold_find(d, r->args.id);
	enum err err = h ? hold_close(d, h, e) : ERR_OK;
	if (err)
		return err;
	if (w && failed)
		w->failed++;
	else if (w)
		w->completed++;
	err = remember(r, e);
	return err ? err : answer_empty(r, e);
}

/* At most n bytes of s, cut between characters. */
static void cut(char *ret, const char *s, size_t n)
{
	size_t len = strlen(s);
	if (len > n) {
		len = n;
		while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(ret, s, len);
	ret[len] = '\0';
}

static enum err take_report(struct exchange *r, struct hold *h, const cJSON *doc, struct errinfo *e)
{
	struct job *j = h->job;
	struct flight *f = flight_find(j, h->row.number);
	struct report report;
	char worker[65];
	if (!f)
		return err_set(e, ERR_INTERNAL, "lease %lld: its trial is over", (long long)h->row.id);
	enum err err = report_read(doc, h->row.kind, j->spec, f->rung, r->daemon->store, &report, e);
	cut(worker, h->row.worker, sizeof worker - 1);
	if (!err)
		err = result_report(j, f, &report, e);
	return err ? err : conclude(r, worker, false, e);
}

struct failure {
	const char *reason;
};

static const struct json_field failure_fields[] = {
	JSON_FIELD(struct failure, reason, JSON_STRING, true, 0, 0),
};

static enum err take_failure(struct exchange *r, struct hold *h, const cJSON *doc, struct errinfo *e)
{
	struct failure failure = { 0 };
	char reason[LONGEST_REASON + 1], worker[65];
	enum err err = json_read(doc, "", failure_fields, COUNT(failure_fields), &failure, e);
	if (err)
		return err;
	if (!*failure.reason)
		return err_set(e, ERR_INPUT, "reason: is empty, expected a sentence");
	cut(reason, failure.reason, LONGEST_REASON);
	cut(worker, h->row.worker, sizeof worker - 1);
	struct flight *f = flight_find(h->job, h->row.number);
	if (f)
		err = result_failed(h->job, f, reason, e);
	return err ? err : conclude(r, worker, true, e);
}

/* The same words again were lost on their way back, and are fine; others come too late. */
static enum err answer_again(struct exchange *r, const struct last_word *word, struct errinfo *e)
{
	char digest[DIGEST_HEX + 1];
	enum err err = digest_request(r, digest, e);
	if (err)
		return err;
	if (strcmp(digest, word->digest))
		return err_set(e, ERR_GONE, "lease %lld: is over, and ended by another report than this one",
			(long long)word->lease);
	return answer_empty(r, e);
}

typedef enum err take_cb(struct exchange *r, struct hold *h, const cJSON *doc, struct errinfo *e);

static enum err hear(struct exchange *r, take_cb *take, struct errinfo *e)
{
	cJSON *doc;
	struct hold *h;
	const struct last_word *word = reported(r->daemon, r->args.id);
	if (word)
		return answer_again(r, word, e);
	enum err err = find(r, &h, e);
	if (!err)
		err = exchange_json(r, &doc, e);
	if (err)
		return err;
	err = take(r, h, doc, e);
	cJSON_Delete(doc);
	return err;
}

enum err api_lease_complete(struct exchange *r, struct errinfo *e)
{
	return hear(r, take_report, e);
}

enum err api_lease_fail(struct exchange *r, struct errinfo *e)
{
	return hear(r, take_failure, e);
}

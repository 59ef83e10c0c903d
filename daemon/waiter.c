/* waiter.c -- long polls: workers that wait for a lease, clients that wait for the end of a trial.
 * SPDX-License-Identifier: MIT */
#include "daemon/waiter.h"

#include <limits.h>
#include <stddef.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/job.h"
#include "daemon/pool.h"
#include "daemon/exchange.h"
#include "daemon/text.h"

enum { LEEWAY_S = 1 };

static const int64_t second_ns = 1000000000;

static struct exchange **list_of(const struct exchange *r)
{
	return r->answer_late ? &r->daemon->trial_waiters : &r->daemon->waiters;
}

void waiter_remove(struct exchange *r)
{
	struct exchange **at = list_of(r);
	while (*at && *at != r)
		at = &(*at)->next_waiter;
	if (*at)
		*at = r->next_waiter;
	r->waiting = false;
}

static void enqueue(struct exchange *r, int wait_s)
{
	struct exchange **end = list_of(r);
	while (*end)
		end = &(*end)->next_waiter;
	*end = r;
	r->next_waiter = NULL;
	r->waiting = true;
	r->deadline_ns = clock_ns() + wait_s * second_ns;
	exchange_wait(r);
}

static void dismiss(struct exchange *r)
{
	waiter_remove(r);
	exchange_wake(r);
}

/* ---- for a lease ------------------------------------------------------------------------------------------------ */

/* *ret_done: a lease was granted and is the answer. */
static enum err grant(struct exchange *r, bool *ret_done, struct errinfo *e)
{
	struct daemon *d = r->daemon;
	struct hold *h;
	struct text t;
	bool supervised = r->local && pool_pid(d->pool, r->worker);
	enum err err = hold_grant(d, r->worker, supervised, &h, e);
	*ret_done = false;
	if (err || !h)
		return err;
	text_init(&t);
	err = hold_write(d, h, &t, e);
	if (err) {
		text_fini(&t);
		return err;
	}
	r->lease = h->row.id;
	*ret_done = true;
	return exchange_answer_json(r, 200, &t, e);
}

/* A job has something to do that may bring work: nobody is sent away in the middle of it. */
static bool work_may_come(const struct daemon *d)
{
	for (const struct job *j = d->jobs; j; j = j->next)
		if (j->stirred && !job_over(j))
			return true;
	return false;
}

enum err waiter_add(struct exchange *r, int wait_s, struct errinfo *e)
{
	bool done = false;
	/* Who waits already comes first. */
	enum err err = r->daemon->waiters ? ERR_OK : grant(r, &done, e);
	if (err || done)
		return err;
	if (wait_s == 0 && !work_may_come(r->daemon))
		return exchange_answer_nothing(r, e);
	enqueue(r, wait_s);
	return ERR_OK;
}

static enum err serve_leases(struct daemon *d, int64_t now, struct errinfo *e)
{
	bool work = true;
	int64_t expired = now - (work_may_come(d) ? LEEWAY_S * second_ns : 0);
	for (struct exchange *r = d->waiters, *next; r; r = next) {
		bool done = false;
		enum err err = ERR_OK;
		next = r->next_waiter;
		if (work && exchange_alive(r)) {
			err = grant(r, &done, e);
			work = done;
		}
		if (!err && !done && r->deadline_ns <= expired) {
			err = exchange_answer_nothing(r, e);
			done = true;
		}
		if (err)
			return err;
		if (done)
			dismiss(r);
	}
	return ERR_OK;
}

/* ---- for a trial's end ------------------------------------------------------------------------------------------ */

static bool trial_is_over(const struct exchange *r)
{
	const struct job *j = job_find(r->daemon, r->args.id);
	const struct flight *f = j && !job_over(j) ? flight_find(j, r->args.number) : NULL;
	return !f || f->kind == LEASE_TEST;
}

enum err waiter_add_trial(struct exchange *r, int wait_s, route_cb *answer, struct errinfo *e)
{
	if (trial_is_over(r))
		return answer(r, e);
	r->answer_late = answer;
	enqueue(r, wait_s);
	return ERR_OK;
}

/* An answer that can't be given is its own request's failure. */
static void serve_trials(struct daemon *d, int64_t now)
{
	struct errinfo e;
	bool ended = d->trial_ended;
	d->trial_ended = false;
	for (struct exchange *r = d->trial_waiters, *next; r; r = next) {
		next = r->next_waiter;
		if (r->deadline_ns > now && !(ended && trial_is_over(r)))
			continue;
		if (r->answer_late(r, &e))
			exchange_refuse(r, &e);
		dismiss(r);
	}
}

/* ---- both ------------------------------------------------------------------------------------------------------- */

enum err waiter_serve(struct daemon *d, struct errinfo *e)
{
	int64_t now = clock_ns();
	enum err err = serve_leases(d, now, e);
	if (!err)
		serve_trials(d, now);
	return err;
}

static int64_t first_deadline(const struct exchange *list, int64_t first)
{
	for (const struct exchange *r = list; r; r = r->next_waiter)
		if (r->deadline_ns < first)
			first = r->deadline_ns;
	return first;
}

int waiter_next_deadline(const struct daemon *d)
{
	int64_t first = first_deadline(d->trial_waiters, first_deadline(d->waiters, INT64_MAX));
	if (first == INT64_MAX)
		return -1;
	int64_t ms = (first - clock_ns()) / 1000000 + 1;
	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

static void refuse_all(struct exchange *list)
{
	struct errinfo e;
	err_set(&e, ERR_UNAVAILABLE, "the daemon is shutting down");
	for (struct exchange *r = list, *next; r; r = next) {
		next = r->next_waiter;
		exchange_refuse(r, &e);
		dismiss(r);
	}
}

void waiter_refuse_all(struct daemon *d)
{
	refuse_all(d->waiters);
	refuse_all(d->trial_waiters);
}

static void sweep(struct exchange *list)
{
	for (struct exchange *r = list, *next; r; r = next) {
		struct errinfo e;
		next = r->next_waiter;
		if (exchange_alive(r) || exchange_answer_nothing(r, &e))
			continue;
		dismiss(r);
	}
}

void waiter_sweep(struct daemon *d)
{
	sweep(d->waiters);
	sweep(d->trial_waiters);
}

/* waiter.c -- workers that wait for a lease.
 * SPDX-License-Identifier: MIT */
#include "daemon/waiter.h"

#include <limits.h>
#include <stddef.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/pool.h"
#include "daemon/exchange.h"
#include "daemon/text.h"

static const int64_t second_ns = 1000000000;

void waiter_remove(struct exchange *r)
{
	struct exchange **at = &r->daemon->waiters;
	while (*at && *at != r)
		at = &(*at)->next_waiter;
	if (*at)
		*at = r->next_waiter;
	r->waiting = false;
}

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

enum err waiter_add(struct exchange *r, int wait_s, struct errinfo *e)
{
	bool done = false;
	/* Who waits already comes first. */
	enum err err = r->daemon->waiters ? ERR_OK : grant(r, &done, e);
	if (err || done)
		return err;
	if (wait_s == 0)
		return exchange_answer_nothing(r, e);
	struct exchange **end = &r->daemon->waiters;
	while (*end)
		end = &(*end)->next_waiter;
	*end = r;
	r->next_waiter = NULL;
	r->waiting = true;
	r->deadline_ns = clock_ns() + wait_s * second_ns;
	exchange_wait(r);
	return ERR_OK;
}

enum err waiter_serve(struct daemon *d, struct errinfo *e)
{
	int64_t now = clock_ns();
	bool work = true;
	for (struct exchange *r = d->waiters, *next; r; r = next) {
		bool done = false;
		enum err err = ERR_OK;
		next = r->next_waiter;
		if (work && exchange_alive(r)) {
			err = grant(r, &done, e);
			work = done;
		}
		if (!err && !done && r->deadline_ns <= now) {
			err = exchange_answer_nothing(r, e);
			done = true;
		}
		if (err)
			return err;
		if (!done)
			continue;
		waiter_remove(r);
		exchange_wake(r);
	}
	return ERR_OK;
}

int waiter_next_deadline(const struct daemon *d)
{
	int64_t first = INT64_MAX;
	for (const struct exchange *r = d->waiters; r; r = r->next_waiter)
		if (r->deadline_ns < first)
			first = r->deadline_ns;
	if (first == INT64_MAX)
		return -1;
	int64_t ms = (first - clock_ns()) / 1000000 + 1;
	return ms < 0 ? 0 : ms > INT_MAX ? INT_MAX : (int)ms;
}

void waiter_refuse_all(struct daemon *d)
{
	struct errinfo e;
	err_set(&e, ERR_UNAVAILABLE, "the daemon is shutting down");
	while (d->waiters) {
		struct exchange *r = d->waiters;
		waiter_remove(r);
		exchange_refuse(r, &e);
		exchange_wake(r);
	}
}

void waiter_sweep(struct daemon *d)
{
	for (struct exchange *r = d->waiters, *next; r; r = next) {
		struct errinfo e;
		next = r->next_waiter;
		if (exchange_alive(r) || exchange_answer_nothing(r, &e))
			continue;
		waiter_remove(r);
		exchange_wake(r);
	}
}

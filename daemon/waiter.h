/* waiter.h -- long polls: workers that wait for a lease, served in the order of their coming, and clients that wait for
 * the end of a trial.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_WAITER_H
#define DAEMON_WAITER_H

#include "base/err.h"
#include "daemon/route.h"

struct daemon;
struct exchange;

/* Answers r by a lease when there is one, lets it wait for up to wait_s seconds otherwise. r->worker is filled. */
enum err waiter_add(struct exchange *r, int wait_s, struct errinfo *e) __attribute__((warn_unused_result));

/* Answers r, a request about the trial r->args, by answer: now when the trial is over or there is none, otherwise when
 * it ends, at the latest after wait_s seconds. */
enum err waiter_add_trial(struct exchange *r, int wait_s, route_cb *answer, struct errinfo *e)
	__attribute__((warn_unused_result));

void waiter_remove(struct exchange *r);

/* Hands out leases, and trials that are over; answers those whose time is up. */
enum err waiter_serve(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));

/* Milliseconds until the next deadline; -1: nobody waits. */
int waiter_next_deadline(const struct daemon *d);

/* 503 to all, for a stop. */
void waiter_refuse_all(struct daemon *d);
/* Lets go of those whose client has left. */
void waiter_sweep(struct daemon *d);

#endif

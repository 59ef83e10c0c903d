/* waiter.h -- workers that wait for a lease: long polls, served in the order of their coming.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_WAITER_H
#define DAEMON_WAITER_H

#include "base/err.h"

struct daemon;
struct exchange;

/* Answers r by a lease when there is one, lets it wait for up to wait_s seconds otherwise. r->worker is filled. */
enum err waiter_add(struct exchange *r, int wait_s, struct errinfo *e) __attribute__((warn_unused_result));
void waiter_remove(struct exchange *r);

/* Hands out what there is, and 204 to those whose time is up. */
enum err waiter_serve(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));

/* Milliseconds until the next deadline; -1: nobody waits. */
int waiter_next_deadline(const struct daemon *d);

/* 503 to all, for a stop. */
void waiter_refuse_all(struct daemon *d);
/* Lets go of those whose client has left. */
void waiter_sweep(struct daemon *d);

#endif

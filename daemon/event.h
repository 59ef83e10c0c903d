/* event.h -- server-sent events: who watches a job, and what he has not been sent yet.
 * SPDX-License-Identifier: MIT
 *
 * During a turn changes are only marked; at its end each marked job and trial is rendered once, after the last write
 * and before the commit, and sent after it. A watcher's queue is bounded: who reads too slowly is dropped, and may
 * come back. */
#ifndef DAEMON_EVENT_H
#define DAEMON_EVENT_H

#include <stdint.h>

#include "base/err.h"

struct daemon;
struct feed;
struct exchange;

enum err feed_new(struct daemon *d, struct feed **ret, struct errinfo *e) __attribute__((warn_unused_result));
/* Its timer must be closed first (feed_stop), its watchers gone. Accepts NULL. */
void feed_free(struct feed *f);

/* The job, or a trial of it, has changed. */
enum err event_job(struct daemon *d, int64_t job, struct errinfo *e) __attribute__((warn_unused_result));
enum err event_trial(struct daemon *d, int64_t job, int64_t number, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Renders what is marked; lets it go, after the commit. */
enum err feed_publish(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));
void feed_wake(struct daemon *d);

/* Answers a request by the stream of a job's events. */
enum err feed_watch(struct exchange *r, int64_t job, struct errinfo *e) __attribute__((warn_unused_result));

/* Ends all streams and the timer. */
void feed_stop(struct daemon *d);

#endif

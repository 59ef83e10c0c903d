/* daemon.h -- what the parts of pared share: one loop, one store, the live jobs.
 * SPDX-License-Identifier: MIT
 *
 * One thread. All that a turn of the loop writes is one transaction (group commit): handlers and timers write to the
 * store and leave answers and events on lists; the end of the turn drives the jobs, hands out work, commits, and only
 * then lets answers and events go. When a commit fails, or a write fails half way, the process ends without a positive
 * answer, and a restart takes up what was committed: there is no state of memory that the store does not know. */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/digest.h"
#include "base/err.h"
#include "daemon/config.h"

struct feed;
struct hold;
struct job;
struct pool;
struct exchange;
struct server;
struct store;
struct worker;

enum { DAEMON_REPORTED = 256 };

/* A lease that ended by its worker's word, and the digest of what it said. */
struct last_word {
	int64_t lease;
	char digest[DIGEST_HEX + 1];
};

struct daemon {
	struct config config;
	uv_loop_t loop;
	struct store *store;
	int64_t started_ns;
	bool stopping;

	struct job *jobs;        /* live ones, oldest first: job.h */
	int64_t driven;          /* the one that could propose last */
	struct hold *holds;      /* leases that are out, oldest first: hold.h */
	struct last_word reported[DAEMON_REPORTED]; /* lately, a ring */
	unsigned reported_next;
	struct worker *workers;  /* seen by name: worker.h */
	struct exchange *waiters; /* long polls for a lease, oldest first: waiter.h */
	struct exchange *trial_waiters; /* and for a trial's end */
	bool trial_ended;        /* one did, or its job, since they were looked at */
	struct feed *feed;       /* events on their way: event.h */
	struct server *server;
	struct pool *pool;

	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;    /* runs while a job has more to do than one turn allows */
	uv_timer_t sweep;  /* each second: lost leases, limits, budgets of time, gone clients */
	uv_timer_t alarm;  /* the next deadline of a long poll */
	uv_timer_t linger; /* bounds the last step of a stop */
	int lingered;
	uv_signal_t sigterm, sigint;
};

/* Opens the store, takes up live jobs, listens, starts the workers, serves until SIGTERM or SIGINT, stops cleanly. d
 * is the caller's, with its config filled in. */
enum err daemon_run(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));

/* The end after a failed write: logs, kills the supervised workers and exits with 1. */
_Noreturn void daemon_crash(struct daemon *d, const struct errinfo *e);

#endif

/* hold.h -- leases that are out: who evaluates what, since when, until when.
 * SPDX-License-Identifier: MIT
 *
 * A hold is a lease in memory beside its row. Heartbeats move its end in memory only: after a restart every lease gets
 * a fresh one anyway. */
#ifndef DAEMON_HOLD_H
#define DAEMON_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "store/lease.h"

struct daemon;
struct flight;
struct job;
struct text;

struct hold {
	struct hold *next;
	struct lease_row row;
	struct job *job;
	bool trains;
	int64_t began_ns, expires_ns; /* steady clock */
};

/* Leases the next waiting flight to a worker: oldest job first, then number. An exclusive one goes out only when no
 * lease is out, and nothing beside it; it holds the others back until then. *ret is NULL when there is nothing to hand
 * out now. */
enum err hold_grant(struct daemon *d, const char *worker, bool supervised, struct hold **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Takes over a stored lease (the row too, on failure as well), with a fresh time to live. */
enum err hold_adopt(struct daemon *d, struct job *j, struct flight *f, struct lease_row *row, struct hold **ret,
	struct errinfo *e) __attribute__((warn_unused_result));

/* NULL: no such lease is out. */
struct hold *hold_find(const struct daemon *d, int64_t id);
/* The worker's lease, NULL: none. */
struct hold *hold_of_worker(const struct daemon *d, const char *worker);

void hold_beat(struct daemon *d, struct hold *h);

/* The lease is over, by a report. */
enum err hold_close(struct daemon *d, struct hold *h, struct errinfo *e) __attribute__((warn_unused_result));
/* The lease is given back; its trial waits again, no attempt is counted. */
enum err hold_release(struct daemon *d, struct hold *h, struct errinfo *e) __attribute__((warn_unused_result));
/* The lease is lost; its trial waits again, or fails after JOB_ATTEMPTS. */
enum err hold_lost(struct daemon *d, struct hold *h, const char *how, struct errinfo *e)
	__attribute__((warn_unused_result));
/* All leases of a supervised worker whose process has ended. */
enum err hold_worker_died(struct daemon *d, const char *worker, const char *how, struct errinfo *e)
	__attribute__((warn_unused_result));
/* All leases of a job that is over end. */
enum err hold_drop_job(struct daemon *d, const struct job *j, struct errinfo *e) __attribute__((warn_unused_result));

/* Each second: leases without a heartbeat are lost; trials past a limit of their job fail, and a supervised worker
 * that runs one is killed. */
enum err hold_sweep(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));

/* The lease as the worker gets it. */
enum err hold_write(const struct daemon *d, const struct hold *h, struct text *t, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Frees the memory, not the leases. */
void hold_forget(struct daemon *d);

#endif

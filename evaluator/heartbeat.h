/* heartbeat.h -- keeps a lease while its trial runs, and holds the trial to its limits.
 * SPDX-License-Identifier: MIT
 *
 * One thread for one lease. It posts heartbeats, raises `stop` when the lease is lost, and looks every 200 ms at
 * the clock and at the resident size: nothing in a trial has to cooperate for the limits to hold. */
#ifndef EVALUATOR_HEARTBEAT_H
#define EVALUATOR_HEARTBEAT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"

struct heartbeat;

enum heartbeat_state {
	HEARTBEAT_HELD,        /* the daemon said so within `expires` */
	HEARTBEAT_GONE,        /* the daemon said that the lease is lost or cancelled */
	HEARTBEAT_UNREACHABLE, /* no word from the daemon for `expires` */
};

struct heartbeat_lease {
	int64_t id;
	double every, expires; /* seconds */
	double trial_seconds;
	int64_t trial_memory_mb;
};

/* Called on the heartbeat's thread after a limit was passed and reported by `fail`. Must end the process: the
 * trial still runs and can't be stopped otherwise. */
typedef void heartbeat_limit_cb(const char *reason, void *arg);

/* Starts the thread. http is used by it alone until heartbeat_stop. *stop becomes true when the state is no longer
 * HEARTBEAT_HELD. All signals are blocked in the thread. */
enum err heartbeat_start(struct http *http, const struct heartbeat_lease *lease, atomic_bool *stop,
	heartbeat_limit_cb *past_limit, void *arg, struct heartbeat **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

enum heartbeat_state heartbeat_state(struct heartbeat *h);

/* The trial has ended: from here on the limits don't hold, the lease is still kept. Doesn't return when a limit
 * was passed just before. */
void heartbeat_lift_limits(struct heartbeat *h);

/* Ends the thread. */
void heartbeat_stop(struct heartbeat *h);

#endif

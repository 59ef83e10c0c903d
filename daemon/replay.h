/* replay.h -- a restart: every live job becomes again what it was.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_REPLAY_H
#define DAEMON_REPLAY_H

#include "base/err.h"

struct daemon;

/* Rebuilds all live jobs from the store. Leases of supervised workers are dropped, for those processes are gone, and
 * their trials wait again; the others are kept with a fresh time to live. A job that can't be rebuilt fails with the
 * reason. */
enum err replay_jobs(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));

#endif

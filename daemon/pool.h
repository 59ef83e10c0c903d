/* pool.h -- supervised workers: started, watched, started again after a growing delay.
 * SPDX-License-Identifier: MIT
 *
 *   starting -> running -> ended -> (0.5 s, 1 s, ... 30 s) -> starting
 *
 * The delay is short again after a minute of good running, and when it was the daemon that killed the process. */
#ifndef DAEMON_POOL_H
#define DAEMON_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct daemon;
struct pool;

/* Starts config.workers processes, local-1, local-2 ...; a program that can't be started is tried again like one that
 * ends. */
enum err pool_new(struct daemon *d, struct pool **ret, struct errinfo *e) __attribute__((warn_unused_result));
/* After pool_stop and its callback, and the loop has run. Accepts NULL. */
void pool_free(struct pool *p);

/* Whether a worker of that name is ours; its process id, 0 when none runs; when that was started (ms). */
bool pool_has(const struct pool *p, const char *name);
int pool_pid(const struct pool *p, const char *name);
int64_t pool_started(const struct pool *p, const char *name);

/* Kills one, at once. */
void pool_kill(struct pool *p, const char *name);
/* Kills all, at once; for a crash. Accepts NULL. */
void pool_kill_all(struct pool *p);

/* Asks all to end, kills after ten seconds; then calls back, also when none runs. */
void pool_stop(struct pool *p, void (*on_stopped)(struct daemon *d));

#endif

/* warm.h -- what a job knows from earlier ones: its "warm_start".
 * SPDX-License-Identifier: MIT
 *
 * The earlier jobs are over, so what is read of them is the same whenever this job is opened. */
#ifndef DAEMON_WARM_H
#define DAEMON_WARM_H

#include "base/err.h"

struct job;
struct prior;
struct spec;
struct store;

/* That each of the jobs is there, is over and knows its network: ERR_INPUT names the one that isn't. */
enum err warm_check(const struct spec *s, struct store *store, struct errinfo *e) __attribute__((warn_unused_result));

/* The latest complete trials of their first rungs, in terms of j->space, of those whose first rung trains if this job's
 * does; *ret is NULL when the job names none. */
enum err warm_open(const struct job *j, struct prior **ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

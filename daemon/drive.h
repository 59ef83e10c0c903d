/* drive.h -- ask and tell: what a job does next.
 * SPDX-License-Identifier: MIT
 *
 * table_ask -> trial row -> (lease, report) -> table_tell -> front_offer -> flags -> events, and no step back. */
#ifndef DAEMON_DRIVE_H
#define DAEMON_DRIVE_H

#include <stdbool.h>

#include "base/err.h"

struct daemon;
struct job;

/* Lets every stirred job go on: proposals, the end of the search, the end of the job. *ret_more: one has more to do
 * than a turn should take. */
enum err drive_jobs(struct daemon *d, bool *ret_more, struct errinfo *e) __attribute__((warn_unused_result));

/* Each second: searches whose time is up end. */
enum err drive_clocks(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));

/* Adds a flight for each member of the Pareto set whose test score is missing. */
enum err drive_tests(struct job *j, struct errinfo *e) __attribute__((warn_unused_result));

#endif

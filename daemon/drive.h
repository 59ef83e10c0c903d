/* drive.h -- ask and tell: what a job does next, and what becomes of a result.
 * SPDX-License-Identifier: MIT
 *
 * table_ask -> trial row -> (lease, report) -> table_tell -> front_offer -> flags -> events, and no step back. */
#ifndef DAEMON_DRIVE_H
#define DAEMON_DRIVE_H

#include <stdbool.h>

#include "base/err.h"

struct daemon;
struct flight;
struct job;
struct report;
struct trial_row;

/* Lets every stirred job go on: proposals, the end of the search, the end of the job. *ret_more: one has more to do
 * than a turn should take. */
enum err drive_jobs(struct daemon *d, bool *ret_more, struct errinfo *e) __attribute__((warn_unused_result));

/* Takes a checked report for a flight, which is removed. A baseline's inventory that is wrong is ERR_INPUT, with
 * nothing changed; figures that contradict the cost model fail the trial. */
enum err drive_report(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The flight's trial failed for good. */
enum err drive_failed(struct job *j, struct flight *f, const char *reason, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Takes the baseline's result from an earlier job when it is known. */
enum err drive_known_baseline(struct job *j, struct flight *f, struct errinfo *e) __attribute__((warn_unused_result));

/* For replay: the search as it starts after a baseline; the front's and the table's share of a stored result; the test
 * scores that are missing. */
enum err drive_open_search(struct job *j, const char *inventory, const struct trial_row *baseline, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err drive_tell(struct job *j, const struct trial_row *r, struct errinfo *e) __attribute__((warn_unused_result));
enum err drive_miss_tests(struct job *j, struct errinfo *e) __attribute__((warn_unused_result));

#endif

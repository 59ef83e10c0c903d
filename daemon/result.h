/* result.h -- what becomes of a result: its row, the table, the front, the trials that share it.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_RESULT_H
#define DAEMON_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "search/metric.h"

struct flight;
struct job;
struct report;
struct trial_metrics;
struct trial_row;

/* Takes a checked report for a flight, which is removed. A baseline's inventory that is wrong, and figures that
 * contradict the cost model, are ERR_INPUT, with nothing changed. */
enum err result_report(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The flight's trial failed for good. */
enum err result_failed(struct job *j, struct flight *f, const char *reason, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Tells the table and the front of a written result. replay: the flags that follow are stored already. */
enum err result_tell(struct job *j, const struct trial_row *r, bool replay, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The front's share of it. */
enum err result_offer(struct job *j, int64_t number, const double metrics[METRIC_COUNT], bool replay, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Fills into r what it takes over from the trial whose result it shares. */
enum err result_share(const struct job *j, const struct trial_row *from, struct trial_row *r, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The test score of the flight's trial. */
enum err result_test(struct job *j, struct flight *f, double accuracy, double loss, struct errinfo *e)
	__attribute__((warn_unused_result));

/* A search that can't go on fails its job; no memory and a disk that fails are the daemon's trouble, not the job's:
 * they are returned. */
enum err result_blame(struct job *j, enum err err, struct errinfo *e) __attribute__((warn_unused_result));

void result_metrics(const struct trial_metrics *m, double ret[METRIC_COUNT]);
/* As far as the rung measures what is bounded. */
bool result_feasible(const struct job *j, int rung, const struct trial_metrics *m);

#endif

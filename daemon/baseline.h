/* baseline.h -- trial 0: what its result opens.
 * SPDX-License-Identifier: MIT
 *
 * From the inventory come the space and the cost model, from the metrics what candidates are measured against. */
#ifndef DAEMON_BASELINE_H
#define DAEMON_BASELINE_H

#include "base/err.h"

struct flight;
struct job;
struct problem;
struct report;
struct space;
struct spec;
struct trial_metrics;
struct trial_row;

/* Takes a checked report. An inventory that is wrong, and figures that contradict it, are ERR_INPUT, with nothing
 * changed. */
enum err baseline_take(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Takes the result from an earlier job when it is known. */
enum err baseline_known(struct job *j, struct flight *f, struct errinfo *e) __attribute__((warn_unused_result));

/* What is searched, by the job's document and trial 0's metrics. The space is borrowed. */
void baseline_problem(const struct spec *s, const struct space *space, const struct trial_metrics *baseline,
	struct problem *ret);

/* Opens the search again from what is stored. */
enum err baseline_replay(struct job *j, const char *inventory, const struct trial_row *baseline, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* view.h -- jobs, trials and workers as the protocol shows them.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_VIEW_H
#define DAEMON_VIEW_H

#include <stdint.h>

#include "base/err.h"
#include "store/job.h"
#include "store/trial.h"

struct daemon;
struct text;

/* One job, with its groups and its spec; ERR_NOT_FOUND. */
enum err view_job(struct daemon *d, int64_t id, struct text *t, enum job_state *ret_state, struct errinfo *e)
	__attribute__((warn_unused_result));

/* {"jobs": [...]}, newest first, without groups and specs. */
enum err view_jobs(struct daemon *d, struct text *t, struct errinfo *e) __attribute__((warn_unused_result));

void view_trial(const struct trial_row *r, struct text *t);

/* The elements of an array of a job's trials. */
enum err view_trials(struct daemon *d, int64_t job, bool only_pareto, struct text *t, struct errinfo *e)
	__attribute__((warn_unused_result));

/* {"workers": [...]} */
void view_workers(struct daemon *d, struct text *t);

#endif

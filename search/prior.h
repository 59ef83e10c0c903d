/* prior.h -- what earlier jobs learned, in terms of this one's groups.
 * SPDX-License-Identifier: MIT
 *
 * Groups of two jobs are the same when their names and their channels are. A result of an earlier job is kept when
 * it pruned something, and nothing but groups of this job, for then nothing else explains what it measured. Effects are
 * those of search/link.h against the earlier job's own baseline. At most PRIOR_MOST results are kept, the latest of
 * them: a search ends near its front. */
#ifndef SEARCH_PRIOR_H
#define SEARCH_PRIOR_H

#include "base/err.h"
#include "search/metric.h"

struct prior;
struct space;

enum { PRIOR_MOST = 1000 };

/* `now` is borrowed. */
enum err prior_new(const struct space *now, struct prior **ret, struct errinfo *e) __attribute__((warn_unused_result));
void prior_free(struct prior *p); /* accepts NULL */

/* The results that follow are of a job over `then` (used during calls only until the next prior_job), whose trial 0
 * measured this; NaN where it was not measured. */
enum err prior_job(struct prior *p, const struct space *then, const double baseline[METRIC_COUNT], struct errinfo *e)
	__attribute__((warn_unused_result));
enum err prior_add(struct prior *p, const int *keep, const double metrics[METRIC_COUNT], struct errinfo *e)
	__attribute__((warn_unused_result));

/* Result i of those that are kept: the candidate in this job's groups, and its effects, NaN where not measured. */
int prior_count(const struct prior *p);
const int *prior_keep(const struct prior *p, int i);
const double *prior_effects(const struct prior *p, int i);

#endif

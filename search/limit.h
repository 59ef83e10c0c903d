/* limit.h -- what a job's constraints on exact costs allow, before anything is evaluated.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_LIMIT_H
#define SEARCH_LIMIT_H

#include "search/strategy.h"

/* The least upper bound of each exact cost, INFINITY where there is none (and for all other metrics), as budget_fit_all
 * takes them. ERR_LIMIT, naming the constraint, when no candidate of the space can keep one of them, when bounds
 * contradict each other, or when more accuracy is asked for than there can be. */
enum err limit_read(const struct problem *p, double ret_most[METRIC_COUNT], struct errinfo *e)
	__attribute__((warn_unused_result));

/* Narrows *low..*high, shares of the intact network's `metric`, to what the space and the job's bounds on that metric
 * allow. Where nothing of the window is allowed, both become the allowed share that is nearest to it. */
void limit_window(const struct problem *p, enum metric metric, double *low, double *high);

/* Lowers most[metric] to a share of the intact network's. */
void limit_share(const struct space *s, enum metric metric, double share, double most[METRIC_COUNT]);

#endif

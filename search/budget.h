/* budget.h -- the candidate of a wanted shape that just keeps a cost budget.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_BUDGET_H
#define SEARCH_BUDGET_H

#include <stdbool.h>

#include "base/err.h"
#include "search/metric.h"

struct cost;
struct space;

/* Scales pruning ratios by one factor, clips each to its group's limits and so hands what is clipped to the others,
 * until `metric` (an exact cost) of the candidate is at most limit, and giving back any single step of one group's
 * channels that the ratios took would exceed it. Terminates for every limit: bisection on the factor, then single
 * steps. Groups of ratio 0 stay whole unless all others together are not enough. ERR_LIMIT, naming the least that is
 * possible, when even the smallest candidate costs more. */
enum err budget_fit(const struct space *s, enum metric metric, double limit, const double *ratio, int *ret_keep,
	struct errinfo *e) __attribute__((warn_unused_result));

/* As budget_fit for several limits at once: limit[m] of every exact cost m, INFINITY where there is none. Giving back
 * any single step would exceed at least one of them. */
enum err budget_fit_all(const struct space *s, const double limit[METRIC_COUNT], const double *ratio, int *ret_keep,
	struct errinfo *e) __attribute__((warn_unused_result));

/* Whether the cost is within all limits. */
bool budget_keeps(const double limit[METRIC_COUNT], const struct cost *c);

/* Least and largest share of the intact network's cost that a candidate of the space can have. */
double budget_floor(const struct space *s, enum metric metric);
double budget_ceiling(const struct space *s, enum metric metric);

#endif

/* score.h -- a result as the numbers that strategies compare: objectives to be minimised and a violation.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_SCORE_H
#define SEARCH_SCORE_H

#include "search/strategy.h"

/* A metric turned so that less is better; a NaN is +infinity. */
double score_value(enum metric m, double value);

/* The problem's objectives, objective_count numbers. */
void score_point(const struct problem *p, const double metrics[METRIC_COUNT], double *ret_point);

/* The sum of all constraints' violations, 0 when feasible. */
double score_violation(const struct problem *p, const double metrics[METRIC_COUNT]);

/* Both for a trial. A failed one, and one with an objective that isn't finite, is worse than all others: every
 * objective and the violation are +infinity. */
void score_outcome(const struct problem *p, const struct outcome *o, double *ret_point, double *ret_violation);

/* For strategies that follow one objective: the index of the one that takes an evaluation to know, as a rule the
 * accuracy. When all are exact costs, of one other than `metric`. */
int score_measured(const struct problem *p, enum metric metric);

#endif

/* score.c -- a result as the numbers that strategies compare.
 * SPDX-License-Identifier: MIT */
#include "search/score.h"

#include <math.h>

double score_value(enum metric m, double value)
{
	if (isnan(value))
		return INFINITY;
	return metric_larger_is_better(m) ? -value : value;
}

void score_point(const struct problem *p, const double metrics[METRIC_COUNT], double *ret_point)
{
	for (int i = 0; i < p->objective_count; i++)
		ret_point[i] = score_value(p->objectives[i], metrics[p->objectives[i]]);
}

double score_violation(const struct problem *p, const double metrics[METRIC_COUNT])
{
	return constraint_total(p->constraints, p->constraint_count, p->baseline, metrics);
}

void score_outcome(const struct problem *p, const struct outcome *o, double *ret_point, double *ret_violation)
{
	bool usable = o->ok;
	for (int i = 0; usable && i < p->objective_count; i++)
		usable = isfinite(o->metrics[p->objectives[i]]);
	if (usable) {
		score_point(p, o->metrics, ret_point);
		*ret_violation = score_violation(p, o->metrics);
		return;
	}
	for (int i = 0; i < p->objective_count; i++)
		ret_point[i] = INFINITY;
	*ret_violation = INFINITY;
}

int score_measured(const struct problem *p, enum metric metric)
{
	for (int i = 0; i < p->objective_count; i++)
		if (!metric_is_exact_cost(p->objectives[i]))
			return i;
	return p->objectives[0] == metric ? 1 : 0;
}

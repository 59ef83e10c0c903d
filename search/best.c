/* best.c -- the best result under bounds that come later than the search.
 * SPDX-License-Identifier: MIT */
#include "search/best.h"

#include <math.h>
#include <string.h>

#include "search/score.h"

static bool better(const struct problem *p, const struct best_result *a, const struct best_result *b)
{
	double x[PARETO_MAX_OBJECTIVES], y[PARETO_MAX_OBJECTIVES];
	score_point(p, a->metrics, x);
	score_point(p, b->metrics, y);
	for (int k = 0; k < p->objective_count; k++)
		if (x[k] != y[k])
			return x[k] < y[k];
	return a->number < b->number;
}

void best_offer(struct best *b, int64_t number, const double metrics[METRIC_COUNT])
{
	struct best_result r = { .number = number };
	memcpy(r.metrics, metrics, sizeof r.metrics);
	r.violation = constraint_total(b->where, b->where_count, b->problem->baseline, metrics);
	b->offered++;
	if (r.violation == 0 && (!b->best.number || better(b->problem, &r, &b->best)))
		b->best = r;
	bool nearer = r.violation < b->nearest.violation ||
		(r.violation == b->nearest.violation && better(b->problem, &r, &b->nearest));
	if (!b->nearest.number || nearer)
		b->nearest = r;
}

const struct constraint *best_missed(const struct best *b)
{
	const struct constraint *worst = NULL;
	double most = 0;
	for (int i = 0; i < b->where_count && b->nearest.number; i++) {
		const struct constraint *c = &b->where[i];
		double missed = constraint_violation(c, b->problem->baseline, b->nearest.metrics[c->metric]);
		if (missed > most) {
			worst = c;
			most = missed;
		}
	}
	return worst;
}

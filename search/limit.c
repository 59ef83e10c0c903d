/* limit.c -- what a job's constraints on exact costs allow, before anything is evaluated.
 * SPDX-License-Identifier: MIT */
#include "search/limit.h"

#include <math.h>

#include "search/budget.h"
#include "search/cost.h"

/* A baseline that wasn't measured is no obstacle: the cost model knows it. */
static double bound_of(const struct problem *p, const struct constraint *c)
{
	double bound = constraint_bound(c, p->baseline);
	if (!isnan(bound))
		return bound;
	struct cost intact = cost_of_intact(p->space);
	return c->of_baseline * cost_metric(&intact, c->metric) + c->offset;
}

/* 0..infinity: the tightest bound of one direction on an exact cost. */
static double tightest(const struct problem *p, enum metric metric, bool at_least)
{
	double bound = at_least ? 0 : INFINITY;
	for (int i = 0; i < p->constraint_count; i++) {
		const struct constraint *c = &p->constraints[i];
		if (c->metric != metric || c->at_least != at_least)
			continue;
		bound = at_least ? fmax(bound, bound_of(p, c)) : fmin(bound, bound_of(p, c));
	}
	return bound;
}

static enum err check_cost(enum metric metric, double low, double high, double least, double most, struct errinfo *e)
{
	const char *name = metric_name(metric);
	const double slack = 1e-12; /* for percentages that round */
	if (high < least)
		return err_set(e, ERR_LIMIT, "constraints.%s: allows at most %.15g, "
			"but the smallest possible candidate has %.15g", name, high, least);
	if (low > most * (1 + slack))
		return err_set(e, ERR_LIMIT, "constraints.%s: asks for at least %.15g, "
			"but the largest possible candidate has only %.15g", name, low, most);
	if (low > high * (1 + slack))
		return err_set(e, ERR_LIMIT, "constraints.%s: asks for at least %.15g and at most %.15g, "
			"which nothing can meet", name, low, high);
	return ERR_OK;
}

/* Relative to a baseline, more may be asked for than there is. */
static enum err check_accuracy(const struct problem *p, struct errinfo *e)
{
	for (int i = 0; i < p->constraint_count; i++) {
		const struct constraint *c = &p->constraints[i];
		double bound = constraint_bound(c, p->baseline);
		if (c->metric == METRIC_ACCURACY && c->at_least && bound > 1)
			return err_set(e, ERR_LIMIT, "constraints.accuracy: asks for at least %.15g, "
				"but no network has more than 1", bound);
	}
	return ERR_OK;
}

enum err limit_read(const struct problem *p, double ret_most[METRIC_COUNT], struct errinfo *e)
{
	struct cost smallest = cost_of_least(p->space), largest = cost_of_most(p->space);
	enum err err = check_accuracy(p, e);
	if (err)
		return err;
	for (int m = 0; m < METRIC_COUNT; m++) {
		ret_most[m] = INFINITY;
		if (!metric_is_exact_cost((enum metric)m))
			continue;
		enum metric metric = (enum metric)m;
		double most = tightest(p, metric, false);
		err = check_cost(metric, tightest(p, metric, true), most, cost_metric(&smallest, metric),
			cost_metric(&largest, metric), e);
		if (err)
			return err;
		ret_most[m] = most;
	}
	return ERR_OK;
}

static double clamp(double x, double low, double high)
{
	return x < low ? low : x > high ? high : x;
}

void limit_window(const struct problem *p, enum metric metric, double *low, double *high)
{
	struct cost intact = cost_of_intact(p->space);
	double whole = fmax(cost_metric(&intact, metric), 1);
	double floor_share = budget_floor(p->space, metric);
	double most = clamp(tightest(p, metric, false) / whole, floor_share, budget_ceiling(p->space, metric));
	double least = clamp(tightest(p, metric, true) / whole, floor_share, most);
	*low = clamp(*low, least, most);
	*high = clamp(*high, *low, most);
}

void limit_share(const struct space *s, enum metric metric, double share, double most[METRIC_COUNT])
{
	struct cost intact = cost_of_intact(s), least = cost_of_least(s);
	/* A share that was computed from the least cost must not end a rounding error below it. */
	double limit = fmax(share * cost_metric(&intact, metric), cost_metric(&least, metric));
	most[metric] = fmin(most[metric], limit);
}

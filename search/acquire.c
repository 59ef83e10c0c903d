/* acquire.c -- how much an evaluation is expected to bring.
 * SPDX-License-Identifier: MIT */
#include "search/acquire.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/improvement.h"
#include "search/space.h"

/* Points of the front: with two objectives they cost next to nothing. */
enum { FRONT_OF_TWO = 512, FRONT = 24 };

/* The middles of twelve equal parts of the standard normal distribution. */
enum { QUANTILES = 12 };
static const double quantiles[QUANTILES] = { -1.73166439612, -1.15034938038, -0.8122178015, -0.548522282698,
	-0.318639363964, -0.104633455614, 0.104633455614, 0.318639363964, 0.548522282698, 0.8122178015, 1.15034938038,
	1.73166439612 };

struct acquire {
	const struct problem *problem;
	const struct belief *belief;
	double whole[PARETO_MAX_OBJECTIVES];     /* the unpruned network's value of each objective */
	double reference[PARETO_MAX_OBJECTIVES];
	double *points;
	int count, room;
	struct improvement *improvement; /* made from points when it is first needed */
};

/* A pruned network's loss has no upper end: as a share of the unpruned one's, the worst would count for nearly all. */
static double scaled(const struct acquire *a, int objective, double value)
{
	if (a->problem->objectives[objective] == METRIC_ACCURACY)
		return 1 - value;
	if (a->problem->objectives[objective] == METRIC_LOSS)
		return -expm1(-fmax(value, 0));
	return value / a->whole[objective];
}

static void set_scale(struct acquire *a, int objective)
{
	const struct problem *p = a->problem;
	enum metric m = p->objectives[objective];
	struct cost intact = cost_of_intact(p->space);
	double whole = metric_is_exact_cost(m) ? cost_metric(&intact, m) : p->baseline[m];
	a->whole[objective] = whole > 0 ? whole : 1;
	a->reference[objective] = 1;
}

static void take_archive(struct acquire *a, const struct archive *archive)
{
	int m = a->problem->objective_count;
	for (int k = 0; k < archive->count; k++) {
		if (archive->violation[k] > 0)
			continue;
		double *point = a->points + (size_t)a->count++ * (size_t)m;
		for (int i = 0; i < m; i++)
			point[i] = scaled(a, i, archive->metrics[k][a->problem->objectives[i]]);
	}
}

enum err acquire_open(const struct problem *p, const struct archive *archive, const struct belief *b,
	struct acquire **ret, struct errinfo *e)
{
	struct acquire *a = calloc(1, sizeof *a);
	int rows = archive->count + ACQUIRE_EXPECTED;
	if (a)
		a->points = malloc((size_t)rows * (size_t)p->objective_count * sizeof *a->points);
	if (!a || !a->points) {
		acquire_close(a);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	a->problem = p;
	a->belief = b;
	a->room = rows;
	for (int i = 0; i < p->objective_count; i++)
		set_scale(a, i);
	take_archive(a, archive);
	*ret = a;
	return ERR_OK;
}

void acquire_close(struct acquire *a)
{
	if (!a)
		return;
	improvement_free(a->improvement);
	free(a->points);
	free(a);
}

/* Whether an objective or a bound is uncertain. */
static bool uncertain(const struct acquire *a, enum metric m)
{
	return link_applies(m) && isfinite(a->problem->baseline[m]);
}

/* At the floor there is nothing to gain: what an accuracy is there is the luck of the draw. */
static double expected(const struct link *link, double effect)
{
	return effect < link_censored(link) ? link_value(link, effect) : 0;
}

/* What the objectives come to when every effect is so many deviations off its mean. */
static void place(const struct acquire *a, const struct cost *cost, const struct estimate *estimate,
	const double *off, double *ret_point)
{
	for (int i = 0; i < a->problem->objective_count; i++) {
		enum metric m = a->problem->objectives[i];
		double value = a->whole[i];
		if (uncertain(a, m)) {
			struct link link = belief_link(a->belief, m);
			value = expected(&link, estimate->mean[m] + off[i] * estimate->deviation[m]);
		} else if (metric_is_exact_cost(m)) {
			value = cost_metric(cost, m);
		}
		ret_point[i] = scaled(a, i, value);
	}
}

void acquire_expect(struct acquire *a, const struct cost *cost, const struct estimate *estimate)
{
	static const double none[PARETO_MAX_OBJECTIVES];
	if (a->count < a->room)
		place(a, cost, estimate, none, a->points + (size_t)a->count++ * (size_t)a->problem->objective_count);
}

/* ---- bounds ---- */

static double below(double z)
{
	return erfc(-z / sqrt(2)) / 2;
}

/* The probability that one bound is met. */
static double chance_of(const struct acquire *a, const struct constraint *c, const struct cost *cost,
	const struct estimate *estimate)
{
	const struct problem *p = a->problem;
	if (metric_is_exact_cost(c->metric))
		return constraint_violation(c, p->baseline, cost_metric(cost, c->metric)) == 0;
	if (!uncertain(a, c->metric))
		return 1;
	struct link link = belief_link(a->belief, c->metric);
	double bound = link_effect(&link, constraint_bound(c, p->baseline));
	double z = (bound - estimate->mean[c->metric]) / estimate->deviation[c->metric];
	/* Effects grow where a loss grows, and where anything else falls. */
	bool effect_at_most = c->metric == METRIC_LOSS ? !c->at_least : c->at_least;
	return below(effect_at_most ? z : -z);
}

static double chance_of_all(const struct acquire *a, const struct cost *cost, const struct estimate *estimate)
{
	double chance = 1;
	for (int i = 0; i < a->problem->constraint_count; i++)
		chance *= chance_of(a, &a->problem->constraints[i], cost, estimate);
	return chance;
}

/* ---- gain ---- */

static enum err make_improvement(struct acquire *a, struct errinfo *e)
{
	int m = a->problem->objective_count;
	if (a->improvement)
		return ERR_OK;
	return improvement_new(a->points, a->count, m, a->reference, m == 2 ? FRONT_OF_TWO : FRONT, &a->improvement, e);
}

/* Quantile k of each objective's effect, in different orders so that they count as independent: each is used once. */
static void offsets(int k, double ret[PARETO_MAX_OBJECTIVES])
{
	static const int stride[PARETO_MAX_OBJECTIVES] = { 1, 5, 7, 11 };
	for (int i = 0; i < PARETO_MAX_OBJECTIVES; i++)
		ret[i] = quantiles[(k * stride[i] + 3 * i) % QUANTILES];
}

enum err acquire_gain(struct acquire *a, const struct cost *cost, const struct estimate *estimate, bool thorough,
	double *ret, struct errinfo *e)
{
	double chance = chance_of_all(a, cost, estimate), sum = 0;
	int step = thorough || a->problem->objective_count == 2 ? 1 : QUANTILES / 3, count = 0;
	enum err err = make_improvement(a, e);
	for (int k = step / 2; k < QUANTILES && chance > 0 && !err; k += step) {
		double off[PARETO_MAX_OBJECTIVES], point[PARETO_MAX_OBJECTIVES], gain;
		offsets(k, off);
		place(a, cost, estimate, off, point);
		err = improvement_of(a->improvement, point, &gain, e);
		sum += gain;
		count++;
	}
	*ret = count ? chance * chance * sum / count : 0;
	return err;
}

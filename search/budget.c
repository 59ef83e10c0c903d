/* budget.c -- the candidate of a wanted shape that just keeps a cost budget.
 * SPDX-License-Identifier: MIT
 *
 * keep(t) = round(channels * (1 - t * ratio)), clipped: the cost never grows with t, so bisection finds the
 * smallest t that fits. What rounding leaves free goes back to the groups, heaviest step first, each as many steps
 * as fit: after one pass none can take another, because the groups behind it only added cost. */
#include "search/budget.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "search/cost.h"
#include "search/space.h"
#include "search/tally.h"

/* The largest ratio is scaled to 1 and none above 0 is under 1/STEEPEST: at t = STEEPEST all are clipped. */
static const double STEEPEST = 1e6;
enum { BISECTIONS = 64 };

static const enum metric exact[] = { METRIC_MACS, METRIC_PARAMS, METRIC_BYTES };
enum { EXACT = sizeof exact / sizeof *exact };

struct turn {
	int group;
	double weight;
};

struct fit {
	const struct space *space;
	const double *limit;
	double *slope; /* ratios, scaled */
	struct turn *turns;
	int *keep;
};

bool budget_keeps(const double limit[METRIC_COUNT], const struct cost *c)
{
	for (int i = 0; i < EXACT; i++)
		if (!(cost_metric(c, exact[i]) <= limit[exact[i]]))
			return false;
	return true;
}

static bool fits_at(struct fit *f, double t)
{
	for (int g = 0; g < f->space->group_count; g++) {
		const struct space_group *group = &f->space->groups[g];
		f->keep[g] = space_round_keep(group, group->channels * (1 - t * f->slope[g]));
	}
	struct cost c = cost_of(f->space, f->keep);
	return budget_keeps(f->limit, &c);
}

static void scale(struct fit *f, const double *ratio)
{
	double most = 0;
	for (int g = 0; g < f->space->group_count; g++) {
		f->slope[g] = ratio[g] > 0 ? fmin(ratio[g], STEEPEST) : 0;
		most = fmax(most, f->slope[g]);
	}
	for (int g = 0; g < f->space->group_count; g++)
		if (f->slope[g] > 0)
			f->slope[g] = fmax(f->slope[g] / most, 1 / STEEPEST);
}

/* Groups that were to stay whole are pruned alike, the others are at their least from the start. */
static void scale_rest(struct fit *f)
{
	for (int g = 0; g < f->space->group_count; g++)
		f->slope[g] = f->slope[g] > 0 ? STEEPEST : 1;
}

static enum err refuse(const struct fit *f, struct errinfo *e)
{
	struct cost least = cost_of_least(f->space);
	int i = 0;
	while (i < EXACT - 1 && cost_metric(&least, exact[i]) <= f->limit[exact[i]])
		i++;
	return err_set(e, ERR_LIMIT, "%s: at most %.15g is wanted, but the smallest possible candidate has %.15g",
		metric_name(exact[i]), f->limit[exact[i]], cost_metric(&least, exact[i]));
}

static enum err bisect(struct fit *f, struct errinfo *e)
{
	if (fits_at(f, 0))
		return ERR_OK;
	if (!fits_at(f, STEEPEST)) {
		scale_rest(f);
		if (!fits_at(f, STEEPEST))
			return refuse(f, e);
	}
	double low = 0, high = STEEPEST;
	for (int i = 0; i < BISECTIONS; i++) {
		double middle = low + (high - low) / 2;
		if (fits_at(f, middle))
			high = middle;
		else
			low = middle;
	}
	(void)fits_at(f, high);
	return ERR_OK;
}

static int heavier_first(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return (x->group > y->group) - (x->group < y->group);
}

/* What one more step of the group costs, as a share of the limits. */
static double step_weight(const struct fit *f, const struct tally *t, const struct cost *now, int g)
{
	struct cost c = tally_if(t, g, space_more(&f->space->groups[g], f->keep[g]));
	double weight = 0;
	for (int i = 0; i < EXACT; i++)
		if (f->limit[exact[i]] > 0)
			weight += (cost_metric(&c, exact[i]) - cost_metric(now, exact[i])) / f->limit[exact[i]];
	return weight;
}

/* The most that group g can keep within the limits, the others staying. */
static int most_kept(const struct fit *f, const struct tally *t, int g)
{
	const struct space_group *group = &f->space->groups[g];
	int fits = 0, beyond = (group->max_keep - f->keep[g] + group->step - 1) / group->step + 1;
	while (beyond - fits > 1) {
		int steps = fits + (beyond - fits) / 2;
		struct cost c = tally_if(t, g, space_round_keep(group, f->keep[g] + (double)steps * group->step));
		if (budget_keeps(f->limit, &c))
			fits = steps;
		else
			beyond = steps;
	}
	return space_round_keep(group, f->keep[g] + (double)fits * group->step);
}

static enum err give_back(struct fit *f, struct errinfo *e)
{
	struct tally *t;
	enum err err = tally_open(f->space, f->keep, &t, e);
	if (err)
		return err;
	struct cost now = cost_of(f->space, f->keep);
	for (int g = 0; g < f->space->group_count; g++)
		f->turns[g] = (struct turn){ .group = g, .weight = step_weight(f, t, &now, g) };
	qsort(f->turns, (size_t)f->space->group_count, sizeof *f->turns, heavier_first);
	for (int i = 0; i < f->space->group_count; i++) {
		int g = f->turns[i].group;
		f->keep[g] = most_kept(f, t, g);
		tally_set(t, g, f->keep[g]);
	}
	tally_close(t);
	return ERR_OK;
}

enum err budget_fit_all(const struct space *s, const double limit[METRIC_COUNT], const double *ratio, int *ret_keep,
	struct errinfo *e)
{
	size_t n = (size_t)s->group_count;
	enum err err = ERR_MEMORY;
	struct arena *a = arena_new();
	struct fit f = { .space = s, .limit = limit };
	if (a) {
		f.slope = ARENA_ARRAY(a, double, n);
		f.turns = ARENA_ARRAY(a, struct turn, n);
		f.keep = ARENA_ARRAY(a, int, n);
	}
	if (!f.slope || !f.turns || !f.keep) {
		err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	scale(&f, ratio);
	err = bisect(&f, e);
	if (!err)
		err = give_back(&f, e);
	if (!err)
		memcpy(ret_keep, f.keep, n * sizeof *ret_keep);
out:
	arena_free(a);
	return err;
}

enum err budget_fit(const struct space *s, enum metric metric, double limit, const double *ratio, int *ret_keep,
	struct errinfo *e)
{
	double limits[METRIC_COUNT];
	for (int m = 0; m < METRIC_COUNT; m++)
		limits[m] = m == (int)metric ? limit : INFINITY;
	return budget_fit_all(s, limits, ratio, ret_keep, e);
}

static double share_of_intact(const struct space *s, const struct cost *c, enum metric metric)
{
	struct cost intact = cost_of_intact(s);
	double whole = cost_metric(&intact, metric);
	return whole > 0 ? cost_metric(c, metric) / whole : 1;
}

double budget_floor(const struct space *s, enum metric metric)
{
	struct cost least = cost_of_least(s);
	return share_of_intact(s, &least, metric);
}

double budget_ceiling(const struct space *s, enum metric metric)
{
	struct cost most = cost_of_most(s);
	return share_of_intact(s, &most, metric);
}

/* landscape.c -- what pruning does to a made-up network of which all is known.
 * SPDX-License-Identifier: MIT */
#include "tests/search/landscape.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/budget.h"
#include "search/cost.h"
#include "search/limit.h"
#include "search/sample.h"
#include "search/space.h"

static const double CHANCE = 0.1, BASELINE = 0.92, FLOOR = 0.05;

const double landscape_weight[LANDSCAPE_GROUPS] = { 6, 0.3, 0.5, 9, 0.2, 0.4, 0.7, 7, 0.6, 0.25, 1, 0.35 };

struct space *landscape_space(void)
{
	struct space *s = fixture_wide(LANDSCAPE_GROUPS, 40);
	s->chance = CHANCE;
	return s;
}

struct problem landscape_problem(const struct space *s)
{
	struct problem p = fixture_problem(s);
	p.baseline[METRIC_ACCURACY] = BASELINE;
	return p;
}

double landscape_damage(const struct space *s, const int *keep)
{
	double damage = 0, before = 0;
	for (int g = 0; g < s->group_count; g++) {
		double x = space_share(&s->groups[g], keep[g]);
		damage += landscape_weight[g % LANDSCAPE_GROUPS] * (x + 2 * x * x) / 3 + 2 * before * x * x;
		before = x;
	}
	return damage;
}

double landscape_accuracy(const struct space *s, const int *keep)
{
	double whole = (BASELINE - CHANCE) / (1 - CHANCE);
	double above = 1 / (1 + exp(landscape_damage(s, keep) - log(whole / (1 - whole))));
	return above < FLOOR ? CHANCE : CHANCE + (1 - CHANCE) * above;
}

struct outcome landscape_evaluate(const struct problem *p, int number, const int *keep)
{
	struct outcome o = fixture_evaluate(p, number, keep, false);
	struct rng noise;
	uint64_t mixed = 0;
	for (int g = 0; g < p->space->group_count; g++)
		mixed = mixed * 31 + (uint64_t)keep[g];
	rng_init(&noise, mixed, 77);
	o.metrics[METRIC_ACCURACY] = landscape_accuracy(p->space, keep) + 0.004 * rng_normal(&noise);
	o.metrics[METRIC_LOSS] = p->baseline[METRIC_LOSS] * exp(0.3 * landscape_damage(p->space, keep));
	return o;
}

void landscape_draw(const struct space *s, struct rng *r, double share, int *ret_keep)
{
	struct errinfo e = { 0 };
	double most[METRIC_COUNT], *ratio = calloc((size_t)s->group_count, sizeof *ratio);
	ck_assert_ptr_nonnull(ratio);
	for (int m = 0; m < METRIC_COUNT; m++)
		most[m] = INFINITY;
	limit_share(s, METRIC_MACS, share, most);
	sample_shape(r, s->group_count, ratio);
	ok(budget_fit_all(s, most, ratio, ret_keep, &e));
	free(ratio);
}

struct outcome *landscape_run(const struct problem *p, const char *strategy, landscape_fn *evaluate)
{
	struct errinfo e = { 0 };
	struct table *t = NULL;
	size_t groups = (size_t)p->space->group_count;
	int *keep = calloc((size_t)p->budget * groups, sizeof *keep);
	struct outcome *outcomes = calloc((size_t)p->budget, sizeof *outcomes);
	cJSON *object = fixture_json(strategy);
	ok(table_open(p, object, &t, &e));
	cJSON_Delete(object);
	for (int i = 0; i < p->budget; i++) {
		enum table_answer answer;
		struct request request;
		int number;
		ok(table_ask(t, &answer, &number, keep + (size_t)i * groups, &request, &e));
		ck_assert_int_eq(answer, TABLE_PROPOSAL);
		outcomes[i] = evaluate(p, number, keep + (size_t)i * groups);
		ok(table_tell(t, &outcomes[i], &e));
	}
	table_close(t);
	return outcomes;
}

void landscape_free(struct outcome *outcomes)
{
	free((int *)outcomes[0].keep);
	free(outcomes);
}

double landscape_volume(const struct problem *p, const struct outcome *outcomes, int n)
{
	struct errinfo e = { 0 };
	double volume, reference[PARETO_MAX_OBJECTIVES];
	int m = p->objective_count, count = 0;
	double *points = calloc((size_t)n * (size_t)m + 1, sizeof *points);
	ck_assert_ptr_nonnull(points);
	for (int i = 0; i < m; i++)
		reference[i] = p->objectives[i] == METRIC_ACCURACY ? 0 : p->objectives[i] == METRIC_LOSS ? 5 : 1;
	for (int k = 0; k < n; k++) {
		if (constraint_total(p->constraints, p->constraint_count, p->baseline, outcomes[k].metrics) > 0)
			continue;
		for (int i = 0; i < m; i++) {
			enum metric metric = p->objectives[i];
			double value = outcomes[k].metrics[metric];
			points[count * m + i] = metric == METRIC_ACCURACY ? -value : value / p->baseline[metric];
		}
		count++;
	}
	ok(pareto_hypervolume(points, count, m, reference, &volume, &e));
	free(points);
	return volume;
}

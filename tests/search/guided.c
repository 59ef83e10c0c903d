/* guided.c -- the search by what was learned: what it may propose, when, and how far it comes.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/prior.h"
#include "search/space.h"
#include "search/table.h"
#include "tests/search/landscape.h"
#include "tests/search/suites.h"

enum { SEEDS = 5 };

static const char GUIDED[] = "{\"name\": \"guided\"}";

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double values[SEEDS])
{
	qsort(values, SEEDS, sizeof *values, compare);
	return values[SEEDS / 2];
}

static bool same(const struct problem *p, const int *a, const int *b)
{
	return !memcmp(a, b, (size_t)p->space->group_count * sizeof *a);
}

static int different(const struct problem *p, const struct outcome *o, int n)
{
	int count = 0;
	for (int i = 0; i < n; i++) {
		bool repeated = false;
		for (int k = 0; k < i && !repeated; k++)
			repeated = same(p, o[i].keep, o[k].keep);
		count += !repeated;
	}
	return count;
}

/* Runs it and checks what holds whatever comes back. */
static struct outcome *run(const struct problem *p, const char *strategy, landscape_fn *evaluate)
{
	struct outcome *o = landscape_run(p, strategy, evaluate);
	for (int i = 0; i < p->budget; i++) {
		struct cost cost = cost_of(p->space, o[i].keep);
		ck_assert_msg(space_allows(p->space, o[i].keep), "proposal %d", i + 1);
		for (int k = 0; k < p->constraint_count; k++) {
			const struct constraint *c = &p->constraints[k];
			if (metric_is_exact_cost(c->metric) && !c->at_least)
				ck_assert_double_le(cost_metric(&cost, c->metric), constraint_bound(c, p->baseline));
		}
	}
	return o;
}

static void run_all_new(const struct problem *p, const char *strategy, landscape_fn *evaluate)
{
	struct outcome *o = run(p, strategy, evaluate);
	ck_assert_int_eq(different(p, o, p->budget), p->budget);
	landscape_free(o);
}

/* ---- what may be proposed ---- */

START_TEST(proposals_are_new_and_keep_tight_bounds)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = 40;
	p.window = _i;
	p.seed = (uint64_t)_i;
	fixture_constrain(&p, "macs", "<= 30%");
	if (_i > 0)
		fixture_constrain(&p, "params", "<= 12%");
	run_all_new(&p, GUIDED, landscape_evaluate);
	space_free(s);
}
END_TEST

START_TEST(what_a_job_leaves_no_choice_in_is_left_alone)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = 30;
	s->groups[1].max_keep = 24; /* less than there is */
	s->groups[3].min_keep = s->groups[3].max_keep = 17;
	s->groups[5].channels = s->groups[5].min_keep = s->groups[5].max_keep = 1;
	s->groups[7].min_keep = s->groups[7].max_keep = 40;
	s->groups[8].step = 7;
	s->groups[8].min_keep = 7;
	struct cost intact = cost_of_intact(s);
	p.baseline[METRIC_MACS] = (double)intact.macs;
	for (int profile = 0; profile < 2; profile++)
		run_all_new(&p, profile ? "{\"name\": \"guided\", \"profile\": 1}" : GUIDED, landscape_evaluate);
	space_free(s);
}
END_TEST

START_TEST(a_small_space_is_found_whole_and_then_repeated)
{
	struct space *s = _i % 2 ? fixture_narrowed() : fixture_wide(1, 8);
	struct problem p = landscape_problem(s);
	p.budget = 60;
	p.window = 3 * _i;
	struct outcome *o = run(&p, GUIDED, landscape_evaluate);
	/* Of 18; of 8, of which one is the unpruned network, known already. */
	ck_assert_int_ge(different(&p, o, p.budget), _i % 2 ? 18 : 7);
	landscape_free(o);
	space_free(s);
}
END_TEST

START_TEST(a_space_of_two_candidates_does)
{
	struct space *s = fixture_wide(1, 2);
	struct problem p = landscape_problem(s);
	p.budget = 12;
	struct outcome *o = run(&p, GUIDED, landscape_evaluate);
	ck_assert_int_ge(different(&p, o, p.budget), 1);
	landscape_free(o);
	space_free(s);
}
END_TEST

static int pruned_groups(const struct space *s, const int *keep)
{
	int count = 0;
	for (int g = 0; g < s->group_count; g++)
		count += keep[g] < s->groups[g].channels;
	return count;
}

START_TEST(a_profile_is_each_group_alone)
{
	enum { RATIOS = 2 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = RATIOS * LANDSCAPE_GROUPS + 3;
	struct outcome *o = run(&p, "{\"name\": \"guided\", \"profile\": 2}", landscape_evaluate);
	for (int i = 0; i < RATIOS * LANDSCAPE_GROUPS; i++) {
		int g = i % LANDSCAPE_GROUPS;
		ck_assert_int_eq(pruned_groups(s, o[i].keep), 1);
		ck_assert_int_lt(o[i].keep[g], 40);
		if (i >= LANDSCAPE_GROUPS) /* the more of it the later */
			ck_assert_int_lt(o[i].keep[g], o[i - LANDSCAPE_GROUPS].keep[g]);
	}
	ck_assert_int_gt(pruned_groups(s, o[RATIOS * LANDSCAPE_GROUPS].keep), 1);
	landscape_free(o);
	space_free(s);
}
END_TEST

START_TEST(options_out_of_range_are_refused)
{
	static const char *const bad[][2] = {
		{ "{\"name\": \"guided\", \"profile\": -1}", "profile" },
		{ "{\"name\": \"guided\", \"profile\": 17}", "profile" },
		{ "{\"name\": \"guided\", \"profile\": \"all\"}", "profile" },
		{ "{\"name\": \"guided\", \"population\": 4}", "population" },
	};
	struct errinfo e = { 0 };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		cJSON *object = fixture_json(bad[i][0]);
		fails(ERR_INPUT, strategy_check(object, &e));
		says(bad[i][1]);
		cJSON_Delete(object);
	}
}
END_TEST

/* ---- replay ---- */

/* Replays the first `known` trials, results told as late as the window allows, and asks for the rest. */
static void check_replay(const struct problem *p, const char *strategy, const struct outcome *o, int known)
{
	struct errinfo e = { 0 };
	struct table *t = NULL;
	cJSON *object = fixture_json(strategy);
	int keep[LANDSCAPE_GROUPS], told = 0;
	ok(table_open(p, object, &t, &e));
	cJSON_Delete(object);
	for (int k = 1; k <= p->budget; k++) {
		while (told < k - 1 - p->window || (k == known + 1 && told < known)) {
			ok(table_tell(t, &o[told], &e));
			told++;
		}
		if (k <= known) {
			ok(table_expect(t, k, o[k - 1].keep, &e));
			continue;
		}
		enum table_answer answer;
		struct request request;
		int number;
		ok(table_ask(t, &answer, &number, keep, &request, &e));
		ck_assert_int_eq(answer, TABLE_PROPOSAL);
		ck_assert_int_eq(number, k);
		ck_assert_msg(same(p, keep, o[k - 1].keep), "proposal %d after %d known ones", k, known);
	}
	table_close(t);
}

START_TEST(a_replay_proposes_what_was_asked_for)
{
	static const int windows[] = { 0, 4 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	const char *strategy = _i % 2 ? "{\"name\": \"guided\", \"profile\": 1}" : GUIDED;
	p.window = windows[_i / 2];
	p.budget = 28;
	struct outcome *o = run(&p, strategy, landscape_evaluate);
	for (int known = 0; known < p.budget; known += 5)
		check_replay(&p, strategy, o, known);
	landscape_free(o);
	space_free(s);
}
END_TEST

START_TEST(a_window_of_any_width_gets_proposals_that_differ)
{
	static const int windows[] = { 0, 1, 7, 64, 100, 1024 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = 120;
	p.window = windows[_i];
	run_all_new(&p, GUIDED, landscape_evaluate);
	space_free(s);
}
END_TEST

/* After some results, how far apart in MACs further proposals lie when each of them fails, or none is told. */
static double distance_of_proposals(const struct problem *p, bool told)
{
	enum { RESULTS = 20, FURTHER = 8 };
	struct errinfo e = { 0 };
	struct strategy *s = NULL;
	int keep[LANDSCAPE_GROUPS];
	double macs[FURTHER], sum = 0;
	cJSON *object = fixture_json(GUIDED);
	ok(strategy_guided.open(p, object, &s, &e));
	cJSON_Delete(object);
	for (int i = 0; i < RESULTS + FURTHER; i++) {
		struct request request;
		bool done;
		ok(strategy_guided.ask(s, keep, &request, &done, &e));
		struct outcome o = landscape_evaluate(p, i + 1, keep);
		o.ok = i < RESULTS;
		if (o.ok || told)
			ok(strategy_guided.tell(s, &o, &e));
		for (int k = RESULTS; k < i; k++)
			sum += fabs(macs[k - RESULTS] - o.metrics[METRIC_MACS] / p->baseline[METRIC_MACS]);
		if (i >= RESULTS)
			macs[i - RESULTS] = o.metrics[METRIC_MACS] / p->baseline[METRIC_MACS];
	}
	strategy_guided.free(s);
	return sum / (FURTHER * (FURTHER - 1) / 2);
}

START_TEST(what_is_under_way_is_not_sought_again_until_it_failed)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	double under_way = 0, failed = 0;
	for (p.seed = 0; p.seed < SEEDS; p.seed++) {
		under_way += distance_of_proposals(&p, false) / SEEDS;
		failed += distance_of_proposals(&p, true) / SEEDS;
	}
	ck_assert_msg(under_way > 1.15 * failed, "%g apart, %g where they failed", under_way, failed);
	space_free(s);
}
END_TEST

/* ---- what may come back ---- */

static struct outcome all_fail(const struct problem *p, int number, const int *keep)
{
	(void)p;
	struct outcome o = { .number = number, .keep = keep };
	for (int m = 0; m < METRIC_COUNT; m++)
		o.metrics[m] = NAN;
	return o;
}

static struct outcome all_floored(const struct problem *p, int number, const int *keep)
{
	struct outcome o = landscape_evaluate(p, number, keep);
	o.metrics[METRIC_ACCURACY] = 0.1;
	return o;
}

static struct outcome all_perfect(const struct problem *p, int number, const int *keep)
{
	struct outcome o = landscape_evaluate(p, number, keep);
	o.metrics[METRIC_ACCURACY] = 1;
	return o;
}

static struct outcome some_diverge(const struct problem *p, int number, const int *keep)
{
	static const double losses[] = { NAN, INFINITY, 1e308, 0, -1 };
	struct outcome o = landscape_evaluate(p, number, keep);
	if (number % 3 == 0)
		o.metrics[METRIC_LOSS] = losses[number / 3 % 5];
	return o;
}

START_TEST(whatever_comes_back_it_goes_on)
{
	static landscape_fn *const evaluate[] = { all_fail, all_floored, all_perfect, some_diverge };
	static const double baselines[] = { 0.92, 1, 0.05, 0, NAN };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = 25;
	p.baseline[METRIC_ACCURACY] = baselines[_i];
	for (size_t i = 0; i < sizeof evaluate / sizeof *evaluate; i++) {
		p.objectives[0] = METRIC_ACCURACY;
		run_all_new(&p, GUIDED, evaluate[i]);
		p.objectives[0] = METRIC_LOSS;
		run_all_new(&p, GUIDED, evaluate[i]);
	}
	space_free(s);
}
END_TEST

/* ---- objectives ---- */

static const struct {
	enum metric objectives[PARETO_MAX_OBJECTIVES];
	int count;
} sets[] = {
	{ { METRIC_ACCURACY, METRIC_MACS }, 2 },
	{ { METRIC_ACCURACY, METRIC_PARAMS, METRIC_LATENCY }, 3 },
	{ { METRIC_LOSS, METRIC_MACS, METRIC_MEMORY }, 3 },
	{ { METRIC_ACCURACY, METRIC_LOSS, METRIC_LATENCY, METRIC_BYTES }, 4 },
	{ { METRIC_ACCURACY, METRIC_LATENCY }, 2 },
	{ { METRIC_MACS, METRIC_PARAMS }, 2 },
	{ { METRIC_MACS, METRIC_PARAMS, METRIC_BYTES }, 3 },
};
enum { SETS = sizeof sets / sizeof *sets };

START_TEST(any_objectives_will_do)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = 40;
	p.objective_count = sets[_i].count;
	memcpy(p.objectives, sets[_i].objectives, sizeof p.objectives);
	run_all_new(&p, GUIDED, landscape_evaluate);
	fixture_constrain(&p, "latency", "<= 0.8");
	fixture_constrain(&p, "macs", ">= 10%");
	run_all_new(&p, GUIDED, landscape_evaluate);
	space_free(s);
}
END_TEST

/* The median over seeds of the hypervolume after a number of evaluations. */
static double volume_after(const struct problem *p, const char *strategy, int evaluations)
{
	double volumes[SEEDS];
	struct problem seeded = *p;
	seeded.budget = evaluations;
	for (int i = 0; i < SEEDS; i++) {
		seeded.seed = (uint64_t)i + 1;
		struct outcome *o = run(&seeded, strategy, landscape_evaluate);
		volumes[i] = landscape_volume(p, o, evaluations);
		landscape_free(o);
	}
	return median(volumes);
}

START_TEST(it_comes_further_than_others_with_twice_the_evaluations)
{
	enum { EVALUATIONS = 50 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.objective_count = sets[_i].count;
	memcpy(p.objectives, sets[_i].objectives, sizeof p.objectives);
	double guided = volume_after(&p, GUIDED, EVALUATIONS);
	double nsga2 = volume_after(&p, "{\"name\": \"nsga2\"}", 2 * EVALUATIONS);
	double random = volume_after(&p, "{\"name\": \"random\"}", 2 * EVALUATIONS);
	ck_assert_msg(guided > nsga2 + 0.005, "%g, %g by nsga2", guided, nsga2);
	ck_assert_msg(guided > random + 0.005, "%g, %g by chance", guided, random);
	space_free(s);
}
END_TEST

START_TEST(it_spends_next_to_nothing_at_the_floor)
{
	enum { EVALUATIONS = 80, BEGUN = 20 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	int floored = 0;
	p.budget = EVALUATIONS;
	for (p.seed = 0; p.seed < SEEDS; p.seed++) {
		struct outcome *o = run(&p, GUIDED, landscape_evaluate);
		for (int i = BEGUN; i < EVALUATIONS; i++)
			floored += o[i].metrics[METRIC_ACCURACY] <= s->chance;
		landscape_free(o);
	}
	ck_assert_msg(floored <= SEEDS * (EVALUATIONS - BEGUN) / 12, "%d", floored);
	space_free(s);
}
END_TEST

/* Over all seeds: of proposals from..to, the share that misses what is asked, and that which misses it by far. */
struct misses {
	double share, far;
};

static struct misses misses_of(struct problem p, const char *strategy, int from, int to)
{
	struct misses sum = { 0 };
	p.budget = to;
	for (p.seed = 0; p.seed < SEEDS; p.seed++) {
		struct outcome *o = run(&p, strategy, landscape_evaluate);
		for (int i = from; i < to; i++) {
			double v = constraint_total(p.constraints, p.constraint_count, p.baseline, o[i].metrics);
			sum.share += (v > 0) / (double)(to - from) / SEEDS;
			sum.far += (v > 0.05) / (double)(to - from) / SEEDS;
		}
		landscape_free(o);
	}
	return sum;
}

/* The best candidates are at the bound itself, so some of the proposals always miss it, but by little. */
START_TEST(it_learns_what_is_feasible)
{
	enum { THIRD = 20 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	fixture_constrain(&p, "accuracy", ">= baseline - 0.05");
	struct misses first = misses_of(p, GUIDED, 0, THIRD), last = misses_of(p, GUIDED, 2 * THIRD, 3 * THIRD);
	struct misses random = misses_of(p, "{\"name\": \"random\"}", 2 * THIRD, 3 * THIRD);
	ck_assert_msg(last.far < 0.85 * first.far, "%g by far, then %g", first.far, last.far);
	ck_assert_msg(last.far < 0.3 * random.far, "%g by far, %g by chance", last.far, random.far);
	ck_assert_msg(last.share < 0.7 * random.share, "%g, %g by chance", last.share, random.share);
	space_free(s);
}
END_TEST

/* ---- warm starts ---- */

static struct prior *prior_of(const struct space *now, const struct problem *then, uint64_t seed)
{
	struct errinfo e = { 0 };
	struct prior *prior = NULL;
	struct problem earlier = *then;
	earlier.seed = seed;
	struct outcome *o = run(&earlier, GUIDED, landscape_evaluate);
	ok(prior_new(now, &prior, &e));
	ok(prior_job(prior, earlier.space, earlier.baseline, &e));
	for (int i = 0; i < earlier.budget; i++)
		ok(prior_add(prior, o[i].keep, o[i].metrics, &e));
	landscape_free(o);
	return prior;
}

START_TEST(a_warm_start_saves_half_of_the_evaluations)
{
	enum { EARLIER = 60, COLD = 20 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = EARLIER;
	struct prior *prior = prior_of(s, &p, 77);
	double cold = volume_after(&p, GUIDED, COLD);
	p.prior = prior;
	double warm = volume_after(&p, GUIDED, COLD / 2);
	ck_assert_msg(warm >= cold, "%g after %d, %g without a prior after %d", warm, COLD / 2, cold, COLD);
	prior_free(prior);
	space_free(s);
}
END_TEST

START_TEST(an_unrelated_job_changes_nothing)
{
	struct space *s = landscape_space(), *other = fixture_wide(LANDSCAPE_GROUPS, 48);
	struct problem p = landscape_problem(s), then = landscape_problem(other);
	p.budget = then.budget = 25;
	struct outcome *cold = run(&p, GUIDED, landscape_evaluate);
	struct prior *prior = prior_of(s, &then, 3);
	p.prior = prior;
	struct outcome *warm = run(&p, GUIDED, landscape_evaluate);
	for (int i = 0; i < p.budget; i++)
		ck_assert(same(&p, cold[i].keep, warm[i].keep));
	landscape_free(cold);
	landscape_free(warm);
	prior_free(prior);
	space_free(s);
	space_free(other);
}
END_TEST

START_TEST(known_results_of_groups_that_may_lose_less_now_are_made_to_fit)
{
	struct space *s = landscape_space(), *then = landscape_space();
	struct problem p = landscape_problem(s), earlier = landscape_problem(then);
	p.budget = earlier.budget = 25;
	for (int g = 0; g < LANDSCAPE_GROUPS; g++) {
		s->groups[g].min_keep = 20;
		s->groups[g].max_keep = 36;
		s->groups[g].step = 4;
	}
	fixture_constrain(&p, "macs", "<= 40%");
	struct prior *prior = prior_of(s, &earlier, 3);
	p.prior = prior;
	run_all_new(&p, GUIDED, landscape_evaluate);
	prior_free(prior);
	space_free(s);
	space_free(then);
}
END_TEST

Suite *guided_suite(void)
{
	Suite *suite = suite_create("guided");
	TCase *c = tcase_create("guided");
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, proposals_are_new_and_keep_tight_bounds, 0, 3);
	tcase_add_test(c, what_a_job_leaves_no_choice_in_is_left_alone);
	tcase_add_loop_test(c, a_small_space_is_found_whole_and_then_repeated, 0, 4);
	tcase_add_test(c, a_space_of_two_candidates_does);
	tcase_add_test(c, a_profile_is_each_group_alone);
	tcase_add_test(c, options_out_of_range_are_refused);
	tcase_add_loop_test(c, a_replay_proposes_what_was_asked_for, 0, 4);
	tcase_add_loop_test(c, a_window_of_any_width_gets_proposals_that_differ, 0, 6);
	tcase_add_test(c, what_is_under_way_is_not_sought_again_until_it_failed);
	tcase_add_loop_test(c, whatever_comes_back_it_goes_on, 0, 5);
	tcase_add_loop_test(c, any_objectives_will_do, 0, SETS);
	tcase_add_loop_test(c, it_comes_further_than_others_with_twice_the_evaluations, 0, 3);
	tcase_add_test(c, it_spends_next_to_nothing_at_the_floor);
	tcase_add_test(c, it_learns_what_is_feasible);
	tcase_add_test(c, a_warm_start_saves_half_of_the_evaluations);
	tcase_add_test(c, an_unrelated_job_changes_nothing);
	tcase_add_test(c, known_results_of_groups_that_may_lose_less_now_are_made_to_fit);
	suite_add_tcase(suite, c);
	return suite;
}

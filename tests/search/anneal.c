/* anneal.c -- annealing: budgets by round, temperature, and that it gets better.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/budget.h"
#include "search/cost.h"
#include "search/purify.h"
#include "search/seen.h"
#include "search/space.h"
#include "search/temperature.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { GROUPS = 12 };

/* At most the limit, and a step of any pruned group more would be beyond it. */
static void assert_tight(const struct space *s, const int *keep, double limit)
{
	int changed[GROUPS];
	ck_assert(space_allows(s, keep));
	ck_assert_double_le((double)cost_of(s, keep).macs, limit);
	memcpy(changed, keep, sizeof changed);
	for (int g = 0; g < s->group_count; g++) {
		changed[g] = space_more(&s->groups[g], keep[g]);
		ck_assert(changed[g] == keep[g] || (double)cost_of(s, changed).macs > limit);
		changed[g] = keep[g];
	}
}

START_TEST(every_proposal_keeps_the_budget_of_its_round_to_a_channels_worth)
{
	static const struct {
		double target;
		int rounds;
	} cases[] = { { 0.95, 4 }, { 0.5, 1 }, { 0.99, 3 }, { 0.3, 60 }, { 0.7, 200 } };
	struct space *s = fixture_chain(GROUPS, 1, 1);
	struct problem p = fixture_problem(s);
	char strategy[128];
	int rounds = cases[_i].rounds < p.budget ? cases[_i].rounds : p.budget, n;
	snprintf(strategy, sizeof strategy, "{\"name\": \"anneal\", \"target\": %g, \"rounds\": %d, \"purify\": 0}",
		cases[_i].target, cases[_i].rounds);
	int *keep = fixture_run(&p, strategy, true, &n);
	ck_assert_int_eq(n, p.budget);
	for (int i = 0; i < n; i++) {
		int round = i * rounds / p.budget + 1;
		double share = pow(1 - cases[_i].target, (double)round / rounds);
		assert_tight(s, keep + i * GROUPS, share * p.baseline[METRIC_MACS]);
	}
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(the_best_action_of_a_round_opens_the_next_in_its_own_proportions)
{
	enum { ROUNDS = 3, BUDGET = 60 };
	struct space *s = fixture_wide(GROUPS, 200);
	struct problem p = fixture_problem(s);
	struct errinfo e = { 0 };
	int n, *keep;
	p.budget = BUDGET;
	keep = fixture_run(&p, "{\"name\": \"anneal\", \"target\": 0.6, \"rounds\": 3, \"purify\": 0}", false, &n);
	for (int round = 1; round < ROUNDS; round++) {
		int opening = round * BUDGET / ROUNDS, best = opening - BUDGET / ROUNDS, wanted[GROUPS];
		double ratio[GROUPS], most = -1, share = pow(0.4, (round + 1.0) / ROUNDS);
		for (int i = best; i < opening; i++) {
			struct outcome o = fixture_evaluate(&p, i + 1, keep + i * GROUPS, false);
			best = o.metrics[METRIC_ACCURACY] > most ? i : best;
			most = fmax(most, o.metrics[METRIC_ACCURACY]);
		}
		for (int g = 0; g < GROUPS; g++)
			ratio[g] = 1 - keep[best * GROUPS + g] / 200.0;
		ok(budget_fit(s, METRIC_MACS, share * p.baseline[METRIC_MACS], ratio, wanted, &e));
		ck_assert_mem_eq(wanted, keep + opening * GROUPS, sizeof wanted);
	}
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(a_target_that_is_out_of_reach_is_refused_with_what_is_possible)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.5, 1);
	struct problem p = fixture_problem(s);
	struct table *t = NULL;
	cJSON *object = fixture_json("{\"name\": \"anneal\", \"target\": 0.95}");
	fails(ERR_LIMIT, table_open(&p, object, &t, &e));
	says("strategy.target: is 0.95, expected at most 0.7");
	cJSON_Delete(object);
	space_free(s);
}
END_TEST

START_TEST(the_first_action_prunes_larger_groups_more)
{
	struct space *s = fixture_wide(GROUPS, 200);
	for (int seed = 0; seed < 30; seed++) {
		struct problem p = fixture_problem(s);
		int n;
		p.seed = (uint64_t)seed;
		int *keep = fixture_run(&p, "{\"name\": \"anneal\"}", false, &n);
		/* Between convolutions on 32 x 32, 16 x 16, 8 x 8 and 4 x 4 pixels. */
		ck_assert_int_lt(keep[1], keep[4]);
		ck_assert_int_le(keep[4], keep[7] + 1);
		ck_assert_int_le(keep[7], keep[10] + 1);
		free(keep);
	}
	space_free(s);
}
END_TEST

/* Asks for and tells of one proposal; keep is filled, less accuracy than 0 means failed. */
static void step(struct table *t, int *keep, double accuracy)
{
	struct errinfo e = { 0 };
	enum table_answer answer;
	struct request request;
	struct outcome o = { .ok = accuracy >= 0 };
	ok(table_ask(t, &answer, &o.number, keep, &request, &e));
	ck_assert_int_eq(answer, TABLE_PROPOSAL);
	o.metrics[METRIC_ACCURACY] = accuracy;
	o.metrics[METRIC_MACS] = 1;
	ok(table_tell(t, &o, &e));
}

/* Greatest difference of two candidates' ratios, of 200 channels each. */
static double distance(const int *a, const int *b)
{
	int most = 0;
	for (int g = 0; g < GROUPS; g++)
		most = abs(a[g] - b[g]) > most ? abs(a[g] - b[g]) : most;
	return most / 200.0;
}

static struct table *open_anneal(const struct problem *p, const char *options)
{
	struct errinfo e = { 0 };
	struct table *t = NULL;
	cJSON *object = fixture_json(options);
	ok(table_open(p, object, &t, &e));
	cJSON_Delete(object);
	return t;
}

START_TEST(what_is_worse_by_the_measure_of_its_round_is_left_again)
{
	struct space *s = fixture_wide(GROUPS, 200);
	struct problem p = fixture_problem(s);
	int opening[GROUPS], keep[GROUPS];
	struct table *t = open_anneal(&p, "{\"name\": \"anneal\", \"target\": 0.75, \"rounds\": 2,"
		" \"acceptance\": 0.2, \"perturbation\": 0.05, \"purify\": 0}");
	for (int i = 0; i < 30; i++)
		step(t, keep, i % 2 ? 0.9 : 0.1); /* results of the first round differ widely */
	step(t, opening, 0.5);
	for (int i = 31; i < 60; i++) {
		step(t, keep, 0.49 + 0.001 * (i % 3)); /* those of the second hardly */
		ck_assert_double_le(distance(opening, keep), 0.08);
	}
	table_close(t);
	space_free(s);
}
END_TEST

START_TEST(when_the_opening_of_a_round_fails_the_best_of_the_one_before_is_tried_again)
{
	struct space *s = fixture_wide(GROUPS, 200);
	struct problem p = fixture_problem(s);
	int first[GROUPS], opening[GROUPS], keep[GROUPS];
	p.budget = 22;
	struct table *t = open_anneal(&p, "{\"name\": \"anneal\", \"target\": 0.75, \"rounds\": 2,"
		" \"acceptance\": 0.99, \"cooling\": 1, \"perturbation\": 0.001, \"purify\": 0}");
	step(t, first, 0.9);
	for (int i = 1; i < 11; i++)
		step(t, keep, 0.89); /* the second start is taken and not left any more */
	ck_assert_double_gt(distance(first, keep), 0.1);
	step(t, opening, -1);
	for (int i = 12; i < 16; i++) {
		step(t, keep, -1);
		ck_assert_double_lt(distance(opening, keep), 0.05);
	}
	table_close(t);
	space_free(s);
}
END_TEST

/* Accuracy that only group 0's channels decide, which the start "larger groups first" knows nothing of. */
static double run_on_one_sided(const struct space *s, uint64_t seed, const char *strategy)
{
	struct errinfo e = { 0 };
	struct problem p = fixture_problem(s);
	struct table *t = NULL;
	double best = 0;
	p.seed = seed;
	p.window = 2;
	p.budget = 100;
	cJSON *object = fixture_json(strategy);
	ok(table_open(&p, object, &t, &e));
	cJSON_Delete(object);
	for (int back = 1;;) {
		static int keep[128][GROUPS];
		enum table_answer answer;
		struct request request;
		int number = 0, mine[GROUPS];
		ok(table_ask(t, &answer, &number, mine, &request, &e));
		if (answer == TABLE_DONE)
			break;
		if (answer == TABLE_PROPOSAL) {
			memcpy(keep[number], mine, sizeof mine);
			continue;
		}
		struct outcome o = { .number = back, .ok = true };
		double accuracy = 0;
		for (int g = 0; g < GROUPS; g++) /* odd groups matter, even ones don't */
			accuracy += g % 2 ? (double)keep[back][g] / s->groups[g].channels / (GROUPS / 2.0) : 0;
		o.metrics[METRIC_ACCURACY] = accuracy;
		o.metrics[METRIC_MACS] = (double)cost_of(s, keep[back]).macs;
		ok(table_tell(t, &o, &e));
		if (back++ > 75) /* of the last round */
			best = fmax(best, accuracy);
	}
	table_close(t);
	return best;
}

START_TEST(it_ends_better_than_chance_at_the_same_cost)
{
	struct space *s = fixture_wide(GROUPS, 40);
	double annealed = 0, random = 0;
	for (uint64_t seed = 0; seed < 8; seed++) {
		annealed += run_on_one_sided(s, seed, "{\"name\": \"anneal\", \"target\": 0.6}") / 8;
		random += run_on_one_sided(s, seed, "{\"name\": \"random\", \"low\": 0.4, \"high\": 0.4}") / 8;
	}
	ck_assert_msg(annealed > random + 0.05, "%g against %g by chance", annealed, random);
	space_free(s);
}
END_TEST

static double macs(const struct problem *p, const int *keep)
{
	return (double)cost_of(p->space, keep).macs / p->baseline[METRIC_MACS];
}

/* Groups 8 to 11 are of no use; each of the others loses accuracy by the channel. */
static double useful(const int *keep)
{
	double sum = 0;
	for (int g = 0; g < 8; g++)
		sum += keep[g] / 1600.0;
	return 0.1 + 0.8 * sum;
}

START_TEST(purification_removes_what_is_redundant_in_the_winner_and_nothing_else)
{
	enum { BUDGET = 100, ROUNDS = 70 };
	struct space *s = fixture_wide(GROUPS, 200);
	struct problem p = fixture_problem(s);
	static int keep[BUDGET][GROUPS];
	int best = 0;
	p.budget = BUDGET;
	struct table *t = open_anneal(&p, "{\"name\": \"anneal\", \"target\": 0.3, \"rounds\": 1, \"purify\": 0.3,"
		" \"tolerance\": 0.0001}");
	for (int i = 0; i < BUDGET; i++) {
		struct errinfo e = { 0 };
		enum table_answer answer;
		struct request request;
		struct outcome o = { .ok = true };
		ok(table_ask(t, &answer, &o.number, keep[i], &request, &e));
		o.metrics[METRIC_ACCURACY] = useful(keep[i]);
		o.metrics[METRIC_MACS] = macs(&p, keep[i]) * p.baseline[METRIC_MACS];
		ok(table_tell(t, &o, &e));
		if (i < ROUNDS && useful(keep[i]) > useful(keep[best]))
			best = i;
		int changes = 0;
		for (int g = 0; g < GROUPS && i == ROUNDS; g++)
			changes += keep[i][g] != keep[best][g];
		ck_assert_int_le(changes, 1); /* the first cut is one of the winner */
	}
	int last = best;
	for (int i = ROUNDS; i < BUDGET; i++)
		if (useful(keep[i]) >= useful(keep[best]) && macs(&p, keep[i]) < macs(&p, keep[last]))
			last = i;
	ck_assert_double_lt(macs(&p, keep[last]), 0.98 * macs(&p, keep[best]));
	for (int g = 0; g < GROUPS; g++) {
		ck_assert(g >= 8 || keep[last][g] == keep[best][g]);
		ck_assert_int_le(keep[last][g], keep[best][g]);
	}
	table_close(t);
	space_free(s);
}
END_TEST

START_TEST(losses_of_several_cuts_stay_within_the_tolerance_of_the_winner)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_wide(GROUPS, 100);
	struct purify *p = NULL;
	struct seen seen = { 0 };
	struct energy winner = { -0.9, 0 };
	int start[GROUPS], keep[GROUPS], least[GROUPS], proposals = 0;
	space_most(s, start);
	memcpy(least, start, sizeof least);
	ok(purify_new(s, METRIC_MACS, 0.0101, &p, &e));
	ck_assert(!purify_started(p));
	ok(purify_start(p, start, &winner, &e));
	for (int group; (group = purify_choose(p, &seen, keep)) >= 0; proposals++) {
		double lost = 0;
		ck_assert(space_allows(s, keep));
		ck_assert_int_lt(keep[group], least[group]);
		for (int g = 0; g < GROUPS; g++) {
			lost += 0.0004 * (100 - keep[g]);
			ck_assert(g == group || keep[g] == least[g]);
		}
		struct energy energy = { -0.9 + lost, 0 };
		ok(seen_add(&seen, keep, GROUPS, &e));
		purify_tell(p, group, keep, &energy);
		if (lost <= 0.0101)
			memcpy(least, keep, sizeof least);
	}
	int removed = 0;
	for (int g = 0; g < GROUPS; g++)
		removed += 100 - least[g];
	ck_assert_int_eq(removed, 25); /* then even one channel more of any group is too much */
	ck_assert_int_lt(proposals, 80);
	purify_free(p);
	seen_fini(&seen);
	space_free(s);
}
END_TEST

START_TEST(the_starting_temperature_gives_the_wanted_acceptance)
{
	struct rng r;
	rng_init(&r, 1, 0);
	for (int percent = 10; percent < 100; percent += 20) {
		struct temperature t;
		double values[50], sum = 0;
		int changes = 0;
		temperature_reset(&t, percent / 100.0);
		for (int i = 0; i < 50; i++) {
			values[i] = 1e-3 * rng_normal(&r);
			temperature_note(&t, &(struct energy){ values[i], 0 });
		}
		double spread = t.most - t.least;
		for (int i = 1; i < 50; i++, changes++)
			sum += exp(-fabs(values[i] - values[i - 1]) / (spread * temperature_start(&t)));
		ck_assert_double_eq_tol(sum / changes, percent / 100.0, 1e-6);
	}
}
END_TEST

START_TEST(worse_is_taken_as_often_as_metropolis_says)
{
	enum { DRAWS = 20000 };
	struct temperature t;
	struct rng r;
	rng_init(&r, 4, 0);
	temperature_reset(&t, 0.4);
	for (int i = 0; i < 30; i++)
		temperature_note(&t, &(struct energy){ rng_uniform(&r), 0 });
	for (double cold = 1; cold > 0.1; cold /= 2)
		for (double rise = 0.1; rise < 0.8; rise += 0.2) {
			double spread = t.most - t.least, wanted = exp(-rise / (cold * temperature_start(&t)));
			struct energy from = { t.least, 0 }, to = { t.least + rise * spread, 0 };
			int taken = 0;
			for (int i = 0; i < DRAWS; i++)
				taken += temperature_accepts(&t, &from, &to, cold, &r);
			ck_assert_double_eq_tol((double)taken / DRAWS, wanted, 0.02);
		}
}
END_TEST

START_TEST(acceptance_depends_on_the_spread_and_not_on_the_unit)
{
	struct rng r;
	rng_init(&r, 2, 0);
	for (int scale = -6; scale <= 6; scale += 3) {
		struct temperature t;
		double unit = pow(10, scale);
		int warm = 0, cold = 0;
		temperature_reset(&t, 0.8);
		for (int i = 0; i < 20; i++)
			temperature_note(&t, &(struct energy){ unit * (i % 5), 0 });
		for (int i = 0; i < 2000; i++) {
			struct energy from = { 0, 0 }, to = { unit, 0 };
			warm += temperature_accepts(&t, &from, &to, 1, &r);
			cold += temperature_accepts(&t, &from, &to, 0.02, &r);
		}
		ck_assert_int_gt(warm, 1600);
		ck_assert_int_lt(warm, 1950);
		ck_assert_int_lt(cold, 40);
	}
}
END_TEST

START_TEST(better_is_always_taken_and_what_failed_never)
{
	struct temperature t;
	struct rng r;
	rng_init(&r, 3, 0);
	temperature_reset(&t, 0.5);
	temperature_note(&t, &(struct energy){ 0, 0 });
	temperature_note(&t, &(struct energy){ 1, 0 });
	temperature_note(&t, &(struct energy){ INFINITY, INFINITY });
	struct energy good = { 0, 0 }, bad = { 1, 0 }, infeasible = { 0, 5 }, failed = { INFINITY, INFINITY };
	int taken = 0;
	for (int i = 0; i < 200; i++) {
		ck_assert(temperature_accepts(&t, &bad, &good, 1, &r));
		ck_assert(temperature_accepts(&t, &good, &good, 0.001, &r));
		ck_assert(temperature_accepts(&t, &infeasible, &bad, 0.001, &r));
		ck_assert(temperature_accepts(&t, &failed, &infeasible, 0.001, &r));
		ck_assert(!temperature_accepts(&t, &good, &failed, 1, &r));
		ck_assert(!temperature_accepts(&t, &failed, &failed, 1, &r));
		taken += temperature_accepts(&t, &bad, &infeasible, 0.02, &r);
	}
	ck_assert_int_lt(taken, 5);
	ck_assert(energy_better(&good, &bad));
	ck_assert(energy_better(&bad, &infeasible));
	ck_assert(energy_better(&infeasible, &failed));
	ck_assert(!energy_better(&failed, &failed));
}
END_TEST

Suite *anneal_suite(void)
{
	Suite *suite = suite_create("anneal");
	TCase *c = tcase_create("anneal");
	tcase_add_loop_test(c, every_proposal_keeps_the_budget_of_its_round_to_a_channels_worth, 0, 5);
	tcase_add_test(c, the_best_action_of_a_round_opens_the_next_in_its_own_proportions);
	tcase_add_test(c, a_target_that_is_out_of_reach_is_refused_with_what_is_possible);
	tcase_add_test(c, the_first_action_prunes_larger_groups_more);
	tcase_add_test(c, what_is_worse_by_the_measure_of_its_round_is_left_again);
	tcase_add_test(c, when_the_opening_of_a_round_fails_the_best_of_the_one_before_is_tried_again);
	tcase_add_test(c, it_ends_better_than_chance_at_the_same_cost);
	tcase_add_test(c, purification_removes_what_is_redundant_in_the_winner_and_nothing_else);
	tcase_add_test(c, losses_of_several_cuts_stay_within_the_tolerance_of_the_winner);
	tcase_add_test(c, the_starting_temperature_gives_the_wanted_acceptance);
	tcase_add_test(c, worse_is_taken_as_often_as_metropolis_says);
	tcase_add_test(c, acceptance_depends_on_the_spread_and_not_on_the_unit);
	tcase_add_test(c, better_is_always_taken_and_what_failed_never);
	suite_add_tcase(suite, c);
	return suite;
}

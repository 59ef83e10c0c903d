/* nsga2.c -- NSGA-II on problems whose fronts are known.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/population.h"
#include "search/space.h"
#include "search/variation.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

START_TEST(the_first_population_covers_the_whole_cost_range)
{
	struct space *s = fixture_chain(12, 1, 1);
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct problem p = fixture_problem(s);
		int n, fifths[5] = { 0 };
		p.seed = seed;
		p.budget = 20;
		int *keep = fixture_run(&p, "{\"name\": \"nsga2\"}", false, &n);
		for (int i = 0; i < n; i++) {
			int fifth = (int)(5 * (double)cost_of(s, keep + i * 12).macs / p.baseline[METRIC_MACS]);
			fifths[fifth > 4 ? 4 : fifth]++;
		}
		for (int i = 0; i < 5; i++)
			ck_assert_msg(fifths[i] >= 1, "seed %d: nothing in fifth %d", (int)seed, i);
		free(keep);
	}
	space_free(s);
}
END_TEST

START_TEST(the_first_population_is_not_heaped_at_a_limit)
{
	struct space *s = fixture_chain(12, 1, 1);
	struct problem p = fixture_problem(s);
	int n, near = 0;
	p.budget = 20;
	fixture_constrain(&p, "macs", "<= 40%");
	int *keep = fixture_run(&p, "{\"name\": \"nsga2\"}", false, &n);
	for (int i = 0; i < n; i++)
		near += (double)cost_of(s, keep + i * 12).macs > 0.36 * p.baseline[METRIC_MACS];
	ck_assert_int_ge(near, 1);
	ck_assert_int_le(near, 6);
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(a_population_too_large_for_the_groups_is_refused)
{
	struct errinfo e = { 0 };
	struct space s = { .group_count = 65536 };
	struct problem p = fixture_problem(&s);
	struct strategy *strategy = NULL;
	cJSON *object = fixture_json("{\"name\": \"nsga2\", \"population\": 400}");
	fails(ERR_LIMIT, strategy_nsga2.open(&p, object, &strategy, &e));
	says("strategy.population: is 400, expected at most 256");
	ck_assert_ptr_null(strategy);
	cJSON_Delete(object);
}
END_TEST

START_TEST(a_generation_keeps_the_best_of_parents_and_children)
{
	struct errinfo e = { 0 };
	struct population *p = NULL;
	struct rng r;
	rng_init(&r, 1, 0);
	ok(population_new(4, 1, 2, &p, &e));
	ck_assert_int_eq(population_count(p), 0);
	/* A first generation on the line x + y = 20, then one on x + y = 10 of which one member is infeasible. */
	for (int i = 0; i < 8; i++) {
		int gene = i;
		double sum = i < 4 ? 20 : 10, x = 1 + i % 4;
		ok(population_add(p, &gene, (double[]){ x, sum - x }, i == 6 ? 1 : 0, &e));
		ck_assert_int_eq(population_count(p), i < 4 ? i + 1 : 4);
	}
	int chosen[8] = { 0 };
	for (int i = 0; i < 1000; i++) {
		const int *genes;
		ok(population_choose(p, &r, &genes, &e));
		chosen[*genes]++;
	}
	int old = chosen[0] + chosen[1] + chosen[2] + chosen[3];
	ck_assert_int_gt(chosen[4], 200);
	ck_assert_int_gt(chosen[5], 100);
	ck_assert_int_gt(chosen[7], 200);
	ck_assert_int_eq(chosen[6], 0);
	ck_assert_int_gt(old, 20); /* three new ones and one of the old, which loses all tournaments but with itself */
	ck_assert_int_lt(old, 120);
	population_free(p);
}
END_TEST

START_TEST(before_the_first_generation_is_full_its_members_are_the_parents)
{
	struct errinfo e = { 0 };
	struct population *p = NULL;
	struct rng r;
	rng_init(&r, 5, 0);
	ok(population_new(10, 1, 2, &p, &e));
	for (int i = 0; i < 9; i++) { /* each better than all before */
		int chosen = 0;
		ok(population_add(p, &i, (double[]){ -i, -i }, 0, &e));
		ck_assert_int_eq(population_count(p), i + 1);
		for (int k = 0; k < 400; k++) {
			const int *genes;
			ok(population_choose(p, &r, &genes, &e));
			ck_assert_int_le(*genes, i);
			chosen += *genes == i;
		}
		/* It wins every tournament that it is drawn for. */
		ck_assert_double_eq_tol(chosen / 400.0, 1 - pow(1 - 1.0 / (i + 1), 2), 0.1);
	}
	population_free(p);
}
END_TEST

START_TEST(children_spread_around_their_parents_as_the_index_says)
{
	enum { PAIRS = 20000, INDEX = 2 };
	struct space *s = fixture_flat(1);
	struct variation v = { .crossover = 1, .eta_crossover = INDEX };
	struct rng r;
	rng_init(&r, 6, 0);
	int a = 4900, b = 5100, first, second, beyond[4] = { 0 }, crossed = 0;
	for (int i = 0; i < PAIRS; i++) {
		variation_cross(&v, s, &r, &a, &b, &first, &second);
		double factor = abs(first - second) / 200.0;
		crossed += factor != 1;
		for (int k = 0; k < 4; k++)
			beyond[k] += factor > k + 1;
	}
	ck_assert_double_eq_tol(crossed, 0.5 * PAIRS, 0.02 * PAIRS);
	for (int k = 1; k < 4; k++) /* one half lies beyond the parents, with a polynomial tail */
		ck_assert_double_eq_tol(beyond[k], 0.5 * crossed / pow(k + 1, INDEX + 1), 0.01 * crossed);
	space_free(s);
}
END_TEST

START_TEST(mutation_always_changes_a_gene_and_stays_within_limits)
{
	struct space *s = fixture_coupled(0.6, 4);
	struct variation v = { .mutation = 1, .eta_mutation = 20 };
	struct rng r;
	rng_init(&r, 2, 0);
	int keep[4] = { 16, 24, 32, 7 };
	for (int i = 0; i < 2000; i++) {
		int before[4];
		memcpy(before, keep, sizeof before);
		variation_mutate(&v, s, &r, keep);
		ck_assert(space_allows(s, keep));
		for (int g = 0; g < 4; g++)
			ck_assert_int_ne(before[g], keep[g]);
		memcpy(before, keep, sizeof before);
		variation_mutate_one(&v, s, &r, keep);
		int changed = 0;
		for (int g = 0; g < 4; g++)
			changed += before[g] != keep[g];
		ck_assert_int_eq(changed, 1);
		ck_assert(space_allows(s, keep));
	}
	space_free(s);
}
END_TEST

START_TEST(what_has_nothing_to_choose_neither_mutates_nor_crosses)
{
	struct space *s = fixture_narrowed();
	struct variation v = { .crossover = 1, .eta_crossover = 2, .mutation = 1, .eta_mutation = 5 };
	struct rng r;
	rng_init(&r, 6, 0);
	int keep[4] = { 12, 13, 32, 7 }, least[4] = { 4, 13, 12, 7 }, first[4], second[4], mutated[4] = { 0 };
	for (int i = 0; i < 2000; i++) {
		int before[4];
		memcpy(before, keep, sizeof before);
		variation_mutate_one(&v, s, &r, keep);
		ck_assert(space_allows(s, keep));
		for (int g = 0; g < 4; g++)
			mutated[g] += before[g] != keep[g];
		variation_cross(&v, s, &r, keep, least, first, second);
		ck_assert(space_allows(s, first) && space_allows(s, second));
		variation_mutate(&v, s, &r, keep);
		ck_assert(space_allows(s, keep));
	}
	ck_assert_int_eq(mutated[0] + mutated[2], 2000);
	ck_assert_int_eq(mutated[1] + mutated[3], 0);
	ck_assert_int_gt(mutated[0], 800);
	ck_assert_int_gt(mutated[2], 800);
	space_free(s);
}
END_TEST

START_TEST(crossover_keeps_the_parents_mean_and_what_they_agree_on)
{
	struct space *s = fixture_flat(4);
	struct variation v = { .crossover = 1, .eta_crossover = 15 };
	struct rng r;
	rng_init(&r, 3, 0);
	int a[4] = { 5000, 4000, 5000, 1 }, b[4] = { 5000, 6000, 5500, 10001 }, first[4], second[4];
	double sum[4] = { 0 };
	int spread = 0;
	for (int i = 0; i < 4000; i++) {
		variation_cross(&v, s, &r, a, b, first, second);
		ck_assert(space_allows(s, first) && space_allows(s, second));
		ck_assert_int_eq(first[0], 5000);
		ck_assert_int_eq(second[0], 5000);
		spread += first[1] != 4000 && first[1] != 6000;
		for (int g = 0; g < 4; g++)
			sum[g] += 0.5 * (first[g] + second[g]) / 4000;
	}
	ck_assert_int_gt(spread, 1500);
	for (int g = 0; g < 4; g++)
		ck_assert_double_eq_tol(sum[g], 0.5 * (a[g] + b[g]), 30);
	v.crossover = 0;
	variation_cross(&v, s, &r, a, b, first, second);
	ck_assert_mem_eq(first, a, sizeof a);
	ck_assert_mem_eq(second, b, sizeof b);
	space_free(s);
}
END_TEST

START_TEST(infeasible_starts_are_led_to_feasible_candidates)
{
	struct space *s = fixture_chain(12, 1, 1);
	struct problem p = fixture_problem(s);
	int n, feasible = 0;
	p.budget = 200;
	fixture_constrain(&p, "accuracy", ">= 0.8");
	fixture_constrain(&p, "macs", "<= 60%");
	int *keep = fixture_run(&p, "{\"name\": \"nsga2\"}", false, &n);
	for (int i = 100; i < n; i++) {
		struct outcome o = fixture_evaluate(&p, i + 1, keep + i * 12, false);
		feasible += constraint_total(p.constraints, p.constraint_count, p.baseline, o.metrics) == 0;
	}
	ck_assert_int_gt(feasible, 50);
	free(keep);
	space_free(s);
}
END_TEST

Suite *nsga2_suite(void)
{
	Suite *suite = suite_create("nsga2");
	TCase *c = tcase_create("nsga2");
	tcase_add_test(c, the_first_population_covers_the_whole_cost_range);
	tcase_add_test(c, the_first_population_is_not_heaped_at_a_limit);
	tcase_add_test(c, a_population_too_large_for_the_groups_is_refused);
	tcase_add_test(c, a_generation_keeps_the_best_of_parents_and_children);
	tcase_add_test(c, before_the_first_generation_is_full_its_members_are_the_parents);
	tcase_add_test(c, children_spread_around_their_parents_as_the_index_says);
	tcase_add_test(c, mutation_always_changes_a_gene_and_stays_within_limits);
	tcase_add_test(c, what_has_nothing_to_choose_neither_mutates_nor_crosses);
	tcase_add_test(c, crossover_keeps_the_parents_mean_and_what_they_agree_on);
	tcase_add_test(c, infeasible_starts_are_led_to_feasible_candidates);
	suite_add_tcase(suite, c);
	return suite;
}

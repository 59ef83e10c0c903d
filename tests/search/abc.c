/* abc.c -- the bee colony: its sources, its bees and its scouts.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/colony.h"
#include "search/cost.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { GROUPS = 12, SOURCES = 10 };

static struct colony *colony_of(int sources, int m)
{
	struct errinfo e = { 0 };
	struct colony *c = NULL;
	struct rng r;
	rng_init(&r, 1, 0);
	ok(colony_new(sources, 1, m, &r, &c, &e));
	return c;
}

static int held(const struct colony *c, int source)
{
	return colony_genes(c, source) ? *colony_genes(c, source) : -1;
}

START_TEST(sources_hold_a_whole_front_between_them)
{
	struct colony *c = colony_of(5, 2);
	for (int i = 0; i < 40; i++) { /* on x + y = 39, in no order, all offered to one source */
		int gene = i * 17 % 40;
		colony_offer(c, 0, &gene, (double[]){ gene, 39 - gene }, 0);
	}
	ck_assert_int_eq(colony_count(c), 5);
	for (int i = 1; i < 5; i++) /* the more the first objective weighs, the less of it */
		ck_assert_int_lt(held(c, i), held(c, i - 1));
	ck_assert_int_gt(held(c, 0), 30);
	ck_assert_int_lt(held(c, 4), 9);
	colony_free(c);
}
END_TEST

START_TEST(a_result_goes_to_three_sources_at_most)
{
	struct colony *c = colony_of(6, 2);
	int worse = 1, best = 2, count = 0;
	for (int i = 0; i < 6; i++)
		colony_offer(c, i, &worse, (double[]){ 5, 5 }, 0);
	ck_assert_int_eq(colony_count(c), 6);
	colony_offer(c, 3, &best, (double[]){ 1, 1 }, 0);
	ck_assert_int_eq(held(c, 3), best);
	for (int i = 0; i < 6; i++)
		count += held(c, i) == best;
	ck_assert_int_eq(count, 3);
	colony_free(c);
}
END_TEST

START_TEST(less_violation_comes_before_any_distance)
{
	struct colony *c = colony_of(2, 2);
	int far = 1, near = 2, feasible = 3, nearer = 4;
	colony_offer(c, 0, &far, (double[]){ 1, 1 }, 0.5);
	colony_offer(c, 0, &near, (double[]){ 8, 8 }, 0.1);
	ck_assert_int_eq(held(c, 0), near);
	colony_offer(c, 0, &feasible, (double[]){ 9, 9 }, 0);
	ck_assert_int_eq(held(c, 0), feasible);
	colony_offer(c, 0, &nearer, (double[]){ 0, 0 }, 0.01);
	ck_assert_int_eq(held(c, 0), feasible);
	colony_free(c);
}
END_TEST

START_TEST(what_brings_nothing_counts_as_a_failure_until_something_does)
{
	struct colony *c = colony_of(3, 2);
	int gene = 7;
	colony_offer(c, 1, &gene, (double[]){ INFINITY, INFINITY }, INFINITY);
	ck_assert_int_eq(colony_count(c), 0);
	ck_assert_int_eq(colony_failures(c, 1), 1);
	colony_offer(c, 1, &gene, (double[]){ 5, 5 }, 0);
	ck_assert_int_eq(colony_failures(c, 1), 0);
	for (int i = 1; i < 4; i++) {
		colony_offer(c, 1, &gene, (double[]){ 5, NAN }, 0);
		ck_assert_int_eq(colony_failures(c, 1), 2 * i - 1);
		colony_offer(c, 1, &gene, (double[]){ 6, 6 }, 0);
		ck_assert_int_eq(colony_failures(c, 1), 2 * i);
	}
	ck_assert_int_eq(colony_failures(c, 0), 0);
	colony_forget(c, 1);
	ck_assert_int_eq(colony_failures(c, 1), 0);
	colony_free(c);
}
END_TEST

START_TEST(onlookers_go_to_sources_in_proportion_to_their_rank)
{
	enum { DRAWS = 30000 };
	struct errinfo e = { 0 };
	struct colony *c = colony_of(4, 2);
	struct rng r;
	int gene = 1, chosen[4] = { 0 };
	rng_init(&r, 2, 0);
	colony_offer(c, 1, &gene, (double[]){ 1, 1 }, 0); /* goes to three; the fourth stays empty */
	ck_assert_int_eq(colony_count(c), 3);
	for (int i = 0; i < DRAWS; i++) {
		int source;
		ok(colony_draw(c, &r, &source, &e));
		ck_assert_ptr_nonnull(colony_genes(c, source));
		chosen[source]++;
		int partner = colony_partner(c, &r, source);
		ck_assert_int_ne(partner, source);
		ck_assert_ptr_nonnull(colony_genes(c, partner));
	}
	int least = DRAWS, most = 0;
	for (int i = 0; i < 4; i++) {
		if (!colony_genes(c, i))
			continue;
		least = chosen[i] < least ? chosen[i] : least;
		most = chosen[i] > most ? chosen[i] : most;
	}
	ck_assert_double_eq_tol(most, DRAWS / 2.0, 0.02 * DRAWS); /* 3, 2 and 1 of 6 */
	ck_assert_double_eq_tol(least, DRAWS / 6.0, 0.02 * DRAWS);
	colony_free(c);
}
END_TEST

START_TEST(the_first_proposals_cover_the_whole_cost_range)
{
	struct space *s = fixture_chain(GROUPS, 1, 1);
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct problem p = fixture_problem(s);
		int n, fifths[5] = { 0 };
		p.seed = seed;
		p.budget = SOURCES;
		int *keep = fixture_run(&p, "{\"name\": \"abc\"}", false, &n);
		for (int i = 0; i < n; i++) {
			int fifth = (int)(5 * (double)cost_of(s, keep + i * GROUPS).macs / p.baseline[METRIC_MACS]);
			fifths[fifth > 4 ? 4 : fifth]++;
		}
		for (int i = 0; i < 5; i++)
			ck_assert_msg(fifths[i] >= 1, "seed %d: nothing in fifth %d", (int)seed, i);
		free(keep);
	}
	space_free(s);
}
END_TEST

/* In how many groups a proposal differs from the most similar one before it. */
static int changes(const int *keep, int number)
{
	int least = GROUPS;
	for (int i = 0; i < number; i++) {
		int count = 0;
		for (int g = 0; g < GROUPS; g++)
			count += keep[i * GROUPS + g] != keep[number * GROUPS + g];
		least = count < least ? count : least;
	}
	return least;
}

START_TEST(a_bee_changes_as_many_genes_as_it_should)
{
	struct space *s = fixture_wide(GROUPS, 300);
	struct problem p = fixture_problem(s);
	int n, exactly = 0, genes = _i + 1;
	char strategy[64];
	snprintf(strategy, sizeof strategy, "{\"name\": \"abc\", \"genes\": %d, \"limit\": 1000}", genes);
	p.budget = 100;
	int *keep = fixture_run(&p, strategy, false, &n);
	for (int i = SOURCES; i < n; i++) {
		ck_assert_int_le(changes(keep, i), genes);
		exactly += changes(keep, i) == genes;
	}
	ck_assert_int_gt(exactly, 50);
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(scouts_look_elsewhere_when_a_source_is_exhausted)
{
	struct space *s = fixture_wide(GROUPS, 300);
	struct problem p = fixture_problem(s);
	int n, scouts = 0;
	p.budget = 300;
	int *keep = fixture_run(&p, "{\"name\": \"abc\", \"limit\": 2}", false, &n);
	for (int i = SOURCES; i < n; i++)
		scouts += changes(keep, i) > 4;
	ck_assert_int_gt(scouts, 20);
	ck_assert_int_lt(scouts, 150);
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(more_sources_than_fit_the_groups_are_refused)
{
	struct errinfo e = { 0 };
	struct space s = { .group_count = 65536 };
	struct problem p = fixture_problem(&s);
	struct strategy *strategy = NULL;
	cJSON *object = fixture_json("{\"name\": \"abc\", \"sources\": 400}");
	fails(ERR_LIMIT, strategy_abc.open(&p, object, &strategy, &e));
	says("strategy.sources: is 400, expected at most 256");
	ck_assert_ptr_null(strategy);
	cJSON_Delete(object);
}
END_TEST

static double volume(const struct problem *p, const char *strategy)
{
	struct errinfo e = { 0 };
	double points[2 * 200], sum = 0;
	struct problem seeded = *p;
	for (seeded.seed = 0; seeded.seed < 5; seeded.seed++) {
		double hypervolume;
		int n, *keep = fixture_run(&seeded, strategy, false, &n);
		for (int i = 0; i < n; i++) {
			struct outcome o = fixture_evaluate(p, i + 1, keep + i * GROUPS, false);
			points[2 * i] = -o.metrics[METRIC_ACCURACY];
			points[2 * i + 1] = o.metrics[METRIC_MACS] / p->baseline[METRIC_MACS];
		}
		ok(pareto_hypervolume(points, n, 2, (double[]){ 0, 1 }, &hypervolume, &e));
		sum += hypervolume / 5;
		free(keep);
	}
	return sum;
}

START_TEST(it_ends_with_a_better_front_than_chance)
{
	struct space *s = fixture_wide(GROUPS, 40);
	struct problem p = fixture_problem(s);
	p.budget = 200;
	p.window = 4;
	double colony = volume(&p, "{\"name\": \"abc\"}"), random = volume(&p, "{\"name\": \"random\"}");
	ck_assert_msg(colony > random + 0.01, "%g against %g by chance", colony, random);
	space_free(s);
}
END_TEST

Suite *abc_suite(void)
{
	Suite *suite = suite_create("abc");
	TCase *c = tcase_create("abc");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, sources_hold_a_whole_front_between_them);
	tcase_add_test(c, a_result_goes_to_three_sources_at_most);
	tcase_add_test(c, less_violation_comes_before_any_distance);
	tcase_add_test(c, what_brings_nothing_counts_as_a_failure_until_something_does);
	tcase_add_test(c, onlookers_go_to_sources_in_proportion_to_their_rank);
	tcase_add_test(c, the_first_proposals_cover_the_whole_cost_range);
	tcase_add_loop_test(c, a_bee_changes_as_many_genes_as_it_should, 0, 3);
	tcase_add_test(c, scouts_look_elsewhere_when_a_source_is_exhausted);
	tcase_add_test(c, more_sources_than_fit_the_groups_are_refused);
	tcase_add_test(c, it_ends_with_a_better_front_than_chance);
	suite_add_tcase(suite, c);
	return suite;
}

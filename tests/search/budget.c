/* budget.c -- candidates that just keep a cost budget.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/budget.h"
#include "search/cost.h"
#include "search/limit.h"
#include "search/sample.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { MOST_GROUPS = 64 };

static void assert_tight(const struct space *s, const double limit[METRIC_COUNT], const int *keep)
{
	int changed[MOST_GROUPS];
	struct cost c = cost_of(s, keep);
	ck_assert(space_allows(s, keep));
	ck_assert(budget_keeps(limit, &c));
	memcpy(changed, keep, (size_t)s->group_count * sizeof *keep);
	for (int g = 0; g < s->group_count; g++) {
		if (keep[g] == s->groups[g].max_keep)
			continue;
		changed[g] = space_more(&s->groups[g], keep[g]);
		c = cost_of(s, changed);
		ck_assert_msg(!budget_keeps(limit, &c), "group %d could keep %d instead of %d", g, changed[g], keep[g]);
		changed[g] = keep[g];
	}
}

static void no_limits(double limit[METRIC_COUNT])
{
	for (int m = 0; m < METRIC_COUNT; m++)
		limit[m] = INFINITY;
}

static void fit_everywhere(const struct space *s, enum metric metric)
{
	struct errinfo e = { 0 };
	struct cost intact = cost_of_intact(s);
	struct rng r;
	rng_init(&r, 11, (uint64_t)metric);
	double removed[] = { 0, 0.001, 0.05, 0.3, 0.5, 0.77, 0.9, 0.95, 0.99, 0.999 };
	for (size_t i = 0; i < sizeof removed / sizeof *removed; i++)
		for (int repeat = 0; repeat < 10; repeat++) {
			double ratio[MOST_GROUPS], limit[METRIC_COUNT];
			int keep[MOST_GROUPS];
			no_limits(limit);
			double share = fmax(1 - removed[i], budget_floor(s, metric) + 1e-9);
			limit[metric] = share * cost_metric(&intact, metric);
			sample_shape(&r, s->group_count, ratio);
			ok(budget_fit(s, metric, limit[metric], ratio, keep, &e));
			assert_tight(s, limit, keep);
		}
}

START_TEST(every_target_is_kept_to_a_single_step)
{
	struct space *spaces[] = { fixture_chain(12, 1, 1), fixture_chain(12, 0.95, 8), fixture_coupled(0.9, 1),
		fixture_coupled(1, 4), fixture_chain(1, 1, 1), fixture_narrowed() };
	for (int i = 0; i < 6; i++) {
		fit_everywhere(spaces[i], METRIC_PARAMS);
		fit_everywhere(spaces[i], METRIC_MACS);
		fit_everywhere(spaces[i], METRIC_BYTES);
		space_free(spaces[i]);
	}
}
END_TEST

START_TEST(sixty_groups_of_500_channels_are_fitted_at_any_target)
{
	struct space *s = fixture_wide(60, 500);
	fit_everywhere(s, METRIC_MACS);
	space_free(s);
}
END_TEST

START_TEST(the_largest_candidate_is_no_larger_than_groups_may_be)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_narrowed();
	int keep[4], most[4];
	struct cost largest = cost_of_most(s), intact = cost_of_intact(s);
	space_most(s, most);
	ok(budget_fit(s, METRIC_MACS, (double)intact.macs, (double[]){ 0, 0, 0, 0 }, keep, &e));
	ck_assert_mem_eq(keep, most, sizeof most);
	ck_assert_double_eq(budget_ceiling(s, METRIC_MACS), (double)largest.macs / (double)intact.macs);
	space_free(s);
}
END_TEST

START_TEST(a_bound_above_the_largest_candidate_is_refused)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_narrowed();
	struct problem p = fixture_problem(s);
	double most[METRIC_COUNT], low = 0, high = 1;
	limit_window(&p, METRIC_MACS, &low, &high);
	ck_assert_double_eq(low, budget_floor(s, METRIC_MACS));
	ck_assert_double_eq(high, budget_ceiling(s, METRIC_MACS));
	fixture_constrain(&p, "macs", ">= 99%");
	fails(ERR_LIMIT, limit_read(&p, most, &e));
	says("the largest possible candidate has only");
	space_free(s);
}
END_TEST

START_TEST(several_limits_hold_at_once)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(12, 1, 1);
	struct cost intact = cost_of_intact(s);
	struct rng r;
	rng_init(&r, 12, 0);
	for (int i = 0; i < 100; i++) {
		double ratio[12], limit[METRIC_COUNT];
		int keep[12];
		no_limits(limit);
		limit[METRIC_MACS] = (0.1 + 0.9 * rng_uniform(&r)) * (double)intact.macs;
		limit[METRIC_PARAMS] = (0.1 + 0.9 * rng_uniform(&r)) * (double)intact.params;
		sample_shape(&r, 12, ratio);
		ok(budget_fit_all(s, limit, ratio, keep, &e));
		assert_tight(s, limit, keep);
	}
	space_free(s);
}
END_TEST

START_TEST(ratios_keep_their_proportions)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_wide(8, 1000);
	struct cost intact = cost_of_intact(s);
	double ratio[8] = { 0.1, 0.2, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4 };
	int keep[8];
	ok(budget_fit(s, METRIC_MACS, 0.7 * (double)intact.macs, ratio, keep, &e));
	double factor = (1000 - keep[3]) / 0.4;
	for (int g = 0; g < 8; g++)
		ck_assert_double_eq_tol(1000 - keep[g], factor * ratio[g], 0.02 * factor * ratio[g] + 2);
	space_free(s);
}
END_TEST

START_TEST(groups_of_ratio_zero_stay_whole_unless_the_others_are_not_enough)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_wide(4, 100);
	struct cost intact = cost_of_intact(s);
	int keep[4];
	ok(budget_fit(s, METRIC_MACS, 0.8 * (double)intact.macs, (double[]){ 0, 1, 0, 0 }, keep, &e));
	ck_assert_int_eq(keep[0], 100);
	ck_assert_int_lt(keep[1], 100);
	ck_assert_int_eq(keep[2], 100);
	ck_assert_int_eq(keep[3], 100);
	ok(budget_fit(s, METRIC_MACS, 0.05 * (double)intact.macs, (double[]){ 0, 1, 0, 0 }, keep, &e));
	ck_assert_int_lt(keep[0] + keep[2] + keep[3], 300);
	space_free(s);
}
END_TEST

START_TEST(shapes_that_are_no_numbers_are_fitted_all_the_same)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_wide(4, 100);
	struct cost intact = cost_of_intact(s);
	double limit[METRIC_COUNT], shapes[][4] = { { NAN, NAN, NAN, NAN }, { 0 }, { INFINITY, 1, 1, 1 },
		{ -1, -2, 0.5, NAN }, { 1e-300, 1e300, 1, 0 } };
	int keep[4];
	no_limits(limit);
	limit[METRIC_PARAMS] = 0.3 * (double)intact.params;
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		ok(budget_fit(s, METRIC_PARAMS, limit[METRIC_PARAMS], shapes[i], keep, &e));
		assert_tight(s, limit, keep);
	}
	space_free(s);
}
END_TEST

START_TEST(a_budget_below_the_least_cost_is_refused_with_that_cost)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_wide(4, 100);
	struct cost least = cost_of_least(s), intact = cost_of_intact(s);
	int keep[4] = { -7, -7, -7, -7 };
	double ratio[4] = { 1, 1, 1, 1 };
	char text[32];
	ok(budget_fit(s, METRIC_MACS, (double)least.macs, ratio, keep, &e));
	ck_assert_int_eq(cost_of(s, keep).macs, least.macs);
	keep[0] = -7;
	fails(ERR_LIMIT, budget_fit(s, METRIC_MACS, (double)least.macs - 1, ratio, keep, &e));
	snprintf(text, sizeof text, "%lld", (long long)least.macs);
	says(text);
	ck_assert_int_eq(keep[0], -7);
	fails(ERR_LIMIT, budget_fit(s, METRIC_MACS, NAN, ratio, keep, &e));
	ck_assert_double_eq(budget_floor(s, METRIC_MACS), (double)least.macs / (double)intact.macs);
	space_free(s);
}
END_TEST

Suite *budget_suite(void)
{
	Suite *suite = suite_create("budget");
	TCase *c = tcase_create("budget");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, every_target_is_kept_to_a_single_step);
	tcase_add_test(c, sixty_groups_of_500_channels_are_fitted_at_any_target);
	tcase_add_test(c, the_largest_candidate_is_no_larger_than_groups_may_be);
	tcase_add_test(c, a_bound_above_the_largest_candidate_is_refused);
	tcase_add_test(c, several_limits_hold_at_once);
	tcase_add_test(c, ratios_keep_their_proportions);
	tcase_add_test(c, groups_of_ratio_zero_stay_whole_unless_the_others_are_not_enough);
	tcase_add_test(c, shapes_that_are_no_numbers_are_fitted_all_the_same);
	tcase_add_test(c, a_budget_below_the_least_cost_is_refused_with_that_cost);
	suite_add_tcase(suite, c);
	return suite;
}

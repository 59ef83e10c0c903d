/* link.c -- metrics as effects, and back.
 * SPDX-License-Identifier: MIT */
#include <float.h>
#include <math.h>

#include "search/link.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

static const struct link links[] = {
	{ METRIC_ACCURACY, 0.93, 0.1 }, { METRIC_ACCURACY, 0.93, 0 },  { METRIC_ACCURACY, 0.99999, 0.5 },
	{ METRIC_LOSS, 0.2, 0.1 },      { METRIC_MEMORY, 4e6, 0.1 },   { METRIC_LATENCY, 1, 0.1 },
};
enum { LINKS = sizeof links / sizeof *links };

/* A value between the worst and the best, t from 0 to 1, that pruning can lead to. */
static double value_at(const struct link *l, double t)
{
	if (l->metric == METRIC_ACCURACY)
		return l->chance + (1 - l->chance) * (0.06 + 0.93 * t);
	return l->baseline * (0.1 + 2 * t);
}

START_TEST(values_survive_the_way_there_and_back)
{
	const struct link *l = &links[_i];
	for (int i = 0; i <= 100; i++) {
		double value = value_at(l, i / 100.0), effect = link_effect(l, value);
		ck_assert_double_eq_tol(link_value(l, effect), value, 1e-9 * fabs(value));
	}
	for (double effect = -0.5; effect < 2; effect += 0.1)
		if (l->metric != METRIC_ACCURACY)
			ck_assert_double_eq_tol(link_effect(l, link_value(l, effect)), effect, 1e-9);
}
END_TEST

START_TEST(the_unpruned_network_has_no_effect)
{
	const struct link *l = &links[_i];
	ck_assert_double_eq_tol(link_effect(l, l->baseline), 0, 1e-12);
	if (l->baseline < 0.999)
		ck_assert_double_eq_tol(link_value(l, 0), l->baseline, 1e-12);
}
END_TEST

START_TEST(effects_grow_where_a_loss_grows_and_where_anything_else_falls)
{
	const struct link *l = &links[_i];
	double sign = l->metric == METRIC_LOSS ? 1 : -1, before = sign * link_effect(l, value_at(l, 0));
	for (int i = 1; i <= 100; i++) {
		double now = sign * link_effect(l, value_at(l, i / 100.0));
		ck_assert_double_gt(now, before);
		before = now;
	}
	for (double effect = -3; effect < 3; effect += 0.25)
		ck_assert_double_gt(sign * (link_value(l, effect + 0.25) - link_value(l, effect)), 0);
}
END_TEST

START_TEST(only_what_is_measured_has_effects)
{
	const bool applies[METRIC_COUNT] = { [METRIC_ACCURACY] = true, [METRIC_LOSS] = true, [METRIC_MEMORY] = true,
		[METRIC_LATENCY] = true };
	for (int m = 0; m < METRIC_COUNT; m++)
		ck_assert_int_eq(link_applies((enum metric)m), applies[m]);
}
END_TEST

START_TEST(the_floor_of_an_accuracy_is_censored_and_nothing_else_is)
{
	const struct link *l = &links[_i];
	if (l->metric != METRIC_ACCURACY) {
		ck_assert(isinf(link_censored(l)));
		return;
	}
	double censored = link_censored(l), floor = l->chance + 0.05 * (1 - l->chance);
	for (double value = 0; value <= floor; value += floor / 20)
		ck_assert_double_ge(link_effect(l, value), censored);
	ck_assert_double_lt(link_effect(l, floor + 0.001), censored);
	ck_assert_double_eq_tol(link_effect(l, 0), link_effect(l, l->chance), 1e-12);
}
END_TEST

START_TEST(without_a_known_chance_the_logit_is_that_of_the_accuracy)
{
	struct link l = { METRIC_ACCURACY, 0.9, 0 };
	ck_assert_double_eq_tol(link_effect(&l, 0.5), log(0.9 / 0.1), 1e-12);
	ck_assert_double_eq_tol(link_value(&l, log(9.0)), 0.5, 1e-12);
}
END_TEST

START_TEST(no_finite_value_gives_nan)
{
	static const double values[] = { -DBL_MAX, -1, -1e-300, 0, 1e-300, 0.1, 0.5, 1, 1 + 1e-9, 7, DBL_MAX };
	static const double chances[] = { 0, 0.1, 0.999, 1 };
	for (int m = 0; m < METRIC_COUNT; m++)
		for (size_t b = 0; b < 11; b++)
			for (size_t c = 0; c < 4; c++) {
				struct link l = { (enum metric)m, values[b], chances[c] };
				ck_assert(!isnan(link_censored(&l)));
				for (size_t v = 0; v < 11; v++) {
					ck_assert(isfinite(link_effect(&l, values[v])));
					ck_assert(!isnan(link_value(&l, values[v])));
					ck_assert(isfinite(link_variance(&l, values[v])));
					ck_assert_double_gt(link_variance(&l, values[v]), 0);
				}
			}
}
END_TEST

START_TEST(accuracies_of_0_and_1_are_the_ends_of_the_scale)
{
	struct link l = { METRIC_ACCURACY, 0.93, 0.1 };
	ck_assert_double_eq(link_effect(&l, 0), link_effect(&l, -5));
	ck_assert_double_eq(link_effect(&l, 1), link_effect(&l, 2));
	ck_assert_double_lt(link_effect(&l, 1), link_effect(&l, 0.98));
	ck_assert_double_gt(link_value(&l, link_effect(&l, 1)), 0.999);
	ck_assert_double_eq(link_value(&l, INFINITY), 0.1);
	ck_assert_double_eq(link_value(&l, -INFINITY), 1);
}
END_TEST

START_TEST(an_accuracy_scatters_most_near_the_ends_of_its_logit)
{
	struct link l = { METRIC_ACCURACY, 0.93, 0.1 };
	double middle = link_variance(&l, 0.55);
	ck_assert_double_lt(middle, link_variance(&l, 0.16));
	ck_assert_double_lt(middle, link_variance(&l, 0.96));
	ck_assert_double_lt(link_variance(&l, 0), 0.1);
	ck_assert_double_lt(link_variance(&l, 1), 0.1);
}
END_TEST

Suite *link_suite(void)
{
	Suite *suite = suite_create("link");
	TCase *c = tcase_create("link");
	tcase_add_loop_test(c, values_survive_the_way_there_and_back, 0, LINKS);
	tcase_add_loop_test(c, the_unpruned_network_has_no_effect, 0, LINKS);
	tcase_add_loop_test(c, effects_grow_where_a_loss_grows_and_where_anything_else_falls, 0, LINKS);
	tcase_add_test(c, only_what_is_measured_has_effects);
	tcase_add_loop_test(c, the_floor_of_an_accuracy_is_censored_and_nothing_else_is, 0, LINKS);
	tcase_add_test(c, without_a_known_chance_the_logit_is_that_of_the_accuracy);
	tcase_add_test(c, no_finite_value_gives_nan);
	tcase_add_test(c, accuracies_of_0_and_1_are_the_ends_of_the_scale);
	tcase_add_test(c, an_accuracy_scatters_most_near_the_ends_of_its_logit);
	suite_add_tcase(suite, c);
	return suite;
}

/* additive.c -- what each group does by itself.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "search/additive.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { GROUPS = 5, ROWS = 400 };

struct made_up {
	double x[ROWS * GROUPS], y[ROWS], variance[ROWS];
};

static void fill(struct made_up *m, uint64_t seed)
{
	struct rng r;
	rng_init(&r, seed, 0);
	for (int i = 0; i < ROWS * GROUPS; i++)
		m->x[i] = rng_uniform(&r);
	for (int i = 0; i < ROWS; i++)
		m->variance[i] = 0.01;
}

START_TEST(coefficients_are_recovered_from_exact_results)
{
	static const double truth[GROUPS * ADDITIVE_BASES] = { 5, 0, 0, 4, 0.5, 0.5, 2, 2, 0, 0 };
	struct errinfo e = { 0 };
	static struct made_up m;
	double a[GROUPS * ADDITIVE_BASES];
	fill(&m, 1);
	for (int i = 0; i < ROWS; i++)
		m.y[i] = additive_at(truth, GROUPS, m.x + i * GROUPS);
	ok(additive_fit(GROUPS, m.x, m.y, m.variance, ROWS, a, &e));
	for (int g = 0; g < GROUPS; g++)
		for (double x = 0; x <= 1; x += 0.125)
			ck_assert_double_eq_tol(additive_of_group(a, g, x), additive_of_group(truth, g, x), 0.3);
	for (int i = 0; i < ROWS; i++)
		ck_assert_double_eq_tol(additive_at(a, GROUPS, m.x + i * GROUPS), m.y[i], 0.3);
}
END_TEST

START_TEST(removing_more_never_does_less)
{
	struct errinfo e = { 0 };
	static struct made_up m;
	double a[GROUPS * ADDITIVE_BASES];
	fill(&m, 2);
	for (int i = 0; i < ROWS; i++) { /* results that say the opposite of two groups */
		const double *x = m.x + i * GROUPS;
		m.y[i] = 3 * x[0] - 4 * x[1] + 2 * x[2] * (1 - x[2]);
	}
	ok(additive_fit(GROUPS, m.x, m.y, m.variance, ROWS, a, &e));
	for (int j = 0; j < GROUPS * ADDITIVE_BASES; j++)
		ck_assert_double_ge(a[j], 0);
	ck_assert_double_eq_tol(additive_of_group(a, 1, 1), 0, 1e-9);
	ck_assert_double_gt(additive_of_group(a, 0, 1), 1);
}
END_TEST

START_TEST(what_nobody_touched_counts_as_middling)
{
	struct errinfo e = { 0 };
	static struct made_up m;
	double a[GROUPS * ADDITIVE_BASES], none[GROUPS * ADDITIVE_BASES];
	ok(additive_fit(GROUPS, NULL, NULL, NULL, 0, none, &e));
	for (int g = 0; g < GROUPS; g++) {
		ck_assert_double_eq(additive_of_group(none, g, 0), 0);
		ck_assert_double_gt(additive_of_group(none, g, 1), 0.5);
		ck_assert_double_eq_tol(additive_of_group(none, g, 1), additive_of_group(none, 0, 1), 1e-12);
	}
	fill(&m, 3);
	for (int i = 0; i < ROWS; i++) { /* the last group is never pruned */
		m.x[i * GROUPS + GROUPS - 1] = 0;
		m.y[i] = 0;
		for (int g = 0; g < GROUPS; g++)
			m.y[i] += 6 * m.x[i * GROUPS + g];
	}
	ok(additive_fit(GROUPS, m.x, m.y, m.variance, ROWS, a, &e));
	ck_assert_double_eq_tol(additive_of_group(a, GROUPS - 1, 1), additive_of_group(none, 0, 1), 1e-3);
	ck_assert_double_eq_tol(additive_of_group(a, 0, 1), 6, 0.2);
}
END_TEST

START_TEST(uncertain_results_count_for_less)
{
	struct errinfo e = { 0 };
	double x[] = { 1, 1 }, y[] = { 4, 8 }, a[ADDITIVE_BASES];
	ok(additive_fit(1, x, y, (double[]){ 0.001, 10 }, 2, a, &e));
	double low = additive_of_group(a, 0, 1);
	ok(additive_fit(1, x, y, (double[]){ 10, 0.001 }, 2, a, &e));
	double high = additive_of_group(a, 0, 1);
	ck_assert_double_eq_tol(low, 4, 0.6);
	ck_assert_double_gt(high, 6.5);
}
END_TEST

Suite *additive_suite(void)
{
	Suite *suite = suite_create("additive");
	TCase *c = tcase_create("additive");
	tcase_add_test(c, coefficients_are_recovered_from_exact_results);
	tcase_add_test(c, removing_more_never_does_less);
	tcase_add_test(c, what_nobody_touched_counts_as_middling);
	tcase_add_test(c, uncertain_results_count_for_less);
	suite_add_tcase(suite, c);
	return suite;
}

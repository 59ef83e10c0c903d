/* improvement.c -- the hypervolume a point adds.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "search/improvement.h"
#include "search/pareto.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { MOST = 40, M = PARETO_MAX_OBJECTIVES };

static double volume(const double *points, int n, int m, const double *reference)
{
	struct errinfo e = { 0 };
	double v;
	ok(pareto_hypervolume(points, n, m, reference, &v, &e));
	return v;
}

/* Coordinates on a coarse grid, so that many are equal; some beyond the reference, few infinite. */
static void draw(struct rng *r, int m, double *ret)
{
	for (int i = 0; i < m; i++)
		ret[i] = (double)rng_below(r, 13) / 10;
	if (rng_below(r, 12) == 0)
		ret[rng_below(r, (uint64_t)m)] = INFINITY;
}

START_TEST(it_is_what_the_hypervolume_grows_by)
{
	struct errinfo e = { 0 };
	const double reference[M] = { 1, 1, 1.1, 0.9 };
	struct rng r;
	int m = _i, grew = 0;
	rng_init(&r, 8, (uint64_t)m);
	for (int round = 0; round < 150; round++) {
		double points[(MOST + 1) * M];
		int n = (int)rng_below(&r, MOST + 1);
		struct improvement *s = NULL;
		for (int i = 0; i < n; i++)
			draw(&r, m, points + i * m);
		ok(improvement_new(points, n, m, reference, MOST, &s, &e));
		double before = volume(points, n, m, reference);
		for (int i = 0; i < 20; i++) {
			double gain;
			draw(&r, m, points + n * m);
			if (i == 0 && n)
				memcpy(points + n * m, points, (size_t)m * sizeof *points); /* one of them */
			ok(improvement_of(s, points + n * m, &gain, &e));
			ck_assert_double_eq_tol(gain, volume(points, n + 1, m, reference) - before, 1e-9);
			grew += gain > 1e-9;
		}
		improvement_free(s);
	}
	ck_assert_int_gt(grew, 200);
}
END_TEST

START_TEST(what_is_dominated_or_beyond_the_reference_adds_nothing)
{
	struct errinfo e = { 0 };
	const double points[] = { 0.5, 0.5, 0.2, 0.8, 5, 0.01 }, reference[] = { 1, 1 };
	const double useless[][2] = { { 0.5, 0.5 }, { 0.6, 0.5 }, { 0.9, 0.9 }, { 1, 0 }, { 0, 1 }, { 1.5, 0.1 },
		{ NAN, 0.1 }, { 0.1, NAN }, { INFINITY, 0 } };
	struct improvement *s = NULL;
	double gain;
	ok(improvement_new(points, 3, 2, reference, 10, &s, &e));
	for (size_t i = 0; i < sizeof useless / sizeof *useless; i++) {
		ok(improvement_of(s, useless[i], &gain, &e));
		ck_assert_double_eq(gain, 0);
	}
	ok(improvement_of(s, (double[]){ 0.9, 0.1 }, &gain, &e)); /* the one beyond the reference is no obstacle */
	ck_assert_double_eq_tol(gain, 0.1 * 0.4, 1e-12);
	improvement_free(s);
}
END_TEST

START_TEST(an_empty_front_leaves_the_whole_box)
{
	struct errinfo e = { 0 };
	const double reference[M] = { 1, 2, 3, 4 };
	for (int m = 2; m <= M; m++) {
		struct improvement *s = NULL;
		double gain, box = 1;
		ok(improvement_new(NULL, 0, m, reference, 24, &s, &e));
		ok(improvement_of(s, (double[M]){ 0 }, &gain, &e));
		for (int i = 0; i < m; i++)
			box *= reference[i];
		ck_assert_double_eq_tol(gain, box, 1e-12);
		improvement_free(s);
	}
}
END_TEST

START_TEST(of_a_long_front_those_with_room_around_them_stay)
{
	enum { LONG = 200, FEW = 20 };
	struct errinfo e = { 0 };
	const double reference[] = { 1, 1 };
	double points[2 * LONG], gain, whole = 0;
	struct improvement *s = NULL;
	for (int i = 0; i < LONG; i++) {
		points[2 * i] = (double)i / LONG;
		points[2 * i + 1] = 1 - (i + 0.5) / LONG;
	}
	ok(improvement_new(points, LONG, 2, reference, FEW, &s, &e));
	for (int i = 0; i < LONG; i++) { /* those that were let go count as free, at most their own boxes */
		ok(improvement_of(s, points + 2 * i, &gain, &e));
		whole += gain > 1e-12;
	}
	ck_assert_double_ge(whole, LONG - FEW - 1);
	for (int end = 0; end < 2; end++) {
		ok(improvement_of(s, points + (end ? 2 * (LONG - 1) : 0), &gain, &e));
		ck_assert_double_eq_tol(gain, 0, 1e-12);
	}
	improvement_free(s);
}
END_TEST

Suite *improvement_suite(void)
{
	Suite *suite = suite_create("improvement");
	TCase *c = tcase_create("improvement");
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, it_is_what_the_hypervolume_grows_by, 2, M + 1);
	tcase_add_test(c, what_is_dominated_or_beyond_the_reference_adds_nothing);
	tcase_add_test(c, an_empty_front_leaves_the_whole_box);
	tcase_add_test(c, of_a_long_front_those_with_room_around_them_stay);
	suite_add_tcase(suite, c);
	return suite;
}

/* archive.c -- results that are kept to learn from.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/archive.h"
#include "search/pareto.h"
#include "search/score.h"
#include "search/space.h"
#include "tests/search/landscape.h"
#include "tests/search/suites.h"

enum { GROUPS = LANDSCAPE_GROUPS, TOLD = 600 };

/* Candidate i of many that all differ. */
static void candidate(int i, int keep[GROUPS])
{
	for (int g = 0; g < GROUPS; g++)
		keep[g] = 40;
	keep[0] = 1 + i % 40;
	keep[1] = 1 + i / 40 % 40;
}

static bool has(const struct archive *a, const int *keep)
{
	for (int i = 0; i < a->count; i++)
		if (!memcmp(a->keep + i * GROUPS, keep, GROUPS * sizeof *keep))
			return true;
	return false;
}

START_TEST(the_front_and_the_latest_stay_when_it_is_thinned)
{
	struct errinfo e = { 0 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	struct archive *a = NULL;
	static int keep[TOLD][GROUPS];
	ok(archive_new(&p, &a, &e));
	for (int i = 0; i < TOLD; i++) {
		struct outcome o = { .number = i + 1, .keep = keep[i], .ok = true };
		candidate(i, keep[i]);
		/* Every twentieth is on the front, which therefore has 30 members; the others are far behind. */
		o.metrics[METRIC_ACCURACY] = (i % 20 ? 0.1 : 0.5) + 0.0005 * i;
		o.metrics[METRIC_MACS] = (i % 20 ? 2e6 : 1e6) + i;
		ok(archive_add(a, &o, &e));
		ck_assert_int_lt(a->count, ARCHIVE_MOST);
		ck_assert(has(a, keep[i]));
		if (i + 1 == ARCHIVE_MOST - 1)
			ck_assert_int_eq(a->count, ARCHIVE_MOST - 1);
		if (i + 1 == ARCHIVE_MOST)
			ck_assert_int_eq(a->count, ARCHIVE_FEW);
		for (int back = 0; back < ARCHIVE_FEW / 4 && back <= i; back++)
			ck_assert(has(a, keep[i - back]));
		for (int k = 0; k <= i; k += 20)
			ck_assert(has(a, keep[k]));
	}
	archive_free(a);
	space_free(s);
}
END_TEST

START_TEST(what_is_kept_stays_together_and_in_order)
{
	struct errinfo e = { 0 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	struct archive *a = NULL;
	struct rng r;
	int keep[GROUPS], before = 0;
	rng_init(&r, 3, 0);
	fixture_constrain(&p, "accuracy", ">= 0.5");
	ok(archive_new(&p, &a, &e));
	for (int i = 0; i < TOLD; i++) {
		landscape_draw(s, &r, rng_uniform(&r), keep);
		struct outcome o = landscape_evaluate(&p, i + 1, keep);
		o.metrics[METRIC_MEMORY] = i;
		ok(archive_add(a, &o, &e));
	}
	for (int i = 0; i < a->count; i++) {
		const int *mine = a->keep + i * GROUPS;
		int number = (int)a->metrics[i][METRIC_MEMORY] + 1;
		double point[2], x[GROUPS];
		struct outcome o = landscape_evaluate(&p, number, mine);
		score_point(&p, o.metrics, point);
		space_shares(s, mine, x);
		ck_assert_mem_eq(point, a->point + 2 * i, sizeof point);
		ck_assert_mem_eq(x, a->x + i * GROUPS, sizeof x);
		ck_assert_double_eq(a->metrics[i][METRIC_ACCURACY], o.metrics[METRIC_ACCURACY]);
		ck_assert_double_eq(a->violation[i], score_violation(&p, o.metrics));
		ck_assert_int_gt(number, before);
		before = number;
	}
	ck_assert_int_eq(before, TOLD);
	archive_free(a);
	space_free(s);
}
END_TEST

START_TEST(what_failed_or_was_not_measured_is_not_kept)
{
	struct errinfo e = { 0 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	struct archive *a = NULL;
	int keep[GROUPS];
	candidate(7, keep);
	ok(archive_new(&p, &a, &e));
	struct outcome o = landscape_evaluate(&p, 1, keep);
	o.ok = false;
	ok(archive_add(a, &o, &e));
	for (int i = 0; i < 3; i++) {
		o = landscape_evaluate(&p, 1, keep);
		o.metrics[METRIC_ACCURACY] = (double[]){ NAN, INFINITY, -INFINITY }[i];
		ok(archive_add(a, &o, &e));
	}
	o = landscape_evaluate(&p, 1, keep);
	o.metrics[METRIC_MACS] = NAN; /* any of the objectives */
	ok(archive_add(a, &o, &e));
	ck_assert_int_eq(a->count, 0);
	o = landscape_evaluate(&p, 1, keep);
	o.metrics[METRIC_LATENCY] = NAN; /* which is not one */
	ok(archive_add(a, &o, &e));
	ck_assert_int_eq(a->count, 1);
	archive_free(a);
	space_free(s);
}
END_TEST

Suite *archive_suite(void)
{
	Suite *suite = suite_create("archive");
	TCase *c = tcase_create("archive");
	tcase_add_test(c, the_front_and_the_latest_stay_when_it_is_thinned);
	tcase_add_test(c, what_is_kept_stays_together_and_in_order);
	tcase_add_test(c, what_failed_or_was_not_measured_is_not_kept);
	suite_add_tcase(suite, c);
	return suite;
}

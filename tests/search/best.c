/* best.c -- the best under bounds, against all results looked at one by one.
 * SPDX-License-Identifier: MIT */
#include <math.h>

#include "search/best.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

static struct problem problem;

static struct best open_best(const char *where)
{
	struct errinfo e = { 0 };
	struct best b = { .problem = &problem };
	problem = (struct problem){ .objectives = { METRIC_ACCURACY, METRIC_MACS }, .objective_count = 2,
		.baseline = { [METRIC_ACCURACY] = 0.9, [METRIC_MACS] = 1000, [METRIC_LATENCY] = NAN } };
	ok(constraint_parse(where, &b.where[b.where_count++], &e));
	return b;
}

static void offer(struct best *b, int number, double accuracy, double macs)
{
	double metrics[METRIC_COUNT] = { [METRIC_ACCURACY] = accuracy, [METRIC_MACS] = macs, [METRIC_LATENCY] = NAN };
	best_offer(b, number, metrics);
}

START_TEST(the_best_is_the_first_objectives_among_those_that_meet_all)
{
	struct errinfo e = { 0 };
	struct best b = open_best("macs<=50%");
	ok(constraint_parse("accuracy >= 0.2", &b.where[b.where_count++], &e));
	offer(&b, 1, 0.8, 501);
	offer(&b, 2, 0.1, 100);
	ck_assert_int_eq(b.best.number, 0);
	offer(&b, 3, 0.5, 500);
	offer(&b, 4, 0.6, 450);
	offer(&b, 5, 0.55, 300);
	ck_assert_int_eq(b.best.number, 4);
	ck_assert_int_eq(b.offered, 5);
}
END_TEST

START_TEST(equals_are_told_apart_by_the_next_objective_and_then_by_number)
{
	struct best b = open_best("macs<=50%");
	offer(&b, 4, 0.6, 450);
	offer(&b, 5, 0.6, 400);
	offer(&b, 3, 0.6, 400);
	offer(&b, 6, 0.6, 400);
	ck_assert_int_eq(b.best.number, 3);
}
END_TEST

START_TEST(the_nearest_misses_least)
{
	struct best b = open_best("macs<=10%");
	ck_assert_ptr_null(best_missed(&b));
	offer(&b, 1, 0.8, 300);
	offer(&b, 2, 0.7, 200);
	offer(&b, 3, 0.75, 250);
	ck_assert_int_eq(b.best.number, 0);
	ck_assert_int_eq(b.nearest.number, 2);
	ck_assert_int_eq(best_missed(&b)->metric, METRIC_MACS);
}
END_TEST

START_TEST(what_was_not_measured_meets_nothing)
{
	struct best b = open_best("latency<=0.5");
	offer(&b, 1, 0.8, 300);
	ck_assert_int_eq(b.best.number, 0);
	ck_assert_int_eq(b.nearest.number, 1);
	ck_assert_int_eq(best_missed(&b)->metric, METRIC_LATENCY);
}
END_TEST

Suite *best_suite(void)
{
	Suite *suite = suite_create("best");
	TCase *c = tcase_create("best");
	tcase_add_test(c, the_best_is_the_first_objectives_among_those_that_meet_all);
	tcase_add_test(c, equals_are_told_apart_by_the_next_objective_and_then_by_number);
	tcase_add_test(c, the_nearest_misses_least);
	tcase_add_test(c, what_was_not_measured_meets_nothing);
	suite_add_tcase(suite, c);
	return suite;
}

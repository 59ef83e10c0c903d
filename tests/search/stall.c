/* stall.c -- when results have stopped to improve the Pareto set.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "search/stall.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

static struct problem problem_of(int stall)
{
	return (struct problem){
		.objectives = { METRIC_ACCURACY, METRIC_MACS },
		.objective_count = 2,
		.baseline = { [METRIC_ACCURACY] = 0.9, [METRIC_MACS] = 100 },
		.stall = stall,
	};
}

static int number;

static void tell(struct stall *s, bool complete, double accuracy, double macs)
{
	struct errinfo e = { 0 };
	struct outcome o = { .number = ++number, .ok = complete };
	o.metrics[METRIC_ACCURACY] = accuracy;
	o.metrics[METRIC_MACS] = macs;
	ok(stall_tell(s, &o, &e));
}

static struct stall *open_stall(int most)
{
	struct errinfo e = { 0 };
	struct problem p = problem_of(most);
	struct stall *s = NULL;
	number = 0;
	ok(stall_open(&p, &s, &e));
	return s;
}

START_TEST(so_many_results_without_a_gain_are_a_stall)
{
	struct stall *s = open_stall(3);
	tell(s, true, 0.8, 50);
	tell(s, true, 0.7, 60); /* dominated */
	tell(s, false, NAN, NAN);
	ck_assert(!stall_is(s));
	tell(s, true, 0.8, 50); /* nothing new */
	ck_assert(stall_is(s));
	stall_close(s);
}
END_TEST

START_TEST(a_gain_begins_the_count_anew)
{
	struct stall *s = open_stall(3);
	tell(s, true, 0.8, 50);
	for (int i = 1; i < 20; i++) {
		tell(s, true, 0.1, 90);
		tell(s, true, 0.1, 90);
		tell(s, true, 0.8, 50 - i);
		ck_assert_msg(!stall_is(s), "after gain %d", i);
	}
	stall_close(s);
}
END_TEST

/* The volume is 0.8 * (1 - macs / 100) = 0.4: a thousandth of it is 0.05 of macs. */
START_TEST(small_improvements_add_up_to_a_gain)
{
	struct stall *s = open_stall(4);
	tell(s, true, 0.8, 50);
	for (int i = 1; i <= 30; i++) {
		tell(s, true, 0.8, 50 - 0.02 * i); /* the third is a gain */
		ck_assert_msg(!stall_is(s), "after %d", i);
	}
	stall_close(s);
	s = open_stall(4);
	tell(s, true, 0.8, 50);
	for (int i = 1; i <= 4; i++)
		tell(s, true, 0.8, 50 - 0.01 * i);
	ck_assert(stall_is(s));
	stall_close(s);
}
END_TEST

START_TEST(infeasible_results_are_no_gain)
{
	struct errinfo e = { 0 };
	struct problem p = problem_of(2);
	struct stall *s = NULL;
	fixture_constrain(&p, "accuracy", ">= 0.85");
	ok(stall_open(&p, &s, &e));
	tell(s, true, 0.8, 50);
	ck_assert(!stall_is(s));
	tell(s, true, 0.8, 40);
	ck_assert(stall_is(s));
	stall_close(s);
}
END_TEST

Suite *stall_suite(void)
{
	Suite *suite = suite_create("stall");
	TCase *c = tcase_create("stall");
	tcase_add_test(c, so_many_results_without_a_gain_are_a_stall);
	tcase_add_test(c, a_gain_begins_the_count_anew);
	tcase_add_test(c, small_improvements_add_up_to_a_gain);
	tcase_add_test(c, infeasible_results_are_no_gain);
	suite_add_tcase(suite, c);
	return suite;
}

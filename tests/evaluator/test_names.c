/* test_names.c -- the table of names: what is added is found, and nothing else.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "evaluator/model/names.h"
#include "tests/evaluator/suites.h"

enum { MANY = 100000, LENGTH = 64 };

START_TEST(names_that_share_a_long_prefix_are_told_apart)
{
	struct names *n = names_new(MANY);
	char(*name)[LENGTH] = calloc(MANY, sizeof *name);
	ck_assert(n && name);
	for (int i = 0; i < MANY; i++) {
		snprintf(name[i], LENGTH, "/features/features.0/conv/Conv_output_%d", i);
		ck_assert_int_eq(names_find(n, name[i]), -1);
		ck_assert(names_add(n, name[i], i));
	}
	for (int i = 0; i < MANY; i++) {
		char same[LENGTH];
		snprintf(same, sizeof same, "%s", name[i]);
		ck_assert_int_eq(names_find(n, same), i);
	}
	ck_assert_int_eq(names_find(n, "/features/features.0/conv/Conv_output_"), -1);
	ck_assert_int_eq(names_find(n, ""), -1);
	names_free(n);
	free(name);
}
END_TEST

START_TEST(a_name_that_is_taken_is_refused_and_keeps_its_value)
{
	struct names *n = names_new(4);
	ck_assert(names_add(n, "conv", 3));
	ck_assert(!names_add(n, "conv", 5));
	ck_assert_int_eq(names_find(n, "conv"), 3);
	names_free(n);
}
END_TEST

START_TEST(no_more_names_fit_than_there_was_room_for)
{
	static const char *const name[] = { "a", "b", "c" };
	for (size_t room = 0; room < 3; room++) {
		struct names *n = names_new(room);
		for (size_t i = 0; i < room; i++)
			ck_assert(names_add(n, name[i], (int)i));
		ck_assert(!names_add(n, name[room], 9));
		ck_assert_int_eq(names_find(n, name[room]), -1);
		for (size_t i = 0; i < room; i++)
			ck_assert_int_eq(names_find(n, name[i]), (int)i);
		names_free(n);
	}
	names_free(NULL);
}
END_TEST

Suite *names_suite(void)
{
	Suite *s = suite_create("names");
	TCase *t = tcase_create("names");
	tcase_add_test(t, names_that_share_a_long_prefix_are_told_apart);
	tcase_add_test(t, a_name_that_is_taken_is_refused_and_keeps_its_value);
	tcase_add_test(t, no_more_names_fit_than_there_was_room_for);
	suite_add_tcase(s, t);
	return s;
}

/* keep.c -- candidates as the store has them.
 * SPDX-License-Identifier: MIT */
#include "daemon/keep.h"
#include "search/space.h"
#include "store/trial.h"
#include "tests/daemon/scene.h"

static enum err read_text(const char *text, int *ret)
{
	const struct space three = { .group_count = 3 };
	const struct trial_row r = { .job = 7, .number = 41, .candidate = (char *)text };
	return keep_read(&r, &three, ret, &e);
}

START_TEST(a_candidate_is_read_as_it_was_written)
{
	int keep[3];
	ck_ok(read_text("[1,20,999999999]", keep));
	ck_assert_int_eq(keep[0], 1);
	ck_assert_int_eq(keep[1], 20);
	ck_assert_int_eq(keep[2], 999999999);
}
END_TEST

static const char *const damaged[] = {
	NULL, "", "null", "[", "[]", "[1,2]", "[1,2,3", "[1,2,]", "[1,2,3,4]", "[1,2,3]]", "[1,2,x]", "[1,-2,3]",
	"[1,2.5,3]", "{1,2,3]", "[,1,2,3]", "[1,,3]", "[1,2,1000000000]", "[1,2,99999999999999999999]", "[1;2;3]",
};

START_TEST(a_damaged_candidate_is_refused)
{
	int keep[3];
	ck_fails(ERR_INTERNAL, "trial 7.41: its candidate is not one of the job's space", read_text(damaged[_i], keep));
}
END_TEST

Suite *suite_keep(void)
{
	Suite *s = suite_create("keep");
	TCase *t = tcase_create("keep");
	tcase_add_test(t, a_candidate_is_read_as_it_was_written);
	tcase_add_loop_test(t, a_damaged_candidate_is_refused, 0, sizeof damaged / sizeof *damaged);
	suite_add_tcase(s, t);
	return s;
}

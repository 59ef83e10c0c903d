/* err.c -- tests of error codes and their sentences.
 * SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/base/scene.h"

START_TEST(setting_fills_code_and_sentence_and_returns_the_code)
{
	ck_assert_int_eq(err_set(&e, ERR_LIMIT, "%s: is %d, expected at most %d", "budget", 7, 5), ERR_LIMIT);
	ck_assert_int_eq(e.code, ERR_LIMIT);
	ck_assert_str_eq(e.msg, "budget: is 7, expected at most 5");
}
END_TEST

START_TEST(a_caller_without_errinfo_still_gets_the_code)
{
	errno = ENOENT;
	ck_assert_int_eq(err_errno(NULL, "x"), ERR_NOT_FOUND);
	ck_assert_int_eq(err_set(NULL, ERR_GONE, "x"), ERR_GONE);
	ck_assert_int_eq(err_wrap(NULL, "x"), ERR_INTERNAL);
}
END_TEST

START_TEST(errno_becomes_a_code_and_its_own_sentence)
{
	static const struct {
		int number;
		enum err code;
	} cases[] = { { ENOENT, ERR_NOT_FOUND }, { ENOMEM, ERR_MEMORY }, { ENOSPC, ERR_IO }, { EACCES, ERR_IO } };
	char expected[200];
	errno = cases[_i].number;
	ck_assert_int_eq(err_errno(&e, "%s", "some/file"), cases[_i].code);
	ck_assert_int_eq(e.code, cases[_i].code);
	snprintf(expected, sizeof expected, "some/file: %s", strerror(cases[_i].number));
	ck_assert_str_eq(e.msg, expected);
}
END_TEST

START_TEST(wrapping_puts_the_context_first_and_keeps_the_code)
{
	err_set(&e, ERR_INPUT, "line 3 is wrong");
	ck_assert_int_eq(err_wrap(&e, "job %d", 7), ERR_INPUT);
	ck_assert_int_eq(err_wrap(&e, "submit"), ERR_INPUT);
	ck_assert_str_eq(e.msg, "submit: job 7: line 3 is wrong");
}
END_TEST

START_TEST(what_is_no_character_is_left_out)
{
	err_set(&e, ERR_INPUT, "group %.4s: \xff is \xc3\xa4\n", "a\xe2\x82\xac\xe2\x82\xac");
	ck_assert_str_eq(e.msg, "group a\xe2\x82\xac:  is \xc3\xa4?");
	err_set(&e, ERR_INPUT, "group %.3s: is 7", "a\xe2\x82\xac");
	ck_assert_str_eq(e.msg, "group a: is 7");
	errno = ENOSPC;
	err_errno(&e, "%.3s", "ab\xc3\xa4");
	ck_assert(!strncmp(e.msg, "ab: ", 4));
	char text[sizeof e.msg + 8];
	for (size_t i = 0; i < sizeof text - 3; i += 2)
		memcpy(text + i, "\xc3\xa4", 3);
	err_set(&e, ERR_INPUT, "%s", text);
	ck_assert(utf8_printable(e.msg));
	err_wrap(&e, "xy");
	ck_assert(utf8_printable(e.msg));
}
END_TEST

START_TEST(a_sentence_that_is_too_long_is_cut_and_terminated)
{
	char text[2000];
	memset(text, 'a', sizeof text);
	text[sizeof text - 1] = '\0';
	err_set(&e, ERR_INPUT, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	err_wrap(&e, "context");
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	ck_assert_int_eq(strncmp(e.msg, "context: aaa", 12), 0);
	err_wrap(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.msg), sizeof e.msg - 1);
	ck_assert_int_eq(e.msg[0], 'a');
}
END_TEST

START_TEST(every_code_has_a_word_of_its_own)
{
	for (int a = ERR_OK; a <= ERR_INTERNAL; a++) {
		ck_assert_str_ne(err_name((enum err)a), "unknown");
		for (int b = ERR_OK; b < a; b++)
			ck_assert_str_ne(err_name((enum err)a), err_name((enum err)b));
	}
	ck_assert_str_eq(err_name((enum err)(ERR_INTERNAL + 1)), "unknown");
	ck_assert_str_eq(err_name((enum err) - 1), "unknown");
}
END_TEST

Suite *suite_err(void)
{
	Suite *s = suite_create("err");
	TCase *c = tcase_create("err");
	suite_add_tcase(s, c);
	tcase_add_test(c, setting_fills_code_and_sentence_and_returns_the_code);
	tcase_add_test(c, a_caller_without_errinfo_still_gets_the_code);
	tcase_add_loop_test(c, errno_becomes_a_code_and_its_own_sentence, 0, 4);
	tcase_add_test(c, wrapping_puts_the_context_first_and_keeps_the_code);
	tcase_add_test(c, what_is_no_character_is_left_out);
	tcase_add_test(c, a_sentence_that_is_too_long_is_cut_and_terminated);
	tcase_add_test(c, every_code_has_a_word_of_its_own);
	return s;
}

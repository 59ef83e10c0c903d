/* args.c -- tests of the command line.
 * SPDX-License-Identifier: MIT */
#include "client/args.h"

#include <stdarg.h>
#include <string.h>

#include "tests/client/scene.h"

static struct args a;

static enum err parse(const char *first, ...)
{
	char *argv[16] = { (char *)"pare", (char *)first };
	int argc = first ? 2 : 1;
	va_list ap;
	va_start(ap, first);
	while (first && argc < 15 && (argv[argc] = va_arg(ap, char *)))
		argc++;
	va_end(ap);
	return args_parse(argc, argv, &a, &e);
}

START_TEST(options_stand_before_and_behind_the_command)
{
	ck_ok(parse("--json", "export", "7", "-u", "unix:/x", "--trial", "41", "-o", "-", NULL));
	ck_assert_str_eq(a.command, "export");
	ck_assert_int_eq(a.operand_count, 1);
	ck_assert_str_eq(a.operands[0], "7");
	ck_assert_str_eq(a.url, "unix:/x");
	ck_assert_str_eq(a.output, "-");
	ck_assert_int_eq(a.trial, 41);
	ck_assert(a.json);
}
END_TEST

START_TEST(a_value_may_hang_on_its_option)
{
	ck_ok(parse("-uunix:/x", "submit", "--seed=9", "--name=a=b", "f", NULL));
	ck_assert_str_eq(a.url, "unix:/x");
	ck_assert_int_eq(a.seed, 9);
	ck_assert_str_eq(a.name, "a=b");
}
END_TEST

START_TEST(what_was_not_given_is_told_from_zero)
{
	ck_ok(parse("submit", "f", "--seed", "0", NULL));
	ck_assert_int_eq(a.seed, 0);
	ck_assert_int_eq(a.budget, -1);
	ck_assert_int_eq(a.trial, -1);
	ck_assert_ptr_null(a.name);
}
END_TEST

START_TEST(two_dashes_end_the_options)
{
	ck_ok(parse("submit", "--", "--json", NULL));
	ck_assert(!a.json);
	ck_assert_str_eq(a.operands[0], "--json");
}
END_TEST

static const struct {
	const char *words[4], *message;
} wrong[] = {
	{ { "--frobnicate" }, "--frobnicate: there is no such option" },
	{ { "--jsn" }, "--jsn: there is no such option; did you mean --json?" },
	{ { "-q" }, "-q: there is no such option" },
	{ { "--url" }, "--url: has no value, expected URL" },
	{ { "--url=" }, "--url: is empty, expected URL" },
	{ { "--json=yes" }, "--json=yes: --json takes no value" },
	{ { "--seed", "x" }, "--seed: is 'x', expected an integer from 0 to 9007199254740992" },
	{ { "--seed", "1.5" }, "--seed: is '1.5', expected an integer from 0 to 9007199254740992" },
	{ { "--budget", "0" }, "--budget: is '0', expected an integer from 1 to 1000000" },
	{ { "--trial", "99999999999999999999" },
		"--trial: is '99999999999999999999', expected an integer from 0 to 2000000" },
};

START_TEST(a_wrong_option_is_named_with_what_was_expected)
{
	const char *const *w = wrong[_i].words;
	memset(&a, 0x5a, sizeof a);
	struct args before = a;
	ck_assert_int_eq(parse(w[0], w[1], w[2], w[3], NULL), ERR_INPUT);
	ck_assert_str_eq(e.msg, wrong[_i].message);
	ck_assert_msg(!memcmp(&before, &a, sizeof a), "the result was written on failure");
}
END_TEST

START_TEST(bounds_add_up_in_their_order)
{
	ck_ok(parse("best", "7", "--where", "macs<=30%", "--where=accuracy >= 0.9", NULL));
	ck_assert_int_eq(a.where_count, 2);
	ck_assert_str_eq(a.where[0], "macs<=30%");
	ck_assert_str_eq(a.where[1], "accuracy >= 0.9");
	ck_ok(args_check(&a, &e));
	ck_assert_int_eq(parse("best", "7", "--where=", NULL), ERR_INPUT);
	ck_assert_str_eq(e.msg, "--where: is empty, expected BOUND");
	char *words[20] = { "pare", "best" };
	for (int i = 2; i < 19; i++)
		words[i] = "--where=a";
	ck_assert_int_eq(args_parse(19, words, &a, &e), ERR_INPUT);
	ck_assert_str_eq(e.msg, "--where: is there more than 16 times");
}
END_TEST

START_TEST(an_option_of_another_command_is_refused)
{
	ck_ok(parse("jobs", "--watch", NULL));
	ck_assert_int_eq(args_check(&a, &e), ERR_INPUT);
	ck_assert_str_eq(e.msg, "--watch: belongs to 'submit', not to 'jobs'");
	ck_ok(parse("submit", "f", "--watch", "--json", NULL));
	ck_ok(args_check(&a, &e));
}
END_TEST

START_TEST(more_operands_than_any_command_takes_are_refused)
{
	ck_assert_int_eq(parse("show", "1", "2", "3", "4", "5", NULL), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "'5'"));
}
END_TEST

START_TEST(the_nearest_word_is_found_and_far_ones_are_not)
{
	static const char *const words[] = { "submit", "show", "pareto", "pause" };
	ck_assert_str_eq(args_nearest("sumbit", words, 4), "submit");
	ck_assert_str_eq(args_nearest("parteo", words, 4), "pareto");
	ck_assert_str_eq(args_nearest("shwo", words, 4), "show");
	ck_assert_ptr_null(args_nearest("xyzzy", words, 4));
	ck_assert_ptr_null(args_nearest("a word that is far longer than all of those here are", words, 4));
}
END_TEST

Suite *suite_args(void)
{
	Suite *s = suite_create("args");
	TCase *t = tcase_create("args");
	tcase_add_test(t, options_stand_before_and_behind_the_command);
	tcase_add_test(t, a_value_may_hang_on_its_option);
	tcase_add_test(t, what_was_not_given_is_told_from_zero);
	tcase_add_test(t, two_dashes_end_the_options);
	tcase_add_loop_test(t, a_wrong_option_is_named_with_what_was_expected, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, bounds_add_up_in_their_order);
	tcase_add_test(t, an_option_of_another_command_is_refused);
	tcase_add_test(t, more_operands_than_any_command_takes_are_refused);
	tcase_add_test(t, the_nearest_word_is_found_and_far_ones_are_not);
	suite_add_tcase(s, t);
	return s;
}

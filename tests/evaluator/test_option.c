/* test_option.c -- command lines, right and wrong.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "evaluator/option.h"
#include "tests/evaluator/suites.h"

struct options {
	const char *model, *out;
	size_t images, seed;
	double ratio;
	bool json;
};

static const struct option_row rows[] = {
	{ NULL, "MODEL", OPTION_TEXT, offsetof(struct options, model), true, 0, 0 },
	{ "-o", "OUT", OPTION_TEXT, offsetof(struct options, out), false, 0, 0 },
	{ "--images", "N", OPTION_COUNT, offsetof(struct options, images), false, 1, 100 },
	{ "--seed", "N", OPTION_COUNT, offsetof(struct options, seed), false, 0, 9007199254740992.0 },
	{ "--ratio", "R", OPTION_NUMBER, offsetof(struct options, ratio), false, 0, 0.5 },
	{ "--json", NULL, OPTION_FLAG, offsetof(struct options, json), false, 0, 0 },
};

/* Splits line at blanks and reads it. */
static enum err read_line(const char *line, struct options *o, struct errinfo *e)
{
	static char text[256];
	char *argv[16] = { NULL };
	int argc = 0;
	strcpy(text, line);
	for (char *p = strtok(text, " "); p; p = strtok(NULL, " "))
		argv[argc++] = p;
	return option_read(argc, argv, rows, sizeof rows / sizeof *rows, o, e);
}

START_TEST(options_come_in_any_order_and_both_forms)
{
	struct options o = { .images = 3 };
	struct errinfo e = { 0 };
	ck_assert_msg(!read_line("p prune --json -o small.onnx big.onnx --ratio=0.25", &o, &e), "%s", e.msg);
	ck_assert_str_eq(o.model, "big.onnx");
	ck_assert_str_eq(o.out, "small.onnx");
	ck_assert(o.json && o.ratio == 0.25 && o.images == 3);
	ck_assert_msg(!read_line("p prune --images 7 -- --odd", &o, &e), "%s", e.msg);
	ck_assert_str_eq(o.model, "--odd");
	ck_assert_uint_eq(o.images, 7);
}
END_TEST

static const struct {
	const char *line, *message;
} wrong_lines[] = {
	{ "p prune", "prune: MODEL is missing" },
	{ "p prune a b", "prune: MODEL is given twice" },
	{ "p prune a --what 3", "prune: unknown option '--what'" },
	{ "p prune a -o", "prune: -o needs a value: OUT" },
	{ "p prune a --out=", "prune: unknown option '--out='" },
	{ "p prune a -o=", "prune: -o: is empty, expected OUT" },
	{ "p prune a --json=1", "prune: --json takes no value" },
	{ "p prune a --json --json", "prune: --json is given twice" },
	{ "p prune a --images 0", "prune: --images: is '0', expected a whole number from 1 to 100" },
	{ "p prune a --seed x", "prune: --seed: is 'x', expected a whole number from 0 to 9007199254740992" },
	{ "p prune a --images 2.5", "prune: --images: is '2.5'" },
	{ "p prune a --images 7x", "prune: --images: is '7x'" },
	{ "p prune a --ratio 0.6", "prune: --ratio: is '0.6', expected a number from 0 to 0.5" },
	{ "p prune a --ratio nan", "prune: --ratio: is 'nan'" },
	{ "p prune a --ratio 1e999", "prune: --ratio: is '1e999'" },
};

START_TEST(a_wrong_line_is_refused_by_option_and_value)
{
	struct options o = { 0 };
	struct errinfo e = { 0 };
	ck_assert_int_eq(read_line(wrong_lines[_i].line, &o, &e), ERR_INPUT);
	ck_assert_msg(!strncmp(e.msg, wrong_lines[_i].message, strlen(wrong_lines[_i].message)), "%s", e.msg);
}
END_TEST

START_TEST(lists_of_numbers_are_read_whole_or_refused)
{
	float x[3];
	size_t n = 0;
	struct errinfo e = { 0 };
	ck_assert_msg(!option_numbers("--mean", "0.5,-2,1e-3", x, 3, &n, &e), "%s", e.msg);
	ck_assert(n == 3 && x[0] == 0.5f && x[1] == -2 && x[2] == 1e-3f);
	static const char *const wrong[] = { "", ",", "1,", ",1", "1,,2", "1;2", "1, 2", "1e39", "inf", "1,2,3,4" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(option_numbers("--mean", wrong[i], x, 3, &n, &e) == ERR_INPUT, "'%s' was accepted",
			wrong[i]);
}
END_TEST

Suite *option_suite(void)
{
	Suite *s = suite_create("option");
	TCase *t = tcase_create("option");
	tcase_add_test(t, options_come_in_any_order_and_both_forms);
	tcase_add_loop_test(t, a_wrong_line_is_refused_by_option_and_value, 0,
		sizeof wrong_lines / sizeof *wrong_lines);
	tcase_add_test(t, lists_of_numbers_are_read_whole_or_refused);
	suite_add_tcase(s, t);
	return s;
}

/* test_choice.c -- choices of kernels that are remembered.
 * SPDX-License-Identifier: MIT
 *
 * What a file says is seen by the bits of a convolution: the two methods round differently. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "evaluator/kernels/choice.h"
#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { BATCH = 4, CHANNELS = 20, SIDE = 16, COUNT = BATCH * CHANNELS * SIDE * SIDE };
#define KEY "forward 4x20x16x16 4x20x16x16 1 1"

static char path[] = "/tmp/choice-XXXXXX";

static void new_path(void)
{
	snprintf(path, sizeof path, "/tmp/choice-XXXXXX");
	int fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static void open_file(void)
{
	struct errinfo e;
	ck_assert_msg(!choice_open(path, &e), "%s", e.msg);
}

/* What one convolution gives by the choice in force. */
static float *convolve(void)
{
	struct sketch s = sketch_open("choice", 1, 3, (int64_t[]){ CHANNELS, SIDE, SIDE });
	struct sketch_window w = { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 };
	sketch_finish(&s, sketch_conv(&s, 0, CHANNELS, &w, true));
	struct plan *p = agree_plan(s.g, BATCH, PLAN_INFER, s.what);
	float *x = agree_input(&s.rng, COUNT);
	memcpy(x, agree_run(p, x), COUNT * sizeof *x);
	plan_free(p);
	sketch_close(&s);
	return x;
}

static void read_text(char ret[4096])
{
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	ret[fread(ret, 1, 4095, f)] = '\0';
	fclose(f);
}

/* Behind the line that names the machine. */
static void write_lines(const char *lines)
{
	char text[4096];
	read_text(text);
	*(strchr(text, '\n') + 1) = '\0';
	FILE *f = fopen(path, "w");
	fprintf(f, "%s%s", text, lines);
	fclose(f);
}

static bool same(float *x, float *y)
{
	bool equal = !memcmp(x, y, COUNT * sizeof *x);
	free(x);
	free(y);
	return equal;
}

/* The file is begun, so that write_lines finds the machine's name. */
static void begin(void)
{
	new_path();
	open_file();
	free(convolve());
}

static float *convolve_by(const char *lines)
{
	write_lines(lines);
	return convolve();
}

START_TEST(a_choice_is_measured_once_and_kept)
{
	char first[4096], second[4096];
	begin();
	read_text(first);
	ck_assert_ptr_nonnull(strstr(first, "\n" KEY " "));
	ck_assert(same(convolve(), convolve()));
	read_text(second);
	ck_assert_str_eq(first, second);
	choice_close();
	unlink(path);
}
END_TEST

START_TEST(what_the_file_says_is_done)
{
	begin();
	ck_assert(!same(convolve_by(KEY " direct\n"), convolve_by(KEY " winograd\n")));
	ck_assert(same(convolve_by(KEY " direct\n"), convolve_by(KEY " direct\n" KEY " winograd\n")));
	choice_close();
	ck_assert(same(convolve_by(KEY " direct\n"), convolve_by(KEY " winograd\n")));
	unlink(path);
}
END_TEST

/* None of these is taken for a choice; each is measured anew, and the line that comes to be is whole. */
static const char *const torn[] = { "", KEY " wino", KEY " direc", KEY, "\n\n" KEY " fastest\n", "x" KEY " direct\n",
	KEY "  direct\n", KEY " direct \n", "%s%n\xff\xfe\n" };

START_TEST(torn_and_foreign_lines_are_not_choices)
{
	char text[4096];
	begin();
	write_lines(torn[_i]);
	free(convolve());
	read_text(text);
	ck_assert(strstr(text, "\n" KEY " direct\n") || strstr(text, "\n" KEY " winograd\n"));
	choice_close();
	unlink(path);
}
END_TEST

START_TEST(the_file_of_another_machine_is_started_anew)
{
	char text[4096];
	new_path();
	FILE *f = fopen(path, "w");
	fprintf(f, "pared kernels 1, another, oneDNN 0.0.0\nsome line\n%s direct\n", KEY);
	fclose(f);
	open_file();
	free(convolve());
	read_text(text);
	ck_assert_ptr_null(strstr(text, "another"));
	ck_assert_ptr_null(strstr(text, "some line"));
	ck_assert_ptr_nonnull(strstr(text, "\n" KEY " "));
	choice_close();
	unlink(path);
}
END_TEST

START_TEST(a_file_that_cannot_be_kept_is_an_error)
{
	struct errinfo e;
	ck_assert_int_eq(choice_open("/nowhere/at/all", &e), ERR_IO);
	ck_assert_ptr_nonnull(strstr(e.msg, "/nowhere/at/all"));
}
END_TEST

Suite *choice_suite(void)
{
	Suite *s = suite_create("choice");
	TCase *t = tcase_create("choice");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_choice_is_measured_once_and_kept);
	tcase_add_test(t, what_the_file_says_is_done);
	tcase_add_loop_test(t, torn_and_foreign_lines_are_not_choices, 0, sizeof torn / sizeof *torn);
	tcase_add_test(t, the_file_of_another_machine_is_started_anew);
	tcase_add_test(t, a_file_that_cannot_be_kept_is_an_error);
	suite_add_tcase(s, t);
	return s;
}

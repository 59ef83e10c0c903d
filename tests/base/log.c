/* log.c -- tests of the lines on standard error, and of the clocks.
 * SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/base/scene.h"

static void say_all(void)
{
	log_error("disk %s", "full");
	log_warning("worker %d is gone", 2);
	log_info("ready");
	log_debug("lease 7");
}

/* Standard error as it was written while say_all ran. */
static const char *heard(void)
{
	static char text[4096];
	fflush(stderr);
	int kept = dup(STDERR_FILENO), file = open(in_folder("log"), O_CREAT | O_TRUNC | O_RDWR, 0600);
	dup2(file, STDERR_FILENO);
	say_all();
	dup2(kept, STDERR_FILENO);
	ssize_t n = pread(file, text, sizeof text - 1, 0);
	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	close(file);
	close(kept);
	return text;
}

START_TEST(a_terminal_gets_words_and_no_debugging)
{
	unsetenv("JOURNAL_STREAM");
	ck_assert_str_eq(heard(), "error: disk full\nwarning: worker 2 is gone\nready\n");
}
END_TEST

START_TEST(the_journal_gets_priorities)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_set_level(LOG_DEBUG);
	ck_assert_str_eq(heard(), "<3>disk full\n<4>worker 2 is gone\n<6>ready\n<7>lease 7\n");
}
END_TEST

START_TEST(the_level_decides_what_is_dropped)
{
	unsetenv("JOURNAL_STREAM");
	log_set_level(LOG_ERROR);
	ck_assert_str_eq(heard(), "error: disk full\n");
}
END_TEST

START_TEST(the_steady_clock_never_goes_back)
{
	int64_t last = clock_ns();
	for (int i = 0; i < 10000; i++) {
		int64_t now = clock_ns();
		ck_assert_int_ge(now, last);
		last = now;
	}
}
END_TEST

START_TEST(the_civil_clock_counts_milliseconds_since_1970)
{
	int64_t before = (int64_t)time(NULL) * 1000;
	int64_t now = clock_wall_ms();
	ck_assert_int_ge(now, before - 1000);
	ck_assert_int_le(now, ((int64_t)time(NULL) + 2) * 1000);
}
END_TEST

Suite *suite_log(void)
{
	Suite *s = suite_create("log");
	TCase *c = scene_case(s, "log");
	tcase_add_test(c, a_terminal_gets_words_and_no_debugging);
	tcase_add_test(c, the_journal_gets_priorities);
	tcase_add_test(c, the_level_decides_what_is_dropped);
	c = scene_case(s, "clock");
	tcase_add_test(c, the_steady_clock_never_goes_back);
	tcase_add_test(c, the_civil_clock_counts_milliseconds_since_1970);
	return s;
}

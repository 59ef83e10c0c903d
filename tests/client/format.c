/* format.c -- tests of numbers and texts for people.
 * SPDX-License-Identifier: MIT */
#include "client/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/client/scene.h"

typedef const char *formatter(double x, char buf[FORMAT_MAX]);

static const struct {
	formatter *format;
	double x;
	const char *text;
} numbers[] = {
	{ format_count, 0, "0" },
	{ format_count, 999, "999" },
	{ format_count, 1000, "1.00k" },
	{ format_count, 9994, "9.99k" },
	{ format_count, 9996, "10.0k" },
	{ format_count, 61706, "61.7k" },
	{ format_count, 298410, "298.4k" },
	{ format_count, 999940, "999.9k" },
	{ format_count, 999960, "1.00M" },
	{ format_count, 1110000, "1.11M" },
	{ format_count, 30997000, "31.0M" },
	{ format_count, 9e18, "9000.0P" },
	{ format_count, -1500, "-1.50k" },
	{ format_count, NAN, "-" },
	{ format_count, INFINITY, "-" },
	{ format_bytes, 512, "512 B" },
	{ format_bytes, 344100, "344.1 kB" },
	{ format_bytes, 26421880, "26.4 MB" },
	{ format_fraction, 0.95124, "0.9512" },
	{ format_fraction, 1e300, "-" },
	{ format_ratio, 0.456, "0.46" },
	{ format_percent, 0.6844, "68.4%" },
	{ format_percent, -0.0001, "0.0%" },
	{ format_percent, -0.25, "-25.0%" },
	{ format_percent, NAN, "-" },
	{ format_duration, 0, "0.0s" },
	{ format_duration, 0.038, "38 ms" },
	{ format_duration, 0.9994, "999 ms" },
	{ format_duration, 0.9996, "1.0s" },
	{ format_duration, 9.94, "9.9s" },
	{ format_duration, 9.96, "10s" },
	{ format_duration, 59.6, "1m 00s" },
	{ format_duration, 200, "3m 20s" },
	{ format_duration, 3599.7, "1h 00m" },
	{ format_duration, 90061, "1d 01h" },
	{ format_duration, -1, "-" },
	{ format_duration, INFINITY, "-" },
	{ format_time, 1763769600000, "2025-11-22 00:00" },
	{ format_time, 0, "-" },
	{ format_time, 1e300, "-" },
	{ format_time, NAN, "-" },
};

START_TEST(numbers_read_as_people_write_them)
{
	char buf[FORMAT_MAX];
	setenv("TZ", "UTC", 1);
	tzset();
	ck_assert_str_eq(numbers[_i].format(numbers[_i].x, buf), numbers[_i].text);
}
END_TEST

START_TEST(a_metric_has_its_own_unit)
{
	char buf[FORMAT_MAX];
	ck_assert_str_eq(format_metric("params", 86000, buf), "86.0k");
	ck_assert_str_eq(format_metric("macs", 9e6, buf), "9.00M");
	ck_assert_str_eq(format_metric("bytes", 350000, buf), "350.0 kB");
	ck_assert_str_eq(format_metric("memory", 230000, buf), "230.0 kB");
	ck_assert_str_eq(format_metric("latency", 0.46, buf), "0.46");
	ck_assert_str_eq(format_metric("accuracy", 0.93, buf), "0.9300");
}
END_TEST

static const struct {
	const char *text, *clean;
} dirty[] = {
	{ "plain", "plain" },
	{ NULL, "-" },
	{ "", "" },
	{ "\033[2J\033]0;owned\007", "?[2J?]0;owned?" },
	{ "two\nlines\tand\rmore", "two lines and more" },
	{ "del\177", "del?" },
	{ "c1 \302\233 csi", "c1 ? csi" },
	{ "bare \233 byte", "bare ? byte" },
	{ "right\342\200\256left", "right?left" },
	{ "isolate\342\201\246", "isolate?" },
	{ "caf\303\251 \346\274\242", "caf\303\251 \346\274\242" },
	{ "cut \303", "cut ?" },
	{ "overlong \300\257", "overlong ??" },
	{ "surrogate \355\240\200", "surrogate ???" },
	{ "beyond \364\220\200\200", "beyond ????" },
	{ "no XML \357\277\277", "no XML ?" },
};

START_TEST(nothing_that_steers_a_terminal_passes)
{
	char buf[128];
	ck_assert_str_eq(format_clean(dirty[_i].text, buf, sizeof buf), dirty[_i].clean);
}
END_TEST

START_TEST(a_cut_falls_between_characters)
{
	char buf[8];
	ck_assert_str_eq(format_clean("caf\303\251s", buf, 6), "caf\303\251");
	ck_assert_str_eq(format_clean("caf\303\251s", buf, 5), "caf");
	ck_assert_str_eq(format_clean("caf", buf, 1), "");
}
END_TEST

START_TEST(every_byte_string_comes_out_clean_and_stays_so)
{
	char text[32], once[64], twice[64];
	unsigned state = 12345;
	for (int i = 0; i < 20000; i++) {
		for (size_t k = 0; k < sizeof text - 1; k++) {
			state = state * 1664525 + 1013904223;
			text[k] = (char)(1 + (state >> 24) % 255);
		}
		text[sizeof text - 1] = '\0';
		format_clean(text, once, sizeof once);
		for (const char *p = once; *p; p++)
			ck_assert_int_ge((unsigned char)*p, 0x20);
		ck_assert_str_eq(format_clean(once, twice, sizeof twice), once);
		ck_assert_int_le(format_width(once), (int)strlen(once));
	}
}
END_TEST

START_TEST(width_and_fit_count_characters)
{
	ck_assert_int_eq(format_width("caf\303\251"), 4);
	ck_assert_uint_eq(format_fit("caf\303\251s", 4), 5);
	ck_assert_uint_eq(format_fit("caf\303\251s", 9), 6);
	ck_assert_uint_eq(format_fit("cafe", 0), 0);
	ck_assert_uint_eq(format_fit("", 3), 0);
}
END_TEST

Suite *suite_format(void)
{
	Suite *s = suite_create("format");
	TCase *t = tcase_create("format");
	tcase_add_loop_test(t, numbers_read_as_people_write_them, 0, sizeof numbers / sizeof *numbers);
	tcase_add_test(t, a_metric_has_its_own_unit);
	tcase_add_loop_test(t, nothing_that_steers_a_terminal_passes, 0, sizeof dirty / sizeof *dirty);
	tcase_add_test(t, a_cut_falls_between_characters);
	tcase_add_test(t, every_byte_string_comes_out_clean_and_stays_so);
	tcase_add_test(t, width_and_fit_count_characters);
	suite_add_tcase(s, t);
	return s;
}

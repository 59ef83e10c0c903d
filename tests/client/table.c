/* table.c -- tests of aligned columns.
 * SPDX-License-Identifier: MIT */
#include "client/table.h"

#include <stdlib.h>
#include <string.h>

#include "tests/client/scene.h"

static const struct table_column columns[] = {
	{ "JOB", TABLE_RIGHT }, { "NAME", TABLE_LEFT }, { "TEST", TABLE_SPARSE }, { "NOTE", TABLE_NOTE },
};

/* The table of these cells as text; the caller frees. */
static char *printed(const char *const *cells, int count, bool bold)
{
	char *text = NULL;
	size_t len;
	struct table *t = table_new(columns, 4);
	FILE *out = open_memstream(&text, &len);
	ck_assert_ptr_nonnull(t);
	ck_assert_ptr_nonnull(out);
	for (int i = 0; i < count; i++)
		table_cell(t, cells[i]);
	ck_ok(table_print(t, out, bold, &e));
	table_free(t);
	fclose(out);
	return text;
}

static void expect(const char *const *cells, int count, const char *text)
{
	char *got = printed(cells, count, false);
	ck_assert_str_eq(got, text);
	free(got);
}

START_TEST(numbers_end_and_texts_begin_under_their_titles)
{
	static const char *const cells[] = { "7", "fashion-vgg", "0.93", "why", "1234", "x", "0.9", "because" };
	expect(cells, 8,
		" JOB  NAME         TEST  NOTE\n"
		"   7  fashion-vgg  0.93  why\n"
		"1234  x             0.9  because\n");
}
END_TEST

START_TEST(optional_columns_without_values_are_left_out)
{
	static const char *const cells[] = { "7", "a", NULL, "", "8", "b", "-", "-" };
	expect(cells, 8, "JOB  NAME\n  7  a\n  8  b\n");
}
END_TEST

START_TEST(an_absent_value_is_a_dash_and_an_absent_note_nothing)
{
	static const char *const cells[] = { "7", NULL, NULL, NULL, "8", "b", "1", "n" };
	expect(cells, 8,
		"JOB  NAME  TEST  NOTE\n"
		"  7  -        -\n"
		"  8  b        1  n\n");
}
END_TEST

START_TEST(letters_of_several_bytes_are_one_column)
{
	static const char *const cells[] = { "1", "caf\303\251", "-", "n", "2", "abcd", "-", "n" };
	expect(cells, 8, "JOB  NAME  NOTE\n  1  caf\303\251  n\n  2  abcd  n\n");
}
END_TEST

START_TEST(cells_cannot_carry_control_characters)
{
	static const char *const cells[] = { "1", "\033[31mred", "-", "a\nb" };
	expect(cells, 4, "JOB  NAME      NOTE\n  1  ?[31mred  a b\n");
}
END_TEST

START_TEST(only_a_bold_table_has_escape_sequences)
{
	static const char *const cells[] = { "1", "x", "-", "-" };
	char *plain = printed(cells, 4, false), *bold = printed(cells, 4, true);
	ck_assert_ptr_null(strchr(plain, '\033'));
	ck_assert_str_eq(bold, "\033[1mJOB  NAME\033[0m\n  1  x\n");
	free(plain);
	free(bold);
}
END_TEST

START_TEST(a_table_without_rows_is_its_titles)
{
	expect(NULL, 0, "JOB  NAME\n");
}
END_TEST

Suite *suite_table(void)
{
	Suite *s = suite_create("table");
	TCase *t = tcase_create("table");
	tcase_add_test(t, numbers_end_and_texts_begin_under_their_titles);
	tcase_add_test(t, optional_columns_without_values_are_left_out);
	tcase_add_test(t, an_absent_value_is_a_dash_and_an_absent_note_nothing);
	tcase_add_test(t, letters_of_several_bytes_are_one_column);
	tcase_add_test(t, cells_cannot_carry_control_characters);
	tcase_add_test(t, only_a_bold_table_has_escape_sequences);
	tcase_add_test(t, a_table_without_rows_is_its_titles);
	suite_add_tcase(s, t);
	return s;
}

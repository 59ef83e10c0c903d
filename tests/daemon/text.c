/* text.c -- JSON text being written.
 * SPDX-License-Identifier: MIT */
#include "daemon/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/scene.h"

START_TEST(commas_stand_between_and_nowhere_else)
{
	struct text t;
	char *s;
	text_init(&t);
	text_open(&t, '{');
	text_put_int(&t, "a", -1);
	text_key(&t, "b");
	text_open(&t, '[');
	text_open(&t, '[');
	text_close(&t, ']');
	text_string(&t, NULL);
	text_bool(&t, true);
	text_close(&t, ']');
	text_put_json(&t, "c", "{\"x\":1}");
	text_close(&t, '}');
	ck_ok(text_take(&t, &s, NULL, &e));
	ck_assert_str_eq(s, "{\"a\":-1,\"b\":[[],null,true],\"c\":{\"x\":1}}");
	free(s);
}
END_TEST

START_TEST(strings_read_back_as_they_were)
{
	static const char hostile[] = "a\"b\\c\nd\te\x01 \xc3\xbc \x7f/";
	struct text t;
	char *s;
	text_init(&t);
	text_string(&t, hostile);
	ck_ok(text_take(&t, &s, NULL, &e));
	cJSON *doc = cJSON_Parse(s);
	ck_assert_str_eq(cJSON_GetStringValue(doc), hostile);
	cJSON_Delete(doc);
	free(s);
}
END_TEST

START_TEST(bytes_of_no_character_are_written_as_a_replacement)
{
	struct text t;
	char *s;
	text_init(&t);
	text_string(&t, "a\xff\xe2\x82\"\xe2\x82\xac\xc3");
	ck_ok(text_take(&t, &s, NULL, &e));
	ck_assert_str_eq(s, "\"a\\ufffd\\ufffd\\ufffd\\\"\xe2\x82\xac\\ufffd\"");
	free(s);
}
END_TEST

START_TEST(numbers_read_back_as_they_were_and_infinity_is_null)
{
	static const double numbers[] = { 0, 0.1, 1.0 / 3, 1e300, -5e-324, 9007199254740991, 0.95 };
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		struct text t;
		char *s;
		text_init(&t);
		text_number(&t, numbers[i]);
		ck_ok(text_take(&t, &s, NULL, &e));
		ck_assert(strtod(s, NULL) == numbers[i]);
		free(s);
	}
	struct text t;
	char *s;
	text_init(&t);
	text_number(&t, NAN);
	ck_ok(text_take(&t, &s, NULL, &e));
	ck_assert_str_eq(s, "null");
	free(s);
}
END_TEST

Suite *suite_text(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");
	tcase_add_test(t, commas_stand_between_and_nowhere_else);
	tcase_add_test(t, strings_read_back_as_they_were);
	tcase_add_test(t, bytes_of_no_character_are_written_as_a_replacement);
	tcase_add_test(t, numbers_read_back_as_they_were_and_infinity_is_null);
	suite_add_tcase(s, t);
	return s;
}

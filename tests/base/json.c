/* json.c -- tests of strict reading of JSON.
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/base/scene.h"

static cJSON *parse(const char *text)
{
	cJSON *doc;
	ck_ok(json_parse("doc", text, strlen(text), &doc, &e));
	return doc;
}

START_TEST(comments_are_allowed_and_strings_keep_what_looks_like_one)
{
	cJSON *doc =
		parse("// first\n{\"a\": /* one */ 1, // rest\n \"url\": \"http://x/*y*/\", \"q\": \"\\\"//\"} // end");
	ck_assert_double_eq(cJSON_GetObjectItem(doc, "a")->valuedouble, 1);
	ck_assert_str_eq(cJSON_GetObjectItem(doc, "url")->valuestring, "http://x/*y*/");
	ck_assert_str_eq(cJSON_GetObjectItem(doc, "q")->valuestring, "\"//");
	cJSON_Delete(doc);
}
END_TEST

static const struct {
	const char *text, *message;
} broken[] = {
	{ "", "doc: line 1, column 1: not valid JSON" },
	{ "{\"a\": }", "doc: line 1, column 7: not valid JSON" },
	{ "{\"a\": 1} x", "doc: line 1, column 10: not valid JSON" },
	{ "{\n  \"a\": 1,\n  \"b\": oops\n}", "doc: line 3, column 8: not valid JSON" },
	{ "/* two\nlines */ {\"a\": 1, // more\n\"b\": oops}", "doc: line 3, column 6: not valid JSON" },
	{ "{\"a\": 1} /* open", "doc: line 1, column 10: not valid JSON" },
	{ "{\"name\": \"a\\u0000b\"}", "doc: line 1, column 12: a NUL character in a string" },
	{ "{\"a\": \"x\xff\"}", "doc: line 1, column 9: not UTF-8" },
	{ "\n\"\xc3\"", "doc: line 2, column 2: not UTF-8" },
	{ "\"\xc0\xaf\"", "doc: line 1, column 2: not UTF-8" },
	{ "\"\xe0\x80\x80\"", "doc: line 1, column 2: not UTF-8" },
	{ "\"\xed\xa0\x80\"", "doc: line 1, column 2: not UTF-8" },
	{ "\"\xf4\x90\x80\x80\"", "doc: line 1, column 2: not UTF-8" },
};
enum { BROKEN = sizeof broken / sizeof *broken };

START_TEST(what_is_broken_is_said_with_its_place)
{
	cJSON *doc;
	ck_fails(ERR_INPUT, json_parse("doc", broken[_i].text, strlen(broken[_i].text), &doc, &e));
	ck_assert_str_eq(e.msg, broken[_i].message);
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
	cJSON *doc;
	ck_fails(ERR_INPUT, json_parse("doc", "{}\0{}", 5, &doc, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "NUL byte"));
}
END_TEST

START_TEST(only_the_given_length_is_read)
{
	cJSON *doc;
	ck_ok(json_parse("doc", "{}garbage", 2, &doc, &e));
	cJSON_Delete(doc);
}
END_TEST

START_TEST(text_beyond_ascii_passes)
{
	cJSON *doc = parse("[\"\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd\", \"\\\\u0000\"]");
	ck_assert_str_eq(
		cJSON_GetArrayItem(doc, 0)->valuestring, "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80 \xef\xbf\xbd");
	ck_assert_str_eq(cJSON_GetArrayItem(doc, 1)->valuestring, "\\u0000");
	cJSON_Delete(doc);
}
END_TEST

START_TEST(brackets_nested_without_end_are_refused)
{
	static char text[200000];
	cJSON *doc;
	memset(text, '[', sizeof text - 1);
	ck_fails(ERR_INPUT, json_parse("doc", text, strlen(text), &doc, &e));
}
END_TEST

START_TEST(a_file_is_parsed_and_named_in_errors)
{
	cJSON *doc;
	write_text(in_folder("good.json"), "{\"a\": 1} // yes\n");
	write_text(in_folder("bad.json"), "{\n\"a\" 1}\n");
	ck_ok(json_parse_file(in_folder("good.json"), &doc, &e));
	cJSON_Delete(doc);
	ck_fails(ERR_INPUT, json_parse_file(in_folder("bad.json"), &doc, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "bad.json: line 2, column 5"));
	ck_fails(ERR_NOT_FOUND, json_parse_file(in_folder("missing.json"), &doc, &e));
}
END_TEST

struct sample {
	const char *name;
	int64_t count, free;
	double ratio;
	bool on;
	const cJSON *options, *list, *any;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct sample, name, JSON_STRING, true),
	JSON_FIELD(struct sample, count, JSON_INT, false, 1, 1000000),
	JSON_FIELD(struct sample, free, JSON_INT),
	JSON_FIELD(struct sample, ratio, JSON_NUMBER, false, 0, 0.95),
	JSON_FIELD(struct sample, on, JSON_BOOL),
	JSON_FIELD(struct sample, options, JSON_OBJECT),
	JSON_FIELD(struct sample, list, JSON_ARRAY),
	JSON_FIELD(struct sample, any, JSON_ANY),
};
enum { FIELDS = sizeof fields / sizeof *fields };

START_TEST(every_kind_of_field_is_read)
{
	cJSON *doc = parse(
		"{\"name\": \"n\", \"count\": 1000000, \"free\": -9007199254740992, \"ratio\": 0.95, \"on\": true, "
		"\"options\": {\"x\": 1}, \"list\": [1, 2], \"any\": null}");
	struct sample s = { 0 };
	ck_ok(json_read(doc, "", fields, FIELDS, &s, &e));
	ck_assert_str_eq(s.name, "n");
	ck_assert_int_eq(s.count, 1000000);
	ck_assert_int_eq(s.free, -9007199254740992);
	ck_assert_double_eq(s.ratio, 0.95);
	ck_assert(s.on);
	ck_assert_int_eq(cJSON_GetArraySize(s.options), 1);
	ck_assert_int_eq(cJSON_GetArraySize(s.list), 2);
	ck_assert(cJSON_IsNull(s.any));
	cJSON_Delete(doc);
}
END_TEST

struct range {
	int64_t seed;
	double loss, cost, share, depth;
};

static const struct json_field ranges[] = {
	JSON_FIELD(struct range, seed, JSON_INT, false, 0, 0x1p53),
	JSON_FIELD(struct range, loss, JSON_NUMBER, false, 0, DBL_MAX),
	JSON_FIELD(struct range, cost, JSON_NUMBER, false, 1, 0x1p53),
	JSON_FIELD(struct range, share, JSON_NUMBER, false, 0.0001, 1),
	JSON_FIELD(struct range, depth, JSON_INT, false, -1e9, 1e9),
};

static const struct {
	const char *text, *message;
} outside[] = {
	{ "{\"seed\": -1}", "seed: is -1, expected an integer from 0 to 9007199254740992" },
	{ "{\"loss\": -1}", "loss: is -1, expected a number of at least 0" },
	{ "{\"cost\": 0}", "cost: is 0, expected a number from 1 to 9007199254740992" },
	{ "{\"share\": 2}", "share: is 2, expected a number from 0.0001 to 1" },
	{ "{\"depth\": 1.5}", "depth: is 1.5, expected an integer from -1000000000 to 1000000000" },
};

START_TEST(ranges_are_said_in_whole_numbers)
{
	cJSON *doc = parse(outside[_i].text);
	struct range r;
	ck_fails(ERR_INPUT, json_read(doc, "", ranges, sizeof ranges / sizeof *ranges, &r, &e));
	ck_assert_str_eq(e.msg, outside[_i].message);
	cJSON_Delete(doc);
}
END_TEST

START_TEST(where_no_key_is_known_none_is_expected)
{
	cJSON *doc = parse("{\"x\": 1}");
	ck_fails(ERR_INPUT, json_read(doc, "", fields, 0, NULL, &e));
	ck_assert_str_eq(e.msg, "x: unknown key, expected none");
	cJSON_Delete(doc);
}
END_TEST

START_TEST(what_is_not_there_keeps_its_default)
{
	cJSON *doc = parse("{\"name\": \"n\"}");
	struct sample s = { .count = 60, .ratio = 0.5, .on = true };
	ck_ok(json_read(doc, "", fields, FIELDS, &s, &e));
	ck_assert_int_eq(s.count, 60);
	ck_assert_double_eq(s.ratio, 0.5);
	ck_assert(s.on);
	ck_assert_ptr_null(s.options);
	cJSON_Delete(doc);
}
END_TEST

static const struct {
	const char *path, *text, *message;
} refused[] = {
	{ "", "[1, 2]", "document: is an array of 2, expected an object" },
	{ "data.train", "7", "data.train: is 7, expected an object" },
	{ "", "{}", "name: missing, and required" },
	{ "data", "{\"count\": 1}", "data.name: missing, and required" },
	{ "", "{\"name\": 5}", "name: is 5, expected a string" },
	{ "", "{\"name\": null}", "name: is null, expected a string" },
	{ "budget", "{\"count\": -3}", "budget.count: is -3, expected an integer from 1 to 1000000" },
	{ "", "{\"count\": 1000001}", "count: is 1000001, expected an integer from 1 to 1000000" },
	{ "", "{\"count\": 1.5}", "count: is 1.5, expected an integer from 1 to 1000000" },
	{ "", "{\"count\": \"1\"}", "count: is \"1\", expected an integer from 1 to 1000000" },
	{ "", "{\"count\": 1e999}", "count: is a number too large to read, expected an integer from 1 to 1000000" },
	{ "", "{\"free\": 1e16}", "free: is 1e+16, expected an integer" },
	{ "", "{\"free\": -1e999}", "free: is a number too large to read, expected an integer" },
	{ "", "{\"ratio\": 0.96}", "ratio: is 0.96, expected a number from 0 to 0.95" },
	{ "", "{\"ratio\": true}", "ratio: is true, expected a number from 0 to 0.95" },
	{ "", "{\"on\": 1}", "on: is 1, expected true or false" },
	{ "", "{\"options\": []}", "options: is an array of 0, expected an object" },
	{ "", "{\"list\": {\"a\": 1}}", "list: is an object of 1, expected an array" },
	{ "", "{\"name\": \"a\", \"name\": \"b\"}", "name: is \"b\", expected the key only once" },
	{ "prune", "{\"nmae\": \"a\"}",
		"prune.nmae: unknown key, expected one of: name, count, free, ratio, on, options, list, any" },
	{ "", "{\"Name\": \"a\"}",
		"Name: unknown key, expected one of: name, count, free, ratio, on, options, list, any" },
};
enum { REFUSED = sizeof refused / sizeof *refused };

START_TEST(what_is_refused_is_said_with_field_value_and_expectation)
{
	cJSON *doc = parse(refused[_i].text);
	struct sample s = { 0 };
	ck_fails(ERR_INPUT, json_read(doc, refused[_i].path, fields, FIELDS, &s, &e));
	ck_assert_str_eq(e.msg, refused[_i].message);
	cJSON_Delete(doc);
}
END_TEST

START_TEST(nan_is_no_json)
{
	static const char *const words[] = { "NaN", "nan", "Infinity", "-Infinity", "inf" };
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		char text[64];
		cJSON *doc;
		snprintf(text, sizeof text, "{\"ratio\": %s}", words[i]);
		ck_fails(ERR_INPUT, json_parse("doc", text, strlen(text), &doc, &e));
	}
}
END_TEST

START_TEST(a_hostile_key_makes_no_endless_message)
{
	static char text[5000];
	struct sample s;
	memset(text, 'k', sizeof text);
	memcpy(text, "{\"", 2);
	strcpy(text + sizeof text - 6, "\": 1}");
	cJSON *doc = parse(text);
	ck_fails(ERR_INPUT, json_read(doc, "", fields, FIELDS, &s, &e));
	ck_assert_uint_lt(strlen(e.msg), 250);
	ck_assert_ptr_nonnull(strstr(e.msg, "unknown key"));
	cJSON_Delete(doc);
}
END_TEST

START_TEST(a_long_value_is_cut_between_characters)
{
	char text[200] = "\"", brief[64];
	cJSON *short_one = cJSON_CreateString("exactly as it is");
	ck_assert_str_eq(json_brief(short_one, brief), "\"exactly as it is\"");
	for (int shift = 0; shift < 3; shift++) {
		memset(text, 'a', (size_t)shift);
		text[shift] = '\0';
		for (int i = 0; i < 30; i++)
			strcat(text, "\xe2\x82\xac");
		cJSON *value = cJSON_CreateString(text);
		const char *cut = json_brief(value, brief);
		size_t len = strlen(cut);
		ck_assert_uint_le(len, 60);
		ck_assert_uint_ge(len, 57);
		ck_assert_str_eq(cut + len - 6, "\xe2\x82\xac...");
		cJSON_Delete(value);
	}
	cJSON_Delete(short_one);
}
END_TEST

START_TEST(arrays_of_numbers_are_read_within_their_bound)
{
	double x[3] = { 0 };
	size_t n = 99;
	cJSON *doc = parse("[[0.5, -1, 2e3], [], [1, 2, 3, 4], [1, null], [1, \"2\"], [1e999], {\"a\": 1}]");
	ck_ok(json_read_numbers(cJSON_GetArrayItem(doc, 0), "mean", x, 3, &n, &e));
	ck_assert_uint_eq(n, 3);
	ck_assert(x[0] == 0.5 && x[1] == -1 && x[2] == 2000);
	ck_ok(json_read_numbers(cJSON_GetArrayItem(doc, 1), "mean", x, 3, &n, &e));
	ck_assert_uint_eq(n, 0);
	ck_fails(ERR_INPUT, json_read_numbers(cJSON_GetArrayItem(doc, 2), "mean", x, 3, &n, &e));
	ck_assert_str_eq(e.msg, "mean: has 4 entries, expected at most 3");
	ck_fails(ERR_INPUT, json_read_numbers(cJSON_GetArrayItem(doc, 3), "mean", x, 3, &n, &e));
	ck_assert_str_eq(e.msg, "mean[1]: is null, expected a number");
	ck_fails(ERR_INPUT, json_read_numbers(cJSON_GetArrayItem(doc, 4), "mean", x, 3, &n, &e));
	ck_assert_str_eq(e.msg, "mean[1]: is \"2\", expected a number");
	ck_fails(ERR_INPUT, json_read_numbers(cJSON_GetArrayItem(doc, 5), "mean", x, 3, &n, &e));
	ck_assert_str_eq(e.msg, "mean[0]: is a number too large to read, expected a number");
	ck_fails(ERR_INPUT, json_read_numbers(cJSON_GetArrayItem(doc, 6), "mean", x, 3, &n, &e));
	ck_assert_str_eq(e.msg, "mean: is an object of 1, expected an array of numbers");
	cJSON_Delete(doc);
}
END_TEST

Suite *suite_json(void)
{
	Suite *s = suite_create("json");
	TCase *c = scene_case(s, "parse");
	tcase_add_test(c, comments_are_allowed_and_strings_keep_what_looks_like_one);
	tcase_add_loop_test(c, what_is_broken_is_said_with_its_place, 0, BROKEN);
	tcase_add_test(c, a_nul_byte_is_refused);
	tcase_add_test(c, only_the_given_length_is_read);
	tcase_add_test(c, text_beyond_ascii_passes);
	tcase_add_test(c, brackets_nested_without_end_are_refused);
	tcase_add_test(c, a_file_is_parsed_and_named_in_errors);
	tcase_add_test(c, nan_is_no_json);
	c = scene_case(s, "read");
	tcase_add_test(c, every_kind_of_field_is_read);
	tcase_add_loop_test(c, ranges_are_said_in_whole_numbers, 0, sizeof outside / sizeof *outside);
	tcase_add_test(c, where_no_key_is_known_none_is_expected);
	tcase_add_test(c, what_is_not_there_keeps_its_default);
	tcase_add_loop_test(c, what_is_refused_is_said_with_field_value_and_expectation, 0, REFUSED);
	tcase_add_test(c, a_hostile_key_makes_no_endless_message);
	tcase_add_test(c, a_long_value_is_cut_between_characters);
	tcase_add_test(c, arrays_of_numbers_are_read_within_their_bound);
	return s;
}

/* json.h -- strict reading of JSON that came from outside, on cJSON.
 * SPDX-License-Identifier: MIT
 *
 * json_read takes an object apart by a table: every key is checked for kind and range, unknown keys and
 * missing required ones are errors that name the path, the value and what was expected. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum json_kind {
	JSON_STRING, /* const char *, borrowed from the document */
	JSON_INT,    /* int64_t, within min..max */
	JSON_NUMBER, /* double, finite, within min..max */
	JSON_BOOL,   /* bool */
	JSON_OBJECT, /* const cJSON *, borrowed */
	JSON_ARRAY,  /* const cJSON *, borrowed */
	JSON_ANY,    /* const cJSON *, borrowed */
};

struct json_field {
	const char *name;
	enum json_kind kind;
	size_t offset;   /* of the member in the struct being filled */
	bool required;   /* otherwise the member keeps the default that the caller put there */
	double min, max; /* inclusive bounds of JSON_INT and JSON_NUMBER; both 0: no bounds */
};

/* The rest is required, min, max in this order, or nothing; the designators let it be left out. */
#define JSON_FIELD(type, member, kind_, ...) \
	{ .name = #member, .kind = kind_, .offset = offsetof(type, member), __VA_ARGS__ }

/* Parses text of len bytes; comments are allowed (stripped by cJSON_Minify), anything behind the value is not.
 * `what` names the document in errors, which carry line and column. The caller cJSON_Deletes the result. */
enum err json_parse(const char *what, const char *text, size_t len, cJSON **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Reads a whole file (at most 16 MiB) and parses it. */
enum err json_parse_file(const char *path, cJSON **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* Fills *out from obj by the n fields. `path` is where obj stands in its document ("data.train"; "" at the
 * top). On failure *out may be partly filled. */
enum err json_read(const cJSON *obj, const char *path, const struct json_field *fields, size_t n, void *out,
	struct errinfo *e) __attribute__((warn_unused_result));

/* The value as short text for an error message: at most 60 characters, cut with "...". */
const char *json_brief(const cJSON *value, char buf[64]);

/* Numbers of an array. JSON null and non-numbers are errors; *ret_n at most max. */
enum err json_read_numbers(const cJSON *array, const char *path, double *ret, size_t max, size_t *ret_n,
	struct errinfo *e) __attribute__((warn_unused_result));

/* Building a document: each puts an item into its parent and returns it, NULL when memory is out; then *failed is set
 * and the item is gone, so that a caller builds on, with NULL parents as well, and asks once at the end. */
cJSON *json_put(cJSON *object, const char *name, cJSON *item, bool *failed);
cJSON *json_append(cJSON *array, cJSON *item, bool *failed);
void json_put_number(cJSON *object, const char *name, double x, bool *failed);
void json_put_string(cJSON *object, const char *name, const char *s, bool *failed);

#endif

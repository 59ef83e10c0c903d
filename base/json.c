/* json.c -- strict reading of JSON that came from outside, on cJSON.
 * SPDX-License-Identifier: MIT */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"

static const double PRACTICALLY_INFINITE = 1e300;

enum { LARGEST_FILE = 16 * 1024 * 1024 };

static void position(const char *text, const char *at, int *ret_line, int *ret_column)
{
	*ret_line = 1;
	*ret_column = 1;
	for (const char *p = text; p < at && *p; p++) {
		(*ret_column)++;
		if (*p == '\n') {
			(*ret_line)++;
			*ret_column = 1;
		}
	}
}

/* cJSON_Minify would join lines, and positions with them: comments become spaces instead. */
static void blank_comments(char *s)
{
	bool in_string = false;
	for (; *s; s++) {
		if (in_string) {
			if (*s == '\\' && s[1])
				s++;
			else if (*s == '"')
				in_string = false;
		} else if (*s == '"') {
			in_string = true;
		} else if (s[0] == '/' && s[1] == '/') {
			while (*s && *s != '\n')
				*s++ = ' ';
			s--;
		} else if (s[0] == '/' && s[1] == '*') {
			char *end = strstr(s + 2, "*/");
			if (!end)
				return; /* the parser points at it */
			for (; s < end + 2; s++)
				if (*s != '\n')
					*s = ' ';
			s--;
		}
	}
}

/* What cJSON would let through: bytes that are not UTF-8 and would come out again in our answers, and an escaped NUL,
 * which would cut the string off unseen. NULL when there is neither. */
static const char *find_unsafe(const char *s, const char **ret_why)
{
	while (*s) {
		size_t len = utf8_length(s);
		if (!len) {
			*ret_why = "not UTF-8";
			return s;
		}
		if (!strncmp(s, "\\u0000", 6)) {
			*ret_why = "a NUL character in a string";
			return s;
		}
		s += *s == '\\' && (s[1] == '\\' || s[1] == '"') ? 2 : len;
	}
	return NULL;
}

enum err json_parse(const char *what, const char *text, size_t len, cJSON **ret, struct errinfo *e)
{
	if (memchr(text, '\0', len))
		return err_set(e, ERR_INPUT, "%s: contains a NUL byte, expected JSON text", what);
	char *copy = malloc(len + 1);
	if (!copy)
		return err_set(e, ERR_MEMORY, "out of memory");
	memcpy(copy, text, len);
	copy[len] = '\0';
	blank_comments(copy);
	const char *why = "not valid JSON";
	const char *end = find_unsafe(copy, &why);
	cJSON *doc = end ? NULL : cJSON_ParseWithOpts(copy, &end, true);
	enum err err = ERR_OK;
	if (doc) {
		*ret = doc;
	} else {
		int line, column;
		position(copy, end, &line, &column);
		err = err_set(e, ERR_INPUT, "%s: line %d, column %d: %s", what, line, column, why);
	}
	free(copy);
	return err;
}

enum err json_parse_file(const char *path, cJSON **ret, struct errinfo *e)
{
	char *text;
	size_t len;
	enum err err = file_read(path, LARGEST_FILE, &text, &len, e);
	if (err)
		return err;
	err = json_parse(path, text, len, ret, e);
	free(text);
	return err;
}

const char *json_brief(const cJSON *value, char buf[64])
{
	if (cJSON_IsObject(value) || cJSON_IsArray(value)) {
		const char *noun = cJSON_IsObject(value) ? "an object" : "an array";
		snprintf(buf, 64, "%s of %d", noun, cJSON_GetArraySize(value));
		return buf;
	}
	if (cJSON_IsNumber(value) && !isfinite(value->valuedouble))
		return "a number too large to read";
	char *text = cJSON_PrintUnformatted(value);
	if (!text)
		return "?";
	size_t len = strlen(text), cut = len > 60 ? 57 : len;
	while (cut < len && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--; /* not in the middle of a character */
	snprintf(buf, 64, "%.*s%s", (int)cut, text, cut < len ? "..." : "");
	cJSON_free(text);
	return buf;
}

static void join(char buf[256], const char *path, const char *name)
{
	snprintf(buf, 256, "%s%s%s", path, *path ? "." : "", name);
}

static enum err refuse(const char *path, const char *name, const cJSON *value, const char *expected, struct errinfo *e)
{
	char full[256], brief[64];
	join(full, path, name);
	return err_set(e, ERR_INPUT, "%s: is %s, expected %s", full, json_brief(value, brief), expected);
}

/* Whole numbers without an exponent as far as a double counts them. */
static void print_bound(char buf[32], double x)
{
	snprintf(buf, 32, x == floor(x) && fabs(x) <= 0x1p53 ? "%.0f" : "%.15g", x);
}

static void print_range(char *buf, size_t size, const struct json_field *f)
{
	char low[32], high[32];
	const char *noun = f->kind == JSON_INT ? "an integer" : "a number";
	print_bound(low, f->min);
	print_bound(high, f->max);
	if (f->min == 0 && f->max == 0)
		snprintf(buf, size, "%s", noun);
	else if (f->max >= PRACTICALLY_INFINITE)
		snprintf(buf, size, "%s of at least %s", noun, low);
	else
		snprintf(buf, size, "%s from %s to %s", noun, low, high);
}

static enum err read_number(const cJSON *v, const char *path, const struct json_field *f, double *ret,
	struct errinfo *e)
{
	bool integer = f->kind == JSON_INT;
	bool bounded = f->min != 0 || f->max != 0;
	double x = cJSON_IsNumber(v) ? v->valuedouble : NAN;
	bool ok = isfinite(x) && (!integer || (x == floor(x) && fabs(x) <= 0x1p53));
	if (ok && (!bounded || (x >= f->min && x <= f->max))) {
		*ret = x;
		return ERR_OK;
	}
	char expected[96];
	print_range(expected, sizeof expected, f);
	return refuse(path, f->name, v, expected, e);
}

static enum err read_value(const cJSON *v, const char *path, const struct json_field *f, void *member,
	struct errinfo *e)
{
	double x = 0;
	switch (f->kind) {
	case JSON_STRING:
		if (!cJSON_IsString(v))
			return refuse(path, f->name, v, "a string", e);
		*(const char **)member = v->valuestring;
		return ERR_OK;
	case JSON_INT:
	case JSON_NUMBER:
		if (read_number(v, path, f, &x, e))
			return ERR_INPUT;
		if (f->kind == JSON_INT)
			*(int64_t *)member = (int64_t)x;
		else
			*(double *)member = x;
		return ERR_OK;
	case JSON_BOOL:
		if (!cJSON_IsBool(v))
			return refuse(path, f->name, v, "true or false", e);
		*(bool *)member = cJSON_IsTrue(v);
		return ERR_OK;
	case JSON_OBJECT:
		if (!cJSON_IsObject(v))
			return refuse(path, f->name, v, "an object", e);
		break;
	case JSON_ARRAY:
		if (!cJSON_IsArray(v))
			return refuse(path, f->name, v, "an array", e);
		break;
	case JSON_ANY:
		break;
	}
	*(const cJSON **)member = v;
	return ERR_OK;
}

static const struct json_field *field_named(const struct json_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static enum err unknown_key(const cJSON *item, const char *path, const struct json_field *fields, size_t n,
	struct errinfo *e)
{
	char full[256], known[384] = "";
	join(full, path, item->string);
	if (n == 0)
		return err_set(e, ERR_INPUT, "%.100s: unknown key, expected none", full);
	for (size_t i = 0, used = 0; i < n && used < sizeof known; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", fields[i].name);
	return err_set(e, ERR_INPUT, "%.100s: unknown key, expected one of: %s", full, known);
}

enum err json_read(const cJSON *obj, const char *path, const struct json_field *fields, size_t n, void *out,
	struct errinfo *e)
{
	char full[256], brief[64];
	if (!cJSON_IsObject(obj))
		return err_set(e, ERR_INPUT, "%s: is %s, expected an object", *path ? path : "document",
			json_brief(obj, brief));
	for (const cJSON *item = obj->child; item; item = item->next) {
		const struct json_field *f = field_named(fields, n, item->string);
		if (!f)
			return unknown_key(item, path, fields, n, e);
		for (const cJSON *earlier = obj->child; earlier != item; earlier = earlier->next)
			if (!strcmp(earlier->string, item->string))
				return refuse(path, f->name, item, "the key only once", e);
		enum err err = read_value(item, path, f, (char *)out + f->offset, e);
		if (err)
			return err;
	}
	for (size_t i = 0; i < n; i++) {
		if (!fields[i].required || cJSON_GetObjectItemCaseSensitive(obj, fields[i].name))
			continue;
		join(full, path, fields[i].name);
		return err_set(e, ERR_INPUT, "%s: missing, and required", full);
	}
	return ERR_OK;
}

enum err json_read_numbers(const cJSON *array, const char *path, double *ret, size_t max, size_t *ret_n,
	struct errinfo *e)
{
	char brief[64];
	size_t n = 0;
	if (!cJSON_IsArray(array))
		return err_set(e, ERR_INPUT, "%s: is %s, expected an array of numbers", path, json_brief(array, brief));
	for (const cJSON *item = array->child; item; item = item->next, n++) {
		if (n == max)
			return err_set(e, ERR_INPUT, "%s: has %d entries, expected at most %zu", path,
				cJSON_GetArraySize(array), max);
		if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
			return err_set(e, ERR_INPUT, "%s[%zu]: is %s, expected a number", path, n,
				json_brief(item, brief));
		ret[n] = item->valuedouble;
	}
	*ret_n = n;
	return ERR_OK;
}

static cJSON *placed(bool done, cJSON *item, bool *failed)
{
	if (done)
		return item;
	cJSON_Delete(item);
	*failed = true;
	return NULL;
}

cJSON *json_put(cJSON *object, const char *name, cJSON *item, bool *failed)
{
	return placed(object && item && cJSON_AddItemToObject(object, name, item), item, failed);
}

cJSON *json_append(cJSON *array, cJSON *item, bool *failed)
{
	return placed(array && item && cJSON_AddItemToArray(array, item), item, failed);
}

void json_put_number(cJSON *object, const char *name, double x, bool *failed)
{
	json_put(object, name, cJSON_CreateNumber(x), failed);
}

void json_put_string(cJSON *object, const char *name, const char *s, bool *failed)
{
	json_put(object, name, cJSON_CreateString(s), failed);
}

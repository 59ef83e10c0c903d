/* text.c -- JSON text being written.
 * SPDX-License-Identifier: MIT */
#include "daemon/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void text_init(struct text *t)
{
	*t = (struct text){ 0 };
}

void text_fini(struct text *t)
{
	free(t->data);
	text_init(t);
}

void text_raw(struct text *t, const char *bytes, size_t len)
{
	if (t->failed)
		return;
	if (len >= SIZE_MAX / 4 - t->len) {
		t->failed = true;
		return;
	}
	if (t->len + len + 1 > t->capacity) {
		size_t capacity = 2 * (t->len + len + 1) + 256;
		char *grown = realloc(t->data, capacity);
		if (!grown) {
			t->failed = true;
			return;
		}
		t->data = grown;
		t->capacity = capacity;
	}
	memcpy(t->data + t->len, bytes, len);
	t->len += len;
	t->data[t->len] = '\0';
}

static void before_value(struct text *t)
{
	if (t->comma)
		text_raw(t, ",", 1);
	t->comma = true;
}

void text_open(struct text *t, char bracket)
{
	before_value(t);
	text_raw(t, &bracket, 1);
	t->comma = false;
}

void text_close(struct text *t, char bracket)
{
	text_raw(t, &bracket, 1);
	t->comma = true;
}

/* Bytes from p on that stand for themselves in a string. */
static size_t plain(const char *p)
{
	size_t n = 0, more;
	while ((unsigned char)p[n] >= 0x20 && p[n] != '"' && p[n] != '\\' && (more = utf8_length(p + n)))
		n += more;
	return n;
}

/* Whatever the bytes are, what is written is JSON: those of no character become U+FFFD. */
static void quoted(struct text *t, const char *s)
{
	char escape[8];
	text_raw(t, "\"", 1);
	for (const char *p = s;; p++) {
		size_t n = plain(p);
		text_raw(t, p, n);
		p += n;
		unsigned char c = (unsigned char)*p;
		if (!c)
			break;
		if (c == '"' || c == '\\')
			n = (size_t)snprintf(escape, sizeof escape, "\\%c", c);
		else
			n = (size_t)snprintf(escape, sizeof escape, "\\u%04x", c < 0x20 ? (unsigned)c : 0xfffdu);
		text_raw(t, escape, n);
	}
	text_raw(t, "\"", 1);
}

void text_key(struct text *t, const char *key)
{
	before_value(t);
	quoted(t, key);
	text_raw(t, ":", 1);
	t->comma = false;
}

void text_string(struct text *t, const char *s)
{
	if (!s) {
		text_json(t, NULL);
		return;
	}
	before_value(t);
	quoted(t, s);
}

void text_number(struct text *t, double x)
{
	char buf[40];
	if (!isfinite(x)) {
		text_json(t, NULL);
		return;
	}
	snprintf(buf, sizeof buf, "%.15g", x);
	if (strtod(buf, NULL) != x)
		snprintf(buf, sizeof buf, "%.17g", x);
	text_json(t, buf);
}

void text_int(struct text *t, int64_t x)
{
	char buf[24];
	snprintf(buf, sizeof buf, "%" PRId64, x);
	text_json(t, buf);
}

void text_bool(struct text *t, bool x)
{
	text_json(t, x ? "true" : "false");
}

void text_json(struct text *t, const char *json)
{
	before_value(t);
	text_raw(t, json ? json : "null", json ? strlen(json) : 4);
}

void text_put_string(struct text *t, const char *key, const char *s)
{
	text_key(t, key);
	text_string(t, s);
}

void text_put_number(struct text *t, const char *key, double x)
{
	text_key(t, key);
	text_number(t, x);
}

void text_put_int(struct text *t, const char *key, int64_t x)
{
	text_key(t, key);
	text_int(t, x);
}

void text_put_bool(struct text *t, const char *key, bool x)
{
	text_key(t, key);
	text_bool(t, x);
}

void text_put_json(struct text *t, const char *key, const char *json)
{
	text_key(t, key);
	text_json(t, json);
}

enum err text_take(struct text *t, char **ret, size_t *ret_len, struct errinfo *e)
{
	text_raw(t, "", 0);
	if (t->failed) {
		text_fini(t);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = t->data;
	if (ret_len)
		*ret_len = t->len;
	text_init(t);
	return ERR_OK;
}

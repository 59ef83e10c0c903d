/* npy.c -- an array as numpy.save and numpy.savez write it.
 * SPDX-License-Identifier: MIT
 *
 * The header is text, {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }, and read as such: three
 * keys, each once, in any order. */
#include "evaluator/data/npy.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PREFIX = 8, LONGEST_HEADER = 16384, LONGEST_KEY = 200 };

/* The header's text while it is read. */
struct cursor {
	const char *p;
	const char *name; /* the file, for messages */
	struct errinfo *e;
};

static enum err malformed(const struct cursor *c, const char *expected)
{
	return err_set(c->e, ERR_INPUT, "%s: its NPY header has '%.30s', expected %s", c->name, c->p, expected);
}

static bool skip(struct cursor *c, char wanted)
{
	c->p += strspn(c->p, " \t\r\n");
	if (*c->p != wanted)
		return false;
	c->p++;
	c->p += strspn(c->p, " \t\r\n");
	return true;
}

static bool skip_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);
	if (strncmp(c->p, word, len))
		return false;
	c->p += len;
	return true;
}

/* 'text' or "text", without escapes. */
static enum err read_string(struct cursor *c, char *ret, size_t size)
{
	char quote = *c->p;
	if (quote != '\'' && quote != '"')
		return malformed(c, "a string");
	size_t len = strcspn(c->p + 1, quote == '"' ? "\"\\" : "'\\");
	if (c->p[1 + len] != quote || len >= size)
		return malformed(c, "a short string");
	memcpy(ret, c->p + 1, len);
	ret[len] = '\0';
	c->p += len + 2;
	return ERR_OK;
}

/* Byte order, kind and width: "<f4", "|u1", ">i8". */
static enum err read_type(struct cursor *c, struct array *a)
{
	char text[16];
	static const char kinds[] = "uif";
	if (*c->p == '[')
		return malformed(c, "integers or floats, not a structured type");
	enum err err = read_string(c, text, sizeof text);
	if (err)
		return err;
	const char *kind = strlen(text) == 3 && text[1] ? strchr(kinds, text[1]) : NULL;
	int width = kind ? text[2] - '0' : 0;
	bool known = strchr("<>|=", text[0]) && (width == 1 || width == 2 || width == 4 || width == 8);
	if (!kind || !known || (*kind == 'f' && width == 1))
		return err_set(c->e, ERR_INPUT,
			"%s: its elements are of numpy's type '%s', expected integers (u1 to u8, i1 to i8) or f4",
			c->name, text);
	a->kind = (enum array_kind)(kind - kinds);
	a->width = width;
	a->big_endian = text[0] == '>';
	return ERR_OK;
}

static enum err read_order(struct cursor *c)
{
	if (skip_word(c, "False"))
		return ERR_OK;
	if (!strncmp(c->p, "True", 4))
		return err_set(c->e, ERR_INPUT,
			"%s: is in Fortran's order, expected C's (numpy.ascontiguousarray before it is saved)",
			c->name);
	return malformed(c, "True or False");
}

static enum err read_shape(struct cursor *c, struct array *a)
{
	if (!skip(c, '('))
		return malformed(c, "a shape in brackets");
	for (a->ndims = 0; !skip(c, ')');) {
		if (a->ndims == ARRAY_MAX_DIMENSIONS)
			return err_set(c->e, ERR_INPUT, "%s: has more than %d dimensions", c->name,
				ARRAY_MAX_DIMENSIONS);
		size_t digits = strspn(c->p, "0123456789");
		if (digits == 0 || digits > 18)
			return malformed(c, "a dimension of 1 to 18 digits");
		a->dims[a->ndims++] = (size_t)strtoull(c->p, NULL, 10);
		c->p += digits;
		if (!skip(c, ',') && *c->p != ')')
			return malformed(c, "',' or ')'");
	}
	return ERR_OK;
}

static enum err read_entry(struct cursor *c, struct array *a, unsigned *seen)
{
	static const char *const keys[] = { "descr", "fortran_order", "shape" };
	char key[16];
	unsigned i = 0;
	enum err err = read_string(c, key, sizeof key);
	if (err)
		return err;
	while (i < 3 && strcmp(key, keys[i]))
		i++;
	if (i == 3 || *seen & 1u << i)
		return err_set(c->e, ERR_INPUT, "%s: its NPY header has the key '%s' %s", c->name, key,
			i == 3 ? "which is unknown" : "twice");
	*seen |= 1u << i;
	if (!skip(c, ':'))
		return malformed(c, "':'");
	return i == 0 ? read_type(c, a) : i == 1 ? read_order(c) : read_shape(c, a);
}

static enum err read_dictionary(struct cursor *c, struct array *a)
{
	unsigned seen = 0;
	if (!skip(c, '{'))
		return malformed(c, "a dictionary");
	while (!skip(c, '}')) {
		enum err err = read_entry(c, a, &seen);
		if (err)
			return err;
		if (!skip(c, ',') && *c->p != '}')
			return malformed(c, "',' or '}'");
	}
	if (seen != 7)
		return err_set(c->e, ERR_INPUT, "%s: its NPY header lacks one of descr, fortran_order and shape",
			c->name);
	return *c->p ? malformed(c, "nothing more") : ERR_OK;
}

/* Exactly n bytes of what comes before the elements. */
static enum err take_header(struct array *a, void *to, size_t n, struct errinfo *e)
{
	size_t got;
	enum err err = stream_take(a->stream, to, n, &got, e);
	if (!err && got < n)
		err = err_set(e, ERR_INPUT, "%s: ends in its NPY header (truncated)", stream_name(a->stream));
	return err;
}

static enum err read_prefix(struct array *a, size_t *ret_len, size_t *ret_before, struct errinfo *e)
{
	unsigned char m[PREFIX], l[4];
	const char *name = stream_name(a->stream);
	enum err err = take_header(a, m, sizeof m, e);
	if (err)
		return err;
	if (memcmp(m, "\x93NUMPY", 6))
		return err_set(e, ERR_INPUT, "%s: starts with %02x %02x %02x %02x, expected 93 4e 55 4d (NPY)", name,
			m[0], m[1], m[2], m[3]);
	if (m[6] < 1 || m[6] > 3 || m[7])
		return err_set(e, ERR_INPUT, "%s: is of NPY version %u.%u, expected 1.0, 2.0 or 3.0", name, m[6], m[7]);
	size_t bytes = m[6] == 1 ? 2 : 4, len = 0;
	err = take_header(a, l, bytes, e);
	for (size_t i = bytes; !err && i-- > 0;)
		len = len << 8 | l[i];
	if (!err && len > LONGEST_HEADER)
		err = err_set(e, ERR_INPUT, "%s: claims an NPY header of %zu bytes, expected at most %d", name, len,
			LONGEST_HEADER);
	*ret_len = len;
	*ret_before = PREFIX + bytes;
	return err;
}

static enum err read_header(struct array *a, struct errinfo *e)
{
	char text[LONGEST_HEADER + 1];
	size_t len = 0, before = 0;
	enum err err = read_prefix(a, &len, &before, e);
	if (!err)
		err = take_header(a, text, len, e);
	if (err)
		return err;
	text[len] = '\0';
	if (strlen(text) != len)
		return err_set(e, ERR_INPUT, "%s: its NPY header contains a NUL", stream_name(a->stream));
	struct cursor c = { text, stream_name(a->stream), e };
	err = read_dictionary(&c, a);
	return err ? err : array_claim(a, before + len, e);
}

static enum err open_stream(const char *path, const char *key, struct stream **ret, struct errinfo *e)
{
	char member[LONGEST_KEY + sizeof ".npy"];
	if (!key)
		return stream_open(path, "an NPY file", ret, e);
	if ((size_t)snprintf(member, sizeof member, "%s.npy", key) >= sizeof member)
		return err_set(e, ERR_INPUT, "%s: the key '%.40s...' is longer than %d bytes", path, key, LONGEST_KEY);
	return stream_open_member(path, member, ret, e);
}

enum err npy_open(const char *path, const char *key, struct array *ret, struct errinfo *e)
{
	struct array a = { 0 };
	enum err err = open_stream(path, key, &a.stream, e);
	if (!err)
		err = read_header(&a, e);
	if (err)
		array_close(&a);
	else
		*ret = a;
	return err;
}

/* wire.c -- protobuf bytes looked at before anything is built from them, and freed of their weight.
 * SPDX-License-Identifier: MIT
 *
 * Two walks by one function: the first has nowhere to write and only counts, so the second knows its room. A message's
 * length is not known before its inside is written; it is put in afterwards, as five bytes whatever the number, which
 * protobuf allows. */
#include "evaluator/model/wire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32, MOST_PARTS = 1 << 23, LENGTH_BYTES = 5 };

struct walk {
	const ProtobufCMessageDescriptor *raw_in;
	unsigned raw_field;
	const unsigned char *start;
	size_t parts;
	uint8_t *to; /* NULL: only counted */
	size_t written;
	struct errinfo *e;
};

struct cursor {
	const unsigned char *at, *end;
};

static enum err refuse(const struct walk *w, const char *what)
{
	return err_set(w->e, ERR_INPUT, "not a sound ONNX file: %s", what);
}

static void put(struct walk *w, const void *bytes, size_t len)
{
	if (w->to)
		memcpy(w->to + w->written, bytes, len);
	w->written += len;
}

/* n as a varint of exactly LENGTH_BYTES at `at`; the walk's lengths are below 2^32. */
static void put_length_at(struct walk *w, size_t at, uint64_t n)
{
	for (int i = 0; w->to && i < LENGTH_BYTES; i++, n >>= 7)
		w->to[at + (size_t)i] = (uint8_t)((n & 127) | (i < LENGTH_BYTES - 1 ? 128 : 0));
}

static void put_length(struct walk *w, uint64_t n)
{
	w->written += LENGTH_BYTES;
	put_length_at(w, w->written - LENGTH_BYTES, n);
}

static bool varint(struct cursor *c, uint64_t *ret)
{
	uint64_t value = 0;
	for (int shift = 0; shift < 64 && c->at < c->end; shift += 7) {
		unsigned char byte = *c->at++;
		value |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128)) {
			*ret = value;
			return true;
		}
	}
	return false;
}

static bool skip(struct cursor *c, uint64_t n)
{
	if (n > (uint64_t)(c->end - c->at))
		return false;
	c->at += n;
	return true;
}

static enum err walk_message(struct walk *w, struct cursor c, const ProtobufCMessageDescriptor *schema, int depth);

/* A length-delimited field whose tag was written: a message of the schema is walked too, anything else is copied. */
static enum err walk_delimited(struct walk *w, struct cursor *c, const ProtobufCMessageDescriptor *schema,
	const ProtobufCFieldDescriptor *field, int depth)
{
	uint64_t len;
	if (!varint(c, &len) || len > (uint64_t)(c->end - c->at) || len > UINT32_MAX)
		return refuse(w, "it is truncated, or a length in it is wrong");
	struct cursor inner = { c->at, c->at + len };
	c->at = inner.end;
	if (field && field->type == PROTOBUF_C_TYPE_MESSAGE) {
		put_length(w, 0);
		size_t from = w->written;
		enum err err = walk_message(w, inner, field->descriptor, depth + 1);
		put_length_at(w, from - LENGTH_BYTES, w->written - from);
		return err;
	}
	if (field && schema == w->raw_in && field->id == w->raw_field) {
		struct wire_raw raw = { (uint64_t)(inner.at - w->start), len };
		put_length(w, sizeof raw);
		put(w, &raw, sizeof raw);
		return ERR_OK;
	}
	put_length(w, len);
	put(w, inner.at, len);
	return ERR_OK;
}

static enum err walk_field(struct walk *w, struct cursor *c, const ProtobufCMessageDescriptor *schema, int depth)
{
	const unsigned char *from = c->at;
	uint64_t tag, ignored;
	if (++w->parts > MOST_PARTS)
		return refuse(w, "it has too many parts");
	bool ok = varint(c, &tag);
	if (ok && (tag & 7) == 2) {
		put(w, from, (size_t)(c->at - from));
		return walk_delimited(
			w, c, schema, protobuf_c_message_descriptor_get_field(schema, (unsigned)(tag >> 3)), depth);
	}
	if (ok && (tag & 7) == 0)
		ok = varint(c, &ignored);
	else if (ok && (tag & 7) == 1)
		ok = skip(c, 8);
	else if (ok && (tag & 7) == 5)
		ok = skip(c, 4);
	else
		ok = false;
	put(w, from, (size_t)(c->at - from));
	return ok ? ERR_OK : refuse(w, "it is truncated, or a field in it is malformed");
}

static enum err walk_message(struct walk *w, struct cursor c, const ProtobufCMessageDescriptor *schema, int depth)
{
	if (depth > DEEPEST)
		return refuse(w, "its messages are nested too deeply");
	while (c.at < c.end) {
		enum err err = walk_field(w, &c, schema, depth);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err wire_strip(const ProtobufCMessageDescriptor *schema, const ProtobufCMessageDescriptor *raw_in,
	unsigned raw_field, const void *data, size_t len, uint8_t **ret, size_t *ret_len, struct errinfo *e)
{
	struct cursor all = { data, (const unsigned char *)data + len };
	struct walk w = { .raw_in = raw_in, .raw_field = raw_field, .start = data, .e = e };
	enum err err = walk_message(&w, all, schema, 0);
	if (err)
		return err;
	w.to = malloc(w.written + 1);
	if (!w.to)
		return err_set(e, ERR_MEMORY, "out of memory");
	w.written = w.parts = 0;
	err = walk_message(&w, all, schema, 0);
	if (err) {
		free(w.to);
		return err;
	}
	*ret = w.to;
	*ret_len = w.written;
	return ERR_OK;
}

/* wire.c -- a look at protobuf bytes before anything is built from them.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/wire.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEEPEST = 32, MOST_PARTS = 1 << 23 };

struct cursor {
	const unsigned char *at, *end;
	size_t *parts;
	struct errinfo *e;
};

static enum err refuse(const struct cursor *c, const char *what)
{
	return err_set(c->e, ERR_INPUT, "not a sound ONNX file: %s", what);
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

static enum err walk(struct cursor *c, const ProtobufCMessageDescriptor *schema, int depth);

/* A length-delimited field: a message of the schema is walked too, anything else is stepped over. */
static enum err walk_delimited(struct cursor *c, const ProtobufCFieldDescriptor *field, int depth)
{
	uint64_t len;
	if (!varint(c, &len) || len > (uint64_t)(c->end - c->at))
		return refuse(c, "it is truncated, or a length in it is wrong");
	if (++*c->parts > MOST_PARTS)
		return refuse(c, "it has too many parts");
	struct cursor inner = *c;
	inner.end = c->at + len;
	c->at = inner.end;
	if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE)
		return ERR_OK;
	return walk(&inner, field->descriptor, depth + 1);
}

static enum err walk_field(struct cursor *c, const ProtobufCMessageDescriptor *schema, int depth)
{
	uint64_t tag, ignored;
	bool ok = varint(c, &tag);
	if (ok && (tag & 7) == 2)
		return walk_delimited(c, protobuf_c_message_descriptor_get_field(schema, (unsigned)(tag >> 3)), depth);
	if (ok && (tag & 7) == 0)
		ok = varint(c, &ignored);
	else if (ok && (tag & 7) == 1)
		ok = skip(c, 8);
	else if (ok && (tag & 7) == 5)
		ok = skip(c, 4);
	else
		ok = false;
	return ok ? ERR_OK : refuse(c, "it is truncated, or a field in it is malformed");
}

static enum err walk(struct cursor *c, const ProtobufCMessageDescriptor *schema, int depth)
{
	if (depth > DEEPEST)
		return refuse(c, "its messages are nested too deeply");
	while (c->at < c->end) {
		enum err err = walk_field(c, schema, depth);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err wire_check(const ProtobufCMessageDescriptor *schema, const void *data, size_t len, struct errinfo *e)
{
	size_t parts = 0;
	struct cursor c = { .at = data, .end = (const unsigned char *)data + len, .parts = &parts, .e = e };
	return walk(&c, schema, 0);
}

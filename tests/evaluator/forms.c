/* forms.c -- a model file taken apart into ONNX's own messages, for a test to change.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/forms.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"

static void *take(const struct form *f, size_t count, size_t size)
{
	void *p = arena_alloc(f->arena, count, size);
	ck_assert_ptr_nonnull(p);
	return p;
}

static void *allocate(void *arena, size_t size)
{
	return arena_alloc(arena, size, 1);
}

static void keep(void *arena, void *p)
{
	(void)arena, (void)p;
}

struct form form_open(const char *path)
{
	char *data;
	size_t len;
	struct errinfo e;
	struct form f = { .arena = arena_new() };
	ProtobufCAllocator allocator = { allocate, keep, f.arena };
	ck_assert_ptr_nonnull(f.arena);
	ck_assert_msg(!file_read(path, SIZE_MAX, &data, &len, &e), "%s", e.msg);
	f.model = onnx__model_proto__unpack(&allocator, len, (const uint8_t *)data);
	free(data);
	ck_assert_ptr_nonnull(f.model);
	f.graph = f.model->graph;
	return f;
}

void form_close(struct form *f)
{
	arena_free(f->arena);
}

const uint8_t *form_pack(const struct form *f, size_t *ret_len)
{
	*ret_len = onnx__model_proto__get_packed_size(f->model);
	uint8_t *bytes = take(f, *ret_len, 1);
	onnx__model_proto__pack(f->model, bytes);
	return bytes;
}

enum err form_read(const struct form *f, struct graph **ret, struct errinfo *e)
{
	size_t len = onnx__model_proto__get_packed_size(f->model);
	uint8_t *bytes = malloc(len);
	ck_assert_ptr_nonnull(bytes);
	onnx__model_proto__pack(f->model, bytes);
	*e = (struct errinfo){ 0 };
	enum err err = onnx_read_bytes(bytes, len, ret, e);
	free(bytes);
	return err;
}

/* A node without a rule does not make the file wrong. */
static void claim_opaque(const struct graph *g, const char *place, const char *what)
{
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		if (n->opaque && strstr(n->name, place) && strstr(n->opaque, what))
			return;
	}
	ck_abort_msg("was accepted, and no node is opaque, expected: %s: %s", place, what);
}

void form_refused(const struct form *f, enum err code, const char *place, const char *what)
{
	struct graph *g;
	struct errinfo e;
	enum err err = form_read(f, &g, &e);
	if (!err && code == ERR_UNSUPPORTED) {
		claim_opaque(g, place, what);
		graph_free(g);
		return;
	}
	ck_assert_msg(err != ERR_OK, "was accepted, expected: %s: %s", place, what);
	ck_assert_msg(strstr(e.msg, place) && strstr(e.msg, what), "expected '%s' and '%s': %s", place, what, e.msg);
	ck_assert_msg(err == e.code && err == code, "%s: is %s, expected %s", e.msg, err_name(err), err_name(code));
}

Onnx__NodeProto *form_node(const struct form *f, const char *op, int which)
{
	for (size_t i = 0; i < f->graph->n_node; i++)
		if (!strcmp(f->graph->node[i]->op_type, op) && !which--)
			return f->graph->node[i];
	ck_abort_msg("the model has too few %s", op);
}

Onnx__TensorProto *form_tensor(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->graph->n_initializer; i++)
		if (!strcmp(f->graph->initializer[i]->name, name))
			return f->graph->initializer[i];
	ck_abort_msg("the model has no %s", name);
}

Onnx__AttributeProto *form_attribute(const Onnx__NodeProto *n, const char *name)
{
	for (size_t i = 0; i < n->n_attribute; i++)
		if (!strcmp(n->attribute[i]->name, name))
			return n->attribute[i];
	ck_abort_msg("%s has no %s", n->name, name);
}

char *form_text(const struct form *f, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	char *copy = arena_strdup(f->arena, text);
	ck_assert_ptr_nonnull(copy);
	return copy;
}

char **form_names(const struct form *f, size_t count, ...)
{
	va_list args;
	char **names = take(f, count, sizeof *names);
	va_start(args, count);
	for (size_t i = 0; i < count; i++)
		names[i] = va_arg(args, char *);
	va_end(args);
	return names;
}

Onnx__NodeProto *form_new_node(const struct form *f, const char *op, char *input, char *output)
{
	Onnx__NodeProto *n = take(f, 1, sizeof *n);
	onnx__node_proto__init(n);
	n->op_type = form_text(f, "%s", op);
	n->name = form_text(f, "added %s of %s", op, output);
	n->n_input = input ? 1 : 0;
	n->input = form_names(f, 1, input);
	n->n_output = 1;
	n->output = form_names(f, 1, output);
	return n;
}

Onnx__AttributeProto *form_add_attribute(const struct form *f, Onnx__NodeProto *n, const char *name,
	Onnx__AttributeProto__AttributeType type)
{
	Onnx__AttributeProto *a = take(f, 1, sizeof *a);
	Onnx__AttributeProto **all = take(f, n->n_attribute + 1, sizeof *all);
	onnx__attribute_proto__init(a);
	a->name = form_text(f, "%s", name);
	a->has_type = true;
	a->type = type;
	if (n->n_attribute)
		memcpy(all, n->attribute, n->n_attribute * sizeof *all);
	all[n->n_attribute++] = a;
	n->attribute = all;
	return a;
}

void form_insert(const struct form *f, size_t at, Onnx__NodeProto *n)
{
	Onnx__GraphProto *g = f->graph;
	Onnx__NodeProto **all = take(f, g->n_node + 1, sizeof *all);
	ck_assert_uint_le(at, g->n_node);
	memcpy(all, g->node, at * sizeof *all);
	all[at] = n;
	memcpy(all + at + 1, g->node + at, (g->n_node - at) * sizeof *all);
	g->node = all;
	g->n_node++;
}

void form_drop_attribute(Onnx__NodeProto *n, const char *name)
{
	for (size_t i = 0; i < n->n_attribute; i++) {
		if (strcmp(n->attribute[i]->name, name))
			continue;
		n->n_attribute--;
		memmove(n->attribute + i, n->attribute + i + 1, (n->n_attribute - i) * sizeof *n->attribute);
		return;
	}
	ck_abort_msg("%s has no %s", n->name, name);
}

float *form_floats(const Onnx__TensorProto *t, size_t *ret_count)
{
	ck_assert(t->has_raw_data && t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
	*ret_count = t->raw_data.len / sizeof(float);
	return (float *)(void *)t->raw_data.data;
}

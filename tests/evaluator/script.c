/* script.c -- ONNX models written as a few lines of text.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/script.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"

enum { MOST = 128, MOST_WORDS = 64, MOST_ELEMENTS = 1 << 16 };

struct words {
	char *word[MOST_WORDS];
	int count;
};

static struct words split(const struct form *f, const char *text, const char *at)
{
	struct words w = { .count = 0 };
	char *save, *copy = form_text(f, "%s", text);
	for (char *s = strtok_r(copy, at, &save); s; s = strtok_r(NULL, at, &save)) {
		ck_assert_int_lt(w.count, MOST_WORDS);
		w.word[w.count++] = s;
	}
	return w;
}

static void *take(const struct form *f, size_t count, size_t size)
{
	void *p = arena_alloc(f->arena, count, size);
	ck_assert_ptr_nonnull(p);
	return p;
}

/* ---- tensors ---- */

static int64_t *read_dims(const struct form *f, const char *text, size_t *ret_n, size_t *ret_count)
{
	struct words w = split(f, text, ",");
	size_t n = strcmp(text, "-") ? (size_t)w.count : 0, count = 1;
	int64_t *dims = take(f, n, sizeof *dims);
	for (size_t i = 0; i < n; i++) {
		dims[i] = strtoll(w.word[i], NULL, 0);
		count *= (size_t)(dims[i] < 0 ? 0 : dims[i]);
	}
	ck_assert_uint_le(count, MOST_ELEMENTS);
	*ret_n = n;
	*ret_count = count;
	return dims;
}

static const struct {
	const char *word;
	int type;
	size_t size;
} types[] = {
	{ "floats", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, 4 },
	{ "ints", ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 8 },
	{ "int32", ONNX__TENSOR_PROTO__DATA_TYPE__INT32, 4 },
	{ "bool", ONNX__TENSOR_PROTO__DATA_TYPE__BOOL, 1 },
};

static void put_element(int type, const char *word, unsigned char *to)
{
	float real = strtof(word, NULL);
	int64_t whole = strtoll(word, NULL, 0);
	int32_t small = (int32_t)whole;
	if (type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT)
		memcpy(to, &real, sizeof real);
	else if (type == ONNX__TENSOR_PROTO__DATA_TYPE__INT64)
		memcpy(to, &whole, sizeof whole);
	else if (type == ONNX__TENSOR_PROTO__DATA_TYPE__INT32)
		memcpy(to, &small, sizeof small);
	else
		*to = whole != 0;
}

static void add_tensor(struct form *f, const struct words *w, size_t kind)
{
	size_t count;
	Onnx__TensorProto *t = take(f, 1, sizeof *t);
	onnx__tensor_proto__init(t);
	t->name = w->word[1];
	t->has_data_type = true;
	t->data_type = types[kind].type;
	t->dims = read_dims(f, w->word[2], &t->n_dims, &count);
	t->has_raw_data = true;
	t->raw_data.len = count * types[kind].size;
	t->raw_data.data = take(f, t->raw_data.len, 1);
	for (size_t i = 0; i < count && w->count > 3; i++)
		put_element(t->data_type, w->word[3 + (int)(i % (size_t)(w->count - 3))],
			t->raw_data.data + i * types[kind].size);
	f->graph->initializer[f->graph->n_initializer++] = t;
}

/* ---- inputs and outputs ---- */

static Onnx__TensorShapeProto__Dimension *new_dimension(const struct form *f, const char *word)
{
	Onnx__TensorShapeProto__Dimension *d = take(f, 1, sizeof *d);
	onnx__tensor_shape_proto__dimension__init(d);
	bool number = *word == '-' || (*word >= '0' && *word <= '9');
	d->value_case = number ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
			       : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
	if (number)
		d->dim_value = strtoll(word, NULL, 0);
	else
		d->dim_param = (char *)word;
	return d;
}

static Onnx__ValueInfoProto *new_info(const struct form *f, const struct words *w)
{
	Onnx__ValueInfoProto *info = take(f, 1, sizeof *info);
	Onnx__TypeProto *type = take(f, 1, sizeof *type);
	Onnx__TypeProto__Tensor *tensor = take(f, 1, sizeof *tensor);
	onnx__value_info_proto__init(info);
	onnx__type_proto__init(type);
	onnx__type_proto__tensor__init(tensor);
	info->name = w->word[1];
	info->type = type;
	type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	type->tensor_type = tensor;
	tensor->has_elem_type = true;
	tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
	if (w->count < 3)
		return info;
	struct words dims = split(f, w->word[2], ",");
	tensor->shape = take(f, 1, sizeof *tensor->shape);
	onnx__tensor_shape_proto__init(tensor->shape);
	tensor->shape->dim = take(f, (size_t)dims.count, sizeof *tensor->shape->dim);
	for (int i = 0; i < dims.count; i++)
		tensor->shape->dim[tensor->shape->n_dim++] = new_dimension(f, dims.word[i]);
	return info;
}

/* ---- nodes ---- */

static void add_attribute(const struct form *f, Onnx__NodeProto *n, const char *name, const char *value)
{
	bool list = *value == '[', text = *value == '\'', real = !list && !text && strchr(value, '.');
	Onnx__AttributeProto *a = form_add_attribute(f, n, name,
		list   ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS
		: text ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING
		: real ? ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT
		       : ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
	if (list) {
		struct words w = split(f, value, "[],");
		a->ints = take(f, (size_t)w.count, sizeof *a->ints);
		for (int i = 0; i < w.count; i++)
			a->ints[a->n_ints++] = strtoll(w.word[i], NULL, 0);
	}
	a->has_s = text;
	if (text)
		a->s = (ProtobufCBinaryData){ strlen(value) - 2, (uint8_t *)form_text(f, "%s", value + 1) };
	a->has_f = real;
	a->f = strtof(value, NULL);
	a->has_i = !list && !text && !real;
	a->i = strtoll(value, NULL, 0);
}

static void add_node(struct form *f, const struct words *w)
{
	Onnx__NodeProto *n = take(f, 1, sizeof *n);
	struct words outputs = split(f, w->word[0], ",");
	onnx__node_proto__init(n);
	n->name = form_text(f, "node_%s", outputs.word[0]);
	n->op_type = w->word[2];
	n->output = take(f, (size_t)outputs.count, sizeof *n->output);
	n->input = take(f, (size_t)w->count, sizeof *n->input);
	for (int i = 0; i < outputs.count; i++)
		n->output[n->n_output++] = outputs.word[i];
	for (int i = 3; i < w->count; i++) {
		char *equals = strchr(w->word[i], '=');
		if (equals) {
			*equals = '\0';
			add_attribute(f, n, w->word[i], equals + 1);
		} else {
			n->input[n->n_input++] = strcmp(w->word[i], "_") ? w->word[i] : form_text(f, "%s", "");
		}
	}
	f->graph->node[f->graph->n_node++] = n;
}

/* ---- the whole ---- */

static void read_line(struct form *f, const struct words *w)
{
	const char *what = w->word[0];
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(what, types[i].word)) {
			add_tensor(f, w, i);
			return;
		}
	if (!strcmp(what, "opset"))
		f->model->opset_import[0]->version = strtoll(w->word[1], NULL, 0);
	else if (!strcmp(what, "input"))
		f->graph->input[f->graph->n_input++] = new_info(f, w);
	else if (!strcmp(what, "output"))
		f->graph->output[f->graph->n_output++] = new_info(f, w);
	else if (!strcmp(what, "info"))
		f->graph->value_info[f->graph->n_value_info++] = new_info(f, w);
	else if (w->count > 2 && !strcmp(w->word[1], "="))
		add_node(f, w);
	else
		ck_abort_msg("script: %s", what);
}

struct form script_open(const char *text)
{
	struct form f = { .arena = arena_new() };
	ck_assert_ptr_nonnull(f.arena);
	f.model = take(&f, 1, sizeof *f.model);
	f.graph = take(&f, 1, sizeof *f.graph);
	onnx__model_proto__init(f.model);
	onnx__graph_proto__init(f.graph);
	f.model->graph = f.graph;
	f.model->has_ir_version = true;
	f.model->ir_version = 8;
	f.model->opset_import = take(&f, 1, sizeof *f.model->opset_import);
	f.model->opset_import[0] = take(&f, 1, sizeof **f.model->opset_import);
	onnx__operator_set_id_proto__init(f.model->opset_import[0]);
	f.model->n_opset_import = 1;
	f.model->opset_import[0]->has_version = true;
	f.model->opset_import[0]->version = 13;
	f.graph->name = form_text(&f, "script");
	f.graph->node = take(&f, MOST, sizeof *f.graph->node);
	f.graph->initializer = take(&f, MOST, sizeof *f.graph->initializer);
	f.graph->input = take(&f, MOST, sizeof *f.graph->input);
	f.graph->output = take(&f, MOST, sizeof *f.graph->output);
	f.graph->value_info = take(&f, MOST, sizeof *f.graph->value_info);
	struct words lines = split(&f, text, "\n");
	for (int i = 0; i < lines.count; i++) {
		struct words w = split(&f, lines.word[i], " \t");
		if (w.count)
			read_line(&f, &w);
	}
	return f;
}

struct graph *script_graph(const char *text)
{
	struct graph *g;
	struct errinfo e;
	struct form f = script_open(text);
	ck_assert_msg(!form_read(&f, &g, &e), "%s\n%s", e.msg, text);
	form_close(&f);
	return g;
}

void script_refused(const char *text, enum err code, const char *place, const char *what)
{
	struct form f = script_open(text);
	form_refused(&f, code, place, what);
	form_close(&f);
}

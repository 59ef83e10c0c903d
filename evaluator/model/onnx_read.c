/* onnx_read.c -- an ONNX file becomes a graph.
 * SPDX-License-Identifier: MIT
 *
 * The bytes are walked once and stripped of the weights (wire.c), protobuf-c unpacks the rest, everything is copied
 * into the graph's arena and the message is dropped; large weights stay in the file's bytes, which the graph takes
 * over. ONNX wants nodes in topological order, so a name that is not known yet is an error, and a cycle cannot be
 * expressed. Initialisers become values first, then inputs, then what each node computes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "evaluator/model/onnx.h"
#include "evaluator/model/reader.h"
#include "evaluator/model/wire.h"

enum { OPSET_MIN = 9, OPSET_MAX = 18, RAW_DATA = 9 /* TensorProto's field */ };
static const size_t LARGEST_FILE = (size_t)2 << 30; /* protobuf's own limit */
static const size_t MOST_VALUES = (size_t)1 << 23;

enum err reader_no_memory(struct reader *r)
{
	return err_set(r->e, ERR_MEMORY, "out of memory");
}

static const char *text(const char *s)
{
	return reader_text(s);
}

enum err reader_name(struct reader *r, const char *from, const char **ret)
{
	const char *s = text(from);
	if (!utf8_printable(s))
		return err_set(r->e, ERR_INPUT, "a name in the model is not printable UTF-8");
	*ret = arena_strdup(r->g->arena, s);
	return *ret ? ERR_OK : reader_no_memory(r);
}

/* ---- values ---- */

enum err reader_add(struct reader *r, const char *name, const struct value *v, int *ret_index)
{
	struct graph *g = r->g;
	int index = g->value_count;
	if ((size_t)index == r->value_room)
		return err_set(r->e, ERR_INTERNAL, "more values than were counted");
	const char *copy;
	enum err err = reader_name(r, name, &copy);
	if (err)
		return err;
	if (!*copy)
		return err_set(r->e, ERR_INPUT, "a tensor has no name");
	if (!names_add(r->names, copy, index))
		return err_set(r->e, ERR_INPUT, "tensor '%.200s': the name is used twice", copy);
	g->values[index] = *v;
	g->values[index].name = copy;
	g->value_count++;
	*ret_index = index;
	return ERR_OK;
}

enum err reader_invent(struct reader *r, const char *like, const struct value *v, int *ret_index)
{
	char name[260];
	int number = r->g->value_count;
	do
		snprintf(name, sizeof name, "%.200s/%d", like, number++);
	while (names_find(r->names, name) >= 0);
	return reader_add(r, name, v, ret_index);
}

enum err reader_copy(struct reader *r, int value, int *ret_index)
{
	struct value copy = r->g->values[value];
	size_t count = (size_t)shape_count(&copy.shape, 1), size = dtype_size(copy.dtype);
	void *data = arena_alloc(r->g->arena, count, size);
	if (!data)
		return reader_no_memory(r);
	memcpy(data, copy.data, count * size);
	copy.data = data;
	enum err err = reader_invent(r, copy.name, &copy, ret_index);
	if (!err)
		r->slope[*ret_index] = r->slope[value];
	return err;
}

static const struct value computed = {
	.dtype = DTYPE_FLOAT, .file_type = DTYPE_FLOAT, .shape = { .rank = -1 }, .producer = -1
};

static enum err add_initialiser(struct reader *r, const Onnx__TensorProto *t)
{
	int index;
	struct value v = computed;
	enum err err = tensor_read(t, text(t->name), r->file, r->g->arena, &v, r->e);
	v.learned = true;
	return err ? err : reader_add(r, text(t->name), &v, &index);
}

enum err reader_stored(struct reader *r)
{
	if (r->from->n_sparse_initializer)
		return err_set(r->e, ERR_UNSUPPORTED, "sparse initialisers are not supported");
	for (size_t i = 0; i < r->from->n_initializer; i++) {
		enum err err = add_initialiser(r, r->from->initializer[i]);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- inputs and outputs ---- */

static const Onnx__TypeProto__Tensor *tensor_type(const Onnx__ValueInfoProto *info)
{
	if (!info->type || info->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
		return NULL;
	return info->type->tensor_type;
}

/* What the file declares for dimension 0 is kept for the writer. */
static enum err keep_batch(struct reader *r, const Onnx__TensorShapeProto *shape, struct value *v)
{
	if (!shape || !shape->n_dim)
		return ERR_OK;
	const Onnx__TensorShapeProto__Dimension *d = shape->dim[0];
	if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
		return reader_name(r, d->dim_param, &v->batch_name);
	if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0)
		v->batch_size = d->dim_value;
	return ERR_OK;
}

static enum err read_input_shape(
	struct reader *r, const char *name, const Onnx__TensorShapeProto *from, struct shape *ret)
{
	if (!from || from->n_dim < 1 || from->n_dim > SHAPE_MAX_RANK)
		return err_set(r->e, ERR_UNSUPPORTED, "input '%.200s': has %zu dimensions, expected 1 to %d", name,
			from ? from->n_dim : 0, SHAPE_MAX_RANK);
	int64_t count = 1;
	ret->rank = (int)from->n_dim;
	ret->dim[0] = DIM_BATCH;
	for (size_t i = 1; i < from->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = from->dim[i];
		bool fixed = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		if (!fixed || d->dim_value < 1)
			return err_set(r->e, ERR_UNSUPPORTED,
				"input '%.200s': dimension %zu is not a positive number; only the first, the batch, "
				"may be left open",
				name, i);
		if (__builtin_mul_overflow(count, d->dim_value, &count) || count > INT32_MAX)
			return err_set(r->e, ERR_LIMIT, "input '%.200s': has more than 2^31 elements", name);
		ret->dim[i] = d->dim_value;
	}
	return ERR_OK;
}

/* A number declared for the batch is the same for all inputs, or it would not be the batch. */
static enum err note_batch(struct reader *r, const struct value *v)
{
	struct graph *g = r->g;
	bool first = g->input_count == 0;
	if (!first && v->batch_size != g->batch_size)
		return err_set(r->e, ERR_UNSUPPORTED,
			"input '%.200s': its first dimension, the batch, is declared as %lld, the first input's as "
			"%lld",
			v->name, (long long)v->batch_size, (long long)g->batch_size);
	g->batch_size = v->batch_size;
	return ERR_OK;
}

static enum err read_input(struct reader *r, const Onnx__ValueInfoProto *info)
{
	struct graph *g = r->g;
	const char *name = text(info->name);
	int known = names_find(r->names, name), index;
	if (known >= 0 && g->values[known].data)
		return ERR_OK; /* an initialiser that is listed as an input too, as old exporters do */
	const Onnx__TypeProto__Tensor *type = tensor_type(info);
	if (!type || type->elem_type != DTYPE_FLOAT)
		return err_set(r->e, ERR_UNSUPPORTED, "input '%.200s': is not a float tensor", name);
	struct value v = computed;
	enum err err = read_input_shape(r, name, type->shape, &v.shape);
	if (!err)
		err = keep_batch(r, type->shape, &v);
	if (!err)
		err = reader_add(r, name, &v, &index);
	if (!err)
		err = note_batch(r, &g->values[index]);
	if (!err)
		g->inputs[g->input_count++] = index;
	return err;
}

static enum err read_inputs(struct reader *r)
{
	for (size_t i = 0; i < r->from->n_input; i++) {
		enum err err = read_input(r, r->from->input[i]);
		if (err)
			return err;
	}
	return r->g->input_count ? ERR_OK : err_set(r->e, ERR_INPUT, "the model has no input");
}

/* What isn't understood is written as it was declared. */
static enum err keep_declared(struct reader *r, const Onnx__ValueInfoProto *info, struct value *v)
{
	size_t len = onnx__value_info_proto__get_packed_size(info);
	uint8_t *bytes = arena_alloc(r->g->arena, len, 1);
	if (!bytes)
		return reader_no_memory(r);
	onnx__value_info_proto__pack(info, bytes);
	v->declared = (struct raw_bytes){ bytes, len };
	return ERR_OK;
}

static enum err read_output(struct reader *r, const Onnx__ValueInfoProto *info)
{
	struct graph *g = r->g;
	int index = names_find(r->names, text(info->name));
	if (index < 0 || g->values[index].producer < 0)
		return err_set(r->e, ERR_INPUT, "output '%.200s': no node computes it", text(info->name));
	for (int i = 0; i < g->output_count; i++)
		if (g->outputs[i] == index)
			return err_set(r->e, ERR_UNSUPPORTED, "output '%.200s': is output '%.200s' again",
				text(info->name), g->values[index].name);
	struct value *v = &g->values[index];
	const Onnx__TypeProto__Tensor *type = tensor_type(info);
	enum err err = reader_name(r, info->name, &v->name); /* an Identity may have stood between */
	if (err)
		return err;
	g->outputs[g->output_count++] = index;
	err = v->shape.rank < 0 ? keep_declared(r, info, v) : ERR_OK;
	return err ? err : keep_batch(r, type ? type->shape : NULL, v);
}

static enum err read_outputs(struct reader *r)
{
	if (!r->from->n_output)
		return err_set(r->e, ERR_INPUT, "the model has no output");
	for (size_t i = 0; i < r->from->n_output; i++) {
		enum err err = read_output(r, r->from->output[i]);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* Nodes that don't lead to an output are no part of the network: nothing is to be won by pruning them. */
static enum err drop_dead_nodes(struct reader *r)
{
	struct graph *g = r->g;
	bool *live = calloc((size_t)g->value_count, sizeof *live), *wanted = calloc((size_t)g->node_count + 1, 1);
	int kept = 0;
	enum err err = live && wanted ? ERR_OK : reader_no_memory(r);
	for (int i = 0; i < g->output_count && !err; i++)
		live[g->outputs[i]] = true;
	for (int i = g->node_count - 1; i >= 0 && !err; i--) {
		const struct node *n = &g->nodes[i];
		for (int k = 0; k < n->out_count; k++)
			wanted[i] = wanted[i] || (n->out[k] >= 0 && live[n->out[k]]);
		for (int k = 0; wanted[i] && k < n->in_count; k++)
			if (n->in[k] >= 0)
				live[n->in[k]] = true;
	}
	for (int i = 0; i < g->node_count && !err; i++) {
		for (int k = 0; k < g->nodes[i].out_count; k++)
			if (g->nodes[i].out[k] >= 0)
				g->values[g->nodes[i].out[k]].producer = wanted[i] ? kept : -1;
		if (wanted[i])
			g->nodes[kept++] = g->nodes[i];
	}
	if (!err)
		g->node_count = kept;
	free(live);
	free(wanted);
	return err;
}

/* ---- the whole ---- */

/* A node may need its own copy of each operand, and an Expand before an input: with a shape and a value to expand. The
 * nodes of a branch take the place of an If. */
static void count_rooms(struct reader *r, const Onnx__GraphProto *from)
{
	r->node_room += from->n_node;
	r->value_room += from->n_initializer + from->n_input;
	for (size_t i = 0; i < from->n_node; i++) {
		const Onnx__NodeProto *n = from->node[i];
		r->node_room += n->n_input;
		r->value_room += n->n_output + 4 * n->n_input + 1;
		for (size_t k = 0; k < n->n_attribute; k++)
			if (n->attribute[k]->g)
				count_rooms(r, n->attribute[k]->g);
	}
}

static enum err reserve(struct reader *r)
{
	struct graph *g = r->g;
	const Onnx__GraphProto *from = r->from;
	count_rooms(r, from);
	if (r->value_room > MOST_VALUES)
		return err_set(r->e, ERR_LIMIT, "the model may need %zu tensors, at most %zu are supported",
			r->value_room, MOST_VALUES);
	g->nodes = ARENA_ARRAY(g->arena, struct node, r->node_room);
	g->values = ARENA_ARRAY(g->arena, struct value, r->value_room);
	g->inputs = ARENA_ARRAY(g->arena, int, from->n_input);
	g->outputs = ARENA_ARRAY(g->arena, int, from->n_output);
	r->names = names_new(r->value_room);
	r->slope = calloc(r->value_room + 1, sizeof *r->slope);
	r->uses = calloc(r->value_room + 1, sizeof *r->uses);
	r->outer = calloc(r->value_room + 1, sizeof *r->outer);
	bool ok = g->nodes && g->values && g->inputs && g->outputs && r->names && r->slope && r->uses && r->outer;
	return ok ? reader_name(r, from->name, &g->name) : reader_no_memory(r);
}

static bool is_standard(const char *domain)
{
	return !*domain || !strcmp(domain, "ai.onnx");
}

/* Other domains matter to nodes that are only passed on. */
static enum err read_opsets(struct reader *r, const Onnx__ModelProto *m)
{
	struct graph *g = r->g;
	g->ir_version = m->ir_version;
	g->opsets = ARENA_ARRAY(g->arena, struct opset, m->n_opset_import);
	if (!g->opsets)
		return reader_no_memory(r);
	for (size_t i = 0; i < m->n_opset_import; i++) {
		const Onnx__OperatorSetIdProto *from = m->opset_import[i];
		struct opset *o = &g->opsets[g->opset_count];
		if (is_standard(text(from->domain))) {
			g->opset = from->version;
			continue;
		}
		enum err err = reader_name(r, from->domain, &o->domain);
		if (err)
			return err;
		o->version = from->version;
		g->opset_count++;
	}
	if (g->opset < OPSET_MIN || g->opset > OPSET_MAX)
		return err_set(r->e, ERR_UNSUPPORTED, "the model is of opset %lld, expected %d to %d",
			(long long)g->opset, OPSET_MIN, OPSET_MAX);
	return ERR_OK;
}

static enum err read_model(struct reader *r, const Onnx__ModelProto *m)
{
	if (!m->graph)
		return err_set(r->e, ERR_INPUT, "not an ONNX model: it has no graph");
	if (m->n_functions)
		return err_set(r->e, ERR_UNSUPPORTED,
			"the model has functions of its own, which is not supported: they must be inlined before");
	enum err err = read_opsets(r, m);
	if (!err)
		err = reserve(r);
	if (!err)
		err = reader_stored(r);
	if (!err)
		err = read_inputs(r);
	if (!err)
		err = reader_nodes(r);
	if (!err)
		err = read_outputs(r);
	if (!err)
		err = drop_dead_nodes(r);
	return err ? err : graph_infer_shapes(r->g, r->e);
}

static struct graph *graph_new(void)
{
	struct arena *a = arena_new();
	struct graph *g = a ? ARENA_NEW(a, struct graph) : NULL;
	if (g)
		g->arena = a;
	else
		arena_free(a);
	return g;
}

static enum err unpack(const struct file_bytes *file, Onnx__ModelProto **ret, struct errinfo *e)
{
	uint8_t *stripped;
	size_t len;
	enum err err = wire_strip(&onnx__model_proto__descriptor, &onnx__tensor_proto__descriptor, RAW_DATA, file->data,
		file->len, &stripped, &len, e);
	if (err)
		return err;
	Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, len, stripped);
	free(stripped);
	if (!m)
		return err_set(e, ERR_INPUT, "not an ONNX model: the bytes don't follow its schema");
	*ret = m;
	return ERR_OK;
}

/* Takes over the file's bytes, also on failure. */
static enum err read_owned(struct file_bytes *file, struct graph **ret, struct errinfo *e)
{
	Onnx__ModelProto *m = NULL;
	struct graph *g = NULL;
	enum err err = unpack(file, &m, e);
	if (!err) {
		g = graph_new();
		err = g ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	}
	if (err) {
		file_bytes_close(file);
		goto out;
	}
	g->file = *file;
	struct reader r = { .g = g, .from = m->graph, .file = &g->file, .e = e };
	err = read_model(&r, m);
	names_free(r.names);
	free(r.slope);
	free(r.uses);
	free(r.outer);
out:
	if (m)
		onnx__model_proto__free_unpacked(m, NULL);
	if (err)
		graph_free(g);
	else
		*ret = g;
	return err;
}

enum err onnx_read_bytes(const void *data, size_t len, struct graph **ret, struct errinfo *e)
{
	struct file_bytes copy = { .data = malloc(len + 1), .len = len };
	if (!copy.data)
		return err_set(e, ERR_MEMORY, "out of memory");
	memcpy(copy.data, data, len);
	return read_owned(&copy, ret, e);
}

enum err onnx_read(const char *path, struct graph **ret, struct errinfo *e)
{
	struct file_bytes file;
	enum err err = file_bytes_open(path, LARGEST_FILE, &file, e);
	if (err)
		return err;
	err = read_owned(&file, ret, e);
	return err ? err_wrap(e, "%s", path) : ERR_OK;
}

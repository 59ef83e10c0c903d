/* onnx_write.c -- a graph becomes an ONNX file.
 * SPDX-License-Identifier: MIT
 *
 * The message is built in an arena of its own and points into the graph where it can; protobuf-c packs it. Stored
 * tensors that no node uses are left out; those that weren't learned become Constant nodes, as they were, and sizes
 * that depend on the batch the arithmetic that finds them when the network runs. Every builder answers NULL when memory
 * is out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/model/tensor.h"
#include "onnx.pb-c.h"

enum { LEAST_IR = 6 }; /* of opset 11; from 4 on initialisers need not be listed as inputs */

struct writer {
	const struct graph *g;
	struct arena *arena;
	Onnx__GraphProto *to;
	size_t node_room;
	const char *batch; /* the tensor that holds the batch's size, once it was asked for */
};

static char *string(const char *s)
{
	return (char *)s; /* protobuf-c's structs are not const; packing does not write */
}

static Onnx__TensorProto *build_tensor(struct writer *w, const struct value *v)
{
	Onnx__TensorProto *t = ARENA_NEW(w->arena, Onnx__TensorProto);
	if (!t)
		return NULL;
	onnx__tensor_proto__init(t);
	t->name = string(v->name);
	t->n_dims = (size_t)v->shape.rank;
	t->dims = (int64_t *)v->shape.dim;
	t->has_data_type = true;
	t->data_type = v->file_type;
	t->has_raw_data = true;
	t->raw_data.data = v->data;
	t->raw_data.len = (size_t)shape_count(&v->shape, 1) * tensor_element_size(v->file_type);
	if (v->file_type == (int)v->dtype)
		return t;
	t->raw_data.data = arena_alloc(w->arena, t->raw_data.len, 1);
	if (!t->raw_data.data)
		return NULL;
	tensor_write_elements(v, t->raw_data.data);
	return t;
}

/* A number where the file had one, otherwise the batch's name; a multiple of it has none. */
static Onnx__TensorShapeProto__Dimension *build_dimension(struct writer *w, const struct value *v, int axis)
{
	Onnx__TensorShapeProto__Dimension *d = ARENA_NEW(w->arena, Onnx__TensorShapeProto__Dimension);
	if (!d)
		return NULL;
	onnx__tensor_shape_proto__dimension__init(d);
	int64_t dim = v->shape.dim[axis], fixed = w->g->batch_size;
	const char *name = v->batch_name ? v->batch_name : w->g->values[w->g->inputs[0]].batch_name;
	if (dim > 0 || fixed) {
		d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		d->dim_value = dim > 0 ? dim : -dim * fixed;
	} else if (dim == DIM_BATCH) {
		d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
		d->dim_param = string(name ? name : "batch");
	}
	return d;
}

static Onnx__TensorShapeProto *build_shape(struct writer *w, const struct value *v)
{
	Onnx__TensorShapeProto *s = ARENA_NEW(w->arena, Onnx__TensorShapeProto);
	if (!s)
		return NULL;
	onnx__tensor_shape_proto__init(s);
	s->dim = ARENA_ARRAY(w->arena, Onnx__TensorShapeProto__Dimension *, (size_t)v->shape.rank);
	if (!s->dim)
		return NULL;
	for (int i = 0; i < v->shape.rank; i++) {
		s->dim[i] = build_dimension(w, v, i);
		if (!s->dim[i])
			return NULL;
		s->n_dim++;
	}
	return s;
}

/* An input or output of the network: name, type and shape. */
static Onnx__ValueInfoProto *build_info(struct writer *w, const struct value *v)
{
	Onnx__ValueInfoProto *info = ARENA_NEW(w->arena, Onnx__ValueInfoProto);
	Onnx__TypeProto *type = ARENA_NEW(w->arena, Onnx__TypeProto);
	Onnx__TypeProto__Tensor *tensor = ARENA_NEW(w->arena, Onnx__TypeProto__Tensor);
	if (!info || !type || !tensor)
		return NULL;
	onnx__value_info_proto__init(info);
	onnx__type_proto__init(type);
	onnx__type_proto__tensor__init(tensor);
	info->name = string(v->name);
	info->type = type;
	type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
	type->tensor_type = tensor;
	tensor->has_elem_type = true;
	tensor->elem_type = (int32_t)v->dtype;
	if (v->shape.rank < 0)
		return info;
	tensor->shape = build_shape(w, v);
	return tensor->shape ? info : NULL;
}

static Onnx__AttributeProto *build_attribute(struct writer *w, const struct attribute *a)
{
	static const Onnx__AttributeProto__AttributeType types[] = {
		[ATTRIBUTE_INT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT,
		[ATTRIBUTE_FLOAT] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT,
		[ATTRIBUTE_STRING] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING,
		[ATTRIBUTE_INTS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS,
		[ATTRIBUTE_FLOATS] = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS,
	};
	Onnx__AttributeProto *p = ARENA_NEW(w->arena, Onnx__AttributeProto);
	if (!p)
		return NULL;
	onnx__attribute_proto__init(p);
	p->name = string(a->name);
	p->has_type = true;
	p->type = types[a->kind];
	p->has_i = a->kind == ATTRIBUTE_INT;
	p->i = a->i;
	p->has_f = a->kind == ATTRIBUTE_FLOAT;
	p->f = a->f;
	p->ints = a->ints;
	p->n_ints = a->kind == ATTRIBUTE_INTS ? a->count : 0;
	p->floats = a->floats;
	p->n_floats = a->kind == ATTRIBUTE_FLOATS ? a->count : 0;
	p->has_s = a->kind == ATTRIBUTE_STRING;
	if (p->has_s)
		p->s = (ProtobufCBinaryData){ strlen(a->s), (uint8_t *)string(a->s) };
	return p;
}

/* protobuf-c's allocator, over an arena: what it unpacks goes with the rest. */
static void *allocate(void *arena, size_t size)
{
	return arena_alloc(arena, size, 1);
}

static void keep(void *arena, void *memory)
{
	(void)arena;
	(void)memory;
}

/* A node of so many inputs and attributes, to be filled in, and one output or as many as there are values. */
static Onnx__NodeProto *add_node(struct writer *w, const char *type, size_t inputs, size_t outputs, size_t attributes)
{
	Onnx__NodeProto *p = ARENA_NEW(w->arena, Onnx__NodeProto);
	if (!p || w->to->n_node == w->node_room)
		return NULL;
	onnx__node_proto__init(p);
	p->op_type = string(type);
	p->input = ARENA_ARRAY(w->arena, char *, inputs);
	p->output = ARENA_ARRAY(w->arena, char *, outputs);
	p->attribute = ARENA_ARRAY(w->arena, Onnx__AttributeProto *, attributes);
	if (!p->input || !p->output || !p->attribute)
		return NULL;
	p->n_input = inputs;
	p->n_output = outputs;
	p->n_attribute = attributes;
	w->to->node[w->to->n_node++] = p;
	return p;
}

/* ---- stored tensors that weren't learned, and sizes known at run time ---- */

static bool add_constant(struct writer *w, const struct value *v)
{
	Onnx__NodeProto *p = add_node(w, "Constant", 0, 1, 1);
	Onnx__AttributeProto *a = ARENA_NEW(w->arena, Onnx__AttributeProto);
	if (!p || !a)
		return false;
	onnx__attribute_proto__init(a);
	a->name = string("value");
	a->has_type = true;
	a->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
	a->t = build_tensor(w, v);
	p->attribute[0] = a;
	p->output[0] = string(v->name);
	return a->t != NULL;
}

/* The name of an invented tensor: that of value v and a number. */
static const char *invent(struct writer *w, const char *of, int number)
{
	char name[300];
	snprintf(name, sizeof name, "%.260s/size/%d", of, number);
	return arena_strdup(w->arena, name);
}

static bool add_number(struct writer *w, const char *name, int64_t number)
{
	int64_t *data = ARENA_ARRAY(w->arena, int64_t, 1);
	struct value *v = ARENA_NEW(w->arena, struct value); /* the message points into it */
	if (!data || !v || !name)
		return false;
	*data = number;
	*v = (struct value){
		.name = name, .dtype = DTYPE_INT64, .file_type = DTYPE_INT64, .shape = { 1, { 1 } }, .data = data
	};
	return add_constant(w, v);
}

static bool add_pair(struct writer *w, const char *type, const char *a, const char *b, const char *to)
{
	Onnx__NodeProto *p = add_node(w, type, b ? 2 : 1, 1, 0);
	if (!p || !a || !to)
		return false;
	p->input[0] = string(a);
	if (b)
		p->input[1] = string(b);
	p->output[0] = string(to);
	return true;
}

/* batch = Gather(Shape(input), [0]) */
static bool find_batch(struct writer *w)
{
	const char *input = w->g->values[w->g->inputs[0]].name;
	const char *shape = invent(w, input, 0), *zero = invent(w, input, 1), *batch = invent(w, input, 2);
	if (w->batch)
		return true;
	w->batch = batch;
	return add_pair(w, "Shape", input, NULL, shape) && add_number(w, zero, 0) &&
	       add_pair(w, "Gather", shape, zero, batch);
}

/* Element i of whole numbers that depend on the batch, as base + slope * batch; *ret is the tensor that holds it. */
static bool add_size(struct writer *w, const struct value *v, int i, const char **ret)
{
	int64_t base = ((const int64_t *)v->data)[i], slope = v->slope ? v->slope[i] : 0;
	if (v->batch_sizes && base < 0) {
		slope = -base;
		base = 0;
	}
	const char *number = invent(w, v->name, 4 * i), *factor = invent(w, v->name, 4 * i + 1);
	const char *multiple = invent(w, v->name, 4 * i + 2), *sum = invent(w, v->name, 4 * i + 3);
	bool ok = true;
	if (slope && slope != 1)
		ok = add_number(w, factor, slope) && add_pair(w, "Mul", w->batch, factor, multiple);
	const char *part = slope == 1 ? w->batch : multiple;
	if (ok && (base || !slope))
		ok = add_number(w, number, base) && (!slope || add_pair(w, "Add", part, number, sum));
	*ret = !slope ? number : base ? sum : part;
	return ok;
}

/* A scalar is the only element of a list. */
static bool add_scalar(struct writer *w, const struct value *v, const char *list)
{
	struct value *shape = ARENA_NEW(w->arena, struct value);
	const char *name = invent(w, v->name, -1);
	if (!shape || !name)
		return false;
	*shape = (struct value){ .name = name,
		.dtype = DTYPE_INT64,
		.file_type = DTYPE_INT64,
		.shape = { 1, { 0 } },
		.data = arena_alloc(w->arena, 0, 1) };
	return add_constant(w, shape) && add_pair(w, "Reshape", list, name, v->name);
}

static bool add_sizes(struct writer *w, const struct value *v)
{
	size_t count = (size_t)shape_count(&v->shape, 1);
	const char **parts = ARENA_ARRAY(w->arena, const char *, count);
	const char *name = v->shape.rank ? v->name : invent(w, v->name, -2);
	if (!parts || !name || !find_batch(w))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!add_size(w, v, (int)i, &parts[i]))
			return false;
	Onnx__NodeProto *p = add_node(w, "Concat", count, 1, 1);
	struct attribute *axis = ARENA_NEW(w->arena, struct attribute);
	if (!p || !axis)
		return false;
	*axis = (struct attribute){ .name = "axis", .kind = ATTRIBUTE_INT };
	p->attribute[0] = build_attribute(w, axis);
	for (size_t i = 0; i < count; i++)
		p->input[i] = string(parts[i]);
	p->output[0] = string(name);
	return p->attribute[0] && (v->shape.rank || add_scalar(w, v, name));
}

/* ---- the graph's nodes ---- */

static bool copy_names(const struct writer *w, const int *values, int count, char **to)
{
	for (int i = 0; i < count; i++)
		to[i] = string(values[i] < 0 ? "" : w->g->values[values[i]].name);
	return true;
}

static Onnx__AttributeProto *unpack_raw(struct writer *w, const struct raw_bytes *raw)
{
	ProtobufCAllocator in_arena = { .alloc = allocate, .free = keep, .allocator_data = w->arena };
	return onnx__attribute_proto__unpack(&in_arena, raw->len, raw->bytes);
}

static bool build_node(struct writer *w, const struct node *n)
{
	size_t attributes = (size_t)(n->opaque ? n->raw_count : n->attribute_count);
	Onnx__NodeProto *p = add_node(
		w, n->opaque ? n->type : op_table[n->op].name, (size_t)n->in_count, (size_t)n->out_count, attributes);
	if (!p)
		return false;
	p->name = string(n->name);
	if (n->opaque)
		p->domain = string(n->domain);
	for (size_t i = 0; i < attributes; i++) {
		p->attribute[i] = n->opaque ? unpack_raw(w, &n->raw[i]) : build_attribute(w, &n->attributes[i]);
		if (!p->attribute[i])
			return false;
	}
	return copy_names(w, n->in, n->in_count, p->input) && copy_names(w, n->out, n->out_count, p->output);
}

static bool *used_values(struct writer *w)
{
	bool *used = ARENA_ARRAY(w->arena, bool, (size_t)w->g->value_count);
	for (int i = 0; used && i < w->g->node_count; i++) {
		const struct node *n = &w->g->nodes[i];
		for (int k = 0; k < n->in_count; k++)
			if (n->in[k] >= 0)
				used[n->in[k]] = true;
	}
	return used;
}

static bool is_sizes(const struct value *v)
{
	return v->batch_sizes || v->slope;
}

/* The most nodes that the graph may become. */
static size_t count_nodes(const struct writer *w, const bool *used)
{
	size_t count = (size_t)w->g->node_count + 3;
	for (int i = 0; i < w->g->value_count; i++)
		if (used[i] && w->g->values[i].data)
			count +=
				is_sizes(&w->g->values[i]) ? 4 * (size_t)shape_count(&w->g->values[i].shape, 1) + 3 : 1;
	return count;
}

static bool build_tensors(struct writer *w, const bool *used)
{
	w->to->initializer = ARENA_ARRAY(w->arena, Onnx__TensorProto *, (size_t)w->g->value_count);
	if (!w->to->initializer)
		return false;
	for (int i = 0; i < w->g->value_count; i++) {
		const struct value *v = &w->g->values[i];
		if (!v->data || !used[i])
			continue;
		if (v->learned && !is_sizes(v)) {
			Onnx__TensorProto *t = build_tensor(w, v);
			if (!t)
				return false;
			w->to->initializer[w->to->n_initializer++] = t;
		} else if (is_sizes(v) ? !add_sizes(w, v) : !add_constant(w, v)) {
			return false;
		}
	}
	return true;
}

static bool build_nodes(struct writer *w)
{
	const bool *used = used_values(w);
	if (!used)
		return false;
	w->node_room = count_nodes(w, used);
	w->to->node = ARENA_ARRAY(w->arena, Onnx__NodeProto *, w->node_room);
	if (!w->to->node || !build_tensors(w, used))
		return false;
	for (int i = 0; i < w->g->node_count; i++)
		if (!build_node(w, &w->g->nodes[i]))
			return false;
	return true;
}

static Onnx__ValueInfoProto *build_output(struct writer *w, const struct value *v)
{
	ProtobufCAllocator in_arena = { .alloc = allocate, .free = keep, .allocator_data = w->arena };
	return v->declared.bytes ? onnx__value_info_proto__unpack(&in_arena, v->declared.len, v->declared.bytes)
				 : build_info(w, v);
}

/* Shapes behind nodes that aren't understood: nobody could infer them. */
static bool build_declared(struct writer *w)
{
	const struct graph *g = w->g;
	w->to->value_info = ARENA_ARRAY(w->arena, Onnx__ValueInfoProto *, (size_t)g->value_count);
	for (int i = 0; w->to->value_info && i < g->value_count; i++) {
		const struct value *v = &g->values[i];
		bool output = false;
		for (int k = 0; k < g->output_count; k++)
			output = output || g->outputs[k] == i;
		if (v->producer < 0 || output || !g->nodes[v->producer].opaque || v->shape.rank < 0)
			continue;
		Onnx__ValueInfoProto *info = build_info(w, v);
		if (!info)
			return false;
		w->to->value_info[w->to->n_value_info++] = info;
	}
	return w->to->value_info != NULL;
}

static Onnx__ValueInfoProto **build_infos(struct writer *w, const int *values, int count)
{
	Onnx__ValueInfoProto **infos = ARENA_ARRAY(w->arena, Onnx__ValueInfoProto *, (size_t)count);
	for (int i = 0; infos && i < count; i++) {
		infos[i] = build_output(w, &w->g->values[values[i]]);
		if (!infos[i])
			return NULL;
	}
	return infos;
}

static Onnx__GraphProto *build_graph(struct writer *w)
{
	const struct graph *g = w->g;
	Onnx__GraphProto *p = ARENA_NEW(w->arena, Onnx__GraphProto);
	if (!p)
		return NULL;
	onnx__graph_proto__init(p);
	w->to = p;
	p->name = string(*g->name ? g->name : "network");
	p->input = build_infos(w, g->inputs, g->input_count);
	p->n_input = (size_t)g->input_count;
	p->output = build_infos(w, g->outputs, g->output_count);
	p->n_output = (size_t)g->output_count;
	return p->input && p->output && build_declared(w) && build_nodes(w) ? p : NULL;
}

static Onnx__OperatorSetIdProto *build_opset(struct writer *w, const char *domain, int64_t version)
{
	Onnx__OperatorSetIdProto *p = ARENA_NEW(w->arena, Onnx__OperatorSetIdProto);
	if (!p)
		return NULL;
	onnx__operator_set_id_proto__init(p);
	p->domain = string(domain);
	p->has_version = true;
	p->version = version;
	return p;
}

static bool build_opsets(struct writer *w, Onnx__ModelProto *model)
{
	const struct graph *g = w->g;
	model->opset_import = ARENA_ARRAY(w->arena, Onnx__OperatorSetIdProto *, (size_t)g->opset_count + 1);
	for (int i = -1; model->opset_import && i < g->opset_count; i++) {
		Onnx__OperatorSetIdProto *p = i < 0 ? build_opset(w, "", g->opset)
						    : build_opset(w, g->opsets[i].domain, g->opsets[i].version);
		if (!p)
			return false;
		model->opset_import[model->n_opset_import++] = p;
	}
	return model->opset_import != NULL;
}

static enum err write_model(struct writer *w, const char *path, struct errinfo *e)
{
	Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
	model.has_ir_version = true;
	model.ir_version = w->g->ir_version > LEAST_IR ? w->g->ir_version : LEAST_IR;
	model.producer_name = string("pared");
	model.producer_version = string(VERSION);
	model.graph = build_graph(w);
	if (!model.graph || !build_opsets(w, &model))
		return err_set(e, ERR_MEMORY, "%s: out of memory", path);
	size_t len = onnx__model_proto__get_packed_size(&model);
	uint8_t *bytes = malloc(len);
	if (!bytes)
		return err_set(e, ERR_MEMORY, "%s: out of memory", path);
	onnx__model_proto__pack(&model, bytes);
	enum err err = file_write(path, bytes, len, e);
	free(bytes);
	return err;
}

enum err onnx_write(const struct graph *g, const char *path, struct errinfo *e)
{
	struct writer w = { .g = g, .arena = arena_new() };
	enum err err = w.arena ? write_model(&w, path, e) : err_set(e, ERR_MEMORY, "%s: out of memory", path);
	arena_free(w.arena);
	return err;
}

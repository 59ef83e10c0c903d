/* onnx_write.c -- a graph becomes an ONNX file.
 * SPDX-License-Identifier: MIT
 *
 * The message is built in an arena of its own and points into the graph where it can; protobuf-c packs it. Initialisers
 * that no node uses are left out. Every builder answers NULL when memory is out. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "onnx.pb-c.h"

enum { LEAST_IR = 6 }; /* of opset 11; from 4 on initialisers need not be listed as inputs */

struct writer {
	const struct graph *g;
	struct arena *arena;
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
	t->data_type = (int32_t)v->dtype;
	t->has_raw_data = true;
	t->raw_data.data = v->data;
	t->raw_data.len = (size_t)shape_count(&v->shape, 1) * dtype_size(v->dtype);
	return t;
}

static Onnx__TensorShapeProto__Dimension *build_dimension(struct writer *w, const struct value *v, int axis)
{
	Onnx__TensorShapeProto__Dimension *d = ARENA_NEW(w->arena, Onnx__TensorShapeProto__Dimension);
	if (!d)
		return NULL;
	onnx__tensor_shape_proto__dimension__init(d);
	if (v->shape.dim[axis] == DIM_BATCH && !v->batch_size) {
		d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
		d->dim_param = string(v->batch_name ? v->batch_name : "batch");
	} else {
		d->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		d->dim_value = v->shape.dim[axis] == DIM_BATCH ? v->batch_size : v->shape.dim[axis];
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
	p->has_s = a->kind == ATTRIBUTE_STRING;
	if (p->has_s)
		p->s = (ProtobufCBinaryData){ strlen(a->s), (uint8_t *)string(a->s) };
	return p;
}

static char **build_names(struct writer *w, const int *values, int count)
{
	char **names = ARENA_ARRAY(w->arena, char *, (size_t)count);
	for (int i = 0; names && i < count; i++)
		names[i] = string(values[i] < 0 ? "" : w->g->values[values[i]].name);
	return names;
}

static Onnx__NodeProto *build_node(struct writer *w, const struct node *n)
{
	Onnx__NodeProto *p = ARENA_NEW(w->arena, Onnx__NodeProto);
	if (!p)
		return NULL;
	onnx__node_proto__init(p);
	p->name = string(n->name);
	p->op_type = string(op_table[n->op].name);
	p->n_input = (size_t)n->in_count;
	p->input = build_names(w, n->in, n->in_count);
	p->n_output = (size_t)n->out_count;
	p->output = build_names(w, n->out, n->out_count);
	p->attribute = ARENA_ARRAY(w->arena, Onnx__AttributeProto *, (size_t)n->attribute_count);
	if (!p->input || !p->output || !p->attribute)
		return NULL;
	for (int i = 0; i < n->attribute_count; i++) {
		p->attribute[i] = build_attribute(w, &n->attributes[i]);
		if (!p->attribute[i])
			return NULL;
		p->n_attribute++;
	}
	return p;
}

static bool build_nodes(struct writer *w, Onnx__GraphProto *p)
{
	p->node = ARENA_ARRAY(w->arena, Onnx__NodeProto *, (size_t)w->g->node_count);
	for (int i = 0; p->node && i < w->g->node_count; i++) {
		p->node[i] = build_node(w, &w->g->nodes[i]);
		if (!p->node[i])
			return false;
		p->n_node++;
	}
	return p->node != NULL;
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

static bool build_tensors(struct writer *w, Onnx__GraphProto *p)
{
	const bool *used = used_values(w);
	p->initializer = ARENA_ARRAY(w->arena, Onnx__TensorProto *, (size_t)w->g->value_count);
	if (!used || !p->initializer)
		return false;
	for (int i = 0; i < w->g->value_count; i++) {
		const struct value *v = &w->g->values[i];
		if (!v->data || !used[i])
			continue;
		Onnx__TensorProto *t = build_tensor(w, v);
		if (!t)
			return false;
		p->initializer[p->n_initializer++] = t;
	}
	return true;
}

static Onnx__ValueInfoProto **build_infos(struct writer *w, const int *values, int count)
{
	Onnx__ValueInfoProto **infos = ARENA_ARRAY(w->arena, Onnx__ValueInfoProto *, (size_t)count);
	for (int i = 0; infos && i < count; i++) {
		infos[i] = build_info(w, &w->g->values[values[i]]);
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
	p->name = string(*g->name ? g->name : "network");
	p->input = build_infos(w, g->inputs, g->input_count);
	p->n_input = (size_t)g->input_count;
	p->output = build_infos(w, g->outputs, g->output_count);
	p->n_output = (size_t)g->output_count;
	return p->input && p->output && build_nodes(w, p) && build_tensors(w, p) ? p : NULL;
}

static enum err write_model(struct writer *w, const char *path, struct errinfo *e)
{
	Onnx__ModelProto model = ONNX__MODEL_PROTO__INIT;
	Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT;
	Onnx__OperatorSetIdProto *opsets[] = { &opset };
	opset.domain = string("");
	opset.has_version = true;
	opset.version = w->g->opset;
	model.has_ir_version = true;
	model.ir_version = w->g->ir_version > LEAST_IR ? w->g->ir_version : LEAST_IR;
	model.producer_name = string("pared");
	model.producer_version = string(VERSION);
	model.n_opset_import = 1;
	model.opset_import = opsets;
	model.graph = build_graph(w);
	if (!model.graph)
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

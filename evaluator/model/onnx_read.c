/* onnx_read.c -- an ONNX file becomes a graph.
 * SPDX-License-Identifier: MIT
 *
 * The bytes are walked once before protobuf-c unpacks them (wire.c), then everything is copied into the graph's arena
 * and the message is dropped. ONNX wants nodes in topological order, so a name that is not known yet is an error, and a
 * cycle cannot be expressed. Initialisers become values first, then inputs, then what each node computes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/names.h"
#include "evaluator/model/onnx.h"
#include "evaluator/model/tensor.h"
#include "evaluator/model/wire.h"
#include "onnx.pb-c.h"

enum { OPSET_MIN = 11, OPSET_MAX = 13 };
static const size_t LARGEST_FILE = (size_t)2 << 30; /* protobuf's own limit */
static const size_t MOST_VALUES = (size_t)1 << 22;

struct reader {
	struct graph *g;
	struct names *names;
	const Onnx__GraphProto *from;
	size_t value_room, node_room;
	struct errinfo *e;
};

static enum err no_memory(struct reader *r)
{
	return err_set(r->e, ERR_MEMORY, "out of memory");
}

static const char *text(const char *s)
{
	return s ? s : "";
}

/* A copy of a name. Names go to terminals, logs and JSON: what could do harm there is refused here, once. */
static enum err copy_name(struct reader *r, const char *from, const char **ret)
{
	const char *s = text(from);
	if (!utf8_printable(s))
		return err_set(r->e, ERR_INPUT, "a name in the model is not printable UTF-8");
	*ret = arena_strdup(r->g->arena, s);
	return *ret ? ERR_OK : no_memory(r);
}

/* ---- values ---- */

/* Adds a value called name; *ret_index is its place. */
static enum err add_value(struct reader *r, const char *name, const struct value *v, int *ret_index)
{
	struct graph *g = r->g;
	int index = g->value_count;
	if ((size_t)index == r->value_room)
		return err_set(r->e, ERR_INTERNAL, "more values than were counted");
	const char *copy;
	enum err err = copy_name(r, name, &copy);
	if (err)
		return err;
	if (!*name)
		return err_set(r->e, ERR_INPUT, "a tensor has no name");
	if (!names_add(r->names, copy, index))
		return err_set(r->e, ERR_INPUT, "tensor '%.200s': the name is used twice", name);
	g->values[index] = *v;
	g->values[index].name = copy;
	g->value_count++;
	*ret_index = index;
	return ERR_OK;
}

static const struct value computed = { .dtype = DTYPE_FLOAT, .shape = { .rank = -1 }, .producer = -1 };

static enum err add_tensor(struct reader *r, const Onnx__TensorProto *t, const char *name)
{
	int index;
	struct value v = computed;
	enum err err = tensor_read(t, name, r->g->arena, &v, r->e);
	return err ? err : add_value(r, name, &v, &index);
}

static enum err read_initialisers(struct reader *r)
{
	if (r->from->n_sparse_initializer)
		return err_set(r->e, ERR_UNSUPPORTED, "sparse initialisers are not supported");
	for (size_t i = 0; i < r->from->n_initializer; i++) {
		const Onnx__TensorProto *t = r->from->initializer[i];
		enum err err = add_tensor(r, t, text(t->name));
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
		return copy_name(r, d->dim_param, &v->batch_name);
	if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE && d->dim_value > 0)
		v->batch_size = d->dim_value;
	return ERR_OK;
}

static enum err read_input_shape(
	struct reader *r, const char *name, const Onnx__TensorShapeProto *from, struct shape *ret)
{
	if (!from || from->n_dim < 2 || from->n_dim > 4)
		return err_set(r->e, ERR_UNSUPPORTED, "input '%.200s': has %zu dimensions, expected 2 to 4", name,
			from ? from->n_dim : 0);
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

static enum err read_input(struct reader *r, const Onnx__ValueInfoProto *info)
{
	const char *name = text(info->name);
	int known = names_find(r->names, name), index;
	if (known >= 0 && r->g->values[known].data)
		return ERR_OK; /* an initialiser that is listed as an input too, as old exporters do */
	const Onnx__TypeProto__Tensor *type = tensor_type(info);
	if (!type || type->elem_type != DTYPE_FLOAT)
		return err_set(r->e, ERR_UNSUPPORTED, "input '%.200s': is not a float tensor", name);
	struct value v = computed;
	enum err err = read_input_shape(r, name, type->shape, &v.shape);
	if (!err)
		err = keep_batch(r, type->shape, &v);
	if (!err)
		err = add_value(r, name, &v, &index);
	if (!err)
		r->g->inputs[r->g->input_count++] = index;
	return err;
}

static enum err read_inputs(struct reader *r)
{
	for (size_t i = 0; i < r->from->n_input; i++) {
		enum err err = read_input(r, r->from->input[i]);
		if (err)
			return err;
	}
	if (r->g->input_count != 1)
		return err_set(r->e, ERR_UNSUPPORTED, "the model has %d inputs, expected 1", r->g->input_count);
	return ERR_OK;
}

static enum err read_outputs(struct reader *r)
{
	struct graph *g = r->g;
	if (r->from->n_output != 1)
		return err_set(r->e, ERR_UNSUPPORTED, "the model has %zu outputs, expected 1", r->from->n_output);
	const Onnx__ValueInfoProto *info = r->from->output[0];
	int index = names_find(r->names, text(info->name));
	if (index < 0 || g->values[index].producer < 0)
		return err_set(r->e, ERR_INPUT, "output '%.200s': no node computes it", text(info->name));
	struct value *v = &g->values[index];
	const Onnx__TypeProto__Tensor *type = tensor_type(info);
	enum err err = copy_name(r, info->name, &v->name); /* an Identity may have stood between */
	if (err)
		return err;
	g->outputs[g->output_count++] = index;
	return keep_batch(r, type ? type->shape : NULL, v);
}

/* ---- attributes ---- */

static const struct {
	Onnx__AttributeProto__AttributeType type;
	const char *name;
} kinds[] = {
	[ATTRIBUTE_INT] = { ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT, "int" },
	[ATTRIBUTE_FLOAT] = { ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT, "float" },
	[ATTRIBUTE_STRING] = { ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING, "string" },
	[ATTRIBUTE_INTS] = { ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS, "ints" },
};

static enum err copy_ints(struct reader *r, const Onnx__AttributeProto *a, struct attribute *ret)
{
	ret->count = a->n_ints;
	ret->ints = ARENA_ARRAY(r->g->arena, int64_t, a->n_ints);
	if (!ret->ints)
		return no_memory(r);
	if (a->n_ints)
		memcpy(ret->ints, a->ints, a->n_ints * sizeof *a->ints);
	return ERR_OK;
}

static enum err read_attribute(
	struct reader *r, const struct node *n, const Onnx__AttributeProto *a, struct attribute *ret)
{
	char where[256];
	const struct op_attribute *known = op_attribute(n->op, text(a->name));
	if (!known)
		return err_set(r->e, ERR_UNSUPPORTED, "%s: attribute '%.100s' is not known", node_text(n, where),
			text(a->name));
	if (node_attribute(n, known->name))
		return err_set(r->e, ERR_INPUT, "%s: attribute '%s' is given twice", node_text(n, where), known->name);
	if (a->type != kinds[known->kind].type)
		return err_set(r->e, ERR_INPUT, "%s: attribute '%s' has the type %d, expected %d (%s)",
			node_text(n, where), known->name, (int)a->type, (int)kinds[known->kind].type,
			kinds[known->kind].name);
	*ret = (struct attribute){ .name = known->name, .kind = known->kind, .i = a->i, .f = a->f };
	if (known->kind == ATTRIBUTE_INTS)
		return copy_ints(r, a, ret);
	if (known->kind == ATTRIBUTE_STRING) {
		ret->s = arena_strndup(r->g->arena, a->s.len ? (const char *)a->s.data : "", a->s.len);
		return ret->s ? ERR_OK : no_memory(r);
	}
	return ERR_OK;
}

static enum err read_attributes(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	n->attributes = ARENA_ARRAY(r->g->arena, struct attribute, from->n_attribute);
	if (!n->attributes)
		return no_memory(r);
	for (size_t i = 0; i < from->n_attribute; i++) {
		enum err err = read_attribute(r, n, from->attribute[i], &n->attributes[i]);
		if (err)
			return err;
		n->attribute_count++;
	}
	return ERR_OK;
}

/* ---- nodes ---- */

static enum err find_input(struct reader *r, const Onnx__NodeProto *from, size_t i, int *ret)
{
	const char *name = text(from->input[i]);
	*ret = *name ? names_find(r->names, name) : -1;
	if (*name && *ret < 0)
		return err_set(r->e, ERR_INPUT, "node '%.200s': its input '%.200s' is not defined before it",
			text(from->name), name);
	return ERR_OK;
}

/* Constant: a tensor like an initialiser. */
static enum err read_constant(struct reader *r, const Onnx__NodeProto *from)
{
	const Onnx__AttributeProto *a = from->n_attribute == 1 ? from->attribute[0] : NULL;
	if (!a || strcmp(text(a->name), "value") || !a->t || from->n_output != 1)
		return err_set(r->e, ERR_UNSUPPORTED,
			"node '%.200s' (Constant): only the attribute 'value' is supported", text(from->name));
	return add_tensor(r, a->t, text(from->output[0]));
}

/* A stored tensor again, with data of its own. */
static enum err add_copy(struct reader *r, const char *name, const struct value *v, int *ret_index)
{
	struct value copy = *v;
	size_t count = (size_t)shape_count(&v->shape, 1), size = dtype_size(v->dtype);
	copy.data = arena_alloc(r->g->arena, count, size);
	if (!copy.data)
		return no_memory(r);
	memcpy(copy.data, v->data, count * size);
	return add_value(r, name, &copy, ret_index);
}

/* Identity: another name for something computed, a copy of something stored. */
static enum err read_identity(struct reader *r, const Onnx__NodeProto *from)
{
	int source = -1, index;
	if (from->n_input != 1 || from->n_output != 1)
		return err_set(r->e, ERR_INPUT,
			"node '%.200s' (Identity): has %zu inputs and %zu outputs, expected 1 and 1", text(from->name),
			from->n_input, from->n_output);
	enum err err = find_input(r, from, 0, &source);
	if (err)
		return err;
	if (source < 0)
		return err_set(r->e, ERR_INPUT, "node '%.200s' (Identity): has no input", text(from->name));
	const struct value *v = &r->g->values[source];
	if (v->data)
		return add_copy(r, text(from->output[0]), v, &index);
	const char *name;
	err = copy_name(r, from->output[0], &name);
	if (err)
		return err;
	if (!*name || !names_add(r->names, name, source))
		return err_set(r->e, ERR_INPUT, "tensor '%.200s': the name is missing or used twice", name);
	return ERR_OK;
}

static enum err read_node_inputs(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	char where[256];
	const struct op_info *op = &op_table[n->op];
	size_t count = from->n_input;
	while (count && !*text(from->input[count - 1]))
		count--; /* optional ones left out at the end */
	if (count < (size_t)op->min_in || count > (size_t)op->max_in)
		return err_set(r->e, ERR_UNSUPPORTED, "%s: has %zu inputs, expected %d to %d", node_text(n, where),
			count, op->min_in, op->max_in);
	n->in = ARENA_ARRAY(r->g->arena, int, count);
	if (!n->in)
		return no_memory(r);
	for (size_t i = 0; i < count; i++) {
		enum err err = find_input(r, from, i, &n->in[i]);
		if (err)
			return err;
		if (n->in[i] < 0 && i < (size_t)op->min_in)
			return err_set(r->e, ERR_INPUT, "%s: input %zu is left out", node_text(n, where), i);
	}
	n->in_count = (int)count;
	return ERR_OK;
}

static enum err read_node_output(struct reader *r, const Onnx__NodeProto *from, struct node *n, int index)
{
	char where[256];
	size_t count = from->n_output;
	while (count && !*text(from->output[count - 1]))
		count--;
	if (count < 1 || count > (size_t)op_table[n->op].max_out || !*text(from->output[0]))
		return err_set(r->e, ERR_UNSUPPORTED, "%s: has %zu outputs, expected 1", node_text(n, where), count);
	n->out = ARENA_ARRAY(r->g->arena, int, 1);
	if (!n->out)
		return no_memory(r);
	struct value v = computed;
	v.producer = index;
	n->out_count = 1;
	return add_value(r, text(from->output[0]), &v, &n->out[0]);
}

static enum err read_node(struct reader *r, const Onnx__NodeProto *from)
{
	const char *type = text(from->op_type), *domain = text(from->domain);
	bool standard = !*domain || !strcmp(domain, "ai.onnx");
	if (standard && !strcmp(type, "Constant"))
		return read_constant(r, from);
	if (standard && !strcmp(type, "Identity"))
		return read_identity(r, from);
	enum op op = standard ? op_named(type) : OP_COUNT;
	if (op == OP_COUNT)
		return err_set(r->e, ERR_UNSUPPORTED, "node '%.200s': operator '%s%s%.100s' is not supported",
			text(from->name), domain, *domain ? "." : "", type);
	int index = r->g->node_count;
	struct node *n = &r->g->nodes[index];
	n->op = op;
	bool named = *text(from->name) || !from->n_output; /* otherwise it is called after its output */
	enum err err = copy_name(r, named ? from->name : from->output[0], &n->name);
	if (!err)
		err = read_attributes(r, from, n);
	if (!err)
		err = read_node_inputs(r, from, n);
	if (!err)
		err = read_node_output(r, from, n, index);
	if (!err)
		r->g->node_count++;
	return err;
}

static enum err read_nodes(struct reader *r)
{
	for (size_t i = 0; i < r->from->n_node; i++) {
		enum err err = read_node(r, r->from->node[i]);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- afterwards ---- */

/* Batch-norm's statistics are measured again after pruning, so each has tensors of its own, also when a file lets
 * several nodes read one. */
static enum err own_statistics(struct reader *r)
{
	struct graph *g = r->g;
	int *uses = calloc((size_t)g->value_count, sizeof *uses);
	enum err err = uses ? ERR_OK : no_memory(r);
	for (int i = 0; uses && i < g->node_count; i++)
		for (int k = 0; k < g->nodes[i].in_count; k++)
			if (g->nodes[i].in[k] >= 0)
				uses[g->nodes[i].in[k]]++;
	for (int i = 0; !err && i < g->node_count; i++) {
		struct node *n = &g->nodes[i];
		for (int k = 3; !err && n->op == OP_BATCH_NORM && k <= 4; k++) {
			char name[256];
			const struct value *v = &g->values[n->in[k]];
			if (uses[n->in[k]] == 1 || !v->data)
				continue;
			uses[n->in[k]]--;
			snprintf(name, sizeof name, "%.200s/%d.%d", v->name, i, k);
			err = add_copy(r, name, v, &n->in[k]);
		}
	}
	free(uses);
	return err;
}

/* Nodes that don't lead to the output are no part of the network: nothing is to be won by pruning them. */
static enum err drop_dead_nodes(struct reader *r)
{
	struct graph *g = r->g;
	bool *live = calloc((size_t)g->value_count, sizeof *live);
	int kept = 0;
	if (!live)
		return no_memory(r);
	live[g->outputs[0]] = true;
	for (int i = g->node_count - 1; i >= 0; i--) {
		const struct node *n = &g->nodes[i];
		for (int k = 0; live[n->out[0]] && k < n->in_count; k++)
			if (n->in[k] >= 0)
				live[n->in[k]] = true;
	}
	for (int i = 0; i < g->node_count; i++) {
		int out = g->nodes[i].out[0];
		g->values[out].producer = live[out] ? kept : -1;
		if (live[out])
			g->nodes[kept++] = g->nodes[i];
	}
	g->node_count = kept;
	free(live);
	return ERR_OK;
}

/* ---- the whole ---- */

static enum err reserve(struct reader *r)
{
	struct graph *g = r->g;
	const Onnx__GraphProto *from = r->from;
	r->node_room = from->n_node;
	r->value_room =
		from->n_initializer + from->n_input + 3 * from->n_node; /* two more for a batch-norm's statistics */
	if (r->value_room > MOST_VALUES)
		return err_set(r->e, ERR_LIMIT, "the model has %zu tensors, at most %zu are supported", r->value_room,
			MOST_VALUES);
	g->nodes = ARENA_ARRAY(g->arena, struct node, r->node_room);
	g->values = ARENA_ARRAY(g->arena, struct value, r->value_room);
	g->inputs = ARENA_ARRAY(g->arena, int, from->n_input);
	g->outputs = ARENA_ARRAY(g->arena, int, from->n_output);
	g->name = arena_strdup(g->arena, text(from->name));
	r->names = names_new(r->value_room);
	return g->nodes && g->values && g->inputs && g->outputs && g->name && r->names ? ERR_OK : no_memory(r);
}

static enum err read_opset(const Onnx__ModelProto *m, struct graph *g, struct errinfo *e)
{
	g->ir_version = m->ir_version;
	for (size_t i = 0; i < m->n_opset_import; i++) {
		const char *domain = text(m->opset_import[i]->domain);
		if (!*domain || !strcmp(domain, "ai.onnx"))
			g->opset = m->opset_import[i]->version;
	}
	if (g->opset < OPSET_MIN || g->opset > OPSET_MAX)
		return err_set(e, ERR_UNSUPPORTED, "the model is of opset %lld, expected %d to %d", (long long)g->opset,
			OPSET_MIN, OPSET_MAX);
	return ERR_OK;
}

static enum err read_model(const Onnx__ModelProto *m, struct graph *g, struct errinfo *e)
{
	struct reader r = { .g = g, .from = m->graph, .e = e };
	if (!m->graph)
		return err_set(e, ERR_INPUT, "not an ONNX model: it has no graph");
	enum err err = read_opset(m, g, e);
	if (!err)
		err = reserve(&r);
	if (!err)
		err = read_initialisers(&r);
	if (!err)
		err = read_inputs(&r);
	if (!err)
		err = read_nodes(&r);
	if (!err)
		err = read_outputs(&r);
	if (!err)
		err = drop_dead_nodes(&r);
	if (!err)
		err = own_statistics(&r);
	names_free(r.names);
	return err ? err : graph_infer_shapes(g, e);
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

enum err onnx_read_bytes(const void *data, size_t len, struct graph **ret, struct errinfo *e)
{
	enum err err = wire_check(&onnx__model_proto__descriptor, data, len, e);
	if (err)
		return err;
	Onnx__ModelProto *m = onnx__model_proto__unpack(NULL, len, data);
	if (!m)
		return err_set(e, ERR_INPUT, "not an ONNX model: the bytes don't follow its schema");
	struct graph *g = graph_new();
	err = g ? read_model(m, g, e) : err_set(e, ERR_MEMORY, "out of memory");
	onnx__model_proto__free_unpacked(m, NULL);
	if (err)
		graph_free(g);
	else
		*ret = g;
	return err;
}

enum err onnx_read(const char *path, struct graph **ret, struct errinfo *e)
{
	char *data;
	size_t len;
	enum err err = file_read(path, LARGEST_FILE, &data, &len, e);
	if (err)
		return err;
	err = onnx_read_bytes(data, len, ret, e);
	free(data);
	return err ? err_wrap(e, "%s", path) : ERR_OK;
}

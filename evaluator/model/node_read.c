/* node_read.c -- a node of an ONNX file becomes one of the graph, or values.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "evaluator/model/reader.h"
#include "evaluator/model/shape.h"
#include "evaluator/model/wire.h"

static const char *text(const char *s)
{
	return reader_text(s);
}

/* A reason for people. A name in it may have been cut in the middle of a character: then what is not ASCII becomes '?'.
 */
static enum err keep_reason(struct reader *r, const char *reason, const char **ret)
{
	char *copy = arena_strdup(r->g->arena, reason);
	if (!copy)
		return reader_no_memory(r);
	bool whole = utf8_printable(copy);
	for (char *c = copy; *c && !whole; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	*ret = copy;
	return ERR_OK;
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
	[ATTRIBUTE_FLOATS] = { ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS, "floats" },
};

static enum err copy_attribute(struct reader *r, const Onnx__AttributeProto *a, struct attribute *ret)
{
	struct arena *arena = r->g->arena;
	if (ret->kind == ATTRIBUTE_INTS) {
		ret->count = a->n_ints;
		ret->ints = ARENA_ARRAY(arena, int64_t, a->n_ints);
		if (ret->ints && a->n_ints)
			memcpy(ret->ints, a->ints, a->n_ints * sizeof *a->ints);
		return ret->ints ? ERR_OK : reader_no_memory(r);
	}
	if (ret->kind == ATTRIBUTE_FLOATS) {
		ret->count = a->n_floats;
		ret->floats = ARENA_ARRAY(arena, float, a->n_floats);
		if (ret->floats && a->n_floats)
			memcpy(ret->floats, a->floats, a->n_floats * sizeof *a->floats);
		return ret->floats ? ERR_OK : reader_no_memory(r);
	}
	if (ret->kind == ATTRIBUTE_STRING) {
		ret->s = arena_strndup(arena, a->s.len ? (const char *)a->s.data : "", a->s.len);
		return ret->s ? ERR_OK : reader_no_memory(r);
	}
	return ERR_OK;
}

static enum err read_attribute(struct reader *r, const Onnx__AttributeProto *a, struct node *n)
{
	char where[256];
	const struct op_attribute *known = op_attribute(n->op, text(a->name));
	if (!known) {
		char reason[160];
		snprintf(reason, sizeof reason, "attribute '%.100s' is not known", text(a->name));
		return n->opaque ? ERR_OK : keep_reason(r, reason, &n->opaque);
	}
	if (node_attribute(n, known->name))
		return err_set(r->e, ERR_INPUT, "%s: attribute '%s' is given twice", node_text(n, where), known->name);
	if (a->type != kinds[known->kind].type)
		return err_set(r->e, ERR_INPUT, "%s: attribute '%s' has the type %d, expected %d (%s)",
			node_text(n, where), known->name, (int)a->type, (int)kinds[known->kind].type,
			kinds[known->kind].name);
	if (n->op == OP_BATCH_NORM && !strcmp(known->name, "training_mode"))
		return ERR_OK; /* it is read for inference, and written so */
	struct attribute *to = &n->attributes[n->attribute_count];
	*to = (struct attribute){ .name = known->name, .kind = known->kind, .i = a->i, .f = a->f };
	n->attribute_count++;
	return copy_attribute(r, a, to);
}

static enum err read_attributes(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	n->attributes = ARENA_ARRAY(r->g->arena, struct attribute, from->n_attribute);
	if (!n->attributes)
		return reader_no_memory(r);
	for (size_t i = 0; i < from->n_attribute && n->op < OP_COUNT; i++) {
		enum err err = read_attribute(r, from->attribute[i], n);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- nodes that aren't understood ---- */

static const int64_t MOST_DECLARED = (int64_t)1 << 40; /* elements, as of what is computed */

/* The tensor's bytes as the file has them, in the place of what they were stripped to. */
static ProtobufCBinaryData unstripped(const struct reader *r, const Onnx__TensorProto *t)
{
	struct wire_raw raw = { 0 };
	if (t->raw_data.len == sizeof raw)
		memcpy(&raw, t->raw_data.data, sizeof raw);
	return (ProtobufCBinaryData){ raw.len, r->file->data + raw.offset };
}

static enum err pack_attribute(struct reader *r, const Onnx__AttributeProto *a, struct raw_bytes *ret)
{
	size_t len = onnx__attribute_proto__get_packed_size(a);
	uint8_t *bytes = arena_alloc(r->g->arena, len, 1);
	if (!bytes)
		return reader_no_memory(r);
	onnx__attribute_proto__pack(a, bytes);
	*ret = (struct raw_bytes){ bytes, len };
	return ERR_OK;
}

static enum err keep_attribute(struct reader *r, const struct node *n, Onnx__AttributeProto *a, struct raw_bytes *ret)
{
	char where[256];
	if (a->g || a->n_graphs || a->n_tensors || a->sparse_tensor || a->n_sparse_tensors)
		return err_set(r->e, ERR_UNSUPPORTED,
			"%s: attribute '%.100s' is a graph or a list of tensors, which is not "
			"supported",
			node_text(n, where), text(a->name));
	if (!a->t || !a->t->has_raw_data)
		return pack_attribute(r, a, ret);
	ProtobufCBinaryData stripped = a->t->raw_data;
	a->t->raw_data = unstripped(r, a->t);
	enum err err = pack_attribute(r, a, ret);
	a->t->raw_data = stripped;
	return err;
}

/* The file's declaration of a computed value, NULL when there is none. */
static const Onnx__TypeProto__Tensor *declared(const struct reader *r, const char *name)
{
	const Onnx__GraphProto *from = r->from;
	for (size_t i = 0; i < from->n_value_info + from->n_output; i++) {
		bool inner = i < from->n_value_info;
		const Onnx__ValueInfoProto *info = inner ? from->value_info[i] : from->output[i - from->n_value_info];
		if (!strcmp(text(info->name), name) && info->type &&
			info->type->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
			return info->type->tensor_type;
	}
	return NULL;
}

static bool is_batch(const struct reader *r, const Onnx__TensorShapeProto__Dimension *d, size_t axis)
{
	const struct value *input = &r->g->values[r->g->inputs[0]];
	if (d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM)
		return input->batch_name && !strcmp(input->batch_name, d->dim_param);
	return axis == 0 && input->batch_size && d->dim_value == input->batch_size;
}

/* What the file says of an output that no rule infers; rank -1 when it is of no use. */
static struct shape declared_shape(const struct reader *r, const Onnx__TypeProto__Tensor *type)
{
	const struct shape unknown = { .rank = -1 };
	struct shape s = { 0 };
	int64_t count = 1;
	if (!type || type->elem_type != DTYPE_FLOAT || !type->shape || type->shape->n_dim > SHAPE_MAX_RANK)
		return unknown;
	for (size_t i = 0; i < type->shape->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = type->shape->dim[i];
		bool number = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
		bool batch = is_batch(r, d, i);
		if (!batch && (!number || d->dim_value < 1 || d->dim_value > INT32_MAX))
			return unknown;
		s.dim[s.rank++] = batch ? DIM_BATCH : d->dim_value;
		if (!batch && (__builtin_mul_overflow(count, d->dim_value, &count) || count > MOST_DECLARED))
			return unknown;
	}
	return shape_batch_axis(&s) < 0 ? unknown : s;
}

/* A node that is kept as it stands in the file. */
static enum err append_opaque(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	n->op = OP_COUNT;
	n->in_count = (int)from->n_input;
	n->attribute_count = 0;
	n->raw = ARENA_ARRAY(r->g->arena, struct raw_bytes, from->n_attribute);
	struct shape *shapes = ARENA_ARRAY(r->g->arena, struct shape, from->n_output);
	if (!n->raw || !shapes)
		return reader_no_memory(r);
	for (size_t i = 0; i < from->n_attribute; i++) {
		enum err err = keep_attribute(r, n, from->attribute[i], &n->raw[n->raw_count++]);
		if (err)
			return err;
	}
	for (int i = 0; i < n->in_count; i++)
		if (n->in[i] >= 0 && r->slope[n->in[i]])
			r->g->values[n->in[i]].slope = r->slope[n->in[i]];
	n->out_count = (int)from->n_output;
	for (size_t i = 0; i < from->n_output; i++) {
		const Onnx__TypeProto__Tensor *type = declared(r, text(from->output[i]));
		shapes[i] = declared_shape(r, type);
	}
	return reader_append(r, n, from->output, shapes);
}

/* ---- constants ---- */

/* A tensor of numbers that an attribute lists. */
static enum err list_constant(
	struct reader *r, enum dtype dtype, const void *from, size_t count, bool scalar, struct value *ret)
{
	size_t size = dtype_size(dtype);
	ret->dtype = dtype;
	ret->file_type = (int)dtype;
	ret->shape = (struct shape){ scalar ? 0 : 1, { (int64_t)count } };
	ret->data = arena_alloc(r->g->arena, count, size);
	if (!ret->data)
		return reader_no_memory(r);
	if (count)
		memcpy(ret->data, from, count * size);
	return ERR_OK;
}

static enum err constant_value(struct reader *r, const Onnx__NodeProto *from, const char *name, struct value *ret)
{
	const Onnx__AttributeProto *a = from->n_attribute == 1 ? from->attribute[0] : NULL;
	const char *kind = a ? text(a->name) : "";
	*ret = (struct value){ .producer = -1 };
	if (!strcmp(kind, "value") && a->t)
		return tensor_read(a->t, name, r->file, r->g->arena, ret, r->e);
	if (!strcmp(kind, "value_float"))
		return list_constant(r, DTYPE_FLOAT, &a->f, 1, true, ret);
	if (!strcmp(kind, "value_floats"))
		return list_constant(r, DTYPE_FLOAT, a->floats, a->n_floats, false, ret);
	const float zero = 0;
	if (!strcmp(kind, "value_int"))
		return list_constant(r, DTYPE_INT64, &a->i, 1, true, ret);
	if (!strcmp(kind, "value_ints"))
		return list_constant(r, DTYPE_INT64, a->ints, a->n_ints, false, ret);
	if (!a && !strcmp(text(from->op_type), "ConstantOfShape"))
		return list_constant(r, DTYPE_FLOAT, &zero, 1, false, ret);
	return err_set(r->e, ERR_UNSUPPORTED, "node '%.200s' (%s): holds no tensor and no number", text(from->name),
		text(from->op_type));
}

static enum err read_constant(struct reader *r, const Onnx__NodeProto *from)
{
	int index;
	struct value v;
	if (from->n_output != 1)
		return err_set(r->e, ERR_INPUT, "node '%.200s' (Constant): has %zu outputs, expected 1",
			text(from->name), from->n_output);
	enum err err = constant_value(r, from, text(from->output[0]), &v);
	return err ? err : reader_add(r, text(from->output[0]), &v, &index);
}

/* ConstantOfShape: the number to fill with becomes a second input. */
static enum err add_filling(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	struct value v;
	enum err err = constant_value(r, from, n->name, &v);
	if (!err && shape_count(&v.shape, 1) != 1)
		err = err_set(r->e, ERR_INPUT,
			"node '%.200s' (ConstantOfShape): attribute 'value' has %lld numbers, expected 1", n->name,
			(long long)shape_count(&v.shape, 1));
	return err ? err : reader_invent(r, n->name, &v, &n->in[n->in_count++]);
}

/* ---- inputs and outputs ---- */

static enum err read_node_inputs(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	char where[256];
	size_t count = from->n_input;
	n->in = ARENA_ARRAY(r->g->arena, int, count + 1);
	if (!n->in)
		return reader_no_memory(r);
	for (size_t i = 0; i < count; i++) {
		const char *name = text(from->input[i]);
		n->in[i] = *name ? names_find(r->names, name) : -1;
		if (*name && n->in[i] < 0)
			return err_set(r->e, ERR_INPUT, "node '%.200s': its input '%.200s' is not defined before it",
				n->name, name);
	}
	while (count && n->in[count - 1] < 0)
		count--; /* optional ones left out at the end */
	n->in_count = (int)count;
	if (n->op == OP_COUNT)
		return ERR_OK;
	const struct op_info *op = &op_table[n->op];
	if (count < (size_t)op->min_in || count > (size_t)op->max_in)
		return err_set(r->e, ERR_INPUT, "%s: has %zu inputs, expected %d to %d", node_text(n, where), count,
			op->min_in, op->max_in);
	for (int i = 0; i < op->min_in; i++)
		if (n->in[i] < 0)
			return err_set(r->e, ERR_INPUT, "%s: input %d is left out", node_text(n, where), i);
	return ERR_OK;
}

static enum err count_outputs(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	char where[256];
	size_t count = from->n_output;
	const struct op_info *op = &op_table[n->op];
	while (count && !*text(from->output[count - 1]) && op->max_out == 1)
		count--;
	if (!count || count > (size_t)op->max_out + (size_t)op->more_out ||
		(op->max_out == 1 && !*text(from->output[0])))
		return err_set(r->e, ERR_INPUT, "%s: has %zu outputs, expected 1 to %d", node_text(n, where), count,
			op->max_out + op->more_out);
	n->out_count = count < (size_t)op->max_out ? (int)count : op->max_out;
	return ERR_OK;
}

enum err reader_append(struct reader *r, struct node *n, char *const *names, const struct shape *shapes)
{
	struct graph *g = r->g;
	if ((size_t)g->node_count == r->node_room)
		return err_set(r->e, ERR_INTERNAL, "more nodes than were counted");
	n->out = ARENA_ARRAY(g->arena, int, (size_t)n->out_count);
	if (!n->out)
		return reader_no_memory(r);
	for (int i = 0; i < n->out_count; i++) {
		bool known = !n->opaque || shapes[i].rank >= 0; /* a shape is only taken from what is declared float */
		struct value v = { .dtype = DTYPE_FLOAT,
			.file_type = known ? DTYPE_FLOAT : 0,
			.shape = shapes[i],
			.producer = g->node_count };
		n->out[i] = -1;
		enum err err = *text(names[i]) ? reader_add(r, names[i], &v, &n->out[i]) : ERR_OK;
		if (err)
			return err;
		if (n->out[i] >= 0)
			r->outer[n->out[i]] = reader_outer(r, n, &shapes[i]);
	}
	for (int i = 0; i < n->in_count; i++)
		if (n->in[i] >= 0)
			r->uses[n->in[i]]++;
	g->nodes[g->node_count++] = *n;
	return ERR_OK;
}

/* ---- nodes ---- */

/* A form without a rule makes the node opaque; the reason is the rule's. */
static enum err give_up(struct reader *r, const Onnx__NodeProto *from, struct node *n, enum err err)
{
	if (err != ERR_UNSUPPORTED)
		return err;
	err = keep_reason(r, r->e->msg, &n->opaque);
	if (err)
		return err;
	*r->e = (struct errinfo){ 0 };
	return append_opaque(r, from, n);
}

/* Whether the node is sound for the batch that the file declares, though not for any: it mixes the images of a batch.
 */
static bool fits_declared(struct reader *r, const struct node *n, struct shape *shapes)
{
	struct graph fixed = *r->g;
	struct errinfo ignored;
	shape_rule *rule = shape_rule_of(n->op);
	fixed.values = calloc((size_t)fixed.value_count + 1, sizeof *fixed.values);
	for (int i = 0; fixed.values && i < n->in_count; i++) {
		if (n->in[i] < 0)
			continue;
		struct value *v = &fixed.values[n->in[i]];
		*v = r->g->values[n->in[i]];
		for (int k = 0; k < v->shape.rank; k++)
			v->shape.dim[k] = dim_size(v->shape.dim[k], fixed.batch_size);
	}
	bool fits = fixed.values && fixed.batch_size && rule && !rule(&fixed, n, shapes, &ignored);
	free(fixed.values);
	return fits;
}

/* A node that computes with what is computed. */
static enum err read_computed(struct reader *r, const Onnx__NodeProto *from, struct node *n)
{
	struct node resolved = *n;
	struct shape *shapes = ARENA_ARRAY(r->g->arena, struct shape, (size_t)n->out_count);
	int *in = ARENA_ARRAY(r->g->arena, int, (size_t)n->in_count + 1); /* resolving may add one */
	if (!shapes || !in)
		return reader_no_memory(r);
	memcpy(in, n->in, (size_t)n->in_count * sizeof *in);
	resolved.in = in;
	enum err err = reader_resolve(r, &resolved);
	if (!err)
		err = shape_infer(r->g, &resolved, shapes, r->e);
	if (err == ERR_INPUT && fits_declared(r, &resolved, shapes))
		err = ERR_UNSUPPORTED;
	return err ? give_up(r, from, n, err) : reader_append(r, &resolved, from->output, shapes);
}

static enum err read_node(struct reader *r, const Onnx__NodeProto *from)
{
	const char *type = text(from->op_type), *domain = text(from->domain);
	bool standard = !*domain || !strcmp(domain, "ai.onnx"), done = false;
	struct node n = { .op = standard ? op_named(type) : OP_COUNT };
	if (n.op == OP_CONSTANT)
		return read_constant(r, from);
	enum err err = standard && !strcmp(type, "If") ? reader_branch(r, from, &done) : ERR_OK;
	if (err || done)
		return err;
	bool named = *text(from->name) || !from->n_output; /* otherwise it is called after its output */
	err = reader_name(r, named ? from->name : from->output[0], &n.name);
	if (!err)
		err = reader_name(r, type, &n.type);
	if (!err)
		err = reader_name(r, domain, &n.domain);
	if (!err)
		err = read_attributes(r, from, &n);
	if (!err)
		err = read_node_inputs(r, from, &n);
	if (err)
		return err;
	if (n.op == OP_COUNT) {
		char reason[200];
		snprintf(reason, sizeof reason, "operator '%.80s%s%.80s' is not known", domain, *domain ? "." : "",
			type);
		err = keep_reason(r, reason, &n.opaque);
		if (err)
			return err;
	}
	if (n.opaque && n.op != OP_CONSTANT_OF_SHAPE)
		return append_opaque(r, from, &n);
	n.opaque = NULL;
	err = count_outputs(r, from, &n);
	if (!err && n.op == OP_CONSTANT_OF_SHAPE)
		err = add_filling(r, from, &n);
	if (!err)
		err = reader_fold(r, &n, from->output, &done);
	if (err)
		return give_up(r, from, &n, err);
	return done ? ERR_OK : read_computed(r, from, &n);
}

enum err reader_nodes(struct reader *r)
{
	for (size_t i = 0; i < r->from->n_node; i++) {
		enum err err = read_node(r, r->from->node[i]);
		if (err)
			return err;
	}
	return ERR_OK;
}

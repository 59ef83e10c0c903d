/* gradient_writer.c -- a graph made node by node.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/gradient_writer.h"

#include <string.h>

#include "evaluator/model/shape.h"

void writer_fail(struct writer *w, enum err err)
{
	if (!w->err)
		w->err = err;
}

static void no_memory(struct writer *w)
{
	writer_fail(w, err_set(w->e, ERR_MEMORY, "out of memory"));
}

/* An array of the arena with room for one more; what it outgrows stays behind. */
static void *grow(struct writer *w, void *array, int count, int *room, size_t size)
{
	if (count < *room)
		return array;
	int more = *room ? 2 * *room : 64;
	void *grown = arena_alloc(w->g->arena, (size_t)more, size);
	if (!grown) {
		no_memory(w);
		return NULL;
	}
	if (count)
		memcpy(grown, array, (size_t)count * size);
	*room = more;
	return grown;
}

/* ---- values ---- */

struct shape writer_shape(const struct writer *w, int value)
{
	return value < 0 ? (struct shape){ 0 } : w->g->values[value].shape;
}

static int new_value(struct writer *w, const char *name, const struct shape *s, int producer)
{
	struct value *values = w->err ? NULL : grow(w, w->g->values, w->g->value_count, &w->value_room, sizeof *values);
	if (!values)
		return -1;
	w->g->values = values;
	values[w->g->value_count] = (struct value){
		.name = name, .dtype = DTYPE_FLOAT, .file_type = DTYPE_FLOAT, .shape = *s, .producer = producer
	};
	return w->g->value_count++;
}

/* The lists of inputs and outputs grow one by one: there are few, and this is not where time goes. */
static void append(struct writer *w, int **list, int *count, int value)
{
	int *longer = w->err ? NULL : ARENA_ARRAY(w->g->arena, int, (size_t)*count + 1);
	if (!w->err && !longer)
		no_memory(w);
	if (w->err)
		return;
	if (*count)
		memcpy(longer, *list, (size_t)*count * sizeof *longer);
	longer[(*count)++] = value;
	*list = longer;
}

int writer_input(struct writer *w, const char *name, const struct shape *s)
{
	int value = new_value(w, name, s, -1);
	append(w, &w->g->inputs, &w->g->input_count, value);
	return value;
}

void writer_use_as_input(struct writer *w, int value)
{
	append(w, &w->g->inputs, &w->g->input_count, value);
}

void writer_output(struct writer *w, int value)
{
	append(w, &w->g->outputs, &w->g->output_count, value);
}

int writer_stored(struct writer *w, const struct shape *s, float **ret_data)
{
	int value = new_value(w, w->name, s, -1);
	float *data = value < 0 ? NULL : ARENA_ARRAY(w->g->arena, float, (size_t)shape_count(s, 1));
	if (value >= 0 && !data)
		no_memory(w);
	if (data)
		w->g->values[value].data = data;
	*ret_data = data;
	return data ? value : -1;
}

int writer_constant(struct writer *w, float x)
{
	float *data;
	int value = writer_stored(w, &(struct shape){ 0 }, &data);
	if (data)
		*data = x;
	return value;
}

/* ---- nodes ---- */

static struct node *new_node(struct writer *w)
{
	struct node *nodes = w->err ? NULL : grow(w, w->g->nodes, w->g->node_count, &w->node_room, sizeof *nodes);
	if (!nodes)
		return NULL;
	w->g->nodes = nodes;
	return &nodes[w->g->node_count++];
}

void writer_copy(struct writer *w, const struct node *n)
{
	struct node *copy = new_node(w);
	if (!copy)
		return;
	*copy = *n;
	for (int k = 0; k < n->out_count; k++)
		if (n->out[k] >= 0)
			w->g->values[n->out[k]].producer = w->g->node_count - 1;
}

void writer_node_of(
	struct writer *w, enum op op, int count, const int *in, int outputs, const struct shape *const *out, int *ret)
{
	struct node *n = new_node(w);
	int at = w->g->node_count - 1;
	int *ins = n ? ARENA_ARRAY(w->g->arena, int, (size_t)count) : NULL;
	int *outs = n ? ARENA_ARRAY(w->g->arena, int, (size_t)outputs) : NULL;
	if (n && (!ins || !outs))
		no_memory(w);
	for (int k = 0; k < outputs; k++)
		ret[k] = w->err || !out[k] ? -1 : new_value(w, w->name, out[k], at);
	if (w->err)
		return;
	memcpy(ins, in, (size_t)count * sizeof *in);
	memcpy(outs, ret, (size_t)outputs * sizeof *ret);
	*n = (struct node){ .name = w->name,
		.op = op,
		.type = op_table[op].name,
		.domain = "",
		.in = ins,
		.in_count = count,
		.out = outs,
		.out_count = outputs };
}

int writer_node(struct writer *w, enum op op, int count, const int *in, const struct shape *out)
{
	int ret;
	writer_node_of(w, op, count, in, 1, &out, &ret);
	return ret;
}

void writer_attributes(struct writer *w, const struct node *of)
{
	if (w->err)
		return;
	struct node *n = &w->g->nodes[w->g->node_count - 1];
	n->attributes = of->attributes;
	n->attribute_count = of->attribute_count;
}

/* One more attribute; those of another node are not touched. */
static void add(struct writer *w, struct attribute a)
{
	if (w->err)
		return;
	struct node *n = &w->g->nodes[w->g->node_count - 1];
	struct attribute *more = ARENA_ARRAY(w->g->arena, struct attribute, (size_t)n->attribute_count + 1);
	if (!more) {
		no_memory(w);
		return;
	}
	if (n->attribute_count)
		memcpy(more, n->attributes, (size_t)n->attribute_count * sizeof *more);
	more[n->attribute_count++] = a;
	n->attributes = more;
}

void writer_int(struct writer *w, const char *name, int64_t i)
{
	add(w, (struct attribute){ .name = name, .kind = ATTRIBUTE_INT, .i = i });
}

void writer_float(struct writer *w, const char *name, float f)
{
	add(w, (struct attribute){ .name = name, .kind = ATTRIBUTE_FLOAT, .f = f });
}

void writer_string(struct writer *w, const char *name, const char *s)
{
	add(w, (struct attribute){ .name = name, .kind = ATTRIBUTE_STRING, .s = s });
}

void writer_ints(struct writer *w, const char *name, int count, const int64_t *ints)
{
	int64_t *copy = w->err ? NULL : ARENA_ARRAY(w->g->arena, int64_t, (size_t)count);
	if (!w->err && !copy)
		no_memory(w);
	if (w->err)
		return;
	memcpy(copy, ints, (size_t)count * sizeof *ints);
	add(w, (struct attribute){ .name = name, .kind = ATTRIBUTE_INTS, .ints = copy, .count = (size_t)count });
}

/* ---- usual nodes ---- */

int writer_one(struct writer *w, enum op op, int x)
{
	struct shape s = writer_shape(w, x);
	return writer_node(w, op, 1, &x, &s);
}

int writer_two(struct writer *w, enum op op, int x, int y)
{
	struct shape sx = writer_shape(w, x), sy = writer_shape(w, y), s;
	if (!w->err && !shape_join(&sx, &sy, &s))
		writer_fail(w, err_set(w->e, ERR_INTERNAL, "'%s': operands that don't broadcast", w->name));
	return w->err ? -1 : writer_node(w, op, 2, (int[]){ x, y }, &s);
}

int writer_scale(struct writer *w, int x, float factor)
{
	return factor == 1 ? x : writer_two(w, OP_MUL, x, writer_constant(w, factor));
}

static int to_shape(struct writer *w, enum op op, int x, const struct shape *to)
{
	struct shape is = writer_shape(w, x);
	return w->err || shape_equal(&is, to) ? x : writer_node(w, op, 1, &x, to);
}

int writer_reshape(struct writer *w, int x, const struct shape *to)
{
	return to_shape(w, OP_RESHAPE, x, to);
}

int writer_spread(struct writer *w, int x, const struct shape *to)
{
	return to_shape(w, OP_SPREAD, x, to);
}

int writer_sum_to(struct writer *w, int x, const struct shape *to)
{
	return to_shape(w, OP_SUM_TO, x, to);
}

int writer_reduce(struct writer *w, enum op op, int x, const bool axes[SHAPE_MAX_RANK])
{
	struct shape s = writer_shape(w, x);
	int64_t list[SHAPE_MAX_RANK];
	int count = 0;
	for (int i = 0; i < s.rank; i++)
		if (axes[i]) {
			list[count++] = i;
			s.dim[i] = 1;
		}
	int y = writer_node(w, op, 1, &x, &s);
	writer_ints(w, "axes", count, list);
	writer_int(w, "noop_with_empty_axes", 1);
	return y;
}

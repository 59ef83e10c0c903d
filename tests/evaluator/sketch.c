/* sketch.c -- small networks drawn in memory, with random weights.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/sketch.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "evaluator/model/graph.h"

enum { MOST_ATTRIBUTES = 8 };

static struct value *new_value(struct sketch *s, const char *kind)
{
	char name[32];
	struct graph *g = s->g;
	ck_assert_int_lt(g->value_count, SKETCH_VALUES);
	struct value *v = &g->values[g->value_count];
	snprintf(name, sizeof name, "%s %d", kind, g->value_count++);
	*v = (struct value){ .dtype = DTYPE_FLOAT, .shape = { .rank = -1 }, .producer = -1 };
	v->name = arena_strdup(g->arena, name);
	return v;
}

struct sketch sketch_open(const char *what, uint64_t seed, int rank, const int64_t *dims)
{
	struct sketch s = { .epsilon = 0 };
	struct arena *a = arena_new();
	ck_assert_ptr_nonnull(a);
	rng_init(&s.rng, 4, seed);
	snprintf(s.what, sizeof s.what, "%s, seed %llu", what, (unsigned long long)seed);
	s.g = ARENA_NEW(a, struct graph);
	*s.g = (struct graph){ .arena = a, .name = "sketch", .opset = 13 };
	s.g->nodes = ARENA_ARRAY(a, struct node, SKETCH_NODES);
	s.g->values = ARENA_ARRAY(a, struct value, SKETCH_VALUES);
	s.g->inputs = ARENA_ARRAY(a, int, SKETCH_MOST_PORTS);
	s.g->outputs = ARENA_ARRAY(a, int, SKETCH_MOST_PORTS);
	sketch_input(&s, rank, dims);
	return s;
}

int sketch_input(struct sketch *s, int rank, const int64_t *dims)
{
	ck_assert_int_lt(s->g->input_count, SKETCH_MOST_PORTS);
	struct value *x = new_value(s, "input");
	x->shape.rank = rank + 1;
	x->shape.dim[0] = DIM_BATCH;
	memcpy(x->shape.dim + 1, dims, (size_t)rank * sizeof *dims);
	return s->g->inputs[s->g->input_count++] = s->g->value_count - 1;
}

void sketch_output(struct sketch *s, int value)
{
	ck_assert_int_lt(s->g->output_count, SKETCH_MOST_PORTS);
	s->g->outputs[s->g->output_count++] = value;
}

int sketch_operand(struct sketch *s, int count, const int64_t *ints)
{
	struct value *v = new_value(s, "operand");
	v->dtype = DTYPE_INT64;
	v->shape = (struct shape){ 1, { count } };
	v->data = ARENA_ARRAY(s->g->arena, int64_t, (size_t)count);
	memcpy(v->data, ints, (size_t)count * sizeof *ints);
	return s->g->value_count - 1;
}

void sketch_close(struct sketch *s)
{
	graph_free(s->g);
}

int sketch_tensor(struct sketch *s, double low, double high, int rank, const int64_t *dims)
{
	struct value *v = new_value(s, "tensor");
	v->shape.rank = rank;
	for (int i = 0; i < rank; i++)
		v->shape.dim[i] = dims[i];
	int64_t count = shape_count(&v->shape, 1);
	float *data = ARENA_ARRAY(s->g->arena, float, (size_t)count);
	for (int64_t i = 0; i < count; i++)
		data[i] = (float)(low + (high - low) * rng_uniform(&s->rng));
	v->data = data;
	return s->g->value_count - 1;
}

int sketch_node(struct sketch *s, enum op op, int count, const int *inputs)
{
	return sketch_node_of(s, op, count, inputs, 1);
}

int sketch_node_of(struct sketch *s, enum op op, int count, const int *inputs, int outputs)
{
	char name[32];
	struct graph *g = s->g;
	ck_assert_int_lt(g->node_count, SKETCH_NODES);
	struct node *n = &g->nodes[g->node_count];
	snprintf(name, sizeof name, "node %d", g->node_count);
	*n = (struct node){ .op = op, .type = op_table[op].name, .domain = "" };
	n->in_count = count;
	n->out_count = outputs;
	n->name = arena_strdup(g->arena, name);
	n->in = ARENA_ARRAY(g->arena, int, SKETCH_MOST_INPUTS);
	n->out = ARENA_ARRAY(g->arena, int, (size_t)outputs);
	n->attributes = ARENA_ARRAY(g->arena, struct attribute, MOST_ATTRIBUTES);
	memcpy(n->in, inputs, (size_t)count * sizeof *inputs);
	for (int i = 0; i < outputs; i++) {
		new_value(s, "output of node")->producer = g->node_count;
		n->out[i] = g->value_count - 1;
	}
	g->node_count++;
	return n->out[0];
}

static struct attribute *new_attribute(struct sketch *s, const char *name, enum attribute_kind kind)
{
	struct node *n = &s->g->nodes[s->g->node_count - 1];
	ck_assert_int_lt(n->attribute_count, MOST_ATTRIBUTES);
	struct attribute *a = &n->attributes[n->attribute_count++];
	*a = (struct attribute){ .name = name, .kind = kind };
	return a;
}

void sketch_int(struct sketch *s, const char *name, int64_t i)
{
	new_attribute(s, name, ATTRIBUTE_INT)->i = i;
}

void sketch_float(struct sketch *s, const char *name, double f)
{
	new_attribute(s, name, ATTRIBUTE_FLOAT)->f = (float)f;
}

void sketch_string(struct sketch *s, const char *name, const char *text)
{
	new_attribute(s, name, ATTRIBUTE_STRING)->s = text;
}

void sketch_ints(struct sketch *s, const char *name, int count, const int64_t *ints)
{
	struct attribute *a = new_attribute(s, name, ATTRIBUTE_INTS);
	a->count = (size_t)count;
	a->ints = ARENA_ARRAY(s->g->arena, int64_t, a->count);
	memcpy(a->ints, ints, a->count * sizeof *ints);
}

const struct shape *sketch_shape(struct sketch *s, int value)
{
	struct errinfo e;
	if (s->g->values[value].shape.rank < 0)
		ck_assert_msg(!graph_infer_shapes(s->g, &e), "%s: %s", s->what, e.msg);
	return &s->g->values[value].shape;
}

/* Weights that keep the size of what they are multiplied with: variance 1 / fan_in. */
static int new_weight(struct sketch *s, int64_t fan_in, int rank, const int64_t *dims)
{
	double most = sqrt(3.0 / (double)fan_in);
	return sketch_tensor(s, -most, most, rank, dims);
}

/* The weight is (channels[0], channels[1], kernel ...). */
static int layer(struct sketch *s, enum op op, int x, const int64_t channels[2], int64_t fan_in, int64_t bias,
	const struct sketch_window *w)
{
	int rank = sketch_shape(s, x)->rank - 2;
	int64_t dims[5] = { channels[0], channels[1] };
	for (int i = 0; i < rank; i++)
		fan_in *= dims[2 + i] = w->kernel[i];
	int inputs[3] = { x, new_weight(s, fan_in, 2 + rank, dims) };
	if (bias)
		inputs[2] = sketch_tensor(s, -1, 1, 1, &bias);
	int y = sketch_node(s, op, bias ? 3 : 2, inputs);
	sketch_ints(s, "strides", rank, w->stride);
	sketch_ints(s, "dilations", rank, w->dilation);
	sketch_ints(s, "pads", 2 * rank, w->pads);
	if (w->group)
		sketch_int(s, "group", w->group);
	return y;
}

int sketch_conv(struct sketch *s, int x, int64_t out, const struct sketch_window *w, bool bias)
{
	int64_t group = w->group ? w->group : 1, in = sketch_shape(s, x)->dim[1] / group;
	return layer(s, OP_CONV, x, (int64_t[]){ out, in }, in, bias ? out : 0, w);
}

int sketch_conv_transpose(struct sketch *s, int x, int64_t out, const struct sketch_window *w, bool bias)
{
	int64_t group = w->group ? w->group : 1, in = sketch_shape(s, x)->dim[1];
	return layer(s, OP_CONV_TRANSPOSE, x, (int64_t[]){ in, out / group }, in / group, bias ? out : 0, w);
}

int sketch_max_pool(struct sketch *s, int x, const struct sketch_window *w)
{
	int rank = sketch_shape(s, x)->rank - 2, y = sketch_one(s, OP_MAX_POOL, x);
	sketch_ints(s, "kernel_shape", rank, w->kernel);
	sketch_ints(s, "strides", rank, w->stride);
	sketch_ints(s, "pads", 2 * rank, w->pads);
	sketch_int(s, "ceil_mode", w->ceil_mode);
	return y;
}

int sketch_batch_norm(struct sketch *s, int x)
{
	int64_t channels = sketch_shape(s, x)->dim[1];
	int inputs[5] = { x };
	inputs[1] = sketch_tensor(s, -1.5, 1.5, 1, &channels);
	inputs[2] = sketch_tensor(s, -1, 1, 1, &channels);
	inputs[3] = sketch_tensor(s, -1, 1, 1, &channels);
	inputs[4] = sketch_tensor(s, 0.2, 3, 1, &channels);
	int y = sketch_node(s, OP_BATCH_NORM, 5, inputs);
	if (s->epsilon > 0 || rng_below(&s->rng, 2))
		sketch_float(s, "epsilon", s->epsilon > 0 ? s->epsilon : 0.01);
	return y;
}

int sketch_gemm(struct sketch *s, int x, int64_t out, bool transposed, bool bias)
{
	int64_t in = sketch_shape(s, x)->dim[1];
	int inputs[3] = { x };
	inputs[1] = new_weight(s, in, 2, transposed ? (int64_t[]){ out, in } : (int64_t[]){ in, out });
	if (bias)
		inputs[2] = sketch_tensor(s, -1, 1, 1, &out);
	int y = sketch_node(s, OP_GEMM, bias ? 3 : 2, inputs);
	sketch_int(s, "transB", transposed);
	return y;
}

int sketch_one(struct sketch *s, enum op op, int x)
{
	return sketch_node(s, op, 1, &x);
}

int sketch_two(struct sketch *s, enum op op, int x, int y)
{
	return sketch_node(s, op, 2, (int[]){ x, y });
}

int sketch_add(struct sketch *s, int x, int y)
{
	return sketch_two(s, OP_ADD, x, y);
}

int64_t sketch_between(struct sketch *s, int64_t least, int64_t most)
{
	return least + (int64_t)rng_below(&s->rng, (uint64_t)(most - least + 1));
}

struct sketch_window sketch_random_window(struct sketch *s, int x, bool pooling)
{
	struct sketch_window w = { .ceil_mode = false };
	int rank = sketch_shape(s, x)->rank - 2;
	for (int axis = 0; axis < rank; axis++) {
		int64_t in = sketch_shape(s, x)->dim[2 + axis], reach;
		do {
			w.kernel[axis] = sketch_between(s, 1, 5);
			w.stride[axis] = sketch_between(s, 1, 3);
			w.dilation[axis] = pooling ? 1 : sketch_between(s, 1, 2);
			w.pads[axis] = sketch_between(s, 0, pooling ? w.kernel[axis] - 1 : 3);
			w.pads[rank + axis] = sketch_between(s, 0, pooling ? w.kernel[axis] - 1 : 3);
			reach = w.dilation[axis] * (w.kernel[axis] - 1) + 1;
		} while (in + w.pads[axis] + w.pads[rank + axis] < reach);
	}
	w.ceil_mode = pooling && rng_below(&s->rng, 2);
	return w;
}

void sketch_finish(struct sketch *s, int output)
{
	struct errinfo e;
	sketch_output(s, output);
	ck_assert_msg(!graph_infer_shapes(s->g, &e), "%s: %s", s->what, e.msg);
}

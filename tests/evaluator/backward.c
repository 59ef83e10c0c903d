/* backward.c -- the gradient of an operator against differences of its formula.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/backward.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/formula.h"

static const struct node *forward_node(const struct backward *t)
{
	return &t->forward->g->nodes[t->forward->g->node_count - 1];
}

static int output_of(const struct backward *t)
{
	return forward_node(t)->out[0];
}

static float on_grid(double x)
{
	return (float)((2 * floor(8 * x) + 1) / 16);
}

/* Stored tensors come to lie on the grid too. */
static void draw_numbers(struct backward *t, int64_t count, bool positive)
{
	struct graph *g = t->forward->g;
	for (int64_t i = 0; i < count; i++) {
		double x = rng_normal(&t->forward->rng);
		t->x[i] = on_grid(positive ? fabs(x) + 0.25 : x);
	}
	for (int i = 0; i < g->value_count; i++)
		for (int64_t k = 0; g->values[i].data && g->values[i].dtype == DTYPE_FLOAT &&
				    k < shape_count(&g->values[i].shape, 1);
			k++)
			((float *)g->values[i].data)[k] = on_grid(((float *)g->values[i].data)[k]);
}

struct backward backward_open(struct sketch *forward, int output, int64_t batch, bool positive)
{
	struct backward t = { .forward = forward, .batch = batch };
	int64_t count = 0;
	sketch_finish(forward, output);
	for (int i = 0; i < forward->g->input_count; i++)
		count += shape_count(&forward->g->values[forward->g->inputs[i]].shape, batch);
	t.x = malloc((size_t)count * sizeof *t.x);
	ck_assert_ptr_nonnull(t.x);
	draw_numbers(&t, count, positive);
	t.r = reference_run(forward->g, batch, t.x, true);
	return t;
}

void backward_close(struct backward *t)
{
	for (int i = 0; i < t->in_count; i++)
		free(t->in[i]);
	free(t->x);
	free(t->dy);
	reference_free(&t->r);
	sketch_close(&t->made);
	sketch_close(t->forward);
}

/* ---- inputs of the made graph ---- */

static float *new_input(struct backward *t, int64_t count)
{
	float *in = malloc((size_t)count * sizeof *in);
	ck_assert_ptr_nonnull(in);
	ck_assert_int_lt(t->in_count, BACKWARD_MOST_INPUTS);
	return t->in[t->in_count++] = in;
}

static int add_input(struct backward *t, int rank, const int64_t *dims)
{
	if (t->in_count > 1)
		return sketch_input(&t->made, rank - 1, dims + 1);
	t->made = sketch_open(t->forward->what, 0, rank - 1, dims + 1);
	return 0;
}

/* What only moves: a node whose output has that shape. */
static int add_move(struct backward *t, enum op op, int x, const struct shape *s)
{
	int y = sketch_node(&t->made, op, 1, &x);
	t->made.g->values[y].shape = *s;
	return y;
}

static int add_row_major(struct backward *t, const struct shape *s, const double *value, int64_t count)
{
	float *in = new_input(t, count);
	for (int64_t i = 0; i < count; i++)
		in[i] = (float)value[i];
	int x = add_input(t, s->rank, s->dim);
	return x;
}

/* The input is (batch, spatial ..., channels), which a Transpose shows as s. */
static int add_channels_last(struct backward *t, const struct shape *s, const double *value, int64_t count)
{
	struct shape from = *s, last = *s;
	int64_t permutation[SHAPE_MAX_RANK] = { 0 }, at[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK];
	float *in = new_input(t, count);
	from.dim[0] = last.dim[0] = dim_size(s->dim[0], t->batch);
	for (int i = 1; i < s->rank; i++) {
		permutation[i] = i == 1 ? s->rank - 1 : i - 1;
		last.dim[permutation[i]] = s->dim[i];
	}
	for (int64_t i = 0; i < count; i++) {
		formula_index(&from, i, at);
		for (int k = 0; k < s->rank; k++)
			to[permutation[k]] = at[k];
		in[formula_at(&last, to)] = (float)value[i];
	}
	last.dim[0] = DIM_BATCH;
	int x = add_input(t, s->rank, last.dim);
	int y = add_move(t, OP_TRANSPOSE, x, s);
	sketch_ints(&t->made, "perm", s->rank, permutation);
	return y;
}

/* The input is (batch, channels, 1, ...). */
static int add_repeated(struct backward *t, const struct shape *s, const double *value, int64_t count)
{
	struct shape few = *s;
	for (int i = 2; i < few.rank; i++)
		few.dim[i] = 1;
	int64_t each = shape_count(&few, t->batch);
	float *in = new_input(t, each);
	for (int64_t i = 0; i < each; i++)
		in[i] = (float)value[i * (count / each)];
	int x = add_input(t, few.rank, few.dim);
	return add_move(t, OP_SPREAD, x, s);
}

static int add_laid(struct backward *t, const struct shape *s, const double *value, enum backward_layout layout)
{
	int64_t count = shape_count(s, t->batch);
	return layout == LAYOUT_CHANNELS_LAST ? add_channels_last(t, s, value, count)
	       : layout == LAYOUT_REPEATED    ? add_repeated(t, s, value, count)
					      : add_row_major(t, s, value, count);
}

int backward_dy(struct backward *t, enum backward_layout layout)
{
	const struct shape *s = &t->forward->g->values[output_of(t)].shape;
	int64_t count = shape_count(s, t->batch), each = 1;
	t->dy = malloc((size_t)count * sizeof *t->dy);
	ck_assert_ptr_nonnull(t->dy);
	for (int i = 2; i < s->rank && layout == LAYOUT_REPEATED; i++)
		each *= s->dim[i];
	for (int64_t i = 0; i < count; i++)
		t->dy[i] = i % each ? t->dy[i - 1] : (double)on_grid(rng_normal(&t->forward->rng));
	return add_laid(t, s, t->dy, layout);
}

int backward_value(struct backward *t, int value, enum backward_layout layout)
{
	const struct value *v = &t->forward->g->values[value];
	if (!v->data)
		return add_laid(t, &v->shape, t->r.values[value].value, layout);
	if (v->dtype == DTYPE_INT64) {
		int operand = sketch_operand(&t->made, (int)shape_count(&v->shape, 1), v->data);
		t->made.g->values[operand].shape = v->shape;
		return operand;
	}
	int copy = sketch_tensor(&t->made, 0, 1, v->shape.rank, v->shape.dim);
	memcpy(t->made.g->values[copy].data, v->data, (size_t)shape_count(&v->shape, 1) * sizeof(float));
	return copy;
}

void backward_node(struct backward *t, enum op op, int count, const int *inputs, int outputs, const int *like)
{
	const struct node *from = forward_node(t);
	int first = sketch_node_of(&t->made, op, count, inputs, outputs);
	struct node *n = &t->made.g->nodes[t->made.g->node_count - 1];
	for (int i = 0; i < outputs; i++) {
		t->made.g->values[first + i].shape = t->forward->g->values[like[i] < 0 ? output_of(t) : like[i]].shape;
		if (like[i] < 0)
			n->out[i] = -1;
		else
			sketch_output(&t->made, first + i);
	}
	for (int i = 0; i < from->attribute_count; i++)
		n->attributes[n->attribute_count++] = from->attributes[i];
}

void backward_move(struct backward *t, enum op op, enum backward_layout x, enum backward_layout dy)
{
	const struct node *n = forward_node(t);
	int places = op_table[n->op].max_in, in[SKETCH_MOST_INPUTS], by = n->in[0];
	in[places] = backward_dy(t, dy);
	for (int i = 0; i < places; i++)
		in[i] = i < n->in_count && n->in[i] >= 0 ? backward_value(t, n->in[i], i ? LAYOUT_ROW_MAJOR : x) : -1;
	backward_node(t, op, places + 1, in, 1, &by);
	backward_check(t, 1, &by, 1e-5);
	backward_close(t);
}

/* ---- differences ---- */

/* sum(dy * y) with *at moved by h. */
static double objective(const struct backward *t, float *at, double h)
{
	float before = *at;
	double sum = 0;
	*at = (float)(before + h);
	struct reference r = reference_run(t->forward->g, t->batch, t->x, true);
	const struct numbers *y = &r.values[output_of(t)];
	for (int64_t i = 0; i < y->count; i++)
		sum += t->dy[i] * y->value[i];
	*at = before;
	reference_free(&r);
	return sum;
}

static double derivative(const struct backward *t, float *at)
{
	const double h = 0x1p-7;
	return (8 * (objective(t, at, h) - objective(t, at, -h)) -
		       (objective(t, at, 2 * h) - objective(t, at, -2 * h))) /
	       (12 * h);
}

/* Where the forward graph's numbers of a value are. */
static float *numbers_of(const struct backward *t, int value)
{
	const struct graph *g = t->forward->g;
	float *x = t->x;
	if (g->values[value].data)
		return g->values[value].data;
	for (int i = 0; g->inputs[i] != value; i++)
		x += shape_count(&g->values[g->inputs[i]].shape, t->batch);
	return x;
}

static void check_output(const struct backward *t, int value, const float *is, double within)
{
	const struct shape *s = &t->forward->g->values[value].shape;
	int64_t count = shape_count(s, t->batch);
	float *at = numbers_of(t, value);
	double *expected = malloc((size_t)count * sizeof *expected), largest = 0;
	ck_assert_ptr_nonnull(expected);
	for (int64_t i = 0; i < count; i++) {
		expected[i] = derivative(t, at + i);
		largest = fmax(largest, fabs(expected[i]));
	}
	ck_assert_msg(largest > 1e-3, "%s: all derivatives are zero", t->forward->what);
	for (int64_t i = 0; i < count; i++)
		ck_assert_msg(fabs(is[i] - expected[i]) <= within * largest,
			"%s: number %lld is %.9g, expected %.9g within %.3g", t->forward->what, (long long)i, is[i],
			expected[i], within * largest);
	free(expected);
}

void backward_check(struct backward *t, int outputs, const int *by, double within)
{
	struct errinfo e;
	struct plan *p = agree_plan(t->made.g, t->batch, PLAN_INFER, t->forward->what);
	for (int i = 0; i < t->in_count; i++)
		memcpy(plan_input(p, i), t->in[i], (size_t)(t->batch * plan_input_size(p, i)) * sizeof(float));
	for (int run = 0; run < 2; run++)
		ck_assert_msg(!plan_run(p, &e), "%s: %s", t->forward->what, e.msg);
	for (int i = 0, at = 0; i < outputs; i++)
		if (by[i] >= 0)
			check_output(t, by[i], plan_output(p, at++), within);
	plan_free(p);
}

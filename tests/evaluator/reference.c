/* reference.c -- what a network computes, by the formulas and in double, with how far float may be off.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/reference.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "tests/evaluator/formula.h"

struct numbers formula_make(struct run *t, int rank, const int64_t *dims)
{
	struct numbers y = { .shape = { .rank = rank }, .count = 1 };
	for (int i = 0; i < rank; i++) {
		y.shape.dim[i] = dims[i];
		y.count *= dims[i];
	}
	y.value = ARENA_ARRAY(t->r->arena, double, (size_t)y.count);
	y.bound = ARENA_ARRAY(t->r->arena, double, (size_t)y.count);
	ck_assert(y.value && y.bound);
	return y;
}

struct numbers formula_make_as(struct run *t, int value)
{
	const struct shape *s = &t->g->values[value].shape;
	int64_t dims[SHAPE_MAX_RANK];
	for (int i = 0; i < s->rank; i++)
		dims[i] = dim_size(s->dim[i], t->batch);
	return formula_make(t, s->rank, dims);
}

const struct numbers *formula_input(const struct run *t, const struct node *n, int i)
{
	return i < n->in_count && n->in[i] >= 0 ? &t->r->values[n->in[i]] : NULL;
}

const int64_t *formula_ints(const struct run *t, const struct node *n, int i, int64_t *ret_count)
{
	const struct value *v = i < n->in_count && n->in[i] >= 0 ? &t->g->values[n->in[i]] : NULL;
	if (!v || v->dtype != DTYPE_INT64)
		return NULL;
	*ret_count = v->shape.rank ? v->shape.dim[0] : 1;
	return v->data;
}

void formula_index(const struct shape *s, int64_t at, int64_t index[SHAPE_MAX_RANK])
{
	for (int i = s->rank - 1; i >= 0; i--) {
		index[i] = at % s->dim[i];
		at /= s->dim[i];
	}
}

int64_t formula_at(const struct shape *s, const int64_t *index)
{
	int64_t at = 0;
	for (int i = 0; i < s->rank; i++) {
		if (index[i] < 0 || index[i] >= s->dim[i])
			ck_abort_msg("index %lld of dimension %d", (long long)index[i], i);
		at = at * s->dim[i] + index[i];
	}
	return at;
}

int64_t formula_at_broadcast(const struct shape *s, int rank, const int64_t *index)
{
	int64_t at = 0;
	for (int i = 0; i < s->rank; i++)
		at = at * s->dim[i] + (s->dim[i] == 1 ? 0 : index[rank - s->rank + i]);
	return at;
}

void formula_loosen(struct numbers *y)
{
	double largest = 0;
	for (int64_t i = 0; i < y->count; i++)
		largest = fmax(largest, fabs(y->value[i]));
	for (int64_t i = 0; i < y->count; i++)
		y->bound[i] += LOOSE * largest;
}

static formula *const formulas[OP_COUNT] = {
	[OP_CONV] = formula_conv,
	[OP_CONV_TRANSPOSE] = formula_conv_transpose,
	[OP_GEMM] = formula_contract,
	[OP_MATMUL] = formula_contract,
	[OP_EINSUM] = formula_contract,
	[OP_BATCH_NORM] = formula_batch_norm,
	[OP_INSTANCE_NORM] = formula_norm,
	[OP_LAYER_NORM] = formula_norm,
	[OP_GROUP_NORM] = formula_norm,
	[OP_LRN] = formula_lrn,
	[OP_LP_NORM] = formula_lp_norm,
	[OP_MAX_POOL] = formula_pool,
	[OP_AVERAGE_POOL] = formula_pool,
	[OP_GLOBAL_AVERAGE_POOL] = formula_global_pool,
	[OP_GLOBAL_MAX_POOL] = formula_global_pool,
	[OP_SOFTMAX] = formula_softmax,
	[OP_LOG_SOFTMAX] = formula_softmax,
	[OP_FLATTEN] = formula_same,
	[OP_RESHAPE] = formula_same,
	[OP_SQUEEZE] = formula_same,
	[OP_UNSQUEEZE] = formula_same,
	[OP_TRANSPOSE] = formula_transpose,
	[OP_CONCAT] = formula_concat,
	[OP_SPLIT] = formula_split,
	[OP_SLICE] = formula_slice,
	[OP_GATHER] = formula_gather,
	[OP_EXPAND] = formula_expand,
	[OP_TILE] = formula_tile,
	[OP_PAD] = formula_pad,
	[OP_DEPTH_TO_SPACE] = formula_depth_to_space,
	[OP_SPACE_TO_DEPTH] = formula_space_to_depth,
	[OP_RESIZE] = formula_resize,
	[OP_UPSAMPLE] = formula_resize,
};

static formula *formula_of(enum op op)
{
	if (op_is_unary(op))
		return formula_unary;
	if (op_is_broadcast(op))
		return formula_broadcast;
	return op_is_reduce(op) ? formula_reduce : formulas[op];
}

/* Inputs from x, one after the other; stored tensors as they are, or as they are to be. */
static void fill_sources(struct run *t, const float *x, const double *const *stored)
{
	const struct graph *g = t->g;
	for (int i = 0; i < g->input_count; i++) {
		struct numbers *in = &t->r->values[g->inputs[i]];
		*in = formula_make_as(t, g->inputs[i]);
		for (int64_t k = 0; k < in->count; k++)
			in->value[k] = *x++;
	}
	for (int i = 0; i < g->value_count; i++) {
		const struct value *v = &g->values[i];
		struct numbers *in = &t->r->values[i];
		if (!v->data || v->dtype != DTYPE_FLOAT)
			continue;
		*in = formula_make(t, v->shape.rank, v->shape.dim);
		for (int64_t k = 0; k < in->count; k++)
			in->value[k] = stored && stored[i] ? stored[i][k] : value_floats(v)[k];
	}
}

struct reference reference_run_with(
	const struct graph *g, int64_t batch, const float *x, bool calibrate, const double *const *stored)
{
	struct reference r = { .arena = arena_new() };
	struct run t = { g, &r, calibrate, batch };
	ck_assert_ptr_nonnull(r.arena);
	r.values = ARENA_ARRAY(r.arena, struct numbers, (size_t)g->value_count);
	r.moments = ARENA_ARRAY(r.arena, struct moments, (size_t)g->node_count);
	fill_sources(&t, x, stored);
	for (int i = 0; i < g->node_count; i++)
		formula_of(g->nodes[i].op)(&t, &g->nodes[i], &r.values[g->nodes[i].out[0]]);
	return r;
}

struct reference reference_run(const struct graph *g, int64_t batch, const float *x, bool calibrate)
{
	return reference_run_with(g, batch, x, calibrate, NULL);
}

void reference_free(struct reference *r)
{
	arena_free(r->arena);
}

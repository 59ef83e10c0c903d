/* mask.c -- channels silenced in place, to hold surgery against.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/mask.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/prune/coupling.h"
#include "evaluator/prune/layer.h"
#include "evaluator/prune/surgery.h"

static void zero_dim(const struct coupling *c, const bool *removed, struct graph *g, int value, int dim)
{
	struct value *v = &g->values[value];
	const struct axis *a = coupling_axis(c, value, dim);
	size_t inner = 1, outer = 1;
	for (int i = 0; i < v->shape.rank; i++)
		*(i < dim ? &outer : &inner) *= i == dim ? 1 : (size_t)v->shape.dim[i];
	for (size_t o = 0; a && o < outer; o++)
		for (size_t i = 0; i < (size_t)a->n; i++)
			if (removed[c->class_of[a->first + (int)i]])
				memset((float *)v->data + (o * (size_t)a->n + i) * inner, 0, inner * sizeof(float));
}

/* The dimension of a layer's weight that only reads channels, -1: none. */
static int reading_dim(const struct node *n, const struct layer *l)
{
	if (n->op == OP_CONV)
		return 1;
	if (n->op == OP_CONV_TRANSPOSE) /* of one channel a group, dimension 0 is as much the output's */
		return node_int(n, "group", 1) == 1 ? 0 : -1;
	return l->in_dim;
}

static void zero_inputs(
	const struct coupling *c, const bool *removed, enum mask mask, struct graph *g, const struct node *n)
{
	struct layer l = { .weight = -1 };
	bool layer = layer_of(g, n, &l), norm = n->op == OP_BATCH_NORM;
	for (int k = 0; k < n->in_count; k++) {
		int value = n->in[k], reading = layer && value == l.weight ? reading_dim(n, &l) : -1;
		bool filter = (layer && value == l.weight) || (norm && k == 1);
		if (value < 0 || !g->values[value].data || g->values[value].dtype != DTYPE_FLOAT || (norm && k > 2))
			continue;
		for (int dim = 0; dim < g->values[value].shape.rank; dim++)
			if (dim == reading ? mask == MASK_READERS : filter || mask != MASK_FILTERS)
				zero_dim(c, removed, g, value, dim);
	}
}

static void own_tensors(struct graph *g)
{
	for (int i = 0; i < g->value_count; i++) {
		struct value *v = &g->values[i];
		size_t bytes = v->data ? (size_t)shape_count(&v->shape, 1) * dtype_size(v->dtype) : 0;
		if (v->data)
			v->data = memcpy(arena_alloc(g->arena, bytes + 1, 1), v->data, bytes);
	}
}

struct graph *mask_channels(const struct coupling *c, const bool *removed, enum mask mask)
{
	struct errinfo e;
	struct graph *g;
	bool *nothing = calloc((size_t)c->class_count + 1, sizeof *nothing);
	ck_assert_msg(!surgery_remove(c, nothing, &g, &e), "%s", e.msg);
	free(nothing);
	own_tensors(g);
	for (int i = 0; i < g->node_count; i++)
		zero_inputs(c, removed, mask, g, &g->nodes[i]);
	return g;
}

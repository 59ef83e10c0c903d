/* mask.c -- channels silenced in place, to hold surgery against.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/mask.h"

#include <string.h>

#include "evaluator/prune/coupling.h"

static void zero_rows(const struct coupling *c, const bool *removed, struct graph *g, int index)
{
	struct value *v = &g->values[index];
	const struct axis *a = coupling_axis(c, index, 0);
	size_t row = (size_t)(shape_count(&v->shape, 1) / v->shape.dim[0]);
	for (int i = 0; a && i < a->n; i++)
		if (removed[c->class_of[a->first + i]])
			memset((float *)v->data + (size_t)i * row, 0, row * sizeof(float));
}

static void zero_columns(const struct coupling *c, const bool *removed, struct graph *g, int index)
{
	struct value *v = &g->values[index];
	const struct axis *a = coupling_axis(c, index, 1);
	int64_t width = v->shape.dim[1];
	for (int64_t r = 0; a && r < v->shape.dim[0]; r++)
		for (int i = 0; i < a->n; i++)
			if (removed[c->class_of[a->first + i]])
				((float *)v->data)[r * width + i] = 0;
}

/* What produces channels: a layer's filter rows and bias, a batch-norm's scale and shift. */
static void zero_producers(
	const struct coupling *c, const bool *removed, bool shifts, struct graph *g, const struct node *n)
{
	int bias = n->in_count > 2 ? n->in[2] : -1;
	if (n->op == OP_BATCH_NORM) {
		zero_rows(c, removed, g, n->in[1]);
	} else if (n->op == OP_CONV || (n->op == OP_GEMM && node_int(n, "transB", 0))) {
		zero_rows(c, removed, g, n->in[1]);
	} else if (n->op == OP_GEMM) {
		zero_columns(c, removed, g, n->in[1]);
	} else {
		return;
	}
	if (shifts && bias >= 0)
		zero_rows(c, removed, g, bias);
}

void mask_channels(const struct coupling *c, const bool *removed, bool shifts, struct graph *g)
{
	for (int i = 0; i < g->node_count; i++)
		zero_producers(c, removed, shifts, g, &g->nodes[i]);
}

/* gather.c -- chosen indices along a dimension: y[outer, i..., inner] = x[outer, index[i...], inner].
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "evaluator/kernels/taps.h"
#include "evaluator/model/operand.h"

/* One index alone, without a dimension of its own: the numbers stay where they are. */
static enum err pick(struct builder *b, int axis, int64_t index)
{
	int from = builder_node(b)->in[0];
	struct view x;
	enum err err = builder_value(b, from, &x);
	if (err)
		return err;
	x.data += index * x.stride[axis];
	for (int i = axis; i + 1 < x.rank; i++) {
		x.dim[i] = x.dim[i + 1];
		x.stride[i] = x.stride[i + 1];
	}
	x.rank--;
	builder_alias(b, builder_result(b), from, &x);
	return ERR_OK;
}

/* The indices' dimensions follow each other in memory only in row-major order. */
static enum err spread(struct builder *b, const struct taps *t)
{
	struct order o = order_row_major();
	struct view x, y;
	enum err err = builder_dense(b, builder_node(b)->in[0], &o, &x);
	if (!err)
		err = builder_place(b, builder_result(b), &o, &y);
	return err ? err : taps_pass(b, t, &x, y.data);
}

enum err gather_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	const struct shape *x = builder_shape(b, n->in[0]);
	const int64_t *index = NULL;
	size_t count = 0;
	int axis = 0, rank = builder_shape(b, n->in[1])->rank;
	struct taps t;
	enum err err = node_axis(n, x->rank, 0, &axis, b->e);
	if (err)
		return err;
	operand_ints(b->g, n, NULL, 1, &index, &count);
	if (rank == 0)
		return pick(b, axis, *index < 0 ? *index + x->dim[axis] : *index);
	err = taps_new(b, axis, (int64_t)count, 1, &t);
	for (size_t i = 0; i < count && !err; i++)
		t.index[i] = index[i] < 0 ? index[i] + x->dim[axis] : index[i];
	if (err)
		return err;
	return rank == 1 ? taps_build(b, &t, 1) : spread(b, &t);
}

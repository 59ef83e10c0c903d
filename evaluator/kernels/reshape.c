/* reshape.c -- numbers that stay where they are and are seen in another way.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/builder.h"
#include "evaluator/model/operand.h"

/* Flatten, Reshape, Squeeze, Unsqueeze. In the order of ONNX any shape can be seen; in another order many can. */
enum err reshape_build(struct builder *b)
{
	int from = builder_node(b)->in[0], to = builder_result(b);
	struct order o = order_row_major();
	struct view dims = view_row_major(builder_shape(b, to), b->batch, NULL), x, y;
	enum err err = builder_value(b, from, &x);
	if (!err && !view_reshaped(&x, dims.rank, dims.dim, &y)) {
		err = builder_dense(b, from, &o, &x);
		if (!err && !view_reshaped(&x, dims.rank, dims.dim, &y))
			err = err_set(b->e, ERR_INTERNAL, "the sizes don't agree");
	}
	if (!err)
		builder_alias(b, to, from, &y);
	return err;
}

enum err transpose_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	int permutation[SHAPE_MAX_RANK] = { 0 };
	struct view x;
	enum err err = builder_value(b, n->in[0], &x);
	if (!err)
		err = operand_permutation(b->g, n, x.rank, permutation, b->e);
	if (err)
		return err;
	struct view y = view_permuted(&x, permutation);
	builder_alias(b, builder_result(b), n->in[0], &y);
	return ERR_OK;
}

/* What the node's Slice leaves of x. */
static enum err slice(struct builder *b, struct view *x)
{
	struct operand_slice s;
	enum err err = operand_slice(b->g, builder_node(b), &s, b->e);
	for (int i = 0; i < x->rank && !err; i++) {
		x->data += s.start[i] * x->stride[i];
		x->stride[i] *= s.step[i];
		x->dim[i] = dim_size(s.count[i], b->batch);
	}
	return err;
}

enum err slice_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct view x;
	enum err err = builder_value(b, n->in[0], &x);
	if (!err)
		err = slice(b, &x);
	if (!err)
		builder_alias(b, builder_result(b), n->in[0], &x);
	return err;
}

/* Zero where nothing was taken from. */
enum err slice_gradient_build(struct builder *b)
{
	struct view dy, dx;
	enum err err = builder_value(b, builder_node(b)->in[5], &dy);
	struct order o = order_of(&dy);
	if (!err)
		err = builder_place(b, builder_result(b), &o, &dx);
	if (!err)
		err = builder_fill(b, &dx, 0);
	if (!err)
		err = slice(b, &dx);
	return err ? err : builder_copy(b, &dy, &dx);
}

enum err split_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	int axis = 0;
	struct view x;
	enum err err = builder_value(b, n->in[0], &x);
	if (!err)
		err = node_axis(n, x.rank, 0, &axis, b->e);
	for (int i = 0; i < n->out_count && !err; i++) {
		if (n->out[i] < 0)
			continue;
		x.dim[axis] = dim_size(builder_shape(b, n->out[i])->dim[axis], b->batch);
		builder_alias(b, n->out[i], n->in[0], &x);
		x.data += x.dim[axis] * x.stride[axis];
	}
	return err;
}

enum err expand_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	int to = builder_result(b);
	struct view dims = view_row_major(builder_shape(b, to), b->batch, NULL), x;
	enum err err = builder_value(b, n->in[0], &x);
	if (err)
		return err;
	x = view_lifted(&x, dims.rank);
	x = view_expanded(&x, dims.dim);
	builder_alias(b, to, n->in[0], &x);
	return ERR_OK;
}

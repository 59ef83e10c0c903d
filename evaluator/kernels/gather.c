/* gather.c -- chosen indices along a dimension: y[outer, i..., inner] = x[outer, index[i...], inner].
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/taps.h"
#include "evaluator/model/operand.h"

/* A Gather: one index alone, without a dimension of its own, or taps for all of them. */
struct choice {
	int rank; /* of the indices */
	int axis;
	int64_t index;
	struct taps taps;
};

static enum err read_choice(struct builder *b, struct choice *ret)
{
	const struct node *n = builder_node(b);
	const struct shape *x = builder_shape(b, n->in[0]);
	const int64_t *index = NULL;
	size_t count = 0;
	struct choice c = { .rank = builder_shape(b, n->in[1])->rank };
	enum err err = node_axis(n, x->rank, 0, &c.axis, b->e);
	if (err)
		return err;
	int64_t size = x->dim[c.axis];
	operand_ints(b->g, n, NULL, 1, &index, &count);
	c.index = *index < 0 ? *index + size : *index;
	if (c.rank)
		err = taps_new(b, c.axis, (int64_t)count, 1, &c.taps);
	for (size_t i = 0; i < count && c.rank && !err; i++)
		c.taps.index[i] = index[i] < 0 ? index[i] + size : index[i];
	if (!err)
		*ret = c;
	return err;
}

/* The numbers stay where they are. */
static struct view pick(const struct view *from, const struct choice *c)
{
	struct view x = *from;
	x.data += c->index * x.stride[c->axis];
	for (int i = c->axis; i + 1 < x.rank; i++) {
		x.dim[i] = x.dim[i + 1];
		x.stride[i] = x.stride[i + 1];
	}
	x.rank--;
	return x;
}

static enum err show_picked(struct builder *b, const struct choice *c)
{
	int from = builder_node(b)->in[0];
	struct view x;
	enum err err = builder_value(b, from, &x);
	if (err)
		return err;
	x = pick(&x, c);
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
	struct choice c;
	enum err err = read_choice(b, &c);
	if (err)
		return err;
	return c.rank == 0 ? show_picked(b, &c) : c.rank == 1 ? taps_build(b, &c.taps, 1) : spread(b, &c.taps);
}

/* Zeros, but for what was picked. */
static enum err put_back(struct builder *b, const struct choice *c, int dy)
{
	struct order o = order_row_major();
	struct view from, dx;
	enum err err = builder_value(b, dy, &from);
	if (!err)
		err = builder_place(b, builder_result(b), &o, &dx);
	if (!err)
		err = builder_fill(b, &dx, 0);
	if (err)
		return err;
	dx = pick(&dx, c);
	return builder_copy(b, &from, &dx);
}

static enum err spread_back(struct builder *b, const struct taps *t, int dy)
{
	struct order o = order_row_major();
	struct view from, dx;
	enum err err = builder_dense(b, dy, &o, &from);
	if (!err)
		err = builder_place(b, builder_result(b), &o, &dx);
	return err ? err : taps_pass_back(b, t, from.data, &dx);
}

enum err gather_gradient_build(struct builder *b)
{
	int dy = builder_node(b)->in[2];
	struct choice c;
	enum err err = read_choice(b, &c);
	if (err)
		return err;
	return c.rank == 0   ? put_back(b, &c, dy)
	       : c.rank == 1 ? taps_build_back(b, &c.taps, 1, dy)
			     : spread_back(b, &c.taps, dy);
}

/* place.c -- numbers that are put together, repeated, padded and shuffled: each is copied once.
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/taps.h"
#include "evaluator/model/operand.h"

/* In the order of the largest input. */
enum err concat_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	int axis = 0;
	struct view x, largest = { .rank = 0 }, y;
	enum err err = ERR_OK;
	for (int i = 0; i < n->in_count && !err; i++) {
		err = builder_value(b, n->in[i], &x);
		if (!err && (!i || view_count(&x) > view_count(&largest)))
			largest = x;
	}
	if (!err)
		err = node_axis(n, largest.rank, 0, &axis, b->e);
	if (err)
		return err;
	struct order o = order_of(&largest);
	err = builder_place(b, builder_result(b), &o, &y);
	for (int i = 0; i < n->in_count && !err; i++) {
		err = builder_value(b, n->in[i], &x);
		y.dim[axis] = x.dim[axis];
		if (!err)
			err = builder_copy(b, &x, &y);
		y.data += y.dim[axis] * y.stride[axis];
	}
	return err;
}

static enum err place_like_input(struct builder *b, struct view *x, struct view *y)
{
	enum err err = builder_value(b, builder_node(b)->in[0], x);
	if (err)
		return err;
	struct order o = order_of(x);
	return builder_place(b, builder_result(b), &o, y);
}

/* The node's output, and the gradient that it is made of, the last input, in whose order it is placed. */
static enum err place_like_gradient(struct builder *b, struct view *dy, struct view *dx)
{
	const struct node *n = builder_node(b);
	enum err err = builder_value(b, n->in[n->in_count - 1], dy);
	if (err)
		return err;
	struct order o = order_of(dy);
	return builder_place(b, builder_result(b), &o, dx);
}

/* y[r * d + i] = x[i]: each dimension of y is seen as (repeats, dimension of x), and x with a stride of 0 for the
 * first. */
static void see_tiles(struct view *x, struct view *y)
{
	for (int i = x->rank - 1; i >= 0; i--) {
		int64_t repeats = y->dim[i] / x->dim[i];
		*y = view_split(y, i, x->dim[i]);
		*x = view_split(x, i, x->dim[i]);
		x->dim[i] = repeats;
		x->stride[i] = 0;
	}
}

enum err tile_build(struct builder *b)
{
	struct view x, y;
	enum err err = place_like_input(b, &x, &y);
	if (err)
		return err;
	see_tiles(&x, &y);
	return builder_copy(b, &x, &y);
}

/* The sum over the repeats. */
enum err tile_gradient_build(struct builder *b)
{
	struct view dy, dx;
	enum err err = place_like_gradient(b, &dy, &dx);
	if (err)
		return err;
	see_tiles(&dx, &dy);
	return builder_sum(b, &dy, &dx);
}

/* What is inside both x and y; false: nothing. */
static bool see_inside(const struct operand_pad *p, struct view *x, struct view *y)
{
	for (int i = 0; i < x->rank; i++) {
		int64_t cut = p->begin[i] < 0 ? -p->begin[i] : 0, added = p->begin[i] > 0 ? p->begin[i] : 0;
		x->data += cut * x->stride[i];
		y->data += added * y->stride[i];
		x->dim[i] -= cut + (p->end[i] < 0 ? -p->end[i] : 0);
		y->dim[i] = x->dim[i];
		if (x->dim[i] <= 0)
			return false;
	}
	return true;
}

static enum err pad_constant(struct builder *b, const struct operand_pad *p)
{
	struct view x, y;
	enum err err = place_like_input(b, &x, &y);
	if (!err)
		err = builder_fill(b, &y, p->value);
	return err || !see_inside(p, &x, &y) ? err : builder_copy(b, &x, &y);
}

/* What was cut off gets nothing. */
static enum err unpad_constant(struct builder *b, const struct operand_pad *p)
{
	struct view dy, dx;
	enum err err = place_like_gradient(b, &dy, &dx);
	if (!err)
		err = builder_fill(b, &dx, 0);
	return err || !see_inside(p, &dx, &dy) ? err : builder_copy(b, &dy, &dx);
}

/* From inside the input: mirrored without its edge, or the edge itself. */
static int64_t pad_source(int64_t at, int64_t size, char mode)
{
	if (at < 0)
		return mode == 'r' ? -at : 0;
	if (at >= size)
		return mode == 'r' ? 2 * (size - 1) - at : size - 1;
	return at;
}

/* The passes of a padding that isn't constant. */
static enum err pad_taps(
	struct builder *b, const struct operand_pad *p, struct taps passes[SHAPE_MAX_RANK], int *ret_count)
{
	const struct shape *x = builder_shape(b, builder_node(b)->in[0]);
	int count = 0;
	enum err err = ERR_OK;
	for (int i = 0; i < x->rank && !err; i++) {
		if (!p->begin[i] && !p->end[i])
			continue;
		struct taps *t = &passes[count++];
		int64_t size = x->dim[i] + p->begin[i] + p->end[i];
		err = taps_new(b, i, size, 1, t);
		for (int64_t k = 0; k < size && !err; k++)
			t->index[k] = pad_source(k - p->begin[i], x->dim[i], p->mode);
	}
	*ret_count = count;
	return err;
}

enum err pad_build(struct builder *b)
{
	struct operand_pad p;
	struct taps passes[SHAPE_MAX_RANK];
	int count = 0;
	enum err err = operand_pad(b->g, builder_node(b), &p, b->e);
	if (!err && p.mode == 'c')
		return pad_constant(b, &p);
	if (!err)
		err = pad_taps(b, &p, passes, &count);
	return err ? err : taps_build(b, passes, count);
}

enum err pad_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct operand_pad p;
	struct taps passes[SHAPE_MAX_RANK];
	int count = 0;
	enum err err = operand_pad(b->g, n, &p, b->e);
	if (!err && p.mode == 'c')
		return unpad_constant(b, &p);
	if (!err)
		err = pad_taps(b, &p, passes, &count);
	return err ? err : taps_build_back(b, passes, count, n->in[n->in_count - 1]);
}

/* (n, c * s * s, h, w) and (n, c, h * s, w * s), both seen as (n, c, h, s, w, s). DCR has the places first, CRD the
 * channels. */
static struct view see_depth(const struct view *v, int64_t s, bool places_first)
{
	static const int dcr[] = { 0, 3, 4, 1, 5, 2 }, crd[] = { 0, 1, 4, 2, 5, 3 };
	struct view r = places_first ? view_split(v, 1, v->dim[1] / s) : view_split(v, 1, s * s);
	r = view_split(&r, 2, places_first ? v->dim[1] / s / s : s);
	return view_permuted(&r, places_first ? dcr : crd);
}

static struct view see_space(const struct view *v, int64_t s)
{
	struct view r = view_split(v, 2, s);
	return view_split(&r, 4, s);
}

enum err depth_to_space_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	const struct attribute *mode = node_attribute(n, "mode");
	int64_t s = node_int(n, "blocksize", 1);
	struct view x, y;
	enum err err = place_like_input(b, &x, &y);
	if (err)
		return err;
	x = see_depth(&x, s, !mode || strcmp(mode->s, "CRD"));
	y = see_space(&y, s);
	return builder_copy(b, &x, &y);
}

enum err space_to_depth_build(struct builder *b)
{
	int64_t s = node_int(builder_node(b), "blocksize", 1);
	struct view x, y;
	enum err err = place_like_input(b, &x, &y);
	if (err)
		return err;
	x = see_space(&x, s);
	y = see_depth(&y, s, true);
	return builder_copy(b, &x, &y);
}

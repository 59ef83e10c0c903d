/* shape_map.c -- shapes of what computes number by number, window by window, or along dimensions.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/operand.h"
#include "evaluator/model/shape.h"
#include "evaluator/model/window.h"

enum err shape_same(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	(void)e;
	*ret = node_input(g, n, 0)->shape;
	return ERR_OK;
}

enum err shape_clip(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	for (int i = 1; i <= 2; i++) {
		const struct value *v = node_input(g, n, i);
		if (v && (!v->data || v->dtype != DTYPE_FLOAT || shape_count(&v->shape, 1) != 1))
			return err_set(e, ERR_UNSUPPORTED, "%s: a bound is not one stored number", node_text(n, text));
	}
	return shape_same(g, n, ret, e);
}

enum err shape_broadcast(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], sa[128], sb[128];
	struct shape s = node_input(g, n, 0)->shape;
	for (int i = 0; i < n->in_count; i++) {
		const struct value *v = node_input(g, n, i);
		if (!v || v->dtype != DTYPE_FLOAT)
			return err_set(e, ERR_UNSUPPORTED, "%s: input %d is not a float tensor", node_text(n, text), i);
		if (!shape_join(&s, &v->shape, &s))
			return err_set(e, ERR_INPUT, "%s: input %d is %s, expected %s or what can be broadcast to it",
				node_text(n, text), i, shape_text(&v->shape, sa), shape_text(&s, sb));
	}
	*ret = s;
	return ERR_OK;
}

/* The slope broadcasts into x, never x into the slope. */
enum err shape_prelu(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char expected[128];
	const struct shape *x = &node_input(g, n, 0)->shape;
	struct shape joined;
	enum err err = shape_want_weight(g, n, 1, "the slope", e);
	if (err)
		return err;
	const struct shape *slope = &node_input(g, n, 1)->shape;
	if (!shape_join(x, slope, &joined) || !shape_equal(&joined, x))
		return shape_want(n, "the slope", slope, shape_text(x, expected), e);
	*ret = *x;
	return ERR_OK;
}

enum err shape_pool(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	struct window w;
	const struct shape *x = &node_input(g, n, 0)->shape;
	enum err err = window_read(n, x, NULL, &w, e);
	if (err)
		return err;
	for (int i = 0; i < w.rank; i++) { /* the first and the last window must each see something of the input */
		int64_t last = (w.out[i] - 1) * w.stride[i];
		if (w.begin[i] > w.dilation[i] * (w.kernel[i] - 1) || last >= x->dim[2 + i] + w.begin[i])
			return err_set(
				e, ERR_INPUT, "%s: attribute 'pads' is as large as the kernel", node_text(n, text));
	}
	*ret = *x;
	for (int i = 0; i < w.rank; i++)
		ret->dim[2 + i] = w.out[i];
	return ERR_OK;
}

enum err shape_global_pool(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	const struct shape *x = &node_input(g, n, 0)->shape;
	if (x->rank < 3 || x->dim[0] > 0)
		return shape_want(n, "the input", x, "(batch, channels, height, width)", e);
	*ret = *x;
	for (int i = 2; i < x->rank; i++)
		ret->dim[i] = 1;
	return ERR_OK;
}

/* Before opset 13 the input is taken for a matrix, divided at the axis. */
enum err shape_softmax(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	int axis = 0;
	enum err err = x->rank ? node_axis(n, x->rank, g->opset < 13 ? 1 : -1, &axis, e)
			       : err_set(e, ERR_INPUT, "%s: the input is a scalar", node_text(n, text));
	for (int i = axis; i < (g->opset < 13 ? x->rank : axis + 1) && !err; i++)
		if (x->dim[i] < 0)
			err = err_set(e, ERR_UNSUPPORTED, "%s: runs over the batch", node_text(n, text));
	if (!err)
		*ret = *x;
	return err;
}

enum err shape_reduce(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	bool axes[SHAPE_MAX_RANK];
	bool keep = node_int(n, "keepdims", 1) != 0;
	struct shape s = { 0 };
	enum err err = operand_axes(g, n, x->rank, axes, e);
	for (int i = 0; i < x->rank && !err; i++) {
		if (axes[i] && x->dim[i] < 0)
			err = err_set(e, ERR_UNSUPPORTED, "%s: runs over the batch", node_text(n, text));
		if (!axes[i] || keep)
			s.dim[s.rank++] = axes[i] ? 1 : x->dim[i];
	}
	if (!err)
		*ret = s;
	return err;
}

enum err shape_lrn(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	int64_t size = node_int(n, "size", 0);
	if (size < 1 || size > 1 << 20)
		return err_set(e, ERR_INPUT, "%s: attribute 'size' is %lld, expected at least 1", node_text(n, text),
			(long long)size);
	if (x->rank < 3 || x->dim[0] > 0)
		return shape_want(n, "the input", x, "(batch, channels, height, width)", e);
	*ret = *x;
	return ERR_OK;
}

enum err shape_lp_norm(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	int64_t p = node_int(n, "p", 2);
	int axis = 0;
	enum err err = node_axis(n, x->rank, -1, &axis, e);
	if (!err && p != 1 && p != 2)
		err = err_set(
			e, ERR_INPUT, "%s: attribute 'p' is %lld, expected 1 or 2", node_text(n, text), (long long)p);
	if (!err && x->dim[axis] < 0)
		err = err_set(e, ERR_UNSUPPORTED, "%s: runs over the batch", node_text(n, text));
	if (!err)
		*ret = *x;
	return err;
}

/* shape_layer.c -- shapes of the layers: what has weights.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "evaluator/model/operand.h"
#include "evaluator/model/shape.h"
#include "evaluator/model/window.h"

/* The weight, (out, in / group, kernel ...) or transposed (in, out / group, kernel ...), fits the input's channels. */
static enum err check_filters(const struct graph *g, const struct node *n, bool transposed, struct errinfo *e)
{
	char text[256], expected[64];
	const struct shape *x = &node_input(g, n, 0)->shape;
	enum err err = shape_want_weight(g, n, 1, "the weight", e);
	if (err)
		return err;
	if (x->rank > 1 && x->dim[1] < 0)
		return err_set(
			e, ERR_UNSUPPORTED, "%s: the batch is not the input's first dimension", node_text(n, text));
	const struct shape *w = &node_input(g, n, 1)->shape;
	int64_t group = node_int(n, "group", 1), filters = w->rank > 1 ? w->dim[transposed ? 1 : 0] : 0;
	if (w->rank != x->rank || w->rank < 3) {
		snprintf(expected, sizeof expected, "%d dimensions as the input", x->rank);
		return shape_want(n, "the weight", w, expected, e);
	}
	if (group < 1 || x->dim[1] % group || (!transposed && filters % group))
		return err_set(e, ERR_INPUT,
			"%s: attribute 'group' is %lld, which divides not both %lld and %lld channels",
			node_text(n, text), (long long)group, (long long)x->dim[1], (long long)filters);
	int64_t want = transposed ? x->dim[1] : x->dim[1] / group;
	if (w->dim[transposed ? 0 : 1] != want) {
		snprintf(expected, sizeof expected, "%lld input channels", (long long)want);
		return shape_want(n, "the weight", w, expected, e);
	}
	return ERR_OK;
}

static enum err layer_shape(const struct graph *g, const struct node *n, const struct window *win, int64_t channels,
	struct shape *ret, struct errinfo *e)
{
	const struct shape *x = &node_input(g, n, 0)->shape;
	enum err err = node_input(g, n, 2) ? shape_want_vector(g, n, 2, "the bias", channels, e) : ERR_OK;
	if (err)
		return err;
	*ret = *x;
	ret->dim[1] = channels;
	for (int i = 0; i < win->rank; i++)
		ret->dim[2 + i] = win->out[i];
	return ERR_OK;
}

enum err shape_conv(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	struct window win;
	enum err err = check_filters(g, n, false, e);
	if (err)
		return err;
	const struct shape *w = &node_input(g, n, 1)->shape;
	err = window_read(n, &node_input(g, n, 0)->shape, w->dim + 2, &win, e);
	return err ? err : layer_shape(g, n, &win, w->dim[0], ret, e);
}

enum err shape_conv_transpose(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	struct window win;
	enum err err = check_filters(g, n, true, e);
	if (err)
		return err;
	const struct shape *w = &node_input(g, n, 1)->shape;
	err = window_read_transposed(n, &node_input(g, n, 0)->shape, w->dim + 2, &win, e);
	return err ? err : layer_shape(g, n, &win, w->dim[1] * node_int(n, "group", 1), ret, e);
}

/* Gemm's third operand: broadcast into the output, and stored. */
static enum err check_addend(const struct graph *g, const struct node *n, const struct shape *out, struct errinfo *e)
{
	char expected[128];
	struct shape joined;
	if (!node_input(g, n, 2))
		return ERR_OK;
	enum err err = shape_want_weight(g, n, 2, "the bias", e);
	if (err)
		return err;
	const struct shape *c = &node_input(g, n, 2)->shape;
	if (shape_join(c, out, &joined) && shape_equal(&joined, out))
		return ERR_OK;
	return shape_want(n, "the bias", c, shape_text(out, expected), e);
}

enum err shape_contraction(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], sa[128], sb[128];
	struct operand_contraction c;
	int64_t size[2 * SHAPE_MAX_RANK] = { 0 };
	struct shape out = { 0 };
	enum err err = operand_contraction(g, n, &c, e);
	for (int k = 0; k < 2 && !err; k++) {
		const struct shape *x = &node_input(g, n, k)->shape;
		for (int i = 0; i < x->rank; i++) {
			int letter = c.in[k][i];
			if (letter < 0)
				continue;
			if (size[letter] && size[letter] != x->dim[i])
				return err_set(e, ERR_INPUT, "%s: the operands are %s and %s, which don't fit",
					node_text(n, text), shape_text(&node_input(g, n, 0)->shape, sa),
					shape_text(&node_input(g, n, 1)->shape, sb));
			size[letter] = x->dim[i];
		}
	}
	if (err)
		return err;
	while (out.rank < SHAPE_MAX_RANK && c.out[out.rank] >= 0) {
		out.dim[out.rank] = size[c.out[out.rank]];
		out.rank++;
	}
	err = n->op == OP_GEMM ? check_addend(g, n, &out, e) : ERR_OK;
	if (!err)
		*ret = out;
	return err;
}

/* Its root divides. */
static enum err check_variance(const struct graph *g, const struct node *n, struct errinfo *e)
{
	char text[256];
	const struct value *variance = node_input(g, n, 4);
	const float *numbers = value_floats(variance);
	float epsilon = node_float(n, "epsilon", 1e-5f);
	for (int64_t i = 0; i < variance->shape.dim[0]; i++) {
		float v = numbers[i];
		if (!(v + epsilon > 0))
			return err_set(e, ERR_INPUT,
				"%s: the running variance of channel %lld is %g with epsilon %g, expected a positive "
				"sum",
				node_text(n, text), (long long)i, (double)v, (double)epsilon);
	}
	return ERR_OK;
}

/* The input is (batch, channels, ...), and so many vectors have an entry for each channel. */
static enum err check_vectors(
	const struct graph *g, const struct node *n, int vectors, int least_rank, struct errinfo *e)
{
	static const char *const names[] = { "", "the scale", "the shift", "the running mean", "the running variance" };
	char expected[64];
	const struct shape *x = &node_input(g, n, 0)->shape;
	if (x->rank < least_rank || x->dim[0] > 0) {
		snprintf(expected, sizeof expected, "the batch first, and at least %d dimensions", least_rank);
		return shape_want(n, "the input", x, expected, e);
	}
	for (int i = 1; i <= vectors; i++) {
		enum err err = shape_want_vector(g, n, i, names[i], x->dim[1], e);
		if (err)
			return err;
	}
	return ERR_OK;
}

enum err shape_batch_norm(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	if (!node_int(n, "spatial", 1))
		return err_set(
			e, ERR_UNSUPPORTED, "%s: attribute 'spatial' is 0, only 1 is supported", node_text(n, text));
	enum err err = check_vectors(g, n, 4, 2, e);
	if (!err)
		err = check_variance(g, n, e);
	if (!err)
		*ret = node_input(g, n, 0)->shape;
	return err;
}

enum err shape_instance_norm(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	enum err err = check_vectors(g, n, 2, 3, e);
	if (!err)
		*ret = node_input(g, n, 0)->shape;
	return err;
}

/* scale and shift have an entry for each channel (opset 21) or each group (18 to 20). */
enum err shape_group_norm(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	int64_t groups = node_int(n, "num_groups", 0);
	if (x->rank < 3 || x->dim[0] > 0 || groups < 1 || x->dim[1] % groups)
		return err_set(e, ERR_INPUT, "%s: attribute 'num_groups' is %lld, which does not divide the channels",
			node_text(n, text), (long long)groups);
	enum err err = shape_want_vector(g, n, 1, "the scale", groups, e);
	if (!err)
		err = shape_want_vector(g, n, 2, "the shift", groups, e);
	if (!err)
		*ret = *x;
	return err;
}

/* scale and shift have the shape of what is normalised, or broadcast into it. */
enum err shape_layer_norm(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], expected[128];
	static const char *const names[] = { "", "the scale", "the shift" };
	const struct shape *x = &node_input(g, n, 0)->shape;
	int axis = 0;
	enum err err = node_axis(n, x->rank, -1, &axis, e);
	if (err)
		return err;
	struct shape inner = { .rank = x->rank - axis }, joined;
	for (int i = axis; i < x->rank; i++)
		inner.dim[i - axis] = x->dim[i];
	for (int i = 0; i < inner.rank; i++)
		if (inner.dim[i] < 0)
			return err_set(e, ERR_UNSUPPORTED, "%s: normalises over the batch", node_text(n, text));
	for (int i = 1; i <= 2; i++) {
		if (i == 2 && !node_input(g, n, 2))
			break;
		err = shape_want_weight(g, n, i, names[i], e);
		if (err)
			return err;
		const struct shape *s = &node_input(g, n, i)->shape;
		if (!shape_join(s, &inner, &joined) || !shape_equal(&joined, &inner))
			return shape_want(n, names[i], s, shape_text(&inner, expected), e);
	}
	*ret = *x;
	return ERR_OK;
}

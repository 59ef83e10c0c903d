/* conv.c -- convolution over one to three dimensions, whole, in groups or by channel.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,o,i,...] = b[o] + sum over c,u,... of w[o,c,u,...] * x[n, group(o) + c, i*s + u*d - p, ...]
 *
 * By oneDNN, or with fewer multiplications (winograd.h) or along the pixels (planar.h) where that pays. */
#include "evaluator/kernels/choice.h"
#include "evaluator/kernels/filters.h"
#include "evaluator/kernels/planar_step.h"
#include "evaluator/kernels/winograd_step.h"

static enum err describe(struct builder *b, const struct filters *f, const struct window *win, const struct view *x,
	const struct view *y, dnnl_convolution_desc_t *ret)
{
	dnnl_memory_desc_t source, weight, target, bias = dnn_vector(f->out);
	enum err err = dnn_any(f->view.rank, f->view.dim, &weight, b->e);
	if (!err)
		err = dnn_describe(x, &source, b->e);
	if (!err)
		err = dnn_describe(y, &target, b->e);
	if (err)
		return err;
	struct dnn_window d = dnn_window(win);
	return dnn_check(
		dnnl_dilated_convolution_forward_desc_init(ret, dnnl_forward_inference, dnnl_convolution_direct,
			&source, &weight, f->bias ? &bias : NULL, &target, d.stride, d.dilates, d.begin, d.end),
		"describing a convolution", b->e);
}

static enum err find_window(struct builder *b, struct window *ret)
{
	const struct node *n = builder_node(b);
	return window_read(n, builder_shape(b, n->in[0]), builder_shape(b, n->in[1])->dim + 2, ret, b->e);
}

static enum err add_channels_last(struct builder *b, struct filters *f, const struct view *x, const struct view *y)
{
	dnnl_convolution_desc_t desc;
	struct filters_bounds bounds;
	struct window win;
	enum err err = find_window(b, &win);
	if (err)
		return err;
	if (filters_read_bounds(b, &bounds) && choice_is_winograd(CHOICE_FORWARD, &win, &f->view, x, y))
		return winograd_add(b, f, &win, x, y, &bounds);
	err = describe(b, f, &win, x, y, &desc);
	return err ? err : filters_add(b, f, &desc, x, y);
}

static enum err add_planar(struct builder *b, struct filters *f, const struct view *x, const struct view *y)
{
	struct filters_bounds bounds;
	struct window win;
	enum err err = find_window(b, &win);
	if (err)
		return err;
	filters_read_bounds(b, &bounds);
	return planar_add(b, f, &win, x, y, &bounds);
}

enum err conv_build(struct builder *b)
{
	bool planar = planar_suits(b);
	struct order o = planar ? order_row_major()
				: order_channels_last(builder_shape(b, builder_node(b)->in[0])->rank);
	return filters_build(b, false, &o, planar ? add_planar : add_channels_last);
}

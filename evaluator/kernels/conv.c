/* conv.c -- convolution over one to three dimensions, whole, in groups or by channel.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,o,i,...] = b[o] + sum over c,u,... of w[o,c,u,...] * x[n, group(o) + c, i*s + u*d - p, ...] */
#include "evaluator/kernels/filters.h"

static enum err describe(struct builder *b, const struct filters *f, const struct view *x, const struct view *y,
	dnnl_convolution_desc_t *ret)
{
	const struct node *n = builder_node(b);
	struct window win;
	dnnl_memory_desc_t source, weight, target, bias = dnn_vector(f->out);
	enum err err = window_read(
		n, builder_shape(b, n->in[0]), builder_shape(b, n->in[1])->dim + 2, &win, b->e);
	if (!err)
		err = dnn_any(f->view.rank, f->view.dim, &weight, b->e);
	if (!err)
		err = dnn_describe(x, &source, b->e);
	if (!err)
		err = dnn_describe(y, &target, b->e);
	if (err)
		return err;
	struct dnn_window d = dnn_window(&win);
	return dnn_check(dnnl_dilated_convolution_forward_desc_init(ret, dnnl_forward_inference,
				 dnnl_convolution_direct, &source, &weight, f->bias ? &bias : NULL, &target, d.stride,
				 d.dilates, d.begin, d.end),
		"describing a convolution", b->e);
}

static enum err add_step(struct builder *b, struct filters *f, const struct view *x, const struct view *y)
{
	dnnl_convolution_desc_t desc;
	enum err err = describe(b, f, x, y, &desc);
	return err ? err : filters_add(b, f, &desc, x, y);
}

enum err conv_build(struct builder *b)
{
	return filters_build(b, false, add_step);
}

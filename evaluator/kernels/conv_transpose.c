/* conv_transpose.c -- transposed convolution, in groups or whole.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,o,i*s + u*d - p, ...] = b[o] + sum over c,u,... of w[c,o,u,...] * x[n,c,i,...] */
#include "evaluator/kernels/filters.h"

/* Where the output goes on behind what the last window reaches, oneDNN allows for less than a stride: the window is
 * made to reach further, with zeros. */
static enum err fit_window(struct builder *b, struct window *w, struct filters *f)
{
	const struct shape *x = builder_shape(b, builder_node(b)->in[0]);
	for (int i = 0; i < w->rank; i++) {
		int64_t reach = w->dilation[i] * (w->kernel[i] - 1) + 1, by = 0;
		w->end[i] = (x->dim[2 + i] - 1) * w->stride[i] + reach - w->begin[i] - w->out[i];
		if (w->end[i] <= -w->stride[i])
			by = (-w->end[i] + w->dilation[i] - 1) / w->dilation[i];
		w->kernel[i] += by;
		w->end[i] += by * w->dilation[i];
		enum err err = by ? filters_grow(b, f, i, by) : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err describe(struct builder *b, struct filters *f, const struct view *x, const struct view *y,
	dnnl_deconvolution_desc_t *ret)
{
	const struct node *n = builder_node(b);
	struct window win;
	dnnl_memory_desc_t source, weight, target, bias = dnn_vector(f->out);
	enum err err = window_read_transposed(
		n, builder_shape(b, n->in[0]), builder_shape(b, n->in[1])->dim + 2, &win, b->e);
	if (!err)
		err = fit_window(b, &win, f);
	if (!err)
		err = dnn_any(f->view.rank, f->view.dim, &weight, b->e);
	if (!err)
		err = dnn_describe(x, &source, b->e);
	if (!err)
		err = dnn_describe(y, &target, b->e);
	if (err)
		return err;
	struct dnn_window d = dnn_window(&win);
	return dnn_check(dnnl_dilated_deconvolution_forward_desc_init(ret, dnnl_forward_inference,
				 dnnl_deconvolution_direct, &source, &weight, f->bias ? &bias : NULL, &target, d.stride,
				 d.dilates, d.begin, d.end),
		"describing a transposed convolution", b->e);
}

static enum err add_step(struct builder *b, struct filters *f, const struct view *x, const struct view *y)
{
	dnnl_deconvolution_desc_t desc;
	enum err err = describe(b, f, x, y, &desc);
	return err ? err : filters_add(b, f, &desc, x, y);
}

enum err conv_transpose_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct order o = order_channels_last(builder_shape(b, n->in[0])->rank);
	return filters_build(b, true, &o, add_step);
}

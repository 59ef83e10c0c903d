/* conv.c -- convolution over one to three dimensions, whole, in groups or by channel.
 * SPDX-License-Identifier: MIT
 *
 *   y[n,o,i,...] = b[o] + sum over c,u,... of w[o,c,u,...] * x[n, group(o) + c, i*s + u*d - p, ...]
 *
 * By oneDNN, or with fewer multiplications (winograd.h) where that pays. */
#include <math.h>

#include "evaluator/kernels/choice.h"
#include "evaluator/kernels/filters.h"
#include "evaluator/kernels/unary.h"
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

/* What is folded in, as bounds; false when they can't say it. */
static bool read_bounds(const struct builder *b, struct winograd_ending *ret)
{
	struct unary u;
	int activation = b->fusion->activation[b->node];
	ret->low = -INFINITY;
	ret->high = INFINITY;
	if (activation < 0)
		return true;
	if (!unary_read(b->g, &b->g->nodes[activation], &u))
		return false;
	bool relu = u.kind == dnnl_eltwise_relu && u.alpha == 0;
	ret->low = relu ? 0 : u.alpha;
	ret->high = relu ? INFINITY : u.beta;
	return relu || u.kind == dnnl_eltwise_clip;
}

static enum err add_step(struct builder *b, struct filters *f, const struct view *x, const struct view *y)
{
	const struct node *n = builder_node(b);
	dnnl_convolution_desc_t desc;
	struct winograd_ending ending;
	struct window win;
	enum err err = window_read(n, builder_shape(b, n->in[0]), builder_shape(b, n->in[1])->dim + 2, &win, b->e);
	if (err)
		return err;
	ending.residual = f->residual.data;
	if (read_bounds(b, &ending) && choice_is_winograd(CHOICE_FORWARD, &win, &f->view, x, y))
		return winograd_add(b, f, &win, x, y, &ending);
	err = describe(b, f, &win, x, y, &desc);
	return err ? err : filters_add(b, f, &desc, x, y);
}

enum err conv_build(struct builder *b)
{
	return filters_build(b, false, add_step);
}

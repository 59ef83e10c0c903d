/* conv_gradient.c -- the gradients of a convolution, whole, in groups or by channel.
 * SPDX-License-Identifier: MIT
 *
 * With y[n,o,i,...] = sum over c,u,... of w[o,c,u,...] * x[n, group(o) + c, i*s + u*d - p, ...]:
 *
 *   dx[n,g+c,j,...] = sum over o,u,i with i*s + u*d - p = j of w[o,c,u,...] * dy[n,o,i,...]
 *   dw[o,c,u,...]   = sum over n,i,... of dy[n,o,i,...] * x[n, group(o) + c, i*s + u*d - p, ...]
 *
 * One thread sums over the batch, in the same order each time. */
#include "evaluator/kernels/choice.h"
#include "evaluator/kernels/filters.h"
#include "evaluator/kernels/winograd_step.h"

/* The convolution that it is about. */
struct layer {
	dnnl_memory_desc_t x, w, y;
	struct window shape;
	struct dnn_window window;
};

/* input: the value that is x or has its shape; weight: the same of w, seen as filters. */
static enum err read_layer(struct builder *b, int input, int weight, const struct view *x, const struct view *w,
	const struct view *y, struct layer *ret)
{
	enum err err = window_read(
		builder_node(b), builder_shape(b, input), builder_shape(b, weight)->dim + 2, &ret->shape, b->e);
	if (!err)
		err = dnn_any(w->rank, w->dim, &ret->w, b->e);
	if (!err)
		err = dnn_describe(x, &ret->x, b->e);
	if (!err)
		err = dnn_describe(y, &ret->y, b->e);
	if (!err)
		ret->window = dnn_window(&ret->shape);
	return err;
}

/* oneDNN chooses the kernel of a gradient beside that of the layer. */
static enum err choose(struct builder *b, const struct layer *l, const dnnl_convolution_desc_t *gradient,
	dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd)
{
	const struct dnn_window *d = &l->window;
	dnnl_convolution_desc_t forward;
	dnnl_primitive_desc_t hint;
	enum err err = dnn_check(
		dnnl_dilated_convolution_forward_desc_init(&forward, dnnl_forward_training, dnnl_convolution_direct,
			&l->x, &l->w, NULL, &l->y, d->stride, d->dilates, d->begin, d->end),
		"describing a convolution", b->e);
	if (!err)
		err = dnn_check(dnnl_primitive_desc_create(&hint, &forward, NULL, b->plan->engine, NULL),
			"choosing a kernel", b->e);
	if (err)
		return err;
	err = dnn_primitive(b->plan->engine, gradient, NULL, hint, ret, ret_pd, b->e);
	dnnl_primitive_desc_destroy(hint);
	return err;
}

static enum err add_data_gradient(
	struct builder *b, const struct filters *f, const struct view *dy, const struct view *dx)
{
	struct layer l;
	struct step s = { 0 };
	dnnl_convolution_desc_t desc;
	dnnl_primitive_desc_t pd = NULL;
	const struct dnn_window *d = &l.window;
	enum err err = read_layer(b, builder_result(b), builder_node(b)->in[1], dx, &f->view, dy, &l);
	if (!err && choice_is_winograd(CHOICE_DATA_GRADIENT, &l.shape, &f->view, dx, dy))
		return winograd_add_data_gradient(b, f, &l.shape, dy, dx);
	if (!err)
		err = dnn_check(dnnl_dilated_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct, &l.x,
					&l.w, &l.y, d->stride, d->dilates, d->begin, d->end),
			"describing the gradient of a convolution's input", b->e);
	if (!err)
		err = choose(b, &l, &desc, &s.primitive, &pd);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_DIFF_DST, dy);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_DIFF_SRC, dx);
	if (!err)
		err = filters_bind(b, f, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), &s);
	if (pd)
		dnnl_primitive_desc_destroy(pd);
	return builder_finish(b, &s, err);
}

enum err conv_data_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct order o = order_channels_last(builder_shape(b, n->in[0])->rank);
	struct filters f;
	struct view dy, dx;
	enum err err = builder_dense(b, n->in[0], &o, &dy);
	if (!err)
		err = filters_open(b, false, &f);
	if (err)
		return err;
	err = builder_place(b, builder_result(b), &o, &dx);
	if (!err)
		err = add_data_gradient(b, &f, &dy, &dx);
	filters_close(&f);
	return err;
}

/* What the step writes in its own layout comes to dw behind it. */
static enum err finish_weight_gradient(
	struct builder *b, struct step *s, const dnnl_memory_desc_t *made, const struct view *dw)
{
	dnnl_memory_desc_t want;
	float *room = dw->data;
	enum err err = dnn_describe(dw, &want, b->e);
	bool moved = !err && !dnnl_memory_desc_equal(made, &want);
	if (moved)
		err = builder_scratch(b, dnn_floats(made), &room);
	if (!err)
		err = builder_bind(b, s, DNNL_ARG_DIFF_WEIGHTS, made, room);
	err = builder_finish(b, s, err);
	return err || !moved ? err : filters_reorder(b, made, room, &want, dw->data);
}

static enum err add_weight_gradient(
	struct builder *b, const struct view *x, const struct view *dy, const struct view *dw)
{
	struct layer l;
	struct step s = { 0 };
	dnnl_convolution_desc_t desc;
	dnnl_primitive_desc_t pd;
	const struct dnn_window *d = &l.window;
	enum err err = read_layer(b, builder_node(b)->in[0], builder_result(b), x, dw, dy, &l);
	if (!err && choice_is_winograd(CHOICE_WEIGHT_GRADIENT, &l.shape, dw, x, dy))
		return winograd_add_weight_gradient(b, &l.shape, x, dy, dw);
	if (!err)
		err = dnn_check(dnnl_dilated_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct,
					&l.x, &l.w, NULL, &l.y, d->stride, d->dilates, d->begin, d->end),
			"describing the gradient of a convolution's weight", b->e);
	if (!err)
		err = choose(b, &l, &desc, &s.primitive, &pd);
	if (err)
		return err;
	err = builder_bind_view(b, &s, DNNL_ARG_SRC, x);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_DIFF_DST, dy);
	if (!err)
		err = finish_weight_gradient(
			b, &s, dnnl_primitive_desc_query_md(pd, dnnl_query_diff_weights_md, 0), dw);
	else
		err = builder_finish(b, &s, err);
	dnnl_primitive_desc_destroy(pd);
	return err;
}

enum err conv_weight_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct order last = order_channels_last(builder_shape(b, n->in[0])->rank), row_major = order_row_major();
	struct view x, dy, dw;
	enum err err = builder_dense(b, n->in[0], &last, &x);
	if (!err)
		err = builder_dense(b, n->in[1], &last, &dy);
	if (!err)
		err = builder_place(b, builder_result(b), &row_major, &dw);
	if (err)
		return err;
	dw = filters_view(builder_shape(b, builder_result(b)), false, node_int(n, "group", 1), dw.data);
	return add_weight_gradient(b, &x, &dy, &dw);
}

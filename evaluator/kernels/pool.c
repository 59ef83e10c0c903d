/* pool.c -- pooling: the largest of a window or its mean.
 * SPDX-License-Identifier: MIT
 *
 *   max:     y[n,c,i,...] = max over u,... of x[n, c, i*s + u*d - p, ...], padding never wins
 *   average: y[n,c,i,...] = sum over u,... of x[n, c, i*s + u*d - p, ...] / count
 *
 * count is of what lies inside the input, or with count_include_pad inside the padding that the file asks for, but not
 * behind it, where ceil_mode reaches.
 *
 * oneDNN pools, but for windows that it doesn't know and for row-major maps. */
#include "evaluator/kernels/pool.h"

#include <math.h>

#include "evaluator/kernels/planar_step.h"

/* One of our own. */
struct pooling {
	struct pool p;
	struct view x, y; /* (batch, channels, spatial ...) */
};

struct pool pool_of(const struct node *n, bool max, bool count_padding, const struct window *w, const int64_t *in)
{
	const struct attribute *pads = node_attribute(n, "pads");
	struct pool p = { .max = max, .count_padding = count_padding, .w = *w };
	for (int i = 0; i < w->rank; i++) {
		p.in[i] = in[2 + i];
		p.padded[i] = p.in[i] + (pads ? pads->ints[w->rank + i] : w->end[i]);
	}
	return p;
}

/* Along one dimension. */
static int64_t cover(const struct pool *p, int axis, int64_t i, int64_t *first, int64_t *end)
{
	int64_t start = i * p->w.stride[axis] - p->w.begin[axis], d = p->w.dilation[axis], counted = 0;
	*first = start < 0 ? (-start + d - 1) / d : 0;
	*end = p->w.kernel[axis];
	while (*end > *first && start + (*end - 1) * d >= p->in[axis])
		--*end;
	if (!p->count_padding)
		return *end - *first;
	for (int64_t u = 0; u < p->w.kernel[axis]; u++)
		counted += start + u * d < p->padded[axis];
	return counted;
}

int64_t pool_cover(const struct pool *p, const int64_t *to, int64_t first[WINDOW_MAX_RANK],
	int64_t end[WINDOW_MAX_RANK])
{
	int64_t counted = 1;
	for (int i = 0; i < WINDOW_MAX_RANK; i++) {
		first[i] = 0;
		end[i] = 1;
		if (i < p->w.rank)
			counted *= cover(p, i, to[i], &first[i], &end[i]);
	}
	return counted;
}

/* One channel of one place. `to` is the index of the output, behind (batch, channels). */
static float pool_at(const struct pooling *p, const float *x, const int64_t *to)
{
	const struct window *w = &p->p.w;
	int64_t first[WINDOW_MAX_RANK], end[WINDOW_MAX_RANK], u[WINDOW_MAX_RANK];
	int64_t counted = pool_cover(&p->p, to, first, end);
	double sum = 0;
	float most = -INFINITY;
	for (u[0] = first[0]; u[0] < end[0]; u[0]++)
		for (u[1] = first[1]; u[1] < end[1]; u[1]++)
			for (u[2] = first[2]; u[2] < end[2]; u[2]++) {
				int64_t at = 0;
				for (int i = 0; i < w->rank; i++)
					at += (to[i] * w->stride[i] - w->begin[i] + u[i] * w->dilation[i]) *
					      p->x.stride[2 + i];
				sum += x[at];
				most = fmaxf(most, x[at]);
			}
	return p->p.max ? most : (float)(sum / (double)counted);
}

static void run(const void *job)
{
	const struct pooling *p = job;
	struct walk w = walk_start(&p->y, 1, p->y.rank);
	do
		*w.at[0] = pool_at(p, p->x.data + w.index[0] * p->x.stride[0] + w.index[1] * p->x.stride[1],
			w.index + 2);
	while (walk_next(&w));
}

static enum err build_own(struct builder *b, bool max, bool count_padding, const struct window *w,
	const struct view *x, const struct view *y)
{
	struct pooling p = { pool_of(builder_node(b), max, count_padding, w, x->dim), *x, *y };
	return builder_call(b, run, &p, sizeof p);
}

/* *ret_done stays false when oneDNN doesn't know the form. */
static enum err build_dnn(struct builder *b, dnnl_alg_kind_t kind, const struct window *w, const struct view *x,
	const struct view *y, bool *ret_done)
{
	struct dnn_window d = dnn_window(w);
	dnnl_memory_desc_t source, target;
	dnnl_pooling_v2_desc_t desc;
	struct step s = { 0 };
	dnnl_primitive_desc_t pd;
	enum err err = dnn_describe(x, &source, b->e);
	if (!err)
		err = dnn_describe(y, &target, b->e);
	if (err)
		return err;
	if (dnnl_pooling_v2_forward_desc_init(&desc, dnnl_forward_inference, kind, &source, &target, d.stride, d.kernel,
		    d.dilates, d.begin, d.end) ||
		dnnl_primitive_desc_create(&pd, &desc, NULL, b->plan->engine, NULL))
		return ERR_OK;
	err = dnn_check(dnnl_primitive_create(&s.primitive, pd), "making a kernel", b->e);
	dnnl_primitive_desc_destroy(pd);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_SRC, x);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_DST, y);
	err = builder_finish(b, &s, err);
	if (!err)
		*ret_done = true;
	return err;
}

/* *ret_planar: x is row-major, as convolutions of few channels leave it, and is pooled as it is. */
static enum err place(struct builder *b, const struct window *w, struct view *x, struct view *y, bool *ret_planar)
{
	int value = builder_node(b)->in[0];
	struct order row_major = order_row_major(), last = order_channels_last(builder_shape(b, value)->rank);
	enum err err = builder_value(b, value, x);
	if (err)
		return err;
	*ret_planar = planar_can_pool(w, x->dim) && view_is_dense(x, &row_major) && !view_is_dense(x, &last);
	const struct order *o = *ret_planar ? &row_major : &last;
	err = builder_dense(b, value, o, x);
	return err ? err : builder_place(b, builder_result(b), o, y);
}

/* Whether a window of ceil_mode goes on behind the padding. */
static bool reaches_out(const struct node *n, const struct window *w)
{
	const struct attribute *pads = node_attribute(n, "pads");
	for (int i = 0; i < w->rank; i++)
		if (w->end[i] > (pads ? pads->ints[w->rank + i] : 0) && node_int(n, "ceil_mode", 0))
			return true;
	return false;
}

static bool is_dilated(const struct window *w)
{
	for (int i = 0; i < w->rank; i++)
		if (w->dilation[i] != 1)
			return true;
	return false;
}

enum err pool_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	bool max = n->op == OP_MAX_POOL, count_padding = !max && node_int(n, "count_include_pad", 0);
	dnnl_alg_kind_t kind = max	       ? dnnl_pooling_max
			       : count_padding ? dnnl_pooling_avg_include_padding
					       : dnnl_pooling_avg_exclude_padding;
	struct window w;
	struct view x, y;
	bool done = false, planar = false;
	enum err err = window_read(n, builder_shape(b, n->in[0]), NULL, &w, b->e);
	if (!err)
		err = place(b, &w, &x, &y, &planar);
	if (!err && planar)
		return planar_add_pooling(b, max, &w, &x, &y);
	if (!err && !(count_padding && reaches_out(n, &w)) && (max || !is_dilated(&w)))
		err = build_dnn(b, kind, &w, &x, &y, &done);
	return err || done ? err : build_own(b, max, count_padding, &w, &x, &y);
}

/* The window is everything. */
enum err global_pool_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	const struct shape *shape = builder_shape(b, n->in[0]);
	bool max = n->op == OP_GLOBAL_MAX_POOL, done = false;
	struct window w = { .rank = shape->rank - 2 };
	struct view x, y;
	if (w.rank > WINDOW_MAX_RANK)
		return reduce_build(b);
	for (int i = 0; i < w.rank; i++) {
		w.kernel[i] = shape->dim[2 + i];
		w.stride[i] = w.dilation[i] = w.out[i] = 1;
	}
	struct order last = order_channels_last(shape->rank);
	enum err err = builder_dense(b, n->in[0], &last, &x);
	if (!err)
		err = builder_place(b, builder_result(b), &last, &y);
	if (!err)
		err = build_dnn(b, max ? dnnl_pooling_max : dnnl_pooling_avg_exclude_padding, &w, &x, &y, &done);
	return err || done ? err : build_own(b, max, false, &w, &x, &y);
}

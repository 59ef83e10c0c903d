/* taps.c -- every index along a dimension becomes a weighted sum of some.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/taps.h"

#include <string.h>

#include "base/simd.h"

struct pass {
	struct taps taps;
	int64_t outer, in, inner;
	const float *x;
	float *y;
};

enum err taps_new(struct builder *b, int axis, int64_t out, int each, struct taps *ret)
{
	struct taps t = { axis, out, each, ARENA_ARRAY(b->arena, int64_t, (size_t)(out * each)),
		ARENA_ARRAY(b->arena, float, (size_t)(out * each)) };
	if (!t.index || !t.weight)
		return err_set(b->e, ERR_MEMORY, "out of memory");
	*ret = t;
	return ERR_OK;
}

/* y += weight * x, or begins so */
SIMD static void add_line(float weight, const float *restrict x, int64_t n, bool begin, float *restrict y)
{
	if (begin)
		for (int64_t i = 0; i < n; i++)
			y[i] = weight * x[i];
	else
		for (int64_t i = 0; i < n; i++)
			y[i] += weight * x[i];
}

static void blend(const struct pass *p, const float *x, const int64_t *index, const float *weight, float *y)
{
	for (int t = 0; t < p->taps.each; t++)
		add_line(weight[t], x + index[t] * p->inner, p->inner, !t, y);
}

static void run(const void *job)
{
	const struct pass *p = job;
	const struct taps *t = &p->taps;
	for (int64_t k = 0; k < p->outer * t->out; k++) {
		int64_t o = k % t->out;
		const float *x = p->x + k / t->out * p->in * p->inner;
		float *y = p->y + k * p->inner;
		if (t->each > 1)
			blend(p, x, t->index + o * t->each, t->weight + o * t->each, y);
		else
			memcpy(y, x + t->index[o] * p->inner, (size_t)p->inner * sizeof *y);
	}
}

enum err taps_pass(struct builder *b, const struct taps *t, const struct view *x, float *y)
{
	int64_t inner = x->stride[t->axis], in = x->dim[t->axis];
	struct pass p = { *t, view_count(x) / in / inner, in, inner, x->data, y };
	return builder_call(b, run, &p, sizeof p);
}

/* x and y have changed places: x is the gradient of the output, y that of the input. */
static void run_back(const void *job)
{
	const struct pass *p = job;
	const struct taps *t = &p->taps;
	memset(p->y, 0, (size_t)(p->outer * p->in * p->inner) * sizeof *p->y);
	for (int64_t k = 0; k < p->outer * t->out; k++) {
		int64_t o = k % t->out;
		float *dx = p->y + k / t->out * p->in * p->inner;
		for (int i = 0; i < t->each; i++) {
			float weight = t->each > 1 ? t->weight[o * t->each + i] : 1;
			add_line(weight, p->x + k * p->inner, p->inner, false,
				dx + t->index[o * t->each + i] * p->inner);
		}
	}
}

enum err taps_pass_back(struct builder *b, const struct taps *t, const float *dy, const struct view *dx)
{
	int64_t inner = dx->stride[t->axis], in = dx->dim[t->axis];
	struct pass p = { *t, view_count(dx) / in / inner, in, inner, dy, dx->data };
	return builder_call(b, run_back, &p, sizeof p);
}

enum err taps_build(struct builder *b, const struct taps *passes, int count)
{
	int value = builder_node(b)->in[0];
	struct view x, y;
	enum err err = builder_value(b, value, &x);
	if (err)
		return err;
	struct order o = order_of(&x);
	err = count ? builder_dense(b, value, &o, &x) : ERR_OK;
	if (!err)
		err = builder_place(b, builder_result(b), &o, &y);
	if (!err && !count)
		return builder_copy(b, &x, &y);
	for (int i = 0; i < count && !err; i++) {
		int64_t dims[VIEW_MAX_RANK];
		float *to = y.data;
		memcpy(dims, x.dim, sizeof dims);
		dims[passes[i].axis] = passes[i].out;
		struct view next = view_dense(x.rank, dims, 1, &o, NULL);
		if (i + 1 < count)
			err = builder_scratch(b, view_count(&next), &to);
		if (!err)
			err = taps_pass(b, &passes[i], &x, to);
		next.data = to;
		x = next;
	}
	return err;
}

enum err taps_build_back(struct builder *b, const struct taps *passes, int count, int dy)
{
	struct view from, dx;
	enum err err = builder_value(b, dy, &from);
	if (err)
		return err;
	struct order o = order_of(&from);
	err = count ? builder_dense(b, dy, &o, &from) : ERR_OK;
	if (!err)
		err = builder_place(b, builder_result(b), &o, &dx);
	if (!err && !count)
		return builder_copy(b, &from, &dx);
	for (int i = count - 1; i >= 0 && !err; i--) {
		int64_t dims[VIEW_MAX_RANK];
		memcpy(dims, from.dim, sizeof dims);
		dims[passes[i].axis] = dx.dim[passes[i].axis];
		struct view next = view_dense(from.rank, dims, 1, &o, dx.data);
		if (i)
			err = builder_scratch(b, view_count(&next), &next.data);
		if (!err)
			err = taps_pass_back(b, &passes[i], from.data, &next);
		from = next;
	}
	return err;
}

/* taps.c -- every index along a dimension becomes a weighted sum of some.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/taps.h"

#include <string.h>

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

static void blend(const struct pass *p, const float *x, const int64_t *index, const float *weight, float *y)
{
	for (int64_t i = 0; i < p->inner; i++)
		y[i] = weight[0] * x[index[0] * p->inner + i];
	for (int t = 1; t < p->taps.each; t++)
		for (int64_t i = 0; i < p->inner; i++)
			y[i] += weight[t] * x[index[t] * p->inner + i];
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

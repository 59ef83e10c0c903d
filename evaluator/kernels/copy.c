/* copy.c -- numbers moved from one view to another.
 * SPDX-License-Identifier: MIT
 *
 * Runs of memory are copied as such; oneDNN changes the order of dimensions by blocks; what has strides of 0 or
 * below is walked over. */
#include "evaluator/kernels/copy.h"

#include <string.h>

#include "evaluator/kernels/builder.h"

struct copy {
	struct view v[2]; /* to, from: collapsed */
};

static void copy_run(float *y, int64_t y_stride, const float *x, int64_t x_stride, int64_t n)
{
	if (y_stride == 1 && x_stride == 1) {
		memcpy(y, x, (size_t)n * sizeof *y);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		y[i * y_stride] = x[i * x_stride];
}

static void run(const void *job)
{
	const struct copy *c = job;
	int last = c->v[0].rank - 1;
	struct walk w = walk_start(c->v, 2, last);
	do
		copy_run(w.at[0], c->v[0].stride[last], w.at[1], c->v[1].stride[last], c->v[0].dim[last]);
	while (walk_next(&w));
}

static struct copy prepare(const struct view *x, const struct view *y)
{
	struct copy c = { { *y, *x } };
	if (!c.v[0].rank) {
		c.v[0] = view_lifted(y, 1);
		c.v[1] = view_lifted(x, 1);
	}
	view_collapse(c.v, 2);
	return c;
}

void copy_view(const struct view *x, const struct view *y)
{
	struct copy c = prepare(x, y);
	run(&c);
}

/* Long runs need no help. */
static bool suits_reorder(const struct copy *c)
{
	enum { LONG = 16 };
	int last = c->v[0].rank - 1;
	bool runs = c->v[0].stride[last] == 1 && c->v[1].stride[last] == 1 && c->v[0].dim[last] >= LONG;
	return !runs && dnn_can_describe(&c->v[0]) && dnn_can_describe(&c->v[1]);
}

/* *ret is NULL when oneDNN has nothing better than a plain loop. */
static enum err reorder_primitive(struct builder *b, const struct copy *c, dnnl_primitive_t *ret)
{
	dnnl_memory_desc_t to, from;
	dnnl_primitive_desc_t pd;
	enum err err = dnn_describe(&c->v[0], &to, b->e);
	if (!err)
		err = dnn_describe(&c->v[1], &from, b->e);
	if (err)
		return err;
	*ret = NULL;
	if (dnnl_reorder_primitive_desc_create(&pd, &from, b->plan->engine, &to, b->plan->engine, NULL))
		return ERR_OK;
	if (!dnn_is_slow(pd))
		err = dnn_check(dnnl_primitive_create(ret, pd), "making a change of layout", b->e);
	dnnl_primitive_desc_destroy(pd);
	return err;
}

enum err builder_copy(struct builder *b, const struct view *x, const struct view *y)
{
	struct copy c = prepare(x, y);
	struct step s = { 0 };
	if (suits_reorder(&c)) {
		enum err err = reorder_primitive(b, &c, &s.primitive);
		if (err)
			return err;
	}
	if (!s.primitive)
		return builder_call(b, run, &c, sizeof c);
	enum err err = builder_bind_view(b, &s, DNNL_ARG_FROM, &c.v[1]);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_TO, &c.v[0]);
	return builder_finish(b, &s, err);
}

struct fill {
	struct view y;
	float value;
};

static void run_fill(const void *job)
{
	const struct fill *f = job;
	int last = f->y.rank - 1;
	struct walk w = walk_start(&f->y, 1, last);
	do
		for (int64_t i = 0; i < f->y.dim[last]; i++)
			w.at[0][i * f->y.stride[last]] = f->value;
	while (walk_next(&w));
}

enum err builder_fill(struct builder *b, const struct view *y, float value)
{
	struct fill f = { y->rank ? *y : view_lifted(y, 1), value };
	view_collapse(&f.y, 1);
	return builder_call(b, run_fill, &f, sizeof f);
}

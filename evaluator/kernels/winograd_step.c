/* winograd_step.c -- Winograd's convolution as a step of a plan.
 * SPDX-License-Identifier: MIT
 *
 * What lies between the transforms is in memory that all steps of a plan share. */
#include "evaluator/kernels/winograd_step.h"

#include <math.h>

#include "evaluator/kernels/winograd.h"

enum { SIDE = 3 };

bool winograd_can(const struct window *w, const struct view *filters)
{
	if (w->rank != 2 || filters->rank != 4)
		return false;
	for (int i = 0; i < 2; i++)
		if (w->kernel[i] != SIDE || w->stride[i] != 1 || w->dilation[i] != 1)
			return false;
	return true;
}

static const struct winograd_kernels *kernels(void)
{
	return winograd_runnable()[0];
}

static struct winograd_size size_of(const struct view *x, const struct view *y, int64_t top, int64_t left)
{
	return (struct winograd_size){ .batch = x->dim[0],
		.in = x->dim[1],
		.out = y->dim[1],
		.in_height = x->dim[2],
		.in_width = x->dim[3],
		.out_height = y->dim[2],
		.out_width = y->dim[3],
		.top = top,
		.left = left };
}

/* The view is (out, in, 3, 3). */
static struct winograd_filters filters_of(const struct view *v)
{
	return (struct winograd_filters){ v->data, v->dim[1], v->dim[0], v->stride[0], v->stride[1], v->stride[2],
		v->stride[3], NULL };
}

/* From y to x: what was the window's first number is its last. */
static struct winograd_filters turned(const struct view *v)
{
	float *last = v->data + (SIDE - 1) * (v->stride[2] + v->stride[3]);
	return (struct winograd_filters){ last, v->dim[0], v->dim[1], v->stride[1], v->stride[0], -v->stride[2],
		-v->stride[3], NULL };
}

static void run_transform(const void *job)
{
	kernels()->transform(job);
}

static void run_convolve(const void *job)
{
	kernels()->convolve(job);
}

static void run_differentiate(const void *job)
{
	kernels()->differentiate(job);
}

/* Stored filters are transformed now, for good; computed ones in each run. */
static enum err add_transform(struct builder *b, bool computed, struct winograd_filters *f)
{
	int64_t count = winograd_filter_room(kernels(), f->in, f->out);
	enum err err =
		computed ? builder_scratch(b, count, &f->transformed) : builder_floats(b, count, &f->transformed);
	if (err || computed)
		return err ? err : builder_call(b, run_transform, f, sizeof *f);
	kernels()->transform(f);
	return ERR_OK;
}

static enum err add_convolution(struct builder *b, bool computed, struct winograd_filters *f, struct winograd_job *j)
{
	enum err err = builder_workspace(b, winograd_block_room(kernels(), &j->size));
	if (!err)
		err = add_transform(b, computed, f);
	j->transformed = f->transformed;
	j->block = winograd_block(kernels(), &j->size);
	j->room = &b->plan->workspace;
	return err ? err : builder_call(b, run_convolve, j, sizeof *j);
}

enum err winograd_add(struct builder *b, const struct filters *f, const struct window *w, const struct view *x,
	const struct view *y, const struct filters_bounds *bounds)
{
	struct winograd_filters filters = filters_of(&f->view);
	struct winograd_job j = { .size = size_of(x, y, w->begin[0], w->begin[1]),
		.x = x->data,
		.bias = f->bias,
		.residual = f->residual.data,
		.y = y->data,
		.low = bounds->low,
		.high = bounds->high };
	return add_convolution(b, f->computed, &filters, &j);
}

enum err winograd_add_data_gradient(struct builder *b, const struct filters *f, const struct window *w,
	const struct view *dy, const struct view *dx)
{
	struct winograd_filters filters = turned(&f->view);
	struct winograd_job j = { .size = size_of(dy, dx, SIDE - 1 - w->begin[0], SIDE - 1 - w->begin[1]),
		.x = dy->data,
		.y = dx->data,
		.low = -INFINITY,
		.high = INFINITY };
	return add_convolution(b, f->computed, &filters, &j);
}

enum err winograd_add_weight_gradient(
	struct builder *b, const struct window *w, const struct view *x, const struct view *dy, const struct view *dw)
{
	struct winograd_gradient_job j = { .size = size_of(x, dy, w->begin[0], w->begin[1]),
		.x = x->data,
		.dy = dy->data,
		.filters = filters_of(dw),
		.room = &b->plan->workspace };
	j.block = winograd_block(kernels(), &j.size);
	enum err err = builder_workspace(b, winograd_block_room(kernels(), &j.size));
	if (!err)
		err = builder_scratch(
			b, winograd_filter_room(kernels(), j.size.in, j.size.out), &j.filters.transformed);
	return err ? err : builder_call(b, run_differentiate, &j, sizeof j);
}

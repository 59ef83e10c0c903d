/* planar_step.c -- direct convolutions of few channels as a step of a plan.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/planar_step.h"

#include <string.h>

#include "evaluator/kernels/choice.h"
#include "evaluator/kernels/planar.h"

enum { FEWEST = 3, FEW = 8, TAPS = 9, NARROW = 10, LANES = 16, CACHED = 1 << 17 };

static int64_t rounded(int64_t channels)
{
	return (channels + LANES - 1) / LANES * LANES;
}

/* At most half of the registers of channels would be full. */
static bool leaves_half(int64_t channels)
{
	return 2 * channels <= rounded(channels);
}

/* Measured on a Zen 5 with AVX-512 against oneDNN, which rounds output channels up to whole registers, and from nine
 * channels on against Winograd's method. Each input channel is copied: with few taps, or more than one map to copy, or
 * maps that registers reach over, that must be worth more; and the copy stays in the second-level cache. */
static bool pays(const struct window *w, int64_t in, int64_t out)
{
	bool apart = w->stride[0] > 1 || w->stride[1] > 1;
	int64_t copied = in * w->stride[0] * w->kernel[1] * w->out[0] * w->out[1];
	if (w->kernel[0] * w->kernel[1] < TAPS || copied > CACHED)
		return false;
	if (in <= FEWEST && out <= 2 * LANES && !apart)
		return true;
	if (apart || w->out[1] < NARROW)
		return in <= FEW && leaves_half(out);
	return (in <= FEW || out <= FEW) && 4 * out <= 3 * rounded(out);
}

/* As far as the node itself says. */
static bool may_be_planar(const struct builder *b, const struct node *n)
{
	const struct value *weights = node_input(b->g, n, 1);
	struct window w;
	struct errinfo ignored;
	if (n->op != OP_CONV || n->opaque || !weights->data || weights->shape.rank != 4 || node_int(n, "group", 1) != 1)
		return false;
	if (window_read(n, builder_shape(b, n->in[0]), weights->shape.dim + 2, &w, &ignored))
		return false;
	for (int i = 0; i < 2; i++)
		if (w.dilation[i] != 1)
			return false;
	return pays(&w, weights->shape.dim[1], weights->shape.dim[0]);
}

static bool reads(const struct node *n, int value)
{
	for (int i = 0; i < n->in_count; i++)
		if (n->in[i] == value)
			return true;
	return false;
}

static bool is_pooled_otherwise(const struct builder *b, const struct node *n)
{
	struct window w;
	struct errinfo ignored;
	if (n->op != OP_MAX_POOL && n->op != OP_AVERAGE_POOL)
		return n->op == OP_GLOBAL_MAX_POOL || n->op == OP_GLOBAL_AVERAGE_POOL;
	const struct shape *x = builder_shape(b, n->in[0]);
	return window_read(n, x, NULL, &w, &ignored) || !planar_can_pool(&w, x->dim);
}

/* Whether a value is read by what wants it channels-last, at once or behind what keeps its order. What pooling leaves
 * is soon reordered. */
static bool is_reordered(const struct builder *b, int value)
{
	for (int i = b->node + 1; i < b->g->node_count; i++) {
		const struct node *n = &b->g->nodes[i];
		if (!reads(n, value))
			continue;
		if ((n->op == OP_CONV && !may_be_planar(b, n)) || is_pooled_otherwise(b, n))
			return true;
		if (op_is_unary(n->op) || n->op == OP_BATCH_NORM)
			value = n->out[0];
	}
	return false;
}

/* A change of order behind it costs about what half a register of channels does. */
bool planar_suits(const struct builder *b)
{
	const struct node *n = builder_node(b);
	struct filters_bounds bounds;
	if (choice_is_being_made() || !may_be_planar(b, n) || !filters_read_bounds(b, &bounds))
		return false;
	return leaves_half(node_input(b->g, n, 1)->shape.dim[0]) || !is_reordered(b, builder_result(b));
}

static const struct planar_kernels *kernels(void)
{
	return planar_runnable()[0];
}

static struct planar_size size_of(const struct window *w, const struct view *x, const struct view *y)
{
	struct planar_size s = { .batch = x->dim[0], .in = x->dim[1], .out = y->dim[1] };
	for (int i = 0; i < 2; i++) {
		s.in_size[i] = x->dim[2 + i];
		s.out_size[i] = y->dim[2 + i];
		s.kernel[i] = w->kernel[i];
		s.stride[i] = w->stride[i];
		s.before[i] = w->begin[i];
	}
	return s;
}

static void run(const void *job)
{
	kernels()->convolve(job);
}

/* The weights in their order and where their numbers lie, for good. */
static enum err prepare(struct builder *b, const struct filters *f, struct planar_job *j)
{
	const struct planar_size *s = &j->size;
	int64_t taps = s->in * s->kernel[0] * s->kernel[1], *offsets;
	struct planar_filters filters = { .data = f->view.data };
	float *weights;
	memcpy(filters.step, f->view.stride, sizeof filters.step);
	enum err err = builder_floats(b, taps * s->out, &weights);
	if (err)
		return err;
	offsets = ARENA_ARRAY(b->arena, int64_t, (size_t)taps);
	if (!offsets)
		return err_set(b->e, ERR_MEMORY, "out of memory");
	planar_pack(s, &filters, weights);
	planar_offsets(s, offsets);
	j->weights = weights;
	j->offsets = offsets;
	return builder_workspace(b, planar_room(kernels(), s));
}

enum err planar_add(struct builder *b, const struct filters *f, const struct window *w, const struct view *x,
	const struct view *y, const struct filters_bounds *bounds)
{
	struct planar_job j = { .size = size_of(w, x, y),
		.x = x->data,
		.bias = f->bias,
		.residual = f->residual.data,
		.y = y->data,
		.low = bounds->low,
		.high = bounds->high,
		.room = &b->plan->workspace };
	enum err err = prepare(b, f, &j);
	return err ? err : builder_call(b, run, &j, sizeof j);
}

/* ---- pooling ---- */

bool planar_can_pool(const struct window *w, const int64_t *dims)
{
	bool inside = w->rank == 2;
	for (int i = 0; i < w->rank; i++)
		inside = inside && w->begin[i] == 0 && w->dilation[i] == 1 &&
			 (w->out[i] - 1) * w->stride[i] + w->kernel[i] <= dims[2 + i];
	return inside;
}

static void run_pool(const void *job)
{
	kernels()->pool(job);
}

enum err planar_add_pooling(
	struct builder *b, bool max, const struct window *w, const struct view *x, const struct view *y)
{
	struct planar_pooling p = { .maps = x->dim[0] * x->dim[1], .max = max, .x = x->data, .y = y->data };
	for (int i = 0; i < 2; i++) {
		p.in_size[i] = x->dim[2 + i];
		p.out_size[i] = y->dim[2 + i];
		p.kernel[i] = w->kernel[i];
		p.stride[i] = w->stride[i];
	}
	return builder_call(b, run_pool, &p, sizeof p);
}

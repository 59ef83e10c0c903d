/* resize.c -- maps made larger or smaller.
 * SPDX-License-Identifier: MIT
 *
 * An output index o along a dimension stands at the input's coordinate c:
 *   half pixel     (o + 0.5) / scale - 0.5 (PyTorch's: 0 when the output has one index)
 *   align corners  o * (in - 1) / (out - 1)
 *   asymmetric     o / scale
 * nearest takes the index next to c; linear the two around it, weighted by how near they are; cubic four, by Keys's
 * kernel (1981) with parameter a. Indices outside count as the edge's, or with exclude_outside not at all. One
 * dimension after the other, as the weights are products. */
#include <math.h>

#include "evaluator/kernels/taps.h"
#include "evaluator/model/operand.h"

struct axis {
	int64_t in, out;
	float scale;
};

static float coordinate(const struct operand_resize *r, const struct axis *a, int64_t o)
{
	float at = (float)o;
	switch (r->coordinates) {
	case RESIZE_PYTORCH_HALF_PIXEL:
		return a->out > 1 ? (at + 0.5f) / a->scale - 0.5f : 0;
	case RESIZE_ALIGN_CORNERS:
		return a->out > 1 ? at * (float)(a->in - 1) / (float)(a->out - 1) : 0;
	case RESIZE_ASYMMETRIC:
		return at / a->scale;
	case RESIZE_HALF_PIXEL:
	default:
		return (at + 0.5f) / a->scale - 0.5f;
	}
}

static int64_t within(float at, int64_t size)
{
	return at <= 0 ? 0 : at >= (float)(size - 1) ? size - 1 : (int64_t)at;
}

static int64_t nearest(const struct operand_resize *r, const struct axis *a, float c)
{
	switch (r->nearest) {
	case RESIZE_ROUND_PREFER_FLOOR:
		return within(ceilf(c - 0.5f), a->in);
	case RESIZE_ROUND_PREFER_CEIL:
		return within(floorf(c + 0.5f), a->in);
	case RESIZE_CEIL:
		return within(ceilf(c), a->in);
	case RESIZE_FLOOR:
	default:
		return within(floorf(c), a->in);
	}
}

static void linear(const struct axis *a, float c, int64_t *index, float *weight)
{
	c = fminf(fmaxf(c, 0), (float)(a->in - 1));
	index[0] = within(c, a->in); /* above 2^24 the limit as a float may be larger */
	index[1] = index[0] + 1 < a->in ? index[0] + 1 : index[0];
	weight[1] = c - (float)index[0];
	weight[0] = 1 - weight[1];
}

/* Keys's kernel at distance d. */
static float keys(float a, float d)
{
	d = fabsf(d);
	if (d <= 1)
		return ((a + 2) * d - (a + 3)) * d * d + 1;
	return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static void cubic(const struct operand_resize *r, const struct axis *a, float c, int64_t *index, float *weight)
{
	float floor_c = floorf(c), sum = 0;
	for (int t = 0; t < 4; t++) {
		float at = floor_c + (float)(t - 1);
		bool outside = at < 0 || at > (float)(a->in - 1);
		index[t] = within(at, a->in);
		weight[t] = outside && r->exclude_outside ? 0 : keys(r->cubic_a, c - at);
		sum += weight[t];
	}
	for (int t = 0; t < 4 && r->exclude_outside; t++)
		weight[t] /= sum;
}

static void fill(const struct operand_resize *r, const struct axis *a, struct taps *t)
{
	for (int64_t o = 0; o < a->out; o++) {
		float c = coordinate(r, a, o);
		if (r->mode == RESIZE_LINEAR)
			linear(a, c, t->index + 2 * o, t->weight + 2 * o);
		else if (r->mode == RESIZE_CUBIC)
			cubic(r, a, c, t->index + 4 * o, t->weight + 4 * o);
		else
			t->index[o] = nearest(r, a, c);
	}
}

static enum err read_passes(struct builder *b, struct taps passes[SHAPE_MAX_RANK], int *ret_count)
{
	const struct node *n = builder_node(b);
	const struct shape *x = builder_shape(b, n->in[0]);
	struct operand_resize r;
	int count = 0;
	enum err err = operand_resize(b->g, n, &r, b->e);
	for (int i = 0; i < x->rank && !err; i++) {
		struct axis a = { x->dim[i], r.size[i], r.scale[i] };
		int each = r.mode == RESIZE_LINEAR ? 2 : r.mode == RESIZE_CUBIC ? 4 : 1;
		if (a.in < 0 || (a.in == a.out && a.scale == 1))
			continue;
		err = taps_new(b, i, a.out, each, &passes[count]);
		if (!err)
			fill(&r, &a, &passes[count++]);
	}
	*ret_count = count;
	return err;
}

enum err resize_build(struct builder *b)
{
	struct taps passes[SHAPE_MAX_RANK];
	int count = 0;
	enum err err = read_passes(b, passes, &count);
	return err ? err : taps_build(b, passes, count);
}

enum err resize_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct taps passes[SHAPE_MAX_RANK];
	int count = 0;
	enum err err = read_passes(b, passes, &count);
	return err ? err : taps_build_back(b, passes, count, n->in[n->in_count - 1]);
}

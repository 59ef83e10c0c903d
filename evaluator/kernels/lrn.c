/* lrn.c -- normalisation by what stands beside a number.
 * SPDX-License-Identifier: MIT
 *
 *   local response (Krizhevsky et al. 2012), over the channels k from c - floor((size-1)/2) to c + ceil((size-1)/2):
 *     y[n,c,...] = x[n,c,...] / (bias + alpha / size * sum over k of x[n,k,...]^2) ^ beta
 *     of which, with s[c] = bias + alpha / size * that sum, and over the k that c is a neighbour of,
 *     dx[c] = dy[c] * s[c]^-beta - 2 * alpha * beta / size * x[c] * sum over k of dy[k] * x[k] * s[k]^(-beta-1)
 *   unit length:
 *     y[i] = x[i] / (sum over k of |x[k]|^p) ^ (1/p), p 1 or 2, along one dimension; zeros stay zeros */
#include <math.h>

#include "evaluator/kernels/builder.h"

struct neighbours {
	struct view
		v[3]; /* x, y and, backwards, x, dx, dy; the last dimension is the one that they are neighbours along */
	int64_t size, p;
	float alpha, beta, bias;
	float *line[2]; /* LRN: scratch memory, a number for each channel */
};

/* The sum over indices from c - before to c + behind of n. */
static float sum_around(const float *x, int64_t n, int64_t c, int64_t before, int64_t behind)
{
	float sum = 0;
	for (int64_t k = c > before ? c - before : 0; k < n && k <= c + behind; k++)
		sum += x[k];
	return sum;
}

/* s[c] of a line; square is scratch memory. */
static void measure(const struct neighbours *l, const float *x, float *square, float *s)
{
	int last = l->v[0].rank - 1;
	int64_t n = l->v[0].dim[last], stride = l->v[0].stride[last];
	int64_t before = (l->size - 1) / 2, behind = l->size - 1 - before;
	for (int64_t c = 0; c < n; c++)
		square[c] = x[c * stride] * x[c * stride];
	for (int64_t c = 0; c < n; c++)
		s[c] = l->bias + l->alpha / (float)l->size * sum_around(square, n, c, before, behind);
}

static void run_lrn(const void *job)
{
	const struct neighbours *l = job;
	int last = l->v[0].rank - 1;
	int64_t n = l->v[0].dim[last], sx = l->v[0].stride[last], sy = l->v[1].stride[last];
	struct walk w = walk_start(l->v, 2, last);
	do {
		measure(l, w.at[0], l->line[0], l->line[1]);
		for (int64_t c = 0; c < n; c++)
			w.at[1][c * sy] = w.at[0][c * sx] / powf(l->line[1][c], l->beta);
	} while (walk_next(&w));
}

/* Who has c as a neighbour stands on the other side. */
static void run_lrn_gradient(const void *job)
{
	const struct neighbours *l = job;
	int last = l->v[0].rank - 1;
	int64_t n = l->v[0].dim[last], sx = l->v[0].stride[last], sdx = l->v[1].stride[last],
		sdy = l->v[2].stride[last];
	int64_t behind = (l->size - 1) / 2, before = l->size - 1 - behind;
	float factor = 2 * l->alpha * l->beta / (float)l->size, *part = l->line[0], *s = l->line[1];
	struct walk w = walk_start(l->v, 3, last);
	do {
		measure(l, w.at[0], part, s);
		for (int64_t c = 0; c < n; c++) {
			float power = w.at[2][c * sdy] * powf(s[c], -l->beta);
			part[c] = power * w.at[0][c * sx] / s[c];
			s[c] = power;
		}
		for (int64_t c = 0; c < n; c++)
			w.at[1][c * sdx] = s[c] - factor * w.at[0][c * sx] * sum_around(part, n, c, before, behind);
	} while (walk_next(&w));
}

static void run_lp(const void *job)
{
	const struct neighbours *l = job;
	int last = l->v[0].rank - 1;
	int64_t n = l->v[0].dim[last], sx = l->v[0].stride[last], sy = l->v[1].stride[last];
	struct walk w = walk_start(l->v, 2, last);
	do {
		double sum = 0;
		for (int64_t i = 0; i < n; i++) {
			double x = w.at[0][i * sx];
			sum += l->p == 1 ? fabs(x) : x * x;
		}
		double length = l->p == 1 ? sum : sqrt(sum);
		for (int64_t i = 0; i < n; i++)
			w.at[1][i * sy] = length > 0 ? (float)(w.at[0][i * sx] / length) : 0;
	} while (walk_next(&w));
}

static struct view with_last(const struct view *v, int axis)
{
	int permutation[VIEW_MAX_RANK];
	for (int i = 0; i < v->rank; i++)
		permutation[i] = i == v->rank - 1 ? axis : i < axis ? i : i + 1;
	return view_permuted(v, permutation);
}

static enum err add_step(struct builder *b, struct neighbours *l, int axis, void (*run)(const void *job))
{
	struct view x, y;
	enum err err = builder_value(b, builder_node(b)->in[0], &x);
	if (err)
		return err;
	struct order o = order_of(&x);
	err = builder_place(b, builder_result(b), &o, &y);
	if (err)
		return err;
	l->v[0] = with_last(&x, axis);
	l->v[1] = with_last(&y, axis);
	return builder_call(b, run, l, sizeof *l);
}

static enum err read_lrn(struct builder *b, struct neighbours *l)
{
	const struct node *n = builder_node(b);
	int64_t channels = builder_shape(b, builder_result(b))->dim[1];
	l->size = node_int(n, "size", 1);
	l->alpha = node_float(n, "alpha", 1e-4f);
	l->beta = node_float(n, "beta", 0.75f);
	l->bias = node_float(n, "bias", 1);
	enum err err = builder_scratch(b, channels, &l->line[0]);
	return err ? err : builder_scratch(b, channels, &l->line[1]);
}

enum err lrn_build(struct builder *b)
{
	struct neighbours l = { .p = 0 };
	enum err err = read_lrn(b, &l);
	return err ? err : add_step(b, &l, 1, run_lrn);
}

enum err lrn_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct neighbours l = { .p = 0 };
	struct view x, dx, dy;
	enum err err = builder_value(b, n->in[0], &dy);
	if (!err)
		err = builder_value(b, n->in[1], &x);
	if (err)
		return err;
	struct order o = order_of(&x);
	err = builder_place(b, n->out[0], &o, &dx);
	if (!err)
		err = read_lrn(b, &l);
	l.v[0] = with_last(&x, 1);
	l.v[1] = with_last(&dx, 1);
	l.v[2] = with_last(&dy, 1);
	return err ? err : builder_call(b, run_lrn_gradient, &l, sizeof l);
}

enum err lp_norm_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct neighbours l = { .p = node_int(n, "p", 2) };
	int axis = 0;
	enum err err = node_axis(n, builder_shape(b, n->in[0])->rank, -1, &axis, b->e);
	return err ? err : add_step(b, &l, axis, run_lp);
}

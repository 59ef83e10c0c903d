/* lrn.c -- normalisation by what stands beside a number.
 * SPDX-License-Identifier: MIT
 *
 *   local response (Krizhevsky et al. 2012), over the channels k from c - floor((size-1)/2) to c + ceil((size-1)/2):
 *     y[n,c,...] = x[n,c,...] / (bias + alpha / size * sum over k of x[n,k,...]^2) ^ beta
 *   unit length:
 *     y[i] = x[i] / (sum over k of |x[k]|^p) ^ (1/p), p 1 or 2, along one dimension; zeros stay zeros */
#include <math.h>

#include "evaluator/kernels/builder.h"

struct neighbours {
	struct view v[2]; /* x, y; the last dimension is the one that they are neighbours along */
	int64_t size, p;
	float alpha, beta, bias;
};

static void run_lrn(const void *job)
{
	const struct neighbours *l = job;
	int last = l->v[0].rank - 1;
	int64_t n = l->v[0].dim[last], sx = l->v[0].stride[last], sy = l->v[1].stride[last];
	int64_t before = (l->size - 1) / 2, behind = l->size - 1 - before;
	struct walk w = walk_start(l->v, 2, last);
	do
		for (int64_t c = 0; c < n; c++) {
			float sum = 0;
			for (int64_t k = c > before ? c - before : 0; k < n && k <= c + behind; k++)
				sum += w.at[0][k * sx] * w.at[0][k * sx];
			w.at[1][c * sy] = w.at[0][c * sx] / powf(l->bias + l->alpha / (float)l->size * sum, l->beta);
		}
	while (walk_next(&w));
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

enum err lrn_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct neighbours l = { .size = node_int(n, "size", 1),
		.alpha = node_float(n, "alpha", 1e-4f),
		.beta = node_float(n, "beta", 0.75f),
		.bias = node_float(n, "bias", 1) };
	return add_step(b, &l, 1, run_lrn);
}

enum err lp_norm_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct neighbours l = { .p = node_int(n, "p", 2) };
	int axis = 0;
	enum err err = node_axis(n, builder_shape(b, n->in[0])->rank, -1, &axis, b->e);
	return err ? err : add_step(b, &l, axis, run_lp);
}

/* batch_norm_train.c -- batch normalisation by the batch itself, and its gradient (Ioffe & Szegedy 2015).
 * SPDX-License-Identifier: MIT
 *
 *   mean[c] = sum of x[r,c] / n      variance[c] = sum of (x[r,c] - mean[c])^2 / n       r over batch and positions
 *   h[r,c] = (x[r,c] - mean[c]) / sqrt(variance[c] + eps)
 *   y[r,c] = scale[c] * h[r,c] + shift[c], or max(0, that)
 *
 *   g[r,c] = dy[r,c], with a ReLU 0 where y[r,c] is
 *   dshift[c] = sum of g[r,c]        dscale[c] = sum of g[r,c] * h[r,c]
 *   dx[r,c] = scale[c] / sqrt(variance[c] + eps) * (g[r,c] - dshift[c] / n - h[r,c] * dscale[c] / n)
 *
 * x is read twice and y written; dy, x and y are read twice and dx written (moments.h). */
#include <math.h>
#include <string.h>

#include "evaluator/kernels/moments.h"

struct train {
	struct moments m;
	float epsilon;
	bool relu;
	const float *x, *scale, *shift;
	float *y, *mean, *variance;
};

struct gradient_of {
	struct moments m;
	float epsilon;
	const float *dy, *x, *y, *scale, *mean, *variance; /* y is NULL without ReLU */
	float *dx, *dscale, *dshift;			   /* dx is NULL when nobody asks for it */
};

static float root(float variance, float epsilon)
{
	return 1 / sqrtf(variance + epsilon);
}

static void run_train(const void *job)
{
	const struct train *t = job;
	const struct moments *m = &t->m;
	(m->map ? moments_measure_maps : moments_measure)(m, t->x);
	for (int64_t c = 0; c < m->size.columns; c++) {
		t->mean[c] = m->lane[LANE_MEAN][c] = (float)m->sum[SUM_MEAN][c];
		t->variance[c] = (float)(m->sum[SUM_SQUARES][c] / (double)m->size.rows);
		m->lane[LANE_FACTOR][c] = t->scale[c] * root(t->variance[c], t->epsilon);
		m->lane[LANE_OFFSET][c] = t->shift[c];
	}
	moments_repeat(m, LANE_MEAN);
	moments_repeat(m, LANE_FACTOR);
	moments_repeat(m, LANE_OFFSET);
	(m->map ? moments_normalise_maps : moments_normalise)(m, t->x, t->relu, t->y);
}

static void run_gradient(const void *job)
{
	const struct gradient_of *g = job;
	const struct moments *m = &g->m;
	double n = (double)m->size.rows;
	memcpy(m->lane[LANE_MEAN], g->mean, (size_t)m->size.columns * sizeof(float));
	moments_repeat(m, LANE_MEAN);
	moments_products(m, g->dy, g->x, g->y);
	for (int64_t c = 0; c < m->size.columns; c++) {
		double r = (double)root(g->variance[c], g->epsilon), factor = r * (double)g->scale[c];
		g->dshift[c] = (float)m->sum[SUM_FIRST][c];
		g->dscale[c] = (float)(m->sum[SUM_SECOND][c] * r);
		m->lane[LANE_FACTOR][c] = (float)factor;
		m->lane[LANE_SLOPE][c] = (float)(factor * r * r * m->sum[SUM_SECOND][c] / n);
		m->lane[LANE_OFFSET][c] = (float)(factor * m->sum[SUM_FIRST][c] / n);
	}
	moments_repeat(m, LANE_FACTOR);
	moments_repeat(m, LANE_SLOPE);
	moments_repeat(m, LANE_OFFSET);
	if (g->dx)
		moments_flow(m, g->dy, g->x, g->y, g->dx);
}

/* ---- building ---- */

/* A value as a matrix with a column for each channel. */
static enum err find_matrix(struct builder *b, int value, struct view *ret)
{
	struct order last = order_channels_last(builder_shape(b, value)->rank);
	return builder_dense(b, value, &last, ret);
}

/* As maps, when they lie one behind the other and are not narrow, or as a matrix; *ret_map as in struct moments. */
static enum err find_maps(struct builder *b, int value, struct view *ret, int64_t *ret_map)
{
	enum { NARROW = 16 };
	struct order o = order_row_major();
	enum err err = builder_value(b, value, ret);
	if (err)
		return err;
	int64_t map = view_count(ret) / ret->dim[0] / ret->dim[1];
	*ret_map = ret->dim[1] > 1 && map >= NARROW && view_is_dense(ret, &o) ? map : 0;
	return *ret_map ? ERR_OK : find_matrix(b, value, ret);
}

static enum err find_vector(struct builder *b, int value, const float **ret)
{
	struct order o = order_row_major();
	struct view v;
	enum err err = builder_dense(b, value, &o, &v);
	if (!err)
		*ret = v.data;
	return err;
}

/* A vector that the node writes, whether somebody reads it or not. */
static enum err place_vector(struct builder *b, int output, int64_t count, float **ret)
{
	const struct node *n = builder_node(b);
	struct order o = order_row_major();
	struct view v;
	if (output >= n->out_count || n->out[output] < 0)
		return builder_scratch(b, count, ret);
	enum err err = builder_place(b, n->out[output], &o, &v);
	if (!err)
		*ret = v.data;
	return err;
}

/* Statistics are values of a training graph; those that calibration looks at live as long as the plan. */
static enum err place_statistics(struct builder *b, const struct view *x, struct train *t)
{
	int64_t channels = x->dim[1];
	bool own = builder_node(b)->op == OP_BATCH_NORM;
	enum err err = own ? builder_floats(b, channels, &t->mean) : place_vector(b, 1, channels, &t->mean);
	if (!err)
		err = own ? builder_floats(b, channels, &t->variance) : place_vector(b, 2, channels, &t->variance);
	if (!err && own)
		b->plan->statistics[b->node] =
			(struct norm_statistics){ t->mean, t->variance, view_count(x) / channels };
	return err;
}

enum err batch_norm_train_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct train t = { .relu = node_int(n, "relu", 0) || b->fusion->activation[b->node] >= 0,
		.epsilon = node_float(n, "epsilon", 1e-5f) };
	struct view x, y;
	int64_t map;
	enum err err = find_maps(b, n->in[0], &x, &map);
	if (!err)
		err = find_vector(b, n->in[1], &t.scale);
	if (!err)
		err = find_vector(b, n->in[2], &t.shift);
	if (!err)
		err = builder_place_over(b, builder_result(b), n->in[0], &x, &y);
	if (!err)
		err = place_statistics(b, &x, &t);
	if (!err)
		err = moments_place(b, view_count(&x) / x.dim[1], x.dim[1], &t.m);
	if (err)
		return err;
	t.m.map = map;
	t.x = x.data;
	t.y = y.data;
	return builder_call(b, run_train, &t, sizeof t);
}

static enum err find_gradient_inputs(struct builder *b, struct view *dy, struct gradient_of *g)
{
	const struct node *n = builder_node(b);
	struct view x, y;
	enum err err = find_matrix(b, n->in[0], dy);
	if (!err)
		err = find_matrix(b, n->in[1], &x);
	if (!err && n->in[2] >= 0)
		err = find_matrix(b, n->in[2], &y);
	if (!err)
		err = find_vector(b, n->in[3], &g->scale);
	if (!err)
		err = find_vector(b, n->in[4], &g->mean);
	if (!err)
		err = find_vector(b, n->in[5], &g->variance);
	if (err)
		return err;
	g->dy = dy->data;
	g->x = x.data;
	g->y = n->in[2] >= 0 ? y.data : NULL;
	return ERR_OK;
}

enum err batch_norm_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct gradient_of g = { .epsilon = node_float(n, "epsilon", 1e-5f) };
	struct view dy, dx;
	enum err err = find_gradient_inputs(b, &dy, &g);
	if (!err && n->out[0] >= 0)
		err = builder_place_over(b, n->out[0], n->in[0], &dy, &dx);
	if (!err)
		err = place_vector(b, 1, dy.dim[1], &g.dscale);
	if (!err)
		err = place_vector(b, 2, dy.dim[1], &g.dshift);
	if (!err)
		err = moments_place(b, view_count(&dy) / dy.dim[1], dy.dim[1], &g.m);
	if (err)
		return err;
	g.dx = n->out[0] >= 0 ? dx.data : NULL;
	return builder_call(b, run_gradient, &g, sizeof g);
}

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
 * How long this takes is a matter of memory: x is read twice and y written; dy, x and y are read twice and dx written.
 *
 * The variance is made of pieces that stay in a cache, each read twice: its own mean first, then the squares of what
 * differs from that, corrected by the sum of the differences; and pieces are joined in double (Chan, Golub & LeVeque
 * 1979, 1983). So nothing cancels, wherever the mean lies, and the sums in float are short. */
#include <math.h>
#include <string.h>

#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/columns.h"
#include "evaluator/kernels/simd.h"

/* Numbers by lane: what is subtracted from x, two factors, what is added. */
enum { MEAN, FACTOR, SLOPE, OFFSET, LANES };
/* Sums by channel. */
enum { FIRST, SECOND, CENTRE, SQUARES, SUMS };

struct work {
	struct columns size;
	float epsilon;
	float *lane[LANES];
	double *sum[SUMS];
};

struct train {
	struct work w;
	bool relu;
	const float *x, *scale, *shift;
	float *y, *mean, *variance;
};

struct gradient_of {
	struct work w;
	const float *dy, *x, *y, *scale, *mean, *variance; /* y is NULL without ReLU */
	float *dx, *dscale, *dshift;			   /* dx is NULL when nobody asks for it */
};

static void clear(const struct work *w, int sum)
{
	memset(w->sum[sum], 0, (size_t)w->size.columns * sizeof(double));
}

/* Two sums by lane become sums by channel, FIRST and SECOND. */
static void fold_both(const struct work *w, const struct piece *p)
{
	columns_fold(w->lane[FACTOR], w->size.columns, p->wide, w->sum[FIRST]);
	columns_fold(w->lane[SLOPE], w->size.columns, p->wide, w->sum[SECOND]);
}

/* ---- forward ---- */

SIMD static void add_differences(const float *restrict x, const float *restrict from, int64_t rows, int64_t lanes,
	float *restrict first, float *restrict second)
{
	memset(first, 0, (size_t)lanes * sizeof *first);
	memset(second, 0, (size_t)lanes * sizeof *second);
	for (int64_t r = 0; r < rows; r++)
		for (int64_t i = 0; i < lanes; i++) {
			float d = x[r * lanes + i] - from[i];
			first[i] += d;
			second[i] += d * d;
		}
}

/* FIRST and SECOND of one piece: the sums of what differs from about[c], which is its mean but for rounding, and of the
 * squares of that. */
static void measure_piece(const struct train *t, const struct piece *p, float *about)
{
	const struct work *w = &t->w;
	int64_t channels = w->size.columns;
	clear(w, FIRST);
	columns_add(t->x, p, w->lane[FACTOR]);
	columns_fold(w->lane[FACTOR], channels, p->wide, w->sum[FIRST]);
	for (int64_t c = 0; c < channels; c++)
		about[c] = (float)(w->sum[FIRST][c] / (double)(p->rows * p->wide));
	columns_repeat(about, channels, p->wide, w->lane[MEAN]);
	clear(w, FIRST);
	clear(w, SECOND);
	add_differences(t->x + p->at, w->lane[MEAN], p->rows, p->lanes, w->lane[FACTOR], w->lane[SLOPE]);
	fold_both(w, p);
}

/* Joins a piece of n numbers with the `before` ones of CENTRE, their mean, and SQUARES. */
static void join_piece(const struct train *t, double before, double n, const float *about)
{
	double *const *sum = t->w.sum;
	for (int64_t c = 0; c < t->w.size.columns; c++) {
		double first = sum[FIRST][c], delta = about[c] + first / n - sum[CENTRE][c];
		sum[CENTRE][c] += delta * n / (before + n);
		sum[SQUARES][c] += sum[SECOND][c] - first * first / n + delta * delta * before * n / (before + n);
	}
}

static void measure(const struct train *t)
{
	const struct work *w = &t->w;
	struct piece p = { 0 };
	double before = 0;
	clear(w, CENTRE);
	clear(w, SQUARES);
	while (columns_next(&w->size, &p)) {
		measure_piece(t, &p, t->mean);
		join_piece(t, before, (double)(p.rows * p.wide), t->mean);
		before += (double)(p.rows * p.wide);
	}
	for (int64_t c = 0; c < w->size.columns; c++) {
		double squares = w->sum[SQUARES][c];
		t->mean[c] = (float)w->sum[CENTRE][c];
		t->variance[c] = (float)(squares < 0 ? 0 : squares / before);
	}
}

/* y may be x. */
SIMD static void normalise(const struct work *w, const struct piece *p, const float *x, float *y)
{
	const float *mean = w->lane[MEAN], *factor = w->lane[FACTOR], *offset = w->lane[OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++)
			y[r * p->lanes + i] = (x[r * p->lanes + i] - mean[i]) * factor[i] + offset[i];
	}
}

SIMD static void normalise_relu(const struct work *w, const struct piece *p, const float *x, float *y)
{
	const float *mean = w->lane[MEAN], *factor = w->lane[FACTOR], *offset = w->lane[OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++) {
			float v = (x[r * p->lanes + i] - mean[i]) * factor[i] + offset[i];
			y[r * p->lanes + i] = v < 0 ? 0 : v;
		}
	}
}

static float root(const struct work *w, const float *variance, int64_t c)
{
	return 1 / sqrtf(variance[c] + w->epsilon);
}

/* Each channel's numbers stand in the first row of lanes: the others repeat them. */
static void repeat(const struct work *w, int lane)
{
	int64_t channels = w->size.columns;
	for (int64_t at = channels; at < columns_lanes(&w->size); at += channels)
		memcpy(w->lane[lane] + at, w->lane[lane], (size_t)channels * sizeof(float));
}

static void run_train(const void *job)
{
	const struct train *t = job;
	const struct work *w = &t->w;
	struct piece p = { 0 };
	measure(t);
	for (int64_t c = 0; c < w->size.columns; c++) {
		w->lane[MEAN][c] = t->mean[c];
		w->lane[FACTOR][c] = t->scale[c] * root(w, t->variance, c);
		w->lane[OFFSET][c] = t->shift[c];
	}
	repeat(w, MEAN);
	repeat(w, FACTOR);
	repeat(w, OFFSET);
	while (columns_next(&w->size, &p))
		(t->relu ? normalise_relu : normalise)(w, &p, t->x + p.at, t->y + p.at);
}

/* ---- backward ---- */

SIMD static void add_products(
	const struct work *w, const struct piece *p, const float *restrict dy, const float *restrict x)
{
	const float *restrict mean = w->lane[MEAN];
	float *restrict first = w->lane[FACTOR], *restrict second = w->lane[SLOPE];
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			first[i] += dy[at];
			second[i] += dy[at] * (x[at] - mean[i]);
		}
}

SIMD static void add_products_relu(const struct work *w, const struct piece *p, const float *restrict dy,
	const float *restrict x, const float *restrict y)
{
	const float *restrict mean = w->lane[MEAN];
	float *restrict first = w->lane[FACTOR], *restrict second = w->lane[SLOPE];
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			float d = dy[at], g = y[at] <= 0 ? 0 : d;
			first[i] += g;
			second[i] += g * (x[at] - mean[i]);
		}
}

/* dscale and dshift. */
static void sum_products(const struct gradient_of *g)
{
	const struct work *w = &g->w;
	struct piece p = { 0 };
	clear(w, FIRST);
	clear(w, SECOND);
	while (columns_next(&w->size, &p)) {
		memset(w->lane[FACTOR], 0, (size_t)p.lanes * sizeof(float));
		memset(w->lane[SLOPE], 0, (size_t)p.lanes * sizeof(float));
		if (g->y)
			add_products_relu(w, &p, g->dy + p.at, g->x + p.at, g->y + p.at);
		else
			add_products(w, &p, g->dy + p.at, g->x + p.at);
		fold_both(w, &p);
	}
	for (int64_t c = 0; c < w->size.columns; c++) {
		g->dshift[c] = (float)w->sum[FIRST][c];
		g->dscale[c] = (float)(w->sum[SECOND][c] * (double)root(w, g->variance, c));
	}
}

/* dx may be dy. */
SIMD static void flow(const struct work *w, const struct piece *p, const float *dy, const float *x, float *dx)
{
	const float *mean = w->lane[MEAN], *factor = w->lane[FACTOR], *slope = w->lane[SLOPE],
		    *offset = w->lane[OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			dx[at] = factor[i] * dy[at] - (offset[i] + (x[at] - mean[i]) * slope[i]);
		}
	}
}

SIMD static void flow_relu(
	const struct work *w, const struct piece *p, const float *dy, const float *x, const float *y, float *dx)
{
	const float *mean = w->lane[MEAN], *factor = w->lane[FACTOR], *slope = w->lane[SLOPE],
		    *offset = w->lane[OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			float d = dy[at], g = y[at] <= 0 ? 0 : d;
			dx[at] = factor[i] * g - (offset[i] + (x[at] - mean[i]) * slope[i]);
		}
	}
}

static void run_gradient(const void *job)
{
	const struct gradient_of *g = job;
	const struct work *w = &g->w;
	struct piece p = { 0 };
	double n = (double)w->size.rows;
	memcpy(w->lane[MEAN], g->mean, (size_t)w->size.columns * sizeof(float));
	repeat(w, MEAN);
	sum_products(g);
	for (int64_t c = 0; c < w->size.columns && g->dx; c++) {
		double r = (double)root(w, g->variance, c), factor = r * (double)g->scale[c];
		w->lane[FACTOR][c] = (float)factor;
		w->lane[SLOPE][c] = (float)(factor * r * r * w->sum[SECOND][c] / n);
		w->lane[OFFSET][c] = (float)(factor * w->sum[FIRST][c] / n);
	}
	repeat(w, FACTOR);
	repeat(w, SLOPE);
	repeat(w, OFFSET);
	while (g->dx && columns_next(&w->size, &p)) {
		if (g->y)
			flow_relu(w, &p, g->dy + p.at, g->x + p.at, g->y + p.at, g->dx + p.at);
		else
			flow(w, &p, g->dy + p.at, g->x + p.at, g->dx + p.at);
	}
}

/* ---- building ---- */

/* A value as a matrix with a column for each channel. */
static enum err find_matrix(struct builder *b, int value, struct view *ret)
{
	struct order last = order_channels_last(builder_shape(b, value)->rank);
	return builder_dense(b, value, &last, ret);
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

static enum err place_work(struct builder *b, const struct view *x, struct work *ret)
{
	int64_t channels = x->dim[1], lanes;
	struct work w = { .size = { view_count(x) / channels, channels },
		.epsilon = node_float(builder_node(b), "epsilon", 1e-5f) };
	enum err err = ERR_OK;
	float *room;
	lanes = columns_lanes(&w.size);
	for (int i = 0; i < LANES && !err; i++)
		err = builder_scratch(b, lanes, &w.lane[i]);
	for (int i = 0; i < SUMS && !err; i++) {
		err = builder_scratch(b, channels * (int64_t)(sizeof(double) / sizeof(float)), &room);
		w.sum[i] = err ? NULL : (double *)(void *)room;
	}
	if (!err)
		*ret = w;
	return err;
}

enum err batch_norm_train_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct train t = { .relu = node_int(n, "relu", 0) };
	struct view x, y;
	enum err err = find_matrix(b, n->in[0], &x);
	if (!err)
		err = find_vector(b, n->in[1], &t.scale);
	if (!err)
		err = find_vector(b, n->in[2], &t.shift);
	if (!err)
		err = builder_place_over(b, n->out[0], n->in[0], &x, &y);
	if (!err)
		err = place_vector(b, 1, x.dim[1], &t.mean);
	if (!err)
		err = place_vector(b, 2, x.dim[1], &t.variance);
	if (!err)
		err = place_work(b, &x, &t.w);
	if (err)
		return err;
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
	struct gradient_of g = { .dx = NULL };
	struct view dy, dx;
	enum err err = find_gradient_inputs(b, &dy, &g);
	if (!err && n->out[0] >= 0)
		err = builder_place_over(b, n->out[0], n->in[0], &dy, &dx);
	if (!err)
		err = place_vector(b, 1, dy.dim[1], &g.dscale);
	if (!err)
		err = place_vector(b, 2, dy.dim[1], &g.dshift);
	if (!err)
		err = place_work(b, &dy, &g.w);
	if (err)
		return err;
	g.dx = n->out[0] >= 0 ? dx.data : NULL;
	return builder_call(b, run_gradient, &g, sizeof g);
}

/* pool_gradient.c -- what poolings hand back.
 * SPDX-License-Identifier: MIT
 *
 *   max:     dx[n, c, i*s + u*d - p, ...] += dy[n,c,i,...] for the first u, ... where x is y[n,c,i,...]
 *   average: dx[n, c, i*s + u*d - p, ...] += dy[n,c,i,...] / count for all u, ...
 *
 * Everything is channels-last, and a place's channels are dealt with at once. Windows of 2x2 side by side, the usual
 * ones, each write what is theirs; others add to zeros. */
#include <string.h>

#include "base/simd.h"
#include "evaluator/kernels/pool.h"

struct pool_gradient {
	struct pool p;
	int64_t batch, channels;
	int64_t out[WINDOW_MAX_RANK];
	int64_t stride[WINDOW_MAX_RANK]; /* of x and dx */
	int64_t in_size, out_size;	 /* of a sample */
	const float *dy, *x, *y;
	float *dx;
	float *rest; /* by channel: what nobody has taken yet */
};

/* ---- any window ---- */

SIMD static void take(
	const float *restrict x, const float *restrict y, int64_t n, float *restrict rest, float *restrict dx)
{
	for (int64_t c = 0; c < n; c++) {
		float r = rest[c], mine = x[c] == y[c] ? r : 0;
		dx[c] += mine;
		rest[c] = x[c] == y[c] ? 0 : r;
	}
}

SIMD static void add(const float *restrict dy, float factor, int64_t n, float *restrict dx)
{
	for (int64_t c = 0; c < n; c++)
		dx[c] += factor * dy[c];
}

/* One place of the output; the pointers are at its sample, and at its channels in dy and y. */
static void hand_back(
	const struct pool_gradient *g, const int64_t *to, const float *dy, const float *x, const float *y, float *dx)
{
	const struct window *w = &g->p.w;
	int64_t first[WINDOW_MAX_RANK], end[WINDOW_MAX_RANK], u[WINDOW_MAX_RANK], n = g->channels;
	float factor = 1 / (float)pool_cover(&g->p, to, first, end);
	if (g->p.max)
		memcpy(g->rest, dy, (size_t)n * sizeof *dy);
	for (u[0] = first[0]; u[0] < end[0]; u[0]++)
		for (u[1] = first[1]; u[1] < end[1]; u[1]++)
			for (u[2] = first[2]; u[2] < end[2]; u[2]++) {
				int64_t at = 0;
				for (int i = 0; i < w->rank; i++)
					at += (to[i] * w->stride[i] - w->begin[i] + u[i] * w->dilation[i]) *
					      g->stride[i];
				if (g->p.max)
					take(x + at, y, n, g->rest, dx + at);
				else
					add(dy, factor, n, dx + at);
			}
}

static void run(const void *job)
{
	const struct pool_gradient *g = job;
	int64_t to[WINDOW_MAX_RANK];
	const float *dy = g->dy, *y = g->y;
	memset(g->dx, 0, (size_t)(g->batch * g->in_size) * sizeof *g->dx);
	for (int64_t i = 0; i < g->batch; i++)
		for (to[0] = 0; to[0] < g->out[0]; to[0]++)
			for (to[1] = 0; to[1] < g->out[1]; to[1]++)
				for (to[2] = 0; to[2] < g->out[2]; to[2]++) {
					hand_back(g, to, dy, g->x ? g->x + i * g->in_size : NULL, y,
						g->dx + i * g->in_size);
					dy += g->channels;
					y = y ? y + g->channels : NULL;
				}
}

/* ---- maxima of 2x2, side by side ---- */

/* A window over two rows of x, and the same in dx. The second column is n numbers behind the first. */
struct square {
	const float *dy, *y, *x[2];
	float *dx[2];
};

static inline void take_square(const struct square *s, int64_t n)
{
	const float *a = s->x[0], *b = s->x[1];
	SIMD_EACH
	for (int64_t c = 0; c < n; c++) {
		float most = s->y[c], rest = s->dy[c];
		float a0 = a[c], a1 = a[n + c], b0 = b[c], b1 = b[n + c];
		s->dx[0][c] = a0 == most ? rest : 0;
		rest = a0 == most ? 0 : rest;
		s->dx[0][n + c] = a1 == most ? rest : 0;
		rest = a1 == most ? 0 : rest;
		s->dx[1][c] = b0 == most ? rest : 0;
		rest = b0 == most ? 0 : rest;
		s->dx[1][n + c] = b1 == most ? rest : 0;
	}
}

/* Of a few channels, as many as a vector has: what is written too far is overwritten by what stands there, the second
 * column and then the next window. */
enum { VECTOR = 16 };

static inline void take_narrow_square(const struct square *s, int64_t n)
{
	float part[4][VECTOR];
	const float *const x[] = { s->x[0], s->x[0] + n, s->x[1], s->x[1] + n };
	for (int c = 0; c < VECTOR; c++) {
		float most = s->y[c], rest = s->dy[c];
		for (int k = 0; k < 4; k++) {
			float at = x[k][c];
			part[k][c] = at == most ? rest : 0;
			rest = at == most ? 0 : rest;
		}
	}
	for (int k = 0; k < 4; k++)
		memcpy(s->dx[k / 2] + k % 2 * n, part[k], sizeof part[k]);
}

/* A row of windows, each of n channels: the first `narrow` may write behind their own. */
SIMD static void take_squares(struct square s, int64_t count, int64_t narrow, int64_t n)
{
	for (int64_t i = 0; i < count; i++) {
		if (i < narrow)
			take_narrow_square(&s, n);
		else
			take_square(&s, n);
		s.dy += n;
		s.y += n;
		for (int k = 0; k < 2; k++) {
			s.x[k] += 2 * n;
			s.dx[k] += 2 * n;
		}
	}
}

/* How many windows of a row are followed by so many windows that a vector at their start ends inside them. */
static int64_t narrow_windows(const struct pool_gradient *g)
{
	int64_t n = g->channels, behind = (VECTOR - 1) / n;
	return n > VECTOR || behind > g->out[1] ? 0 : g->out[1] - behind;
}

/* What no window covers, behind the last column and the last row, gets nothing. */
static void run_squares(const void *job)
{
	const struct pool_gradient *g = job;
	int64_t n = g->channels, row = g->stride[0], covered = 2 * g->out[1] * n, narrow = narrow_windows(g);
	for (int64_t i = 0; i < g->batch; i++) {
		const float *x = g->x + i * g->in_size;
		float *dx = g->dx + i * g->in_size;
		for (int64_t k = 0; k < g->out[0]; k++) {
			int64_t at = i * g->out_size + k * g->out[1] * n;
			struct square s = { g->dy + at, g->y + at, { x + 2 * k * row, x + (2 * k + 1) * row },
				{ dx + 2 * k * row, dx + (2 * k + 1) * row } };
			take_squares(s, g->out[1], narrow, n);
			memset(s.dx[0] + covered, 0, (size_t)(row - covered) * sizeof *dx);
			memset(s.dx[1] + covered, 0, (size_t)(row - covered) * sizeof *dx);
		}
		memset(dx + 2 * g->out[0] * row, 0, (size_t)(g->in_size - 2 * g->out[0] * row) * sizeof *dx);
	}
}

static bool is_squares(const struct pool_gradient *g)
{
	const struct window *w = &g->p.w;
	bool is = g->p.max && w->rank == 2;
	for (int i = 0; i < w->rank && is; i++)
		is = w->kernel[i] == 2 && w->stride[i] == 2 && w->dilation[i] == 1 && w->begin[i] == 0 &&
		     2 * g->out[i] <= g->p.in[i];
	return is;
}

/* ---- building ---- */

static enum err find(struct builder *b, int value, const float **ret)
{
	struct order o = order_channels_last(builder_shape(b, value)->rank);
	struct view v;
	enum err err = builder_dense(b, value, &o, &v);
	if (!err)
		*ret = v.data;
	return err;
}

static enum err place(struct builder *b, struct pool_gradient *g)
{
	int value = builder_node(b)->out[0];
	struct order o = order_channels_last(builder_shape(b, value)->rank);
	struct view dx;
	enum err err = builder_place(b, value, &o, &dx);
	if (!err)
		err = builder_scratch(b, dx.dim[1], &g->rest);
	if (err)
		return err;
	g->dx = dx.data;
	g->batch = dx.dim[0];
	g->channels = dx.dim[1];
	g->in_size = dx.stride[0];
	g->out_size = g->channels;
	for (int i = 0; i < WINDOW_MAX_RANK; i++) {
		g->out[i] = i < g->p.w.rank ? g->p.w.out[i] : 1;
		g->stride[i] = i < g->p.w.rank ? dx.stride[2 + i] : 0;
		g->out_size *= g->out[i];
	}
	return ERR_OK;
}

enum err pool_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	bool max = n->op == OP_MAX_POOL_GRADIENT;
	const struct shape *in = builder_shape(b, n->out[0]);
	struct pool_gradient g = { .dx = NULL };
	struct window w;
	enum err err = window_read(n, in, NULL, &w, b->e);
	if (!err)
		err = find(b, n->in[0], &g.dy);
	if (!err && max)
		err = find(b, n->in[1], &g.x);
	if (!err && max)
		err = find(b, n->in[2], &g.y);
	if (err)
		return err;
	g.p = pool_of(n, max, !max && node_int(n, "count_include_pad", 0), &w, in->dim);
	err = place(b, &g);
	return err ? err : builder_call(b, is_squares(&g) ? run_squares : run, &g, sizeof g);
}

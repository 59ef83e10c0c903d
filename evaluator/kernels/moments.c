/* moments.c -- mean and variance of the columns of a matrix, and what is done with them.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/moments.h"

#include <string.h>

#include "base/simd.h"

enum err moments_place(struct builder *b, int64_t rows, int64_t columns, struct moments *ret)
{
	struct moments m = { .size = { rows, columns } };
	enum err err = ERR_OK;
	for (int i = 0; i < LANES && !err; i++)
		err = builder_scratch(b, columns_lanes(&m.size), &m.lane[i]);
	for (int i = 0; i < SUMS && !err; i++)
		err = builder_doubles(b, columns, &m.sum[i]);
	if (!err)
		*ret = m;
	return err;
}

void moments_repeat(const struct moments *m, int lane)
{
	int64_t columns = m->size.columns;
	for (int64_t at = columns; at < columns_lanes(&m->size); at += columns)
		memcpy(m->lane[lane] + at, m->lane[lane], (size_t)columns * sizeof(float));
}

static void clear(const struct moments *m, int sum)
{
	memset(m->sum[sum], 0, (size_t)m->size.columns * sizeof(double));
}

/* Two sums by lane become sums by column. */
static void fold_both(const struct moments *m, const struct piece *p)
{
	columns_fold(m->lane[LANE_FACTOR], m->size.columns, p->wide, m->sum[SUM_FIRST]);
	columns_fold(m->lane[LANE_SLOPE], m->size.columns, p->wide, m->sum[SUM_SECOND]);
}

/* ---- moments ---- */

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
static void measure_piece(const struct moments *m, const struct piece *p, const float *x, float *about)
{
	int64_t columns = m->size.columns;
	clear(m, SUM_FIRST);
	columns_add(x, p, m->lane[LANE_FACTOR]);
	columns_fold(m->lane[LANE_FACTOR], columns, p->wide, m->sum[SUM_FIRST]);
	for (int64_t c = 0; c < columns; c++)
		about[c] = (float)(m->sum[SUM_FIRST][c] / (double)(p->rows * p->wide));
	columns_repeat(about, columns, p->wide, m->lane[LANE_MEAN]);
	clear(m, SUM_FIRST);
	clear(m, SUM_SECOND);
	add_differences(x + p->at, m->lane[LANE_MEAN], p->rows, p->lanes, m->lane[LANE_FACTOR], m->lane[LANE_SLOPE]);
	fold_both(m, p);
}

void moments_join(
	const struct moments *m, int64_t c, double before, double n, float about, double first, double second)
{
	double delta = about + first / n - m->sum[SUM_MEAN][c], squares = second - first * first / n;
	m->sum[SUM_MEAN][c] += delta * n / (before + n);
	m->sum[SUM_SQUARES][c] += (squares > 0 ? squares : 0) + delta * delta * before * n / (before + n);
}

void moments_measure(const struct moments *m, const float *x)
{
	struct piece p = { 0 };
	double before = 0;
	clear(m, SUM_MEAN);
	clear(m, SUM_SQUARES);
	while (columns_next(&m->size, &p)) {
		measure_piece(m, &p, x, m->lane[LANE_OFFSET]);
		double n = (double)(p.rows * p.wide);
		for (int64_t c = 0; c < m->size.columns; c++)
			moments_join(m, c, before, n, m->lane[LANE_OFFSET][c], m->sum[SUM_FIRST][c],
				m->sum[SUM_SECOND][c]);
		before += n;
	}
}

/* ---- what is done with them ---- */

SIMD static void normalise(const struct moments *m, const struct piece *p, const float *x, float *y)
{
	const float *mean = m->lane[LANE_MEAN], *factor = m->lane[LANE_FACTOR], *offset = m->lane[LANE_OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++)
			y[r * p->lanes + i] = (x[r * p->lanes + i] - mean[i]) * factor[i] + offset[i];
	}
}

SIMD static void normalise_relu(const struct moments *m, const struct piece *p, const float *x, float *y)
{
	const float *mean = m->lane[LANE_MEAN], *factor = m->lane[LANE_FACTOR], *offset = m->lane[LANE_OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++) {
			float v = (x[r * p->lanes + i] - mean[i]) * factor[i] + offset[i];
			y[r * p->lanes + i] = v < 0 ? 0 : v;
		}
	}
}

void moments_normalise(const struct moments *m, const float *x, bool relu, float *y)
{
	struct piece p = { 0 };
	while (columns_next(&m->size, &p))
		(relu ? normalise_relu : normalise)(m, &p, x + p.at, y + p.at);
}

SIMD static void add_products(
	const struct moments *m, const struct piece *p, const float *restrict dy, const float *restrict x)
{
	const float *restrict mean = m->lane[LANE_MEAN];
	float *restrict first = m->lane[LANE_FACTOR], *restrict second = m->lane[LANE_SLOPE];
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			first[i] += dy[at];
			second[i] += dy[at] * (x[at] - mean[i]);
		}
}

SIMD static void add_products_relu(const struct moments *m, const struct piece *p, const float *restrict dy,
	const float *restrict x, const float *restrict y)
{
	const float *restrict mean = m->lane[LANE_MEAN];
	float *restrict first = m->lane[LANE_FACTOR], *restrict second = m->lane[LANE_SLOPE];
	for (int64_t r = 0; r < p->rows; r++)
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			float d = dy[at], g = y[at] <= 0 ? 0 : d;
			first[i] += g;
			second[i] += g * (x[at] - mean[i]);
		}
}

void moments_products(const struct moments *m, const float *dy, const float *x, const float *y)
{
	struct piece p = { 0 };
	clear(m, SUM_FIRST);
	clear(m, SUM_SECOND);
	while (columns_next(&m->size, &p)) {
		memset(m->lane[LANE_FACTOR], 0, (size_t)p.lanes * sizeof(float));
		memset(m->lane[LANE_SLOPE], 0, (size_t)p.lanes * sizeof(float));
		if (y)
			add_products_relu(m, &p, dy + p.at, x + p.at, y + p.at);
		else
			add_products(m, &p, dy + p.at, x + p.at);
		fold_both(m, &p);
	}
}

SIMD static void flow(const struct moments *m, const struct piece *p, const float *dy, const float *x, float *dx)
{
	const float *mean = m->lane[LANE_MEAN], *factor = m->lane[LANE_FACTOR], *slope = m->lane[LANE_SLOPE],
		    *offset = m->lane[LANE_OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			dx[at] = factor[i] * dy[at] - (offset[i] + (x[at] - mean[i]) * slope[i]);
		}
	}
}

SIMD static void flow_relu(
	const struct moments *m, const struct piece *p, const float *dy, const float *x, const float *y, float *dx)
{
	const float *mean = m->lane[LANE_MEAN], *factor = m->lane[LANE_FACTOR], *slope = m->lane[LANE_SLOPE],
		    *offset = m->lane[LANE_OFFSET];
	for (int64_t r = 0; r < p->rows; r++) {
		SIMD_EACH
		for (int64_t i = 0; i < p->lanes; i++) {
			int64_t at = r * p->lanes + i;
			float d = dy[at], g = y[at] <= 0 ? 0 : d;
			dx[at] = factor[i] * g - (offset[i] + (x[at] - mean[i]) * slope[i]);
		}
	}
}

void moments_flow(const struct moments *m, const float *dy, const float *x, const float *y, float *dx)
{
	struct piece p = { 0 };
	while (columns_next(&m->size, &p)) {
		if (y)
			flow_relu(m, &p, dy + p.at, x + p.at, y + p.at, dx + p.at);
		else
			flow(m, &p, dy + p.at, x + p.at, dx + p.at);
	}
}

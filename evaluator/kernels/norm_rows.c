/* norm_rows.c -- normalisation of rows: the formulas stand in norm.c.
 * SPDX-License-Identifier: MIT
 *
 * Sums in float are made in lanes over a few thousand numbers at a time, and joined in double. */
#include <math.h>
#include <string.h>

#include "base/simd.h"
#include "evaluator/kernels/norm.h"

enum { PIECE = 4096, WIDTH = 64 };

/* Of a row: the sum of g and of g * (x - mean). g is dy, times scale where that is given; without dy it is x - mean. */
struct sums {
	double first, second;
};

static inline struct sums fold(const float *first, const float *second)
{
	struct sums s = { 0, 0 };
	for (int k = 0; k < WIDTH; k++) {
		s.first += first[k];
		s.second += second[k];
	}
	return s;
}

/* clang-format off */
#define SUMS_OF(name, formula) \
	SIMD static struct sums name(const float *dy, const float *x, const float *scale, float mean, int64_t n) \
	{ \
		float first[WIDTH] = { 0 }, second[WIDTH] = { 0 }; \
		int64_t i = 0; \
		(void)dy; \
		(void)scale; \
		for (; i + WIDTH <= n; i += WIDTH) \
			for (int k = 0; k < WIDTH; k++) { \
				int64_t at = i + k; \
				float d = x[at] - mean, g = (formula); \
				first[k] += g; \
				second[k] += g * d; \
			} \
		for (int k = 0; i + k < n; k++) { \
			int64_t at = i + k; \
			float d = x[at] - mean, g = (formula); \
			first[k] += g; \
			second[k] += g * d; \
		} \
		return fold(first, second); \
	}

SUMS_OF(differences, d)
SUMS_OF(products, dy[at])
SUMS_OF(scaled_products, dy[at] * scale[at])
/* clang-format on */

typedef struct sums sums_of(const float *dy, const float *x, const float *scale, float mean, int64_t n);

static struct sums sum_row(sums_of *of, const float *dy, const float *x, const float *scale, float mean, int64_t n)
{
	struct sums s = { 0, 0 };
	for (int64_t i = 0; i < n; i += PIECE) {
		struct sums more =
			of(dy ? dy + i : NULL, x + i, scale ? scale + i : NULL, mean, n - i < PIECE ? n - i : PIECE);
		s.first += more.first;
		s.second += more.second;
	}
	return s;
}

/* The mean is that of the differences from the row's first number, so that few digits are lost far from zero; the
 * variance is taken around it, and corrected by what the mean's rounding makes. */
static void measure(const struct norm *m, const float *x, float *ret_mean, double *ret_root)
{
	double n = (double)m->count;
	float mean = x[0] + (float)(sum_row(differences, NULL, x, NULL, x[0], m->count).first / n);
	struct sums s = sum_row(differences, NULL, x, NULL, mean, m->count);
	double variance = s.second / n - s.first / n * (s.first / n);
	*ret_mean = mean + (float)(s.first / n);
	*ret_root = 1 / sqrt((variance < 0 ? 0 : variance) + (double)m->epsilon);
}

/* ---- forward ---- */

SIMD static void apply(const float *x, int64_t n, float mean, float factor, float offset, float *y)
{
	SIMD_EACH
	for (int64_t i = 0; i < n; i++)
		y[i] = (x[i] - mean) * factor + offset;
}

SIMD static void apply_by_place(
	const float *x, int64_t n, float mean, float root, const float *scale, const float *shift, float *y)
{
	SIMD_EACH
	for (int64_t i = 0; i < n; i++)
		y[i] = (x[i] - mean) * root * scale[i] + shift[i];
}

void norm_rows(const void *job)
{
	const struct norm *m = job;
	for (int64_t part = 0; part < m->parts; part++) {
		const float *x = m->x + part * m->count;
		float mean, *y = m->y + part * m->count;
		double root;
		measure(m, x, &mean, &root);
		if (m->by_place)
			apply_by_place(x, m->count, mean, (float)root, m->scale, m->shift, y);
		else
			apply(x, m->count, mean, (float)root * m->scale[part % m->scales], m->shift[part % m->scales],
				y);
	}
}

/* ---- backward ---- */

SIMD static void flow(
	const float *dy, const float *x, int64_t n, float mean, float factor, float slope, float offset, float *dx)
{
	SIMD_EACH
	for (int64_t i = 0; i < n; i++)
		dx[i] = factor * dy[i] - (offset + (x[i] - mean) * slope);
}

SIMD static void flow_by_place(const float *dy, const float *x, const float *scale, int64_t n, float mean, float root,
	float slope, float offset, float *dx)
{
	SIMD_EACH
	for (int64_t i = 0; i < n; i++)
		dx[i] = root * scale[i] * dy[i] - (offset + (x[i] - mean) * slope);
}

SIMD static void add_by_place(const float *restrict dy, const float *restrict x, int64_t n, float mean, float root,
	double *restrict dscale, double *restrict dshift)
{
	for (int64_t i = 0; i < n; i++) {
		dscale[i] += (double)(dy[i] * ((x[i] - mean) * root));
		dshift[i] += (double)dy[i];
	}
}

static void back_by_place(const struct norm *m, const float *dy, const float *x, float *dx)
{
	float mean;
	double root, n = (double)m->count;
	measure(m, x, &mean, &root);
	add_by_place(dy, x, m->count, mean, (float)root, m->dscale_sum, m->dshift_sum);
	if (!dx)
		return;
	struct sums s = sum_row(scaled_products, dy, x, m->scale, mean, m->count);
	flow_by_place(dy, x, m->scale, m->count, mean, (float)root, (float)(root * root * root * s.second / n),
		(float)(root * s.first / n), dx);
}

static void back_by_part(const struct norm *m, int64_t part, const float *dy, const float *x, float *dx)
{
	float mean;
	double root, n = (double)m->count;
	measure(m, x, &mean, &root);
	struct sums s = sum_row(products, dy, x, NULL, mean, m->count);
	double factor = root * (double)m->scale[part];
	m->dscale_sum[part] += s.second * root;
	m->dshift_sum[part] += s.first;
	if (dx)
		flow(dy, x, m->count, mean, (float)factor, (float)(factor * root * root * s.second / n),
			(float)(factor * s.first / n), dx);
}

void norm_rows_back(const void *job)
{
	const struct norm *m = job;
	memset(m->dscale_sum, 0, (size_t)m->scales * sizeof(double));
	memset(m->dshift_sum, 0, (size_t)m->scales * sizeof(double));
	for (int64_t part = 0; part < m->parts; part++) {
		int64_t at = part * m->count;
		float *dx = m->dx ? m->dx + at : NULL;
		if (m->by_place)
			back_by_place(m, m->dy + at, m->x + at, dx);
		else
			back_by_part(m, part % m->scales, m->dy + at, m->x + at, dx);
	}
	for (int64_t i = 0; i < m->scales; i++) {
		m->dscale[i] = (float)m->dscale_sum[i];
		m->dshift[i] = (float)m->dshift_sum[i];
	}
}

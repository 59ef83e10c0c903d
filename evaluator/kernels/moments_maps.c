/* moments_maps.c -- mean and variance of channels whose maps are runs of memory, and what is done with them.
 * SPDX-License-Identifier: MIT
 *
 * A run is a piece (moments.h): it stays in the nearest cache between its two readings. */
#include "base/simd.h"
#include "evaluator/kernels/moments.h"

enum { WIDE = 16 };
typedef float wide __attribute__((vector_size(WIDE * sizeof(float)), aligned(sizeof(float)), may_alias));

/* The sums of what differs from `from`, and of the squares of that. */
SIMD static void add_run(const float *x, int64_t n, float from, double *ret_first, double *ret_second)
{
	wide first = { 0 }, second = { 0 };
	double firsts = 0, seconds = 0;
	int64_t i = 0;
	for (; i + WIDE <= n; i += WIDE) {
		wide d = *(const wide *)(x + i) - from;
		first += d;
		second += d * d;
	}
	for (; i < n; i++) {
		firsts += (double)(x[i] - from);
		seconds += (double)(x[i] - from) * (double)(x[i] - from);
	}
	for (int l = 0; l < WIDE; l++) {
		firsts += (double)first[l];
		seconds += (double)second[l];
	}
	*ret_first = firsts;
	*ret_second = seconds;
}

void moments_measure_maps(const struct moments *m, const float *x)
{
	int64_t channels = m->size.columns, samples = m->size.rows / m->map;
	for (int64_t c = 0; c < channels; c++)
		m->sum[SUM_MEAN][c] = m->sum[SUM_SQUARES][c] = 0;
	for (int64_t i = 0; i < samples; i++)
		for (int64_t c = 0; c < channels; c++, x += m->map) {
			double first, second;
			add_run(x, m->map, 0, &first, &second);
			float about = (float)(first / (double)m->map);
			add_run(x, m->map, about, &first, &second);
			moments_join(m, c, (double)(i * m->map), (double)m->map, about, first, second);
		}
}

/* y may be x. */
SIMD static void normalise_run(const float *x, int64_t n, float mean, float factor, float offset, bool relu, float *y)
{
	if (relu) {
		SIMD_EACH
		for (int64_t i = 0; i < n; i++) {
			float v = (x[i] - mean) * factor + offset;
			y[i] = v < 0 ? 0 : v;
		}
		return;
	}
	SIMD_EACH
	for (int64_t i = 0; i < n; i++)
		y[i] = (x[i] - mean) * factor + offset;
}

void moments_normalise_maps(const struct moments *m, const float *x, bool relu, float *y)
{
	const float *mean = m->lane[LANE_MEAN], *factor = m->lane[LANE_FACTOR], *offset = m->lane[LANE_OFFSET];
	int64_t channels = m->size.columns, samples = m->size.rows / m->map;
	for (int64_t i = 0; i < samples; i++)
		for (int64_t c = 0; c < channels; c++, x += m->map, y += m->map)
			normalise_run(x, m->map, mean[c], factor[c], offset[c], relu, y);
}

/* winograd_portable.c -- Winograd's convolution for any processor, with four floats at a time.
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#define LANES 4
#define NAME "portable"
#define KERNELS winograd_portable
#define ROWS_1 8
#define ROWS_2 4
#define ROWS_3 4
#define ROWS_4 3

typedef float vec __attribute__((vector_size(16), aligned(4), may_alias));

static inline vec load_some(const float *p, int64_t n)
{
	vec v = { 0 };
	memcpy(&v, p, (size_t)n * sizeof(float));
	return v;
}

static inline void store_some(float *p, vec v, int64_t n)
{
	memcpy(p, &v, (size_t)n * sizeof(float));
}

/* What is not a number stays so. */
static inline vec at_least(vec v, float low)
{
	for (int i = 0; i < LANES; i++)
		v[i] = v[i] < low ? low : v[i];
	return v;
}

static inline vec at_most(vec v, float high)
{
	for (int i = 0; i < LANES; i++)
		v[i] = v[i] > high ? high : v[i];
	return v;
}

#include "evaluator/kernels/winograd_lanes.h"

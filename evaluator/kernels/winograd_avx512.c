/* winograd_avx512.c -- Winograd's convolution with registers of 16 floats.
 * SPDX-License-Identifier: MIT */
#if defined __x86_64__
#include <immintrin.h>
#include <stdint.h>

#pragma GCC target("avx512f,fma")
#pragma GCC optimize("fp-contract=fast")

#define LANES 16
#define NAME "avx512"
#define KERNELS winograd_avx512
#define ROWS_1 12
#define ROWS_2 12
#define ROWS_3 8
#define ROWS_4 6

typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));

static inline __attribute__((always_inline)) vec load_some(const float *p, int64_t n)
{
	return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

static inline __attribute__((always_inline)) void store_some(float *p, vec v, int64_t n)
{
	_mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}

/* What is not a number stays so. */
static inline __attribute__((always_inline)) vec at_least(vec v, float low)
{
	return (vec)_mm512_max_ps(_mm512_set1_ps(low), (__m512)v);
}

static inline __attribute__((always_inline)) vec at_most(vec v, float high)
{
	return (vec)_mm512_min_ps(_mm512_set1_ps(high), (__m512)v);
}

#include "evaluator/kernels/winograd_lanes.h"
#endif

/* winograd_avx2.c -- Winograd's convolution with registers of 8 floats.
 * SPDX-License-Identifier: MIT */
#if defined __x86_64__
#include <immintrin.h>
#include <stdint.h>

#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")

#define LANES 8
#define NAME "avx2"
#define KERNELS winograd_avx2
#define ROWS_1 8
#define ROWS_2 6
#define ROWS_3 4
#define ROWS_4 3

typedef float vec __attribute__((vector_size(32), aligned(4), may_alias));

/* All ones in the first n lanes. */
static inline __attribute__((always_inline)) __m256i first_lanes(int64_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline __attribute__((always_inline)) vec load_some(const float *p, int64_t n)
{
	return (vec)_mm256_maskload_ps(p, first_lanes(n));
}

static inline __attribute__((always_inline)) void store_some(float *p, vec v, int64_t n)
{
	_mm256_maskstore_ps(p, first_lanes(n), (__m256)v);
}

/* What is not a number stays so. */
static inline __attribute__((always_inline)) vec at_least(vec v, float low)
{
	return (vec)_mm256_max_ps(_mm256_set1_ps(low), (__m256)v);
}

static inline __attribute__((always_inline)) vec at_most(vec v, float high)
{
	return (vec)_mm256_min_ps(_mm256_set1_ps(high), (__m256)v);
}

#include "evaluator/kernels/winograd_lanes.h"
#endif

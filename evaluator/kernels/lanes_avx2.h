/* lanes_avx2.h -- registers of 8 floats; as lanes_avx512.h.
 * SPDX-License-Identifier: MIT */
#include <immintrin.h>
#include <stdint.h>

#pragma GCC target("avx2,fma")
#pragma GCC optimize("fp-contract=fast")

#define LANES 8
#define NAME "avx2"

typedef float vec __attribute__((vector_size(32), aligned(4), may_alias));

#include "evaluator/kernels/lanes.h"

/* All ones in the first n lanes. */
INLINE __m256i first_lanes(int64_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE vec load_some(const float *p, int64_t n)
{
	return (vec)_mm256_maskload_ps(p, first_lanes(n));
}

INLINE vec load_part(const float *p, int64_t first, int64_t end)
{
	return (vec)_mm256_maskload_ps(p, _mm256_andnot_si256(first_lanes(first), first_lanes(end)));
}

INLINE vec load_even(const float *p, int64_t first, int64_t end)
{
	vec v = { 0 };
	for (int64_t i = first; i < end; i++)
		v[i] = p[2 * i];
	return v;
}

INLINE void store_some(float *p, vec v, int64_t n)
{
	_mm256_maskstore_ps(p, first_lanes(n), (__m256)v);
}

INLINE vec at_least(vec v, float low)
{
	return (vec)_mm256_max_ps(_mm256_set1_ps(low), (__m256)v);
}

INLINE vec at_most(vec v, float high)
{
	return (vec)_mm256_min_ps(_mm256_set1_ps(high), (__m256)v);
}

INLINE vec largest(vec a, vec b)
{
	return (vec)_mm256_max_ps((__m256)a, (__m256)b);
}

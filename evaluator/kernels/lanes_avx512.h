/* lanes_avx512.h -- registers of 16 floats.
 * SPDX-License-Identifier: MIT
 *
 * The first thing that a file includes: what it holds is compiled for such a processor. */
#include <immintrin.h>
#include <stdint.h>

#pragma GCC target("avx512f,fma")
#pragma GCC optimize("fp-contract=fast")

#define LANES 16
#define NAME "avx512"

typedef float vec __attribute__((vector_size(64), aligned(4), may_alias));

#include "evaluator/kernels/lanes.h"

/* The first n floats at p, the others 0. */
INLINE vec load_some(const float *p, int64_t n)
{
	return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
}

/* Those from `first` to before `end`. */
INLINE vec load_part(const float *p, int64_t first, int64_t end)
{
	return (vec)_mm512_maskz_loadu_ps((__mmask16)((1u << end) - (1u << first)), p);
}

/* The same of every second number. */
INLINE vec load_even(const float *p, int64_t first, int64_t end)
{
	const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	uint64_t lanes = ((uint64_t)1 << 2 * end) - ((uint64_t)1 << 2 * first);
	__m512 near = _mm512_maskz_loadu_ps((__mmask16)(lanes & 0x5555), p);
	__m512 far = _mm512_maskz_loadu_ps((__mmask16)(lanes >> LANES & 0x5555), p + LANES);
	return (vec)_mm512_permutex2var_ps(near, even, far);
}

INLINE void store_some(float *p, vec v, int64_t n)
{
	_mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
}

/* What is not a number stays so. */
INLINE vec at_least(vec v, float low)
{
	return (vec)_mm512_max_ps(_mm512_set1_ps(low), (__m512)v);
}

INLINE vec at_most(vec v, float high)
{
	return (vec)_mm512_min_ps(_mm512_set1_ps(high), (__m512)v);
}

INLINE vec largest(vec a, vec b)
{
	return (vec)_mm512_max_ps((__m512)a, (__m512)b);
}

/* lanes_portable.h -- four floats at a time, for any processor; as lanes_avx512.h.
 * SPDX-License-Identifier: MIT */
#define LANES 4
#define NAME "portable"

typedef float vec __attribute__((vector_size(16), aligned(4), may_alias));

#include "evaluator/kernels/lanes.h"

INLINE vec load_some(const float *p, int64_t n)
{
	vec v = { 0 };
	memcpy(&v, p, (size_t)n * sizeof(float));
	return v;
}

INLINE vec load_part(const float *p, int64_t first, int64_t end)
{
	vec v = { 0 };
	for (int64_t i = first; i < end; i++)
		v[i] = p[i];
	return v;
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
	memcpy(p, &v, (size_t)n * sizeof(float));
}

INLINE vec at_least(vec v, float low)
{
	for (int i = 0; i < LANES; i++)
		v[i] = v[i] < low ? low : v[i];
	return v;
}

INLINE vec at_most(vec v, float high)
{
	for (int i = 0; i < LANES; i++)
		v[i] = v[i] > high ? high : v[i];
	return v;
}

INLINE vec largest(vec a, vec b)
{
	for (int i = 0; i < LANES; i++)
		a[i] = a[i] > b[i] ? a[i] : b[i];
	return a;
}

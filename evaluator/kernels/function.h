/* function.h -- exp and erf as a few multiplications, for loops that the compiler makes vectors of (simd.h).
 * SPDX-License-Identifier: MIT
 *
 * The polynomials were fitted by weighted least squares, reweighted towards the least largest error (Lawson 1961); how
 * far off the results are is measured by test_function.c. What is not a number stays so. */
#ifndef EVALUATOR_KERNELS_FUNCTION_H
#define EVALUATOR_KERNELS_FUNCTION_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* x = n * log 2 + r, |r| <= log(2) / 2: gives e^r - 1, and 2^n as two factors, for each of which there is a float. */
static inline float function_reduced(float x, float scale[2])
{
	const float rounder = 0x1.8p23f; /* what is added to it loses its fraction */
	uint32_t bits, half, start;
	x = x > 89 ? 89 : x < -104 ? -104 : x;
	float shifted = x * 0x1.715476p0f + rounder, n = shifted - rounder;
	float r = x - n * 0x1.63p-1f; /* log 2 in two parts: n times the first is exact (Cody & Waite 1980) */
	r = r + n * 2.12194440e-4f;
	memcpy(&bits, &shifted, sizeof bits);
	memcpy(&start, &rounder, sizeof start);
	bits -= start;
	half = (uint32_t)((int32_t)bits >> 1);
	bits = (bits - half + 127) << 23;
	half = (half + 127) << 23;
	memcpy(&scale[0], &half, sizeof half);
	memcpy(&scale[1], &bits, sizeof bits);
	float p = 0.008333498f + r * (0.0013944689f + r * 0.00019790318f);
	p = 0.5f + r * (0.16666666f + r * (0.041666295f + r * p));
	return r + r * r * p;
}

/* e^x, to 2 units in the last place; below the least normal number, to one of the least number. */
static inline float function_exp(float x)
{
	float scale[2], part = function_reduced(x, scale);
	return (1 + part) * scale[0] * scale[1];
}

/* e^x - 1 for x not above 0, to 2 units in the last place. */
static inline float function_expm1(float x)
{
	float scale[2], part = function_reduced(x, scale), whole = scale[0] * scale[1];
	return whole * part + (whole - 1);
}

/* To 2 units in the last place: x * P(x^2) near 0, else 1 - e^-Q(|x|). */
static inline float function_erf(float x)
{
	float a = fabsf(x), s = x * x, far = a > 4 ? 4 : a;
	float p = -0.026858497f + s * (0.00519883f + s * (-0.00081180746f + s * 8.267459e-05f));
	p = 0.1283791666f + s * (-0.37612632f + s * (0.11283679f + s * p));
	float q = 0.10376436f + far * (-0.022146672f + far * (0.0030231704f + far * -0.00019390146f));
	q = 0.00022349431f + far * (1.1275613f + far * (0.63737375f + far * q));
	float near = x + x * p, tail = copysignf(1 - function_exp(-q), x);
	return a < 0.9375f ? near : tail;
}

#endif

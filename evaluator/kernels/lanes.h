/* lanes.h -- what kernels written for registers of any size share.
 * SPDX-License-Identifier: MIT
 *
 * Included by one file for each kind of processor, through lanes_avx512.h, lanes_avx2.h or lanes_portable.h, which say
 * before:
 *   LANES, NAME   floats in a register; what the processor has
 *   vec           a register */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
/* A loop that is written out. */
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

INLINE vec load(const float *p)
{
	return *(const vec *)p;
}

INLINE void store(float *p, vec v)
{
	*(vec *)p = v;
}

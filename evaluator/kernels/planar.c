/* planar.c -- which of the planar kernels a processor runs, and what they need.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/planar.h"

#include <stddef.h>

const struct planar_kernels *const *planar_runnable(void)
{
	static const struct planar_kernels *const portable[] = { &planar_portable, NULL };
#if defined __x86_64__
	static const struct planar_kernels *const all[] = { &planar_avx512, &planar_avx2, &planar_portable, NULL };
	if (__builtin_cpu_supports("avx512f"))
		return all;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return all + 1;
#endif
	return portable;
}

int64_t planar_rows(const struct planar_size *s)
{
	return s->out_size[0] + (s->kernel[0] - 1) / s->stride[0];
}

int64_t planar_blocks(int64_t out)
{
	return (out + PLANAR_BLOCK - 1) / PLANAR_BLOCK;
}

int64_t planar_before(int64_t out, int64_t block)
{
	return out * block / planar_blocks(out);
}

/* The copy, and what a register reads and writes behind it. */
int64_t planar_room(const struct planar_kernels *k, const struct planar_size *s)
{
	return s->in * s->stride[0] * s->kernel[1] * planar_rows(s) * s->out_size[1] + k->lanes;
}

void planar_pack(const struct planar_size *s, const struct planar_filters *f, float *ret)
{
	for (int64_t b = 0; b < planar_blocks(s->out); b++)
		for (int64_t c = 0; c < s->in; c++)
			for (int64_t tap = 0; tap < s->kernel[0] * s->kernel[1]; tap++) {
				const float *from = f->data + c * f->step[1] + tap / s->kernel[1] * f->step[2] +
						    tap % s->kernel[1] * f->step[3];
				for (int64_t o = planar_before(s->out, b); o < planar_before(s->out, b + 1); o++)
					*ret++ = from[o * f->step[0]];
			}
}

void planar_offsets(const struct planar_size *s, int64_t *ret)
{
	int64_t rows = planar_rows(s);
	for (int64_t c = 0; c < s->in; c++)
		for (int64_t u = 0; u < s->kernel[0]; u++)
			for (int64_t v = 0; v < s->kernel[1]; v++) {
				int64_t map = (c * s->stride[0] + u % s->stride[0]) * s->kernel[1] + v;
				*ret++ = (map * rows + u / s->stride[0]) * s->out_size[1];
			}
}

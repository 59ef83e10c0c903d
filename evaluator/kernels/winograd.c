/* winograd.c -- which of Winograd's kernels a processor runs, and what they need.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/winograd.h"

#include <stddef.h>

/* What a block may fill of a second-level cache of 1 MB or more, and by how many tiles it grows: all products' rows are
 * divisors of it. */
enum { BLOCK_BYTES = 600 << 10, BLOCK_STEP = 24 };

const struct winograd_kernels *const *winograd_runnable(void)
{
	static const struct winograd_kernels *const portable[] = { &winograd_portable, NULL };
#if defined __x86_64__
	static const struct winograd_kernels *const all[] = { &winograd_avx512, &winograd_avx2, &winograd_portable,
		NULL };
	if (__builtin_cpu_supports("avx512f"))
		return all;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return all + 1;
#endif
	return portable;
}

static int64_t whole(const struct winograd_kernels *k, int64_t channels)
{
	return (channels + k->lanes - 1) / k->lanes * k->lanes;
}

int64_t winograd_block(const struct winograd_kernels *k, const struct winograd_size *s)
{
	int64_t tile = WINOGRAD_NUMBERS * (int64_t)sizeof(float) * (whole(k, s->in) + whole(k, s->out));
	int64_t steps = BLOCK_BYTES / (tile * BLOCK_STEP);
	return BLOCK_STEP * (steps ? steps : 1);
}

int64_t winograd_block_room(const struct winograd_kernels *k, const struct winograd_size *s)
{
	return WINOGRAD_NUMBERS * (winograd_block(k, s) * (whole(k, s->in) + whole(k, s->out)) + 2 * k->lanes);
}

int64_t winograd_filter_room(const struct winograd_kernels *k, int64_t in, int64_t out)
{
	return WINOGRAD_NUMBERS * (in * whole(k, out) + k->lanes);
}

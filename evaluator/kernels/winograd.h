/* winograd.h -- convolutions of 3x3 with a quarter of the multiplications.
 * SPDX-License-Identifier: MIT
 *
 * Minimal filtering F(4x4, 3x3) (Winograd 1980; Lavin & Gray 2016), channels-last. For a tile of 4x4 outputs, d the 6x6
 * inputs under it and g a filter:
 *
 *   y = At [(G g Gt) . (Bt d B)] A          . number by number, summed over the input channels
 *
 * With the tiles of many places at hand that sum is, for each of the 36 numbers, a product of matrices: (tiles x in) by
 * (in x out). Tiles are done in blocks, so that what lies between the transforms stays in the cache.
 *
 * The gradient of the input is such a convolution itself, of the gradient of the output by the filters turned by half a
 * circle. The gradient of the filters is what is transposed to the above:
 *
 *   dg = Gt [sum over tiles of (A dy At) . (Bt d B)] G
 *
 * The transforms' coefficients reach 8: what is rounded is larger than the direct sum's terms. How far off the result
 * may be says tests/evaluator/test_winograd.c. One thread; the same bits each time. */
#ifndef EVALUATOR_KERNELS_WINOGRAD_H
#define EVALUATOR_KERNELS_WINOGRAD_H

#include <stdint.h>

enum { WINOGRAD_TILE = 4, WINOGRAD_PATCH = 6, WINOGRAD_NUMBERS = WINOGRAD_PATCH * WINOGRAD_PATCH };

/* A convolution with stride 1: y[i,j] is of x[i - top .. i - top + 2, j - left .. j - left + 2]. */
struct winograd_size {
	int64_t batch, in, out; /* in, out: channels */
	int64_t in_height, in_width, out_height, out_width;
	int64_t top, left; /* padding, below 0 where the first window begins inside */
};

/* Filters somewhere in memory: number (u, v) of the one from channel c to o is at o * out_step + c * in_step + u *
 * row_step + v * column_step. */
struct winograd_filters {
	float *data;
	int64_t in, out, out_step, in_step, row_step, column_step;
	float *transformed; /* room for winograd_filter_room floats */
};

struct winograd_job {
	struct winograd_size size;
	const float *x, *transformed;
	const float *bias, *residual; /* NULL: none; residual is shaped as y, and may be y */
	float *y;
	float low, high;    /* what y is bounded by at last: 0 and infinity make a ReLU */
	int64_t block;	    /* tiles at a time */
	float *const *room; /* winograd_block_room floats, which nothing else uses while a call lasts */
};

/* x and dy are read, dw is written through `filters`; their `transformed` is memory for the sum. */
struct winograd_gradient_job {
	struct winograd_size size;
	const float *x, *dy;
	struct winograd_filters filters;
	int64_t block;
	float *const *room;
};

/* The same for each kind of processor. */
struct winograd_kernels {
	const char *name;
	int lanes;
	void (*transform)(const struct winograd_filters *f);
	void (*convolve)(const struct winograd_job *j);
	void (*differentiate)(const struct winograd_gradient_job *j);
};
extern const struct winograd_kernels winograd_avx512, winograd_avx2, winograd_portable;

/* The kernels that this processor can run, best first, up to a NULL. */
const struct winograd_kernels *const *winograd_runnable(void);

/* Tiles that are worked on together, and the memory that this takes, in floats; that of transformed filters. */
int64_t winograd_block(const struct winograd_kernels *k, const struct winograd_size *s);
int64_t winograd_block_room(const struct winograd_kernels *k, const struct winograd_size *s);
int64_t winograd_filter_room(const struct winograd_kernels *k, int64_t in, int64_t out);

#endif

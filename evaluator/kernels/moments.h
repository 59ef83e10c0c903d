/* moments.h -- mean and variance of the columns of a matrix, and what is done with them.
 * SPDX-License-Identifier: MIT
 *
 * The variance is made of pieces that stay in a cache, each read twice: its own mean first, then the squares of what
 * differs from that, corrected by the sum of the differences; and pieces are joined in double (Chan, Golub & LeVeque
 * 1979, 1983). So nothing cancels, wherever the mean lies, and the sums in float are short.
 *
 * How long all this takes is a matter of memory: each function walks over its matrices once. */
#ifndef EVALUATOR_KERNELS_MOMENTS_H
#define EVALUATOR_KERNELS_MOMENTS_H

#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/columns.h"

/* Numbers by lane: of a column in the first row of lanes, and repeated (moments_repeat). */
enum { LANE_MEAN, LANE_FACTOR, LANE_SLOPE, LANE_OFFSET, LANES };
/* Sums by column. */
enum { SUM_FIRST, SUM_SECOND, SUM_MEAN, SUM_SQUARES, SUMS };

struct moments {
	struct columns size;
	int64_t map; /* 0: a matrix; else each column's numbers are runs of this length, one a channel and sample */
	float *lane[LANES];
	double *sum[SUMS];
};

/* Scratch memory for a matrix. */
enum err moments_place(struct builder *b, int64_t rows, int64_t columns, struct moments *ret)
	__attribute__((warn_unused_result));

void moments_repeat(const struct moments *m, int lane);

/* SUM_MEAN, and SUM_SQUARES of the differences from it. Uses all lanes. */
void moments_measure(const struct moments *m, const float *x);
void moments_measure_maps(const struct moments *m, const float *x);

/* Joins n numbers of column c with the `before` ones of SUM_MEAN and SUM_SQUARES: `first` is the sum of what differs
 * from `about`, `second` that of the squares. */
void moments_join(
	const struct moments *m, int64_t c, double before, double n, float about, double first, double second);

/* y = (x - mean) * factor + offset by lane, or max(0, that); y may be x. */
void moments_normalise(const struct moments *m, const float *x, bool relu, float *y);
void moments_normalise_maps(const struct moments *m, const float *x, bool relu, float *y);

/* SUM_FIRST of g, SUM_SECOND of g * (x - mean), where g is dy, or 0 where y is not above 0; y may be NULL. Uses the
 * lanes of factor and slope. */
void moments_products(const struct moments *m, const float *dy, const float *x, const float *y);

/* dx = factor * g - (offset + (x - mean) * slope) by lane; dx may be dy. */
void moments_flow(const struct moments *m, const float *dy, const float *x, const float *y, float *dx);

#endif

/* columns.h -- a matrix walked over in pieces, for what is computed of each column.
 * SPDX-License-Identifier: MIT
 *
 * Values that are channels-last are matrices: one column a channel. Few channels, or an odd number of them, make poor
 * vectors; so several rows, which lie behind each other, are taken as one of more `lanes`. Sums are made by lane in
 * float over a piece, and over pieces in double: a sum has the rounding errors of one of `rows` numbers of a piece, not
 * of all. The order is always the same. */
#ifndef EVALUATOR_KERNELS_COLUMNS_H
#define EVALUATOR_KERNELS_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

struct columns {
	int64_t rows, columns;
};

/* `rows` rows of `lanes` = `wide` * columns numbers, from number `at` on. All zero: before the first. */
struct piece {
	int64_t at, rows, wide, lanes;
};

/* The next piece, small enough to stay in a cache; false: that was the last. */
bool columns_next(const struct columns *c, struct piece *p);

/* The most lanes that a piece has. */
int64_t columns_lanes(const struct columns *c);

/* The sums of a piece's lanes; x is where the matrix starts. */
void columns_add(const float *x, const struct piece *p, float *lanes);

/* Adds to each column's sum those of its lanes. */
void columns_fold(const float *lanes, int64_t columns, int64_t wide, double *sum);

/* The numbers of the columns again and again, for `wide` rows. */
void columns_repeat(const float *each, int64_t columns, int64_t wide, float *lanes);

/* sum[c] = the sum of column c; lanes is scratch memory. */
void columns_sum(const struct columns *c, const float *x, float *lanes, double *sum);

#endif

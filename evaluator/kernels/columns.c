/* columns.c -- a matrix walked over in pieces, for what is computed of each column.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/columns.h"

#include <string.h>

#include "base/simd.h"

enum { ENOUGH_LANES = 128, PIECE = 16384 /* numbers: 64 KiB */ };

static int64_t rows_as_one(const struct columns *c)
{
	int64_t wide = (ENOUGH_LANES + c->columns - 1) / c->columns;
	return wide < c->rows ? wide : c->rows;
}

bool columns_next(const struct columns *c, struct piece *p)
{
	int64_t at = p->at + p->rows * p->lanes, left = c->rows - at / c->columns, wide = rows_as_one(c);
	if (!left)
		return false;
	if (left < wide) {
		*p = (struct piece){ at, 1, left, left * c->columns };
		return true;
	}
	int64_t rows = left / wide, most = PIECE / (wide * c->columns) + 1;
	*p = (struct piece){ at, rows < most ? rows : most, wide, wide * c->columns };
	return true;
}

int64_t columns_lanes(const struct columns *c)
{
	return rows_as_one(c) * c->columns;
}

void columns_fold(const float *lanes, int64_t columns, int64_t wide, double *sum)
{
	for (int64_t w = 0; w < wide; w++)
		for (int64_t c = 0; c < columns; c++)
			sum[c] += lanes[w * columns + c];
}

void columns_repeat(const float *each, int64_t columns, int64_t wide, float *lanes)
{
	for (int64_t w = 0; w < wide; w++)
		memcpy(lanes + w * columns, each, (size_t)columns * sizeof *each);
}

SIMD static void add_rows(const float *restrict x, int64_t rows, int64_t lanes, float *restrict sum)
{
	memset(sum, 0, (size_t)lanes * sizeof *sum);
	for (int64_t r = 0; r < rows; r++)
		for (int64_t i = 0; i < lanes; i++)
			sum[i] += x[r * lanes + i];
}

void columns_add(const float *x, const struct piece *p, float *lanes)
{
	add_rows(x + p->at, p->rows, p->lanes, lanes);
}

void columns_sum(const struct columns *c, const float *x, float *lanes, double *sum)
{
	struct piece p = { 0 };
	memset(sum, 0, (size_t)c->columns * sizeof *sum);
	while (columns_next(c, &p)) {
		columns_add(x, &p, lanes);
		columns_fold(lanes, c->columns, p.wide, sum);
	}
}

/* choice.c -- which kernel a convolution runs by.
 * SPDX-License-Identifier: MIT
 *
 * Measured on an AMD EPYC of the Zen 5 kind with AVX-512: with eight channels or fewer the transforms cost what the
 * products save. Filters are four times as large once they are transformed: with few tiles, reading them is what
 * takes the time. */
#include "evaluator/kernels/choice.h"

#include "evaluator/kernels/view.h"
#include "evaluator/kernels/winograd.h"
#include "evaluator/kernels/winograd_step.h"

enum { FEW_CHANNELS = 8, FEW_TILES = 32, TAPS = 9 };

bool choice_is_winograd(const struct window *w, const struct view *filters, const struct view *x, const struct view *y)
{
	if (!winograd_can(w, filters) || x->dim[1] <= FEW_CHANNELS || y->dim[1] <= FEW_CHANNELS)
		return false;
	int64_t rows = (y->dim[2] + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
	int64_t columns = (y->dim[3] + WINOGRAD_TILE - 1) / WINOGRAD_TILE;
	/* Tiles reach over the edge: what is left of the gain of 4 must be 2. */
	bool wasteful = TAPS * y->dim[2] * y->dim[3] < 2 * WINOGRAD_NUMBERS * rows * columns;
	return !wasteful && x->dim[0] * rows * columns >= FEW_TILES;
}

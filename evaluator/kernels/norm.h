/* norm.h -- normalisation by statistics of each sample itself, in the two ways that its parts lie in memory.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_NORM_H
#define EVALUATOR_KERNELS_NORM_H

#include "evaluator/kernels/moments.h"

/* Forward x, scale, shift -> y; backward dy, x, scale -> dx, dscale, dshift. dx is NULL when nobody asks for it; the
 * other two are always there. */
struct norm {
	float epsilon;
	const float *dy, *x, *scale, *shift;
	float *y, *dx, *dscale, *dshift;
	double *dscale_sum, *dshift_sum; /* as many as scale has */
	int64_t scales;

	/* by rows (norm_rows.c): a part lies in one run */
	int64_t parts, count; /* numbers of a part */
	bool by_place;	      /* scale has `count` numbers; else one for each part of a sample */

	/* by columns: a matrix a sample, whose groups of columns are parts */
	struct moments m;
	int64_t samples;
};

void norm_rows(const void *job);
void norm_rows_back(const void *job);

#endif

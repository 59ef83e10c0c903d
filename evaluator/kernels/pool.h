/* pool.h -- what lies under a pooling's window.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_POOL_H
#define EVALUATOR_KERNELS_POOL_H

#include <stdbool.h>

#include "evaluator/kernels/builder.h"

/* All arrays are by spatial dimension. */
struct pool {
	bool max, count_padding;
	struct window w;
	int64_t in[WINDOW_MAX_RANK];
	int64_t padded[WINDOW_MAX_RANK]; /* end of the padding that counts, from the input's start */
};

/* Of an input of these dimensions, (batch, channels, spatial ...). */
struct pool pool_of(const struct node *n, bool max, bool count_padding, const struct window *w, const int64_t *in);

/* The kernel indices inside the input at place `to` of the output: from first[i] to before end[i], and as if there were
 * three dimensions. Gives what a mean is divided by. */
int64_t pool_cover(
	const struct pool *p, const int64_t *to, int64_t first[WINDOW_MAX_RANK], int64_t end[WINDOW_MAX_RANK]);

#endif

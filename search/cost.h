/* cost.h -- params, MACs and dense bytes of a candidate, exactly, without evaluating it.
 * SPDX-License-Identifier: MIT
 *
 * O(terms of all layers) a candidate; integers throughout, so that the figures equal those counted on the pruned graph. */
#ifndef SEARCH_COST_H
#define SEARCH_COST_H

#include <stdint.h>

struct space;

struct cost {
	int64_t params; /* learned numbers */
	int64_t macs;   /* multiply-accumulates of one forward pass of one sample */
	int64_t bytes;  /* dense float32 storage, 4 * (params + buffers) */
};

struct cost cost_of(const struct space *s, const int *keep);
struct cost cost_of_intact(const struct space *s);

#endif

/* cost.h -- params, MACs and dense bytes of a candidate, exactly, without evaluating it.
 * SPDX-License-Identifier: MIT
 *
 * O(terms of all layers) a candidate; integers throughout, so that the figures equal those counted on the pruned
 * graph. */
#ifndef SEARCH_COST_H
#define SEARCH_COST_H

#include <stdint.h>

#include "search/metric.h"

struct space;
struct space_layer;

struct cost {
	int64_t params; /* learned numbers */
	int64_t macs;   /* multiply-accumulates of one forward pass of one sample */
	int64_t bytes;  /* dense float32 storage, 4 * (params + buffers) */
};

struct cost cost_of(const struct space *s, const int *keep);
struct cost cost_of_intact(const struct space *s);
/* Of the smallest candidate: every group at its min_keep. */
struct cost cost_of_least(const struct space *s);
/* Of the largest: every group at its max_keep. */
struct cost cost_of_most(const struct space *s);

/* What one layer with these many outputs, and inputs per filter, adds. */
struct cost cost_of_layer(const struct space_layer *l, int64_t out, int64_t in);

/* The figure of an exact-cost metric; exact, since all are at most 2^53. */
double cost_metric(const struct cost *c, enum metric m);

#endif

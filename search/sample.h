/* sample.h -- random candidates, and where in the cost range they should lie.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_SAMPLE_H
#define SEARCH_SAMPLE_H

#include "base/rng.h"

struct space;

/* Random numbers for proposal k alone: a replay needs none of those before. */
void sample_rng(struct rng *r, uint64_t seed, uint64_t stream, int k);

/* A random shape: n pruning ratios in [0, 1), of which only the proportions matter to budget_fit. Uniform numbers to a
 * random power from 1/4 to 4: some shapes prune all groups nearly alike, some a few groups hard, which uniform numbers
 * in many dimensions never do. */
void sample_shape(struct rng *r, int n, double *ret_ratio);

/* Every group anywhere between its limits, independently. */
void sample_uniform(struct rng *r, const struct space *s, int *ret_keep);

/* Point k = 0, 1, 2 ... in [0, 1) of the golden-ratio sequence that starts at `start`: any first n of them cover the
 * interval evenly. */
double sample_spread(double start, int k);

#endif

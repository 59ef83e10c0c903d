/* mask.h -- channels silenced in place, to hold surgery against.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_MASK_H
#define TESTS_EVALUATOR_MASK_H

#include <stdbool.h>

struct coupling;
struct graph;

enum mask {
	MASK_FILTERS,   /* filter rows and batch-norm scales alone */
	MASK_PRODUCERS, /* all that produces channels: biases, shifts, slopes and other stored tensors, too */
	MASK_READERS,   /* and what reads them: the slices of the filters behind */
};

/* A copy of c's graph with tensors of its own, in which what has to do with the removed channels (by class) is zero. */
struct graph *mask_channels(const struct coupling *c, const bool *removed, enum mask mask);

#endif

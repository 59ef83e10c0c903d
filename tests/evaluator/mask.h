/* mask.h -- channels silenced in place, to hold surgery against.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_MASK_H
#define TESTS_EVALUATOR_MASK_H

#include <stdbool.h>

struct coupling;
struct graph;

/* Sets to zero, in g's own tensors, what produces the removed channels of c (whose graph g is a copy of): filter rows,
 * batch-norm scales, and with `shifts` biases and batch-norm shifts too. */
void mask_channels(const struct coupling *c, const bool *removed, bool shifts, struct graph *g);

#endif

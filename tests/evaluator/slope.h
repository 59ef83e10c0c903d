/* slope.h -- a network's gradients and differences of what it computes agree.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_SLOPE_H
#define TESTS_EVALUATOR_SLOPE_H

#include <stdint.h>

struct sketch;

/* Takes a finished sketch whose learned tensors are marked, runs its training graph (train/gradient.h) on a random
 * batch, with random gradients of the outputs in place of a loss, and claims that the gradient of each parameter is
 * what differences say, that not all are zero, and that nothing but the parameters matters that is learned.
 *
 * Gives how many parameters there are, and how many of them have a gradient that isn't zero. */
struct slope_count {
	int parameters, moving;
};
struct slope_count slope_agree(struct sketch *s, int64_t batch);

/* Marks all stored floats as learned. */
void slope_learn_all(struct sketch *s);

#endif

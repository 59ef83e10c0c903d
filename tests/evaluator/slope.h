/* slope.h -- a network's gradients and differences of what it computes agree.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_SLOPE_H
#define TESTS_EVALUATOR_SLOPE_H

#include <stdint.h>

#include "evaluator/train/gradient.h"

struct graph;
struct sketch;

/* How many parameters there are, and how many of them have a gradient that isn't zero. */
struct slope_count {
	int parameters, moving;
};

/* Takes a finished sketch whose learned tensors are marked, runs its training graph (train/gradient.h) on a random
 * batch and claims that the gradient of each parameter is what differences say, that not all are zero, and that nothing
 * that is learned matters but the parameters. Without a loss the outputs have random gradients; with one, random
 * targets, smoothed, and random answers of a teacher. */
struct slope_count slope_agree(struct sketch *s, int64_t batch, const struct gradient_request *r);

/* Claims that for a network the gradients of all parameters together are what a difference says, and of one alone. */
void slope_agree_whole(const struct graph *g, const char *what, int64_t batch);

/* Marks all stored floats as learned. */
void slope_learn_all(struct sketch *s);

#endif

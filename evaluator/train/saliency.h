/* saliency.h -- how much the loss would change if a weight were zero.
 * SPDX-License-Identifier: MIT
 *
 *   taylor  (g w)^2, g the gradient of a batch's mean loss, averaged over batches (Molchanov et al. CVPR 2019, the
 *           importance of a single weight; the square of the sum over a filter would be useless before a batch-norm,
 *           where that sum is zero whatever the filter)
 *   obd     max(0, h) w^2 / 2, h the diagonal of the loss's second derivative (LeCun et al. 1989), by Hutchinson's
 *           estimator (train/hessian.h) over the same images
 *
 * The loss is cross-entropy with batch-norms normalising by the batch. */
#ifndef EVALUATOR_TRAIN_SALIENCY_H
#define EVALUATOR_TRAIN_SALIENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct graph;

/* ret[v] is the saliency of each number of learned tensor v, or NULL where no gradient reaches; ret has room for all of
 * g's values, the arrays live in a. seed is for obd's signs; sample is a struct sample (data/sample.h), of which whole
 * batches are looked at. */
enum err saliency_of(const struct graph *g, bool second_order, uint64_t seed, struct arena *a, const float **ret,
	void *sample, struct errinfo *e) __attribute__((warn_unused_result));

#endif

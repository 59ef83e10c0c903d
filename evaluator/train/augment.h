/* augment.h -- training images changed by lot, so that no two epochs show the same.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_TRAIN_AUGMENT_H
#define EVALUATOR_TRAIN_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>

struct rng;
struct split;
struct trainspec;

/* Whether anything is to be done. */
bool augment_applies(const struct trainspec *t);

/* Changes n images x, each (c, h, w) of the split's size and normalised, in place: a window of the image (crop) becomes
 * the whole, mirrored (flip), moved (shift). `room` has space for one image. The number of draws from r depends on
 * the settings and n alone. */
void augment_batch(
	const struct trainspec *t, const struct split *s, float *x, size_t n, float *room, struct rng *r);

#endif

/* schedule.h -- the learning rate over the steps of a training run.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_TRAIN_SCHEDULE_H
#define EVALUATOR_TRAIN_SCHEDULE_H

#include <stdint.h>

struct trainspec;

struct pace {
	double rate, momentum; /* momentum: SGD's, or AdamW's beta1 */
};

/* What step `step` of `steps` (0-based) is taken with.
 *
 *   constant   the rate, behind the warm-up
 *   cosine     rate * (1 + cos(pi t)) / 2 for t from 0 to 1 behind the warm-up (Loshchilov & Hutter 2017)
 *   one-cycle  rate / 25 up to rate in the first 30 % of the steps, then down to rate / 250000, both along a cosine;
 *              the momentum goes the other way, between 0.05 above and 0.05 below the given one (Smith & Topin 2018;
 *              PyTorch's OneCycleLR with its defaults)
 *
 * A warm-up rises linearly from nothing. */
struct pace schedule_at(const struct trainspec *t, int64_t step, int64_t steps);

#endif

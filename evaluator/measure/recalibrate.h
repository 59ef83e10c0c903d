/* recalibrate.h -- batch-norm's running statistics measured afresh (EagleEye, Li et al. ECCV 2020).
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_RECALIBRATE_H
#define EVALUATOR_MEASURE_RECALIBRATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct graph;
struct split;

/* Whether there is a batch-norm, so that something would be recalibrated. */
bool recalibrate_applies(const struct graph *g);

/* Runs about `images` images of the split, chosen by seed, forward in whole batches, each batch-norm on its batch's own
 * statistics, and writes the pooled mean and unbiased variance of all of them into the graph, whose tensors must be its
 * own. Fewer than 2 images, or a network without batch-norm: nothing changes. ERR_INPUT when a mean or variance is not
 * finite: then nothing is written. */
enum err recalibrate(struct graph *g, const struct split *s, size_t images, uint64_t seed, const atomic_bool *stop,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

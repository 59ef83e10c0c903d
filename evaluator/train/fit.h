/* fit.h -- a network trained on images.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_TRAIN_FIT_H
#define EVALUATOR_TRAIN_FIT_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"

struct graph;
struct split;
struct teacher;
struct trainspec;

struct fit_request {
	const struct split *images;
	const struct trainspec *spec;
	struct teacher *teacher; /* for distillation over the same images, or NULL */
	uint64_t seed;           /* of the order of the images and their augmentation */
	const atomic_bool *stop; /* may be NULL; becoming true is ERR_GONE */
};

struct fit_result {
	int64_t steps, images; /* batches taken, images in them */
	double loss;           /* mean over the last tenth of the steps, or the last ones when it was stopped early */
	double kept_loss;      /* of the weights taken, on the images kept from training; NaN without early stop */
	double seconds;        /* of the steps, without what comes before the first */
};

/* Changes g's learned tensors and its batch-norms' running statistics, which become g's own. Whole batches only: the
 * last images of an epoch's order that fill none are left out of it. ERR_INPUT when the images don't fit the network or
 * training diverges (says at which step, the loss and the rate; g is as it was), ERR_UNSUPPORTED when gradients cannot
 * flow. The same request gives the same bits on the same machine. */
enum err fit(struct graph *g, const struct fit_request *r, struct fit_result *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* sample.h -- the images that are looked at to learn something about a network.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_DATA_SAMPLE_H
#define EVALUATOR_DATA_SAMPLE_H

#include <stdatomic.h>
#include <stddef.h>

struct split;

struct sample {
	const struct split *split;
	size_t images;           /* of the split's first, all when there are fewer */
	const atomic_bool *stop; /* may be NULL; becoming true is ERR_GONE */
};

#endif

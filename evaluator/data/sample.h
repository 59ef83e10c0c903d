/* sample.h -- the images that are looked at to learn something about a network.
 * SPDX-License-Identifier: MIT
 *
 * Chance chooses them, always alike: data often stands in the order of its classes. */
#ifndef EVALUATOR_DATA_SAMPLE_H
#define EVALUATOR_DATA_SAMPLE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct split;

struct sample {
	const struct split *split;
	size_t images;           /* of the split, all when there are fewer */
	const atomic_bool *stop; /* may be NULL; becoming true is ERR_GONE */
};

/* How many images are looked at. */
size_t sample_count(const struct sample *s);

/* The order of the split's images for split_batch, of which the first are looked at. The caller frees *ret. */
enum err sample_order(const struct sample *s, uint32_t **ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

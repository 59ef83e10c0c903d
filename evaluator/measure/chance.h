/* chance.h -- how well a network classifies that always gives the same answer.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_CHANCE_H
#define EVALUATOR_MEASURE_CHANCE_H

#include <stddef.h>

#include "base/err.h"

struct split;

/* The share of the commonest class among the first `images` of the split (all when there are fewer; there is one at
 * least). */
enum err chance_of(const struct split *s, size_t images, double *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

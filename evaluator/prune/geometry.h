/* geometry.h -- how far the filters of a tensor lie from each other.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_GEOMETRY_H
#define EVALUATOR_PRUNE_GEOMETRY_H

#include "base/err.h"

struct value;

/* For each index along dimension `dim` of a stored tensor, the sum of Euclidean distances between what the tensor has
 * there and what it has at each other index. */
enum err geometry_distances(const struct value *v, int dim, double *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

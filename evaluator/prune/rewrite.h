/* rewrite.h -- operands that name sizes or places, after channels have gone.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_REWRITE_H
#define EVALUATOR_PRUNE_REWRITE_H

#include <stdbool.h>

#include "base/err.h"
#include "evaluator/model/graph.h"

struct coupling;

/* A pruned graph in the making: of `to`, the array of nodes is its own, their attributes and operands are not yet. */
struct rewriting {
	const struct coupling *c;
	const bool *removed; /* by class */
	const int *kept;     /* by axis: elements that stay */
	struct graph *to;
	struct errinfo *e;
};

/* Fills in `kept`, in to's arena. */
enum err rewriting_count(struct rewriting *r) __attribute__((warn_unused_result));

/* What a dimension of a value will be: as in a shape, negative for a multiple of the batch. */
int64_t rewriting_dim(const struct rewriting *r, int value, int dim);

/* Rewrites what node `index` needs for the dimensions that its values will have. What changes is copied first. */
enum err rewrite_node(const struct rewriting *r, int index) __attribute__((warn_unused_result));

#endif

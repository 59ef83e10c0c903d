/* rules.h -- what each operator says about channels.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_RULES_H
#define EVALUATOR_PRUNE_RULES_H

#include "base/err.h"
#include "evaluator/model/graph.h"

struct union_find;

/* Applies the rule of node n. */
enum err rules_apply(struct union_find *u, const struct graph *g, const struct node *n) __attribute__((warn_unused_result));

/* What rules are made of, in union_find.c. Each takes (value, dimension) pairs whose lengths agree. ERR_MEMORY is the only failure. */

/* Index i of one is index i of the other. */
enum err tie(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b) __attribute__((warn_unused_result));
/* Index i of a is indices i * times .. (i + 1) * times - 1 of b. */
enum err tie_spread(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b, int64_t times) __attribute__((warn_unused_result));

#endif

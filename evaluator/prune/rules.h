/* rules.h -- what each operator says about channels.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_RULES_H
#define EVALUATOR_PRUNE_RULES_H

#include "base/err.h"
#include "evaluator/model/graph.h"

struct union_find;

/* Applies the rule of node n. */
enum err rules_apply(struct union_find *u, const struct graph *g, const struct node *n)
	__attribute__((warn_unused_result));

#endif

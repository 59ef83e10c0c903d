/* rules.h -- what each operator says about channels.
 * SPDX-License-Identifier: MIT
 *
 * A rule ties elements of a node's inputs and outputs that are one and the same channel, and freezes what its operator
 * can't be applied to part of. In rules, x is the data input, y the output. */
#ifndef EVALUATOR_PRUNE_RULES_H
#define EVALUATOR_PRUNE_RULES_H

#include "base/err.h"
#include "evaluator/model/graph.h"
#include "evaluator/prune/union_find.h"

/* Applies the rule of node n. A node that is opaque, or has no rule, freezes all that it touches. Failures stay in
 * u. */
void rules_apply(struct union_find *u, const struct node *n);

/* ---- the rules, by family ---- */

typedef void coupling_rule(struct union_find *u, const struct node *n);

/* rules_layer.c: what multiplies by weights */
coupling_rule rule_conv, rule_conv_transpose, rule_contraction;
/* rules_map.c: what leaves every number at its place, or looks along dimensions */
coupling_rule rule_unary, rule_broadcast, rule_batch_norm, rule_instance_norm, rule_layer_norm, rule_group_norm,
	rule_pool, rule_softmax, rule_reduce;
/* rules_reshape.c: what regroups dimensions */
coupling_rule rule_reshape, rule_squeeze;
/* rules_move.c: what moves numbers to other places */
coupling_rule rule_transpose, rule_concat, rule_split, rule_slice, rule_gather, rule_expand, rule_tile, rule_pad,
	rule_depth_to_space, rule_space_to_depth, rule_resize;

/* ---- what they share ---- */

/* "read by node '/head/Softmax' (Softmax) along this dimension" */
const char *rules_reader(struct union_find *u, const struct node *n);

/* Freezes every dimension of every input and output. */
void rules_freeze_node(struct union_find *u, const struct node *n, const char *reason);

/* A node whose operands make no sense; its shapes were checked, so it is a failure. */
void rules_fail(struct union_find *u, enum err err);

/* Dimensions of an input that is broadcast are those of y, counted from the last, where both have the same size; a
 * dimension of size 1 that is repeated is nobody's. */
void rules_tie_broadcast(struct union_find *u, int input, int y);

/* A dimension seen as consecutive factors, the first the slowest: of a channel's indices in them, one decides which
 * channel it is. That factor is the one that the channels depend on already, else the largest (of equals the last); all
 * elements with the same index there are tied to its helper, and the other factors are frozen. `ret` is by factor. */
void rules_split(struct union_find *u, const struct node *n, struct span whole, int factors, const int64_t *sizes,
	struct span *ret);

#endif

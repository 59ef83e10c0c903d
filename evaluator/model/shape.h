/* shape.h -- what each operator does to shapes, and what it demands of its inputs.
 * SPDX-License-Identifier: MIT
 *
 * One rule an operator. A rule sees inputs whose shapes are known and writes one shape for each output. ERR_INPUT: the
 * node is wrong, and so is the file. ERR_UNSUPPORTED: it may be right, but there is no rule for this form; the reader
 * makes such a node opaque. */
#ifndef EVALUATOR_MODEL_SHAPE_H
#define EVALUATOR_MODEL_SHAPE_H

#include "base/err.h"
#include "evaluator/model/graph.h"

typedef enum err shape_rule(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e);

/* shape_layer.c */
shape_rule shape_conv, shape_conv_transpose, shape_contraction, shape_batch_norm, shape_instance_norm, shape_layer_norm,
	shape_group_norm;
/* shape_map.c */
shape_rule shape_same, shape_clip, shape_broadcast, shape_prelu, shape_pool, shape_global_pool, shape_softmax,
	shape_reduce, shape_lrn, shape_lp_norm;
/* shape_move.c */
shape_rule shape_flatten, shape_reshape, shape_squeeze, shape_unsqueeze, shape_transpose, shape_concat, shape_split,
	shape_slice, shape_gather, shape_expand, shape_tile, shape_pad, shape_depth_to_space, shape_space_to_depth,
	shape_resize;

/* ERR_INPUT: "node ...: WHAT is SHAPE, expected EXPECTED". */
enum err shape_want(const struct node *n, const char *what, const struct shape *is, const char *expected,
	struct errinfo *e) __attribute__((warn_unused_result));

/* A learned tensor: it must be stored, and float; and a vector of that length. */
enum err shape_want_weight(const struct graph *g, const struct node *n, int i, const char *what, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err shape_want_vector(const struct graph *g, const struct node *n, int i, const char *what, int64_t length,
	struct errinfo *e) __attribute__((warn_unused_result));

/* What a and b broadcast to, aligned at their last dimensions; false when they don't fit. */
bool shape_join(const struct shape *a, const struct shape *b, struct shape *ret);

/* The shape that a Reshape to `target` makes of x: 0 copies a dimension, -1 is what is left, which is where the batch
 * goes unless a 0 copied it. False when the numbers don't add up. */
bool shape_reshaped(const struct shape *x, const int64_t *target, size_t count, struct shape *ret);

/* The index of the only dimension that is a multiple of the batch, -1 when there is none or more than one. */
int shape_batch_axis(const struct shape *s);

/* The rule of an operator, NULL when it has none: one that is never computed. */
shape_rule *shape_rule_of(enum op op);

/* Applies the rule of one node whose inputs' shapes are known: fills ret, one for each output, checked (dimensions
 * positive, products within 2^40, exactly one multiple of the batch). Nothing in g changes. */
enum err shape_infer(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

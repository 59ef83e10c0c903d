/* gradient_rules.h -- what each operator's backward pass is.
 * SPDX-License-Identifier: MIT
 *
 * A rule is given a node of the network, whose values have the same numbers in the training graph, and the gradient of
 * each of its outputs; it appends nodes that compute the gradients of those inputs that want one. In rules, x is the
 * data input, y the output, and dx the gradient of x: of what is to be minimised, with respect to x. */
#ifndef EVALUATOR_TRAIN_GRADIENT_RULES_H
#define EVALUATOR_TRAIN_GRADIENT_RULES_H

#include "evaluator/train/gradient_writer.h"

/* One of the gradients of a value that is read several times. */
struct gradient_term {
	int gradient;
	struct gradient_term *next;
};

struct backward {
	struct writer w;
	const struct graph *net;
	bool *wants; /* by value of the network: a learned tensor is it or lies before it */
	int *result; /* by node: its first output, or that of the activation that it takes up */
	bool *absorbed; /* by node: another has taken it up */
	int *statistics; /* by node: the batch's mean of a batch-norm; the variance is the next value */
	struct gradient_term **terms; /* by value of the network */
};

/* Appends the backward pass of node n; dy is by output, -1 where nothing flows, which is not everywhere. */
void gradient_apply(struct backward *b, const struct node *n, const int *dy);

/* How many inputs of the node, counted from the first, have a gradient; the others are operands. 0: its derivative is
 * zero, or nothing is known about it. */
int gradient_inputs(const struct node *n);

/* ---- the rules, by family ---- */

typedef void gradient_rule(struct backward *b, const struct node *n, const int *dy);

/* gradient_layer.c: what multiplies by weights */
gradient_rule gradient_conv, gradient_conv_transpose, gradient_gemm, gradient_contraction;
/* gradient_norm.c: what divides by statistics */
gradient_rule gradient_batch_norm, gradient_own_norm, gradient_lrn, gradient_lp_norm, gradient_softmax,
	gradient_log_softmax;
/* gradient_map.c: number by number */
gradient_rule gradient_unary, gradient_sum, gradient_sub, gradient_mul, gradient_div, gradient_pow, gradient_prelu,
	gradient_extreme, gradient_mean;
/* gradient_reduce.c: many numbers become one */
gradient_rule gradient_max_pool, gradient_average_pool, gradient_global_average_pool, gradient_global_max_pool,
	gradient_reduce;
/* gradient_move.c: numbers that change place */
gradient_rule gradient_reshape, gradient_transpose, gradient_concat, gradient_split, gradient_moved, gradient_expand,
	gradient_resize, gradient_depth_to_space, gradient_space_to_depth;

/* ---- what they share ---- */

/* Whether input k of the node is there and has a use for a gradient. */
bool gradient_wanted(const struct backward *b, const struct node *n, int k);

/* Adds to the gradient of input k; asks for it first. The gradient has the input's shape. */
void gradient_flow(struct backward *b, const struct node *n, int k, int gradient);

/* The shape of input k. */
struct shape gradient_shape(const struct backward *b, const struct node *n, int k);

/* A node with the attributes of n, and its output, shaped as input k. */
int gradient_node(struct backward *b, enum op op, const struct node *n, int k, int count, const int *in);

#endif

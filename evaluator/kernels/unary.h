/* unary.h -- what is done to every number alone.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_UNARY_H
#define EVALUATOR_KERNELS_UNARY_H

#include <oneapi/dnnl/dnnl_types.h>
#include <stdbool.h>

#include "evaluator/model/op.h"

struct graph;
struct node;

/* An operation in oneDNN's terms. */
struct unary {
	dnnl_alg_kind_t kind;
	float alpha, beta;
};

/* False when oneDNN doesn't have the operation. */
bool unary_read(const struct graph *g, const struct node *n, struct unary *ret);

/* Whether a convolution can do it to its results. */
bool unary_can_end_a_layer(const struct graph *g, const struct node *n);

/* Which of the numbers x and y = f(x) the derivative of f is computed from: 'x' or 'y'; 0: it is zero everywhere. */
char unary_gradient_reads(enum op op);

#endif

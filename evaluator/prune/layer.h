/* layer.h -- nodes that multiply: convolutions, linear layers, products of two computed values.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_LAYER_H
#define EVALUATOR_PRUNE_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "evaluator/model/operand.h"

/* Which dimensions of which values may lose something, and how often each pair of theirs is multiplied: multiply-
 * accumulates of one sample = out * in * kernel * positions. A dimension -1 is one of size 1 that isn't there. */
struct layer {
	int weight;        /* the stored tensor, -1: two computed values are multiplied */
	int bias;          /* -1: none */
	int out, out_dim;  /* the value and its dimension: the weight's when there is one */
	int in, in_dim;    /* likewise, of the inputs per filter */
	int x, x_dim;      /* what is read: a computed value and its dimension that is summed over */
	int64_t kernel;    /* numbers of the weight for a pair of output and input */
	int64_t positions; /* how often each is used */
};

/* False when the node is no such layer, is opaque, or multiplies by a computed convolution weight. The node was
 * checked. */
bool layer_of(const struct graph *g, const struct node *n, struct layer *ret);

/* Gemm, MatMul or Einsum of two operands, one of which may be stored. */
struct product {
	struct operand_contraction letters;
	int weight;      /* the operand that is stored, -1: none */
	int out, summed; /* the letters that may lose something, -1: none */
};

/* Where a letter stands: dimensions, or -1. */
struct letter {
	int in[2], out;
};

enum err product_of(const struct graph *g, const struct node *n, struct product *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
struct letter product_letter(const struct graph *g, const struct node *n, const struct product *p, int letter);

#endif

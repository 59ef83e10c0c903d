/* size.h -- how large a network is, counted on its graph.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_SIZE_H
#define EVALUATOR_MEASURE_SIZE_H

#include <stdint.h>

#include "base/err.h"

struct graph;
struct node;

/* A stored tensor that several nodes read counts once for each. Graphs that were checked keep all of this below 2^53.
 */
struct size {
	int64_t params; /* learned numbers: weights, biases, batch-norm scales and shifts */
	int64_t macs;   /* multiply-accumulates of convolutions and fully connected layers for one sample */
	int64_t bytes;  /* dense float32 storage of params and batch-norm's running statistics */
	int64_t memory; /* peak bytes of activations for one sample: each value lives from the node that computes it to
			   its last reader, nothing in place */
};

enum err size_count(const struct graph *g, struct size *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* Params, MACs and bytes of one node; its memory is 0. */
struct size size_of_node(const struct graph *g, const struct node *n);

#endif

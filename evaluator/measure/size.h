/* size.h -- how large a network is, counted on its graph.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_SIZE_H
#define EVALUATOR_MEASURE_SIZE_H

#include <stdint.h>

#include "base/err.h"

struct graph;

/* Graphs that were checked keep all of this below 2^53. */
struct size {
	int64_t params; /* learned numbers, those of a tensor once, whoever reads it */
	int64_t macs;   /* multiply-accumulates of convolutions, linear layers and products of two computed values for
			   one sample; an opaque node's aren't known and count 0 */
	int64_t bytes;  /* dense float32 storage of params and batch-norm's running statistics */
	int64_t memory; /* peak bytes of activations for one sample: each value lives from the node that computes it to
			   its last reader, nothing in place */
};

enum err size_count(const struct graph *g, struct size *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* Params, MACs and bytes of each node, their memory is 0; ret has room for one a node. A tensor counts where it is read
 * first. */
enum err size_of_nodes(const struct graph *g, struct size *ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

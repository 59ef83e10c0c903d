/* fusion.h -- which nodes run as part of the convolution before them, and who reads what.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_FUSION_H
#define EVALUATOR_KERNELS_FUSION_H

#include <stdbool.h>

#include "base/arena.h"

struct graph;

struct fusion {
	int *norm;        /* by node: the batch-norm folded into this convolution, or -1 */
	bool *relu;       /* by node: a ReLU is folded into this convolution */
	int *result;      /* by node: the value it writes, behind what is folded into it */
	bool *absorbed;   /* by node: it is folded into another */
	int *last_reader; /* by value: the last node that reads it; the network's outputs are read after all nodes */
	int *readers;     /* by value: how many inputs it is */
};

/* A convolution takes up the ReLU that alone reads it, and, when asked, the batch-norm between them. False when memory
 * is out; the arrays live in arena a. */
bool fusion_find(const struct graph *g, bool fold_norms, struct arena *a, struct fusion *ret);

#endif

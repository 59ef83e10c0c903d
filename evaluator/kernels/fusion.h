/* fusion.h -- which nodes run as part of the convolution before them, and who reads what.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_FUSION_H
#define EVALUATOR_KERNELS_FUSION_H

#include <stdbool.h>

#include "base/arena.h"
#include "evaluator/kernels/plan.h"

struct graph;

struct fusion {
	int *norm;        /* by node: the batch-norm folded into this convolution, or -1 */
	int *activation;  /* by node: the operation on each number folded into this node, or -1 */
	int *residual;    /* by node: the value added to what this convolution makes, or -1 */
	int *result;      /* by node: the value it writes, behind what is folded into it; its first output */
	bool *absorbed;   /* by node: it is folded into another */
	int *maker;       /* by value: the node that writes it, with what is folded into that; -1: none */
	int *last_reader; /* by value: the last node that reads it; the network's outputs are read after all nodes */
	int *readers;     /* by value: how many inputs it is */
};

/* A convolution takes up what alone reads it: for inference the batch-norm, then a sum with a value that is computed
 * before it, as residual networks have, then an activation; for calibration a batch-norm takes up a ReLU. When
 * everything is to be observed, nothing. False when memory is out; the arrays live in arena a. */
bool fusion_find(const struct graph *g, enum plan_mode mode, struct arena *a, struct fusion *ret);

#endif

/* gradient.h -- a network and its backward pass as one graph.
 * SPDX-License-Identifier: MIT
 *
 * Reverse-mode differentiation (Linnainmaa 1970) over nodes: what comes out is a graph like any other, so that a plan
 * lays out its buffers, recycles them and fuses what it can. It is never written to a file.
 *
 * Learned tensors become inputs, batch-norms normalise by the batch (OP_BATCH_NORM_TRAIN), everything else is as in the
 * network. Ports, in this order:
 *
 *   inputs   those of the network; with a loss its target (batch, classes) and, with distillation, the teacher's
 *            logits (batch, classes); without, one seed for each output, shaped as it: the gradient of what is to be
 *            minimised; the parameters
 *   outputs  those of the network; with a loss its value for each sample (batch); mean and biased variance of each
 *            batch-norm; the gradient of each parameter, row-major, shaped as it
 *
 * A Softmax at the network's end is stepped over: the loss is of the logits. Operators whose derivative is zero stop
 * the flow, and nothing is computed for what is not learned. */
#ifndef EVALUATOR_TRAIN_GRADIENT_H
#define EVALUATOR_TRAIN_GRADIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct graph;

enum parameter_kind {
	PARAMETER_WEIGHT,
	PARAMETER_BIAS, /* of a layer: its input 2, or what is added along one dimension */
	PARAMETER_NORM, /* scale or shift of any normalisation, or what is multiplied along one dimension */
};

/* A learned tensor that gradients reach. One that several nodes read is one parameter. */
struct parameter {
	int value; /* in the network */
	enum parameter_kind kind;
	int64_t count; /* numbers */
	int input, output; /* ports of the training graph: the parameter, its gradient */
};

/* A batch-norm of the network, and where its batch's statistics come out. */
struct trained_norm {
	int node; /* in the network */
	int mean, variance; /* ports */
};

struct gradient_request {
	bool loss; /* of the network's first output, which is (batch, classes); others are not trained */
	bool distil;
	float temperature, weight; /* of distillation, OP_LOSS */
};

struct gradient {
	struct graph *graph;
	struct arena *arena; /* of the arrays below */
	struct parameter *parameters;
	int parameter_count;
	struct trained_norm *norms;
	int norm_count;
	int target, teacher, loss; /* ports, -1: none */
	int seed; /* the first seed's port, -1: none */
};

/* The network is left alone; the result borrows its stored tensors and must not outlive it. ERR_UNSUPPORTED names a
 * node that gradients cannot flow through, and why. */
enum err gradient_open(const struct graph *g, const struct gradient_request *r, struct gradient **ret,
	struct errinfo *e) __attribute__((warn_unused_result));
void gradient_close(struct gradient *d); /* accepts NULL */

/* The value that has the logits of a network's first output: the output, or what the Softmax reads that writes it. */
int gradient_logits(const struct graph *g);

#endif

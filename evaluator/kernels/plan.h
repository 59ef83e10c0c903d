/* plan.h -- a graph made ready to run at one batch size.
 * SPDX-License-Identifier: MIT
 *
 * A plan is a list of steps over buffers that are laid out once: what convolutions read and write is channels-last,
 * and buffers are recycled as soon as their last reader has run. An activation that alone follows a convolution is
 * folded into it, and for inference the batch-norm between them. The plan copies the weights it needs: the graph may
 * be changed or freed afterwards. One thread. */
#ifndef EVALUATOR_KERNELS_PLAN_H
#define EVALUATOR_KERNELS_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct graph;
struct plan;

enum plan_mode {
	PLAN_INFER,     /* batch-norm uses its running statistics */
	PLAN_CALIBRATE, /* batch-norm uses each batch's own statistics, which can be read */
	PLAN_OBSERVE,   /* as PLAN_INFER, but nothing is folded or recycled: every value can be read */
};

/* ERR_UNSUPPORTED when a node is opaque: names it and the reason. */
enum err plan_new(const struct graph *g, int64_t batch, enum plan_mode mode, struct plan **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void plan_free(struct plan *p); /* accepts NULL */

int64_t plan_batch(const struct plan *p);

/* The network's inputs, counted in ONNX's order: numbers per sample, and where the caller puts the batch before each
 * run, row-major as the input's shape says. A run leaves them as they are. */
int plan_input_count(const struct plan *p);
int64_t plan_input_size(const struct plan *p, int i);
float *plan_input(struct plan *p, int i);

/* Runs all steps. */
enum err plan_run(struct plan *p, struct errinfo *e) __attribute__((warn_unused_result));

/* The same, slower, looking at what every node writes: a number that is not finite is ERR_INPUT naming the node.
 * (Further on it may be hidden: a ReLU makes 0 of NaN.) Nodes that read a stored infinity, as masks have, are left
 * out. */
enum err plan_run_checked(struct plan *p, struct errinfo *e) __attribute__((warn_unused_result));

/* The network's outputs, in the same way, valid until the next run. */
int plan_output_count(const struct plan *p);
int64_t plan_output_size(const struct plan *p, int i);
const float *plan_output(const struct plan *p, int i);

/* PLAN_CALIBRATE: the statistics of the last run's batch at batch-norm node `node`: channel means and biased
 * variances over `*ret_count` numbers a channel. */
void plan_statistics(
	const struct plan *p, int node, const float **ret_mean, const float **ret_variance, int64_t *ret_count);

/* PLAN_OBSERVE: copies what the last run computed for a value of the graph, row-major; ret has room for the whole
 * batch. */
void plan_value(const struct plan *p, int value, float *ret);

/* Bytes of all activation buffers. */
size_t plan_buffer_bytes(const struct plan *p);

#endif

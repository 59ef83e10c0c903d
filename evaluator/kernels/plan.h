/* plan.h -- a graph made ready to run at one batch size.
 * SPDX-License-Identifier: MIT
 *
 * A plan is a list of steps over buffers that are laid out once: four-dimensional values channels-last, buffers
 * recycled as soon as their last reader has run. A ReLU that alone follows a convolution is folded into it, and for
 * inference the batch-norm between them. The plan copies the weights it needs: the graph may be changed or freed
 * afterwards. One thread. */
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
};

enum err plan_new(const struct graph *g, int64_t batch, enum plan_mode mode, struct plan **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void plan_free(struct plan *p); /* accepts NULL */

int64_t plan_batch(const struct plan *p);
/* Numbers per sample of the network's input and output. */
int64_t plan_input_size(const struct plan *p);
int64_t plan_output_size(const struct plan *p);

/* Where the caller puts the batch, (batch, c, h, w) or (batch, features), before each run. */
float *plan_input(struct plan *p);

/* Runs all steps. *ret is (batch, classes), or maps (batch, h, w, c), valid until the next run. The input stays as it
 * was. */
enum err plan_run(struct plan *p, const float **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The same, slower, looking at what every node writes: a number that is not finite is ERR_INPUT naming the node.
 * (Further on it may be hidden: a ReLU makes 0 of NaN.) */
enum err plan_run_checked(struct plan *p, const float **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* PLAN_CALIBRATE: the statistics of the last run's batch at batch-norm node `node`: channel means and biased variances
 * over `*ret_count` numbers a channel. */
void plan_statistics(
	const struct plan *p, int node, const float **ret_mean, const float **ret_variance, int64_t *ret_count);

/* Bytes of all activation buffers. */
size_t plan_buffer_bytes(const struct plan *p);

#endif

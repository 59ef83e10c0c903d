/* optimizer.h -- how weights follow their gradients.
 * SPDX-License-Identifier: MIT
 *
 *   sgd     d = g + decay w;  v = momentum v + d;  w = w - rate (nesterov ? d + momentum v : v)
 *           (Sutskever et al. ICML 2013, as PyTorch writes it)
 *   adamw   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
 *           w = w - rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon) - rate decay w
 *           (Loshchilov & Hutter ICLR 2019)
 *
 * Each tensor's step is one pass over its numbers. */
#ifndef EVALUATOR_TRAIN_OPTIMIZER_H
#define EVALUATOR_TRAIN_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "evaluator/train/schedule.h"

struct trainspec;
struct optimizer;

/* A tensor that is trained; both arrays are the caller's. */
struct trained {
	float *weight;
	const float *gradient;
	size_t count;
	bool decays;
};

enum err optimizer_new(const struct trainspec *t, const struct trained *tensors, int count, struct optimizer **ret,
	struct errinfo *e) __attribute__((warn_unused_result));
void optimizer_free(struct optimizer *o); /* accepts NULL */

/* One step with gradients as they stand, each multiplied by `scale`. */
void optimizer_step(struct optimizer *o, struct pace pace, float scale);

/* L2 norm of all gradients together. */
double optimizer_gradient_norm(const struct optimizer *o);

#endif

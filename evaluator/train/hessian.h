/* hessian.h -- the diagonal of a function's second derivative, from its gradients alone.
 * SPDX-License-Identifier: MIT
 *
 * Hutchinson's estimator (1990; Bekas et al. 2007 for the diagonal): for z of independent signs, the mean of z * (H z)
 * is the diagonal of H, and H z is the central difference of two gradients:
 *
 *   h_k ~ mean over probes of z_k (g(w + s z) - g(w - s z))_k / (2 s_k)
 *
 * with a step s_k of its own for each number. Without bias; what lies beside the diagonal is its variance, which falls
 * with the number of probes. For a quadratic with a diagonal H one probe is exact. */
#ifndef EVALUATOR_TRAIN_HESSIAN_H
#define EVALUATOR_TRAIN_HESSIAN_H

#include <stddef.h>

#include "base/err.h"

struct rng;

/* The gradient at w, n numbers each. */
typedef enum err hessian_gradient_cb(const float *w, float *ret_gradient, void *arg, struct errinfo *e);

struct hessian_request {
	const float *w, *step; /* n each; the function is not looked at at w itself */
	size_t n;
	int probes;
	struct rng *rng;
	hessian_gradient_cb *gradient;
	void *arg;
};

/* ret_diagonal has room for n numbers. */
enum err hessian_diagonal(const struct hessian_request *r, double *ret_diagonal, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* activation.h -- functions of one number that oneDNN doesn't have.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_ACTIVATION_H
#define EVALUATOR_KERNELS_ACTIVATION_H

#include <stdint.h>

struct node;

/* y[i] = f(x[i]) for count numbers; y may be x. */
struct activation {
	void (*run)(const void *activation);
	const float *x;
	float *y;
	int64_t count;
	float alpha, beta;
};

/* run, alpha and beta of a node. */
struct activation activation_read(const struct node *n);

#endif

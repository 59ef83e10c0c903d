/* activation.h -- how large the numbers are that a network computes.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_ACTIVATION_H
#define EVALUATOR_MEASURE_ACTIVATION_H

#include "base/err.h"

struct graph;

/* ret_means[i][k] is the mean absolute value at index k along dimension dims[i] of computed value values[i], for
 * `count` of them, over a sample, in whole batches; sample is a struct sample (data/sample.h). */
enum err activation_means(const struct graph *g, int count, const int *values, const int *dims,
	double *const *ret_means, void *sample, struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* reference.h -- what a network computes, by the formulas and in double, with how far float may be off.
 * SPDX-License-Identifier: MIT
 *
 * Every number comes with a bound on the error of computing it in float (IEEE single, u = 2^-24), in any order of
 * summation, with or without fused multiply-add: a sum of K products a*b is off by at most (K + a few) * u * sum
 * |a*b| (Higham 2002, section 3.1), the errors of its inputs are carried through with the absolute values of their
 * coefficients, and ReLU, maxima and copies don't grow them. So a result outside its bound is wrong, not unlucky.
 * Nothing is shared with the code under test but struct graph; output sizes are counted window by window. */
#ifndef TESTS_EVALUATOR_REFERENCE_H
#define TESTS_EVALUATOR_REFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "evaluator/model/graph.h"

/* The numbers of a value, in ONNX's order; every dimension is a number. */
struct numbers {
	struct shape shape;
	int64_t count;
	double *value, *bound;
	double terms; /* products summed up for each; a batch-norm may be folded into that sum */
};

/* Batch statistics of a batch-norm, with their bounds, by channel. */
struct moments {
	double *mean, *mean_bound, *variance, *variance_bound;
};

struct reference {
	struct arena *arena;
	struct numbers *values;  /* by value of the graph */
	struct moments *moments; /* by node; filled for batch-norms when calibrating */
};

/* x is the inputs, one after the other, (batch, ...) as the graph says. calibrate: batch-norms use the batch's own
 * statistics. */
struct reference reference_run(const struct graph *g, int64_t batch, const float *x, bool calibrate);

/* The same with other numbers in stored tensors, by value: those that aren't NULL. */
struct reference reference_run_with(
	const struct graph *g, int64_t batch, const float *x, bool calibrate, const double *const *stored);
void reference_free(struct reference *r);

#endif

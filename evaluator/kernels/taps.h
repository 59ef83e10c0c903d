/* taps.h -- every index along a dimension becomes a weighted sum of some.
 * SPDX-License-Identifier: MIT
 *
 *   y[outer, o, inner] = sum over t of weight[o,t] * x[outer, index[o,t], inner]
 *
 * Resizing, padding by what is there and gathering are such passes, one a dimension. */
#ifndef EVALUATOR_KERNELS_TAPS_H
#define EVALUATOR_KERNELS_TAPS_H

#include "evaluator/kernels/builder.h"

struct taps {
	int axis;
	int64_t out; /* indices */
	int each;    /* taps of an index; weights count when there are several */
	int64_t *index;
	float *weight;
};

/* Room for the numbers, in the plan. */
enum err taps_new(struct builder *b, int axis, int64_t out, int each, struct taps *ret)
	__attribute__((warn_unused_result));

/* The node's output is its first input after these passes, in the order that the input has. */
enum err taps_build(struct builder *b, const struct taps *passes, int count) __attribute__((warn_unused_result));

/* The node's output is what the same passes hand back of the gradient `dy`, a value: dx[outer, index[o,t], inner] +=
 * weight[o,t] * dy[outer, o, inner], the last pass first. */
enum err taps_build_back(struct builder *b, const struct taps *passes, int count, int dy)
	__attribute__((warn_unused_result));

/* One pass: x and y have no gaps, and agree in memory outside of the axis. */
enum err taps_pass(struct builder *b, const struct taps *t, const struct view *x, float *y)
	__attribute__((warn_unused_result));
enum err taps_pass_back(struct builder *b, const struct taps *t, const float *dy, const struct view *dx)
	__attribute__((warn_unused_result));

#endif

/* planar_step.h -- direct convolutions of few channels as a step of a plan.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_PLANAR_STEP_H
#define EVALUATOR_KERNELS_PLANAR_STEP_H

#include <stdbool.h>

#include "evaluator/kernels/filters.h"

/* Whether the node being built is such a convolution, of stored weights, and it pays. By shapes alone: those of the
 * node and of the convolutions that read what it gives. */
bool planar_suits(const struct builder *b);

/* Appends y = x convolved; x and y are row-major without gaps. */
enum err planar_add(struct builder *b, const struct filters *f, const struct window *w, const struct view *x,
	const struct view *y, const struct filters_bounds *bounds) __attribute__((warn_unused_result));

/* Whether no window of a pooling has holes or reaches out of its input, (batch, channels, height, width). */
bool planar_can_pool(const struct window *w, const int64_t *dims);

/* Appends y = x pooled; both are row-major without gaps. */
enum err planar_add_pooling(struct builder *b, bool max, const struct window *w, const struct view *x,
	const struct view *y) __attribute__((warn_unused_result));

#endif

/* winograd_step.h -- Winograd's convolution as a step of a plan.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_WINOGRAD_STEP_H
#define EVALUATOR_KERNELS_WINOGRAD_STEP_H

#include <stdbool.h>

#include "evaluator/kernels/filters.h"

/* Whether a convolution is of that kind: 3x3, one group, stride and dilation 1. */
bool winograd_can(const struct window *w, const struct view *filters);

/* Appends y = x convolved, dx and dw. All views but those of filters are channels-last without gaps. */
enum err winograd_add(struct builder *b, const struct filters *f, const struct window *w, const struct view *x,
	const struct view *y, const struct filters_bounds *bounds) __attribute__((warn_unused_result));
enum err winograd_add_data_gradient(struct builder *b, const struct filters *f, const struct window *w,
	const struct view *dy, const struct view *dx) __attribute__((warn_unused_result));
enum err winograd_add_weight_gradient(struct builder *b, const struct window *w, const struct view *x,
	const struct view *dy, const struct view *dw) __attribute__((warn_unused_result));

#endif

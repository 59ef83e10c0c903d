/* choice_timing.h -- how long a convolution takes.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_CHOICE_TIMING_H
#define EVALUATOR_KERNELS_CHOICE_TIMING_H

#include "evaluator/kernels/choice.h"

/* A convolution or one of its gradients: x is the layer's input, y its output. */
struct choice_shape {
	enum choice_direction direction;
	const struct window *window;
	const struct view *x, *y;
};

/* The least seconds of a few runs of a plan of it alone, its weights not in the nearest caches, as they are not when a
 * whole network runs. 0 when it can't be run. */
double choice_seconds(const struct choice_shape *s);

#endif

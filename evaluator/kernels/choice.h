/* choice.h -- which kernel a convolution runs by.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_CHOICE_H
#define EVALUATOR_KERNELS_CHOICE_H

#include <stdbool.h>

struct view;
struct window;

/* Whether Winograd's convolution is the faster one; x is the layer's input and y its output, also for its gradients. */
bool choice_is_winograd(const struct window *w, const struct view *filters, const struct view *x, const struct view *y);

#endif

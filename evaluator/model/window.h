/* window.h -- the sliding window of a convolution or a pooling over (height, width).
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_WINDOW_H
#define EVALUATOR_MODEL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct node;
struct shape;

struct window {
	int64_t kernel[2], stride[2], dilation[2], begin[2], end[2]; /* begin, end: padding */
	int64_t out[2];
};

/* Reads kernel_shape (kernel NULL) or checks it against the weight's, strides, dilations, pads, auto_pad and ceil_mode,
 * and computes the output size for an input (batch, c, h, w): floor or ceil of (in + begin + end - dilation * (kernel -
 * 1) - 1) / stride, plus 1; with ceil, a window that would start in the padding behind the input is left out. `end` is
 * widened to what the windows of ceil_mode reach. */
enum err window_read(const struct node *n, const struct shape *in, const int64_t *kernel, struct window *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

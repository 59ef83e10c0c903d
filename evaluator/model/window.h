/* window.h -- the sliding window of a convolution or a pooling.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_WINDOW_H
#define EVALUATOR_MODEL_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct node;
struct shape;

enum { WINDOW_MAX_RANK = 3 };

/* Over the one to three dimensions behind (batch, channels). */
struct window {
	int rank;
	int64_t kernel[WINDOW_MAX_RANK], stride[WINDOW_MAX_RANK], dilation[WINDOW_MAX_RANK];
	int64_t begin[WINDOW_MAX_RANK], end[WINDOW_MAX_RANK]; /* padding */
	int64_t out[WINDOW_MAX_RANK];
};

/* Reads kernel_shape (kernel NULL) or checks it against the weight's, strides, dilations, pads, auto_pad and ceil_mode,
 * and computes the output size for an input (batch, c, d, h, w): floor or ceil of (in + begin + end - dilation *
 * (kernel - 1) - 1) / stride, plus 1; with ceil, a window that would start in the padding behind the input is left out.
 * `end` is widened to what the windows of ceil_mode reach. */
enum err window_read(const struct node *n, const struct shape *in, const int64_t *kernel, struct window *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

/* The window of a transposed convolution: out = (in - 1) * stride + dilation * (kernel - 1) + 1 - begin - end +
 * output_padding, or begin and end from output_shape. */
enum err window_read_transposed(const struct node *n, const struct shape *in, const int64_t *kernel, struct window *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* dnn.h -- the little of oneDNN's C interface that the kernels share.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_DNN_H
#define EVALUATOR_KERNELS_DNN_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

#include "base/err.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/window.h"

/* Translates a status; `what` says what was being done. */
enum err dnn_check(dnnl_status_t status, const char *what, struct errinfo *e) __attribute__((warn_unused_result));

/* The layout used for a value of this shape: channels-last for four dimensions, row-major otherwise. */
enum err dnn_layout(const struct shape *s, int64_t batch, dnnl_memory_desc_t *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Row-major, as ONNX stores tensors. */
enum err dnn_row_major(const struct shape *s, int64_t batch, dnnl_memory_desc_t *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* A shape whose layout oneDNN may choose. */
enum err dnn_any(const struct shape *s, dnnl_memory_desc_t *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* A window in oneDNN's terms: its arrays have room for twelve dimensions, and a dilation of 0 is a dense kernel. */
struct dnn_window {
	dnnl_dims_t kernel, stride, dilates, begin, end;
};
struct dnn_window dnn_window(const struct window *w);

/* A dense vector of n floats. */
dnnl_memory_desc_t dnn_vector(int64_t n);

#endif

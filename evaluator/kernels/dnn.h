/* dnn.h -- the little of oneDNN's C interface that the kernels share.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_DNN_H
#define EVALUATOR_KERNELS_DNN_H

#include <oneapi/dnnl/dnnl.h>
#include <stdbool.h>

#include "base/err.h"
#include "evaluator/kernels/view.h"
#include "evaluator/model/window.h"

/* How many kernels oneDNN keeps for the case that they are asked for again; left alone 1,024. Hardly one of a
 * candidate's is ever asked for again, for no two have the same shapes. */
void dnn_keep_kernels(int most);

/* Translates a status; `what` says what was being done. */
enum err dnn_check(dnnl_status_t status, const char *what, struct errinfo *e) __attribute__((warn_unused_result));

/* Whether oneDNN can see numbers in that way: strides are positive, there are at most twelve dimensions, and each
 * begins where the one inside it ends or farther on. (Of every third number, the last may stand next to the first of
 * the next row.) */
bool dnn_can_describe(const struct view *v);

/* Such a view. */
enum err dnn_describe(const struct view *v, dnnl_memory_desc_t *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Dimensions whose layout oneDNN may choose. */
enum err dnn_any(int rank, const int64_t *dims, dnnl_memory_desc_t *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* A window in oneDNN's terms: its arrays have room for twelve dimensions, and a dilation of 0 is a dense kernel. */
struct dnn_window {
	dnnl_dims_t kernel, stride, dilates, begin, end;
};
struct dnn_window dnn_window(const struct window *w);

/* A dense vector of n floats. */
dnnl_memory_desc_t dnn_vector(int64_t n);

/* Makes the primitive of an operation descriptor; hint: the layer that it is the gradient of, else NULL. *ret_pd is the
 * caller's to destroy. */
enum err dnn_primitive(dnnl_engine_t engine, const void *op_desc, const_dnnl_primitive_attr_t attr,
	const_dnnl_primitive_desc_t hint, dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Room that a tensor takes, counted in floats. */
int64_t dnn_floats(const dnnl_memory_desc_t *md);

/* Whether a kernel is a plain loop of oneDNN's, there for completeness alone. */
bool dnn_is_slow(const_dnnl_primitive_desc_t pd);

/* Attributes that let a layer end with a sum of what it computes and what is there, and an operation on each number;
 * dnnl_alg_kind_undef: none. */
enum err dnn_ending(
	bool sum, dnnl_alg_kind_t kind, float alpha, float beta, dnnl_primitive_attr_t *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* builder.h -- how a plan is put together: what a kernel sees while it adds its steps.
 * SPDX-License-Identifier: MIT
 *
 * Each value has a slot: a view of a buffer. What only moves numbers gives its output another view of its input's
 * buffer. A buffer is used again as soon as no slot is left that looks at it; as steps run in the order in which they
 * are added, that is when the last reader's steps have been added. So a kernel first asks for all its inputs, then
 * for the place of its output.
 *
 * Layouts follow the data: what a convolution needs and gives is channels-last, what comes from elsewhere row-major,
 * and an operator that doesn't care keeps the order that it finds. An input that must be changed is changed once,
 * and is from then on what the slot shows. */
#ifndef EVALUATOR_KERNELS_BUILDER_H
#define EVALUATOR_KERNELS_BUILDER_H

#include "base/arena.h"
#include "evaluator/kernels/dnn.h"
#include "evaluator/kernels/fusion.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/kernels/view.h"

enum { STEP_MAX_ARGS = 8 };

/* One thing to do: a oneDNN primitive with its arguments, or a function of our own. */
struct step {
	dnnl_primitive_t primitive; /* NULL: run is called with job instead */
	dnnl_exec_arg_t args[STEP_MAX_ARGS];
	int arg_count;
	void (*run)(const void *job);
	const void *job;
	const char *label; /* the node whose output is now complete; NULL: not yet, or it may be infinite */
	const float *output;
	size_t output_count;
};

/* Where a value is. */
struct slot {
	struct view view;
	int buffer;  /* -1: in memory that is not recycled */
	bool placed; /* view.data is NULL before */
};

/* Memory that is used for one value after another. */
struct buffer {
	float *data;
	size_t bytes;
	int users; /* slots that look at it */
};

/* Statistics of a batch-norm that runs on its batch. */
struct norm_statistics {
	const float *mean, *variance;
	int64_t count;
};

struct plan {
	struct arena *arena;
	enum plan_mode mode;
	int64_t batch;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_memory_t *memories;
	size_t memory_count, memory_room;
	struct step *steps;
	size_t step_count, step_room;
	struct buffer *buffers;
	size_t buffer_count, buffer_room;
	float *workspace; /* that steps use while they run, one after the other */
	int64_t workspace_count;
	struct slot *slots;                 /* by value */
	struct norm_statistics *statistics; /* by node */
	struct port {
		float *data;
		int64_t size; /* a sample */
	} *inputs, *outputs;
	int input_count, output_count;
};

struct builder {
	const struct graph *g;
	struct arena *arena; /* the plan's */
	enum plan_mode mode;
	int64_t batch;
	const struct fusion *fusion;
	struct plan *plan;
	int node; /* whose steps are being added */
	int scratch[2 * SHAPE_MAX_RANK], scratch_count; /* buffers that it uses for itself */
	struct errinfo *e;
};

/* ---- values ---- */

/* The view of a value that is an input, computed so far or stored: of a stored tensor a copy, which the plan owns. */
enum err builder_value(struct builder *b, int value, struct view *ret) __attribute__((warn_unused_result));

/* The same without gaps and in that order; it may be copied to become so. */
enum err builder_dense(struct builder *b, int value, const struct order *o, struct view *ret)
	__attribute__((warn_unused_result));

/* Room for a value that will be computed, in that order. */
enum err builder_place(struct builder *b, int value, const struct order *o, struct view *ret)
	__attribute__((warn_unused_result));

/* As builder_place in the order of `like`, which is the view of the value `over`. Where that one is without gaps and
 * nobody reads it any more, it may be the same memory: number i can then be written once number i was read. */
enum err builder_place_over(struct builder *b, int value, int over, const struct view *like, struct view *ret)
	__attribute__((warn_unused_result));

/* A value is numbers of another, seen in another way. */
void builder_alias(struct builder *b, int value, int of, const struct view *v);

/* Room for count floats that only this node uses. */
enum err builder_scratch(struct builder *b, int64_t count, float **ret) __attribute__((warn_unused_result));
enum err builder_doubles(struct builder *b, int64_t count, double **ret) __attribute__((warn_unused_result));

/* Makes the plan's workspace hold count floats; it may move. */
enum err builder_workspace(struct builder *b, int64_t count) __attribute__((warn_unused_result));

/* What the node being built writes: its first output, or that of what is folded into it. */
int builder_result(const struct builder *b);
const struct node *builder_node(const struct builder *b);
const struct shape *builder_shape(const struct builder *b, int value);

/* ---- memory of the plan ---- */

/* n floats, or a copy of some bytes, that live as long as the plan. */
enum err builder_floats(struct builder *b, int64_t n, float **ret) __attribute__((warn_unused_result));
enum err builder_keep(struct builder *b, const void *from, size_t bytes, const void **ret)
	__attribute__((warn_unused_result));

/* A memory object over data, owned by the plan. */
enum err builder_memory(struct builder *b, const dnnl_memory_desc_t *md, void *data, dnnl_memory_t *ret)
	__attribute__((warn_unused_result));

/* ---- steps ---- */

/* Makes the primitive of an operation descriptor (dnnl_convolution_desc_t, ...); *ret_pd, when asked for, is the
 * caller's to destroy. attr may be NULL. */
enum err builder_primitive(struct builder *b, const void *op_desc, const_dnnl_primitive_attr_t attr,
	dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd) __attribute__((warn_unused_result));

/* Gives a step a tensor as an argument. */
enum err builder_bind(struct builder *b, struct step *s, int arg, const dnnl_memory_desc_t *md, void *data)
	__attribute__((warn_unused_result));
enum err builder_bind_view(struct builder *b, struct step *s, int arg, const struct view *v)
	__attribute__((warn_unused_result));

/* Appends a step, unless binding its arguments failed with err. The primitive is the plan's from now on, or gone. */
enum err builder_finish(struct builder *b, const struct step *s, enum err err) __attribute__((warn_unused_result));

/* Appends a function of our own; what it works on, of `bytes` bytes, is copied. */
enum err builder_call(struct builder *b, void (*run)(const void *job), const void *job, size_t bytes)
	__attribute__((warn_unused_result));

/* Appends the step of an operation that makes y of x alone. */
enum err builder_unary(struct builder *b, const void *op_desc, const struct view *x, const struct view *y)
	__attribute__((warn_unused_result));

/* Appends y = x for views of the same dimensions (copy.c). */
enum err builder_copy(struct builder *b, const struct view *x, const struct view *y)
	__attribute__((warn_unused_result));

/* Appends y = value for all numbers of y. */
enum err builder_fill(struct builder *b, const struct view *y, float value) __attribute__((warn_unused_result));

/* Appends y = the sum of x; the dimensions are the same, and those that are summed over have stride 0 in y
 * (reduce.c). */
enum err builder_sum(struct builder *b, const struct view *x, const struct view *y)
	__attribute__((warn_unused_result));

/* A weight at `data`, brought into the layout `want` now, once, in memory of the plan, and given to the step. */
enum err builder_bind_weight(struct builder *b, struct step *s, const dnnl_memory_desc_t *is, float *data,
	const dnnl_memory_desc_t *want) __attribute__((warn_unused_result));

/* ---- what each operator adds for the node being built ---- */

typedef enum err kernel_build(struct builder *b);
kernel_build conv_build, conv_transpose_build, conv_data_gradient_build, conv_weight_gradient_build;
kernel_build gemm_build, contract_build;
kernel_build batch_norm_build, norm_build, lrn_build, lp_norm_build;
kernel_build unary_build, broadcast_build, softmax_build, reduce_build;
kernel_build pool_build, global_pool_build;
kernel_build reshape_build, transpose_build, slice_build, split_build, expand_build;
kernel_build concat_build, tile_build, pad_build, depth_to_space_build, space_to_depth_build;
kernel_build gather_build, resize_build;

/* what train/gradient.h makes of a network */
kernel_build batch_norm_train_build, batch_norm_gradient_build, unary_gradient_build, pool_gradient_build;
kernel_build sum_to_build, loss_build, prelu_gradient_build, lrn_gradient_build, norm_gradient_build;
kernel_build slice_gradient_build, gather_gradient_build, pad_gradient_build, resize_gradient_build,
	tile_gradient_build;

#endif

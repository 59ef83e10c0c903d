/* builder.h -- how a plan is put together: what a kernel sees while it adds its steps.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_KERNELS_BUILDER_H
#define EVALUATOR_KERNELS_BUILDER_H

#include "evaluator/kernels/dnn.h"
#include "evaluator/kernels/fusion.h"
#include "evaluator/kernels/plan.h"

enum { STEP_MAX_ARGS = 8 };

/* One thing to do: a oneDNN primitive with its arguments, or a function of our own. */
struct step {
	dnnl_primitive_t primitive; /* NULL: run is called instead */
	dnnl_exec_arg_t args[STEP_MAX_ARGS];
	int arg_count;
	void (*run)(const struct step *s);
	const float *from, *weight, *bias; /* what run works on */
	float *to;
	int64_t rows, in, out;
	bool transposed;
	float scale;
	const char *label;    /* the node, for messages; NULL: the change of the input's layout */
	const float *output;  /* what the node writes */
	size_t output_count;
};

/* A value's place in memory. */
struct slot {
	dnnl_memory_desc_t md;
	dnnl_memory_t memory;
	float *data;
	int buffer; /* -1: not in a recycled buffer */
};

/* Statistics of a batch-norm that runs on its batch. */
struct norm_statistics {
	const float *mean, *variance;
	int64_t count;
};

struct builder {
	const struct graph *g;
	struct arena *arena;
	enum plan_mode mode;
	int64_t batch;
	dnnl_engine_t engine;
	struct slot *slots;                 /* by value */
	struct norm_statistics *statistics; /* by node */
	const struct fusion *fusion;
	struct plan *plan;
	struct errinfo *e;
};

/* n floats that live as long as the plan, NULL when memory is out. */
float *builder_floats(struct builder *b, int64_t n);

/* A memory object over data, owned by the plan. */
enum err builder_memory(struct builder *b, const dnnl_memory_desc_t *md, void *data, dnnl_memory_t *ret)
	__attribute__((warn_unused_result));

/* Makes the primitive of an operation descriptor (dnnl_convolution_desc_t, ...); *ret_pd, when asked for, is the
 * caller's to destroy. attr may be NULL. */
enum err builder_primitive(struct builder *b, const void *op_desc, const_dnnl_primitive_attr_t attr,
	dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd) __attribute__((warn_unused_result));

/* Appends a step; the plan owns its primitive from now on, also on failure. */
enum err builder_add(struct builder *b, const struct step *s) __attribute__((warn_unused_result));

/* Appends the step of an operation that makes y of x alone. */
enum err builder_unary(struct builder *b, const void *op_desc, const struct slot *x, const struct slot *y)
	__attribute__((warn_unused_result));

/* Appends a change of layout. */
enum err builder_reorder(struct builder *b, const dnnl_memory_desc_t *from_md, dnnl_memory_t from,
	const dnnl_memory_desc_t *to_md, dnnl_memory_t to) __attribute__((warn_unused_result));

/* A weight in row-major order at `data`, brought into the layout `want` now, once; *ret_memory holds it. */
enum err builder_weight(struct builder *b, const dnnl_memory_desc_t *is, float *data, const dnnl_memory_desc_t *want,
	dnnl_memory_t *ret_memory) __attribute__((warn_unused_result));

/* What each operator adds to the plan for node `index`. The output's slot is ready. */
typedef enum err kernel_build(struct builder *b, int index);
kernel_build conv_build, batch_norm_build, relu_build, max_pool_build, global_average_pool_build, add_build,
	flatten_build, gemm_build;

#endif

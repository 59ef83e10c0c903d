/* plan.c -- a graph made ready to run at one batch size.
 * SPDX-License-Identifier: MIT
 *
 * Built node by node: the kernel's steps, and the return of buffers whose last reader this was (builder.h). Memory that
 * the caller writes and reads is never given back. */
#include "evaluator/kernels/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/copy.h"

int64_t plan_batch(const struct plan *p)
{
	return p->batch;
}

int plan_input_count(const struct plan *p)
{
	return p->input_count;
}

int64_t plan_input_size(const struct plan *p, int i)
{
	return p->inputs[i].size;
}

float *plan_input(struct plan *p, int i)
{
	return p->inputs[i].data;
}

int plan_output_count(const struct plan *p)
{
	return p->output_count;
}

int64_t plan_output_size(const struct plan *p, int i)
{
	return p->outputs[i].size;
}

const float *plan_output(const struct plan *p, int i)
{
	return p->outputs[i].data;
}

void plan_statistics(
	const struct plan *p, int node, const float **ret_mean, const float **ret_variance, int64_t *ret_count)
{
	*ret_mean = p->statistics[node].mean;
	*ret_variance = p->statistics[node].variance;
	*ret_count = p->statistics[node].count;
}

void plan_value(const struct plan *p, int value, float *ret)
{
	const struct view *is = &p->slots[value].view;
	struct order o = order_row_major();
	struct view to = view_dense(is->rank, is->dim, 1, &o, ret);
	copy_view(is, &to);
}

size_t plan_buffer_bytes(const struct plan *p)
{
	size_t sum = 0;
	for (size_t i = 0; i < p->buffer_count; i++)
		sum += p->buffers[i].bytes;
	return sum;
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->step_count; i++)
		if (p->steps[i].primitive)
			dnnl_primitive_destroy(p->steps[i].primitive);
	for (size_t i = 0; i < p->memory_count; i++)
		dnnl_memory_destroy(p->memories[i]);
	if (p->stream)
		dnnl_stream_destroy(p->stream);
	if (p->engine)
		dnnl_engine_destroy(p->engine);
	free(p->memories);
	free(p->steps);
	free(p->buffers);
	free(p->workspace);
	arena_free(p->arena);
	free(p);
}

/* ---- running ---- */

static enum err run_step(const struct plan *p, const struct step *s, struct errinfo *e)
{
	if (!s->primitive) {
		s->run(s->job);
		return ERR_OK;
	}
	return dnn_check(dnnl_primitive_execute(s->primitive, p->stream, s->arg_count, s->args), "running a layer", e);
}

enum err plan_run(struct plan *p, struct errinfo *e)
{
	for (size_t i = 0; i < p->step_count; i++) {
		enum err err = run_step(p, &p->steps[i], e);
		if (err)
			return err;
	}
	return dnn_check(dnnl_stream_wait(p->stream), "running the network", e);
}

static bool all_finite(const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

enum err plan_run_checked(struct plan *p, struct errinfo *e)
{
	for (size_t i = 0; i < p->step_count; i++) {
		const struct step *s = &p->steps[i];
		enum err err = run_step(p, s, e);
		if (!err)
			err = dnn_check(dnnl_stream_wait(p->stream), "running a layer", e);
		if (!err && s->label && !all_finite(s->output, s->output_count))
			err = err_set(e, ERR_INPUT, "%s: its output is not finite, the network has diverged", s->label);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- building ---- */

static kernel_build *const kernels[OP_COUNT] = {
	[OP_CONV] = conv_build,
	[OP_CONV_TRANSPOSE] = conv_transpose_build,
	[OP_CONV_DATA_GRADIENT] = conv_data_gradient_build,
	[OP_CONV_WEIGHT_GRADIENT] = conv_weight_gradient_build,
	[OP_GEMM] = gemm_build,
	[OP_MATMUL] = contract_build,
	[OP_EINSUM] = contract_build,
	[OP_BATCH_NORM] = batch_norm_build,
	[OP_INSTANCE_NORM] = norm_build,
	[OP_LAYER_NORM] = norm_build,
	[OP_GROUP_NORM] = norm_build,
	[OP_LRN] = lrn_build,
	[OP_LP_NORM] = lp_norm_build,
	[OP_MAX_POOL] = pool_build,
	[OP_AVERAGE_POOL] = pool_build,
	[OP_GLOBAL_AVERAGE_POOL] = global_pool_build,
	[OP_GLOBAL_MAX_POOL] = global_pool_build,
	[OP_SOFTMAX] = softmax_build,
	[OP_LOG_SOFTMAX] = softmax_build,
	[OP_FLATTEN] = reshape_build,
	[OP_RESHAPE] = reshape_build,
	[OP_SQUEEZE] = reshape_build,
	[OP_UNSQUEEZE] = reshape_build,
	[OP_TRANSPOSE] = transpose_build,
	[OP_CONCAT] = concat_build,
	[OP_SPLIT] = split_build,
	[OP_SLICE] = slice_build,
	[OP_GATHER] = gather_build,
	[OP_EXPAND] = expand_build,
	[OP_TILE] = tile_build,
	[OP_PAD] = pad_build,
	[OP_DEPTH_TO_SPACE] = depth_to_space_build,
	[OP_SPACE_TO_DEPTH] = space_to_depth_build,
	[OP_RESIZE] = resize_build,
	[OP_UPSAMPLE] = resize_build,
	[OP_BATCH_NORM_TRAIN] = batch_norm_train_build,
	[OP_BATCH_NORM_GRADIENT] = batch_norm_gradient_build,
	[OP_UNARY_GRADIENT] = unary_gradient_build,
	[OP_MAX_POOL_GRADIENT] = pool_gradient_build,
	[OP_AVERAGE_POOL_GRADIENT] = pool_gradient_build,
	[OP_PRELU_GRADIENT] = prelu_gradient_build,
	[OP_NORM_GRADIENT] = norm_gradient_build,
	[OP_LRN_GRADIENT] = lrn_gradient_build,
	[OP_MATCH] = broadcast_build,
	[OP_SLICE_GRADIENT] = slice_gradient_build,
	[OP_GATHER_GRADIENT] = gather_gradient_build,
	[OP_PAD_GRADIENT] = pad_gradient_build,
	[OP_RESIZE_GRADIENT] = resize_gradient_build,
	[OP_TILE_GRADIENT] = tile_gradient_build,
	[OP_SPREAD] = expand_build,
	[OP_SUM_TO] = sum_to_build,
	[OP_LOSS] = loss_build,
};

static kernel_build *kernel_of(enum op op)
{
	return op_is_unary(op) ? unary_build
	       : op_is_broadcast(op) ? broadcast_build
	       : op_is_reduce(op)    ? reduce_build
				     : kernels[op];
}

static bool reads_infinity(const struct graph *g, const struct node *n)
{
	for (int k = 0; k < n->in_count; k++) {
		const struct value *v = node_input(g, n, k);
		if (v && v->data && v->dtype == DTYPE_FLOAT &&
			!all_finite(value_floats(v), (size_t)shape_count(&v->shape, 1)))
			return true;
	}
	return false;
}

/* What the node's last step has written is known for the check of a run. A node without steps wrote nothing new. */
static enum err label_step(struct builder *b, size_t before)
{
	char text[256];
	struct plan *p = b->plan;
	const struct node *n = builder_node(b);
	if (p->step_count == before || builder_result(b) < 0 || reads_infinity(b->g, n))
		return ERR_OK;
	struct step *last = &p->steps[p->step_count - 1];
	const struct view *y = &p->slots[builder_result(b)].view;
	struct order o = order_of(y);
	if (!view_is_dense(y, &o))
		return ERR_OK;
	last->label = arena_strdup(b->arena, node_text(n, text));
	last->output = y->data;
	last->output_count = (size_t)view_count(y);
	return last->label ? ERR_OK : err_set(b->e, ERR_MEMORY, "out of memory");
}

static void give_back(struct builder *b, int value)
{
	struct slot *s = &b->plan->slots[value];
	if (!s->placed || s->buffer < 0)
		return;
	b->plan->buffers[s->buffer].users--;
	s->buffer = -1;
}

/* Gives back what the node used, what nobody reads later and what nobody reads at all. */
static void release(struct builder *b)
{
	const struct node *n = builder_node(b);
	while (b->scratch_count)
		b->plan->buffers[b->scratch[--b->scratch_count]].users--;
	for (int k = 0; k < n->in_count; k++)
		if (n->in[k] >= 0 && b->fusion->last_reader[n->in[k]] == b->node)
			give_back(b, n->in[k]);
	int residual = b->fusion->residual[b->node];
	if (residual >= 0 && b->fusion->last_reader[residual] == b->node)
		give_back(b, residual);
	for (int k = 0; k < n->out_count; k++) {
		int value = k ? n->out[k] : builder_result(b);
		if (value >= 0 && !b->fusion->readers[value])
			give_back(b, value);
	}
}

static enum err build_node(struct builder *b)
{
	char text[256];
	size_t before = b->plan->step_count;
	enum err err = kernel_of(builder_node(b)->op)(b);
	if (!err)
		err = label_step(b, before);
	if (err)
		return err_wrap(b->e, "%s", node_text(builder_node(b), text));
	release(b);
	return ERR_OK;
}

static enum err build_nodes(struct builder *b)
{
	for (b->node = 0; b->node < b->g->node_count; b->node++) {
		enum err err = b->fusion->absorbed[b->node] ? ERR_OK : build_node(b);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err build_inputs(struct builder *b)
{
	struct plan *p = b->plan;
	for (int i = 0; i < p->input_count; i++) {
		int value = b->g->inputs[i];
		const struct shape *s = builder_shape(b, value);
		p->inputs[i].size = shape_count(s, 1);
		enum err err = builder_floats(b, shape_count(s, b->batch), &p->inputs[i].data);
		if (err)
			return err;
		p->slots[value] = (struct slot){ view_row_major(s, b->batch, p->inputs[i].data), -1, true };
	}
	return ERR_OK;
}

static enum err build_outputs(struct builder *b)
{
	struct plan *p = b->plan;
	struct order o = order_row_major();
	for (int i = 0; i < p->output_count; i++) {
		struct view y;
		enum err err = builder_dense(b, b->g->outputs[i], &o, &y);
		if (err)
			return err;
		p->outputs[i] = (struct port){ y.data, shape_count(builder_shape(b, b->g->outputs[i]), 1) };
	}
	return ERR_OK;
}

static enum err build(struct plan *p, const struct graph *g, struct errinfo *e)
{
	struct fusion f;
	struct builder b = {
		.g = g, .arena = p->arena, .mode = p->mode, .batch = p->batch, .fusion = &f, .plan = p, .e = e
	};
	p->input_count = g->input_count;
	p->output_count = g->output_count;
	p->inputs = ARENA_ARRAY(p->arena, struct port, (size_t)g->input_count);
	p->outputs = ARENA_ARRAY(p->arena, struct port, (size_t)g->output_count);
	p->slots = ARENA_ARRAY(p->arena, struct slot, (size_t)g->value_count);
	p->statistics = ARENA_ARRAY(p->arena, struct norm_statistics, (size_t)g->node_count);
	if (!p->inputs || !p->outputs || !p->slots || !p->statistics || !fusion_find(g, p->mode, p->arena, &f))
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = build_inputs(&b);
	if (!err)
		err = build_nodes(&b);
	return err ? err : build_outputs(&b);
}

/* Everything must be understood before anything is made. */
static enum err check_nodes(const struct graph *g, struct errinfo *e)
{
	char text[256];
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		if (n->opaque)
			return err_set(
				e, ERR_UNSUPPORTED, "%s: it cannot be run: %s", node_text(n, text), n->opaque);
		if (n->op >= OP_COUNT || !kernel_of(n->op))
			return err_set(e, ERR_INTERNAL, "%s: there is no kernel for it", node_text(n, text));
	}
	return ERR_OK;
}

enum err plan_new(const struct graph *g, int64_t batch, enum plan_mode mode, struct plan **ret, struct errinfo *e)
{
	enum err err = check_nodes(g, e);
	if (err)
		return err;
	struct plan *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_MEMORY, "out of memory");
	p->batch = batch;
	p->mode = mode;
	p->arena = arena_new();
	err = p->arena ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = dnn_check(dnnl_engine_create(&p->engine, dnnl_cpu, 0), "starting oneDNN", e);
	if (!err)
		err = dnn_check(
			dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags), "starting oneDNN", e);
	if (!err)
		err = build(p, g, e);
	if (err)
		plan_free(p);
	else
		*ret = p;
	return err;
}

/* plan.c -- a graph made ready to run at one batch size.
 * SPDX-License-Identifier: MIT
 *
 * Built node by node: a buffer for the output, the kernel's steps, and the return of buffers whose last reader this
 * was. Steps run in that same order, so a buffer is free exactly when the list says so. The input's buffer is never
 * given back: it is the caller's. */
#include "evaluator/kernels/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/builder.h"

struct buffer {
	float *data;
	size_t bytes;
	bool free;
};

struct plan {
	struct arena *arena;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_memory_t *memories;
	size_t memory_count, memory_room;
	struct step *steps;
	size_t step_count, step_room;
	struct buffer *buffers;
	int buffer_count;
	struct norm_statistics *statistics;
	float *input;
	const float *output;
	int64_t batch, input_size, output_size;
};

int64_t plan_batch(const struct plan *p)
{
	return p->batch;
}

int64_t plan_input_size(const struct plan *p)
{
	return p->input_size;
}

int64_t plan_output_size(const struct plan *p)
{
	return p->output_size;
}

float *plan_input(struct plan *p)
{
	return p->input;
}

void plan_statistics(
	const struct plan *p, int node, const float **ret_mean, const float **ret_variance, int64_t *ret_count)
{
	*ret_mean = p->statistics[node].mean;
	*ret_variance = p->statistics[node].variance;
	*ret_count = p->statistics[node].count;
}

size_t plan_buffer_bytes(const struct plan *p)
{
	size_t sum = 0;
	for (int i = 0; i < p->buffer_count; i++)
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
	arena_free(p->arena);
	free(p);
}

static enum err run_step(const struct plan *p, const struct step *s, struct errinfo *e)
{
	if (!s->primitive) {
		s->run(s);
		return ERR_OK;
	}
	return dnn_check(dnnl_primitive_execute(s->primitive, p->stream, s->arg_count, s->args), "running a layer", e);
}

enum err plan_run(struct plan *p, const float **ret, struct errinfo *e)
{
	for (size_t i = 0; i < p->step_count; i++) {
		enum err err = run_step(p, &p->steps[i], e);
		if (err)
			return err;
	}
	enum err err = dnn_check(dnnl_stream_wait(p->stream), "running the network", e);
	if (!err)
		*ret = p->output;
	return err;
}

static bool all_finite(const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isfinite(x[i]))
			return false;
	return true;
}

enum err plan_run_checked(struct plan *p, const float **ret, struct errinfo *e)
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
	*ret = p->output;
	return ERR_OK;
}

/* ---- what kernels use ---- */

float *builder_floats(struct builder *b, int64_t n)
{
	return ARENA_ARRAY(b->arena, float, (size_t)n);
}

/* Makes room for one more element in an array that doubles. */
static bool grow(void **array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return true;
	size_t more = *room ? 2 * *room : 64;
	void *grown = reallocarray(*array, more, size);
	if (!grown)
		return false;
	*array = grown;
	*room = more;
	return true;
}

enum err builder_memory(struct builder *b, const dnnl_memory_desc_t *md, void *data, dnnl_memory_t *ret)
{
	struct plan *p = b->plan;
	if (!grow((void **)&p->memories, p->memory_count, &p->memory_room, sizeof *p->memories))
		return err_set(b->e, ERR_MEMORY, "out of memory");
	enum err err = dnn_check(dnnl_memory_create(ret, md, b->engine, data), "placing a tensor", b->e);
	if (!err)
		p->memories[p->memory_count++] = *ret;
	return err;
}

enum err builder_primitive(struct builder *b, const void *op_desc, const_dnnl_primitive_attr_t attr,
	dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd)
{
	dnnl_primitive_desc_t pd;
	enum err err =
		dnn_check(dnnl_primitive_desc_create(&pd, op_desc, attr, b->engine, NULL), "choosing a kernel", b->e);
	if (err)
		return err;
	err = dnn_check(dnnl_primitive_create(ret, pd), "making a kernel", b->e);
	if (!err && ret_pd)
		*ret_pd = pd;
	else
		dnnl_primitive_desc_destroy(pd);
	return err;
}

enum err builder_add(struct builder *b, const struct step *s)
{
	struct plan *p = b->plan;
	if (!grow((void **)&p->steps, p->step_count, &p->step_room, sizeof *p->steps)) {
		if (s->primitive)
			dnnl_primitive_destroy(s->primitive);
		return err_set(b->e, ERR_MEMORY, "out of memory");
	}
	p->steps[p->step_count++] = *s;
	return ERR_OK;
}

enum err builder_unary(struct builder *b, const void *op_desc, const struct slot *x, const struct slot *y)
{
	struct step s = { .args = { { DNNL_ARG_SRC, x->memory }, { DNNL_ARG_DST, y->memory } }, .arg_count = 2 };
	enum err err = builder_primitive(b, op_desc, NULL, &s.primitive, NULL);
	return err ? err : builder_add(b, &s);
}

static enum err reorder_primitive(
	struct builder *b, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to, dnnl_primitive_t *ret)
{
	dnnl_primitive_desc_t pd;
	enum err err = dnn_check(dnnl_reorder_primitive_desc_create(&pd, from, b->engine, to, b->engine, NULL),
		"choosing a layout", b->e);
	if (err)
		return err;
	err = dnn_check(dnnl_primitive_create(ret, pd), "making a change of layout", b->e);
	dnnl_primitive_desc_destroy(pd);
	return err;
}

enum err builder_reorder(struct builder *b, const dnnl_memory_desc_t *from_md, dnnl_memory_t from,
	const dnnl_memory_desc_t *to_md, dnnl_memory_t to)
{
	struct step s = { .args = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } }, .arg_count = 2 };
	enum err err = reorder_primitive(b, from_md, to_md, &s.primitive);
	return err ? err : builder_add(b, &s);
}

enum err builder_weight(struct builder *b, const dnnl_memory_desc_t *is, float *data, const dnnl_memory_desc_t *want,
	dnnl_memory_t *ret_memory)
{
	if (dnnl_memory_desc_equal(is, want))
		return builder_memory(b, is, data, ret_memory);
	dnnl_memory_t from, to;
	dnnl_primitive_t reorder;
	void *room = arena_alloc(b->arena, dnnl_memory_desc_get_size(want), 1);
	enum err err = room ? builder_memory(b, is, data, &from) : err_set(b->e, ERR_MEMORY, "out of memory");
	if (!err)
		err = builder_memory(b, want, room, &to);
	if (!err)
		err = reorder_primitive(b, is, want, &reorder);
	if (err)
		return err;
	dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
	err = dnn_check(dnnl_primitive_execute(reorder, b->plan->stream, 2, args), "changing a layout", b->e);
	if (!err)
		err = dnn_check(dnnl_stream_wait(b->plan->stream), "changing a layout", b->e);
	dnnl_primitive_destroy(reorder);
	*ret_memory = to;
	return err;
}

/* ---- building ---- */

static enum err take_buffer(struct builder *b, size_t bytes, int *ret)
{
	struct plan *p = b->plan;
	int best = -1;
	for (int i = 0; i < p->buffer_count; i++) {
		const struct buffer *c = &p->buffers[i];
		if (c->free && c->bytes >= bytes && (best < 0 || c->bytes < p->buffers[best].bytes))
			best = i;
	}
	if (best < 0) {
		best = p->buffer_count;
		p->buffers[best] = (struct buffer){ arena_alloc(p->arena, bytes, 1), bytes, true };
		if (!p->buffers[best].data)
			return err_set(b->e, ERR_MEMORY, "out of memory for activations: %zu bytes", bytes);
		p->buffer_count++;
	}
	p->buffers[best].free = false;
	*ret = best;
	return ERR_OK;
}

static enum err place_value(struct builder *b, int value)
{
	struct slot *s = &b->slots[value];
	enum err err = dnn_layout(&b->g->values[value].shape, b->batch, &s->md, b->e);
	if (!err)
		err = take_buffer(b, dnnl_memory_desc_get_size(&s->md), &s->buffer);
	if (err)
		return err;
	s->data = b->plan->buffers[s->buffer].data;
	return builder_memory(b, &s->md, s->data, &s->memory);
}

/* Gives back the buffers of a node's inputs that nobody reads later. */
static void release(struct builder *b, int index)
{
	const struct node *n = &b->g->nodes[index];
	for (int k = 0; k < n->in_count; k++) {
		int v = n->in[k];
		if (v >= 0 && v != b->g->inputs[0] && b->slots[v].data && b->fusion->last_reader[v] == index)
			b->plan->buffers[b->slots[v].buffer].free = true;
	}
}

static kernel_build *const kernels[OP_COUNT] = {
	[OP_CONV] = conv_build,
	[OP_BATCH_NORM] = batch_norm_build,
	[OP_RELU] = relu_build,
	[OP_MAX_POOL] = max_pool_build,
	[OP_GLOBAL_AVERAGE_POOL] = global_average_pool_build,
	[OP_ADD] = add_build,
	[OP_FLATTEN] = flatten_build,
	[OP_GEMM] = gemm_build,
};

/* What a node's steps write is known for the check of a run. */
static enum err label_steps(struct builder *b, size_t from, const struct node *n, int value)
{
	char text[256];
	struct plan *p = b->plan;
	const char *label = arena_strdup(b->arena, node_text(n, text));
	if (!label)
		return err_set(b->e, ERR_MEMORY, "out of memory");
	for (size_t i = from; i < p->step_count; i++) {
		p->steps[i].label = label;
		p->steps[i].output = b->slots[value].data;
		p->steps[i].output_count = (size_t)shape_count(&b->g->values[value].shape, b->batch);
	}
	return ERR_OK;
}

static enum err build_nodes(struct builder *b)
{
	for (int i = 0; i < b->g->node_count; i++) {
		char text[256];
		const struct node *n = &b->g->nodes[i];
		size_t before = b->plan->step_count;
		if (b->fusion->absorbed[i])
			continue;
		enum err err = place_value(b, b->fusion->result[i]);
		if (!err)
			err = kernels[n->op](b, i);
		if (!err)
			err = label_steps(b, before, n, b->fusion->result[i]);
		if (err)
			return err_wrap(b->e, "%s", node_text(n, text));
		release(b, i);
	}
	return ERR_OK;
}

/* The caller writes (batch, c, h, w); the network wants channels last. With one channel both are the same. */
static enum err build_input(struct builder *b)
{
	int value = b->g->inputs[0];
	const struct shape *shape = &b->g->values[value].shape;
	struct plan *p = b->plan;
	enum err err = place_value(b, value);
	if (err)
		return err;
	p->input = b->slots[value].data;
	p->input_size = shape_count(shape, 1);
	if (shape->rank != 4 || shape->dim[1] == 1)
		return ERR_OK;
	dnnl_memory_desc_t row_major;
	dnnl_memory_t from;
	p->input = builder_floats(b, p->input_size * b->batch);
	if (!p->input)
		return err_set(b->e, ERR_MEMORY, "out of memory");
	err = dnn_row_major(shape, b->batch, &row_major, b->e);
	if (!err)
		err = builder_memory(b, &row_major, p->input, &from);
	return err ? err : builder_reorder(b, &row_major, from, &b->slots[value].md, b->slots[value].memory);
}

static enum err build(struct plan *p, const struct graph *g, enum plan_mode mode, struct errinfo *e)
{
	struct fusion f;
	if (!fusion_find(g, mode == PLAN_INFER, p->arena, &f))
		return err_set(e, ERR_MEMORY, "out of memory");
	struct builder b = { .g = g, .arena = p->arena, .mode = mode, .batch = p->batch, .engine = p->engine,
		.slots = ARENA_ARRAY(p->arena, struct slot, (size_t)g->value_count),
		.statistics = ARENA_ARRAY(p->arena, struct norm_statistics, (size_t)g->node_count),
		.fusion = &f, .plan = p, .e = e };
	p->buffers = ARENA_ARRAY(p->arena, struct buffer, (size_t)g->node_count + 1);
	p->statistics = b.statistics;
	if (!b.slots || !b.statistics || !p->buffers)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = build_input(&b);
	if (!err)
		err = build_nodes(&b);
	if (err)
		return err;
	p->output = b.slots[g->outputs[0]].data;
	p->output_size = shape_count(&g->values[g->outputs[0]].shape, 1);
	return ERR_OK;
}

enum err plan_new(const struct graph *g, int64_t batch, enum plan_mode mode, struct plan **ret, struct errinfo *e)
{
	struct plan *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_MEMORY, "out of memory");
	p->batch = batch;
	p->arena = arena_new();
	enum err err = p->arena ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = dnn_check(dnnl_engine_create(&p->engine, dnnl_cpu, 0), "starting oneDNN", e);
	if (!err)
		err = dnn_check(
			dnnl_stream_create(&p->stream, p->engine, dnnl_stream_default_flags), "starting oneDNN", e);
	if (!err)
		err = build(p, g, mode, e);
	if (err)
		plan_free(p);
	else
		*ret = p;
	return err;
}

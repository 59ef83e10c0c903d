/* builder.c -- how a plan is put together: slots, buffers, steps.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/builder.h"

#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/copy.h"

static enum err no_memory(struct builder *b)
{
	return err_set(b->e, ERR_MEMORY, "out of memory");
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

/* ---- memory of the plan ---- */

enum err builder_floats(struct builder *b, int64_t n, float **ret)
{
	float *data = ARENA_ARRAY(b->arena, float, (size_t)n);
	if (!data)
		return no_memory(b);
	*ret = data;
	return ERR_OK;
}

enum err builder_keep(struct builder *b, const void *from, size_t bytes, const void **ret)
{
	void *copy = arena_alloc(b->arena, bytes, 1);
	if (!copy)
		return no_memory(b);
	memcpy(copy, from, bytes);
	*ret = copy;
	return ERR_OK;
}

enum err builder_memory(struct builder *b, const dnnl_memory_desc_t *md, void *data, dnnl_memory_t *ret)
{
	struct plan *p = b->plan;
	if (!grow((void **)&p->memories, p->memory_count, &p->memory_room, sizeof *p->memories))
		return no_memory(b);
	enum err err = dnn_check(dnnl_memory_create(ret, md, p->engine, data), "placing a tensor", b->e);
	if (!err)
		p->memories[p->memory_count++] = *ret;
	return err;
}

/* The smallest free buffer that is large enough, or a new one. */
static enum err take_buffer(struct builder *b, int64_t count, int *ret)
{
	struct plan *p = b->plan;
	size_t bytes = (size_t)count * sizeof(float), best = p->buffer_count;
	for (size_t i = 0; i < p->buffer_count && b->mode != PLAN_OBSERVE; i++) {
		const struct buffer *c = &p->buffers[i];
		if (!c->users && c->bytes >= bytes && (best == p->buffer_count || c->bytes < p->buffers[best].bytes))
			best = i;
	}
	if (best == p->buffer_count) {
		if (!grow((void **)&p->buffers, p->buffer_count, &p->buffer_room, sizeof *p->buffers))
			return no_memory(b);
		p->buffers[best] = (struct buffer){ arena_alloc(b->arena, bytes, 1), bytes, 0 };
		if (!p->buffers[best].data)
			return err_set(b->e, ERR_MEMORY, "out of memory for activations: %zu bytes", bytes);
		p->buffer_count++;
	}
	p->buffers[best].users = 1;
	*ret = (int)best;
	return ERR_OK;
}

enum err builder_scratch(struct builder *b, int64_t count, float **ret)
{
	int taken;
	enum err err = take_buffer(b, count, &taken);
	if (err)
		return err;
	b->scratch[b->scratch_count++] = taken;
	*ret = b->plan->buffers[taken].data;
	return ERR_OK;
}

enum err builder_doubles(struct builder *b, int64_t count, double **ret)
{
	float *room;
	enum err err = builder_scratch(b, count * (int64_t)(sizeof **ret / sizeof *room), &room);
	if (!err)
		*ret = (double *)(void *)room;
	return err;
}

enum err builder_workspace(struct builder *b, int64_t count)
{
	enum { ALIGNMENT = 64 };
	struct plan *p = b->plan;
	if (count <= p->workspace_count)
		return ERR_OK;
	free(p->workspace);
	p->workspace_count = 0;
	size_t bytes = (size_t)count * sizeof(float);
	p->workspace = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
	if (!p->workspace)
		return no_memory(b);
	p->workspace_count = count;
	return ERR_OK;
}

/* ---- values ---- */

const struct node *builder_node(const struct builder *b)
{
	return &b->g->nodes[b->node];
}

const struct shape *builder_shape(const struct builder *b, int value)
{
	return &b->g->values[value].shape;
}

int builder_result(const struct builder *b)
{
	return b->fusion->result[b->node];
}

enum err builder_value(struct builder *b, int value, struct view *ret)
{
	const struct value *v = &b->g->values[value];
	struct slot *s = &b->plan->slots[value];
	if (!s->placed) {
		const void *copy = NULL;
		enum err err = builder_keep(b, v->data, (size_t)shape_count(&v->shape, 1) * sizeof(float), &copy);
		if (err)
			return err;
		*s = (struct slot){ view_row_major(&v->shape, 1, (float *)copy), -1, true };
	}
	*ret = s->view;
	return ERR_OK;
}

static void show(struct builder *b, int value, const struct view *v, int buffer)
{
	b->plan->slots[value] = (struct slot){ *v, buffer, true };
}

static enum err place(struct builder *b, int value, struct view *v)
{
	int buffer;
	enum err err = take_buffer(b, view_count(v), &buffer);
	if (err)
		return err;
	v->data = b->plan->buffers[buffer].data;
	show(b, value, v, buffer);
	return ERR_OK;
}

/* A stored tensor is put in order now, what is computed in each run. */
static enum err put_in_order(struct builder *b, int value, const struct view *is, const struct order *o)
{
	struct view dense = view_dense(is->rank, is->dim, 1, o, NULL);
	int before = b->plan->slots[value].buffer;
	enum err err = b->g->values[value].data ? builder_floats(b, view_count(is), &dense.data)
						: place(b, value, &dense);
	if (err)
		return err;
	if (b->g->values[value].data) {
		copy_view(is, &dense);
		show(b, value, &dense, -1);
		return ERR_OK;
	}
	if (before >= 0)
		b->plan->buffers[before].users--;
	return builder_copy(b, is, &dense);
}

enum err builder_dense(struct builder *b, int value, const struct order *o, struct view *ret)
{
	struct view is;
	enum err err = builder_value(b, value, &is);
	if (!err && !view_is_dense(&is, o)) {
		err = put_in_order(b, value, &is, o);
		is = b->plan->slots[value].view;
	}
	if (!err)
		*ret = view_dense(is.rank, is.dim, 1, o, is.data);
	return err;
}

enum err builder_place(struct builder *b, int value, const struct order *o, struct view *ret)
{
	const struct shape *s = builder_shape(b, value);
	struct view v = view_dense(s->rank, s->dim, b->batch, o, NULL);
	enum err err = place(b, value, &v);
	if (!err)
		*ret = v;
	return err;
}

/* Nobody but this node, now, looks at the value's memory. */
static bool may_be_overwritten(const struct builder *b, int value)
{
	int buffer = b->plan->slots[value].buffer;
	return b->mode != PLAN_OBSERVE && buffer >= 0 && b->plan->buffers[buffer].users == 1 &&
	       b->fusion->last_reader[value] == b->node;
}

enum err builder_place_over(struct builder *b, int value, int over, const struct view *like, struct view *ret)
{
	struct order o = order_of(like);
	if (!may_be_overwritten(b, over) || !view_is_dense(like, &o))
		return builder_place(b, value, &o, ret);
	*ret = view_dense(like->rank, like->dim, 1, &o, like->data);
	builder_alias(b, value, over, ret);
	return ERR_OK;
}

void builder_alias(struct builder *b, int value, int of, const struct view *v)
{
	int buffer = b->plan->slots[of].buffer;
	if (buffer >= 0)
		b->plan->buffers[buffer].users++;
	show(b, value, v, buffer);
}

/* ---- steps ---- */

enum err builder_primitive(struct builder *b, const void *op_desc, const_dnnl_primitive_attr_t attr,
	dnnl_primitive_t *ret, dnnl_primitive_desc_t *ret_pd)
{
	dnnl_primitive_desc_t pd;
	enum err err = dnn_check(
		dnnl_primitive_desc_create(&pd, op_desc, attr, b->plan->engine, NULL), "choosing a kernel", b->e);
	if (err)
		return err;
	err = dnn_check(dnnl_primitive_create(ret, pd), "making a kernel", b->e);
	if (!err && ret_pd)
		*ret_pd = pd;
	else
		dnnl_primitive_desc_destroy(pd);
	return err;
}

enum err builder_bind(struct builder *b, struct step *s, int arg, const dnnl_memory_desc_t *md, void *data)
{
	dnnl_memory_t memory;
	enum err err = builder_memory(b, md, data, &memory);
	if (!err)
		s->args[s->arg_count++] = (dnnl_exec_arg_t){ arg, memory };
	return err;
}

enum err builder_bind_view(struct builder *b, struct step *s, int arg, const struct view *v)
{
	dnnl_memory_desc_t md;
	enum err err = dnn_describe(v, &md, b->e);
	return err ? err : builder_bind(b, s, arg, &md, v->data);
}

enum err builder_finish(struct builder *b, const struct step *s, enum err err)
{
	struct plan *p = b->plan;
	if (!err && !grow((void **)&p->steps, p->step_count, &p->step_room, sizeof *p->steps))
		err = no_memory(b);
	if (!err)
		p->steps[p->step_count++] = *s;
	else if (s->primitive)
		dnnl_primitive_destroy(s->primitive);
	return err;
}

enum err builder_call(struct builder *b, void (*run)(const void *job), const void *job, size_t bytes)
{
	struct step s = { .run = run };
	return builder_finish(b, &s, builder_keep(b, job, bytes, &s.job));
}

enum err builder_unary(struct builder *b, const void *op_desc, const struct view *x, const struct view *y)
{
	struct step s = { 0 };
	enum err err = builder_primitive(b, op_desc, NULL, &s.primitive, NULL);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_SRC, x);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_DST, y);
	return builder_finish(b, &s, err);
}

/* Runs a change of layout now. */
static enum err reorder_now(struct builder *b, dnnl_memory_t from, dnnl_memory_t to)
{
	dnnl_primitive_desc_t pd;
	dnnl_primitive_t reorder;
	const dnnl_memory_desc_t *from_md, *to_md;
	dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
	dnnl_engine_t engine = b->plan->engine;
	dnnl_status_t status = dnnl_memory_get_memory_desc(from, &from_md);
	if (!status)
		status = dnnl_memory_get_memory_desc(to, &to_md);
	if (!status)
		status = dnnl_reorder_primitive_desc_create(&pd, from_md, engine, to_md, engine, NULL);
	if (status)
		return dnn_check(status, "choosing a layout", b->e);
	status = dnnl_primitive_create(&reorder, pd);
	dnnl_primitive_desc_destroy(pd);
	if (status)
		return dnn_check(status, "making a change of layout", b->e);
	status = dnnl_primitive_execute(reorder, b->plan->stream, 2, args);
	if (!status)
		status = dnnl_stream_wait(b->plan->stream);
	dnnl_primitive_destroy(reorder);
	return dnn_check(status, "changing a layout", b->e);
}

enum err builder_bind_weight(
	struct builder *b, struct step *s, const dnnl_memory_desc_t *is, float *data, const dnnl_memory_desc_t *want)
{
	dnnl_memory_t from, to;
	size_t bytes = dnnl_memory_desc_get_size(want);
	void *room = arena_alloc(b->arena, bytes, 1);
	if (!room)
		return no_memory(b);
	if (dnnl_memory_desc_equal(is, want)) {
		memcpy(room, data, bytes);
		return builder_bind(b, s, DNNL_ARG_WEIGHTS, want, room);
	}
	enum err err = dnn_check(dnnl_memory_create(&from, is, b->plan->engine, data), "placing a weight", b->e);
	if (err)
		return err;
	err = builder_memory(b, want, room, &to);
	if (!err)
		err = reorder_now(b, from, to);
	dnnl_memory_destroy(from);
	if (!err)
		s->args[s->arg_count++] = (dnnl_exec_arg_t){ DNNL_ARG_WEIGHTS, to };
	return err;
}

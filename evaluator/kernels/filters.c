/* filters.c -- the weights of a convolution as they will be used.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/filters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/copy.h"
#include "evaluator/kernels/unary.h"

static void drop_group(struct view *v)
{
	v->rank--;
	memmove(v->dim, v->dim + 1, (size_t)v->rank * sizeof *v->dim);
	memmove(v->stride, v->stride + 1, (size_t)v->rank * sizeof *v->stride);
}

/* The tensor is (group * out, in, kernel ...) for a convolution, (group * in, out, kernel ...) for a transposed one. */
static struct view see(const struct shape *w, bool transposed, int64_t group, float *data)
{
	struct view v = view_row_major(w, 1, data);
	v = view_split(&v, 0, v.dim[0] / group);
	if (transposed) {
		int swapped[VIEW_MAX_RANK];
		for (int i = 0; i < v.rank; i++)
			swapped[i] = i == 1 ? 2 : i == 2 ? 1 : i;
		v = view_permuted(&v, swapped);
	}
	return v;
}

/* v is (group, out, in, kernel ...). */
static void fold_norm(const struct graph *g, const struct node *norm, const struct view *v, float *bias)
{
	const float *scale = value_floats(node_input(g, norm, 1)), *shift = value_floats(node_input(g, norm, 2));
	const float *mean = value_floats(node_input(g, norm, 3)), *variance = value_floats(node_input(g, norm, 4));
	float epsilon = node_float(norm, "epsilon", 1e-5f);
	for (int64_t o = 0; o < v->dim[0] * v->dim[1]; o++) {
		float factor = scale[o] / sqrtf(variance[o] + epsilon);
		struct view filter = *v;
		filter.data += o / v->dim[1] * v->stride[0] + o % v->dim[1] * v->stride[1];
		filter.dim[0] = filter.dim[1] = 1;
		struct walk w = walk_start(&filter, 1, filter.rank);
		do
			*w.at[0] *= factor;
		while (walk_next(&w));
		bias[o] = (bias[o] - mean[o]) * factor + shift[o];
	}
}

struct view filters_view(const struct shape *w, bool transposed, int64_t group, float *data)
{
	struct view v = see(w, transposed, group, data);
	if (group == 1)
		drop_group(&v);
	return v;
}

static enum err open_bias(struct builder *b, bool norm, struct filters *f)
{
	const struct node *n = builder_node(b);
	const struct value *bias = node_input(b->g, n, 2);
	struct order o = order_row_major();
	struct view computed;
	if (!bias && !norm)
		return ERR_OK;
	enum err err;
	if (bias && !bias->data) {
		err = builder_dense(b, n->in[2], &o, &computed);
		f->bias = err ? NULL : computed.data;
		return err;
	}
	err = builder_floats(b, f->out, &f->bias);
	if (!err && bias)
		memcpy(f->bias, bias->data, (size_t)f->out * sizeof(float));
	return err;
}

static enum err open_computed(struct builder *b, bool transposed, int64_t group, struct filters *f)
{
	int value = builder_node(b)->in[1];
	struct order o = order_row_major();
	struct view w;
	enum err err = builder_dense(b, value, &o, &w);
	if (err)
		return err;
	f->computed = true;
	f->view = filters_view(builder_shape(b, value), transposed, group, w.data);
	return ERR_OK;
}

static enum err open_stored(struct builder *b, bool transposed, int64_t group, struct filters *f)
{
	const struct value *w = node_input(b->g, builder_node(b), 1);
	int norm = b->fusion->norm[b->node];
	size_t bytes = (size_t)shape_count(&w->shape, 1) * sizeof(float);
	float *data = (float *)value_floats(w);
	if (norm >= 0) {
		f->changed = malloc(bytes);
		if (!f->changed)
			return err_set(b->e, ERR_MEMORY, "out of memory");
		data = memcpy(f->changed, data, bytes);
		struct view grouped = see(&w->shape, transposed, group, data);
		fold_norm(b->g, &b->g->nodes[norm], &grouped, f->bias);
	}
	f->view = filters_view(&w->shape, transposed, group, data);
	return ERR_OK;
}

enum err filters_open(struct builder *b, bool transposed, struct filters *ret)
{
	const struct node *n = builder_node(b);
	const struct value *w = node_input(b->g, n, 1);
	int64_t group = node_int(n, "group", 1);
	struct filters f = { .out = transposed ? w->shape.dim[1] * group : w->shape.dim[0] };
	enum err err = open_bias(b, b->fusion->norm[b->node] >= 0, &f);
	if (!err)
		err = w->data ? open_stored(b, transposed, group, &f) : open_computed(b, transposed, group, &f);
	if (!err)
		*ret = f;
	return err;
}

void filters_close(struct filters *f)
{
	free(f->changed);
}

/* In each run, in memory of the node. */
static enum err grow_computed(struct builder *b, struct filters *f, struct view *grown, struct view *part)
{
	enum err err = builder_scratch(b, view_count(grown), &grown->data);
	part->data = grown->data;
	if (!err)
		err = builder_fill(b, grown, 0);
	if (!err)
		err = builder_copy(b, &f->view, part);
	return err;
}

static enum err grow_stored(struct builder *b, struct filters *f, struct view *grown, struct view *part)
{
	float *data = calloc((size_t)view_count(grown), sizeof *data);
	if (!data)
		return err_set(b->e, ERR_MEMORY, "out of memory");
	grown->data = part->data = data;
	copy_view(&f->view, part);
	free(f->changed);
	f->changed = data;
	return ERR_OK;
}

enum err filters_grow(struct builder *b, struct filters *f, int axis, int64_t by)
{
	struct order o = order_row_major();
	struct view grown = f->view;
	grown.dim[grown.rank - b->g->values[builder_node(b)->in[0]].shape.rank + 2 + axis] += by;
	grown = view_dense(grown.rank, grown.dim, 1, &o, NULL);
	struct view part = grown;
	memcpy(part.dim, f->view.dim, sizeof part.dim);
	enum err err = f->computed ? grow_computed(b, f, &grown, &part) : grow_stored(b, f, &grown, &part);
	if (!err)
		f->view = grown;
	return err;
}

enum err filters_bind(struct builder *b, const struct filters *f, const dnnl_memory_desc_t *want, struct step *s)
{
	dnnl_memory_desc_t is;
	float *room;
	enum err err = dnn_describe(&f->view, &is, b->e);
	if (err || !f->computed)
		return err ? err : builder_bind_weight(b, s, &is, f->view.data, want);
	if (dnnl_memory_desc_equal(&is, want))
		return builder_bind(b, s, DNNL_ARG_WEIGHTS, want, f->view.data);
	err = builder_scratch(b, dnn_floats(want), &room);
	if (!err)
		err = filters_reorder(b, &is, f->view.data, want, room);
	return err ? err : builder_bind(b, s, DNNL_ARG_WEIGHTS, want, room);
}

enum err filters_reorder(struct builder *b, const dnnl_memory_desc_t *is, float *data, const dnnl_memory_desc_t *want,
	float *room)
{
	dnnl_primitive_desc_t pd;
	dnnl_engine_t engine = b->plan->engine;
	struct step s = { 0 };
	enum err err = dnn_check(
		dnnl_reorder_primitive_desc_create(&pd, is, engine, want, engine, NULL), "choosing a layout", b->e);
	if (err)
		return err;
	err = dnn_check(dnnl_primitive_create(&s.primitive, pd), "making a change of layout", b->e);
	dnnl_primitive_desc_destroy(pd);
	if (!err)
		err = builder_bind(b, &s, DNNL_ARG_FROM, is, data);
	if (!err)
		err = builder_bind(b, &s, DNNL_ARG_TO, want, room);
	return builder_finish(b, &s, err);
}

/* Weights as the primitive wants them, and the bias. */
static enum err bind(struct builder *b, const struct filters *f, dnnl_primitive_desc_t pd, struct step *s)
{
	dnnl_memory_desc_t vector = dnn_vector(f->out);
	enum err err = filters_bind(b, f, dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0), s);
	if (!err && f->bias)
		err = builder_bind(b, s, DNNL_ARG_BIAS, &vector, f->bias);
	return err;
}

/* *ret is left alone when nothing is folded in. */
static enum err read_ending(struct builder *b, bool sum, dnnl_primitive_attr_t *ret)
{
	struct unary u = { dnnl_alg_kind_undef, 0, 0 };
	int activation = b->fusion->activation[b->node];
	bool acts = activation >= 0 && unary_read(b->g, &b->g->nodes[activation], &u);
	return acts || sum ? dnn_ending(sum, u.kind, u.alpha, u.beta, ret, b->e) : ERR_OK;
}

enum err filters_add(struct builder *b, const struct filters *f, const void *op_desc, const struct view *x,
	const struct view *y)
{
	dnnl_primitive_attr_t attr = NULL;
	dnnl_primitive_desc_t pd = NULL;
	struct step s = { 0 };
	enum err err = ERR_OK;
	if (f->residual.data && f->residual.data != y->data)
		err = builder_copy(b, &f->residual, y);
	if (!err)
		err = read_ending(b, f->residual.data != NULL, &attr);
	if (!err)
		err = builder_primitive(b, op_desc, attr, &s.primitive, &pd);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_SRC, x);
	if (!err)
		err = builder_bind_view(b, &s, DNNL_ARG_DST, y);
	if (!err)
		err = bind(b, f, pd, &s);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	if (pd)
		dnnl_primitive_desc_destroy(pd);
	return builder_finish(b, &s, err);
}

/* In the memory of what is added to it, unless other numbers of that are still needed when one is written. */
static enum err place_result(struct builder *b, const struct order *o, struct view *ret_residual, struct view *ret)
{
	const struct node *n = builder_node(b);
	int residual = b->fusion->residual[b->node], result = builder_result(b);
	*ret_residual = (struct view){ .rank = 0 };
	if (residual < 0)
		return builder_place(b, result, o, ret);
	enum err err = builder_dense(b, residual, o, ret_residual);
	if (err)
		return err;
	for (int i = 0; i < n->in_count; i++)
		if (n->in[i] == residual)
			return builder_place(b, result, o, ret);
	err = builder_place_over(b, result, residual, ret_residual, ret);
	if (!err)
		*ret = view_dense(ret->rank, ret->dim, 1, o, ret->data);
	return err;
}

bool filters_read_bounds(const struct builder *b, struct filters_bounds *ret)
{
	struct unary u;
	int activation = b->fusion->activation[b->node];
	*ret = (struct filters_bounds){ -INFINITY, INFINITY };
	if (activation < 0)
		return true;
	if (!unary_read(b->g, &b->g->nodes[activation], &u))
		return false;
	bool relu = u.kind == dnnl_eltwise_relu && u.alpha == 0;
	ret->low = relu ? 0 : u.alpha;
	ret->high = relu ? INFINITY : u.beta;
	return relu || u.kind == dnnl_eltwise_clip;
}

enum err filters_build(struct builder *b, bool transposed, const struct order *o, filters_cb *add)
{
	struct filters f;
	struct view x, y, residual;
	enum err err = builder_dense(b, builder_node(b)->in[0], o, &x);
	if (!err)
		err = filters_open(b, transposed, &f);
	if (err)
		return err;
	err = place_result(b, o, &residual, &y);
	f.residual = residual;
	if (!err)
		err = add(b, &f, &x, &y);
	filters_close(&f);
	return err;
}

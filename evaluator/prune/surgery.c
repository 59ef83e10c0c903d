/* surgery.c -- channels removed for good.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/surgery.h"

#include <string.h>

#include "evaluator/prune/coupling.h"
#include "evaluator/prune/rewrite.h"

static enum err no_memory(struct errinfo *e)
{
	return err_set(e, ERR_MEMORY, "out of memory for the pruned network");
}

/* A graph in an arena of its own that shares names, nodes' inputs, attributes and stored numbers with g. */
static struct graph *copy_graph(const struct graph *g)
{
	struct arena *a = arena_new();
	struct graph *copy = a ? ARENA_NEW(a, struct graph) : NULL;
	if (!copy) {
		arena_free(a);
		return NULL;
	}
	*copy = *g;
	copy->arena = a;
	copy->file = (struct file_bytes){ 0 }; /* g's to close */
	copy->values = ARENA_ARRAY(a, struct value, (size_t)g->value_count);
	copy->nodes = ARENA_ARRAY(a, struct node, (size_t)g->node_count);
	if (!copy->values || !copy->nodes) {
		graph_free(copy);
		return NULL;
	}
	for (int i = 0; i < g->value_count; i++) {
		if (g->values[i].data && g->values[i].dtype == DTYPE_FLOAT)
			value_floats(&g->values[i]); /* what two graphs share must not move any more */
		copy->values[i] = g->values[i];
	}
	if (g->node_count)
		memcpy(copy->nodes, g->nodes, (size_t)g->node_count * sizeof *g->nodes);
	return copy;
}

/* ---- stored tensors ---- */

/* Copying of a tensor without the removed indices. Behind `last`, the last dimension of which something goes, whole
 * runs of `run` bytes are copied. */
struct cut {
	const struct rewriting *r;
	const struct shape *shape;
	const struct axis *axes[SHAPE_MAX_RANK]; /* NULL: all of the dimension is kept */
	int last;
	size_t run;
	const char *from;
	char *to;
};

static void copy_kept(struct cut *c, int dim)
{
	if (dim > c->last) {
		memcpy(c->to, c->from, c->run);
		c->from += c->run;
		c->to += c->run;
		return;
	}
	size_t step = c->run;
	for (int i = dim + 1; i <= c->last; i++)
		step *= (size_t)c->shape->dim[i];
	const struct axis *a = c->axes[dim];
	for (int64_t i = 0; i < c->shape->dim[dim]; i++) {
		if (a && c->r->removed[c->r->c->class_of[a->first + i]])
			c->from += step;
		else
			copy_kept(c, dim + 1);
	}
}

static enum err copy_data(const struct rewriting *r, struct value *v)
{
	size_t count = (size_t)shape_count(&v->shape, 1), size = dtype_size(v->dtype);
	void *copy = arena_alloc(r->to->arena, count, size);
	if (!copy)
		return no_memory(r->e);
	v->data = memcpy(copy, v->data, count * size);
	return ERR_OK;
}

static enum err cut_value(const struct rewriting *r, int index)
{
	struct value *v = &r->to->values[index];
	struct shape before = v->shape, after = before;
	struct cut c = { .r = r, .shape = &before, .last = -1, .run = dtype_size(v->dtype), .from = v->data };
	for (int dim = 0; dim < before.rank; dim++) {
		after.dim[dim] = rewriting_dim(r, index, dim);
		if (!after.dim[dim] && before.dim[dim])
			return err_set(r->e, ERR_INPUT, "tensor '%.200s': the candidate would remove every channel",
				v->name);
		if (after.dim[dim] == before.dim[dim])
			continue;
		c.axes[dim] = coupling_axis(r->c, index, dim);
		c.last = dim;
	}
	if (c.last < 0)
		return ERR_OK;
	for (int dim = c.last + 1; dim < before.rank; dim++)
		c.run *= (size_t)before.dim[dim];
	c.to = arena_alloc(r->to->arena, (size_t)shape_count(&after, 1), dtype_size(v->dtype));
	if (!c.to)
		return no_memory(r->e);
	v->data = c.to;
	v->shape = after;
	copy_kept(&c, 0);
	return ERR_OK;
}

static enum err cut_tensors(const struct rewriting *r)
{
	enum err err = ERR_OK;
	for (int i = 0; i < r->to->value_count && !err; i++)
		if (r->to->values[i].data)
			err = cut_value(r, i);
	return err;
}

/* What recalibration writes into. */
static enum err own_statistics(const struct rewriting *r)
{
	enum err err = ERR_OK;
	for (int i = 0; i < r->to->node_count; i++) {
		const struct node *n = &r->to->nodes[i];
		for (int k = 3; n->op == OP_BATCH_NORM && !n->opaque && k < 5 && !err; k++)
			if (r->to->values[n->in[k]].data == r->c->g->values[n->in[k]].data)
				err = copy_data(r, &r->to->values[n->in[k]]);
	}
	return err;
}

/* ---- the whole ---- */

static enum err rewrite_nodes(const struct rewriting *r)
{
	enum err err = ERR_OK;
	for (int i = 0; i < r->to->node_count && !err; i++)
		err = rewrite_node(r, i);
	return err;
}

static bool is_computed(const struct graph *g, const struct value *v)
{
	return v->producer >= 0 && !g->nodes[v->producer].opaque;
}

/* Shapes that opaque nodes declare stay as they are. */
static void forget_shapes(struct graph *g)
{
	for (int i = 0; i < g->value_count; i++)
		if (is_computed(g, &g->values[i]))
			g->values[i].shape.rank = -1;
}

static enum err check_shapes(const struct rewriting *r)
{
	char found[128], wanted[128];
	for (int i = 0; i < r->to->value_count; i++) {
		const struct value *v = &r->to->values[i];
		struct shape predicted = r->c->g->values[i].shape;
		if (!is_computed(r->to, v))
			continue;
		for (int dim = 0; dim < predicted.rank; dim++)
			predicted.dim[dim] = rewriting_dim(r, i, dim);
		if (!shape_equal(&v->shape, &predicted))
			return err_set(r->e, ERR_INTERNAL, "'%.200s': is %s after pruning, predicted was %s", v->name,
				shape_text(&v->shape, found), shape_text(&predicted, wanted));
	}
	return ERR_OK;
}

enum err surgery_remove(const struct coupling *c, const bool *removed, struct graph **ret, struct errinfo *e)
{
	struct graph *to = copy_graph(c->g);
	if (!to)
		return no_memory(e);
	struct rewriting r = { .c = c, .removed = removed, .to = to, .e = e };
	enum err err = rewriting_count(&r);
	if (!err)
		err = cut_tensors(&r);
	if (!err)
		err = own_statistics(&r);
	if (!err)
		err = rewrite_nodes(&r);
	if (!err) {
		forget_shapes(to);
		err = graph_infer_shapes(to, e);
	}
	if (!err)
		err = check_shapes(&r);
	if (err)
		graph_free(to);
	else
		*ret = to;
	return err;
}

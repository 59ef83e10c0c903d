/* surgery.c -- channels removed for good.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/surgery.h"

#include <string.h>

#include "evaluator/prune/coupling.h"

static enum err no_memory(struct errinfo *e)
{
	return err_set(e, ERR_MEMORY, "out of memory for the pruned network");
}

/* A graph in an arena of its own that shares names, nodes' inputs and attributes with g. */
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
	copy->values = ARENA_ARRAY(a, struct value, (size_t)g->value_count);
	if (!copy->values) {
		graph_free(copy);
		return NULL;
	}
	memcpy(copy->values, g->values, (size_t)g->value_count * sizeof *g->values);
	return copy;
}

static bool is_removed(const struct coupling *c, const struct axis *a, int i, const bool *removed)
{
	return removed[c->class_of[a->first + i]];
}

/* A copy of v's elements (outer, n, inner) without the removed indices of one dimension; v's shape and data become the
 * result's. */
static enum err cut(const struct coupling *c, const struct axis *a, const bool *removed, struct arena *arena,
	struct value *v, struct errinfo *e)
{
	size_t outer = 1, inner = 1, size = dtype_size(v->dtype);
	int kept = 0;
	for (int i = 0; i < a->n; i++)
		kept += !is_removed(c, a, i, removed);
	if (kept == a->n)
		return ERR_OK;
	if (!kept)
		return err_set(e, ERR_INPUT, "tensor '%.200s': the candidate would remove every channel", v->name);
	for (int i = 0; i < v->shape.rank; i++) {
		if (i < a->dim)
			outer *= (size_t)v->shape.dim[i];
		if (i > a->dim)
			inner *= (size_t)v->shape.dim[i];
	}
	char *to = arena_alloc(arena, outer * (size_t)kept * inner, size);
	if (!to)
		return no_memory(e);
	const char *from = v->data;
	v->data = to;
	v->shape.dim[a->dim] = kept;
	for (size_t o = 0; o < outer; o++)
		for (int i = 0; i < a->n; i++, from += inner * size)
			if (!is_removed(c, a, i, removed)) {
				memcpy(to, from, inner * size);
				to += inner * size;
			}
	return ERR_OK;
}

static enum err copy_data(struct arena *arena, struct value *v, struct errinfo *e)
{
	size_t count = (size_t)shape_count(&v->shape, 1), size = dtype_size(v->dtype);
	void *copy = arena_alloc(arena, count, size);
	if (!copy)
		return no_memory(e);
	v->data = memcpy(copy, v->data, count * size);
	return ERR_OK;
}

static enum err cut_value(const struct coupling *c, const bool *removed, struct graph *to, int index, struct errinfo *e)
{
	struct value *v = &to->values[index];
	const void *before = v->data;
	for (int dim = 0; dim < v->shape.rank; dim++) {
		const struct axis *a = coupling_axis(c, index, dim);
		enum err err = a ? cut(c, a, removed, to->arena, v, e) : ERR_OK;
		if (err)
			return err;
	}
	return v->data == before ? copy_data(to->arena, v, e) : ERR_OK;
}

enum err surgery_remove(const struct coupling *c, const bool *removed, struct graph **ret, struct errinfo *e)
{
	struct graph *to = copy_graph(c->g);
	if (!to)
		return no_memory(e);
	enum err err = ERR_OK;
	for (int i = 0; i < to->value_count && !err; i++) {
		if (to->values[i].data)
			err = cut_value(c, removed, to, i, e);
		else if (to->values[i].producer >= 0)
			to->values[i].shape.rank = -1;
	}
	if (!err)
		err = graph_infer_shapes(to, e);
	if (err)
		graph_free(to);
	else
		*ret = to;
	return err;
}

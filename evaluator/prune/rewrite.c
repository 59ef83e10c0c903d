/* rewrite.c -- operands that name sizes or places, after channels have gone.
 * SPDX-License-Identifier: MIT
 *
 * One function an operator. Each reads the operand as it was and the elements that are kept, and writes another. */
#include "evaluator/prune/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "evaluator/model/operand.h"
#include "evaluator/prune/coupling.h"

static enum err no_memory(const struct rewriting *r)
{
	return err_set(r->e, ERR_MEMORY, "out of memory for the pruned network");
}

/* ---- what is kept ---- */

static bool is_kept(const struct rewriting *r, const struct axis *a, int64_t i)
{
	return !r->removed[r->c->class_of[a->first + i]];
}

/* Of the indices from .. from + count - 1. */
static int64_t kept_within(const struct rewriting *r, int value, int dim, int64_t from, int64_t count)
{
	const struct axis *a = coupling_axis(r->c, value, dim);
	int64_t kept = 0;
	for (int64_t i = from; i < from + count; i++)
		kept += !a || is_kept(r, a, i);
	return kept;
}

int64_t rewriting_dim(const struct rewriting *r, int value, int dim)
{
	int64_t before = r->c->g->values[value].shape.dim[dim];
	int axis = r->c->axis_of[value][dim];
	if (axis < 0)
		return before;
	return before < 0 ? -r->kept[axis] : r->kept[axis];
}

static bool is_changed(const struct rewriting *r, int value, int dim)
{
	return rewriting_dim(r, value, dim) != r->c->g->values[value].shape.dim[dim];
}

static bool any_changed(const struct rewriting *r, int value)
{
	for (int dim = 0; dim < r->c->g->values[value].shape.rank; dim++)
		if (is_changed(r, value, dim))
			return true;
	return false;
}

/* ---- operands of one's own ---- */

static enum err own_attributes(const struct rewriting *r, struct node *n)
{
	struct attribute *own = ARENA_ARRAY(r->to->arena, struct attribute, (size_t)n->attribute_count);
	if (!own)
		return no_memory(r);
	if (n->attribute_count)
		memcpy(own, n->attributes, (size_t)n->attribute_count * sizeof *own);
	n->attributes = own;
	return ERR_OK;
}

static enum err own_ints(const struct rewriting *r, void **ints, size_t count)
{
	int64_t *own = ARENA_ARRAY(r->to->arena, int64_t, count);
	if (!own)
		return no_memory(r);
	if (count)
		memcpy(own, *ints, count * sizeof *own);
	*ints = own;
	return ERR_OK;
}

/* Writes integers where operand_ints has read them, as many or fewer. */
static enum err set_ints(const struct rewriting *r, struct node *n, const char *name, int input, const int64_t *ints,
	size_t count)
{
	const struct attribute *named = name ? node_attribute(n, name) : NULL;
	enum err err = ERR_OK;
	void *own;
	if (named && named->kind == ATTRIBUTE_INTS) {
		size_t at = (size_t)(named - n->attributes);
		err = own_attributes(r, n);
		if (err)
			return err;
		own = n->attributes[at].ints;
		err = own_ints(r, &own, n->attributes[at].count);
		n->attributes[at].ints = own;
	} else {
		struct value *v = &r->to->values[n->in[input]];
		err = own_ints(r, &v->data, (size_t)shape_count(&v->shape, 1));
	}
	if (!err)
		operand_set_ints(r->to, n, name, input, ints, count);
	return err;
}

static enum err set_int(const struct rewriting *r, struct node *n, const char *name, int64_t i)
{
	enum err err = own_attributes(r, n);
	for (int k = 0; !err && k < n->attribute_count; k++)
		if (!strcmp(n->attributes[k].name, name))
			n->attributes[k].i = i;
	return err;
}

/* An operand as it was, copied to be changed; *ret is NULL when there is none. The caller frees. */
static enum err copy_ints(const struct rewriting *r, const struct node *n, const char *name, int input, int64_t **ret,
	size_t *ret_count)
{
	const int64_t *ints;
	*ret = NULL;
	*ret_count = 0;
	if (!operand_ints(r->c->g, n, name, input, &ints, ret_count))
		return ERR_OK;
	*ret = calloc(*ret_count + 1, sizeof **ret);
	if (!*ret)
		return no_memory(r);
	memcpy(*ret, ints, *ret_count * sizeof **ret);
	return ERR_OK;
}

/* The dimension that entry i of a list is about: as `axes` says, or the i-th. */
static int dim_of_entry(const struct rewriting *r, const struct node *n, int axes_input, int rank, size_t i)
{
	const int64_t *axes;
	size_t count;
	if (!operand_ints(r->c->g, n, "axes", axes_input, &axes, &count) || i >= count)
		return (int)i;
	return (int)(axes[i] < 0 ? axes[i] + rank : axes[i]);
}

/* ---- groups ---- */

/* Groups of consecutive channels of x of which something is kept. */
static int64_t kept_groups(const struct rewriting *r, int x, int64_t groups)
{
	int64_t size = r->c->g->values[x].shape.dim[1] / groups, kept = 0;
	for (int64_t i = 0; i < groups; i++)
		kept += kept_within(r, x, 1, i * size, size) > 0;
	return kept;
}

static enum err rewrite_groups(const struct rewriting *r, struct node *n, const char *name)
{
	int64_t groups = node_int(n, name, 1), kept = groups > 1 ? kept_groups(r, n->in[0], groups) : groups;
	return kept == groups ? ERR_OK : set_int(r, n, name, kept);
}

static enum err rewrite_conv(const struct rewriting *r, struct node *n)
{
	return rewrite_groups(r, n, "group");
}

static enum err rewrite_group_norm(const struct rewriting *r, struct node *n)
{
	return rewrite_groups(r, n, "num_groups");
}

/* ---- sizes ---- */

/* -1 (what is left) holds as it is, and so does 0 (as the input has it) for the batch. */
static enum err rewrite_reshape(const struct rewriting *r, struct node *n)
{
	int64_t *sizes;
	size_t count;
	enum err err = any_changed(r, n->out[0]) ? copy_ints(r, n, NULL, 1, &sizes, &count) : ERR_OK;
	if (err || !any_changed(r, n->out[0]))
		return err;
	for (size_t i = 0; i < count; i++)
		if (sizes[i] >= 0 && rewriting_dim(r, n->out[0], (int)i) > 0)
			sizes[i] = rewriting_dim(r, n->out[0], (int)i);
	err = set_ints(r, n, NULL, 1, sizes, count);
	free(sizes);
	return err;
}

/* Sizes stand for the last dimensions of y; 1 leaves a dimension as it is. */
static enum err rewrite_expand(const struct rewriting *r, struct node *n)
{
	int64_t *sizes;
	size_t count;
	enum err err = any_changed(r, n->out[0]) ? copy_ints(r, n, NULL, 1, &sizes, &count) : ERR_OK;
	if (err || !any_changed(r, n->out[0]))
		return err;
	int skipped = r->c->g->values[n->out[0]].shape.rank - (int)count;
	for (size_t i = 0; i < count; i++)
		if (sizes[i] != 1)
			sizes[i] = rewriting_dim(r, n->out[0], (int)i + skipped);
	err = set_ints(r, n, NULL, 1, sizes, count);
	free(sizes);
	return err;
}

static enum err rewrite_resize(const struct rewriting *r, struct node *n)
{
	int64_t *sizes;
	size_t count;
	enum err err = any_changed(r, n->out[0]) ? copy_ints(r, n, NULL, 3, &sizes, &count) : ERR_OK;
	if (err || !any_changed(r, n->out[0]) || !sizes)
		return err; /* scales: those of dimensions that lose something are 1 */
	int rank = r->c->g->values[n->out[0]].shape.rank;
	for (size_t i = 0; i < count; i++)
		sizes[i] = rewriting_dim(r, n->out[0], dim_of_entry(r, n, -1, rank, i));
	err = set_ints(r, n, NULL, 3, sizes, count);
	free(sizes);
	return err;
}

static enum err rewrite_split(const struct rewriting *r, struct node *n)
{
	int axis;
	int64_t *sizes;
	size_t count;
	enum err err = node_axis(n, r->c->g->values[n->in[0]].shape.rank, 0, &axis, r->e);
	if (!err && is_changed(r, n->in[0], axis))
		err = copy_ints(r, n, "split", 1, &sizes, &count);
	if (err || !is_changed(r, n->in[0], axis) || !sizes)
		return err; /* without sizes the parts are equal before and after */
	int64_t at = 0;
	for (size_t i = 0; i < count; i++) {
		int64_t size = sizes[i];
		sizes[i] = kept_within(r, n->in[0], axis, at, size);
		at += size;
	}
	err = set_ints(r, n, "split", 1, sizes, count);
	free(sizes);
	return err;
}

/* ---- places ---- */

static enum err rewrite_slice(const struct rewriting *r, struct node *n)
{
	struct operand_slice s;
	int64_t *starts = NULL, *ends = NULL;
	size_t count, count_ends;
	int rank = r->c->g->values[n->in[0]].shape.rank;
	if (!any_changed(r, n->in[0]))
		return ERR_OK;
	enum err err = operand_slice(r->c->g, n, &s, r->e);
	if (!err)
		err = copy_ints(r, n, "starts", 1, &starts, &count);
	if (!err)
		err = copy_ints(r, n, "ends", 2, &ends, &count_ends);
	for (size_t i = 0; !err && starts && ends && i < count && i < count_ends; i++) {
		int dim = dim_of_entry(r, n, 3, rank, i);
		if (!is_changed(r, n->in[0], dim))
			continue;
		starts[i] = kept_within(r, n->in[0], dim, 0, s.start[dim]);
		ends[i] = starts[i] + rewriting_dim(r, n->out[0], dim);
	}
	if (!err && starts && ends)
		err = set_ints(r, n, "starts", 1, starts, count);
	if (!err && starts && ends)
		err = set_ints(r, n, "ends", 2, ends, count_ends);
	free(starts);
	free(ends);
	return err;
}

/* Indices that are kept, each less by what is gone before it. */
static enum err rewrite_gather(const struct rewriting *r, struct node *n)
{
	int axis;
	int64_t *index = NULL;
	size_t count, kept = 0;
	enum err err = node_axis(n, r->c->g->values[n->in[0]].shape.rank, 0, &axis, r->e);
	if (!err && is_changed(r, n->in[0], axis))
		err = copy_ints(r, n, NULL, 1, &index, &count);
	const struct axis *a = coupling_axis(r->c, n->in[0], axis);
	if (err || !index || !a) {
		free(index);
		return err;
	}
	for (size_t i = 0; i < count; i++) {
		int64_t from = index[i] < 0 ? index[i] + a->n : index[i];
		if (is_kept(r, a, from))
			index[kept++] = kept_within(r, n->in[0], axis, 0, from);
	}
	err = set_ints(r, n, NULL, 1, index, kept);
	free(index);
	return err;
}

static enum err rewrite_pad(const struct rewriting *r, struct node *n)
{
	struct operand_pad p;
	int64_t *pads = NULL;
	size_t count = 0;
	int x = n->in[0], y = n->out[0], rank = r->c->g->values[x].shape.rank;
	if (!any_changed(r, y) && !any_changed(r, x))
		return ERR_OK;
	enum err err = operand_pad(r->c->g, n, &p, r->e);
	if (!err)
		err = copy_ints(r, n, "pads", 1, &pads, &count);
	for (size_t i = 0; !err && i < count / 2; i++) {
		int dim = dim_of_entry(r, n, 3, rank, i);
		int64_t size_x = dim_size(r->c->g->values[x].shape.dim[dim], 1);
		int64_t size_y = dim_size(r->c->g->values[y].shape.dim[dim], 1);
		int64_t begin = p.begin[dim], end = p.end[dim];
		pads[i] = begin < 0 ? -kept_within(r, x, dim, 0, -begin) : kept_within(r, y, dim, 0, begin);
		pads[i + count / 2] = end < 0 ? -kept_within(r, x, dim, size_x + end, -end)
					      : kept_within(r, y, dim, size_y - end, end);
	}
	if (!err && pads)
		err = set_ints(r, n, "pads", 1, pads, count);
	free(pads);
	return err;
}

enum err rewriting_count(struct rewriting *r)
{
	const struct coupling *c = r->c;
	int *kept = ARENA_ARRAY(r->to->arena, int, (size_t)c->axis_count);
	if (!kept)
		return no_memory(r);
	for (int a = 0; a < c->axis_count; a++)
		for (int i = 0; i < c->axes[a].n; i++)
			kept[a] += is_kept(r, &c->axes[a], i);
	r->kept = kept;
	return ERR_OK;
}

enum err rewrite_node(const struct rewriting *r, int index)
{
	static enum err (*const rewrites[OP_COUNT])(const struct rewriting *r, struct node *n) = {
		[OP_CONV] = rewrite_conv,
		[OP_CONV_TRANSPOSE] = rewrite_conv,
		[OP_GROUP_NORM] = rewrite_group_norm,
		[OP_RESHAPE] = rewrite_reshape,
		[OP_EXPAND] = rewrite_expand,
		[OP_RESIZE] = rewrite_resize,
		[OP_SPLIT] = rewrite_split,
		[OP_SLICE] = rewrite_slice,
		[OP_GATHER] = rewrite_gather,
		[OP_PAD] = rewrite_pad,
	};
	struct node *n = &r->to->nodes[index];
	if (n->opaque || n->op >= OP_COUNT || !rewrites[n->op])
		return ERR_OK;
	return rewrites[n->op](r, n);
}

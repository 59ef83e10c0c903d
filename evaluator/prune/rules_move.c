/* rules_move.c -- what operators that move numbers to other places say about channels.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/operand.h"
#include "evaluator/prune/rules.h"

static struct span part(struct span s, int64_t from, int64_t count)
{
	return (struct span){ s.first + (int)from, (int)count };
}

void rule_transpose(struct union_find *u, const struct node *n)
{
	int from[SHAPE_MAX_RANK], rank = u->g->values[n->in[0]].shape.rank;
	enum err err = operand_permutation(u->g, n, rank, from, u->e);
	if (err)
		rules_fail(u, err);
	for (int dim = 0; dim < rank && !u->err; dim++)
		union_find_tie_dims(u, n->in[0], from[dim], n->out[0], dim);
}

/* Ties all dimensions but one. */
static void tie_others(struct union_find *u, int x, int y, int axis)
{
	for (int dim = 0; dim < u->g->values[x].shape.rank; dim++)
		if (dim != axis)
			union_find_tie_dims(u, x, dim, y, dim);
}

void rule_concat(struct union_find *u, const struct node *n)
{
	int axis, rank = u->g->values[n->out[0]].shape.rank, at = 0;
	enum err err = node_axis(n, rank, 1, &axis, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	struct span y = union_find_span(u, n->out[0], axis);
	for (int k = 0; k < n->in_count && !u->err; k++) {
		struct span x = union_find_span(u, n->in[k], axis);
		union_find_tie(u, x, part(y, at, x.n));
		tie_others(u, n->in[k], n->out[0], axis);
		at += x.n;
	}
}

/* Without sizes the parts are equal, and stay so: they go in lock-step. */
static void tie_equal_parts(struct union_find *u, const struct node *n, struct span x)
{
	const int64_t *sizes;
	size_t count;
	if (operand_ints(u->g, n, "split", 1, &sizes, &count) || !n->out_count)
		return;
	int each = x.n / n->out_count;
	if (each * n->out_count != x.n) {
		union_find_freeze(u, x, rules_reader(u, n));
		return;
	}
	for (int i = each; i < x.n; i++)
		union_find_join(u, x.first + i, x.first + i % each);
}

/* A part without a name is no value with a last channel that must stay, but must not become empty either. Parts that
 * go in lock-step can't. */
static void freeze_unnamed_part(struct union_find *u, const struct node *n, int k, struct span x)
{
	const int64_t *sizes;
	size_t count;
	char text[256];
	if (operand_ints(u->g, n, "split", 1, &sizes, &count))
		union_find_freeze(u, x, union_find_reason(u, "output %d of %s has no name", k, node_text(n, text)));
}

void rule_split(struct union_find *u, const struct node *n)
{
	int axis = 0;
	int64_t *sizes = ARENA_ARRAY(u->arena, int64_t, (size_t)n->out_count), at = 0;
	enum err err = sizes ? operand_split(u->g, n, &axis, sizes, u->e) :
			       err_set(u->e, ERR_MEMORY, "out of memory for channel groups");
	if (err) {
		rules_fail(u, err);
		return;
	}
	struct span x = union_find_span(u, n->in[0], axis);
	tie_equal_parts(u, n, x);
	for (int k = 0; k < n->out_count && !u->err; at += sizes[k++]) {
		if (n->out[k] < 0) {
			freeze_unnamed_part(u, n, k, part(x, at, sizes[k]));
			continue;
		}
		union_find_tie(u, part(x, at, sizes[k]), union_find_span(u, n->out[k], axis));
		tie_others(u, n->in[0], n->out[k], axis);
	}
}

/* Of a dimension that is taken in steps nothing may go: what is left would not be evenly spaced. */
void rule_slice(struct union_find *u, const struct node *n)
{
	struct operand_slice s;
	enum err err = operand_slice(u->g, n, &s, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	for (int dim = 0; dim < u->g->values[n->in[0]].shape.rank; dim++) {
		struct span x = union_find_span(u, n->in[0], dim), y = union_find_span(u, n->out[0], dim);
		if (u->err)
			return;
		if (s.step[dim] == 1) {
			union_find_tie(u, part(x, s.start[dim], y.n), y);
		} else {
			union_find_freeze(u, x, rules_reader(u, n));
			union_find_freeze(u, y, rules_reader(u, n));
		}
	}
}

/* Indices of rank 0 take one channel out, which must stay; those of rank 1 pick channels. */
static void tie_picked(struct union_find *u, const struct node *n, struct span x, struct span y, int rank)
{
	const int64_t *index = NULL;
	size_t count = 0;
	bool given = operand_ints(u->g, n, NULL, 1, &index, &count);
	if (!given || rank > 1) {
		union_find_freeze(u, x, rules_reader(u, n));
		return;
	}
	for (size_t i = 0; i < count && !u->err; i++) {
		int from = (int)(index[i] < 0 ? index[i] + x.n : index[i]);
		if (from < 0 || from >= x.n)
			rules_fail(u, err_set(u->e, ERR_INTERNAL, "an index of a Gather is %d of %d", from, x.n));
		else if (rank == 0)
			union_find_freeze(u, part(x, from, 1), rules_reader(u, n));
		else
			union_find_join(u, x.first + from, y.first + (int)i);
	}
}

void rule_gather(struct union_find *u, const struct node *n)
{
	const struct shape *x = &u->g->values[n->in[0]].shape;
	int axis, rank = u->g->values[n->in[1]].shape.rank;
	enum err err = node_axis(n, x->rank, 0, &axis, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	for (int dim = 0; dim < x->rank; dim++)
		if (dim != axis)
			union_find_tie_dims(u, n->in[0], dim, n->out[0], dim < axis ? dim : dim + rank - 1);
	for (int dim = axis; rank > 1 && dim < axis + rank; dim++)
		union_find_freeze_dim(u, n->out[0], dim, rules_reader(u, n));
	struct span y = rank == 1 ? union_find_span(u, n->out[0], axis) : (struct span){ 0, 0 };
	tie_picked(u, n, union_find_span(u, n->in[0], axis), y, rank);
}

void rule_expand(struct union_find *u, const struct node *n)
{
	rules_tie_broadcast(u, n->in[0], n->out[0]);
}

/* Index i is index i % size. */
void rule_tile(struct union_find *u, const struct node *n)
{
	for (int dim = 0; dim < u->g->values[n->in[0]].shape.rank; dim++) {
		struct span x = union_find_span(u, n->in[0], dim), y = union_find_span(u, n->out[0], dim);
		for (int i = 0; i < y.n && x.n; i++)
			union_find_join(u, x.first + i % x.n, y.first + i);
	}
}

/* Numbers that are added go with whatever they meet later. Where copies of others are added nothing may go. */
void rule_pad(struct union_find *u, const struct node *n)
{
	struct operand_pad p;
	enum err err = operand_pad(u->g, n, &p, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	for (int dim = 0; dim < u->g->values[n->in[0]].shape.rank; dim++) {
		struct span x = union_find_span(u, n->in[0], dim), y = union_find_span(u, n->out[0], dim);
		int64_t begin = p.begin[dim], end = p.end[dim];
		if (u->err)
			return;
		if (p.mode != 'c' && (begin || end)) {
			union_find_freeze(u, x, rules_reader(u, n));
			union_find_freeze(u, y, rules_reader(u, n));
			continue;
		}
		int64_t from_x = begin < 0 ? -begin : 0, from_y = begin > 0 ? begin : 0;
		int64_t count = x.n - from_x + (end < 0 ? end : 0);
		if (count > 0)
			union_find_tie(u, part(x, from_x, count), part(y, from_y, count));
	}
}

/* ---- channels to places and back ---- */

static void freeze_places(struct union_find *u, const struct node *n)
{
	union_find_tie_dims(u, n->in[0], 0, n->out[0], 0);
	for (int dim = 2; dim < 4; dim++) {
		union_find_freeze_dim(u, n->in[0], dim, "spatial position");
		union_find_freeze_dim(u, n->out[0], dim, "spatial position");
	}
}

/* Channel i of x is place i / (n of y) of channel i % (n of y) in mode DCR, the other way round in CRD. */
void rule_depth_to_space(struct union_find *u, const struct node *n)
{
	const struct attribute *mode = node_attribute(n, "mode");
	struct span x = union_find_span(u, n->in[0], 1), y = union_find_span(u, n->out[0], 1);
	bool channels_first = mode && mode->s && mode->s[0] == 'C';
	int places = y.n ? x.n / y.n : 1;
	freeze_places(u, n);
	for (int i = 0; i < x.n && y.n; i++)
		union_find_join(u, x.first + i, y.first + (channels_first ? i / places : i % y.n));
}

/* Channel i of y is place i / (n of x) of channel i % (n of x). */
void rule_space_to_depth(struct union_find *u, const struct node *n)
{
	struct span x = union_find_span(u, n->in[0], 1), y = union_find_span(u, n->out[0], 1);
	freeze_places(u, n);
	for (int i = 0; i < y.n && x.n; i++)
		union_find_join(u, x.first + i % x.n, y.first + i);
}

/* Dimensions that are scaled are places, though their size may stay: 12 indices 1.05 times as large are 12. */
void rule_resize(struct union_find *u, const struct node *n)
{
	const struct shape *x = &u->g->values[n->in[0]].shape, *y = &u->g->values[n->out[0]].shape;
	struct operand_resize r;
	enum err err = operand_resize(u->g, n, &r, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	for (int dim = 0; dim < x->rank; dim++) {
		if (x->dim[dim] == y->dim[dim] && r.scale[dim] == 1) {
			union_find_tie_dims(u, n->in[0], dim, n->out[0], dim);
			continue;
		}
		union_find_freeze_dim(u, n->in[0], dim, rules_reader(u, n));
		union_find_freeze_dim(u, n->out[0], dim, rules_reader(u, n));
	}
}

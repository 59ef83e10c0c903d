/* resolve.c -- nodes freed of the batch size that a file was written with.
 * SPDX-License-Identifier: MIT
 *
 * A file says how large a batch is in three ways: by arithmetic on shapes, which fold.c has turned into whole numbers
 * with slopes; by the number that was declared for its inputs, which then stands in many a constant; or not at all.
 * Here all become one: -1 in a Reshape, negative sizes in an Expand or a Resize, nothing anywhere else. */
#include <string.h>

#include "evaluator/model/fold.h"
#include "evaluator/model/operand.h"
#include "evaluator/model/shape.h"

static struct value *input(struct reader *r, const struct node *n, int i)
{
	return i < n->in_count && n->in[i] >= 0 ? &r->g->values[n->in[i]] : NULL;
}

/* Input i becomes a stored tensor of these whole numbers that no other node reads. */
static enum err set_operand(
	struct reader *r, struct node *n, int i, const int64_t *numbers, size_t count, bool batch_sizes)
{
	struct value v = { .dtype = DTYPE_INT64,
		.file_type = DTYPE_INT64,
		.shape = { 1, { (int64_t)count } },
		.producer = -1,
		.batch_sizes = batch_sizes };
	v.data = arena_alloc(r->g->arena, count, sizeof *numbers);
	if (!v.data)
		return reader_no_memory(r);
	if (count)
		memcpy(v.data, numbers, count * sizeof *numbers);
	return reader_invent(r, n->name, &v, &n->in[i]);
}

enum err reader_own_sizes(struct reader *r, struct node *n, int i)
{
	const struct value *v = input(r, n, i);
	const int64_t *base = v->data, *slope = r->slope[n->in[i]];
	int64_t sizes[SHAPE_MAX_RANK], count = shape_count(&v->shape, 1);
	bool any = false;
	if (v->dtype != DTYPE_INT64 || v->shape.rank != 1 || count > SHAPE_MAX_RANK)
		return fold_refuse(r, n, "reads sizes that are no list of whole numbers");
	for (int64_t k = 0; k < count; k++) {
		bool batch = slope && slope[k];
		if (batch ? slope[k] < 0 || base[k] : slope && base[k] < 0)
			return fold_refuse(r, n, "reads a size that is no multiple of the batch");
		sizes[k] = batch ? -slope[k] : base[k];
		any = any || (slope && slope[k]);
	}
	return set_operand(r, n, i, sizes, (size_t)count, any);
}

/* ---- Reshape ---- */

/* Elements of dimensions first .. last - 1 of a shape whose batch is one. */
static int64_t product(const struct shape *s, int first, int last)
{
	int64_t n = 1;
	for (int i = first; i < last; i++)
		n *= dim_size(s->dim[i], 1);
	return n;
}

/* Elements that stand before the batch in memory order: those of the dimensions before its own, and the part of its own
 * that is outside of it. A dimension of 12 x batch may be (batch, 12), as after joining (batch, 12, 64) and (12 x
 * batch, 64), or (12, batch). */
static int64_t before_batch(struct reader *r, int value)
{
	const struct shape *s = &r->g->values[value].shape;
	int64_t outer = r->outer[value] ? r->outer[value] : 1;
	return product(s, 0, shape_batch_axis(s)) * outer;
}

/* Whether dimension i of sizes that were written for a batch of `declared` may hold it, `seen` elements standing
 * before. */
static bool may_hold(const struct shape *s, int i, int64_t seen, int64_t before, int64_t declared)
{
	int64_t own = s->dim[i] / declared;
	return s->dim[i] % declared == 0 && seen <= before && before % seen == 0 && own % (before / seen) == 0;
}

/* The dimension that the batch is most likely in, of those that it may be in: one that is nothing else; one that begins
 * with it, but features come last and are kept apart; any. With a declared batch of 1 there may be several. */
static int likely_axis(const struct shape *s, int64_t before, int64_t declared)
{
	int64_t seen = 1;
	int begins = -1, any = -1;
	for (int i = 0; i < s->rank; seen *= s->dim[i++]) {
		if (!may_hold(s, i, seen, before, declared))
			continue;
		if (seen == before && s->dim[i] == declared)
			return i;
		if (seen == before && (i < s->rank - 1 || any < 0))
			begins = i;
		any = any < 0 ? i : any;
	}
	return begins >= 0 ? begins : any;
}

/* The numbers are those of a batch of `declared`. */
static bool place_batch(const struct shape *x, int64_t before, int64_t declared, const int64_t *target, struct shape *s)
{
	int64_t whole, known = 1;
	if (__builtin_mul_overflow(product(x, 0, x->rank), declared, &whole))
		return false;
	for (int i = 0; i < s->rank; i++)
		if (target[i] != -1 && __builtin_mul_overflow(known, target[i] ? target[i] : x->dim[i], &known))
			return false;
	for (int i = 0; i < s->rank; i++) {
		s->dim[i] = target[i] == -1 ? whole / (known ? known : 1) : target[i] ? target[i] : x->dim[i];
		if (s->dim[i] < 1)
			return false;
	}
	if (product(s, 0, s->rank) != whole)
		return false;
	int axis = likely_axis(s, before, declared);
	if (axis < 0)
		return false;
	s->dim[axis] /= -declared;
	return true;
}

/* Sizes that name the batch: by a slope, or by copying the dimension. */
static bool names_batch(const struct shape *x, const int64_t *target, const int64_t *slope, int rank)
{
	for (int i = 0; i < rank; i++)
		if ((slope && slope[i]) || (target[i] == 0 && i < x->rank && x->dim[i] < 0))
			return true;
	return false;
}

/* -1 is what is left; the batch is where it is named. */
static bool place_named(const struct shape *x, const int64_t *target, const int64_t *slope, struct shape *s)
{
	int open = -1;
	int64_t known = 1, whole = -product(x, 0, x->rank);
	for (int i = 0; i < s->rank; i++) {
		bool batch = slope && slope[i];
		if (batch && (target[i] || slope[i] < 0))
			return false;
		s->dim[i] = batch ? -slope[i] : target[i] == 0 && i < x->rank ? x->dim[i] : target[i];
		if (target[i] == -1 && !batch) {
			if (open >= 0)
				return false;
			open = i;
		} else if (s->dim[i] == 0 || __builtin_mul_overflow(known, s->dim[i], &known)) {
			return false;
		}
	}
	if (open >= 0)
		s->dim[open] = whole / known;
	return open < 0 ? known == whole : s->dim[open] * known == whole && s->dim[open] > 0;
}

static enum err resolve_reshape(struct reader *r, struct node *n)
{
	const struct value *x = input(r, n, 0), *sizes = input(r, n, 1);
	int64_t target[SHAPE_MAX_RANK];
	int64_t count = sizes->data && sizes->dtype == DTYPE_INT64 ? shape_count(&sizes->shape, 1) : -1;
	struct shape s = { .rank = (int)count };
	bool open = false;
	if (count < 0 || count > SHAPE_MAX_RANK || x->shape.rank < 0 || shape_batch_axis(&x->shape) < 0)
		return fold_refuse(r, n, "reshapes to what is not known");
	const int64_t *base = sizes->data, *slope = r->slope[n->in[1]];
	for (int i = 0; i < s.rank; i++)
		open = open || base[i] == -1;
	bool named = names_batch(&x->shape, base, slope, s.rank);
	int64_t declared = r->g->batch_size ? r->g->batch_size : 1;
	if (named ? !place_named(&x->shape, base, slope, &s)
		  : (r->g->batch_size || !open) &&
				!place_batch(&x->shape, before_batch(r, n->in[0]), declared, base, &s))
		return fold_refuse(r, n, "its shape does not fit its input, whatever the batch");
	for (int i = 0; i < s.rank; i++)
		target[i] = named || r->g->batch_size || !open ? (s.dim[i] < 0 ? -1 : s.dim[i]) : base[i];
	return set_operand(r, n, 1, target, (size_t)count, false);
}

int64_t reader_outer(struct reader *r, const struct node *n, const struct shape *out)
{
	int axis = out->rank > 0 ? shape_batch_axis(out) : -1;
	for (int i = 0; i < n->in_count && axis >= 0; i++) {
		const struct value *v = input(r, n, i);
		int from = v && !v->data && v->shape.rank > 0 ? shape_batch_axis(&v->shape) : -1;
		if (from < 0)
			continue;
		if (n->op == OP_RESHAPE || n->op == OP_FLATTEN) {
			int64_t before = before_batch(r, n->in[i]), seen = product(out, 0, axis);
			return before % seen ? 1 : before / seen;
		}
		if (v->shape.dim[from] == out->dim[axis])
			return r->outer[n->in[i]];
	}
	return 1;
}

/* ---- Expand, and what is one ---- */

static void become_expand(struct node *n)
{
	n->op = OP_EXPAND;
	n->type = op_table[OP_EXPAND].name;
	n->attribute_count = 0;
	n->in_count = 2;
}

/* One number in every place: it is expanded to the sizes. */
static enum err resolve_fill(struct reader *r, struct node *n)
{
	if (input(r, n, 1)->dtype != DTYPE_FLOAT)
		return fold_refuse(r, n, "fills a tensor whose size is that of the batch with what is not float");
	int sizes = n->in[0];
	n->in[0] = n->in[1];
	n->in[1] = sizes;
	become_expand(n);
	return reader_own_sizes(r, n, 1);
}

/* Repeated along dimensions of size 1. */
static enum err resolve_tile(struct reader *r, struct node *n)
{
	const struct shape *x = &input(r, n, 0)->shape;
	if (!input(r, n, 1)->data || !r->slope[n->in[1]])
		return ERR_OK;
	enum err err = reader_own_sizes(r, n, 1);
	if (err)
		return err;
	const struct value *sizes = input(r, n, 1);
	for (int64_t i = 0; i < sizes->shape.dim[0] && i < x->rank; i++)
		if (x->dim[i] != 1 && ((int64_t *)sizes->data)[i] != 1)
			return fold_refuse(r, n, "repeats as often as the batch is large");
	become_expand(n);
	return ERR_OK;
}

/* Sizes that are given for a batch of the declared number say nothing more than the input does. */
static enum err resolve_expand(struct reader *r, struct node *n)
{
	const struct shape *x = &input(r, n, 0)->shape;
	if (!input(r, n, 1)->data)
		return ERR_OK;
	enum err err = reader_own_sizes(r, n, 1);
	if (err)
		return err;
	const struct value *sizes = input(r, n, 1);
	int64_t *size = sizes->data;
	for (int i = 0; i < x->rank; i++) {
		int64_t at = i + sizes->shape.dim[0] - x->rank;
		if (at >= 0 && x->dim[i] < 0 && r->g->batch_size && size[at] == -x->dim[i] * r->g->batch_size)
			size[at] = 1;
	}
	return ERR_OK;
}

static enum err resolve_resize(struct reader *r, struct node *n)
{
	const struct shape *x = &input(r, n, 0)->shape;
	struct value *sizes = input(r, n, 3);
	if (n->op == OP_UPSAMPLE || !sizes || !sizes->data)
		return ERR_OK;
	enum err err = reader_own_sizes(r, n, 3);
	if (err)
		return err;
	sizes = input(r, n, 3);
	int64_t *size = sizes->data;
	for (int i = 0; i < x->rank && i < sizes->shape.dim[0]; i++)
		if (x->dim[i] == DIM_BATCH && r->g->batch_size && size[i] == r->g->batch_size) {
			size[i] = DIM_BATCH;
			sizes->batch_sizes = true;
		}
	return ERR_OK;
}

/* ---- Squeeze ---- */

/* Without axes it means dimensions of size 1 as they are now: they are named, because pruning makes others. */
static enum err resolve_squeeze(struct reader *r, struct node *n)
{
	const struct shape *x = &input(r, n, 0)->shape;
	const int64_t *unused;
	size_t count;
	int64_t axes[SHAPE_MAX_RANK];
	int named = 0;
	if (input(r, n, 1) || operand_ints(r->g, n, "axes", -1, &unused, &count))
		return ERR_OK;
	if (r->g->batch_size == 1)
		return fold_refuse(r, n, "drops dimensions of size 1, and the batch is declared as one");
	for (int i = 0; i < x->rank; i++)
		if (x->dim[i] == 1)
			axes[named++] = i;
	if (r->g->opset >= 13) {
		n->in_count = 2;
		return set_operand(r, n, 1, axes, (size_t)named, false);
	}
	struct attribute *a = ARENA_NEW(r->g->arena, struct attribute);
	int64_t *copy = ARENA_ARRAY(r->g->arena, int64_t, (size_t)named);
	if (!a || !copy)
		return reader_no_memory(r);
	memcpy(copy, axes, (size_t)named * sizeof *copy);
	*a = (struct attribute){ .name = "axes", .kind = ATTRIBUTE_INTS, .ints = copy, .count = (size_t)named };
	n->attributes = a;
	n->attribute_count = 1;
	return ERR_OK;
}

/* ---- stored tensors that hold the same for every image of the declared batch ---- */

/* The first part of `parts` equal ones along an axis; false when they differ. */
static bool first_part(const struct value *v, int axis, int64_t parts, char *to)
{
	int64_t outer = product(&v->shape, 0, axis), row = product(&v->shape, axis, v->shape.rank);
	size_t part = (size_t)(row / parts) * dtype_size(v->dtype);
	const char *from = v->data;
	for (int64_t o = 0; o < outer; o++)
		for (int64_t i = 0; i < parts; i++, from += part) {
			if (i == 0)
				memcpy(to + (size_t)o * part, from, part);
			else if (memcmp(to + (size_t)o * part, from, part))
				return false;
		}
	return true;
}

/* Input i, stored, has the declared batch along `axis`; there it gets size 1. */
static enum err take_one(struct reader *r, struct node *n, int i, int axis)
{
	struct value one = *input(r, n, i);
	int64_t parts = one.shape.dim[axis];
	char *data = arena_alloc(r->g->arena, (size_t)(shape_count(&one.shape, 1) / parts), dtype_size(one.dtype));
	if (!data)
		return reader_no_memory(r);
	if (!first_part(&one, axis, parts, data))
		return fold_refuse(r, n, "reads stored numbers that differ from image to image of a batch");
	one.data = data;
	one.shape.dim[axis] = 1;
	return reader_invent(r, one.name, &one, &n->in[i]);
}

/* Input i, of size 1 along `axis`, is expanded to the batch by a node of its own. */
static enum err expand_one(struct reader *r, struct node *n, int i, int axis)
{
	struct graph *g = r->g;
	struct shape s = input(r, n, i)->shape;
	struct node expand = { .name = n->name,
		.op = OP_EXPAND,
		.type = op_table[OP_EXPAND].name,
		.domain = "",
		.in = ARENA_ARRAY(g->arena, int, 2),
		.in_count = 2,
		.out = ARENA_ARRAY(g->arena, int, 1),
		.out_count = 1 };
	if (!expand.in || !expand.out)
		return reader_no_memory(r);
	s.dim[axis] = DIM_BATCH;
	expand.in[0] = n->in[i];
	enum err err = set_operand(r, &expand, 1, s.dim, (size_t)s.rank, true);
	struct value v = { .dtype = DTYPE_FLOAT, .file_type = DTYPE_FLOAT, .shape = s, .producer = g->node_count };
	if (!err)
		err = reader_invent(r, n->name, &v, &expand.out[0]);
	if (err)
		return err;
	expand.name = g->values[expand.out[0]].name; /* one of its own: names of nodes must differ too */
	r->uses[expand.in[0]]++;
	g->nodes[g->node_count++] = expand;
	n->in[i] = expand.out[0];
	return ERR_OK;
}

/* The batch's place, counted from the last dimension, among the computed inputs. */
static int batch_from_end(struct reader *r, const struct node *n)
{
	for (int i = 0; i < n->in_count; i++) {
		const struct value *v = input(r, n, i);
		int axis = v && !v->data && v->shape.rank > 0 ? shape_batch_axis(&v->shape) : -1;
		if (axis >= 0 && v->shape.dim[axis] == DIM_BATCH)
			return v->shape.rank - axis;
	}
	return 0;
}

static enum err resolve_stored(struct reader *r, struct node *n)
{
	int from_end = batch_from_end(r, n);
	for (int i = 0; i < n->in_count && from_end; i++) {
		const struct value *v = input(r, n, i);
		int axis = v ? v->shape.rank - from_end : -1;
		if (!v || !v->data || v->dtype != DTYPE_FLOAT || axis < 0 || v->shape.dim[axis] != r->g->batch_size)
			continue;
		enum err err = v->shape.dim[axis] > 1 ? take_one(r, n, i, axis) : ERR_OK;
		if (!err && n->op == OP_CONCAT)
			err = expand_one(r, n, i, axis);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- the whole ---- */

/* Operands are changed when channels go, and a batch-norm's statistics when they are measured again: each has tensors
 * of its own, also when a file lets several nodes read one. */
static bool is_read(const struct reader *r, const struct node *n, int i)
{
	for (int k = 0; k < n->in_count; k++)
		if (k != i && n->in[k] == n->in[i])
			return true;
	return r->uses[n->in[i]] > 0;
}

static enum err own_operands(struct reader *r, struct node *n)
{
	for (int i = 0; i < n->in_count; i++) {
		const struct value *v = input(r, n, i);
		bool statistics = n->op == OP_BATCH_NORM && i >= 3;
		if (!v || !v->data || (v->dtype != DTYPE_INT64 && !statistics))
			continue;
		if (r->slope[n->in[i]])
			return fold_refuse(r, n, "is steered by a number that depends on the batch");
		enum err err = is_read(r, n, i) ? reader_copy(r, n->in[i], &n->in[i]) : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

/* An exponent may be a whole number. */
static enum err resolve_pow(struct reader *r, struct node *n)
{
	const struct value *exponent = input(r, n, 1);
	if (!exponent->data || exponent->dtype == DTYPE_FLOAT || r->slope[n->in[1]])
		return resolve_stored(r, n);
	struct value real = *exponent;
	int64_t count = shape_count(&real.shape, 1);
	real.dtype = DTYPE_FLOAT;
	real.file_type = DTYPE_FLOAT;
	real.data = ARENA_ARRAY(r->g->arena, float, (size_t)count);
	if (!real.data)
		return reader_no_memory(r);
	for (int64_t i = 0; i < count; i++)
		((float *)real.data)[i] = (float)((const int64_t *)exponent->data)[i];
	enum err err = reader_invent(r, exponent->name, &real, &n->in[1]);
	return err ? err : resolve_stored(r, n);
}

typedef enum err resolve_rule(struct reader *r, struct node *n);

static resolve_rule *rule_of(const struct node *n)
{
	switch ((int)n->op) {
	case OP_RESHAPE:
		return resolve_reshape;
	case OP_EXPAND:
		return resolve_expand;
	case OP_TILE:
		return resolve_tile;
	case OP_CONSTANT_OF_SHAPE:
		return resolve_fill;
	case OP_RESIZE:
	case OP_UPSAMPLE:
		return resolve_resize;
	case OP_POW:
		return resolve_pow;
	case OP_SQUEEZE:
		return resolve_squeeze;
	case OP_CONCAT:
		return resolve_stored;
	default:
		return op_is_broadcast(n->op) ? resolve_stored : NULL;
	}
}

static bool is_known(struct reader *r, const struct node *n)
{
	for (int i = 0; i < n->in_count; i++)
		if (input(r, n, i) && input(r, n, i)->shape.rank < 0)
			return false;
	return true;
}

enum err reader_resolve(struct reader *r, struct node *n)
{
	resolve_rule *rule = is_known(r, n) ? rule_of(n) : NULL;
	enum err err = rule ? rule(r, n) : ERR_OK;
	return err ? err : own_operands(r, n);
}

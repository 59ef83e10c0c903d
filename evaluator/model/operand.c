/* operand.c -- numbers that steer an operator: axes, sizes, bounds.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/operand.h"

#include <math.h>
#include <string.h>

bool operand_ints(const struct graph *g, const struct node *n, const char *name, int input, const int64_t **ret,
	size_t *ret_count)
{
	const struct attribute *a = name ? node_attribute(n, name) : NULL;
	const struct value *v = input >= 0 ? node_input(g, n, input) : NULL;
	if (a && a->kind == ATTRIBUTE_INTS) {
		*ret = a->ints;
		*ret_count = a->count;
		return true;
	}
	if (!v || !v->data || v->dtype != DTYPE_INT64)
		return false;
	*ret = v->data;
	*ret_count = (size_t)shape_count(&v->shape, 1);
	return true;
}

float operand_float(const struct graph *g, const struct node *n, const char *name, int input, float otherwise)
{
	const struct value *v = node_input(g, n, input);
	if (v && v->data && v->dtype == DTYPE_FLOAT && shape_count(&v->shape, 1) == 1)
		return *(const float *)v->data;
	return node_float(n, name, otherwise);
}

void operand_set_ints(struct graph *g, struct node *n, const char *name, int input, const int64_t *ints, size_t count)
{
	for (int i = 0; name && i < n->attribute_count; i++) {
		struct attribute *a = &n->attributes[i];
		if (strcmp(a->name, name) || a->kind != ATTRIBUTE_INTS)
			continue;
		memcpy(a->ints, ints, count * sizeof *ints);
		a->count = count;
		return;
	}
	struct value *v = &g->values[n->in[input]];
	memcpy(v->data, ints, count * sizeof *ints);
	if (v->shape.rank == 1)
		v->shape.dim[0] = (int64_t)count;
}

/* ---- axes ---- */

static enum err mark_axis(const struct node *n, int64_t axis, int rank, bool marks[SHAPE_MAX_RANK], struct errinfo *e)
{
	char text[256];
	int64_t at = axis < 0 ? axis + rank : axis;
	if (at < 0 || at >= rank || marks[at])
		return err_set(e, ERR_INPUT, "%s: 'axes' has %lld, expected each of %d to %d at most once",
			node_text(n, text), (long long)axis, -rank, rank - 1);
	marks[at] = true;
	return ERR_OK;
}

enum err operand_axes(
	const struct graph *g, const struct node *n, int rank, bool ret[SHAPE_MAX_RANK], struct errinfo *e)
{
	const int64_t *axes = NULL;
	size_t count = 0;
	bool marks[SHAPE_MAX_RANK] = { false };
	operand_ints(g, n, "axes", 1, &axes, &count);
	bool all = op_is_reduce(n->op) && !count && !node_int(n, "noop_with_empty_axes", 0);
	for (size_t i = 0; i < count; i++) {
		enum err err = mark_axis(n, axes[i], rank, marks, e);
		if (err)
			return err;
	}
	for (int i = 0; i < SHAPE_MAX_RANK; i++)
		ret[i] = (all && i < rank) || marks[i];
	return ERR_OK;
}

enum err operand_permutation(
	const struct graph *g, const struct node *n, int rank, int ret[SHAPE_MAX_RANK], struct errinfo *e)
{
	char text[256];
	const int64_t *perm;
	size_t count;
	bool seen[SHAPE_MAX_RANK] = { false };
	int out[SHAPE_MAX_RANK] = { 0 };
	if (!operand_ints(g, n, "perm", -1, &perm, &count)) {
		for (int i = 0; i < rank; i++)
			ret[i] = rank - 1 - i;
		return ERR_OK;
	}
	for (size_t i = 0; i < count && count == (size_t)rank; i++) {
		if (perm[i] < 0 || perm[i] >= rank || seen[perm[i]])
			break;
		seen[perm[i]] = true;
		out[i] = (int)perm[i];
	}
	for (int i = 0; i < rank; i++)
		if (!seen[i])
			return err_set(e, ERR_INPUT, "%s: attribute 'perm' is not an order of %d dimensions",
				node_text(n, text), rank);
	memcpy(ret, out, sizeof out);
	return ERR_OK;
}

/* ---- slices ---- */

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* One axis of size n: numpy's rules, with everything out of range brought to the ends. */
static void slice_axis(int64_t n, int64_t start, int64_t end, int64_t step, struct operand_slice *s, int axis)
{
	int64_t from = start < 0 ? start + n : start, to = end < 0 ? (end < -n ? -n - 1 : end) + n : end;
	if (step > 0) {
		from = clamp(from, 0, n);
		to = clamp(to, 0, n);
		s->count[axis] = to > from ? (to - from - 1) / step + 1 : 0;
	} else {
		from = clamp(from, -1, n - 1);
		to = clamp(to, -1, n - 1);
		s->count[axis] = from > to ? (from - to - 1) / -step + 1 : 0;
	}
	s->start[axis] = from;
	s->step[axis] = step;
}

/* The batch may only be taken whole. */
static enum err slice_batch(const struct node *n, int64_t start, int64_t end, int64_t step, int64_t declared,
	struct errinfo *e)
{
	char text[256];
	if (start == 0 && step == 1 && (end >= INT32_MAX || (declared && end >= declared)))
		return ERR_OK;
	return err_set(e, ERR_UNSUPPORTED, "%s: takes a part of the batch", node_text(n, text));
}

struct slice_lists {
	const int64_t *start, *end, *axis, *step;
	size_t start_count, end_count, axis_count, step_count;
};

static enum err slice_lists(const struct graph *g, const struct node *n, struct slice_lists *ret, struct errinfo *e)
{
	char text[256];
	struct slice_lists l = { 0 };
	if (!operand_ints(g, n, "starts", 1, &l.start, &l.start_count) ||
		!operand_ints(g, n, "ends", 2, &l.end, &l.end_count))
		return err_set(e, ERR_INPUT, "%s: has no starts or no ends", node_text(n, text));
	bool axes = operand_ints(g, n, "axes", 3, &l.axis, &l.axis_count);
	bool steps = operand_ints(g, n, NULL, 4, &l.step, &l.step_count);
	if (l.end_count != l.start_count || (axes && l.axis_count != l.start_count) ||
		(steps && l.step_count != l.start_count) || l.start_count > SHAPE_MAX_RANK)
		return err_set(e, ERR_INPUT, "%s: starts, ends, axes and steps differ in length", node_text(n, text));
	*ret = l;
	return ERR_OK;
}

enum err operand_slice(const struct graph *g, const struct node *n, struct operand_slice *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	struct slice_lists l = { 0 };
	struct operand_slice s = { 0 };
	bool seen[SHAPE_MAX_RANK] = { false };
	enum err err = slice_lists(g, n, &l, e);
	for (int i = 0; i < x->rank && !err; i++) {
		s.step[i] = 1;
		s.count[i] = x->dim[i];
	}
	for (size_t i = 0; i < l.start_count && !err; i++) {
		int64_t named = l.axis ? l.axis[i] : (int64_t)i, step = l.step ? l.step[i] : 1;
		err = mark_axis(n, named, x->rank, seen, e);
		if (err)
			break;
		int axis = (int)(named < 0 ? named + x->rank : named);
		if (step == 0 || step == INT64_MIN)
			err = err_set(e, ERR_INPUT, "%s: a step is %lld", node_text(n, text), (long long)step);
		else if (x->dim[axis] < 0)
			err = slice_batch(n, l.start[i], l.end[i], step, -x->dim[axis] * g->batch_size, e);
		else
			slice_axis(x->dim[axis], l.start[i], l.end[i], step, &s, axis);
	}
	if (!err)
		*ret = s;
	return err;
}

/* ---- pads ---- */

static enum err pad_mode(const struct node *n, char *ret, struct errinfo *e)
{
	char text[256];
	const struct attribute *a = node_attribute(n, "mode");
	const char *mode = a ? a->s : "constant";
	if (strcmp(mode, "constant") && strcmp(mode, "reflect") && strcmp(mode, "edge"))
		return err_set(e, ERR_UNSUPPORTED,
			"%s: attribute 'mode' is '%.40s', expected constant, reflect or edge", node_text(n, text),
			mode);
	*ret = *mode;
	return ERR_OK;
}

/* A side's padding must leave something, and a reflection needs as much to reflect. */
static enum err check_pad(const struct node *n, const struct shape *x, const struct operand_pad *p, struct errinfo *e)
{
	char text[256];
	const int64_t most = 1 << 24;
	for (int i = 0; i < x->rank; i++) {
		bool fits = p->begin[i] > -most && p->begin[i] < most && p->end[i] > -most && p->end[i] < most;
		bool moved = p->begin[i] || p->end[i];
		if (x->dim[i] < 0 && moved)
			return err_set(e, ERR_UNSUPPORTED, "%s: pads the batch", node_text(n, text));
		if (!fits || (x->dim[i] > 0 && x->dim[i] + p->begin[i] + p->end[i] < 1) ||
			(p->mode == 'r' && moved && (p->begin[i] >= x->dim[i] || p->end[i] >= x->dim[i])))
			return err_set(e, ERR_INPUT, "%s: pads dimension %d by %lld and %lld, which does not fit",
				node_text(n, text), i, (long long)p->begin[i], (long long)p->end[i]);
		if (p->mode != 'c' && (p->begin[i] < 0 || p->end[i] < 0))
			return err_set(e, ERR_UNSUPPORTED, "%s: negative pads with a mode that is not constant",
				node_text(n, text));
	}
	return ERR_OK;
}

enum err operand_pad(const struct graph *g, const struct node *n, struct operand_pad *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const int64_t *pads, *axes = NULL;
	size_t count, named = (size_t)x->rank;
	struct operand_pad p = { .value = operand_float(g, n, "value", 2, 0.0f) };
	bool seen[SHAPE_MAX_RANK] = { false };
	enum err err = pad_mode(n, &p.mode, e);
	if (err)
		return err;
	operand_ints(g, n, NULL, 3, &axes, &named);
	if (!operand_ints(g, n, "pads", 1, &pads, &count) || count != 2 * named || named > SHAPE_MAX_RANK)
		return err_set(e, ERR_INPUT, "%s: has not two pads for each dimension", node_text(n, text));
	for (size_t i = 0; i < named && !err; i++) {
		int64_t axis = axes ? axes[i] : (int64_t)i;
		err = mark_axis(n, axis, x->rank, seen, e);
		if (err)
			break;
		int at = (int)(axis < 0 ? axis + x->rank : axis);
		p.begin[at] = pads[i];
		p.end[at] = pads[named + i];
	}
	if (!err)
		err = check_pad(n, x, &p, e);
	if (!err)
		*ret = p;
	return err;
}

/* ---- splits ---- */

/* Without sizes the parts are equal; from opset 18 on the last may be smaller. */
static void equal_parts(int64_t n, int parts, int64_t *ret)
{
	int64_t part = (n + parts - 1) / parts;
	for (int i = 0; i < parts; i++) {
		int64_t left = n - part * i;
		ret[i] = left > part ? part : left;
	}
}

enum err operand_split(
	const struct graph *g, const struct node *n, int *ret_axis, int64_t *ret_sizes, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const int64_t *sizes;
	size_t count;
	int axis = 0;
	int64_t sum = 0;
	enum err err = node_axis(n, x->rank, 0, &axis, e);
	if (err)
		return err;
	if (x->dim[axis] < 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: splits the batch", node_text(n, text));
	bool given = operand_ints(g, n, "split", 1, &sizes, &count);
	if (given && count != (size_t)n->out_count)
		return err_set(
			e, ERR_INPUT, "%s: has %zu sizes for %d outputs", node_text(n, text), count, n->out_count);
	if (given)
		memcpy(ret_sizes, sizes, count * sizeof *sizes);
	else
		equal_parts(x->dim[axis], n->out_count, ret_sizes);
	bool sound = true;
	for (int i = 0; i < n->out_count && sound; i++) {
		sound = ret_sizes[i] > 0 && ret_sizes[i] <= x->dim[axis] - sum;
		sum += sound ? ret_sizes[i] : 0;
	}
	if (!sound || sum != x->dim[axis])
		return err_set(e, ERR_INPUT, "%s: the parts don't add up to the %lld of dimension %d",
			node_text(n, text), (long long)x->dim[axis], axis);
	*ret_axis = axis;
	return ERR_OK;
}

/* ---- resizing ---- */

struct word {
	const char *name;
	int meaning;
};

static enum err read_word(const struct node *n, const char *name, const char *otherwise, const struct word *words,
	int *ret, struct errinfo *e)
{
	char text[256];
	const struct attribute *a = node_attribute(n, name);
	const char *s = a ? a->s : otherwise;
	for (int i = 0; words[i].name; i++)
		if (!strcmp(words[i].name, s)) {
			*ret = words[i].meaning;
			return ERR_OK;
		}
	return err_set(e, ERR_UNSUPPORTED, "%s: attribute '%s' is '%.60s', which is not supported", node_text(n, text),
		name, s);
}

static enum err resize_words(const struct graph *g, const struct node *n, struct operand_resize *r, struct errinfo *e)
{
	char text[256];
	static const struct word modes[] = { { "nearest", RESIZE_NEAREST }, { "linear", RESIZE_LINEAR },
		{ "bilinear", RESIZE_LINEAR }, { "cubic", RESIZE_CUBIC }, { 0 } };
	static const struct word coordinates[] = { { "half_pixel", RESIZE_HALF_PIXEL },
		{ "pytorch_half_pixel", RESIZE_PYTORCH_HALF_PIXEL }, { "align_corners", RESIZE_ALIGN_CORNERS },
		{ "asymmetric", RESIZE_ASYMMETRIC }, { 0 } };
	static const struct word roundings[] = { { "round_prefer_floor", RESIZE_ROUND_PREFER_FLOOR },
		{ "round_prefer_ceil", RESIZE_ROUND_PREFER_CEIL }, { "floor", RESIZE_FLOOR }, { "ceil", RESIZE_CEIL },
		{ 0 } };
	int mode = 0, coordinate = 0, nearest = 0;
	static const struct word policies[] = { { "stretch", 0 }, { 0 } };
	bool old = n->op == OP_UPSAMPLE || g->opset < 11;
	int unused;
	enum err err = read_word(n, "keep_aspect_ratio_policy", "stretch", policies, &unused, e);
	if (!err && node_int(n, "antialias", 0))
		err = err_set(e, ERR_UNSUPPORTED, "%s: attribute 'antialias' is not supported", node_text(n, text));
	if (!err)
		err = read_word(n, "mode", "nearest", modes, &mode, e);
	if (!err)
		err = read_word(n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel", coordinates,
			&coordinate, e);
	if (!err)
		err = read_word(n, "nearest_mode", old ? "floor" : "round_prefer_floor", roundings, &nearest, e);
	r->mode = mode;
	r->coordinates = coordinate;
	r->nearest = nearest;
	r->cubic_a = node_float(n, "cubic_coeff_a", -0.75f);
	r->exclude_outside = node_int(n, "exclude_outside", 0) != 0;
	return err;
}

static const struct value *resize_scales(const struct graph *g, const struct node *n)
{
	int at = n->op == OP_UPSAMPLE || g->opset < 11 ? 1 : 2;
	const struct value *v = node_input(g, n, at);
	return v && v->data && v->dtype == DTYPE_FLOAT && shape_count(&v->shape, 1) > 0 ? v : NULL;
}

/* Puts what is given for dimension `axis`, a size or a scale, in place. */
static enum err resize_axis(const struct node *n, const struct shape *x, int axis, const int64_t *size,
	const float *scale, struct operand_resize *r, struct errinfo *e)
{
	char text[256];
	int64_t is = x->dim[axis];
	if (is < 0) {
		if (size ? *size != is && *size != 0 : *scale != 1.0f)
			return err_set(e, ERR_UNSUPPORTED, "%s: resizes the batch", node_text(n, text));
		return ERR_OK;
	}
	double want = size ? (double)*size : (double)floorf(*scale * (float)is);
	if (!(want >= 1 && want <= 1 << 24))
		return err_set(e, ERR_INPUT, "%s: would make dimension %d %g long", node_text(n, text), axis, want);
	r->size[axis] = (int64_t)want;
	r->scale[axis] = size ? (float)*size / (float)is : *scale;
	return ERR_OK;
}

enum err operand_resize(const struct graph *g, const struct node *n, struct operand_resize *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	const struct value *scales = resize_scales(g, n);
	const int64_t *sizes = NULL, *axes = NULL;
	size_t count = 0, named = 0;
	bool seen[SHAPE_MAX_RANK] = { false };
	struct operand_resize r = { 0 };
	enum err err = resize_words(g, n, &r, e);
	if (err)
		return err;
	if (scales)
		count = (size_t)shape_count(&scales->shape, 1);
	else
		operand_ints(g, n, NULL, 3, &sizes, &count);
	bool some = operand_ints(g, n, "axes", -1, &axes, &named);
	if (!count || count != (some ? named : (size_t)x->rank) || count > SHAPE_MAX_RANK)
		return err_set(e, ERR_INPUT, "%s: has %zu scales or sizes, expected %zu", node_text(n, text), count,
			some ? named : (size_t)x->rank);
	for (int i = 0; i < x->rank; i++) {
		r.size[i] = x->dim[i];
		r.scale[i] = 1;
	}
	for (size_t i = 0; i < count && !err; i++) {
		int64_t axis = some ? axes[i] : (int64_t)i;
		err = mark_axis(n, axis, x->rank, seen, e);
		if (!err)
			err = resize_axis(n, x, (int)(axis < 0 ? axis + x->rank : axis), sizes ? &sizes[i] : NULL,
				scales ? (const float *)scales->data + i : NULL, &r, e);
	}
	if (!err)
		*ret = r;
	return err;
}

/* formula_move.c -- what moves numbers and computes nothing, and resizing, by definition.
 * SPDX-License-Identifier: MIT
 *
 * Each asks for every index of the output where its number comes from. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/evaluator/formula.h"

static void take(struct numbers *y, int64_t at, const struct numbers *x, int64_t from)
{
	y->value[at] = x->value[from];
	y->bound[at] = x->bound[from];
}

static int wrap(int64_t axis, int rank)
{
	return (int)(axis < 0 ? axis + rank : axis);
}

/* An operand that was an attribute once and is an input now. */
static const int64_t *either(const struct run *t, const struct node *n, const char *name, int input, int64_t *ret_count)
{
	const struct attribute *a = name ? node_attribute(n, name) : NULL;
	if (!a)
		return formula_ints(t, n, input, ret_count);
	*ret_count = (int64_t)a->count;
	return a->ints;
}

/* Flatten, Reshape, Squeeze, Unsqueeze: the order of the numbers stays. */
void formula_same(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	struct numbers y = formula_make_as(t, n->out[0]);
	ck_assert_int_eq(x->count, y.count);
	memcpy(y.value, x->value, (size_t)y.count * sizeof *y.value);
	memcpy(y.bound, x->bound, (size_t)y.count * sizeof *y.bound);
	*ret = y;
}

void formula_transpose(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	const struct attribute *perm = node_attribute(n, "perm");
	int rank = x->shape.rank;
	int64_t dims[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK], axes[SHAPE_MAX_RANK];
	for (int i = 0; i < rank; i++) {
		axes[i] = perm ? perm->ints[i] : rank - 1 - i;
		dims[i] = x->shape.dim[axes[i]];
	}
	struct numbers y = formula_make(t, rank, dims);
	for (int64_t at = 0; at < y.count; at++) {
		formula_index(&y.shape, at, to);
		for (int i = 0; i < rank; i++)
			from[axes[i]] = to[i];
		take(&y, at, x, formula_at(&x->shape, from));
	}
	*ret = y;
}

void formula_concat(struct run *t, const struct node *n, struct numbers *ret)
{
	struct shape s = formula_input(t, n, 0)->shape;
	int axis = wrap(node_int(n, "axis", 0), s.rank);
	s.dim[axis] = 0;
	for (int k = 0; k < n->in_count; k++)
		s.dim[axis] += formula_input(t, n, k)->shape.dim[axis];
	struct numbers y = formula_make(t, s.rank, s.dim);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK];
		int k = 0;
		formula_index(&y.shape, at, index);
		for (; index[axis] >= formula_input(t, n, k)->shape.dim[axis]; k++)
			index[axis] -= formula_input(t, n, k)->shape.dim[axis];
		take(&y, at, formula_input(t, n, k), formula_at(&formula_input(t, n, k)->shape, index));
	}
	*ret = y;
}

void formula_split(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	int axis = wrap(node_int(n, "axis", 0), x->shape.rank);
	int64_t begin = 0, count = 0, equal = (x->shape.dim[axis] + n->out_count - 1) / n->out_count;
	const int64_t *sizes = either(t, n, "split", 1, &count);
	for (int k = 0; k < n->out_count; k++) {
		struct shape s = x->shape;
		int64_t left = x->shape.dim[axis] - begin;
		s.dim[axis] = sizes ? sizes[k] : left < equal ? left : equal;
		struct numbers y = formula_make(t, s.rank, s.dim);
		for (int64_t at = 0; at < y.count; at++) {
			int64_t index[SHAPE_MAX_RANK];
			formula_index(&y.shape, at, index);
			index[axis] += begin;
			take(&y, at, x, formula_at(&x->shape, index));
		}
		begin += s.dim[axis];
		ret[k] = y;
	}
}

/* Starts and steps; how many there are is what the graph says, and the last one is looked at by the index's range. */
void formula_slice(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	struct numbers y = formula_make_as(t, n->out[0]);
	int rank = x->shape.rank;
	int64_t count = 0, unused, begin[SHAPE_MAX_RANK] = { 0 }, step[SHAPE_MAX_RANK];
	const int64_t *starts = either(t, n, "starts", 1, &count), *axes = either(t, n, "axes", 3, &unused);
	const int64_t *steps = formula_ints(t, n, 4, &unused);
	for (int i = 0; i < rank; i++)
		step[i] = 1;
	for (int64_t i = 0; i < count; i++) {
		int axis = wrap(axes ? axes[i] : i, rank);
		int64_t size = x->shape.dim[axis], from = starts[i] < 0 ? starts[i] + size : starts[i];
		step[axis] = steps ? steps[i] : 1;
		from = from < 0 ? 0 : from;
		begin[axis] = step[axis] < 0 && from > size - 1 ? size - 1 : from;
	}
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, index);
		for (int i = 0; i < rank; i++)
			index[i] = begin[i] + index[i] * step[i];
		take(&y, at, x, formula_at(&x->shape, index));
	}
	*ret = y;
}

void formula_gather(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	const struct value *indices = &t->g->values[n->in[1]];
	struct numbers y = formula_make_as(t, n->out[0]);
	int axis = wrap(node_int(n, "axis", 0), x->shape.rank), wide = indices->shape.rank;
	for (int64_t at = 0; at < y.count; at++) {
		int64_t to[SHAPE_MAX_RANK], from[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, to);
		int64_t which = ((const int64_t *)indices->data)[formula_at(&indices->shape, to + axis)];
		for (int i = 0; i < x->shape.rank; i++)
			from[i] = i < axis ? to[i] : i > axis ? to[i - 1 + wide] : wrap(which, (int)x->shape.dim[axis]);
		take(&y, at, x, formula_at(&x->shape, from));
	}
	*ret = y;
}

void formula_expand(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	struct numbers y = formula_make_as(t, n->out[0]);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, index);
		take(&y, at, x, formula_at_broadcast(&x->shape, y.shape.rank, index));
	}
	*ret = y;
}

void formula_tile(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	struct numbers y = formula_make_as(t, n->out[0]);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, index);
		for (int i = 0; i < y.shape.rank; i++)
			index[i] %= x->shape.dim[i];
		take(&y, at, x, formula_at(&x->shape, index));
	}
	*ret = y;
}

void formula_pad(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0), *constant = formula_input(t, n, 2);
	const struct attribute *mode = node_attribute(n, "mode");
	struct numbers y = formula_make_as(t, n->out[0]);
	int64_t count = 0;
	const int64_t *pads = either(t, n, "pads", 1, &count);
	double value = constant ? constant->value[0] : (double)node_float(n, "value", 0);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK];
		bool inside = true;
		formula_index(&y.shape, at, index);
		for (int i = 0; i < y.shape.rank; i++) {
			int64_t size = x->shape.dim[i];
			index[i] -= pads[i];
			bool in = index[i] >= 0 && index[i] < size;
			inside = inside && in;
			if (mode && !strcmp(mode->s, "reflect"))
				index[i] = labs(size - 1 - labs(size - 1 - index[i]));
			else
				index[i] = index[i] < 0 ? 0 : index[i] >= size ? size - 1 : index[i];
		}
		if (!inside && (!mode || !strcmp(mode->s, "constant")))
			y.value[at] = value;
		else
			take(&y, at, x, formula_at(&x->shape, index));
	}
	*ret = y;
}

void formula_depth_to_space(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	const struct attribute *mode = node_attribute(n, "mode");
	int64_t s = node_int(n, "blocksize", 1);
	struct numbers y = formula_make_as(t, n->out[0]);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t i[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, i);
		int64_t place = i[2] % s * s + i[3] % s, c = i[1];
		i[1] = mode && !strcmp(mode->s, "CRD") ? c * s * s + place : place * y.shape.dim[1] + c;
		i[2] /= s;
		i[3] /= s;
		take(&y, at, x, formula_at(&x->shape, i));
	}
	*ret = y;
}

void formula_space_to_depth(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	int64_t s = node_int(n, "blocksize", 1);
	struct numbers y = formula_make_as(t, n->out[0]);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t i[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, i);
		int64_t place = i[1] / x->shape.dim[1];
		i[1] %= x->shape.dim[1];
		i[2] = i[2] * s + place / s;
		i[3] = i[3] * s + place % s;
		take(&y, at, x, formula_at(&x->shape, i));
	}
	*ret = y;
}

/* ---- resizing ---- */

struct resize {
	const struct node *n;
	const char *mode, *coordinates, *nearest;
	double a;
	bool exclude;
};

static const char *word(const struct node *n, const char *name, const char *otherwise)
{
	const struct attribute *a = node_attribute(n, name);
	return a ? a->s : otherwise;
}

static double coordinate(const struct resize *r, int64_t o, int64_t in, int64_t out, double scale)
{
	if (!strcmp(r->coordinates, "asymmetric"))
		return (double)o / scale;
	if (!strcmp(r->coordinates, "align_corners"))
		return out == 1 ? 0 : (double)(o * (in - 1)) / (double)(out - 1);
	if (!strcmp(r->coordinates, "pytorch_half_pixel") && out == 1)
		return 0;
	return ((double)o + 0.5) / scale - 0.5;
}

static double cubic_weight(double a, double d)
{
	d = fabs(d);
	if (d >= 2)
		return 0;
	return d <= 1 ? (a + 2) * d * d * d - (a + 3) * d * d + 1 : a * d * d * d - 5 * a * d * d + 8 * a * d - 4 * a;
}

static double tap_weight(const struct resize *r, double c, int64_t i)
{
	double d = c - (double)i;
	if (!strcmp(r->mode, "cubic"))
		return cubic_weight(r->a, d);
	if (strcmp(r->mode, "nearest"))
		return fmax(0, 1 - fabs(d));
	double near = !strcmp(r->nearest, "floor")		? floor(c)
		      : !strcmp(r->nearest, "ceil")		? ceil(c)
		      : !strcmp(r->nearest, "round_prefer_ceil") ? floor(c + 0.5)
								 : ceil(c - 0.5);
	return near == (double)i;
}

/* Weight of input index i for output index o: what falls outside goes to the edge or nowhere. */
static double axis_weight(const struct resize *r, int64_t o, int64_t i, int64_t in, int64_t out, double scale)
{
	double c = coordinate(r, o, in, out, scale), sum = 0, all = 0;
	for (int64_t k = (int64_t)floor(c) - 3; k <= (int64_t)floor(c) + 4; k++) {
		bool outside = k < 0 || k >= in;
		double weight = tap_weight(r, c, k);
		if (outside && r->exclude)
			continue;
		all += weight;
		sum += (k < 0 ? 0 : k >= in ? in - 1 : k) == i ? weight : 0;
	}
	return r->exclude ? sum / all : sum;
}

static double scale_of(
	const struct run *t, const struct node *n, const struct shape *in, const struct shape *out, int i)
{
	int at = n->op == OP_UPSAMPLE || t->g->opset < 11 ? 1 : 2;
	const struct numbers *scales = formula_input(t, n, at);
	return scales && scales->count == in->rank ? scales->value[i] : (double)out->dim[i] / (double)in->dim[i];
}

/* One dimension after the other. */
static struct numbers resize_axis(
	struct run *t, const struct resize *r, const struct numbers *x, int axis, int64_t out, double scale)
{
	struct shape s = x->shape;
	s.dim[axis] = out;
	struct numbers y = formula_make(t, s.rank, s.dim);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, index);
		int64_t o = index[axis], in = x->shape.dim[axis];
		for (index[axis] = 0; index[axis] < in; index[axis]++) {
			double weight = axis_weight(r, o, index[axis], in, out, scale);
			int64_t from = formula_at(&x->shape, index);
			y.value[at] += weight * x->value[from];
			y.bound[at] += fabs(weight) * x->bound[from];
		}
	}
	return y;
}

void formula_resize(struct run *t, const struct node *n, struct numbers *ret)
{
	bool old = n->op == OP_UPSAMPLE || t->g->opset < 11;
	struct resize r = { n, word(n, "mode", "nearest"),
		word(n, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel"),
		word(n, "nearest_mode", old ? "floor" : "round_prefer_floor"), node_float(n, "cubic_coeff_a", -0.75f),
		node_int(n, "exclude_outside", 0) };
	struct numbers y = *formula_input(t, n, 0);
	struct numbers to = formula_make_as(t, n->out[0]);
	for (int i = 1; i < y.shape.rank; i++)
		y = resize_axis(t, &r, &y, i, to.shape.dim[i],
			scale_of(t, n, &formula_input(t, n, 0)->shape, &to.shape, i));
	y.terms = 0;
	if (strcmp(r.mode, "nearest"))
		formula_loosen(&y);
	*ret = y;
}

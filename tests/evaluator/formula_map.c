/* formula_map.c -- number by number, along dimensions, and normalisation, by definition.
 * SPDX-License-Identifier: MIT
 *
 * An input that is off by its bound moves a function of it by what the function does at both ends: enough for
 * functions that are monotone over so short a way. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "tests/evaluator/formula.h"

/* ---- one number ---- */

static double bounded(const struct run *t, const struct node *n, const char *name, int i, double otherwise)
{
	const struct numbers *v = formula_input(t, n, i);
	return v ? v->value[0] : (double)node_float(n, name, (float)otherwise);
}

static double softplus(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

/* What bends at zero or at a bound. */
static double rectify(const struct run *t, const struct node *n, double x)
{
	switch ((int)n->op) {
	case OP_RELU:
		return fmax(x, 0);
	case OP_LEAKY_RELU:
		return x < 0 ? node_float(n, "alpha", 0.01f) * x : x;
	case OP_ELU:
		return x < 0 ? node_float(n, "alpha", 1) * expm1(x) : x;
	case OP_SELU:
		return node_float(n, "gamma", 1.0507009873554804934f) *
		       (x > 0 ? x : node_float(n, "alpha", 1.6732632423543772848f) * expm1(x));
	case OP_CELU:
		return fmax(x, 0) + fmin(0, node_float(n, "alpha", 1) * expm1(x / node_float(n, "alpha", 1)));
	case OP_THRESHOLDED_RELU:
		return x > node_float(n, "alpha", 1) ? x : 0;
	case OP_HARD_SIGMOID:
		return fmax(0, fmin(1, node_float(n, "alpha", 0.2f) * x + node_float(n, "beta", 0.5f)));
	case OP_HARD_SWISH:
		return x * fmax(0, fmin(1, x / 6 + 0.5));
	case OP_CLIP:
		return fmin(fmax(x, bounded(t, n, "min", 1, -INFINITY)), bounded(t, n, "max", 2, INFINITY));
	default:
		ck_abort_msg("no formula of one number: %s", op_table[n->op].name);
	}
}

static double activate(const struct run *t, const struct node *n, double x)
{
	switch ((int)n->op) {
	case OP_SIGMOID:
		return 1 / (1 + exp(-x));
	case OP_TANH:
		return tanh(x);
	case OP_SOFTPLUS:
		return softplus(x);
	case OP_SOFTSIGN:
		return x / (1 + fabs(x));
	case OP_MISH:
		return x * tanh(softplus(x));
	case OP_ERF:
		return erf(x);
	case OP_EXP:
		return exp(x);
	case OP_LOG:
		return log(x);
	case OP_SQRT:
		return sqrt(x);
	case OP_RECIPROCAL:
		return 1 / x;
	case OP_ABS:
		return fabs(x);
	case OP_NEG:
		return -x;
	case OP_SIGN:
		return (x > 0) - (x < 0);
	case OP_FLOOR:
		return floor(x);
	case OP_CEIL:
		return ceil(x);
	case OP_ROUND:
		return nearbyint(x);
	case OP_SIN:
		return sin(x);
	case OP_COS:
		return cos(x);
	default:
		return rectify(t, n, x);
	}
}

static bool is_exact(enum op op)
{
	static const enum op exact[] = { OP_RELU, OP_ABS, OP_NEG, OP_SIGN, OP_FLOOR, OP_CEIL, OP_ROUND, OP_CLIP,
		OP_THRESHOLDED_RELU };
	for (size_t i = 0; i < sizeof exact / sizeof *exact; i++)
		if (exact[i] == op)
			return true;
	return false;
}

void formula_unary(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	struct numbers y = formula_make(t, x->shape.rank, x->shape.dim);
	for (int64_t i = 0; i < y.count; i++) {
		double is = activate(t, n, x->value[i]);
		double up = activate(t, n, x->value[i] + x->bound[i]), down = activate(t, n, x->value[i] - x->bound[i]);
		y.value[i] = is;
		y.bound[i] = fmax(fabs(up - is), fabs(down - is));
	}
	if (!is_exact(n->op))
		formula_loosen(&y);
	*ret = y;
}

/* ---- several numbers ---- */

static double combine(enum op op, double a, double b)
{
	switch ((int)op) {
	case OP_SUB:
		return a - b;
	case OP_MUL:
		return a * b;
	case OP_DIV:
		return a / b;
	case OP_POW:
		return pow(a, b);
	case OP_PRELU:
		return a < 0 ? a * b : a;
	case OP_MIN:
		return fmin(a, b);
	case OP_MAX:
		return fmax(a, b);
	default:
		return a + b;
	}
}

/* The farthest that the result goes when both operands go to the ends of what they may be. */
static double corner(enum op op, double a, double off_a, double b, double off_b)
{
	double is = combine(op, a, b), most = 0;
	for (int i = 0; i < 4; i++)
		most = fmax(most, fabs(combine(op, i & 1 ? a + off_a : a - off_a, i & 2 ? b + off_b : b - off_b) - is));
	return most;
}

static void join_dims(const struct shape *a, const struct shape *b, struct shape *ret)
{
	*ret = (struct shape){ .rank = a->rank > b->rank ? a->rank : b->rank };
	for (int i = 0; i < ret->rank; i++) {
		int at_a = i - ret->rank + a->rank, at_b = i - ret->rank + b->rank;
		int64_t da = at_a < 0 ? 1 : a->dim[at_a], db = at_b < 0 ? 1 : b->dim[at_b];
		ret->dim[i] = da > db ? da : db;
	}
}

static struct numbers join(struct run *t, enum op op, const struct numbers *a, const struct numbers *b)
{
	struct shape s;
	join_dims(&a->shape, &b->shape, &s);
	struct numbers y = formula_make(t, s.rank, s.dim);
	for (int64_t at = 0; at < y.count; at++) {
		int64_t index[SHAPE_MAX_RANK];
		formula_index(&y.shape, at, index);
		int64_t i = formula_at_broadcast(&a->shape, s.rank, index);
		int64_t k = formula_at_broadcast(&b->shape, s.rank, index);
		double carried = corner(op, a->value[i], a->bound[i], b->value[k], b->bound[k]);
		y.value[at] = combine(op, a->value[i], b->value[k]);
		y.bound[at] = carried + FEW * U * (fabs(y.value[at]) + carried);
	}
	if (op == OP_POW)
		formula_loosen(&y);
	return y;
}

void formula_broadcast(struct run *t, const struct node *n, struct numbers *ret)
{
	struct numbers y = *formula_input(t, n, 0);
	y.terms = 0;
	for (int i = 1; i < n->in_count; i++)
		y = join(t, n->op, &y, formula_input(t, n, i));
	if (n->op == OP_MEAN && n->in_count > 1)
		for (int64_t i = 0; i < y.count; i++) {
			y.value[i] /= n->in_count;
			y.bound[i] = y.bound[i] / n->in_count + 2 * FEW * U * fabs(y.value[i]);
		}
	*ret = y;
}

/* ---- along dimensions ---- */

static int axis_of(const struct node *n, int rank, int64_t otherwise)
{
	int64_t axis = node_int(n, "axis", otherwise);
	return (int)(axis < 0 ? axis + rank : axis);
}

/* Number k of the line that number `first` begins. */
struct line {
	int64_t length, step;
};

static struct line line_along(const struct shape *s, int first, int last)
{
	struct line l = { 1, 1 };
	for (int i = first; i <= last; i++)
		l.length *= s->dim[i];
	for (int i = last + 1; i < s->rank; i++)
		l.step *= s->dim[i];
	return l;
}

static bool begins_line(const struct line *l, int64_t at)
{
	return at / l->step % l->length == 0;
}

static void softmax_line(const struct numbers *x, int64_t at, const struct line *l, bool logarithm, struct numbers *y)
{
	double most = -INFINITY, sum = 0, bound = 0;
	for (int64_t k = 0; k < l->length; k++) {
		most = fmax(most, x->value[at + k * l->step]);
		bound = fmax(bound, x->bound[at + k * l->step]);
	}
	for (int64_t k = 0; k < l->length; k++)
		sum += exp(x->value[at + k * l->step] - most);
	for (int64_t k = 0; k < l->length; k++) {
		int64_t i = at + k * l->step;
		double part = exp(x->value[i] - most) / sum;
		y->value[i] = logarithm ? x->value[i] - most - log(sum) : part;
		y->bound[i] = logarithm ? 2 * bound : part * expm1(2 * bound);
	}
}

void formula_softmax(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	bool flat = t->g->opset < 13;
	int rank = x->shape.rank, axis = axis_of(n, rank, flat ? 1 : -1);
	struct numbers y = formula_make(t, rank, x->shape.dim);
	struct line l = line_along(&x->shape, axis, flat ? rank - 1 : axis);
	for (int64_t at = 0; at < y.count; at++)
		if (begins_line(&l, at))
			softmax_line(x, at, &l, n->op == OP_LOG_SOFTMAX, &y);
	formula_loosen(&y);
	*ret = y;
}

static void reduced_axes(const struct run *t, const struct node *n, int rank, bool ret[SHAPE_MAX_RANK])
{
	const struct attribute *a = node_attribute(n, "axes");
	int64_t count = a ? (int64_t)a->count : 0;
	const int64_t *axes = a ? a->ints : formula_ints(t, n, 1, &count);
	for (int i = 0; i < rank; i++)
		ret[i] = !axes;
	for (int64_t i = 0; i < count; i++)
		ret[axes[i] < 0 ? axes[i] + rank : axes[i]] = true;
}

static double reduce_start(enum op op)
{
	return op == OP_REDUCE_MAX ? -INFINITY : op == OP_REDUCE_MIN ? INFINITY : op == OP_REDUCE_PROD ? 1 : 0;
}

static double reduce_step(enum op op, double y, double x)
{
	switch ((int)op) {
	case OP_REDUCE_MAX:
		return fmax(y, x);
	case OP_REDUCE_MIN:
		return fmin(y, x);
	case OP_REDUCE_PROD:
		return y * x;
	case OP_REDUCE_L1:
		return y + fabs(x);
	case OP_REDUCE_L2:
	case OP_REDUCE_SUM_SQUARE:
		return y + x * x;
	default:
		return y + x;
	}
}

/* What an error of an input may do to the result, at most; to a product, relative to it. */
static double reduce_carried(enum op op, double x, double bound)
{
	if (op == OP_REDUCE_PROD)
		return 2 * bound / fabs(x) + 4 * U;
	double rounded = bound + 4 * U * fabs(x);
	return op == OP_REDUCE_L2 || op == OP_REDUCE_SUM_SQUARE ? 2 * fabs(x) * rounded + bound * bound : rounded;
}

void formula_reduce(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	int rank = x->shape.rank, kept = 0;
	bool axes[SHAPE_MAX_RANK], keep = node_int(n, "keepdims", 1);
	int64_t dims[SHAPE_MAX_RANK];
	reduced_axes(t, n, rank, axes);
	for (int i = 0; i < rank; i++)
		if (keep || !axes[i])
			dims[kept++] = axes[i] ? 1 : x->shape.dim[i];
	struct numbers y = formula_make(t, kept, dims);
	for (int64_t i = 0; i < y.count; i++)
		y.value[i] = reduce_start(n->op);
	for (int64_t at = 0; at < x->count; at++) {
		int64_t index[SHAPE_MAX_RANK], to[SHAPE_MAX_RANK], used = 0;
		formula_index(&x->shape, at, index);
		for (int i = 0; i < rank; i++)
			if (keep || !axes[i])
				to[used++] = axes[i] ? 0 : index[i];
		int64_t i = formula_at(&y.shape, to);
		y.value[i] = reduce_step(n->op, y.value[i], x->value[at]);
		y.bound[i] += reduce_carried(n->op, x->value[at], x->bound[at]);
	}
	double each = (double)x->count / (double)y.count;
	for (int64_t i = 0; i < y.count; i++) {
		if (n->op == OP_REDUCE_MEAN) {
			y.value[i] /= each;
			y.bound[i] /= each;
		} else if (n->op == OP_REDUCE_L2) {
			y.value[i] = sqrt(y.value[i]);
			y.bound[i] /= fmax(y.value[i], 1e-6);
		} else if (n->op == OP_REDUCE_PROD) {
			y.bound[i] *= fabs(y.value[i]);
		}
	}
	formula_loosen(&y);
	*ret = y;
}

/* ---- normalisation ---- */

/* Which part of the tensor a number is normalised with, and where its scale is. */
static int64_t part_of(const struct node *n, const struct shape *s, const int64_t *index, int64_t *ret_scale)
{
	int rank = s->rank, axis = n->op == OP_LAYER_NORM ? axis_of(n, rank, -1) : 2;
	int64_t part = 0, groups = n->op == OP_GROUP_NORM ? node_int(n, "num_groups", 1) : s->dim[1];
	if (n->op != OP_LAYER_NORM) {
		*ret_scale = index[1] / (s->dim[1] / groups);
		return index[0] * groups + *ret_scale;
	}
	for (int i = 0; i < axis; i++)
		part = part * s->dim[i] + index[i];
	*ret_scale = -1;
	return part;
}

static double scale_at(const struct numbers *v, const struct shape *s, const int64_t *index, int64_t at)
{
	return v ? v->value[at < 0 ? formula_at_broadcast(&v->shape, s->rank, index) : at] : 0;
}

void formula_norm(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0), *scale = formula_input(t, n, 1);
	const struct numbers *shift = formula_input(t, n, 2);
	struct numbers y = formula_make(t, x->shape.rank, x->shape.dim);
	double *mean = ARENA_ARRAY(t->r->arena, double, (size_t)x->count);
	double *variance = ARENA_ARRAY(t->r->arena, double, (size_t)x->count);
	double *count = ARENA_ARRAY(t->r->arena, double, (size_t)x->count);
	double *bound = ARENA_ARRAY(t->r->arena, double, (size_t)x->count), epsilon = node_float(n, "epsilon", 1e-5f);
	int64_t index[SHAPE_MAX_RANK], at_scale;
	for (int64_t i = 0; i < x->count; i++) {
		formula_index(&x->shape, i, index);
		int64_t part = part_of(n, &x->shape, index, &at_scale);
		mean[part] += x->value[i];
		count[part]++;
		bound[part] = fmax(bound[part], x->bound[i]);
	}
	for (int64_t i = 0; i < x->count; i++) {
		formula_index(&x->shape, i, index);
		int64_t part = part_of(n, &x->shape, index, &at_scale);
		double moved = x->value[i] - mean[part] / count[part];
		variance[part] += moved * moved / count[part];
	}
	for (int64_t i = 0; i < x->count; i++) {
		formula_index(&x->shape, i, index);
		int64_t part = part_of(n, &x->shape, index, &at_scale);
		double root = sqrt(variance[part] + epsilon), moved = x->value[i] - mean[part] / count[part];
		double factor = scale_at(scale, &x->shape, index, at_scale) / root;
		y.value[i] = moved * factor + scale_at(shift, &x->shape, index, at_scale);
		y.bound[i] = fabs(factor) * 2 * bound[part] * (1 + fabs(moved) / root);
	}
	formula_loosen(&y);
	*ret = y;
}

void formula_lrn(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	struct numbers y = formula_make(t, x->shape.rank, x->shape.dim);
	int64_t size = node_int(n, "size", 0), low = (size - 1) / 2, high = size / 2;
	struct line l = line_along(&x->shape, 1, 1);
	for (int64_t at = 0; at < x->count; at++) {
		int64_t c = at / l.step % l.length;
		double sum = 0, off = 0;
		for (int64_t k = c - low; k <= c + high; k++)
			if (k >= 0 && k < l.length) {
				int64_t i = at + (k - c) * l.step;
				sum += x->value[i] * x->value[i];
				off += 2 * fabs(x->value[i]) * x->bound[i];
			}
		double alpha = node_float(n, "alpha", 1e-4f) / (double)size, beta = node_float(n, "beta", 0.75f);
		double base = node_float(n, "bias", 1) + alpha * sum;
		y.value[at] = x->value[at] / pow(base, beta);
		y.bound[at] = x->bound[at] / pow(base, beta) + fabs(y.value[at]) * 2 * beta * alpha * off / base;
	}
	formula_loosen(&y);
	*ret = y;
}

void formula_lp_norm(struct run *t, const struct node *n, struct numbers *ret)
{
	const struct numbers *x = formula_input(t, n, 0);
	struct numbers y = formula_make(t, x->shape.rank, x->shape.dim);
	bool first = node_int(n, "p", 2) == 1;
	int axis = axis_of(n, x->shape.rank, -1);
	struct line l = line_along(&x->shape, axis, axis);
	for (int64_t at = 0; at < x->count; at++) {
		int64_t begin = at - at / l.step % l.length * l.step;
		double sum = 0, off = 0;
		for (int64_t k = 0; k < l.length; k++) {
			double value = x->value[begin + k * l.step];
			sum += first ? fabs(value) : value * value;
			off += x->bound[begin + k * l.step];
		}
		double length = first ? sum : sqrt(sum);
		y.value[at] = length > 0 ? x->value[at] / length : 0;
		y.bound[at] = length > 0 ? 2 * (x->bound[at] + fabs(y.value[at]) * off) / length : 0;
	}
	formula_loosen(&y);
	*ret = y;
}

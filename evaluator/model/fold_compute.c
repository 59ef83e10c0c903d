/* fold_compute.c -- arithmetic on stored numbers.
 * SPDX-License-Identifier: MIT
 *
 * Whole numbers may depend on the batch N as base + slope * N. What can't be said in that form, or not for every N >=
 * 1, is refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/fold.h"
#include "evaluator/model/operand.h"
#include "evaluator/model/shape.h"

enum { BOOLEAN = ONNX__TENSOR_PROTO__DATA_TYPE__BOOL };

struct whole {
	int64_t base, slope;
};

/* ---- of two whole numbers; false: not in this form ---- */

static bool whole_add(struct whole a, struct whole b, struct whole *ret)
{
	return !__builtin_add_overflow(a.base, b.base, &ret->base) &&
	       !__builtin_add_overflow(a.slope, b.slope, &ret->slope);
}

static bool whole_sub(struct whole a, struct whole b, struct whole *ret)
{
	return !__builtin_sub_overflow(a.base, b.base, &ret->base) &&
	       !__builtin_sub_overflow(a.slope, b.slope, &ret->slope);
}

static bool whole_mul(struct whole a, struct whole b, struct whole *ret)
{
	int64_t left, right;
	return !(a.slope && b.slope) && !__builtin_mul_overflow(a.base, b.base, &ret->base) &&
	       !__builtin_mul_overflow(a.slope, b.base, &left) && !__builtin_mul_overflow(a.base, b.slope, &right) &&
	       !__builtin_add_overflow(left, right, &ret->slope);
}

/* Towards zero, as ONNX divides; with a slope only what comes out even. */
static bool whole_div(struct whole a, struct whole b, struct whole *ret)
{
	if (b.slope || b.base == 0 || b.base == -1 || a.slope % b.base || (a.slope && a.base % b.base))
		return b.base == -1 && !b.slope && whole_sub((struct whole){ 0, 0 }, a, ret);
	*ret = (struct whole){ a.base / b.base, a.slope / b.base };
	return true;
}

/* The sign of the divisor. */
static bool whole_mod(struct whole a, struct whole b, struct whole *ret)
{
	if (a.slope || b.slope || b.base == 0 || b.base == -1)
		return false;
	int64_t rest = a.base % b.base;
	*ret = (struct whole){ rest && (rest < 0) != (b.base < 0) ? rest + b.base : rest, 0 };
	return true;
}

static bool whole_pow(struct whole a, struct whole b, struct whole *ret)
{
	struct whole result = { 1, 0 };
	if (b.slope || b.base < 0 || b.base > 62)
		return false;
	for (int64_t i = 0; i < b.base; i++)
		if (!whole_mul(result, a, &result))
			return false;
	*ret = result;
	return true;
}

/* The sign of a - b for every N >= 1: that at N = 1 when the difference doesn't shrink from there. */
static bool compare(struct whole a, struct whole b, int *ret)
{
	struct whole d;
	if (!whole_sub(a, b, &d))
		return false;
	int64_t at_one = d.base + d.slope;
	if (d.slope && (at_one == 0 || (at_one > 0) != (d.slope > 0)))
		return false;
	*ret = (at_one > 0) - (at_one < 0);
	return true;
}

static bool whole_min(struct whole a, struct whole b, struct whole *ret)
{
	int sign;
	if (!compare(a, b, &sign))
		return false;
	*ret = sign <= 0 ? a : b;
	return true;
}

static bool whole_max(struct whole a, struct whole b, struct whole *ret)
{
	int sign;
	if (!compare(a, b, &sign))
		return false;
	*ret = sign >= 0 ? a : b;
	return true;
}

#define WHOLE_COMPARISON(name, condition)                                                                              \
	static bool whole_##name(struct whole a, struct whole b, struct whole *ret)                                    \
	{                                                                                                              \
		int sign;                                                                                              \
		if (!compare(a, b, &sign))                                                                             \
			return false;                                                                                  \
		*ret = (struct whole){ condition, 0 };                                                                 \
		return true;                                                                                           \
	}

WHOLE_COMPARISON(equal, sign == 0)
WHOLE_COMPARISON(greater, sign > 0)
WHOLE_COMPARISON(less, sign < 0)
WHOLE_COMPARISON(greater_or_equal, sign >= 0)
WHOLE_COMPARISON(less_or_equal, sign <= 0)

static bool whole_and(struct whole a, struct whole b, struct whole *ret)
{
	*ret = (struct whole){ a.base && b.base, 0 };
	return !a.slope && !b.slope;
}

static bool whole_or(struct whole a, struct whole b, struct whole *ret)
{
	*ret = (struct whole){ a.base || b.base, 0 };
	return !a.slope && !b.slope;
}

/* ---- of two floats ---- */

#define REAL(name, expression)                                                                                         \
	static double real_##name(double a, double b)                                                                  \
	{                                                                                                              \
		return expression;                                                                                     \
	}

REAL(add, a + b)
REAL(sub, a - b)
REAL(mul, a *b)
REAL(div, a / b)
REAL(mod, fmod(a, b))
REAL(pow, pow(a, b))
REAL(min, a < b ? a : b)
REAL(max, a > b ? a : b)
REAL(equal, a == b)
REAL(greater, a > b)
REAL(less, a < b)
REAL(greater_or_equal, a >= b)
REAL(less_or_equal, a <= b)

static const struct binary {
	enum op op;
	double (*real)(double a, double b);
	bool (*whole)(struct whole a, struct whole b, struct whole *ret);
	bool truth; /* the result is true or false */
} binaries[] = {
	{ OP_ADD, real_add, whole_add, false },
	{ OP_SUM, real_add, whole_add, false },
	{ OP_SUB, real_sub, whole_sub, false },
	{ OP_MUL, real_mul, whole_mul, false },
	{ OP_DIV, real_div, whole_div, false },
	{ OP_MOD, real_mod, whole_mod, false },
	{ OP_POW, real_pow, whole_pow, false },
	{ OP_MIN, real_min, whole_min, false },
	{ OP_MAX, real_max, whole_max, false },
	{ OP_EQUAL, real_equal, whole_equal, true },
	{ OP_GREATER, real_greater, whole_greater, true },
	{ OP_LESS, real_less, whole_less, true },
	{ OP_GREATER_OR_EQUAL, real_greater_or_equal, whole_greater_or_equal, true },
	{ OP_LESS_OR_EQUAL, real_less_or_equal, whole_less_or_equal, true },
	{ OP_AND, NULL, whole_and, true },
	{ OP_OR, NULL, whole_or, true },
};

/* ---- of one ---- */

static double real_relu(double x)
{
	return x > 0 ? x : 0;
}

static double real_sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double real_neg(double x)
{
	return -x;
}

static double real_reciprocal(double x)
{
	return 1 / x;
}

static double real_sign(double x)
{
	return (x > 0) - (x < 0);
}

static bool whole_neg(struct whole a, struct whole *ret)
{
	return whole_sub((struct whole){ 0, 0 }, a, ret);
}

static bool whole_not(struct whole a, struct whole *ret)
{
	*ret = (struct whole){ !a.base, 0 };
	return !a.slope;
}

static bool whole_abs(struct whole a, struct whole *ret)
{
	return whole_max(a, (struct whole){ -a.base, -a.slope }, ret) && a.base != INT64_MIN;
}

static bool whole_relu(struct whole a, struct whole *ret)
{
	return whole_max(a, (struct whole){ 0, 0 }, ret);
}

static const struct unary {
	enum op op;
	double (*real)(double x);
	bool (*whole)(struct whole x, struct whole *ret);
} unaries[] = {
	{ OP_RELU, real_relu, whole_relu },
	{ OP_SIGMOID, real_sigmoid, NULL },
	{ OP_TANH, tanh, NULL },
	{ OP_ERF, erf, NULL },
	{ OP_EXP, exp, NULL },
	{ OP_LOG, log, NULL },
	{ OP_SQRT, sqrt, NULL },
	{ OP_RECIPROCAL, real_reciprocal, NULL },
	{ OP_ABS, fabs, whole_abs },
	{ OP_NEG, real_neg, whole_neg },
	{ OP_SIGN, real_sign, NULL },
	{ OP_FLOOR, floor, NULL },
	{ OP_CEIL, ceil, NULL },
	{ OP_ROUND, nearbyint, NULL },
	{ OP_SIN, sin, NULL },
	{ OP_COS, cos, NULL },
	{ OP_NOT, NULL, whole_not },
};

/* ---- tensors ---- */

static const struct binary *binary_of(enum op op)
{
	for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
		if (binaries[i].op == op)
			return &binaries[i];
	return NULL;
}

static const struct unary *unary_of(enum op op)
{
	for (size_t i = 0; i < sizeof unaries / sizeof *unaries; i++)
		if (unaries[i].op == op)
			return &unaries[i];
	return NULL;
}

static struct whole whole_at(const struct known *k, int64_t i)
{
	return (struct whole){ ((const int64_t *)k->data)[i], k->slope ? k->slope[i] : 0 };
}

/* Steps through shape s and keeps the places of elements that broadcast into it. */
struct odometer {
	const struct shape *s;
	int64_t index[SHAPE_MAX_RANK];
};

static int64_t place(const struct odometer *o, const struct shape *x)
{
	int64_t at = 0;
	for (int i = 0; i < x->rank; i++)
		at = at * x->dim[i] + (x->dim[i] == 1 ? 0 : o->index[i + o->s->rank - x->rank]);
	return at;
}

static void step(struct odometer *o)
{
	for (int k = o->s->rank - 1; k >= 0 && ++o->index[k] == o->s->dim[k]; k--)
		o->index[k] = 0;
}

static const char not_in_form[] = "computes with a number that depends on the batch in a way that is not supported";
static const char not_these[] = "computes with stored numbers of a kind or shape that is not supported";

static enum err compute_binary(
	struct reader *r, const struct node *n, const struct known *a, const struct known *b, struct known *ret)
{
	const struct binary *op = binary_of(n->op);
	bool whole = a->dtype == DTYPE_INT64;
	int64_t *slope = NULL;
	struct known out = { .dtype = whole || op->truth ? DTYPE_INT64 : DTYPE_FLOAT,
		.file_type = op->truth ? BOOLEAN : a->file_type };
	if (a->dtype != b->dtype || (!whole && !op->real) || (whole && n->op == OP_MOD && node_int(n, "fmod", 0)) ||
		!shape_join(&a->shape, &b->shape, &out.shape))
		return fold_refuse(r, n, not_these);
	enum err err = fold_reserve(r, &out, a->slope || b->slope, &slope);
	struct odometer o = { .s = &out.shape };
	int64_t count = err ? 0 : shape_count(&out.shape, 1);
	for (int64_t i = 0; i < count; i++, step(&o)) {
		int64_t at_a = place(&o, &a->shape), at_b = place(&o, &b->shape);
		struct whole w = { 0 };
		if (whole && !op->whole(whole_at(a, at_a), whole_at(b, at_b), &w))
			return fold_refuse(r, n, not_in_form);
		double x = whole ? 0 : op->real(((const float *)a->data)[at_a], ((const float *)b->data)[at_b]);
		if (out.dtype == DTYPE_FLOAT)
			((float *)out.data)[i] = (float)x;
		else
			((int64_t *)out.data)[i] = whole ? w.base : (int64_t)x;
		if (slope)
			slope[i] = w.slope;
	}
	if (!err)
		*ret = out;
	return err;
}

/* Two operands, or for Min, Max and Sum any number, one after the other. */
static enum err compute_binaries(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	struct known sum = in[0];
	for (int i = 1; i < n->in_count; i++) {
		enum err err = compute_binary(r, n, &sum, &in[i], &sum);
		if (err)
			return err;
	}
	*ret = sum;
	return ERR_OK;
}

static enum err compute_unary(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	const struct unary *op = unary_of(n->op);
	bool whole = in->dtype == DTYPE_INT64;
	int64_t *slope = NULL;
	struct known out = {
		.dtype = in->dtype, .file_type = n->op == OP_NOT ? BOOLEAN : in->file_type, .shape = in->shape
	};
	if (whole ? !op->whole : !op->real)
		return fold_refuse(r, n, not_these);
	enum err err = fold_reserve(r, &out, in->slope != NULL, &slope);
	int64_t count = err ? 0 : shape_count(&out.shape, 1);
	for (int64_t i = 0; i < count; i++) {
		struct whole w = { 0 };
		if (whole && !op->whole(whole_at(in, i), &w))
			return fold_refuse(r, n, not_in_form);
		if (whole)
			((int64_t *)out.data)[i] = w.base;
		else
			((float *)out.data)[i] = (float)op->real(((const float *)in->data)[i]);
		if (slope)
			slope[i] = w.slope;
	}
	if (!err)
		*ret = out;
	return err;
}

static enum err compute_clip(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	struct known out = { .dtype = in->dtype, .file_type = in->file_type, .shape = in->shape };
	if (in->dtype != DTYPE_FLOAT)
		return fold_refuse(r, n, not_these);
	float low = operand_float(r->g, n, "min", 1, -INFINITY), high = operand_float(r->g, n, "max", 2, INFINITY);
	enum err err = fold_reserve(r, &out, false, NULL);
	int64_t count = err ? 0 : shape_count(&out.shape, 1);
	for (int64_t i = 0; i < count; i++)
		((float *)out.data)[i] = fminf(fmaxf(((const float *)in->data)[i], low), high);
	if (!err)
		*ret = out;
	return err;
}

/* y = condition ? a : b */
static enum err compute_where(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	const struct known *c = &in[0], *a = &in[1], *b = &in[2];
	int64_t *slope = NULL;
	struct known out = { .dtype = a->dtype, .file_type = a->file_type };
	if (c->slope || c->dtype != DTYPE_INT64 || a->dtype != b->dtype ||
		!shape_join(&a->shape, &b->shape, &out.shape) || !shape_join(&c->shape, &out.shape, &out.shape))
		return fold_refuse(r, n, not_these);
	enum err err = fold_reserve(r, &out, a->slope || b->slope, &slope);
	struct odometer o = { .s = &out.shape };
	int64_t count = err ? 0 : shape_count(&out.shape, 1);
	size_t size = dtype_size(out.dtype);
	for (int64_t i = 0; i < count; i++, step(&o)) {
		const struct known *from = ((const int64_t *)c->data)[place(&o, &c->shape)] ? a : b;
		int64_t at = place(&o, &from->shape);
		memcpy((char *)out.data + (size_t)i * size, (const char *)from->data + (size_t)at * size, size);
		if (slope)
			slope[i] = from->slope ? from->slope[at] : 0;
	}
	if (!err)
		*ret = out;
	return err;
}

/* from, from + by, ... below to */
static enum err compute_range(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	for (int i = 0; i < 3; i++)
		if (in[i].slope || in[i].dtype != DTYPE_INT64 || shape_count(&in[i].shape, 1) != 1)
			return fold_refuse(r, n, not_these);
	const int64_t most = (int64_t)1 << 40;
	int64_t from = *(int64_t *)in[0].data, to = *(int64_t *)in[1].data, by = *(int64_t *)in[2].data;
	if (by == 0 || llabs(from) > most || llabs(to) > most || llabs(by) > most)
		return fold_refuse(r, n, not_these);
	int64_t count = (to - from + by - (by > 0 ? 1 : -1)) / by;
	struct known out = {
		.dtype = DTYPE_INT64, .file_type = in->file_type, .shape = { 1, { count > 0 ? count : 0 } }
	};
	enum err err = fold_reserve(r, &out, false, NULL);
	for (int64_t i = 0; i < out.shape.dim[0] && !err; i++)
		((int64_t *)out.data)[i] = from + i * by;
	if (!err)
		*ret = out;
	return err;
}

/* ---- reductions ---- */

static double reduce_start(enum op op)
{
	return op == OP_REDUCE_MAX ? -INFINITY : op == OP_REDUCE_MIN ? INFINITY : op == OP_REDUCE_PROD ? 1 : 0;
}

static double reduce_step(enum op op, double sum, double x)
{
	if (op == OP_REDUCE_MAX || op == OP_REDUCE_MIN)
		return (op == OP_REDUCE_MAX) == (x > sum) ? x : sum;
	if (op == OP_REDUCE_PROD)
		return sum * x;
	if (op == OP_REDUCE_L1)
		return sum + fabs(x);
	return sum + (op == OP_REDUCE_L2 || op == OP_REDUCE_SUM_SQUARE ? x * x : x);
}

static double reduce_end(enum op op, double sum, double count)
{
	return op == OP_REDUCE_MEAN ? sum / count : op == OP_REDUCE_L2 ? sqrt(sum) : sum;
}

/* Sums in double hold whole numbers up to 2^53: those of so few and so small ones, as sizes are. */
static bool is_exact(const struct known *k)
{
	const int64_t large = (int64_t)1 << 40;
	int64_t count = shape_count(&k->shape, 1);
	bool exact = k->dtype == DTYPE_FLOAT || count <= 1 << 12;
	for (int64_t i = 0; i < count && exact && k->dtype == DTYPE_INT64; i++)
		exact = llabs(((const int64_t *)k->data)[i]) < large;
	return exact;
}

static enum err compute_reduce(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	bool axes[SHAPE_MAX_RANK];
	struct known out = { .dtype = in->dtype, .file_type = in->file_type };
	enum err err = shape_reduce(r->g, n, &out.shape, r->e);
	if (!err)
		err = operand_axes(r->g, n, in->shape.rank, axes, r->e);
	if (!err && (in->slope || !shape_count(&in->shape, 1) || !is_exact(in)))
		err = fold_refuse(r, n, not_in_form);
	if (!err)
		err = fold_reserve(r, &out, false, NULL);
	if (err)
		return err;
	int64_t count = shape_count(&in->shape, 1), results = shape_count(&out.shape, 1);
	double *sums = ARENA_ARRAY(r->g->arena, double, (size_t)results);
	if (!sums)
		return reader_no_memory(r);
	for (int64_t i = 0; i < results; i++)
		sums[i] = reduce_start(n->op);
	struct odometer o = { .s = &in->shape };
	for (int64_t i = 0; i < count; i++, step(&o)) {
		int64_t at = 0;
		for (int k = 0; k < in->shape.rank; k++)
			at = axes[k] ? at : at * in->shape.dim[k] + o.index[k];
		bool whole = in->dtype == DTYPE_INT64;
		double x = whole ? (double)((const int64_t *)in->data)[i] : ((const float *)in->data)[i];
		sums[at] = reduce_step(n->op, sums[at], x);
	}
	for (int64_t i = 0; i < results; i++) {
		if (fabs(sums[i]) > 9e15 && in->dtype == DTYPE_INT64)
			return fold_refuse(r, n, not_these);
		double y = reduce_end(n->op, sums[i], (double)count / (double)results);
		if (out.dtype == DTYPE_FLOAT)
			((float *)out.data)[i] = (float)y;
		else
			((int64_t *)out.data)[i] = (int64_t)y;
	}
	*ret = out;
	return ERR_OK;
}

/* ---- products of stored matrices: position tables that are small networks of their own ---- */

static enum err compute_product(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	const int64_t most = (int64_t)1 << 30;
	struct operand_contraction c;
	struct known out = { .dtype = DTYPE_FLOAT, .file_type = in[0].file_type };
	enum err err = in[0].dtype == DTYPE_FLOAT && in[1].dtype == DTYPE_FLOAT && n->in_count < 3
			       ? shape_contraction(r->g, n, &out.shape, r->e)
			       : fold_refuse(r, n, not_these);
	if (!err)
		err = operand_contraction(r->g, n, &c, r->e);
	bool plain = !err && n->op != OP_EINSUM && in[0].shape.rank >= 2 && in[1].shape.rank == 2;
	if (err || !plain)
		return err ? err : fold_refuse(r, n, not_these);
	bool ta = n->op == OP_GEMM && node_int(n, "transA", 0), tb = n->op == OP_GEMM && node_int(n, "transB", 0);
	const int64_t *db = in[1].shape.dim;
	int64_t depth = db[tb], columns = db[!tb], rows = depth ? shape_count(&in[0].shape, 1) / depth : 0;
	if (!rows || !columns || rows > most / columns || rows * columns > (most - r->products) / depth)
		return fold_refuse(r, n, not_these);
	r->products += rows * columns * depth;
	err = fold_reserve(r, &out, false, NULL);
	const float *a = in[0].data, *b = in[1].data;
	float alpha = n->op == OP_GEMM ? node_float(n, "alpha", 1.0f) : 1.0f;
	for (int64_t i = 0; i < rows && !err; i++)
		for (int64_t k = 0; k < columns; k++) {
			double sum = 0;
			for (int64_t d = 0; d < depth; d++)
				sum += (double)a[ta ? d * rows + i : i * depth + d] *
				       b[tb ? k * depth + d : d * columns + k];
			((float *)out.data)[i * columns + k] = (float)(alpha * sum);
		}
	if (!err)
		*ret = out;
	return err;
}

/* ---- the table ---- */

typedef enum err compute_rule(struct reader *r, const struct node *n, const struct known *in, struct known *ret);

static compute_rule *rule_of(enum op op)
{
	if (op == OP_CLIP)
		return compute_clip;
	if (op == OP_WHERE)
		return compute_where;
	if (op == OP_RANGE)
		return compute_range;
	if (op == OP_MATMUL || op == OP_GEMM)
		return compute_product;
	return op_is_reduce(op) ? compute_reduce
	       : binary_of(op)	? compute_binaries
	       : unary_of(op)	? compute_unary
				: NULL;
}

bool fold_computes(const struct node *n)
{
	return rule_of(n->op) != NULL;
}

enum err fold_compute(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
{
	return rule_of(n->op)(r, n, in, ret);
}

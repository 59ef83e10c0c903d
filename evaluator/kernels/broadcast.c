/* broadcast.c -- several tensors broadcast against each other, number by number.
 * SPDX-License-Identifier: MIT
 *
 *   y[i] = a[i] + b[i], a[i] - b[i], a[i] * b[i], a[i] / b[i], a[i] ^ b[i], min, max, a[i] < 0 ? b[i] * a[i] : a[i]
 *
 * with strides of 0 where an operand is broadcast. Of more than two operands the first two are joined, then the result
 * with the next. oneDNN does what it has a real kernel for. */
#include <math.h>

#include "base/simd.h"
#include "evaluator/kernels/builder.h"

struct broadcast {
	void (*line)(float *y, const float *a, int64_t a_stride, const float *b, int64_t b_stride, int64_t n);
	struct view v[3]; /* y, a, b: collapsed; y has stride 1 at the last dimension */
};

/* clang-format off */
#define LINE(name, formula) \
	SIMD static void name(float *to, const float *from_a, int64_t sa, const float *from_b, int64_t sb, int64_t n) \
	{ \
		if (sa == 1 && sb == 1) { \
			SIMD_EACH \
			for (int64_t i = 0; i < n; i++) { \
				const float a = from_a[i], b = from_b[i]; \
				to[i] = (formula); \
			} \
			return; \
		} \
		for (int64_t i = 0; i < n; i++) { \
			const float a = from_a[i * sa], b = from_b[i * sb]; \
			to[i] = (formula); \
		} \
	}

LINE(add, a + b)
LINE(subtract, a - b)
LINE(multiply, a * b)
LINE(divide, a / b)
LINE(power, b == 2 ? a * a : powf(a, b))
LINE(prelu, a < 0 ? b * a : a)
LINE(least, a < b || a != a ? a : b)
LINE(largest, a > b || a != a ? a : b)
LINE(match, a == b ? 1 : 0)
LINE(prelu_slope, a < 0 ? b : 1)
LINE(negative_product, a < 0 ? b * a : 0)
/* clang-format on */

static void run(const void *job)
{
	const struct broadcast *j = job;
	int last = j->v[0].rank - 1;
	struct walk w = walk_start(j->v, 3, last);
	do
		j->line(w.at[0], w.at[1], j->v[1].stride[last], w.at[2], j->v[2].stride[last], j->v[0].dim[last]);
	while (walk_next(&w));
}

struct operation {
	void (*line)(float *y, const float *a, int64_t a_stride, const float *b, int64_t b_stride, int64_t n);
	dnnl_alg_kind_t kind; /* dnnl_alg_kind_undef: oneDNN doesn't have it */
	bool commutes;
};

static struct operation operation_of(enum op op)
{
	switch ((int)op) {
	case OP_SUB:
		return (struct operation){ subtract, dnnl_binary_sub, false };
	case OP_MUL:
		return (struct operation){ multiply, dnnl_binary_mul, true };
	case OP_DIV:
		return (struct operation){ divide, dnnl_binary_div, false };
	case OP_POW:
		return (struct operation){ power, dnnl_alg_kind_undef, false };
	case OP_PRELU:
		return (struct operation){ prelu, dnnl_alg_kind_undef, false };
	case OP_MATCH:
		return (struct operation){ match, dnnl_alg_kind_undef, true };
	case OP_MIN:
		return (struct operation){ least, dnnl_binary_min, true };
	case OP_MAX:
		return (struct operation){ largest, dnnl_binary_max, true };
	default: /* Add, Sum, Mean */
		return (struct operation){ add, dnnl_binary_add, true };
	}
}

static bool is_broadcast(const struct view *v)
{
	for (int i = 0; i < v->rank; i++)
		if (v->stride[i] == 0 && v->dim[i] > 1)
			return true;
	return false;
}

/* As oneDNN says it: a dimension that is broadcast has size 1. */
static struct view with_ones(const struct view *v)
{
	struct view d = *v;
	for (int i = 0; i < d.rank; i++) {
		if (d.stride[i] == 0)
			d.dim[i] = 1;
		d.stride[i] = d.stride[i] ? d.stride[i] : 1;
	}
	return d;
}

/* *ret_done stays false when oneDNN has nothing better than a plain loop. */
static enum err build_dnn(struct builder *b, dnnl_alg_kind_t kind, const struct broadcast *j, bool *ret_done)
{
	static const int args[] = { DNNL_ARG_DST, DNNL_ARG_SRC_0, DNNL_ARG_SRC_1 };
	dnnl_memory_desc_t md[3];
	dnnl_binary_desc_t desc;
	dnnl_primitive_desc_t pd;
	struct step s = { 0 };
	enum err err = ERR_OK;
	for (int i = 0; i < 3 && !err; i++) {
		struct view v = with_ones(&j->v[i]);
		if (!dnn_can_describe(&v))
			return ERR_OK;
		err = dnn_describe(&v, &md[i], b->e);
	}
	if (err)
		return err;
	if (dnnl_binary_desc_init(&desc, kind, &md[1], &md[2], &md[0]) ||
		dnnl_primitive_desc_create(&pd, &desc, NULL, b->plan->engine, NULL))
		return ERR_OK;
	if (dnn_is_slow(pd)) {
		dnnl_primitive_desc_destroy(pd);
		return ERR_OK;
	}
	err = dnn_check(dnnl_primitive_create(&s.primitive, pd), "making a kernel", b->e);
	dnnl_primitive_desc_destroy(pd);
	for (int i = 0; i < 3 && !err; i++)
		err = builder_bind(b, &s, args[i], &md[i], j->v[i].data);
	err = builder_finish(b, &s, err);
	if (!err)
		*ret_done = true;
	return err;
}

/* y = a op b; both are of y's dimensions, with strides of 0 where they are broadcast. */
static enum err join(
	struct builder *b, struct operation op, const struct view *y, const struct view *va, const struct view *vb)
{
	struct broadcast j = { op.line, { *y, *va, *vb } };
	bool done = false;
	if (!y->rank)
		for (int i = 0; i < 3; i++)
			j.v[i] = view_lifted(&j.v[i], 1);
	view_collapse(j.v, 3);
	if (op.commutes && is_broadcast(&j.v[1])) {
		struct view swap = j.v[1];
		j.v[1] = j.v[2];
		j.v[2] = swap;
	}
	bool suits = op.kind != dnnl_alg_kind_undef && !is_broadcast(&j.v[1]);
	enum err err = suits ? build_dnn(b, op.kind, &j, &done) : ERR_OK;
	return err || done ? err : builder_call(b, run, &j, sizeof j);
}

/* The operand whose order and, perhaps, memory the output takes: the first that isn't broadcast. */
static enum err choose(struct builder *b, const int64_t *dims, int rank, int *ret, struct view *ret_view)
{
	const struct node *n = builder_node(b);
	int64_t most = -1;
	for (int i = 0; i < n->in_count; i++) {
		struct view v;
		enum err err = builder_value(b, n->in[i], &v);
		if (err)
			return err;
		if (view_count(&v) <= most)
			continue;
		most = view_count(&v);
		*ret = i;
		v = view_lifted(&v, rank);
		*ret_view = view_expanded(&v, dims);
	}
	return ERR_OK;
}

static enum err scale(struct builder *b, const struct view *y, float factor)
{
	dnnl_memory_desc_t md = dnn_vector(view_count(y));
	struct view flat = { 1, { view_count(y) }, { 1 }, y->data };
	dnnl_eltwise_desc_t desc;
	enum err err = dnn_check(
		dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference, dnnl_eltwise_linear, &md, factor, 0),
		"describing a mean", b->e);
	return err ? err : builder_unary(b, &desc, &flat, &flat);
}

static enum err operand(struct builder *b, int i, const struct view *y, struct view *ret)
{
	struct view v;
	enum err err = builder_value(b, builder_node(b)->in[i], &v);
	if (err)
		return err;
	v = view_lifted(&v, y->rank);
	*ret = view_expanded(&v, y->dim);
	return ERR_OK;
}

/* Only with one or two operands may the output lie over one of them: a third is read when the output has begun. */
static enum err place(struct builder *b, struct view *ret)
{
	const struct node *n = builder_node(b);
	int value = builder_result(b), like = 0;
	struct view whole, shown;
	struct view dims = view_row_major(builder_shape(b, value), b->batch, NULL);
	enum err err = choose(b, dims.dim, dims.rank, &like, &shown);
	if (err)
		return err;
	struct order o = order_of(&shown);
	err = builder_value(b, n->in[like], &whole);
	if (err)
		return err;
	bool same = whole.rank == dims.rank && !is_broadcast(&shown) && n->in_count <= 2;
	return same ? builder_place_over(b, value, n->in[like], &whole, ret) : builder_place(b, value, &o, ret);
}

enum err broadcast_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct operation op = operation_of(n->op);
	struct view y, x, next;
	enum err err = place(b, &y);
	if (!err)
		err = operand(b, 0, &y, &x);
	if (!err && n->in_count == 1)
		return builder_copy(b, &x, &y);
	for (int i = 1; i < n->in_count && !err; i++) {
		err = operand(b, i, &y, &next);
		if (!err)
			err = join(b, op, &y, &x, &next);
		x = y;
	}
	return err || n->op != OP_MEAN ? err : scale(b, &y, 1 / (float)n->in_count);
}

/* (dy, x, slope): dx = (x < 0 ? slope : 1) * dy, and what each number hands to its slope, x < 0 ? x * dy : 0. */
enum err prelu_gradient_build(struct builder *b)
{
	static const struct operation slope_of = { prelu_slope, dnnl_alg_kind_undef, false };
	static const struct operation hand_over = { negative_product, dnnl_alg_kind_undef, false };
	const struct node *n = builder_node(b);
	struct view whole, dy, x, slope, dx, dslope;
	enum err err = builder_value(b, n->in[1], &whole);
	if (err)
		return err;
	struct order o = order_of(&whole);
	err = builder_place(b, n->out[0], &o, &dx);
	if (!err)
		err = builder_place(b, n->out[1], &o, &dslope);
	if (!err)
		err = operand(b, 0, &dx, &dy);
	if (!err)
		err = operand(b, 1, &dx, &x);
	if (!err)
		err = operand(b, 2, &dx, &slope);
	if (!err)
		err = join(b, slope_of, &dx, &x, &slope);
	if (!err)
		err = join(b, operation_of(OP_MUL), &dx, &dx, &dy);
	return err ? err : join(b, hand_over, &dslope, &x, &dy);
}

/* unary.c -- what is done to every number alone: y = f(x).
 * SPDX-License-Identifier: MIT
 *
 * oneDNN has most of them; the others stand in activation.c. */
#include "evaluator/kernels/unary.h"

#include <math.h>

#include "evaluator/kernels/activation.h"
#include "evaluator/kernels/builder.h"
#include "evaluator/model/operand.h"

static const dnnl_alg_kind_t kinds[OP_COUNT] = {
	[OP_RELU] = dnnl_eltwise_relu,
	[OP_LEAKY_RELU] = dnnl_eltwise_relu,
	[OP_ELU] = dnnl_eltwise_elu,
	[OP_SIGMOID] = dnnl_eltwise_logistic,
	[OP_HARD_SWISH] = dnnl_eltwise_hardswish,
	[OP_TANH] = dnnl_eltwise_tanh,
	[OP_SOFTPLUS] = dnnl_eltwise_soft_relu,
	[OP_MISH] = dnnl_eltwise_mish,
	[OP_EXP] = dnnl_eltwise_exp,
	[OP_LOG] = dnnl_eltwise_log,
	[OP_SQRT] = dnnl_eltwise_sqrt,
	[OP_ABS] = dnnl_eltwise_abs,
	[OP_NEG] = dnnl_eltwise_linear,
	[OP_ROUND] = dnnl_eltwise_round,
	[OP_CLIP] = dnnl_eltwise_clip,
};

/* Bounds that leave nothing make everything the upper one. */
static void read_clip(const struct graph *g, const struct node *n, struct unary *u)
{
	float low = operand_float(g, n, "min", 1, -INFINITY), high = operand_float(g, n, "max", 2, INFINITY);
	u->alpha = low < high ? low : high;
	u->beta = high;
}

bool unary_read(const struct graph *g, const struct node *n, struct unary *ret)
{
	struct unary u = { kinds[n->op], 0, 0 };
	if (u.kind == dnnl_alg_kind_undef)
		return false;
	if (n->op == OP_LEAKY_RELU)
		u.alpha = node_float(n, "alpha", 0.01f);
	else if (n->op == OP_ELU)
		u.alpha = node_float(n, "alpha", 1);
	else if (n->op == OP_NEG)
		u.alpha = -1;
	else if (n->op == OP_CLIP)
		read_clip(g, n, &u);
	*ret = u;
	return true;
}

bool unary_can_end_a_layer(const struct graph *g, const struct node *n)
{
	struct unary u;
	return !n->opaque && op_is_unary(n->op) && n->op != OP_ROUND && unary_read(g, n, &u);
}

/* y may be x. */
static enum err build_dnn(struct builder *b, const struct unary *u, const float *x, const struct view *y)
{
	dnnl_memory_desc_t md = dnn_vector(view_count(y));
	dnnl_eltwise_desc_t desc;
	struct step s = { 0 };
	enum err err = dnn_check(
		dnnl_eltwise_forward_desc_init(&desc, dnnl_forward_inference, u->kind, &md, u->alpha, u->beta),
		"describing an activation", b->e);
	if (!err)
		err = builder_primitive(b, &desc, NULL, &s.primitive, NULL);
	if (!err)
		err = builder_bind(b, &s, DNNL_ARG_SRC, &md, (float *)x);
	if (!err)
		err = builder_bind(b, &s, DNNL_ARG_DST, &md, y->data);
	return builder_finish(b, &s, err);
}

/* Where x has gaps, its numbers are brought to y first. */
enum err unary_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct unary u;
	struct view x, y;
	enum err err = builder_value(b, n->in[0], &x);
	if (!err)
		err = builder_place_over(b, builder_result(b), n->in[0], &x, &y);
	if (err)
		return err;
	const float *from = x.data;
	struct order o = order_of(&x);
	if (!view_is_dense(&x, &o)) {
		err = builder_copy(b, &x, &y);
		from = y.data;
	}
	if (err)
		return err;
	if (unary_read(b->g, n, &u))
		return build_dnn(b, &u, from, &y);
	struct activation a = activation_read(n);
	a.x = from;
	a.y = y.data;
	a.count = view_count(&y);
	return builder_call(b, a.run, &a, sizeof a);
}

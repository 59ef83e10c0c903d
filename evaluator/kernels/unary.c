/* unary.c -- what is done to every number alone: y = f(x).
 * SPDX-License-Identifier: MIT
 *
 * oneDNN has most of them; the others stand in activation.c. */
#include "evaluator/kernels/unary.h"

#include <math.h>

#include "evaluator/kernels/activation.h"
#include "evaluator/kernels/builder.h"
#include "evaluator/model/operand.h"

static struct unary plain(dnnl_alg_kind_t kind)
{
	return (struct unary){ kind, 0, 0 };
}

static struct unary clip(const struct graph *g, const struct node *n)
{
	float low = operand_float(g, n, "min", 1, -INFINITY), high = operand_float(g, n, "max", 2, INFINITY);
	return (struct unary){ dnnl_eltwise_clip, low < high ? low : high, high };
}

bool unary_read(const struct graph *g, const struct node *n, struct unary *ret)
{
	switch ((int)n->op) {
	case OP_RELU:
		*ret = plain(dnnl_eltwise_relu);
		return true;
	case OP_LEAKY_RELU:
		*ret = (struct unary){ dnnl_eltwise_relu, node_float(n, "alpha", 0.01f), 0 };
		return true;
	case OP_ELU:
		*ret = (struct unary){ dnnl_eltwise_elu, node_float(n, "alpha", 1), 0 };
		return true;
	case OP_SIGMOID:
		*ret = plain(dnnl_eltwise_logistic);
		return true;
	case OP_HARD_SWISH:
		*ret = plain(dnnl_eltwise_hardswish);
		return true;
	case OP_TANH:
		*ret = plain(dnnl_eltwise_tanh);
		return true;
	case OP_SOFTPLUS:
		*ret = plain(dnnl_eltwise_soft_relu);
		return true;
	case OP_MISH:
		*ret = plain(dnnl_eltwise_mish);
		return true;
	case OP_EXP:
		*ret = plain(dnnl_eltwise_exp);
		return true;
	case OP_LOG:
		*ret = plain(dnnl_eltwise_log);
		return true;
	case OP_SQRT:
		*ret = plain(dnnl_eltwise_sqrt);
		return true;
	case OP_ABS:
		*ret = plain(dnnl_eltwise_abs);
		return true;
	case OP_NEG:
		*ret = (struct unary){ dnnl_eltwise_linear, -1, 0 };
		return true;
	case OP_ROUND:
		*ret = plain(dnnl_eltwise_round);
		return true;
	case OP_CLIP:
		*ret = clip(g, n);
		return true;
	default:
		return false;
	}
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

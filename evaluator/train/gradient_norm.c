/* gradient_norm.c -- the backward pass of what divides by statistics.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/gradient_rules.h"

/* OP_BATCH_NORM_GRADIENT: Ioffe & Szegedy 2015, section 3. */
void gradient_batch_norm(struct backward *b, const struct node *n, const int *dy)
{
	int at = (int)(n - b->net->nodes), y = b->result[at], ret[3];
	int in[] = { *dy, n->in[0], y == n->out[0] ? -1 : y, n->in[1], b->statistics[at], b->statistics[at] + 1 };
	struct shape s[3];
	const struct shape *out[3];
	for (int k = 0; k < 3; k++) {
		s[k] = gradient_shape(b, n, k);
		out[k] = &s[k];
	}
	writer_node_of(&b->w, OP_BATCH_NORM_GRADIENT, 6, in, 3, out, ret);
	writer_float(&b->w, "epsilon", node_float(n, "epsilon", 1e-5f));
	if (in[2] >= 0)
		writer_int(&b->w, "relu", 1);
	for (int k = 0; k < 3; k++)
		if (gradient_wanted(b, n, k))
			gradient_flow(b, n, k, ret[k]);
}

/* Normalisation by a sample's own statistics. */
void gradient_own_norm(struct backward *b, const struct node *n, const int *dy)
{
	int in[] = { *dy, n->in[0], n->in[1] }, ret[3];
	struct shape s[3];
	const struct shape *out[3] = { NULL };
	for (int k = 0; k < 3; k++)
		if (gradient_wanted(b, n, k)) {
			s[k] = gradient_shape(b, n, k);
			out[k] = &s[k];
		}
	writer_node_of(&b->w, OP_NORM_GRADIENT, 3, in, 3, out, ret);
	writer_attributes(&b->w, n);
	writer_int(&b->w, "op", n->op);
	for (int k = 0; k < 3; k++)
		if (out[k])
			gradient_flow(b, n, k, ret[k]);
}

void gradient_lrn(struct backward *b, const struct node *n, const int *dy)
{
	gradient_flow(b, n, 0, gradient_node(b, OP_LRN_GRADIENT, n, 0, 2, (int[]){ *dy, n->in[0] }));
}

static void one_axis(struct backward *b, const struct node *n, int64_t otherwise, bool axes[SHAPE_MAX_RANK])
{
	int axis = 0;
	writer_fail(&b->w, node_axis(n, gradient_shape(b, n, 0).rank, otherwise, &axis, b->w.e));
	axes[axis] = true;
}

/* y = x / r, r = |x| along the axis:  dx = (dy - g sum(dy y)) / r,  g = dr/dx = y (p = 2) or sign x (p = 1). Where r is
 * 0, y has no derivative: it is divided by 1. */
void gradient_lp_norm(struct backward *b, const struct node *n, const int *dy)
{
	struct writer *w = &b->w;
	int x = n->in[0], y = n->out[0];
	bool axes[SHAPE_MAX_RANK] = { false }, two = node_int(n, "p", 2) == 2;
	one_axis(b, n, -1, axes);
	int r = writer_reduce(w, two ? OP_REDUCE_L2 : OP_REDUCE_L1, x, axes);
	r = writer_two(w, OP_ADD, r, writer_two(w, OP_MATCH, r, writer_constant(w, 0)));
	int along = writer_reduce(w, OP_REDUCE_SUM, writer_two(w, OP_MUL, *dy, y), axes);
	int g = two ? y : writer_one(w, OP_SIGN, x);
	int rest = writer_two(w, OP_SUB, *dy, writer_two(w, OP_MUL, g, along));
	gradient_flow(b, n, 0, writer_two(w, OP_DIV, rest, r));
}

/* Before opset 13 everything from the axis on sums to 1. */
static void softmax_axes(struct backward *b, const struct node *n, bool axes[SHAPE_MAX_RANK])
{
	bool old = b->net->opset < 13, from = false;
	one_axis(b, n, old ? 1 : -1, axes);
	for (int i = 0; i < gradient_shape(b, n, 0).rank && old; i++)
		from = axes[i] = from || axes[i];
}

/* y = exp x / sum exp x:  dx = y (dy - sum(dy y)) */
void gradient_softmax(struct backward *b, const struct node *n, const int *dy)
{
	struct writer *w = &b->w;
	bool axes[SHAPE_MAX_RANK] = { false };
	softmax_axes(b, n, axes);
	int along = writer_reduce(w, OP_REDUCE_SUM, writer_two(w, OP_MUL, *dy, n->out[0]), axes);
	gradient_flow(b, n, 0, writer_two(w, OP_MUL, writer_two(w, OP_SUB, *dy, along), n->out[0]));
}

/* y = x - log sum exp x:  dx = dy - exp y sum dy */
void gradient_log_softmax(struct backward *b, const struct node *n, const int *dy)
{
	struct writer *w = &b->w;
	bool axes[SHAPE_MAX_RANK] = { false };
	softmax_axes(b, n, axes);
	int part = writer_two(w, OP_MUL, writer_one(w, OP_EXP, n->out[0]), writer_reduce(w, OP_REDUCE_SUM, *dy, axes));
	gradient_flow(b, n, 0, writer_two(w, OP_SUB, *dy, part));
}

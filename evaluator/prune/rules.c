/* rules.c -- what each operator says about channels.
 * SPDX-License-Identifier: MIT
 *
 * x and y are the data input and the output, dimension 1 their channels. */
#include "evaluator/prune/rules.h"

#include "evaluator/prune/union_find.h"

/* A channel vector among the inputs (bias, scale, statistics) goes with the output's channels. */
static enum err tie_vectors(struct union_find *u, const struct node *n, int from)
{
	for (int k = from; k < n->in_count; k++) {
		enum err err = n->in[k] >= 0 ? union_find_tie(u, n->in[k], 0, n->out[0], 1) : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

/* y's channels are the filters, x's channels the slices of each: w is (out, in, ...). */
static enum err conv_rule(struct union_find *u, const struct graph *g, const struct node *n)
{
	(void)g;
	enum err err = union_find_tie(u, n->in[1], 0, n->out[0], 1);
	if (!err)
		err = union_find_tie(u, n->in[1], 1, n->in[0], 1);
	return err ? err : tie_vectors(u, n, 2);
}

/* As a convolution, with w (in, out) unless transB. */
static enum err gemm_rule(struct union_find *u, const struct graph *g, const struct node *n)
{
	(void)g;
	int out = node_int(n, "transB", 0) ? 0 : 1;
	enum err err = union_find_tie(u, n->in[1], out, n->out[0], 1);
	if (!err)
		err = union_find_tie(u, n->in[1], !out, n->in[0], 1);
	return err ? err : tie_vectors(u, n, 2);
}

static enum err batch_norm_rule(struct union_find *u, const struct graph *g, const struct node *n)
{
	(void)g;
	enum err err = union_find_tie(u, n->in[0], 1, n->out[0], 1);
	return err ? err : tie_vectors(u, n, 1);
}

/* Channels pass through one by one. Of several inputs (a residual sum) all have the output's channels. */
static enum err same_channels_rule(struct union_find *u, const struct graph *g, const struct node *n)
{
	for (int k = 0; k < n->in_count; k++) {
		enum err err =
			g->values[n->in[k]].shape.rank > 1 ? union_find_tie(u, n->in[k], 1, n->out[0], 1) : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

/* Channel c of (c, h, w) becomes the features c*h*w .. (c+1)*h*w - 1. */
static enum err flatten_rule(struct union_find *u, const struct graph *g, const struct node *n)
{
	const struct shape *x = &g->values[n->in[0]].shape;
	if (x->rank < 2)
		return ERR_OK;
	return union_find_tie_spread(u, n->in[0], 1, n->out[0], 1, shape_count(x, 1) / x->dim[1]);
}

typedef enum err coupling_rule(struct union_find *u, const struct graph *g, const struct node *n);

static coupling_rule *const rules[OP_COUNT] = {
	[OP_CONV] = conv_rule,
	[OP_BATCH_NORM] = batch_norm_rule,
	[OP_RELU] = same_channels_rule,
	[OP_MAX_POOL] = same_channels_rule,
	[OP_GLOBAL_AVERAGE_POOL] = same_channels_rule,
	[OP_ADD] = same_channels_rule,
	[OP_FLATTEN] = flatten_rule,
	[OP_GEMM] = gemm_rule,
};

enum err rules_apply(struct union_find *u, const struct graph *g, const struct node *n)
{
	return rules[n->op](u, g, n);
}

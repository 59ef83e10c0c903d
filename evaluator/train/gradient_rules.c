/* gradient_rules.c -- what each operator's backward pass is.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/gradient_rules.h"

#include <limits.h>

#include "evaluator/kernels/unary.h"

/* The rule, and how many inputs have a gradient. */
struct row {
	gradient_rule *rule;
	int inputs;
};

static const struct row rows[OP_COUNT] = {
	[OP_CONV] = { gradient_conv, 3 },
	[OP_CONV_TRANSPOSE] = { gradient_conv_transpose, 3 },
	[OP_GEMM] = { gradient_gemm, 3 },
	[OP_MATMUL] = { gradient_contraction, 2 },
	[OP_EINSUM] = { gradient_contraction, 2 },
	[OP_BATCH_NORM] = { gradient_batch_norm, 3 },
	[OP_INSTANCE_NORM] = { gradient_own_norm, 3 },
	[OP_LAYER_NORM] = { gradient_own_norm, 3 },
	[OP_GROUP_NORM] = { gradient_own_norm, 3 },
	[OP_LRN] = { gradient_lrn, 1 },
	[OP_LP_NORM] = { gradient_lp_norm, 1 },
	[OP_ADD] = { gradient_sum, 2 },
	[OP_SUB] = { gradient_sub, 2 },
	[OP_MUL] = { gradient_mul, 2 },
	[OP_DIV] = { gradient_div, 2 },
	[OP_POW] = { gradient_pow, 2 },
	[OP_PRELU] = { gradient_prelu, 2 },
	[OP_MIN] = { gradient_extreme, INT_MAX },
	[OP_MAX] = { gradient_extreme, INT_MAX },
	[OP_SUM] = { gradient_sum, INT_MAX },
	[OP_MEAN] = { gradient_mean, INT_MAX },
	[OP_MAX_POOL] = { gradient_max_pool, 1 },
	[OP_AVERAGE_POOL] = { gradient_average_pool, 1 },
	[OP_GLOBAL_AVERAGE_POOL] = { gradient_global_average_pool, 1 },
	[OP_GLOBAL_MAX_POOL] = { gradient_global_max_pool, 1 },
	[OP_SOFTMAX] = { gradient_softmax, 1 },
	[OP_LOG_SOFTMAX] = { gradient_log_softmax, 1 },
	[OP_FLATTEN] = { gradient_reshape, 1 },
	[OP_RESHAPE] = { gradient_reshape, 1 },
	[OP_SQUEEZE] = { gradient_reshape, 1 },
	[OP_UNSQUEEZE] = { gradient_reshape, 1 },
	[OP_TRANSPOSE] = { gradient_transpose, 1 },
	[OP_CONCAT] = { gradient_concat, INT_MAX },
	[OP_SPLIT] = { gradient_split, 1 },
	[OP_SLICE] = { gradient_moved, 1 },
	[OP_GATHER] = { gradient_moved, 1 },
	[OP_EXPAND] = { gradient_expand, 1 },
	[OP_TILE] = { gradient_moved, 1 },
	[OP_PAD] = { gradient_moved, 1 },
	[OP_DEPTH_TO_SPACE] = { gradient_depth_to_space, 1 },
	[OP_SPACE_TO_DEPTH] = { gradient_space_to_depth, 1 },
	[OP_RESIZE] = { gradient_resize, 1 },
	[OP_UPSAMPLE] = { gradient_resize, 1 },
};

static struct row row_of(enum op op)
{
	if (op_is_unary(op))
		return (struct row){ gradient_unary, unary_gradient_reads(op) ? 1 : 0 };
	if (op_is_reduce(op))
		return (struct row){ gradient_reduce, 1 };
	return op < OP_COUNT ? rows[op] : (struct row){ 0 };
}

int gradient_inputs(const struct node *n)
{
	int inputs = row_of(n->op).inputs;
	return inputs < n->in_count ? inputs : n->in_count;
}

void gradient_apply(struct backward *b, const struct node *n, const int *dy)
{
	char text[256];
	gradient_rule *rule = row_of(n->op).rule;
	b->w.name = n->name;
	if (b->w.err)
		return;
	if (n->opaque || !rule)
		writer_fail(&b->w,
			err_set(b->w.e, ERR_UNSUPPORTED, "%s: no gradient flows through it: %s", node_text(n, text),
				n->opaque ? n->opaque : "it has no rule"));
	else
		rule(b, n, dy);
}

bool gradient_wanted(const struct backward *b, const struct node *n, int k)
{
	return k < n->in_count && n->in[k] >= 0 && b->wants[n->in[k]];
}

struct shape gradient_shape(const struct backward *b, const struct node *n, int k)
{
	return b->net->values[n->in[k]].shape;
}

/* Terms stay in the order in which they come, so that sums are the same in each run. */
void gradient_flow(struct backward *b, const struct node *n, int k, int gradient)
{
	char text[256], is[128], expected[128];
	struct shape x = gradient_shape(b, n, k), dx = writer_shape(&b->w, gradient);
	if (b->w.err)
		return;
	if (!shape_equal(&x, &dx)) {
		writer_fail(&b->w,
			err_set(b->w.e, ERR_INTERNAL, "%s: the gradient of input %d is %s, expected %s",
				node_text(n, text), k, shape_text(&dx, is), shape_text(&x, expected)));
		return;
	}
	struct gradient_term *t = ARENA_NEW(b->w.g->arena, struct gradient_term), **end = &b->terms[n->in[k]];
	if (!t) {
		writer_fail(&b->w, err_set(b->w.e, ERR_MEMORY, "out of memory"));
		return;
	}
	t->gradient = gradient;
	while (*end)
		end = &(*end)->next;
	*end = t;
}

int gradient_node(struct backward *b, enum op op, const struct node *n, int k, int count, const int *in)
{
	struct shape s = gradient_shape(b, n, k);
	int y = writer_node(&b->w, op, count, in, &s);
	writer_attributes(&b->w, n);
	return y;
}

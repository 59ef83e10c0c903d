/* rules.c -- what each operator says about channels.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/rules.h"

#include "evaluator/prune/union_find.h"

static coupling_rule *const rules[OP_COUNT] = {
	[OP_CONV] = rule_conv,
	[OP_CONV_TRANSPOSE] = rule_conv_transpose,
	[OP_GEMM] = rule_contraction,
	[OP_MATMUL] = rule_contraction,
	[OP_EINSUM] = rule_contraction,
	[OP_BATCH_NORM] = rule_batch_norm,
	[OP_INSTANCE_NORM] = rule_instance_norm,
	[OP_LAYER_NORM] = rule_layer_norm,
	[OP_GROUP_NORM] = rule_group_norm,
	[OP_LRN] = rule_unary,
	[OP_LP_NORM] = rule_unary,
	[OP_MAX_POOL] = rule_pool,
	[OP_AVERAGE_POOL] = rule_pool,
	[OP_GLOBAL_AVERAGE_POOL] = rule_pool,
	[OP_GLOBAL_MAX_POOL] = rule_pool,
	[OP_SOFTMAX] = rule_softmax,
	[OP_LOG_SOFTMAX] = rule_softmax,
	[OP_FLATTEN] = rule_reshape,
	[OP_RESHAPE] = rule_reshape,
	[OP_SQUEEZE] = rule_squeeze,
	[OP_UNSQUEEZE] = rule_reshape,
	[OP_TRANSPOSE] = rule_transpose,
	[OP_CONCAT] = rule_concat,
	[OP_SPLIT] = rule_split,
	[OP_SLICE] = rule_slice,
	[OP_GATHER] = rule_gather,
	[OP_EXPAND] = rule_expand,
	[OP_TILE] = rule_tile,
	[OP_PAD] = rule_pad,
	[OP_DEPTH_TO_SPACE] = rule_depth_to_space,
	[OP_SPACE_TO_DEPTH] = rule_space_to_depth,
	[OP_RESIZE] = rule_resize,
	[OP_UPSAMPLE] = rule_resize,
};

static coupling_rule *rule_of(enum op op)
{
	if (op_is_unary(op))
		return rule_unary;
	if (op_is_broadcast(op))
		return rule_broadcast;
	if (op_is_reduce(op) && op != OP_REDUCE_PROD)
		return rule_reduce;
	return op < OP_COUNT ? rules[op] : NULL;
}

const char *rules_reader(struct union_find *u, const struct node *n)
{
	char text[256];
	return union_find_reason(u, "read by %s along this dimension", node_text(n, text));
}

void rules_freeze_node(struct union_find *u, const struct node *n, const char *reason)
{
	for (int k = 0; k < n->in_count; k++)
		if (n->in[k] >= 0)
			union_find_freeze_all(u, n->in[k], reason);
	for (int k = 0; k < n->out_count; k++)
		if (n->out[k] >= 0)
			union_find_freeze_all(u, n->out[k], reason);
}

void rules_fail(struct union_find *u, enum err err)
{
	if (!u->err)
		u->err = err;
}

void rules_tie_broadcast(struct union_find *u, int input, int y)
{
	const struct shape *x = &u->g->values[input].shape, *out = &u->g->values[y].shape;
	for (int dim = 0; dim < x->rank; dim++) {
		int at = dim + out->rank - x->rank;
		if (at >= 0 && x->dim[dim] == out->dim[at])
			union_find_tie_dims(u, input, dim, y, at);
	}
}

/* Shapes of all that a rule looks at are known: of opaque nodes' outputs they need not be. */
static bool shapes_known(const struct graph *g, const struct node *n)
{
	for (int k = 0; k < n->in_count; k++)
		if (n->in[k] >= 0 && g->values[n->in[k]].shape.rank < 0)
			return false;
	for (int k = 0; k < n->out_count; k++)
		if (n->out[k] >= 0 && g->values[n->out[k]].shape.rank < 0)
			return false;
	return true;
}

void rules_apply(struct union_find *u, const struct node *n)
{
	char text[256];
	coupling_rule *rule = rule_of(n->op);
	node_text(n, text);
	if (n->opaque)
		rules_freeze_node(u, n, union_find_reason(u, "%s: %s", text, n->opaque));
	else if (!rule || !shapes_known(u->g, n))
		rules_freeze_node(u, n, union_find_reason(u, "read by %s, which works on the whole", text));
	else
		rule(u, n);
}

/* rules_map.c -- what operators say about channels that leave every number at its place, or look along dimensions.
 * SPDX-License-Identifier: MIT
 *
 * A normalisation or a mean over dimensions of which something goes is allowed: the sizes stay right, and what is left
 * is normalised by itself. */
#include "evaluator/model/operand.h"
#include "evaluator/prune/rules.h"

void rule_unary(struct union_find *u, const struct node *n)
{
	union_find_tie_all(u, n->in[0], n->out[0]);
}

void rule_broadcast(struct union_find *u, const struct node *n)
{
	for (int k = 0; k < n->in_count; k++)
		if (n->in[k] >= 0)
			rules_tie_broadcast(u, n->in[k], n->out[0]);
}

/* Vectors among the inputs (scale, shift, statistics) go with the channels. */
static void tie_vectors(struct union_find *u, const struct node *n)
{
	for (int k = 1; k < n->in_count; k++)
		if (n->in[k] >= 0)
			union_find_tie_dims(u, n->in[k], 0, n->out[0], 1);
}

void rule_batch_norm(struct union_find *u, const struct node *n)
{
	union_find_tie_all(u, n->in[0], n->out[0]);
	tie_vectors(u, n);
}

void rule_instance_norm(struct union_find *u, const struct node *n)
{
	union_find_tie_all(u, n->in[0], n->out[0]);
	tie_vectors(u, n);
}

void rule_layer_norm(struct union_find *u, const struct node *n)
{
	union_find_tie_all(u, n->in[0], n->out[0]);
	for (int k = 1; k < n->in_count; k++)
		if (n->in[k] >= 0)
			rules_tie_broadcast(u, n->in[k], n->out[0]);
}

/* Channels are (groups, channels of a group); scale and shift are one a group. */
void rule_group_norm(struct union_find *u, const struct node *n)
{
	struct span x = union_find_span(u, n->in[0], 1), parts[2] = { { 0, 0 } };
	int64_t groups = node_int(n, "num_groups", 1);
	union_find_tie_all(u, n->in[0], n->out[0]);
	rules_split(u, n, x, 2, (int64_t[]){ groups, x.n / groups }, parts);
	for (int k = 1; k < n->in_count; k++)
		if (n->in[k] >= 0)
			union_find_tie(u, union_find_span(u, n->in[k], 0), parts[0]);
}

/* Places are frozen, channels pass one by one. */
void rule_pool(struct union_find *u, const struct node *n)
{
	for (int dim = 0; dim < 2; dim++)
		union_find_tie_dims(u, n->in[0], dim, n->out[0], dim);
	for (int dim = 2; dim < u->g->values[n->in[0]].shape.rank; dim++) {
		union_find_freeze_dim(u, n->in[0], dim, "spatial position");
		union_find_freeze_dim(u, n->out[0], dim, "spatial position");
	}
}

/* What sums to 1 stays. Before opset 13 that was everything from the axis on. */
void rule_softmax(struct union_find *u, const struct node *n)
{
	int axis, rank = u->g->values[n->in[0]].shape.rank;
	bool old = u->g->opset < 13;
	enum err err = node_axis(n, rank, old ? 1 : -1, &axis, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	const char *reason = rules_reader(u, n);
	for (int dim = axis; dim < (old ? rank : axis + 1); dim++)
		union_find_freeze_dim(u, n->out[0], dim, reason);
	union_find_tie_all(u, n->in[0], n->out[0]);
}

/* Dimensions that are left are the same. */
void rule_reduce(struct union_find *u, const struct node *n)
{
	bool reduced[SHAPE_MAX_RANK];
	int rank = u->g->values[n->in[0]].shape.rank;
	enum err err = operand_axes(u->g, n, rank, reduced, u->e);
	if (err) {
		rules_fail(u, err);
		return;
	}
	bool keep = node_int(n, "keepdims", 1);
	for (int dim = 0, at = 0; dim < rank; dim++) {
		if (!reduced[dim])
			union_find_tie_dims(u, n->in[0], dim, n->out[0], at);
		at += keep || !reduced[dim];
	}
}

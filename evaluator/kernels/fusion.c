/* fusion.c -- which nodes run as part of the convolution before them, and who reads what.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/fusion.h"

#include "evaluator/kernels/unary.h"
#include "evaluator/model/graph.h"

static bool reserve(const struct graph *g, struct arena *a, struct fusion *f)
{
	f->norm = ARENA_ARRAY(a, int, (size_t)g->node_count);
	f->activation = ARENA_ARRAY(a, int, (size_t)g->node_count);
	f->residual = ARENA_ARRAY(a, int, (size_t)g->node_count);
	f->maker = ARENA_ARRAY(a, int, (size_t)g->value_count);
	f->result = ARENA_ARRAY(a, int, (size_t)g->node_count);
	f->absorbed = ARENA_ARRAY(a, bool, (size_t)g->node_count);
	f->last_reader = ARENA_ARRAY(a, int, (size_t)g->value_count);
	f->readers = ARENA_ARRAY(a, int, (size_t)g->value_count);
	return f->norm && f->activation && f->residual && f->maker && f->result && f->absorbed && f->last_reader &&
	       f->readers;
}

static void find_readers(const struct graph *g, struct fusion *f)
{
	for (int i = 0; i < g->node_count; i++) {
		for (int k = 0; k < g->nodes[i].in_count; k++) {
			int v = g->nodes[i].in[k];
			if (v < 0)
				continue;
			f->readers[v]++;
			f->last_reader[v] = i;
		}
	}
	for (int i = 0; i < g->output_count; i++) {
		f->readers[g->outputs[i]]++;
		f->last_reader[g->outputs[i]] = g->node_count;
	}
}

/* The node that alone reads what `node` writes so far; -1 when there is none. */
static int follower(const struct graph *g, const struct fusion *f, int node)
{
	int v = f->result[node];
	return f->readers[v] == 1 && f->last_reader[v] < g->node_count ? f->last_reader[v] : -1;
}

static int take_up(const struct graph *g, struct fusion *f, int node, int next)
{
	f->absorbed[next] = true;
	f->result[node] = g->nodes[next].out[0];
	f->maker[f->result[node]] = node;
	return next;
}

/* What `next` adds to the result of `node`, when it is shaped as that and there by then; otherwise -1. */
static int addend(const struct graph *g, const struct fusion *f, int node, int next)
{
	const struct node *n = &g->nodes[next];
	if (n->op != OP_ADD || g->nodes[node].op != OP_CONV)
		return -1;
	int v = f->result[node], other = n->in[0] == v ? n->in[1] : n->in[0];
	bool alike = shape_equal(&g->values[v].shape, &g->values[other].shape);
	return alike && !g->values[other].data && f->maker[other] < node ? other : -1;
}

/* Folding multiplies stored tensors once. */
static bool is_stored(const struct graph *g, int node)
{
	const struct node *n = &g->nodes[node];
	for (int i = 1; i < n->in_count; i++)
		if (n->in[i] >= 0 && !g->values[n->in[i]].data)
			return false;
	return true;
}

static void fuse(const struct graph *g, bool fold_norms, struct fusion *f, int node)
{
	int next = follower(g, f, node);
	if (fold_norms && next >= 0 && g->nodes[next].op == OP_BATCH_NORM && is_stored(g, node) && is_stored(g, next)) {
		f->norm[node] = take_up(g, f, node, next);
		next = follower(g, f, node);
	}
	if (next >= 0 && addend(g, f, node, next) >= 0) {
		f->residual[node] = addend(g, f, node, next);
		take_up(g, f, node, next);
		next = follower(g, f, node);
	}
	if (next >= 0 && unary_can_end_a_layer(g, &g->nodes[next]))
		f->activation[node] = take_up(g, f, node, next);
}

/* What was read by a sum is read by the convolution that took it up. */
static void find_last_readers(const struct graph *g, struct fusion *f)
{
	for (int i = 0; i < g->node_count; i++) {
		for (int k = 0; k < g->nodes[i].in_count && !f->absorbed[i]; k++)
			if (g->nodes[i].in[k] >= 0)
				f->last_reader[g->nodes[i].in[k]] = i;
		if (f->residual[i] >= 0)
			f->last_reader[f->residual[i]] = i;
	}
	for (int i = 0; i < g->output_count; i++)
		f->last_reader[g->outputs[i]] = g->node_count;
}

/* A batch-norm by its batch makes what is below 0 zero by itself. */
static void fuse_relu(const struct graph *g, struct fusion *f, int node)
{
	int next = follower(g, f, node);
	if (next >= 0 && g->nodes[next].op == OP_RELU)
		f->activation[node] = take_up(g, f, node, next);
}

bool fusion_find(const struct graph *g, enum plan_mode mode, struct arena *a, struct fusion *ret)
{
	if (!reserve(g, a, ret))
		return false;
	find_readers(g, ret);
	for (int i = 0; i < g->value_count; i++)
		ret->maker[i] = g->values[i].producer;
	for (int i = 0; i < g->node_count; i++) {
		ret->norm[i] = ret->activation[i] = ret->residual[i] = -1;
		ret->result[i] = g->nodes[i].out[0];
		if (mode != PLAN_OBSERVE && (g->nodes[i].op == OP_CONV || g->nodes[i].op == OP_CONV_TRANSPOSE))
			fuse(g, mode == PLAN_INFER, ret, i);
		if (mode == PLAN_CALIBRATE && g->nodes[i].op == OP_BATCH_NORM)
			fuse_relu(g, ret, i);
	}
	find_last_readers(g, ret);
	return true;
}

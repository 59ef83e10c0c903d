/* fusion.c -- which nodes run as part of the convolution before them, and who reads what.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/fusion.h"

#include "evaluator/model/graph.h"

static bool reserve(const struct graph *g, struct arena *a, struct fusion *f)
{
	f->norm = ARENA_ARRAY(a, int, (size_t)g->node_count);
	f->relu = ARENA_ARRAY(a, bool, (size_t)g->node_count);
	f->result = ARENA_ARRAY(a, int, (size_t)g->node_count);
	f->absorbed = ARENA_ARRAY(a, bool, (size_t)g->node_count);
	f->last_reader = ARENA_ARRAY(a, int, (size_t)g->value_count);
	f->readers = ARENA_ARRAY(a, int, (size_t)g->value_count);
	return f->norm && f->relu && f->result && f->absorbed && f->last_reader && f->readers;
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

/* The node that alone reads what `node` writes so far, when it is of kind op; -1 otherwise. */
static int follower(const struct graph *g, const struct fusion *f, int node, enum op op)
{
	int v = f->result[node], next = f->last_reader[v];
	return f->readers[v] == 1 && next < g->node_count && g->nodes[next].op == op ? next : -1;
}

static bool take_up(const struct graph *g, struct fusion *f, int node, enum op op, int *ret)
{
	int next = follower(g, f, node, op);
	if (next < 0)
		return false;
	f->absorbed[next] = true;
	f->result[node] = g->nodes[next].out[0];
	*ret = next;
	return true;
}

bool fusion_find(const struct graph *g, bool fold_norms, struct arena *a, struct fusion *ret)
{
	if (!reserve(g, a, ret))
		return false;
	find_readers(g, ret);
	for (int i = 0; i < g->node_count; i++) {
		int relu;
		ret->norm[i] = -1;
		ret->result[i] = g->nodes[i].out[0];
		if (g->nodes[i].op != OP_CONV)
			continue;
		if (fold_norms)
			take_up(g, ret, i, OP_BATCH_NORM, &ret->norm[i]);
		ret->relu[i] = take_up(g, ret, i, OP_RELU, &relu);
	}
	return true;
}

/* size.c -- how large a network is, counted on its graph.
 * SPDX-License-Identifier: MIT */
#include "evaluator/measure/size.h"

#include <stdlib.h>

#include "evaluator/model/graph.h"

static int64_t elements(const struct graph *g, const struct node *n, int i)
{
	const struct value *v = node_input(g, n, i);
	return v ? shape_count(&v->shape, 1) : 0;
}

struct size size_of_node(const struct graph *g, const struct node *n)
{
	struct size s = { 0 };
	const struct shape *y = &g->values[n->out[0]].shape;
	if (n->op == OP_CONV || n->op == OP_GEMM) {
		s.params = elements(g, n, 1) + elements(g, n, 2);
		s.macs = elements(g, n, 1) * (n->op == OP_CONV ? y->dim[2] * y->dim[3] : 1);
	} else if (n->op == OP_BATCH_NORM) {
		s.params = elements(g, n, 1) + elements(g, n, 2);
		s.bytes = 4 * (elements(g, n, 3) + elements(g, n, 4));
	}
	s.bytes += 4 * s.params;
	return s;
}

/* By value: the last node that reads it; the network's output is read by the caller, after all. */
static void find_last_readers(const struct graph *g, int *last)
{
	for (int v = 0; v < g->value_count; v++)
		last[v] = g->values[v].producer; /* nobody reads it: it dies where it was born */
	for (int i = 0; i < g->node_count; i++)
		for (int k = 0; k < g->nodes[i].in_count; k++)
			if (g->nodes[i].in[k] >= 0)
				last[g->nodes[i].in[k]] = i;
	for (int i = 0; i < g->output_count; i++)
		last[g->outputs[i]] = g->node_count;
}

static int64_t bytes_of(const struct value *v)
{
	return v->data ? 0 : 4 * shape_count(&v->shape, 1);
}

static int64_t peak_memory(const struct graph *g, const int *last)
{
	int64_t live = 0, peak = 0;
	for (int i = 0; i < g->input_count; i++)
		live += bytes_of(&g->values[g->inputs[i]]);
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		live += bytes_of(&g->values[n->out[0]]);
		peak = live > peak ? live : peak;
		for (int k = 0; k < n->in_count; k++) {
			int v = n->in[k];
			bool again = false;
			for (int earlier = 0; earlier < k; earlier++)
				again = again || n->in[earlier] == v;
			if (v >= 0 && last[v] == i && !again)
				live -= bytes_of(&g->values[v]);
		}
		if (last[n->out[0]] == i)
			live -= bytes_of(&g->values[n->out[0]]);
	}
	return peak;
}

enum err size_count(const struct graph *g, struct size *ret, struct errinfo *e)
{
	struct size s = { 0 };
	int *last = calloc((size_t)g->value_count + 1, sizeof *last);
	if (!last)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (int i = 0; i < g->node_count; i++) {
		struct size node = size_of_node(g, &g->nodes[i]);
		s.params += node.params;
		s.macs += node.macs;
		s.bytes += node.bytes;
	}
	find_last_readers(g, last);
	s.memory = peak_memory(g, last);
	free(last);
	*ret = s;
	return ERR_OK;
}

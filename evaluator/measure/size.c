/* size.c -- how large a network is, counted on its graph.
 * SPDX-License-Identifier: MIT */
#include "evaluator/measure/size.h"

#include <stdlib.h>

#include "evaluator/model/graph.h"
#include "evaluator/model/operand.h"

/* ---- multiply-accumulates ---- */

/* Samples and places of a feature map. */
static int64_t places(const struct shape *s)
{
	int64_t channels = s->dim[1];
	return channels ? shape_count(s, 1) / channels : 0;
}

/* A convolution uses every number of its weight at each place of its output, a transposed one at each of its input. */
static int64_t macs_of_convolution(const struct graph *g, const struct node *n)
{
	const struct value *w = &g->values[n->in[1]];
	int at = n->op == OP_CONV ? n->out[0] : n->in[0];
	return w->data ? shape_count(&w->shape, 1) * places(&g->values[at].shape) : 0;
}

/* One for each choice of all letters. */
static int64_t macs_of_product(const struct graph *g, const struct node *n)
{
	struct operand_contraction c;
	int64_t size[3 * SHAPE_MAX_RANK] = { 0 }, macs = 1;
	if (n->in_count < 2 || operand_contraction(g, n, &c, NULL))
		return 0;
	for (int k = 0; k < 2; k++)
		for (int dim = 0; dim < g->values[n->in[k]].shape.rank; dim++)
			if (c.in[k][dim] >= 0)
				size[c.in[k][dim]] = dim_size(g->values[n->in[k]].shape.dim[dim], 1);
	for (int letter = 0; letter < c.letters; letter++)
		macs *= size[letter];
	return macs;
}

static int64_t macs_of(const struct graph *g, const struct node *n)
{
	if (n->opaque)
		return 0;
	if (n->op == OP_CONV || n->op == OP_CONV_TRANSPOSE)
		return macs_of_convolution(g, n);
	if (n->op == OP_GEMM || n->op == OP_MATMUL || n->op == OP_EINSUM)
		return macs_of_product(g, n);
	return 0;
}

/* ---- stored numbers ---- */

enum { UNSEEN, STATISTICS, COUNTED };

/* Batch-norm's mean and variance are stored and not learned. */
static void mark_statistics(const struct graph *g, char *marks)
{
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		if (n->op == OP_BATCH_NORM && !n->opaque)
			marks[n->in[3]] = marks[n->in[4]] = STATISTICS;
	}
}

static void count_tensors(const struct graph *g, const struct node *n, char *marks, struct size *ret)
{
	for (int k = 0; k < n->in_count; k++) {
		const struct value *v = node_input(g, n, k);
		if (!v || !v->data || !v->learned || v->dtype != DTYPE_FLOAT || marks[n->in[k]] == COUNTED)
			continue;
		int64_t numbers = shape_count(&v->shape, 1);
		ret->params += marks[n->in[k]] == STATISTICS ? 0 : numbers;
		ret->bytes += 4 * numbers;
		marks[n->in[k]] = COUNTED;
	}
}

enum err size_of_nodes(const struct graph *g, struct size *ret, struct errinfo *e)
{
	char *marks = calloc((size_t)g->value_count + 1, sizeof *marks);
	if (!marks)
		return err_set(e, ERR_MEMORY, "out of memory");
	mark_statistics(g, marks);
	for (int i = 0; i < g->node_count; i++) {
		ret[i] = (struct size){ .macs = macs_of(g, &g->nodes[i]) };
		count_tensors(g, &g->nodes[i], marks, &ret[i]);
	}
	free(marks);
	return ERR_OK;
}

/* ---- activations ---- */

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

/* Values whose shape isn't known count nothing. */
static int64_t bytes_of(const struct value *v)
{
	return v->data || v->shape.rank < 0 ? 0 : 4 * shape_count(&v->shape, 1);
}

/* What node i, the last of its readers, leaves behind; forgets the readers of what is counted, for a node may read a
 * value several times. */
static int64_t bytes_freed(const struct graph *g, int *last, int i)
{
	const struct node *n = &g->nodes[i];
	int64_t freed = 0;
	for (int k = 0; k < n->in_count; k++) {
		int v = n->in[k];
		if (v < 0 || last[v] != i)
			continue;
		freed += bytes_of(&g->values[v]);
		last[v] = -1;
	}
	for (int k = 0; k < n->out_count; k++)
		if (n->out[k] >= 0 && last[n->out[k]] == i)
			freed += bytes_of(&g->values[n->out[k]]);
	return freed;
}

static int64_t peak_memory(const struct graph *g, int *last)
{
	int64_t live = 0, peak = 0;
	for (int i = 0; i < g->input_count; i++)
		live += bytes_of(&g->values[g->inputs[i]]);
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		for (int k = 0; k < n->out_count; k++)
			if (n->out[k] >= 0)
				live += bytes_of(&g->values[n->out[k]]);
		peak = live > peak ? live : peak;
		live -= bytes_freed(g, last, i);
	}
	return peak;
}

enum err size_count(const struct graph *g, struct size *ret, struct errinfo *e)
{
	struct size s = { 0 };
	int *last = calloc((size_t)g->value_count + 1, sizeof *last);
	struct size *nodes = calloc((size_t)g->node_count + 1, sizeof *nodes);
	enum err err = last && nodes ? size_of_nodes(g, nodes, e) : err_set(e, ERR_MEMORY, "out of memory");
	if (!err) {
		for (int i = 0; i < g->node_count; i++) {
			s.params += nodes[i].params;
			s.macs += nodes[i].macs;
			s.bytes += nodes[i].bytes;
		}
		find_last_readers(g, last);
		s.memory = peak_memory(g, last);
		*ret = s;
	}
	free(nodes);
	free(last);
	return err;
}

/* ledger.c -- what a network costs, in terms of the channels that its groups keep.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/ledger.h"

#include "evaluator/prune/coupling.h"
#include "evaluator/prune/layer.h"

/* A ledger being written. */
struct writing {
	const struct coupling *c;
	const struct graph *g;
	struct ledger *l;
	bool *counted;    /* by value: it has its row */
	bool *statistics; /* by value: a batch-norm's mean or variance, which isn't learned */
};

static struct ledger_dim constant_dim(int64_t n)
{
	return (struct ledger_dim){ .constant = n };
}

/* A value's dimension; dim -1 is one of size 1. */
static struct ledger_dim dim_of(const struct writing *w, int value, int dim)
{
	const struct axis *a = coupling_axis(w->c, value, dim);
	if (a)
		return (struct ledger_dim){ a->constant, a->terms, a->term_count };
	return constant_dim(dim < 0 ? 1 : w->g->values[value].shape.dim[dim]);
}

static bool same_dim(const struct ledger_dim *a, const struct ledger_dim *b)
{
	if (a->constant != b->constant || a->term_count != b->term_count)
		return false;
	for (int i = 0; i < a->term_count; i++)
		if (a->terms[i].group != b->terms[i].group || a->terms[i].multiple != b->terms[i].multiple)
			return false;
	return true;
}

/* True once for each learned tensor. */
static bool count_once(struct writing *w, int value)
{
	if (value < 0 || w->counted[value])
		return false;
	const struct value *v = &w->g->values[value];
	w->counted[value] = true;
	return v->data && v->learned && v->dtype == DTYPE_FLOAT;
}

static void add_layer(struct writing *w, const struct node *n, const struct layer *layer)
{
	struct ledger_row row = { .name = n->name, .op = op_table[n->op].name, .kernel = layer->kernel,
		.positions = layer->positions };
	row.out = dim_of(w, layer->out, layer->out_dim);
	row.in = dim_of(w, layer->in, layer->in_dim);
	row.stored = count_once(w, layer->weight);
	if (layer->bias >= 0 && w->g->values[layer->bias].shape.rank == 1) {
		struct ledger_dim bias = dim_of(w, layer->bias, 0);
		row.vectors = same_dim(&bias, &row.out) && count_once(w, layer->bias);
	}
	w->l->rows[w->l->count++] = row;
}

static void add_batch_norm(struct writing *w, const struct node *n)
{
	struct ledger_row row = { .name = n->name, .op = op_table[n->op].name, .stored = true };
	row.out = dim_of(w, n->in[1], 0);
	for (int k = 1; k < 5; k++) {
		if (!count_once(w, n->in[k]))
			continue;
		if (w->statistics[n->in[k]])
			row.buffers++;
		else
			row.vectors++;
	}
	w->l->rows[w->l->count++] = row;
}

/* A learned tensor that is no layer's weight. At most two of its dimensions can lose something. */
static void add_tensor(struct writing *w, const struct node *n, int value)
{
	const struct value *v = &w->g->values[value];
	int live[2], count = 0;
	int64_t others = 1;
	for (int dim = 0; dim < v->shape.rank; dim++) {
		if (count < 2 && dim_of(w, value, dim).term_count)
			live[count++] = dim;
		else
			others *= v->shape.dim[dim];
	}
	if (!count) {
		*(w->statistics[value] ? &w->l->fixed_buffers : &w->l->fixed_params) += others;
		return;
	}
	w->l->rows[w->l->count++] = (struct ledger_row){ .name = v->name,
		.op = n->op < OP_COUNT ? op_table[n->op].name : n->type, .out = dim_of(w, value, live[0]),
		.in = count > 1 ? dim_of(w, value, live[1]) : constant_dim(1), .kernel = others, .stored = true };
}

static void add_node(struct writing *w, const struct node *n)
{
	struct layer layer;
	if (layer_of(w->g, n, &layer))
		add_layer(w, n, &layer);
	else if (n->op == OP_BATCH_NORM && !n->opaque)
		add_batch_norm(w, n);
	for (int k = 0; k < n->in_count; k++)
		if (count_once(w, n->in[k]))
			add_tensor(w, n, n->in[k]);
}

static size_t most_rows(const struct graph *g)
{
	size_t most = (size_t)g->node_count;
	for (int i = 0; i < g->value_count; i++)
		most += g->values[i].data != NULL;
	return most;
}

enum err ledger_new(const struct coupling *c, struct arena *a, struct ledger **ret, struct errinfo *e)
{
	const struct graph *g = c->g;
	struct writing w = { .c = c, .g = g, .l = ARENA_NEW(a, struct ledger) };
	w.counted = ARENA_ARRAY(a, bool, (size_t)g->value_count);
	w.statistics = ARENA_ARRAY(a, bool, (size_t)g->value_count);
	if (w.l)
		w.l->rows = ARENA_ARRAY(a, struct ledger_row, most_rows(g));
	if (!w.l || !w.l->rows || !w.counted || !w.statistics)
		return err_set(e, ERR_MEMORY, "out of memory for the inventory");
	for (int i = 0; i < g->node_count; i++)
		if (g->nodes[i].op == OP_BATCH_NORM && !g->nodes[i].opaque)
			w.statistics[g->nodes[i].in[3]] = w.statistics[g->nodes[i].in[4]] = true;
	for (int i = 0; i < g->node_count; i++)
		add_node(&w, &g->nodes[i]);
	*ret = w.l;
	return ERR_OK;
}

static int64_t dim_kept(const struct ledger_dim *d, const int *keep)
{
	int64_t size = d->constant;
	for (int i = 0; i < d->term_count; i++)
		size += d->terms[i].multiple * keep[d->terms[i].group];
	return size;
}

struct ledger_cost ledger_cost(const struct ledger *l, const int *keep)
{
	struct ledger_cost sum = { .params = l->fixed_params };
	int64_t buffers = l->fixed_buffers;
	for (int i = 0; i < l->count; i++) {
		const struct ledger_row *r = &l->rows[i];
		int64_t out = dim_kept(&r->out, keep), weights = out * dim_kept(&r->in, keep) * r->kernel;
		sum.params += r->stored * weights + out * r->vectors;
		sum.macs += weights * r->positions;
		buffers += out * r->buffers;
	}
	sum.bytes = 4 * (sum.params + buffers);
	return sum;
}

/* gradient.c -- a network and its backward pass as one graph.
 * SPDX-License-Identifier: MIT
 *
 * First is found out what learned tensors lie before; then the forward pass is copied, and the nodes are gone through
 * from the last to the first, each with the gradient of what it writes, the sum of what its readers gave; at last what
 * has got a gradient becomes an input. */
#include "evaluator/train/gradient.h"

#include <stdlib.h>
#include <string.h>

#include "evaluator/train/gradient_rules.h"

static enum err no_memory(struct errinfo *e)
{
	return err_set(e, ERR_MEMORY, "out of memory");
}

/* ---- before ---- */

static bool is_learned(const struct value *v)
{
	return v->data && v->learned && v->dtype == DTYPE_FLOAT;
}

/* Numbers that steer an operator stay stored, also where another node reads the same tensor as a weight: exporters
 * merge equal ones. An exponent, too: next to a whole number there is no power of a negative one. */
static void leave_operands(struct backward *b)
{
	const struct graph *net = b->net;
	for (int i = 0; i < net->node_count; i++) {
		const struct node *n = &net->nodes[i];
		int first = n->op == OP_POW ? 1 : gradient_inputs(n);
		for (int k = first ? first : n->in_count; k < n->in_count; k++)
			if (n->in[k] >= 0 && net->values[n->in[k]].data)
				b->wants[n->in[k]] = false;
	}
}

static void mark_wants(struct backward *b)
{
	const struct graph *net = b->net;
	for (int i = 0; i < net->value_count; i++)
		b->wants[i] = is_learned(&net->values[i]);
	leave_operands(b);
	for (int i = 0; i < net->node_count; i++) {
		const struct node *n = &net->nodes[i];
		int inputs = n->opaque ? n->in_count : gradient_inputs(n);
		bool wants = false;
		for (int k = 0; k < inputs; k++)
			wants = wants || gradient_wanted(b, n, k);
		for (int k = 0; k < n->out_count && wants; k++)
			if (n->out[k] >= 0)
				b->wants[n->out[k]] = true;
	}
}

/* A ReLU that alone reads a batch-norm is taken up by it. */
static void absorb_relus(struct backward *b, int *readers)
{
	const struct graph *net = b->net;
	for (int i = 0; i < net->node_count; i++)
		for (int k = 0; k < net->nodes[i].in_count; k++)
			if (net->nodes[i].in[k] >= 0)
				readers[net->nodes[i].in[k]]++;
	for (int i = 0; i < net->output_count; i++)
		readers[net->outputs[i]]++;
	for (int i = 0; i < net->node_count; i++) {
		const struct node *n = &net->nodes[i];
		b->result[i] = n->out_count ? n->out[0] : -1;
		int from = n->op == OP_RELU ? net->values[n->in[0]].producer : -1;
		if (from < 0 || net->nodes[from].op != OP_BATCH_NORM || readers[n->in[0]] != 1)
			continue;
		b->result[from] = n->out[0];
		b->absorbed[i] = true;
	}
}

/* ---- forward ---- */

static void copy_values(struct backward *b)
{
	const struct graph *net = b->net;
	struct graph *g = b->w.g;
	g->values = ARENA_ARRAY(g->arena, struct value, (size_t)net->value_count);
	if (!g->values) {
		writer_fail(&b->w, no_memory(b->w.e));
		return;
	}
	for (int i = 0; i < net->value_count; i++) {
		const struct value *v = &net->values[i];
		if (v->data && v->dtype == DTYPE_FLOAT)
			value_floats(v); /* moves them now, if at all: the copy is to look at the same place */
		g->values[i] = *v;
	}
	g->value_count = b->w.value_room = net->value_count;
}

/* Where it takes up a ReLU, what that writes is what it writes. */
static void copy_batch_norm(struct backward *b, int node)
{
	const struct node *n = &b->net->nodes[node];
	struct shape vector = b->net->values[n->in[1]].shape, y = b->net->values[n->out[0]].shape;
	int ret[3], result = b->result[node];
	b->w.name = n->name;
	writer_node_of(&b->w, OP_BATCH_NORM_TRAIN, 3, n->in, 3, (const struct shape *[]){ &y, &vector, &vector }, ret);
	writer_float(&b->w, "epsilon", node_float(n, "epsilon", 1e-5f));
	if (result != n->out[0])
		writer_int(&b->w, "relu", 1);
	if (b->w.err)
		return;
	struct node *copy = &b->w.g->nodes[b->w.g->node_count - 1];
	copy->out[0] = result;
	b->w.g->values[result].producer = b->w.g->node_count - 1;
	b->statistics[node] = ret[1];
}

static void copy_nodes(struct backward *b)
{
	for (int i = 0; i < b->net->node_count && !b->w.err; i++)
		if (b->net->nodes[i].op == OP_BATCH_NORM)
			copy_batch_norm(b, i);
		else if (!b->absorbed[i])
			writer_copy(&b->w, &b->net->nodes[i]);
}

/* ---- what is to be minimised ---- */

static void flow_to(struct backward *b, int value, int gradient)
{
	struct node reader = { .name = b->net->values[value].name, .in = &value, .in_count = 1 };
	if (b->wants[value])
		gradient_flow(b, &reader, 0, gradient);
}

static void write_seeds(struct backward *b, struct gradient *d)
{
	d->seed = b->net->input_count;
	for (int i = 0; i < b->net->output_count; i++) {
		int y = b->net->outputs[i];
		struct shape s = b->net->values[y].shape;
		flow_to(b, y, writer_input(&b->w, "seed", &s));
	}
}

int gradient_logits(const struct graph *g)
{
	int producer = g->values[g->outputs[0]].producer;
	return producer >= 0 && g->nodes[producer].op == OP_SOFTMAX ? g->nodes[producer].in[0] : g->outputs[0];
}

static void check_logits(struct backward *b)
{
	char text[128];
	struct shape s = b->net->values[b->net->outputs[0]].shape;
	if (s.rank != 2 || s.dim[0] != DIM_BATCH || s.dim[1] < 1)
		writer_fail(&b->w,
			err_set(b->w.e, ERR_UNSUPPORTED, "the output is %s, expected (batch, classes)",
				shape_text(&s, text)));
}

static void write_loss(struct backward *b, const struct gradient_request *r, struct gradient *d)
{
	struct writer *w = &b->w;
	int logits = gradient_logits(b->net), ret[2];
	struct shape s = b->net->values[logits].shape, each = { 1, { DIM_BATCH } };
	check_logits(b);
	d->target = w->g->input_count;
	int target = writer_input(w, "target", &s), teacher = -1;
	if (r->distil) {
		d->teacher = w->g->input_count;
		teacher = writer_input(w, "teacher", &s);
	}
	w->name = "loss";
	writer_node_of(
		w, OP_LOSS, 3, (int[]){ logits, target, teacher }, 2, (const struct shape *[]){ &each, &s }, ret);
	if (r->distil) {
		writer_float(w, "temperature", r->temperature);
		writer_float(w, "weight", r->weight);
	}
	flow_to(b, logits, ret[1]);
	d->loss = w->g->output_count;
	writer_output(w, ret[0]);
}

/* ---- backward ---- */

/* The sum of what a value's readers gave, -1: nothing. */
static int sum_terms(struct backward *b, int value)
{
	struct shape s = b->net->values[value].shape;
	int count = 0, at = 0;
	for (const struct gradient_term *t = b->terms[value]; t; t = t->next)
		count++;
	if (count < 2)
		return count ? b->terms[value]->gradient : -1;
	int *terms = ARENA_ARRAY(b->w.g->arena, int, (size_t)count);
	if (!terms) {
		writer_fail(&b->w, no_memory(b->w.e));
		return -1;
	}
	for (const struct gradient_term *t = b->terms[value]; t; t = t->next)
		terms[at++] = t->gradient;
	return writer_node(&b->w, count == 2 ? OP_ADD : OP_SUM, count, terms, &s);
}

static void write_backward_of(struct backward *b, int node, int *dy)
{
	const struct node *n = &b->net->nodes[node];
	int inputs = n->opaque ? n->in_count : gradient_inputs(n);
	bool flows = false, wanted = false;
	for (int k = 0; k < inputs; k++)
		wanted = wanted || gradient_wanted(b, n, k);
	b->w.name = n->name;
	for (int k = 0; k < n->out_count && wanted; k++) {
		int value = k ? n->out[k] : b->result[node];
		dy[k] = value < 0 ? -1 : sum_terms(b, value);
		flows = flows || dy[k] >= 0;
	}
	if (flows)
		gradient_apply(b, n, dy);
}

static void write_backward(struct backward *b)
{
	int most = 1;
	for (int i = 0; i < b->net->node_count; i++)
		most = b->net->nodes[i].out_count > most ? b->net->nodes[i].out_count : most;
	int *dy = ARENA_ARRAY(b->w.g->arena, int, (size_t)most);
	if (!dy)
		writer_fail(&b->w, no_memory(b->w.e));
	for (int i = b->net->node_count - 1; i >= 0 && !b->w.err; i--)
		if (!b->absorbed[i])
			write_backward_of(b, i, dy);
}

/* ---- parameters ---- */

static bool is_vector(const struct shape *s)
{
	int sides = 0;
	for (int i = 0; i < s->rank; i++)
		sides += s->dim[i] > 1;
	return sides < 2;
}

static enum parameter_kind kind_at(const struct node *n, int k, const struct shape *s)
{
	switch ((int)n->op) {
	case OP_CONV:
	case OP_CONV_TRANSPOSE:
	case OP_GEMM: return k == 2 ? PARAMETER_BIAS : PARAMETER_WEIGHT;
	case OP_BATCH_NORM:
	case OP_INSTANCE_NORM:
	case OP_LAYER_NORM:
	case OP_GROUP_NORM: return PARAMETER_NORM;
	case OP_ADD:
	case OP_SUB:
	case OP_SUM: return is_vector(s) ? PARAMETER_BIAS : PARAMETER_WEIGHT;
	case OP_MUL:
	case OP_DIV:
	case OP_PRELU: return is_vector(s) ? PARAMETER_NORM : PARAMETER_WEIGHT;
	default: return PARAMETER_WEIGHT;
	}
}

/* What it is to its first reader. */
static enum parameter_kind kind_of(const struct graph *net, int value)
{
	for (int i = 0; i < net->node_count; i++)
		for (int k = 0; k < net->nodes[i].in_count; k++)
			if (net->nodes[i].in[k] == value)
				return kind_at(&net->nodes[i], k, &net->values[value].shape);
	return PARAMETER_WEIGHT;
}

static void write_parameter(struct backward *b, struct gradient *d, int value)
{
	struct writer *w = &b->w;
	const struct value *v = &b->net->values[value];
	w->name = v->name;
	int sum = sum_terms(b, value);
	if (w->err)
		return;
	d->parameters[d->parameter_count++] = (struct parameter){ .value = value,
		.kind = kind_of(b->net, value),
		.count = shape_count(&v->shape, 1),
		.input = w->g->input_count,
		.output = w->g->output_count };
	w->g->values[value].data = NULL;
	w->g->values[value].learned = false;
	writer_use_as_input(w, value);
	writer_output(w, sum);
}

static void write_parameters(struct backward *b, struct gradient *d)
{
	d->parameters = ARENA_ARRAY(d->arena, struct parameter, (size_t)b->net->value_count);
	if (!d->parameters)
		writer_fail(&b->w, no_memory(b->w.e));
	for (int i = 0; i < b->net->value_count && !b->w.err; i++)
		if (is_learned(&b->net->values[i]) && b->terms[i])
			write_parameter(b, d, i);
}

static void write_norms(struct backward *b, struct gradient *d)
{
	d->norms = ARENA_ARRAY(d->arena, struct trained_norm, (size_t)b->net->node_count);
	if (!d->norms)
		writer_fail(&b->w, no_memory(b->w.e));
	for (int i = 0; i < b->net->node_count && !b->w.err; i++) {
		if (b->net->nodes[i].op != OP_BATCH_NORM)
			continue;
		int at = b->w.g->output_count;
		d->norms[d->norm_count++] = (struct trained_norm){ i, at, at + 1 };
		writer_output(&b->w, b->statistics[i]);
		writer_output(&b->w, b->statistics[i] + 1);
	}
}

/* ---- the whole ---- */

static bool reserve(struct backward *b)
{
	const struct graph *net = b->net;
	struct arena *a = b->w.g->arena;
	b->wants = ARENA_ARRAY(a, bool, (size_t)net->value_count);
	b->terms = ARENA_ARRAY(a, struct gradient_term *, (size_t)net->value_count);
	b->result = ARENA_ARRAY(a, int, (size_t)net->node_count);
	b->absorbed = ARENA_ARRAY(a, bool, (size_t)net->node_count);
	b->statistics = ARENA_ARRAY(a, int, (size_t)net->node_count);
	return b->wants && b->terms && b->result && b->absorbed && b->statistics;
}

static void write(struct backward *b, const struct gradient_request *r, struct gradient *d)
{
	int *readers = ARENA_ARRAY(b->w.g->arena, int, (size_t)b->net->value_count);
	if (!readers || !reserve(b)) {
		writer_fail(&b->w, no_memory(b->w.e));
		return;
	}
	mark_wants(b);
	absorb_relus(b, readers);
	copy_values(b);
	copy_nodes(b);
	for (int i = 0; i < b->net->input_count; i++)
		writer_use_as_input(&b->w, b->net->inputs[i]);
	for (int i = 0; i < b->net->output_count; i++)
		writer_output(&b->w, b->net->outputs[i]);
	if (r->loss)
		write_loss(b, r, d);
	else
		write_seeds(b, d);
	write_norms(b, d);
	write_backward(b);
	write_parameters(b, d);
}

static struct graph *new_graph(const struct graph *net)
{
	struct arena *a = arena_new();
	struct graph *g = a ? ARENA_NEW(a, struct graph) : NULL;
	if (!g) {
		arena_free(a);
		return NULL;
	}
	*g = (struct graph){ .arena = a,
		.name = net->name,
		.opset = net->opset,
		.ir_version = net->ir_version,
		.opsets = net->opsets,
		.opset_count = net->opset_count,
		.batch_size = net->batch_size };
	return g;
}

enum err gradient_open(
	const struct graph *g, const struct gradient_request *r, struct gradient **ret, struct errinfo *e)
{
	struct arena *a = arena_new();
	struct gradient *d = a ? ARENA_NEW(a, struct gradient) : NULL;
	struct graph *made = d ? new_graph(g) : NULL;
	if (!made) {
		arena_free(a);
		return no_memory(e);
	}
	*d = (struct gradient){ .graph = made, .arena = a, .target = -1, .teacher = -1, .loss = -1, .seed = -1 };
	struct backward b = { .net = g, .w = { .g = made, .e = e } };
	write(&b, r, d);
	if (b.w.err)
		gradient_close(d);
	else
		*ret = d;
	return b.w.err;
}

void gradient_close(struct gradient *d)
{
	if (!d)
		return;
	graph_free(d->graph);
	arena_free(d->arena);
}

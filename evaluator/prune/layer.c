/* layer.c -- nodes that multiply: convolutions, linear layers, products of two computed values.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/layer.h"

/* ---- convolutions ---- */

/* Samples and places, for one sample. */
static int64_t positions_of(const struct shape *s)
{
	int64_t count = dim_size(s->dim[0], 1);
	for (int dim = 2; dim < s->rank; dim++)
		count *= s->dim[dim];
	return count;
}

/* The weight is (filters, inputs of a filter, ...), transposed (inputs, filters of a group, ...): then either may stand
 * for the outputs when there are groups, as long as the product is the weight's size. */
static bool convolution(const struct graph *g, const struct node *n, struct layer *ret)
{
	bool transposed = n->op == OP_CONV_TRANSPOSE, swap = transposed && node_int(n, "group", 1) == 1;
	const struct value *w = &g->values[n->in[1]];
	if (!w->data)
		return false;
	*ret = (struct layer){ .weight = n->in[1], .bias = n->in_count > 2 ? n->in[2] : -1, .out = n->in[1],
		.out_dim = swap, .in = n->in[1], .in_dim = !swap, .x = n->in[0], .x_dim = 1, .kernel = 1 };
	for (int dim = 2; dim < w->shape.rank; dim++)
		ret->kernel *= w->shape.dim[dim];
	ret->positions = positions_of(&g->values[transposed ? n->in[0] : n->out[0]].shape);
	return true;
}

/* ---- products ---- */

struct letter product_letter(const struct graph *g, const struct node *n, const struct product *p, int letter)
{
	struct letter l = { { -1, -1 }, -1 };
	for (int k = 0; k < 2; k++)
		for (int dim = 0; dim < g->values[n->in[k]].shape.rank; dim++)
			if (p->letters.in[k][dim] == letter)
				l.in[k] = dim;
	for (int dim = 0; dim < g->values[n->out[0]].shape.rank; dim++)
		if (p->letters.out[dim] == letter)
			l.out = dim;
	return l;
}

/* With weights, the last of theirs that the output has and x has not; without, the last of the output. Summed over, the
 * last that both operands have and the output has not. */
static void find_free_letters(const struct graph *g, const struct node *n, struct product *p)
{
	int weight = p->weight, from = weight < 0 ? 0 : weight;
	for (int dim = 0; dim < g->values[n->out[0]].shape.rank; dim++) {
		struct letter l = product_letter(g, n, p, p->letters.out[dim]);
		if (weight < 0 || (l.in[weight] >= 0 && l.in[!weight] < 0))
			p->out = p->letters.out[dim];
	}
	for (int dim = 0; dim < g->values[n->in[from]].shape.rank; dim++) {
		int letter = p->letters.in[from][dim];
		struct letter l = product_letter(g, n, p, letter);
		if (letter >= 0 && l.in[0] >= 0 && l.in[1] >= 0 && l.out < 0)
			p->summed = letter;
	}
}

enum err product_of(const struct graph *g, const struct node *n, struct product *ret, struct errinfo *e)
{
	struct product p = { .weight = -1, .out = -1, .summed = -1 };
	if (n->in_count < 2)
		return err_set(e, ERR_INTERNAL, "a product of one operand has no factors");
	enum err err = operand_contraction(g, n, &p.letters, e);
	if (err)
		return err;
	if (g->values[n->in[1]].data)
		p.weight = 1;
	else if (g->values[n->in[0]].data)
		p.weight = 0;
	find_free_letters(g, n, &p);
	*ret = p;
	return ERR_OK;
}

static int64_t letter_size(const struct graph *g, const struct node *n, const struct letter *l)
{
	int k = l->in[0] >= 0 ? 0 : 1;
	return l->in[k] >= 0 ? dim_size(g->values[n->in[k]].shape.dim[l->in[k]], 1) : 1;
}

static bool product(const struct graph *g, const struct node *n, struct layer *ret)
{
	struct product p;
	struct letter none = { { -1, -1 }, -1 };
	if (product_of(g, n, &p, NULL))
		return false;
	struct letter out = p.out < 0 ? none : product_letter(g, n, &p, p.out);
	struct letter in = p.summed < 0 ? none : product_letter(g, n, &p, p.summed);
	bool stored = p.weight >= 0;
	int w = stored ? n->in[p.weight] : -1, read = stored ? !p.weight : 0;
	*ret = (struct layer){ .weight = w, .bias = n->in_count > 2 ? n->in[2] : -1, .out = stored ? w : n->out[0],
		.out_dim = stored ? out.in[p.weight] : out.out, .in = stored ? w : n->in[0],
		.in_dim = in.in[stored ? p.weight : 0], .x = n->in[read], .x_dim = in.in[read], .kernel = 1,
		.positions = 1 };
	for (int letter = 0; letter < p.letters.letters; letter++) {
		struct letter l = product_letter(g, n, &p, letter);
		if (letter == p.out || letter == p.summed)
			continue;
		if (stored && l.in[p.weight] >= 0)
			ret->kernel *= letter_size(g, n, &l);
		else
			ret->positions *= letter_size(g, n, &l);
	}
	return true;
}

bool layer_of(const struct graph *g, const struct node *n, struct layer *ret)
{
	if (n->opaque)
		return false;
	if (n->op == OP_CONV || n->op == OP_CONV_TRANSPOSE)
		return convolution(g, n, ret);
	if ((n->op == OP_GEMM || n->op == OP_MATMUL || n->op == OP_EINSUM) && n->in_count > 1)
		return product(g, n, ret);
	return false;
}

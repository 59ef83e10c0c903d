/* gradient_map.c -- the backward pass of what is computed number by number.
 * SPDX-License-Identifier: MIT
 *
 * What was broadcast has the sum of the gradients of its copies. */
#include <float.h>
#include <math.h>

#include "evaluator/kernels/unary.h"
#include "evaluator/model/operand.h"
#include "evaluator/train/gradient_rules.h"

/* dx = f'(x) dy */
void gradient_unary(struct backward *b, const struct node *n, const int *dy)
{
	char reads = unary_gradient_reads(n->op);
	int in[] = { *dy, reads == 'x' ? n->in[0] : -1, reads == 'y' ? n->out[0] : -1 };
	int dx = gradient_node(b, OP_UNARY_GRADIENT, n, 0, 3, in);
	writer_int(&b->w, "op", n->op);
	if (n->op == OP_CLIP && !node_attribute(n, "min"))
		writer_float(&b->w, "min", operand_float(b->net, n, "min", 1, -INFINITY));
	if (n->op == OP_CLIP && !node_attribute(n, "max"))
		writer_float(&b->w, "max", operand_float(b->net, n, "max", 2, INFINITY));
	gradient_flow(b, n, 0, dx);
}

/* `gradient` has y's shape. */
static void flow_sum(struct backward *b, const struct node *n, int k, int gradient)
{
	struct shape s = gradient_shape(b, n, k);
	gradient_flow(b, n, k, writer_sum_to(&b->w, gradient, &s));
}

/* Add, Sum: the same for each. */
void gradient_sum(struct backward *b, const struct node *n, const int *dy)
{
	for (int k = 0; k < n->in_count; k++)
		if (gradient_wanted(b, n, k))
			flow_sum(b, n, k, *dy);
}

void gradient_mean(struct backward *b, const struct node *n, const int *dy)
{
	int part = writer_scale(&b->w, *dy, 1 / (float)n->in_count);
	gradient_sum(b, n, &part);
}

void gradient_sub(struct backward *b, const struct node *n, const int *dy)
{
	if (gradient_wanted(b, n, 0))
		flow_sum(b, n, 0, *dy);
	if (!gradient_wanted(b, n, 1))
		return;
	struct shape s = gradient_shape(b, n, 1);
	gradient_flow(b, n, 1, writer_one(&b->w, OP_NEG, writer_sum_to(&b->w, *dy, &s)));
}

void gradient_mul(struct backward *b, const struct node *n, const int *dy)
{
	for (int k = 0; k < 2; k++)
		if (gradient_wanted(b, n, k))
			flow_sum(b, n, k, writer_two(&b->w, OP_MUL, *dy, n->in[!k]));
}

/* y = p / q:  dp = dy / q,  dq = -y dy / q */
void gradient_div(struct backward *b, const struct node *n, const int *dy)
{
	struct writer *w = &b->w;
	int part = writer_two(w, OP_DIV, *dy, n->in[1]);
	if (gradient_wanted(b, n, 0))
		flow_sum(b, n, 0, part);
	if (!gradient_wanted(b, n, 1))
		return;
	struct shape s = gradient_shape(b, n, 1);
	int sum = writer_sum_to(w, writer_two(w, OP_MUL, part, n->out[0]), &s);
	gradient_flow(b, n, 1, writer_one(w, OP_NEG, sum));
}

/* ---- powers ---- */

/* The stored exponents less one. To the power of 0 everything is 1, whose derivative is 0 even where x is 0: as 0 times
 * x to the power of 0. */
static int lowered(struct backward *b, const struct value *exponents)
{
	float *data;
	int value = writer_stored(&b->w, &exponents->shape, &data);
	const float *from = value_floats(exponents);
	for (int64_t i = 0; data && i < shape_count(&exponents->shape, 1); i++)
		data[i] = from[i] == 0 ? 0 : from[i] - 1;
	return value;
}

/* d(x^p)/dx = p x^(p-1); squares are most of them. */
static int power_slope(struct backward *b, const struct node *n)
{
	struct writer *w = &b->w;
	const struct value *p = &b->net->values[n->in[1]];
	bool stored = p->data && !gradient_wanted(b, n, 1);
	if (stored && shape_count(&p->shape, 1) == 1 && *value_floats(p) == 2)
		return writer_scale(w, n->in[0], 2);
	int less = stored ? lowered(b, p) : writer_two(w, OP_SUB, n->in[1], writer_constant(w, 1));
	return writer_two(w, OP_MUL, n->in[1], writer_two(w, OP_POW, n->in[0], less));
}

/* y = x^p:  dx = dy p x^(p-1),  dp = dy y log x, which for x <= 0 is 0. */
void gradient_pow(struct backward *b, const struct node *n, const int *dy)
{
	struct writer *w = &b->w;
	if (gradient_wanted(b, n, 0))
		flow_sum(b, n, 0, writer_two(w, OP_MUL, *dy, power_slope(b, n)));
	if (!gradient_wanted(b, n, 1))
		return;
	int positive = writer_two(w, OP_MAX, n->in[0], writer_constant(w, FLT_MIN));
	int power = writer_two(w, OP_POW, writer_one(w, OP_RELU, n->in[0]), n->in[1]);
	int slope = writer_two(w, OP_MUL, power, writer_one(w, OP_LOG, positive));
	flow_sum(b, n, 1, writer_two(w, OP_MUL, *dy, slope));
}

/* ---- the others ---- */

/* y = x < 0 ? slope x : x */
void gradient_prelu(struct backward *b, const struct node *n, const int *dy)
{
	int in[] = { *dy, n->in[0], n->in[1] }, ret[2];
	struct shape s = gradient_shape(b, n, 0);
	writer_node_of(&b->w, OP_PRELU_GRADIENT, 3, in, 2, (const struct shape *[]){ &s, &s }, ret);
	for (int k = 0; k < 2; k++)
		if (gradient_wanted(b, n, k))
			flow_sum(b, n, k, ret[k]);
}

/* Min, Max: those that are equal to y share dy evenly. */
void gradient_extreme(struct backward *b, const struct node *n, const int *dy)
{
	struct writer *w = &b->w;
	int count = -1;
	for (int k = 0; k < n->in_count; k++) {
		int match = writer_two(w, OP_MATCH, n->in[k], n->out[0]);
		count = k ? writer_two(w, OP_ADD, count, match) : match;
	}
	int part = writer_two(w, OP_DIV, *dy, count);
	for (int k = 0; k < n->in_count; k++)
		if (gradient_wanted(b, n, k))
			flow_sum(b, n, k, writer_two(w, OP_MUL, part, writer_two(w, OP_MATCH, n->in[k], n->out[0])));
}

/* gradient_reduce.c -- the backward pass of what makes one number of many.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/operand.h"
#include "evaluator/train/gradient_rules.h"

/* ---- pooling ---- */

void gradient_max_pool(struct backward *b, const struct node *n, const int *dy)
{
	gradient_flow(b, n, 0, gradient_node(b, OP_MAX_POOL_GRADIENT, n, 0, 3, (int[]){ *dy, n->in[0], n->out[0] }));
}

void gradient_average_pool(struct backward *b, const struct node *n, const int *dy)
{
	gradient_flow(b, n, 0, gradient_node(b, OP_AVERAGE_POOL_GRADIENT, n, 0, 1, dy));
}

/* dx = dy / area, everywhere */
void gradient_global_average_pool(struct backward *b, const struct node *n, const int *dy)
{
	struct shape x = gradient_shape(b, n, 0), y = writer_shape(&b->w, *dy);
	float area = (float)(shape_count(&x, 1) / shape_count(&y, 1));
	gradient_flow(b, n, 0, writer_spread(&b->w, writer_scale(&b->w, *dy, 1 / area), &x));
}

/* ---- reductions ---- */

/* y and dy with the reduced dimensions kept as ones. */
struct reduction {
	int x, y, dy;
	struct shape whole;
	bool axes[SHAPE_MAX_RANK];
	int64_t each; /* numbers that become one */
};

static int spread(struct backward *b, const struct reduction *r, int x)
{
	return writer_spread(&b->w, x, &r->whole);
}

static int zero(struct backward *b)
{
	return writer_constant(&b->w, 0);
}

/* Those that are equal to the extreme share dy evenly. */
static int extreme(struct backward *b, const struct reduction *r)
{
	struct writer *w = &b->w;
	int match = writer_two(w, OP_MATCH, r->x, r->y);
	int part = writer_two(w, OP_DIV, r->dy, writer_reduce(w, OP_REDUCE_SUM, match, r->axes));
	return writer_two(w, OP_MUL, match, part);
}

/* dx = dy times the product of the others. With p the product of all that aren't 0 and z the number of zeros, that is p
 * / x where z = 0, p at the only zero where z = 1, else 0. */
static int product(struct backward *b, const struct reduction *r)
{
	struct writer *w = &b->w;
	int is_zero = writer_two(w, OP_MATCH, r->x, zero(b)), other = writer_two(w, OP_ADD, r->x, is_zero);
	int zeros = writer_reduce(w, OP_REDUCE_SUM, is_zero, r->axes);
	int p = writer_two(w, OP_MUL, r->dy, writer_reduce(w, OP_REDUCE_PROD, other, r->axes));
	int none = writer_two(w, OP_DIV, writer_two(w, OP_MATCH, zeros, zero(b)), other);
	int only = writer_two(w, OP_MUL, writer_two(w, OP_MATCH, zeros, writer_constant(w, 1)), is_zero);
	return writer_two(w, OP_MUL, writer_two(w, OP_ADD, none, only), p);
}

/* y = |x|:  dx = dy x / y, and 0 where y is 0 */
static int root(struct backward *b, const struct reduction *r)
{
	struct writer *w = &b->w;
	int safe = writer_two(w, OP_ADD, r->y, writer_two(w, OP_MATCH, r->y, zero(b)));
	return writer_two(w, OP_MUL, r->x, writer_two(w, OP_DIV, r->dy, safe));
}

static int reduced(struct backward *b, enum op op, const struct reduction *r)
{
	struct writer *w = &b->w;
	switch ((int)op) {
	case OP_REDUCE_MEAN: return spread(b, r, writer_scale(w, r->dy, 1 / (float)r->each));
	case OP_REDUCE_MAX:
	case OP_REDUCE_MIN: return extreme(b, r);
	case OP_REDUCE_PROD: return product(b, r);
	case OP_REDUCE_L1: return writer_two(w, OP_MUL, writer_one(w, OP_SIGN, r->x), r->dy);
	case OP_REDUCE_L2: return root(b, r);
	case OP_REDUCE_SUM_SQUARE: return writer_two(w, OP_MUL, r->x, writer_scale(w, r->dy, 2));
	default: return spread(b, r, r->dy);
	}
}

void gradient_reduce(struct backward *b, const struct node *n, const int *dy)
{
	struct reduction r = { .x = n->in[0], .whole = gradient_shape(b, n, 0) };
	struct shape kept = r.whole;
	writer_fail(&b->w, operand_axes(b->net, n, r.whole.rank, r.axes, b->w.e));
	for (int i = 0; i < kept.rank; i++)
		kept.dim[i] = r.axes[i] ? 1 : kept.dim[i];
	r.each = shape_count(&r.whole, 1) / shape_count(&kept, 1);
	r.y = writer_reshape(&b->w, n->out[0], &kept);
	r.dy = writer_reshape(&b->w, *dy, &kept);
	gradient_flow(b, n, 0, reduced(b, n->op, &r));
}

void gradient_global_max_pool(struct backward *b, const struct node *n, const int *dy)
{
	struct reduction r = { .x = n->in[0], .y = n->out[0], .dy = *dy, .whole = gradient_shape(b, n, 0) };
	for (int i = 2; i < r.whole.rank; i++)
		r.axes[i] = true;
	gradient_flow(b, n, 0, extreme(b, &r));
}

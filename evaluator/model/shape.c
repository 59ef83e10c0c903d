/* shape.c -- shapes of a whole graph.
 * SPDX-License-Identifier: MIT
 *
 * After graph_infer_shapes every shape that is known is sound: dimensions positive or a multiple of the batch, products
 * within 2^40, weights agreeing with what they meet, and the multiply-accumulates and activations of the whole network
 * within 2^53. */
#include "evaluator/model/shape.h"

#include <stdio.h>
#include <stdlib.h>

#include "evaluator/model/operand.h"

static const int64_t LARGEST_COUNT = (int64_t)1 << 40;
static const int64_t LARGEST_TOTAL = (int64_t)1 << 53; /* what a JSON number holds exactly */

enum err shape_want(
	const struct node *n, const char *what, const struct shape *is, const char *expected, struct errinfo *e)
{
	char text[256], shape[128];
	return err_set(
		e, ERR_INPUT, "%s: %s is %s, expected %s", node_text(n, text), what, shape_text(is, shape), expected);
}

enum err shape_want_weight(const struct graph *g, const struct node *n, int i, const char *what, struct errinfo *e)
{
	char text[256];
	const struct value *v = node_input(g, n, i);
	if (v && v->data && v->dtype == DTYPE_FLOAT)
		return ERR_OK;
	return err_set(e, ERR_UNSUPPORTED, "%s: %s is not a stored float tensor", node_text(n, text), what);
}

enum err shape_want_vector(
	const struct graph *g, const struct node *n, int i, const char *what, int64_t length, struct errinfo *e)
{
	char expected[64];
	const struct value *v = node_input(g, n, i);
	enum err err = shape_want_weight(g, n, i, what, e);
	if (err || (v->shape.rank == 1 && v->shape.dim[0] == length))
		return err;
	snprintf(expected, sizeof expected, "(%lld)", (long long)length);
	return shape_want(n, what, &v->shape, expected, e);
}

int shape_batch_axis(const struct shape *s)
{
	int found = -1, count = 0;
	for (int i = 0; i < s->rank; i++)
		if (s->dim[i] < 0) {
			found = i;
			count++;
		}
	return count == 1 ? found : -1;
}

bool shape_join(const struct shape *a, const struct shape *b, struct shape *ret)
{
	struct shape s = { .rank = a->rank > b->rank ? a->rank : b->rank };
	for (int i = 0; i < s.rank; i++) {
		int at_a = i - (s.rank - a->rank), at_b = i - (s.rank - b->rank);
		int64_t da = at_a < 0 ? 1 : a->dim[at_a], db = at_b < 0 ? 1 : b->dim[at_b];
		if (da != db && da != 1 && db != 1)
			return false;
		s.dim[i] = da == 1 ? db : da;
	}
	*ret = s;
	return true;
}

static shape_rule *const rules[OP_COUNT] = {
	[OP_CONV] = shape_conv,
	[OP_CONV_TRANSPOSE] = shape_conv_transpose,
	[OP_GEMM] = shape_contraction,
	[OP_MATMUL] = shape_contraction,
	[OP_EINSUM] = shape_contraction,
	[OP_BATCH_NORM] = shape_batch_norm,
	[OP_INSTANCE_NORM] = shape_instance_norm,
	[OP_LAYER_NORM] = shape_layer_norm,
	[OP_GROUP_NORM] = shape_group_norm,
	[OP_LRN] = shape_lrn,
	[OP_LP_NORM] = shape_lp_norm,
	[OP_CLIP] = shape_clip,
	[OP_PRELU] = shape_prelu,
	[OP_MAX_POOL] = shape_pool,
	[OP_AVERAGE_POOL] = shape_pool,
	[OP_GLOBAL_AVERAGE_POOL] = shape_global_pool,
	[OP_GLOBAL_MAX_POOL] = shape_global_pool,
	[OP_SOFTMAX] = shape_softmax,
	[OP_LOG_SOFTMAX] = shape_softmax,
	[OP_FLATTEN] = shape_flatten,
	[OP_RESHAPE] = shape_reshape,
	[OP_SQUEEZE] = shape_squeeze,
	[OP_UNSQUEEZE] = shape_unsqueeze,
	[OP_TRANSPOSE] = shape_transpose,
	[OP_CONCAT] = shape_concat,
	[OP_SPLIT] = shape_split,
	[OP_SLICE] = shape_slice,
	[OP_GATHER] = shape_gather,
	[OP_EXPAND] = shape_expand,
	[OP_TILE] = shape_tile,
	[OP_PAD] = shape_pad,
	[OP_DEPTH_TO_SPACE] = shape_depth_to_space,
	[OP_SPACE_TO_DEPTH] = shape_space_to_depth,
	[OP_RESIZE] = shape_resize,
	[OP_UPSAMPLE] = shape_resize,
};

shape_rule *shape_rule_of(enum op op)
{
	if (rules[op])
		return rules[op];
	return op_is_unary(op)	     ? shape_same
	       : op_is_broadcast(op) ? shape_broadcast
	       : op_is_reduce(op)    ? shape_reduce
				     : NULL;
}

static enum err check_size(const struct node *n, const struct shape *s, struct errinfo *e)
{
	char text[256], shape[128];
	int64_t count = 1;
	for (int i = 0; i < s->rank; i++) {
		int64_t d = dim_size(s->dim[i], 1);
		if (d < 1 || __builtin_mul_overflow(count, d, &count) || count > LARGEST_COUNT)
			return err_set(e, d < 1 ? ERR_INPUT : ERR_LIMIT,
				"%s: the output would be %s, expected 1 to 2^40 elements", node_text(n, text),
				shape_text(s, shape));
	}
	if (shape_batch_axis(s) < 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: its output, %s, does not keep the images of a batch apart",
			node_text(n, text), shape_text(s, shape));
	return ERR_OK;
}

/* A rule may look at any input that is there: float or operand, of known shape. */
static enum err check_inputs(const struct graph *g, const struct node *n, struct errinfo *e)
{
	char text[256];
	bool computed = false;
	for (int i = 0; i < n->in_count; i++) {
		const struct value *v = node_input(g, n, i);
		if (!v)
			continue;
		if (v->shape.rank < 0)
			return err_set(e, ERR_UNSUPPORTED, "%s: reads '%.100s', whose shape is not known",
				node_text(n, text), v->name);
		if (!v->data && v->dtype != DTYPE_FLOAT)
			return err_set(e, ERR_UNSUPPORTED, "%s: reads '%.100s', which is computed and not float",
				node_text(n, text), v->name);
		computed = computed || !v->data;
	}
	bool expanded = n->op == OP_EXPAND && node_input(g, n, 1) && node_input(g, n, 1)->batch_sizes;
	if (!node_input(g, n, 0) || (!computed && !expanded))
		return err_set(e, ERR_UNSUPPORTED, "%s: reads nothing that follows from the network's input",
			node_text(n, text));
	return ERR_OK;
}

enum err shape_infer(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	shape_rule *rule = shape_rule_of(n->op);
	enum err err = check_inputs(g, n, e);
	if (!err && !rule)
		err = err_set(e, ERR_UNSUPPORTED, "%s: is not supported on what is computed", node_text(n, text));
	if (!err)
		err = rule(g, n, ret, e);
	for (int i = 0; i < n->out_count && !err; i++)
		err = check_size(n, &ret[i], e);
	return err;
}

/* ---- the whole graph ---- */

/* Adds a * b to the network's total. */
static enum err add_total(const struct node *n, int64_t a, int64_t b, int64_t *total, struct errinfo *e)
{
	char text[256];
	int64_t product;
	if (!__builtin_mul_overflow(a, b, &product) && product <= LARGEST_TOTAL - *total) {
		*total += product;
		return ERR_OK;
	}
	return err_set(e, ERR_LIMIT, "%s: with it the network needs more than 2^53 multiply-accumulates or activations",
		node_text(n, text));
}

/* What is summed up for each number of the output, at most. */
static int64_t terms_of(const struct graph *g, const struct node *n)
{
	const struct value *x = node_input(g, n, 0), *w = node_input(g, n, 1);
	bool contraction = n->op == OP_GEMM || n->op == OP_MATMUL || n->op == OP_EINSUM;
	if (n->op == OP_CONV || n->op == OP_CONV_TRANSPOSE)
		return shape_count(&w->shape, 1);
	return contraction ? shape_count(&x->shape, 1) : 1;
}

static enum err add_work(const struct graph *g, const struct node *n, int64_t *total, struct errinfo *e)
{
	for (int i = 0; i < n->out_count; i++) {
		if (n->out[i] < 0)
			continue;
		int64_t count = shape_count(&g->values[n->out[i]].shape, 1);
		enum err err = add_total(n, count, (int64_t)sizeof(float), total, e);
		if (!err)
			err = add_total(n, count, terms_of(g, n), total, e);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err infer_node(
	struct graph *g, const struct node *n, struct shape *shapes, int64_t *total, struct errinfo *e)
{
	enum err err = shape_infer(g, n, shapes, e);
	if (err)
		return err;
	for (int i = 0; i < n->out_count; i++)
		if (n->out[i] >= 0)
			g->values[n->out[i]].shape = shapes[i];
	return add_work(g, n, total, e);
}

enum err graph_infer_shapes(struct graph *g, struct errinfo *e)
{
	int most = 1;
	int64_t total = 0;
	for (int i = 0; i < g->node_count; i++)
		most = g->nodes[i].out_count > most ? g->nodes[i].out_count : most;
	struct shape *shapes = calloc((size_t)most, sizeof *shapes);
	enum err err = shapes ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	for (int i = 0; i < g->node_count && !err; i++)
		if (!g->nodes[i].opaque)
			err = infer_node(g, &g->nodes[i], shapes, &total, e);
	free(shapes);
	return err;
}

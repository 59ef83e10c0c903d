/* shape.c -- what each operator does to shapes, and what it demands of its inputs.
 * SPDX-License-Identifier: MIT
 *
 * One rule an operator. A rule sees inputs whose shapes are known and checked, and writes the output's. After
 * graph_infer_shapes every shape in the graph is sound: dimensions positive, products within 2^40, weights agreeing
 * with what they meet, and the multiply-accumulates and activations of the whole network within 2^53. */
#include <stdio.h>

#include "evaluator/model/graph.h"
#include "evaluator/model/window.h"

static const int64_t LARGEST_COUNT = (int64_t)1 << 40;
static const int64_t LARGEST_TOTAL = (int64_t)1 << 53; /* what a JSON number holds exactly */

static enum err want(
	const struct node *n, const char *what, const struct shape *is, const char *expected, struct errinfo *e)
{
	char text[256], shape[128];
	return err_set(
		e, ERR_INPUT, "%s: %s is %s, expected %s", node_text(n, text), what, shape_text(is, shape), expected);
}

/* A learned tensor: it must be an initialiser, and float. */
static enum err want_weight(const struct graph *g, const struct node *n, int i, const char *what, struct errinfo *e)
{
	char text[256];
	const struct value *v = node_input(g, n, i);
	if (v && v->data && v->dtype == DTYPE_FLOAT)
		return ERR_OK;
	return err_set(e, ERR_UNSUPPORTED, "%s: %s is not a stored float tensor", node_text(n, text), what);
}

static enum err want_vector(const struct graph *g, const struct node *n, int i, const char *what, int64_t length,
	struct errinfo *e)
{
	char expected[64];
	const struct value *v = node_input(g, n, i);
	enum err err = want_weight(g, n, i, what, e);
	if (err || (v->shape.rank == 1 && v->shape.dim[0] == length))
		return err;
	snprintf(expected, sizeof expected, "(%lld)", (long long)length);
	return want(n, what, &v->shape, expected, e);
}

static enum err conv_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], expected[64];
	const struct shape *x = &node_input(g, n, 0)->shape;
	struct window win;
	enum err err = want_weight(g, n, 1, "the weight", e);
	if (err)
		return err;
	const struct shape *w = &node_input(g, n, 1)->shape;
	if (w->rank != 4)
		return want(n, "the weight", w, "4 dimensions", e);
	if (node_int(n, "group", 1) != 1)
		return err_set(e, ERR_UNSUPPORTED, "%s: attribute 'group' is %lld, only 1 is supported",
			node_text(n, text), (long long)node_int(n, "group", 1));
	err = window_read(n, x, w->dim + 2, &win, e);
	if (err)
		return err;
	if (w->dim[1] != x->dim[1]) {
		snprintf(expected, sizeof expected, "%lld input channels", (long long)x->dim[1]);
		return want(n, "the weight", w, expected, e);
	}
	if (node_input(g, n, 2)) {
		err = want_vector(g, n, 2, "the bias", w->dim[0], e);
		if (err)
			return err;
	}
	*ret = (struct shape){ 4, { x->dim[0], w->dim[0], win.out[0], win.out[1] } };
	return ERR_OK;
}

/* Its root divides. */
static enum err check_variance(const struct graph *g, const struct node *n, struct errinfo *e)
{
	char text[256];
	const struct value *variance = node_input(g, n, 4);
	float epsilon = node_float(n, "epsilon", 1e-5f);
	for (int64_t i = 0; i < variance->shape.dim[0]; i++) {
		float v = ((const float *)variance->data)[i];
		if (!(v + epsilon > 0))
			return err_set(e, ERR_INPUT,
				"%s: the running variance of channel %lld is %g with epsilon %g, expected a positive "
				"sum",
				node_text(n, text), (long long)i, (double)v, (double)epsilon);
	}
	return ERR_OK;
}

static enum err batch_norm_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	static const char *const names[] = { "", "the scale", "the shift", "the running mean", "the running variance" };
	const struct shape *x = &node_input(g, n, 0)->shape;
	if (x->rank < 2)
		return want(n, "the input", x, "at least 2 dimensions", e);
	for (int i = 1; i <= 4; i++) {
		enum err err = want_vector(g, n, i, names[i], x->dim[1], e);
		if (err)
			return err;
	}
	*ret = *x;
	return check_variance(g, n, e);
}

static enum err same_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	(void)e;
	*ret = node_input(g, n, 0)->shape;
	return ERR_OK;
}

static enum err max_pool_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	struct window w;
	enum err err = window_read(n, x, NULL, &w, e);
	if (err)
		return err;
	if (node_int(n, "storage_order", 0) != 0)
		return err_set(
			e, ERR_UNSUPPORTED, "%s: attribute 'storage_order' is not supported", node_text(n, text));
	for (int i = 0; i < 2; i++)
		if (w.dilation[i] != 1)
			return err_set(e, ERR_UNSUPPORTED, "%s: attribute 'dilations' is %lld, only 1 is supported",
				node_text(n, text), (long long)w.dilation[i]);
	for (int i = 0; i < 2; i++)
		if (w.begin[i] >= w.kernel[i] || w.end[i] >= w.kernel[i])
			return err_set(
				e, ERR_INPUT, "%s: attribute 'pads' is as large as the kernel", node_text(n, text));
	*ret = (struct shape){ 4, { x->dim[0], x->dim[1], w.out[0], w.out[1] } };
	return ERR_OK;
}

static enum err global_pool_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	const struct shape *x = &node_input(g, n, 0)->shape;
	if (x->rank != 4)
		return want(n, "the input", x, "(batch, channels, height, width)", e);
	*ret = (struct shape){ 4, { x->dim[0], x->dim[1], 1, 1 } };
	return ERR_OK;
}

static enum err add_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], expected[128];
	const struct value *a = node_input(g, n, 0), *b = node_input(g, n, 1);
	if (a->data || b->data)
		return err_set(e, ERR_UNSUPPORTED, "%s: adding a stored tensor is not supported", node_text(n, text));
	if (!shape_equal(&a->shape, &b->shape))
		return want(n, "the second input", &b->shape, shape_text(&a->shape, expected), e);
	*ret = a->shape;
	return ERR_OK;
}

static enum err flatten_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256];
	const struct shape *x = &node_input(g, n, 0)->shape;
	int64_t axis = node_int(n, "axis", 1);
	if (axis != 1 && axis != 1 - x->rank)
		return err_set(e, ERR_UNSUPPORTED, "%s: attribute 'axis' is %lld, only 1 is supported",
			node_text(n, text), (long long)axis);
	*ret = (struct shape){ 2, { x->dim[0], shape_count(x, 1) } };
	return ERR_OK;
}

static enum err gemm_shape(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e)
{
	char text[256], expected[64];
	const struct shape *x = &node_input(g, n, 0)->shape;
	bool transposed = node_int(n, "transB", 0) != 0;
	if (x->rank != 2)
		return want(n, "the input", x, "(batch, features)", e);
	if (node_int(n, "transA", 0) != 0)
		return err_set(e, ERR_UNSUPPORTED, "%s: attribute 'transA' is not supported", node_text(n, text));
	enum err err = want_weight(g, n, 1, "the weight", e);
	if (err)
		return err;
	const struct shape *w = &node_input(g, n, 1)->shape;
	if (w->rank != 2 || w->dim[transposed] != x->dim[1]) {
		snprintf(expected, sizeof expected, "a matrix with %lld input features", (long long)x->dim[1]);
		return want(n, "the weight", w, expected, e);
	}
	int64_t out = w->dim[!transposed];
	if (node_input(g, n, 2)) {
		err = want_vector(g, n, 2, "the bias", out, e);
		if (err)
			return err;
	}
	*ret = (struct shape){ 2, { x->dim[0], out } };
	return ERR_OK;
}

typedef enum err shape_rule(const struct graph *g, const struct node *n, struct shape *ret, struct errinfo *e);

static shape_rule *const rules[OP_COUNT] = {
	[OP_CONV] = conv_shape,
	[OP_BATCH_NORM] = batch_norm_shape,
	[OP_RELU] = same_shape,
	[OP_MAX_POOL] = max_pool_shape,
	[OP_GLOBAL_AVERAGE_POOL] = global_pool_shape,
	[OP_ADD] = add_shape,
	[OP_FLATTEN] = flatten_shape,
	[OP_GEMM] = gemm_shape,
};

static enum err check_size(const struct node *n, const struct shape *s, struct errinfo *e)
{
	char text[256], shape[128];
	int64_t count = 1;
	for (int i = 0; i < s->rank; i++) {
		int64_t d = s->dim[i] == DIM_BATCH ? 1 : s->dim[i];
		if (d < 1 || __builtin_mul_overflow(count, d, &count) || count > LARGEST_COUNT)
			return err_set(e, ERR_LIMIT, "%s: the output would be %s, larger than 2^40 elements",
				node_text(n, text), shape_text(s, shape));
	}
	return ERR_OK;
}

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

static enum err add_work(
	const struct graph *g, const struct node *n, const struct shape *out, int64_t *total, struct errinfo *e)
{
	const struct value *weight = node_input(g, n, 1);
	enum err err = add_total(n, shape_count(out, 1), (int64_t)sizeof(float), total, e);
	if (err || !weight || !weight->data)
		return err;
	return add_total(n, shape_count(&weight->shape, 1), n->op == OP_CONV ? out->dim[2] * out->dim[3] : 1, total, e);
}

/* What is computed from the data has the batch first; every rule relies on it. */
static enum err check_data_input(const struct graph *g, const struct node *n, struct errinfo *e)
{
	char text[256];
	const struct value *x = node_input(g, n, 0);
	if (!x || x->data || x->dtype != DTYPE_FLOAT || x->shape.rank < 1 || x->shape.dim[0] != DIM_BATCH)
		return err_set(e, ERR_UNSUPPORTED,
			"%s: the first input is not a float tensor computed from the network's input",
			node_text(n, text));
	return ERR_OK;
}

enum err graph_infer_shapes(struct graph *g, struct errinfo *e)
{
	int64_t total = 0;
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		struct value *out = &g->values[n->out[0]];
		struct shape shape;
		enum err err = check_data_input(g, n, e);
		if (!err)
			err = rules[n->op](g, n, &shape, e);
		if (!err)
			err = check_size(n, &shape, e);
		if (!err)
			err = add_work(g, n, &shape, &total, e);
		if (err)
			return err;
		out->shape = shape;
		out->dtype = DTYPE_FLOAT;
	}
	return ERR_OK;
}

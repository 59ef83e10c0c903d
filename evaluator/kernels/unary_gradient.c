/* unary_gradient.c -- dx = f'(x) * dy for what is done to every number alone.
 * SPDX-License-Identifier: MIT
 *
 * At kinks the derivative is PyTorch's: 0 for Relu, Abs and at the bounds of Clip and HardSigmoid. What is not a number
 * stays so. */
#include <assert.h>
#include <math.h>

#include "base/simd.h"
#include "evaluator/kernels/activation.h"
#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/function.h"
#include "evaluator/kernels/unary.h"

/* `from` is x or y; dx may be dy or that. */
struct unary_gradient {
	const float *dy, *from;
	float *dx;
	int64_t count;
	float alpha, beta;
};

typedef void gradient_run(const void *job);

/* x * tanh(log(1 + e^x)): with e = e^-|x|, tanh is (1 + 2e) / (1 + 2e + 2e^2) for x > 0 and (e^2 + 2e) / (e^2 + 2e + 2)
 * else. */
static inline float mish_slope(float x)
{
	float e = function_exp(-fabsf(x));
	float tanh_of = x > 0 ? (1 + 2 * e) / (1 + 2 * e + 2 * e * e) : (e * e + 2 * e) / (e * e + 2 * e + 2);
	float s = x > 0 ? 1 / (1 + e) : e / (1 + e);
	return tanh_of + x * s * (1 - tanh_of * tanh_of);
}

/* clang-format off */
#define GRADIENT(name, formula) \
	SIMD static void name(const void *job) \
	{ \
		const struct unary_gradient *g = job; \
		const float alpha = g->alpha, beta = g->beta, *dys = g->dy, *from = g->from; \
		float *dx = g->dx; \
		const int64_t n = g->count; \
		(void)alpha; \
		(void)beta; \
		SIMD_EACH \
		for (int64_t i = 0; i < n; i++) { \
			const float dy = dys[i], x = from[i], y = x; \
			(void)y; \
			dx[i] = (formula); \
		} \
	}

GRADIENT(relu, y <= 0 ? 0 : dy)
GRADIENT(leaky_relu, x > 0 ? dy : alpha * dy)
GRADIENT(elu, x > 0 ? dy : alpha * function_exp(x) * dy)
GRADIENT(selu, x > 0 ? beta * dy : beta * alpha * function_exp(x) * dy)
GRADIENT(celu, x > 0 ? dy : function_exp(x / alpha) * dy)
GRADIENT(thresholded_relu, x <= alpha ? 0 : dy)
GRADIENT(logistic, y * (1 - y) * dy)
GRADIENT(hard_sigmoid, y <= 0 || y >= 1 ? 0 : alpha * dy)
GRADIENT(hard_swish, x <= -3 ? 0 : x < 3 ? (x / 3 + 0.5f) * dy : dy)
GRADIENT(hyperbolic_tangent, (1 - y * y) * dy)
GRADIENT(softplus, -function_expm1(-y) * dy)
GRADIENT(softsign, dy / ((1 + fabsf(x)) * (1 + fabsf(x))))
GRADIENT(mish, mish_slope(x) * dy)
GRADIENT(gauss_error, 1.12837916709551257390f * function_exp(-x * x) * dy)
GRADIENT(exponential, y * dy)
GRADIENT(logarithm, dy / x)
GRADIENT(square_root, dy / (2 * y))
GRADIENT(reciprocal, -y * y * dy)
GRADIENT(absolute, x > 0 ? dy : x < 0 ? -dy : 0 * x)
GRADIENT(negative, -dy)
GRADIENT(sine, cosf(x) * dy)
GRADIENT(cosine, -sinf(x) * dy)
GRADIENT(clip, y <= alpha || y >= beta ? 0 : dy)
/* clang-format on */

/* From y where y says it: a convolution before then need not keep x. The sign of y says nothing where alpha may be
 * negative. */
static const struct {
	char reads;
	gradient_run *run;
} gradients[OP_COUNT] = {
	[OP_RELU] = { 'y', relu },
	[OP_LEAKY_RELU] = { 'x', leaky_relu },
	[OP_ELU] = { 'x', elu },
	[OP_SELU] = { 'x', selu },
	[OP_CELU] = { 'x', celu },
	[OP_THRESHOLDED_RELU] = { 'x', thresholded_relu },
	[OP_SIGMOID] = { 'y', logistic },
	[OP_HARD_SIGMOID] = { 'y', hard_sigmoid },
	[OP_HARD_SWISH] = { 'x', hard_swish },
	[OP_TANH] = { 'y', hyperbolic_tangent },
	[OP_SOFTPLUS] = { 'y', softplus },
	[OP_SOFTSIGN] = { 'x', softsign },
	[OP_MISH] = { 'x', mish },
	[OP_ERF] = { 'x', gauss_error },
	[OP_EXP] = { 'y', exponential },
	[OP_LOG] = { 'x', logarithm },
	[OP_SQRT] = { 'y', square_root },
	[OP_RECIPROCAL] = { 'y', reciprocal },
	[OP_ABS] = { 'x', absolute },
	[OP_NEG] = { 'y', negative },
	[OP_SIN] = { 'x', sine },
	[OP_COS] = { 'x', cosine },
	[OP_CLIP] = { 'y', clip },
};

char unary_gradient_reads(enum op op)
{
	return gradients[op].reads;
}

/* The parameters of the forward node. */
static void read_parameters(const struct node *n, enum op op, struct unary_gradient *g)
{
	g->alpha = node_float(n, "alpha", op == OP_LEAKY_RELU ? 0.01f : 1);
	g->beta = 0;
	if (op == OP_CLIP) {
		g->alpha = node_float(n, "min", -INFINITY);
		g->beta = node_float(n, "max", INFINITY);
	} else if (op == OP_SELU || op == OP_HARD_SIGMOID) {
		struct node forward = *n;
		forward.op = op;
		struct activation a = activation_read(&forward);
		g->alpha = a.alpha;
		g->beta = a.beta;
	}
}

/* The order of dy, unless that repeats numbers. */
static enum err choose_order(struct builder *b, int dy, int from, struct order *ret)
{
	struct view v, other;
	enum err err = builder_value(b, dy, &v);
	if (!err)
		err = builder_value(b, from, &other);
	if (err)
		return err;
	*ret = order_of(&v);
	if (!view_is_dense(&v, ret))
		*ret = order_of(&other);
	return ERR_OK;
}

enum err unary_gradient_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	enum op op = (enum op)node_int(n, "op", OP_COUNT);
	assert(op < OP_COUNT && gradients[op].run);
	int from = n->in[gradients[op].reads == 'x' ? 1 : 2];
	struct order o = order_row_major();
	struct view dy, x, dx;
	enum err err = choose_order(b, n->in[0], from, &o);
	if (!err)
		err = builder_dense(b, n->in[0], &o, &dy);
	if (!err)
		err = builder_dense(b, from, &o, &x);
	if (!err)
		err = builder_place_over(b, n->out[0], n->in[0], &dy, &dx);
	if (err)
		return err;
	struct unary_gradient g = { .dy = dy.data, .from = x.data, .dx = dx.data, .count = view_count(&dx) };
	read_parameters(n, op, &g);
	return builder_call(b, gradients[op].run, &g, sizeof g);
}

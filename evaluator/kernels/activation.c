/* activation.c -- functions of one number that oneDNN doesn't have.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/activation.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "base/simd.h"
#include "evaluator/kernels/function.h"
#include "evaluator/model/graph.h"

/* clang-format off */
#define ACTIVATION(name, formula) \
	SIMD static void name(const void *job) \
	{ \
		const struct activation *a = job; \
		const float alpha = a->alpha, beta = a->beta; \
		(void)alpha; \
		(void)beta; \
		const float *from = a->x; \
		float *to = a->y; \
		const int64_t n = a->count; \
		SIMD_EACH \
		for (int64_t i = 0; i < n; i++) { \
			const float x = from[i]; \
			to[i] = (formula); \
		} \
	}

ACTIVATION(selu, beta * (x > 0 ? x : alpha * function_expm1(x)))
ACTIVATION(celu, x > 0 ? x : alpha * function_expm1(x / alpha))
ACTIVATION(thresholded_relu, x > alpha ? x : 0)
ACTIVATION(hard_sigmoid, alpha * x + beta < 0 ? 0 : alpha * x + beta > 1 ? 1 : alpha * x + beta)
ACTIVATION(softsign, x / (1 + fabsf(x)))
ACTIVATION(gauss_error, function_erf(x))
ACTIVATION(reciprocal, 1 / x)
ACTIVATION(sign, (float)((x > 0) - (x < 0)))
ACTIVATION(floor_of, floorf(x))
ACTIVATION(ceil_of, ceilf(x))
ACTIVATION(sine, sinf(x))
ACTIVATION(cosine, cosf(x))
/* clang-format on */

/* With the parameters that a node has when it says nothing. */
static const struct activation functions[OP_COUNT] = {
	[OP_SELU] = { .run = selu, .alpha = 1.67326319217681884765625f, .beta = 1.05070102214813232421875f },
	[OP_CELU] = { .run = celu, .alpha = 1 },
	[OP_THRESHOLDED_RELU] = { .run = thresholded_relu, .alpha = 1 },
	[OP_HARD_SIGMOID] = { .run = hard_sigmoid, .alpha = 0.2f, .beta = 0.5f },
	[OP_SOFTSIGN] = { .run = softsign },
	[OP_ERF] = { .run = gauss_error },
	[OP_RECIPROCAL] = { .run = reciprocal },
	[OP_SIGN] = { .run = sign },
	[OP_FLOOR] = { .run = floor_of },
	[OP_CEIL] = { .run = ceil_of },
	[OP_SIN] = { .run = sine },
	[OP_COS] = { .run = cosine },
};

struct activation activation_read(const struct node *n)
{
	struct activation a = functions[n->op];
	assert(a.run);
	a.alpha = node_float(n, "alpha", a.alpha);
	a.beta = node_float(n, n->op == OP_SELU ? "gamma" : "beta", a.beta);
	return a;
}

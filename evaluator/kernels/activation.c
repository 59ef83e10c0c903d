/* activation.c -- functions of one number that oneDNN doesn't have.
 * SPDX-License-Identifier: MIT */
#include "evaluator/kernels/activation.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "evaluator/model/graph.h"

/* clang-format off */
#define ACTIVATION(name, formula) \
	static void name(const void *job) \
	{ \
		const struct activation *a = job; \
		const float alpha = a->alpha, beta = a->beta; \
		(void)alpha; \
		(void)beta; \
		for (int64_t i = 0; i < a->count; i++) { \
			const float x = a->x[i]; \
			a->y[i] = (formula); \
		} \
	}

ACTIVATION(selu, beta * (x > 0 ? x : alpha * expm1f(x)))
ACTIVATION(celu, x > 0 ? x : alpha * expm1f(x / alpha))
ACTIVATION(thresholded_relu, x > alpha ? x : 0)
ACTIVATION(hard_sigmoid, fmaxf(0, fminf(1, alpha * x + beta)))
ACTIVATION(softsign, x / (1 + fabsf(x)))
ACTIVATION(gauss_error, erff(x))
ACTIVATION(reciprocal, 1 / x)
ACTIVATION(sign, (float)((x > 0) - (x < 0)))
ACTIVATION(floor_of, floorf(x))
ACTIVATION(ceil_of, ceilf(x))
ACTIVATION(sine, sinf(x))
ACTIVATION(cosine, cosf(x))
/* clang-format on */

struct activation activation_read(const struct node *n)
{
	switch ((int)n->op) {
	case OP_SELU:
		return (struct activation){ .run = selu,
			.alpha = node_float(n, "alpha", 1.67326319217681884765625f),
			.beta = node_float(n, "gamma", 1.05070102214813232421875f) };
	case OP_CELU:
		return (struct activation){ .run = celu, .alpha = node_float(n, "alpha", 1) };
	case OP_THRESHOLDED_RELU:
		return (struct activation){ .run = thresholded_relu, .alpha = node_float(n, "alpha", 1) };
	case OP_HARD_SIGMOID:
		return (struct activation){ .run = hard_sigmoid,
			.alpha = node_float(n, "alpha", 0.2f),
			.beta = node_float(n, "beta", 0.5f) };
	case OP_SOFTSIGN:
		return (struct activation){ .run = softsign };
	case OP_ERF:
		return (struct activation){ .run = gauss_error };
	case OP_RECIPROCAL:
		return (struct activation){ .run = reciprocal };
	case OP_SIGN:
		return (struct activation){ .run = sign };
	case OP_FLOOR:
		return (struct activation){ .run = floor_of };
	case OP_CEIL:
		return (struct activation){ .run = ceil_of };
	case OP_SIN:
		return (struct activation){ .run = sine };
	case OP_COS:
		return (struct activation){ .run = cosine };
	default:
		assert(!"an operation of oneDNN's");
		return (struct activation){ 0 };
	}
}

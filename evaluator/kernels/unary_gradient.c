/* unary_gradient.c -- dx = f'(x) * dy for what is done to every number alone.
 * SPDX-License-Identifier: MIT */
#include <stddef.h>

#include "evaluator/kernels/unary.h"

/* From y where y says it: a convolution before then need not keep x. The sign of y says nothing where alpha may be
 * negative. */
char unary_gradient_reads(enum op op)
{
	static const char reads[OP_COUNT] = {
		[OP_RELU] = 'y',
		[OP_LEAKY_RELU] = 'x',
		[OP_ELU] = 'x',
		[OP_SELU] = 'x',
		[OP_CELU] = 'x',
		[OP_THRESHOLDED_RELU] = 'x',
		[OP_SIGMOID] = 'y',
		[OP_HARD_SIGMOID] = 'y',
		[OP_HARD_SWISH] = 'x',
		[OP_TANH] = 'y',
		[OP_SOFTPLUS] = 'y',
		[OP_SOFTSIGN] = 'x',
		[OP_MISH] = 'x',
		[OP_ERF] = 'x',
		[OP_EXP] = 'y',
		[OP_LOG] = 'x',
		[OP_SQRT] = 'y',
		[OP_RECIPROCAL] = 'y',
		[OP_ABS] = 'x',
		[OP_NEG] = 'y',
		[OP_SIN] = 'x',
		[OP_COS] = 'x',
		[OP_CLIP] = 'y',
	};
	return reads[op];
}

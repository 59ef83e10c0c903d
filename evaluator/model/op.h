/* op.h -- the operators that are known.
 * SPDX-License-Identifier: MIT
 *
 * One row an operator: its ONNX name, how many inputs and outputs it may have, and the attributes whose meaning is
 * known, with their types. A node of any other kind, or with any other attribute, is kept as it is and is opaque
 * (model/graph.h). What an operator does to shapes stands in model/shape*.c, how it runs in kernels/, how it couples
 * channels in prune/rules*.c, each a table over this enumeration. */
#ifndef EVALUATOR_MODEL_OP_H
#define EVALUATOR_MODEL_OP_H

#include <stdbool.h>

enum op {
	/* layers */
	OP_CONV,
	OP_CONV_TRANSPOSE,
	OP_GEMM,
	OP_MATMUL,
	OP_EINSUM,
	/* normalisation */
	OP_BATCH_NORM,
	OP_INSTANCE_NORM,
	OP_LAYER_NORM,
	OP_GROUP_NORM,
	OP_LRN,
	OP_LP_NORM,
	/* one number to one number */
	OP_RELU,
	OP_LEAKY_RELU,
	OP_ELU,
	OP_SELU,
	OP_CELU,
	OP_THRESHOLDED_RELU,
	OP_SIGMOID,
	OP_HARD_SIGMOID,
	OP_HARD_SWISH,
	OP_TANH,
	OP_SOFTPLUS,
	OP_SOFTSIGN,
	OP_MISH,
	OP_ERF,
	OP_EXP,
	OP_LOG,
	OP_SQRT,
	OP_RECIPROCAL,
	OP_ABS,
	OP_NEG,
	OP_SIGN,
	OP_FLOOR,
	OP_CEIL,
	OP_ROUND,
	OP_SIN,
	OP_COS,
	OP_CLIP,
	/* several, broadcast against each other */
	OP_ADD,
	OP_SUB,
	OP_MUL,
	OP_DIV,
	OP_POW,
	OP_PRELU,
	OP_MIN,
	OP_MAX,
	OP_SUM,
	OP_MEAN,
	/* pooling */
	OP_MAX_POOL,
	OP_AVERAGE_POOL,
	OP_GLOBAL_AVERAGE_POOL,
	OP_GLOBAL_MAX_POOL,
	/* along dimensions */
	OP_SOFTMAX,
	OP_LOG_SOFTMAX,
	OP_REDUCE_MEAN,
	OP_REDUCE_SUM,
	OP_REDUCE_MAX,
	OP_REDUCE_MIN,
	OP_REDUCE_PROD,
	OP_REDUCE_L1,
	OP_REDUCE_L2,
	OP_REDUCE_SUM_SQUARE,
	/* moved, not computed */
	OP_FLATTEN,
	OP_RESHAPE,
	OP_SQUEEZE,
	OP_UNSQUEEZE,
	OP_TRANSPOSE,
	OP_CONCAT,
	OP_SPLIT,
	OP_SLICE,
	OP_GATHER,
	OP_EXPAND,
	OP_TILE,
	OP_PAD,
	OP_DEPTH_TO_SPACE,
	OP_SPACE_TO_DEPTH,
	OP_RESIZE,
	OP_UPSAMPLE,
	/* resolved while a file is read: no such node is in a graph */
	OP_IDENTITY,
	OP_DROPOUT,
	OP_CAST,
	OP_CONSTANT,
	OP_SHAPE,
	OP_SIZE,
	OP_CONSTANT_OF_SHAPE,
	OP_RANGE,
	OP_WHERE,
	OP_EQUAL,
	OP_GREATER,
	OP_LESS,
	OP_GREATER_OR_EQUAL,
	OP_LESS_OR_EQUAL,
	OP_NOT,
	OP_AND,
	OP_OR,
	OP_MOD,
	OP_SCATTER_ND,
	/* Made by train/gradient.h from a network, never in a file: a network is trained as a graph that holds its
	 * backward pass too. dy is the gradient of what the forward node wrote, and so on. */
	OP_CONV_DATA_GRADIENT,	 /* (dy, w) -> dx, with Conv's attributes */
	OP_CONV_WEIGHT_GRADIENT, /* (x, dy) -> dw, with Conv's attributes */
	OP_BATCH_NORM_TRAIN,	 /* (x, scale, shift) -> y, mean, biased variance: of the batch. epsilon; "relu" 1: y is
				  * max(0, y) */
	OP_BATCH_NORM_GRADIENT, /* (dy, x, y, scale, mean, variance) -> dx, dscale, dshift; y is -1 without relu */
	OP_NORM_GRADIENT,	/* (dy, x, scale) -> dx, dscale, dshift (each may be -1), attributes of the node and
				 * "op": OP_INSTANCE_NORM, OP_GROUP_NORM, OP_LAYER_NORM */
	OP_LRN_GRADIENT,	/* (dy, x) -> dx, with LRN's attributes */
	OP_UNARY_GRADIENT,	/* (dy, x, y) -> dx: x or y is -1, as unary_gradient_reads says; attributes of the node
				 * and "op"; Clip's bounds as attributes min and max */
	OP_PRELU_GRADIENT,	/* (dy, x, slope) -> dx and, of x's shape, x < 0 ? x * dy : 0 */
	OP_MATCH,		/* (x, y), broadcast -> x == y ? 1 : 0 */
	OP_MAX_POOL_GRADIENT,	/* (dy, x, y) -> dx, MaxPool's attributes; the first of equals takes all */
	OP_AVERAGE_POOL_GRADIENT, /* (dy) -> dx, AveragePool's attributes */
	/* In these the inputs are the forward node's in their places, -1 up to as many as it may have, then dy. */
	OP_SLICE_GRADIENT,
	OP_GATHER_GRADIENT,
	OP_PAD_GRADIENT,
	OP_RESIZE_GRADIENT,
	OP_TILE_GRADIENT,
	OP_SPREAD, /* x -> x broadcast to the output's shape */
	OP_SUM_TO, /* x -> its sum over what was broadcast to get x's shape from the output's */
	OP_LOSS,   /* (logits, target, teacher or -1) -> loss (batch), gradient (batch, classes) of its mean over the
		    * batch; "temperature", "weight" of the teacher's part (kernels/loss.c) */
	OP_COUNT,  /* also: not known */
	OP_MADE = OP_CONV_DATA_GRADIENT,
};

enum { OP_MAX_ATTRIBUTES = 12 };

enum attribute_kind { ATTRIBUTE_INT, ATTRIBUTE_FLOAT, ATTRIBUTE_STRING, ATTRIBUTE_INTS, ATTRIBUTE_FLOATS };

struct op_attribute {
	const char *name;
	enum attribute_kind kind;
};

struct op_info {
	const char *name; /* in ONNX, domain "" */
	int min_in, max_in;
	int max_out;  /* outputs that are kept */
	int more_out; /* outputs behind those, which only training uses: dropped; using one makes the file an error */
	struct op_attribute attributes[OP_MAX_ATTRIBUTES];
};

extern const struct op_info op_table[OP_COUNT];

/* OP_COUNT when there is none of that name. */
enum op op_named(const char *name);

/* The operator's attribute of that name, NULL when it has none. */
const struct op_attribute *op_attribute(enum op op, const char *name);

/* One number to one number, whatever its place: OP_RELU ... OP_CLIP. */
bool op_is_unary(enum op op);
/* Several inputs broadcast against each other, number by number: OP_ADD ... OP_MEAN. */
bool op_is_broadcast(enum op op);
bool op_is_reduce(enum op op);

#endif

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
	OP_COUNT, /* also: not known */
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

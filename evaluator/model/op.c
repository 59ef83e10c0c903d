/* op.c -- the operators that are known.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/op.h"

#include <string.h>

enum { MANY = 1 << 20 };

/* clang-format off */
#define NONE { { 0 } }
#define WINDOW { "auto_pad", ATTRIBUTE_STRING }, { "dilations", ATTRIBUTE_INTS }, { "kernel_shape", ATTRIBUTE_INTS }, \
	{ "pads", ATTRIBUTE_INTS }, { "strides", ATTRIBUTE_INTS }
#define REDUCE { { "axes", ATTRIBUTE_INTS }, { "keepdims", ATTRIBUTE_INT }, { "noop_with_empty_axes", ATTRIBUTE_INT } }
#define AXIS { { "axis", ATTRIBUTE_INT } }
#define AXES { { "axes", ATTRIBUTE_INTS } }
#define ALPHA { { "alpha", ATTRIBUTE_FLOAT } }

const struct op_info op_table[OP_COUNT] = {
	[OP_CONV] = { "Conv", 2, 3, 1, 0, { WINDOW, { "group", ATTRIBUTE_INT } } },
	[OP_CONV_TRANSPOSE] = { "ConvTranspose", 2, 3, 1, 0, { WINDOW, { "group", ATTRIBUTE_INT },
		{ "output_padding", ATTRIBUTE_INTS }, { "output_shape", ATTRIBUTE_INTS } } },
	[OP_GEMM] = { "Gemm", 2, 3, 1, 0, { { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT },
		{ "transA", ATTRIBUTE_INT }, { "transB", ATTRIBUTE_INT } } },
	[OP_MATMUL] = { "MatMul", 2, 2, 1, 0, NONE },
	[OP_EINSUM] = { "Einsum", 1, MANY, 1, 0, { { "equation", ATTRIBUTE_STRING } } },

	[OP_BATCH_NORM] = { "BatchNormalization", 5, 5, 1, 4, { { "epsilon", ATTRIBUTE_FLOAT },
		{ "momentum", ATTRIBUTE_FLOAT }, { "training_mode", ATTRIBUTE_INT }, { "spatial", ATTRIBUTE_INT } } },
	[OP_INSTANCE_NORM] = { "InstanceNormalization", 3, 3, 1, 0, { { "epsilon", ATTRIBUTE_FLOAT } } },
	[OP_LAYER_NORM] = { "LayerNormalization", 2, 3, 1, 2, { { "axis", ATTRIBUTE_INT },
		{ "epsilon", ATTRIBUTE_FLOAT }, { "stash_type", ATTRIBUTE_INT } } },
	[OP_GROUP_NORM] = { "GroupNormalization", 3, 3, 1, 0, { { "epsilon", ATTRIBUTE_FLOAT },
		{ "num_groups", ATTRIBUTE_INT }, { "stash_type", ATTRIBUTE_INT } } },
	[OP_LRN] = { "LRN", 1, 1, 1, 0, { { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT },
		{ "bias", ATTRIBUTE_FLOAT }, { "size", ATTRIBUTE_INT } } },
	[OP_LP_NORM] = { "LpNormalization", 1, 1, 1, 0, { { "axis", ATTRIBUTE_INT }, { "p", ATTRIBUTE_INT } } },

	[OP_RELU] = { "Relu", 1, 1, 1, 0, NONE },
	[OP_LEAKY_RELU] = { "LeakyRelu", 1, 1, 1, 0, ALPHA },
	[OP_ELU] = { "Elu", 1, 1, 1, 0, ALPHA },
	[OP_SELU] = { "Selu", 1, 1, 1, 0, { { "alpha", ATTRIBUTE_FLOAT }, { "gamma", ATTRIBUTE_FLOAT } } },
	[OP_CELU] = { "Celu", 1, 1, 1, 0, ALPHA },
	[OP_THRESHOLDED_RELU] = { "ThresholdedRelu", 1, 1, 1, 0, ALPHA },
	[OP_SIGMOID] = { "Sigmoid", 1, 1, 1, 0, NONE },
	[OP_HARD_SIGMOID] = { "HardSigmoid", 1, 1, 1, 0,
		{ { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT } } },
	[OP_HARD_SWISH] = { "HardSwish", 1, 1, 1, 0, NONE },
	[OP_TANH] = { "Tanh", 1, 1, 1, 0, NONE },
	[OP_SOFTPLUS] = { "Softplus", 1, 1, 1, 0, NONE },
	[OP_SOFTSIGN] = { "Softsign", 1, 1, 1, 0, NONE },
	[OP_MISH] = { "Mish", 1, 1, 1, 0, NONE },
	[OP_ERF] = { "Erf", 1, 1, 1, 0, NONE },
	[OP_EXP] = { "Exp", 1, 1, 1, 0, NONE },
	[OP_LOG] = { "Log", 1, 1, 1, 0, NONE },
	[OP_SQRT] = { "Sqrt", 1, 1, 1, 0, NONE },
	[OP_RECIPROCAL] = { "Reciprocal", 1, 1, 1, 0, NONE },
	[OP_ABS] = { "Abs", 1, 1, 1, 0, NONE },
	[OP_NEG] = { "Neg", 1, 1, 1, 0, NONE },
	[OP_SIGN] = { "Sign", 1, 1, 1, 0, NONE },
	[OP_FLOOR] = { "Floor", 1, 1, 1, 0, NONE },
	[OP_CEIL] = { "Ceil", 1, 1, 1, 0, NONE },
	[OP_ROUND] = { "Round", 1, 1, 1, 0, NONE },
	[OP_SIN] = { "Sin", 1, 1, 1, 0, NONE },
	[OP_COS] = { "Cos", 1, 1, 1, 0, NONE },
	[OP_CLIP] = { "Clip", 1, 3, 1, 0, { { "max", ATTRIBUTE_FLOAT }, { "min", ATTRIBUTE_FLOAT } } },

	[OP_ADD] = { "Add", 2, 2, 1, 0, NONE },
	[OP_SUB] = { "Sub", 2, 2, 1, 0, NONE },
	[OP_MUL] = { "Mul", 2, 2, 1, 0, NONE },
	[OP_DIV] = { "Div", 2, 2, 1, 0, NONE },
	[OP_POW] = { "Pow", 2, 2, 1, 0, NONE },
	[OP_PRELU] = { "PRelu", 2, 2, 1, 0, NONE },
	[OP_MIN] = { "Min", 1, MANY, 1, 0, NONE },
	[OP_MAX] = { "Max", 1, MANY, 1, 0, NONE },
	[OP_SUM] = { "Sum", 1, MANY, 1, 0, NONE },
	[OP_MEAN] = { "Mean", 1, MANY, 1, 0, NONE },

	[OP_MAX_POOL] = { "MaxPool", 1, 1, 1, 1, { WINDOW, { "ceil_mode", ATTRIBUTE_INT },
		{ "storage_order", ATTRIBUTE_INT } } },
	[OP_AVERAGE_POOL] = { "AveragePool", 1, 1, 1, 0, { WINDOW, { "ceil_mode", ATTRIBUTE_INT },
		{ "count_include_pad", ATTRIBUTE_INT } } },
	[OP_GLOBAL_AVERAGE_POOL] = { "GlobalAveragePool", 1, 1, 1, 0, NONE },
	[OP_GLOBAL_MAX_POOL] = { "GlobalMaxPool", 1, 1, 1, 0, NONE },

	[OP_SOFTMAX] = { "Softmax", 1, 1, 1, 0, AXIS },
	[OP_LOG_SOFTMAX] = { "LogSoftmax", 1, 1, 1, 0, AXIS },
	[OP_REDUCE_MEAN] = { "ReduceMean", 1, 2, 1, 0, REDUCE },
	[OP_REDUCE_SUM] = { "ReduceSum", 1, 2, 1, 0, REDUCE },
	[OP_REDUCE_MAX] = { "ReduceMax", 1, 2, 1, 0, REDUCE },
	[OP_REDUCE_MIN] = { "ReduceMin", 1, 2, 1, 0, REDUCE },
	[OP_REDUCE_PROD] = { "ReduceProd", 1, 2, 1, 0, REDUCE },
	[OP_REDUCE_L1] = { "ReduceL1", 1, 2, 1, 0, REDUCE },
	[OP_REDUCE_L2] = { "ReduceL2", 1, 2, 1, 0, REDUCE },
	[OP_REDUCE_SUM_SQUARE] = { "ReduceSumSquare", 1, 2, 1, 0, REDUCE },

	[OP_FLATTEN] = { "Flatten", 1, 1, 1, 0, AXIS },
	[OP_RESHAPE] = { "Reshape", 2, 2, 1, 0, { { "allowzero", ATTRIBUTE_INT } } },
	[OP_SQUEEZE] = { "Squeeze", 1, 2, 1, 0, AXES },
	[OP_UNSQUEEZE] = { "Unsqueeze", 1, 2, 1, 0, AXES },
	[OP_TRANSPOSE] = { "Transpose", 1, 1, 1, 0, { { "perm", ATTRIBUTE_INTS } } },
	[OP_CONCAT] = { "Concat", 1, MANY, 1, 0, AXIS },
	[OP_SPLIT] = { "Split", 1, 2, MANY, 0, { { "axis", ATTRIBUTE_INT }, { "num_outputs", ATTRIBUTE_INT },
		{ "split", ATTRIBUTE_INTS } } },
	[OP_SLICE] = { "Slice", 1, 5, 1, 0, { { "axes", ATTRIBUTE_INTS }, { "ends", ATTRIBUTE_INTS },
		{ "starts", ATTRIBUTE_INTS } } },
	[OP_GATHER] = { "Gather", 2, 2, 1, 0, AXIS },
	[OP_EXPAND] = { "Expand", 2, 2, 1, 0, NONE },
	[OP_TILE] = { "Tile", 2, 2, 1, 0, NONE },
	[OP_PAD] = { "Pad", 1, 4, 1, 0, { { "mode", ATTRIBUTE_STRING }, { "pads", ATTRIBUTE_INTS },
		{ "value", ATTRIBUTE_FLOAT } } },
	[OP_DEPTH_TO_SPACE] = { "DepthToSpace", 1, 1, 1, 0, { { "blocksize", ATTRIBUTE_INT },
		{ "mode", ATTRIBUTE_STRING } } },
	[OP_SPACE_TO_DEPTH] = { "SpaceToDepth", 1, 1, 1, 0, { { "blocksize", ATTRIBUTE_INT } } },
	[OP_RESIZE] = { "Resize", 1, 4, 1, 0, { { "antialias", ATTRIBUTE_INT }, { "axes", ATTRIBUTE_INTS },
		{ "coordinate_transformation_mode", ATTRIBUTE_STRING }, { "cubic_coeff_a", ATTRIBUTE_FLOAT },
		{ "exclude_outside", ATTRIBUTE_INT }, { "extrapolation_value", ATTRIBUTE_FLOAT },
		{ "keep_aspect_ratio_policy", ATTRIBUTE_STRING }, { "mode", ATTRIBUTE_STRING },
		{ "nearest_mode", ATTRIBUTE_STRING } } },
	[OP_UPSAMPLE] = { "Upsample", 2, 2, 1, 0, { { "mode", ATTRIBUTE_STRING } } },

	[OP_IDENTITY] = { "Identity", 1, 1, 1, 0, NONE },
	[OP_DROPOUT] = { "Dropout", 1, 3, 1, 1, { { "ratio", ATTRIBUTE_FLOAT }, { "seed", ATTRIBUTE_INT } } },
	[OP_CAST] = { "Cast", 1, 1, 1, 0, { { "to", ATTRIBUTE_INT } } },
	[OP_CONSTANT] = { "Constant", 0, 0, 1, 0, NONE },
	[OP_SHAPE] = { "Shape", 1, 1, 1, 0, { { "end", ATTRIBUTE_INT }, { "start", ATTRIBUTE_INT } } },
	[OP_SIZE] = { "Size", 1, 1, 1, 0, NONE },
	[OP_CONSTANT_OF_SHAPE] = { "ConstantOfShape", 1, 1, 1, 0, NONE },
	[OP_RANGE] = { "Range", 3, 3, 1, 0, NONE },
	[OP_WHERE] = { "Where", 3, 3, 1, 0, NONE },
	[OP_EQUAL] = { "Equal", 2, 2, 1, 0, NONE },
	[OP_GREATER] = { "Greater", 2, 2, 1, 0, NONE },
	[OP_LESS] = { "Less", 2, 2, 1, 0, NONE },
	[OP_GREATER_OR_EQUAL] = { "GreaterOrEqual", 2, 2, 1, 0, NONE },
	[OP_LESS_OR_EQUAL] = { "LessOrEqual", 2, 2, 1, 0, NONE },
	[OP_NOT] = { "Not", 1, 1, 1, 0, NONE },
	[OP_AND] = { "And", 2, 2, 1, 0, NONE },
	[OP_OR] = { "Or", 2, 2, 1, 0, NONE },
	[OP_MOD] = { "Mod", 2, 2, 1, 0, { { "fmod", ATTRIBUTE_INT } } },
	[OP_SCATTER_ND] = { "ScatterND", 3, 3, 1, 0, { { "reduction", ATTRIBUTE_STRING } } },

	/* Names for messages alone; attributes are put there by whoever makes the node. */
	[OP_CONV_DATA_GRADIENT] = { .name = "Conv's data gradient" },
	[OP_CONV_WEIGHT_GRADIENT] = { .name = "Conv's weight gradient" },
	[OP_BATCH_NORM_TRAIN] = { .name = "BatchNormalization of a batch" },
	[OP_BATCH_NORM_GRADIENT] = { .name = "BatchNormalization's gradient" },
	[OP_NORM_GRADIENT] = { .name = "normalisation's gradient" },
	[OP_LRN_GRADIENT] = { .name = "LRN's gradient" },
	[OP_UNARY_GRADIENT] = { .name = "activation's gradient" },
	[OP_PRELU_GRADIENT] = { .name = "PRelu's gradient" },
	[OP_MATCH] = { .name = "match" },
	[OP_MAX_POOL_GRADIENT] = { .name = "MaxPool's gradient" },
	[OP_AVERAGE_POOL_GRADIENT] = { .name = "AveragePool's gradient" },
	[OP_SLICE_GRADIENT] = { .name = "Slice's gradient" },
	[OP_GATHER_GRADIENT] = { .name = "Gather's gradient" },
	[OP_PAD_GRADIENT] = { .name = "Pad's gradient" },
	[OP_RESIZE_GRADIENT] = { .name = "Resize's gradient" },
	[OP_TILE_GRADIENT] = { .name = "Tile's gradient" },
	[OP_SPREAD] = { .name = "spread" },
	[OP_SUM_TO] = { .name = "sum" },
	[OP_LOSS] = { .name = "loss" },
};
/* clang-format on */

enum op op_named(const char *name)
{
	for (int i = 0; i < OP_MADE; i++)
		if (!strcmp(op_table[i].name, name))
			return (enum op)i;
	return OP_COUNT;
}

const struct op_attribute *op_attribute(enum op op, const char *name)
{
	const struct op_attribute *known = op_table[op].attributes;
	for (int i = 0; i < OP_MAX_ATTRIBUTES && known[i].name; i++)
		if (!strcmp(known[i].name, name))
			return &known[i];
	return NULL;
}

bool op_is_unary(enum op op)
{
	return op >= OP_RELU && op <= OP_CLIP;
}

bool op_is_broadcast(enum op op)
{
	return op >= OP_ADD && op <= OP_MEAN;
}

bool op_is_reduce(enum op op)
{
	return op >= OP_REDUCE_MEAN && op <= OP_REDUCE_SUM_SQUARE;
}

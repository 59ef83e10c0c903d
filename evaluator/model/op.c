/* op.c -- the operators that are known.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/op.h"

#include <string.h>

const struct op_info op_table[OP_COUNT] = {
	[OP_CONV] = { "Conv", 2, 3, 1,
		{ { "auto_pad", ATTRIBUTE_STRING }, { "dilations", ATTRIBUTE_INTS }, { "group", ATTRIBUTE_INT },
			{ "kernel_shape", ATTRIBUTE_INTS }, { "pads", ATTRIBUTE_INTS },
			{ "strides", ATTRIBUTE_INTS } } },
	[OP_BATCH_NORM] = { "BatchNormalization", 5, 5, 5,
		{ { "epsilon", ATTRIBUTE_FLOAT }, { "momentum", ATTRIBUTE_FLOAT } } },
	[OP_RELU] = { "Relu", 1, 1, 1, { { 0 } } },
	[OP_MAX_POOL] = { "MaxPool", 1, 1, 2,
		{ { "auto_pad", ATTRIBUTE_STRING }, { "ceil_mode", ATTRIBUTE_INT }, { "dilations", ATTRIBUTE_INTS },
			{ "kernel_shape", ATTRIBUTE_INTS }, { "pads", ATTRIBUTE_INTS },
			{ "storage_order", ATTRIBUTE_INT }, { "strides", ATTRIBUTE_INTS } } },
	[OP_GLOBAL_AVERAGE_POOL] = { "GlobalAveragePool", 1, 1, 1, { { 0 } } },
	[OP_ADD] = { "Add", 2, 2, 1, { { 0 } } },
	[OP_FLATTEN] = { "Flatten", 1, 1, 1, { { "axis", ATTRIBUTE_INT } } },
	[OP_GEMM] = { "Gemm", 2, 3, 1,
		{ { "alpha", ATTRIBUTE_FLOAT }, { "beta", ATTRIBUTE_FLOAT }, { "transA", ATTRIBUTE_INT },
			{ "transB", ATTRIBUTE_INT } } },
};

enum op op_named(const char *name)
{
	for (int i = 0; i < OP_COUNT; i++)
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

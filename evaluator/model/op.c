/* op.c -- the operators that are known.
 * SPDX-License-Identifier: MIT */
#include "evaluator/model/op.h"

#include <string.h>

const struct op_info op_table[OP_COUNT] = {
	[OP_CONV] = { "Conv", 2, 3, 1, { "auto_pad", "dilations", "group", "kernel_shape", "pads", "strides" } },
	[OP_BATCH_NORM] = { "BatchNormalization", 5, 5, 5, { "epsilon", "momentum" } },
	[OP_RELU] = { "Relu", 1, 1, 1, { 0 } },
	[OP_MAX_POOL] = { "MaxPool", 1, 1, 2,
		{ "auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides" } },
	[OP_GLOBAL_AVERAGE_POOL] = { "GlobalAveragePool", 1, 1, 1, { 0 } },
	[OP_ADD] = { "Add", 2, 2, 1, { 0 } },
	[OP_FLATTEN] = { "Flatten", 1, 1, 1, { "axis" } },
	[OP_GEMM] = { "Gemm", 2, 3, 1, { "alpha", "beta", "transA", "transB" } },
};

enum op op_named(const char *name)
{
	for (int i = 0; i < OP_COUNT; i++)
		if (!strcmp(op_table[i].name, name))
			return (enum op)i;
	return OP_COUNT;
}

bool op_has_attribute(enum op op, const char *name)
{
	const char *const *known = op_table[op].attributes;
	for (int i = 0; i < OP_MAX_ATTRIBUTES && known[i]; i++)
		if (!strcmp(known[i], name))
			return true;
	return false;
}

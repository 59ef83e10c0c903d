/* op.h -- the operators that are known.
 * SPDX-License-Identifier: MIT
 *
 * One row an operator: its ONNX name and how many inputs and outputs it may have. What an operator does to shapes stands in model/shape.c, how it runs in kernels/, how
 * it couples channels in prune/coupling.c, each a table over this enumeration. */
#ifndef EVALUATOR_MODEL_OP_H
#define EVALUATOR_MODEL_OP_H

enum op {
	OP_CONV,
	OP_BATCH_NORM,
	OP_RELU,
	OP_MAX_POOL,
	OP_GLOBAL_AVERAGE_POOL,
	OP_ADD,
	OP_FLATTEN,
	OP_GEMM,
	OP_COUNT, /* also: not known */
};

struct op_info {
	const char *name; /* in ONNX, domain "" */
	int min_in, max_in, min_out, max_out;
};

extern const struct op_info op_table[OP_COUNT];

/* OP_COUNT when there is none of that name. */
enum op op_named(const char *name);

#endif

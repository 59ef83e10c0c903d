/* op.h -- the operators that are known.
 * SPDX-License-Identifier: MIT
 *
 * One row an operator: its ONNX name, how many inputs and outputs it may have, and the attributes whose meaning is
 * known, with their types (any other is refused rather than ignored). What an operator does to shapes stands in
 * model/shape.c, how it runs in kernels/, how it couples channels in prune/coupling.c, each a table over this
 * enumeration. */
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

enum { OP_MAX_ATTRIBUTES = 8 };

enum attribute_kind { ATTRIBUTE_INT, ATTRIBUTE_FLOAT, ATTRIBUTE_STRING, ATTRIBUTE_INTS };

struct op_attribute {
	const char *name;
	enum attribute_kind kind;
};

struct op_info {
	const char *name; /* in ONNX, domain "" */
	int min_in, max_in;
	int max_out; /* outputs behind the first, which only training uses, are dropped; using one is an error */
	struct op_attribute attributes[OP_MAX_ATTRIBUTES];
};

extern const struct op_info op_table[OP_COUNT];

/* OP_COUNT when there is none of that name. */
enum op op_named(const char *name);

/* The operator's attribute of that name, NULL when it has none. */
const struct op_attribute *op_attribute(enum op op, const char *name);

#endif

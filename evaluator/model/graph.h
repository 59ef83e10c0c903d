/* graph.h -- a network as nodes and values, close to ONNX's own words.
 * SPDX-License-Identifier: MIT
 *
 * Nodes stand in topological order. A value is a network input, an initialiser or the output of one node. The first
 * dimension of inputs and of everything computed from them is the batch, DIM_BATCH, whatever the file declares.
 * Constant and Identity nodes are resolved when a file is read: an Identity of an initialiser becomes a tensor of its
 * own, because exporters use it to merge tensors that only happen to be equal. All of it lives in one arena. */
#ifndef EVALUATOR_MODEL_GRAPH_H
#define EVALUATOR_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "evaluator/model/op.h"

enum { SHAPE_MAX_RANK = 8, DIM_BATCH = -1 };

struct shape {
	int rank;
	int64_t dim[SHAPE_MAX_RANK];
};

/* ONNX's TensorProto.DataType numbers. */
enum dtype { DTYPE_FLOAT = 1, DTYPE_INT64 = 7 };

struct value {
	const char *name;
	enum dtype dtype;
	struct shape shape; /* rank -1 until inferred */
	int producer;       /* index of the node, -1 for inputs and initialisers */
	void *data;         /* initialisers: the elements, row-major as in ONNX; NULL otherwise */
	const char *batch_name; /* inputs and outputs: dim_param declared for dimension 0, NULL when a number was */
	int64_t batch_size;     /* that number, 0 when there was none */
};

struct attribute {
	const char *name;
	enum attribute_kind kind;
	int64_t i;
	float f;
	const char *s;
	int64_t *ints;
	size_t count;
};

struct node {
	const char *name;
	enum op op;
	int *in; /* value indices, -1: an optional input left out */
	int in_count;
	int *out;
	int out_count;
	struct attribute *attributes;
	int attribute_count;
};

struct graph {
	struct arena *arena;
	const char *name;
	int64_t opset, ir_version;
	struct node *nodes;
	int node_count;
	struct value *values;
	int value_count;
	int *inputs, *outputs;
	int input_count, output_count;
};

void graph_free(struct graph *g); /* accepts NULL */

/* Infers every value's shape and checks each node against its operator's rule; errors name the node. */
enum err graph_infer_shapes(struct graph *g, struct errinfo *e) __attribute__((warn_unused_result));

/* Elements of a shape with the batch dimension counted as `batch`. The shape is one that was checked. */
int64_t shape_count(const struct shape *s, int64_t batch);
bool shape_equal(const struct shape *a, const struct shape *b);
/* "(batch, 16, 28, 28)" */
const char *shape_text(const struct shape *s, char buf[128]);

/* Bytes of an element. */
size_t dtype_size(enum dtype t);

/* The value at input i, NULL when an optional input was left out. */
const struct value *node_input(const struct graph *g, const struct node *n, int i);

/* The node's attribute, NULL when it has none of that name. */
const struct attribute *node_attribute(const struct node *n, const char *name);
int64_t node_int(const struct node *n, const char *name, int64_t otherwise);
float node_float(const struct node *n, const char *name, float otherwise);
/* Copies `count` ints; absent: all `otherwise`. ERR_INPUT when the attribute has another length. */
enum err node_ints(const struct node *n, const char *name, size_t count, int64_t otherwise, int64_t *ret,
	struct errinfo *e) __attribute__((warn_unused_result));
/* "node '/conv1/Conv' (Conv)" for messages. */
const char *node_text(const struct node *n, char buf[256]);

#endif

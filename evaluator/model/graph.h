/* graph.h -- a network as nodes and values, close to ONNX's own words.
 * SPDX-License-Identifier: MIT
 *
 * Nodes stand in topological order. A value is a network input, a stored tensor or an output of one node. Only floats
 * are computed with: everything that follows from stored tensors and shapes alone (Constant, Identity, Shape, casts,
 * shape arithmetic) is evaluated while a file is read, and becomes a stored tensor. An Identity of a stored tensor
 * becomes a tensor of its own, because exporters use it to merge tensors that only happen to be equal.
 *
 * A dimension below 0 is a multiple of the batch: DIM_BATCH is the batch itself, -12 twelve times it. The first
 * dimension of every input is the batch, whatever number the file declares for it. Of what is computed, a shape has
 * exactly one such dimension, at any place.
 *
 * A node that isn't understood (another operator, an unknown attribute, a form without a rule) is opaque: it says why,
 * and its op is OP_COUNT. Its outputs' shapes are those that the file declares, or unknown (rank -1), and then nodes
 * that read them are opaque too. Such a network can be pruned around the node and written; it cannot be run.
 *
 * All of it lives in one arena; tensors may also lie in the bytes of the file, which the graph then owns. */
#ifndef EVALUATOR_MODEL_GRAPH_H
#define EVALUATOR_MODEL_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "evaluator/model/op.h"

enum { SHAPE_MAX_RANK = 8, DIM_BATCH = -1 };

struct shape {
	int rank;
	int64_t dim[SHAPE_MAX_RANK];
};

/* In memory a tensor's elements are floats or 64-bit integers, numbered as in ONNX's TensorProto.DataType. */
enum dtype { DTYPE_FLOAT = 1, DTYPE_INT64 = 7 };

/* A message as it stood in the file. */
struct raw_bytes {
	const void *bytes;
	size_t len;
};

struct value {
	const char *name;
	enum dtype dtype;
	int file_type;	    /* the data type in the file: int32, bool, double ... are widened or narrowed when read */
	struct shape shape; /* rank -1: unknown */
	int producer;	    /* index of the node, -1 for inputs and stored tensors */
	void *data;   /* stored tensors: the elements, row-major as in ONNX; NULL otherwise. Floats of a large tensor
		       * may lie at any address, and are looked at through value_floats. */
	bool learned; /* stored: comes from an initialiser, not from constants in the graph */
	bool batch_sizes; /* stored integers: those below 0 are multiples of the batch, known when the network runs */
	const int64_t *slope; /* stored integers that opaque nodes read: element i is data[i] + slope[i] * batch */
	struct raw_bytes declared; /* outputs of the network whose shape isn't known: the file's ValueInfo */
	const char *batch_name; /* inputs and outputs: dim_param declared for dimension 0, NULL when a number was */
	int64_t batch_size;	/* that number, 0 when there was none */
};

struct attribute {
	const char *name;
	enum attribute_kind kind;
	int64_t i;
	float f;
	const char *s;
	int64_t *ints;
	float *floats;
	size_t count;
};

struct node {
	const char *name;
	enum op op;		   /* OP_COUNT when opaque */
	const char *type, *domain; /* as in the file */
	const char *opaque;	   /* why it isn't understood; NULL when it is */
	int *in;		   /* value indices, -1: an optional input left out */
	int in_count;
	int *out; /* -1: an optional output left out */
	int out_count;
	struct attribute *attributes;
	int attribute_count;
	struct raw_bytes *raw; /* opaque nodes: all attributes */
	int raw_count;
};

struct graph {
	struct arena *arena;
	struct file_bytes file; /* that tensors may lie in, or empty */
	const char *name;
	int64_t opset, ir_version;
	struct opset {
		const char *domain;
		int64_t version;
	} * opsets; /* of other domains */
	int opset_count;
	int64_t batch_size; /* what the file declares for the batch when that is a number, else 0 */
	struct node *nodes;
	int node_count;
	struct value *values;
	int value_count;
	int *inputs, *outputs;
	int input_count, output_count;
};

void graph_free(struct graph *g); /* accepts NULL */

/* Infers every computed value's shape and checks each node against its operator's rule; errors name the node. Opaque
 * nodes are stepped over. */
enum err graph_infer_shapes(struct graph *g, struct errinfo *e) __attribute__((warn_unused_result));

/* Elements of a shape with the batch counted as `batch`. The shape is one that was checked. */
int64_t shape_count(const struct shape *s, int64_t batch);
/* The number that a dimension is at a batch size. */
int64_t dim_size(int64_t dim, int64_t batch);
bool shape_equal(const struct shape *a, const struct shape *b);
/* "(batch, 16, 28, 28)", "(12 x batch, 64)" */
const char *shape_text(const struct shape *s, char buf[128]);

/* The elements of a stored tensor of floats. Those that lie in a file's bytes are moved there, by up to three bytes,
 * when they are first asked for: reading a model does not touch its weights but to look at them. */
const float *value_floats(const struct value *v);

/* Bytes of an element. */
size_t dtype_size(enum dtype t);

/* The value at input i, NULL when an optional input was left out. */
const struct value *node_input(const struct graph *g, const struct node *n, int i);

/* The node's attribute, NULL when it has none of that name. */
const struct attribute *node_attribute(const struct node *n, const char *name);
int64_t node_int(const struct node *n, const char *name, int64_t otherwise);
float node_float(const struct node *n, const char *name, float otherwise);
/* The operator's axis attribute as an index below `rank`; `otherwise` when it isn't given. ERR_INPUT when out of range.
 */
enum err node_axis(const struct node *n, int rank, int64_t otherwise, int *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Copies `count` ints; absent: all `otherwise`. ERR_INPUT when the attribute has another length. */
enum err node_ints(const struct node *n, const char *name, size_t count, int64_t otherwise, int64_t *ret,
	struct errinfo *e) __attribute__((warn_unused_result));
/* "node '/conv1/Conv' (Conv)" for messages. */
const char *node_text(const struct node *n, char buf[256]);

#endif

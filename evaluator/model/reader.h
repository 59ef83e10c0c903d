/* reader.h -- a graph while it is read.
 * SPDX-License-Identifier: MIT
 *
 * onnx_read.c reads what surrounds the nodes, node_read.c a node's attributes, inputs and outputs. Then fold.c
 * evaluates it when everything that it reads is known, or resolve.c brings it into the form that struct graph promises.
 *
 * A known integer may depend on the batch: shapes do. Element i of such a value is data[i] + slope[i] * batch. */
#ifndef EVALUATOR_MODEL_READER_H
#define EVALUATOR_MODEL_READER_H

#include "evaluator/model/graph.h"
#include "evaluator/model/names.h"
#include "evaluator/model/tensor.h"
#include "onnx.pb-c.h"

struct reader {
	struct graph *g;
	struct names *names; /* of values, as the file has them */
	const Onnx__GraphProto *from;
	struct file_bytes *file; /* the graph's */
	int64_t **slope;	 /* by value: NULL when it doesn't depend on the batch */
	int64_t *outer;		 /* by value: how much of the batch's dimension is outside of it, 0 standing for 1 */
	int *uses;		 /* by value: how many inputs it is by now */
	size_t value_room, node_room;
	size_t folded;    /* bytes of evaluated constants */
	int64_t products; /* multiply-accumulates that they took */
	struct errinfo *e;
};

/* ---- onnx_read.c ---- */

/* A copy of a name. Names go to terminals, logs and JSON: what could do harm there is refused here, once. */
enum err reader_name(struct reader *r, const char *from, const char **ret) __attribute__((warn_unused_result));

/* Adds a value of the file; *ret_index is its place. Its name is taken from now on. */
enum err reader_add(struct reader *r, const char *name, const struct value *v, int *ret_index)
	__attribute__((warn_unused_result));

/* Adds a value that the file has not: called after `like`, with a number. */
enum err reader_invent(struct reader *r, const char *like, const struct value *v, int *ret_index)
	__attribute__((warn_unused_result));

/* A stored tensor again, with data of its own. */
enum err reader_copy(struct reader *r, int value, int *ret_index) __attribute__((warn_unused_result));

/* The initialisers of r->from become values. */
enum err reader_stored(struct reader *r) __attribute__((warn_unused_result));

enum err reader_no_memory(struct reader *r);

/* ---- node_read.c ---- */

/* Reads all nodes of r->from. */
enum err reader_nodes(struct reader *r) __attribute__((warn_unused_result));

/* Appends a finished node whose outputs are `count` new values of these shapes, named as in `names` (an empty name: the
 * output is left out). */
enum err reader_append(struct reader *r, struct node *n, char *const *names, const struct shape *shapes)
	__attribute__((warn_unused_result));

/* A string of a message, which may be absent. */
static inline const char *reader_text(const char *s)
{
	return s ? s : "";
}

/* ---- branch.c ---- */

/* An If of which is known where it goes is read, and *ret_done set; what it computes has the names of its outputs. */
enum err reader_branch(struct reader *r, const Onnx__NodeProto *from, bool *ret_done)
	__attribute__((warn_unused_result));

/* ---- fold.c ---- */

/* Whether the node only depends on stored tensors and known shapes. Then *ret_done says whether it was evaluated: its
 * outputs are values now. Otherwise there is no rule for it, and it is to be kept. */
enum err reader_fold(struct reader *r, const struct node *n, char *const *names, bool *ret_done)
	__attribute__((warn_unused_result));

/* ---- resolve.c ---- */

/* Makes input i, whole numbers that may depend on the batch, an operand of the node's own in which multiples of the
 * batch are negative. ERR_UNSUPPORTED when it depends on the batch in another way. */
enum err reader_own_sizes(struct reader *r, struct node *n, int i) __attribute__((warn_unused_result));

/* How much of the dimension that holds the batch is outside of it (struct reader's outer), of an output of this shape.
 */
int64_t reader_outer(struct reader *r, const struct node *n, const struct shape *out);

/* Brings operands and operator into the form that doesn't depend on the file's batch size, and gives the node operands
 * and statistics that no other node reads. */
enum err reader_resolve(struct reader *r, struct node *n) __attribute__((warn_unused_result));

#endif

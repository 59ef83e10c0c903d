/* gradient_writer.h -- a graph made node by node.
 * SPDX-License-Identifier: MIT
 *
 * Values are numbered as they are made. After the first failure nothing is made any more, every value is -1 and the
 * error waits in the writer: a rule looks at it once, at its end or not at all. */
#ifndef EVALUATOR_TRAIN_GRADIENT_WRITER_H
#define EVALUATOR_TRAIN_GRADIENT_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "evaluator/model/graph.h"

struct writer {
	struct graph *g;
	int node_room, value_room;
	const char *name; /* of the nodes to come: messages say whose backward pass they are */
	enum err err;
	struct errinfo *e;
};

/* Keeps the first failure. */
void writer_fail(struct writer *w, enum err err);

/* ---- values ---- */

struct shape writer_shape(const struct writer *w, int value);

/* An input of the graph: a new one, a value that is there. */
int writer_input(struct writer *w, const char *name, const struct shape *s);
void writer_use_as_input(struct writer *w, int value);

/* A stored tensor of zeros, which *ret_data (NULL on failure) lets fill; a stored number. */
int writer_stored(struct writer *w, const struct shape *s, float **ret_data);
int writer_constant(struct writer *w, float x);

void writer_output(struct writer *w, int value);

/* ---- nodes ---- */

/* A node of another graph whose values have the same numbers here. */
void writer_copy(struct writer *w, const struct node *n);

/* A node of one output. An input of -1 is left out. */
int writer_node(struct writer *w, enum op op, int count, const int *in, const struct shape *out);
/* Of several; one whose shape is NULL is left out. */
void writer_node_of(
	struct writer *w, enum op op, int count, const int *in, int outputs, const struct shape *const *out, int *ret);

/* Attributes of the node that was made last; strings and arrays are borrowed, but for writer_ints, which copies. */
void writer_attributes(struct writer *w, const struct node *of);
void writer_int(struct writer *w, const char *name, int64_t i);
void writer_float(struct writer *w, const char *name, float f);
void writer_string(struct writer *w, const char *name, const char *s);
void writer_ints(struct writer *w, const char *name, int count, const int64_t *ints);

/* ---- usual nodes ---- */

int writer_one(struct writer *w, enum op op, int x);
int writer_two(struct writer *w, enum op op, int x, int y); /* broadcast */
int writer_scale(struct writer *w, int x, float factor);

/* These give x itself where it has that shape. */
int writer_reshape(struct writer *w, int x, const struct shape *to);
int writer_spread(struct writer *w, int x, const struct shape *to);
int writer_sum_to(struct writer *w, int x, const struct shape *to);

/* A reduction that leaves ones. */
int writer_reduce(struct writer *w, enum op op, int x, const bool axes[SHAPE_MAX_RANK]);

#endif

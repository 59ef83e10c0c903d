/* backward.h -- the gradient of an operator against differences of its formula.
 * SPDX-License-Identifier: MIT
 *
 * A sketch of one node says what is computed forward. Of sum(dy * y), with random dy, the derivative by each number of
 * an input is taken from four values of the reference around it, which is off by h^4 / 30 times the fifth derivative;
 * everything in double. Inputs are odd multiples of 1/16: x + h is exact in float, and where a function bends, at
 * multiples of 1/8, is far enough away. The made node runs in a graph of its own, whose inputs may be laid out in
 * several ways. */
#ifndef TESTS_EVALUATOR_BACKWARD_H
#define TESTS_EVALUATOR_BACKWARD_H

#include "tests/evaluator/reference.h"
#include "tests/evaluator/sketch.h"

enum backward_layout {
	LAYOUT_ROW_MAJOR,
	LAYOUT_CHANNELS_LAST,
	LAYOUT_REPEATED, /* of dy: the same number for all positions of a channel */
	LAYOUTS,
};

enum { BACKWARD_MOST_INPUTS = 6 };

struct backward {
	struct sketch *forward;
	int64_t batch;
	float *x; /* the forward inputs, one after the other */
	struct reference r;
	double *dy;
	struct sketch made;
	float *in[BACKWARD_MOST_INPUTS]; /* what the made graph's inputs are given */
	int in_count;
};

/* Declares the forward sketch's output and runs it. */
struct backward backward_open(struct sketch *forward, int output, int64_t batch, bool positive);
/* Closes the forward sketch too. */
void backward_close(struct backward *t);

/* Inputs of the made graph: first the gradient of the output; then values of the forward graph. */
int backward_dy(struct backward *t, enum backward_layout layout);
int backward_value(struct backward *t, int value, enum backward_layout layout);

/* A made node with the forward node's attributes; its outputs are shaped as values of the forward graph, -1: left out,
 * and are outputs of the made graph. Attributes may be added behind it. */
void backward_node(struct backward *t, enum op op, int count, const int *inputs, int outputs, const int *like);

/* Runs the made graph and claims that its outputs, those that aren't left out, are the derivatives by these forward
 * values, within `within` of the largest, and that they aren't all zero. */
void backward_check(struct backward *t, int outputs, const int *by, double within);

/* All of it for what only moves numbers, by its first input: the made node has the forward node's inputs in their
 * places, then dy. Closes t. */
void backward_move(struct backward *t, enum op op, enum backward_layout x, enum backward_layout dy);

#endif

/* sketch.h -- small networks drawn in memory, with random weights.
 * SPDX-License-Identifier: MIT
 *
 * Value 0 is the first input. Adding something gives the index of its value. The same seed draws the same numbers. */
#ifndef TESTS_EVALUATOR_SKETCH_H
#define TESTS_EVALUATOR_SKETCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/rng.h"
#include "evaluator/model/op.h"

struct graph;
struct shape;

struct sketch {
	struct graph *g;
	struct rng rng;
	char what[160]; /* for messages */
	double epsilon; /* of batch-norms to come; 0: the default or 0.01, by lot */
};

enum { SKETCH_NODES = 40, SKETCH_VALUES = 200, SKETCH_MOST_INPUTS = 6, SKETCH_MOST_PORTS = 8 };

/* The input is (batch, dims...). what and seed are for messages. */
struct sketch sketch_open(const char *what, uint64_t seed, int rank, const int64_t *dims);
void sketch_close(struct sketch *s);

/* One more input, (batch, dims...). */
int sketch_input(struct sketch *s, int rank, const int64_t *dims);

/* One more output, beside the one that sketch_finish declares. */
void sketch_output(struct sketch *s, int value);

/* A stored vector of integers, as an operator's operand. */
int sketch_operand(struct sketch *s, int count, const int64_t *ints);

/* A stored tensor, uniform between low and high. */
int sketch_tensor(struct sketch *s, double low, double high, int rank, const int64_t *dims);

/* A node and its output. An input of -1 is left out. */
int sketch_node(struct sketch *s, enum op op, int count, const int *inputs);

/* The same with several outputs, whose values follow each other; gives the first. */
int sketch_node_of(struct sketch *s, enum op op, int count, const int *inputs, int outputs);

/* An attribute of the node that was added last. */
void sketch_int(struct sketch *s, const char *name, int64_t i);
void sketch_float(struct sketch *s, const char *name, double f);
void sketch_string(struct sketch *s, const char *name, const char *text);
void sketch_ints(struct sketch *s, const char *name, int count, const int64_t *ints);

/* What is known of a value by now; the batch is DIM_BATCH. */
const struct shape *sketch_shape(struct sketch *s, int value);

/* Layers with weights of their own. Kernel, stride, dilation for each of one to three axes; pads as ONNX orders
 * them. */
struct sketch_window {
	int64_t kernel[3], stride[3], dilation[3], pads[6];
	bool ceil_mode; /* pooling */
	int64_t group;  /* convolution; 0: one */
};
int sketch_conv(struct sketch *s, int x, int64_t out, const struct sketch_window *w, bool bias);
int sketch_conv_transpose(struct sketch *s, int x, int64_t out, const struct sketch_window *w, bool bias);
int sketch_max_pool(struct sketch *s, int x, const struct sketch_window *w);
int sketch_batch_norm(struct sketch *s, int x);
int sketch_gemm(struct sketch *s, int x, int64_t out, bool transposed, bool bias);
int sketch_one(struct sketch *s, enum op op, int x);
int sketch_two(struct sketch *s, enum op op, int x, int y);
int sketch_add(struct sketch *s, int x, int y);

/* A window that fits into the dimensions of x behind the channels; pads stay below the kernel when it is for
 * pooling. */
struct sketch_window sketch_random_window(struct sketch *s, int x, bool pooling);

/* From `least` to `most`. */
int64_t sketch_between(struct sketch *s, int64_t least, int64_t most);

/* Declares the output and checks the whole. */
void sketch_finish(struct sketch *s, int output);

#endif

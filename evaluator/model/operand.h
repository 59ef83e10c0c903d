/* operand.h -- numbers that steer an operator: axes, sizes, bounds.
 * SPDX-License-Identifier: MIT
 *
 * Over ONNX's versions most of them moved from an attribute to an input. Here it makes no difference where one stands.
 * Such an input is a stored tensor, and in a graph that was read, each is an input of one node only: it may be changed
 * in place. A size there that is a multiple of the batch is negative, as in a shape (Expand, Resize); in a Reshape it
 * is -1, as ONNX has it. */
#ifndef EVALUATOR_MODEL_OPERAND_H
#define EVALUATOR_MODEL_OPERAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "evaluator/model/graph.h"

/* The integers that attribute `name` (may be NULL: there never was one) or input `input` (-1: the same) gives. False
 * when neither is given. An input that isn't a stored tensor of integers was refused when the graph was read. */
bool operand_ints(const struct graph *g, const struct node *n, const char *name, int input, const int64_t **ret,
	size_t *ret_count);

/* One float, from the attribute or the input's only element. */
float operand_float(const struct graph *g, const struct node *n, const char *name, int input, float otherwise);

/* Puts other integers in the same place, as many as there are or fewer. The operand is given, and private to g. */
void operand_set_ints(struct graph *g, struct node *n, const char *name, int input, const int64_t *ints, size_t count);

/* ---- what the operands of each operator mean, for inputs whose shapes are known; ERR_INPUT names the node ---- */

/* Reduce*, Squeeze, Unsqueeze: which dimensions (of the output for Unsqueeze). A reduction without axes means all. */
enum err operand_axes(const struct graph *g, const struct node *n, int rank, bool ret[SHAPE_MAX_RANK],
	struct errinfo *e) __attribute__((warn_unused_result));

/* Transpose: output dimension i is input dimension ret[i]. */
enum err operand_permutation(const struct graph *g, const struct node *n, int rank, int ret[SHAPE_MAX_RANK],
	struct errinfo *e) __attribute__((warn_unused_result));

/* Slice: output index i along a dimension is input index start + i * step; count of them. On the batch and on every
 * dimension that isn't named it is the whole: start 0, step 1, count the dimension as it is (negative for the batch).
 */
struct operand_slice {
	int64_t start[SHAPE_MAX_RANK], step[SHAPE_MAX_RANK], count[SHAPE_MAX_RANK];
};
enum err operand_slice(const struct graph *g, const struct node *n, struct operand_slice *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Pad: numbers added before and behind each dimension, negative: cut off. Mode 'c'onstant, 'r'eflect, 'e'dge. */
struct operand_pad {
	int64_t begin[SHAPE_MAX_RANK], end[SHAPE_MAX_RANK];
	char mode;
	float value;
};
enum err operand_pad(const struct graph *g, const struct node *n, struct operand_pad *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Split: the axis; the parts' sizes are those of the outputs' shapes. */
enum err operand_split(const struct graph *g, const struct node *n, int *ret_axis, int64_t *ret_sizes,
	struct errinfo *e) __attribute__((warn_unused_result));

/* Resize, Upsample: the size of each dimension of the output, and by which number an output coordinate is divided. */
struct operand_resize {
	int64_t size[SHAPE_MAX_RANK];
	float scale[SHAPE_MAX_RANK];
	enum { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC } mode;
	enum {
		RESIZE_HALF_PIXEL,
		RESIZE_PYTORCH_HALF_PIXEL,
		RESIZE_ALIGN_CORNERS,
		RESIZE_ASYMMETRIC,
	} coordinates;
	enum { RESIZE_ROUND_PREFER_FLOOR, RESIZE_ROUND_PREFER_CEIL, RESIZE_FLOOR, RESIZE_CEIL } nearest;
	float cubic_a;
	bool exclude_outside;
};
enum err operand_resize(const struct graph *g, const struct node *n, struct operand_resize *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Conv, ConvTranspose and pooling: model/window.h. */

/* Gemm, MatMul, Einsum as one sum of products over letters: output dimension i is letter out[i]; dimension i of operand
 * k is letter in[k][i]. A letter that no output dimension has is summed over. Operands whose batch dimensions broadcast
 * have letter -1 where they have size 1 and the output has more. */
struct operand_contraction {
	int letters;
	int in[2][SHAPE_MAX_RANK], out[SHAPE_MAX_RANK];
};
enum err operand_contraction(const struct graph *g, const struct node *n, struct operand_contraction *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* specimen.c -- small networks around one operator, in all its forms, behind learned tensors.
 * SPDX-License-Identifier: MIT
 *
 * The data input is the sum of the network's input and a learned tensor, so that the gradient with respect to it is a
 * parameter's, too. Every other form has a convolution of one place between, which leaves it channels-last. */
#include "tests/evaluator/specimen.h"

#include <check.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/slope.h"

#define DIMS(...)                                                                                                      \
	(int)(sizeof((int64_t[]){ __VA_ARGS__ }) / sizeof(int64_t)), (int64_t[])                                       \
	{                                                                                                              \
		__VA_ARGS__                                                                                            \
	}
#define NODE(s, op, ...) sketch_node(s, op, (int)(sizeof((int[]){ __VA_ARGS__ }) / sizeof(int)), (int[]){ __VA_ARGS__ })

typedef int draw(struct sketch *s, enum op op, int i);

/* ---- inputs ---- */

/* x + a learned tensor of a sample's shape. */
static int learned(struct sketch *s, int x)
{
	struct shape shape = *sketch_shape(s, x);
	return sketch_add(s, x, sketch_tensor(s, -1, 1, shape.rank - 1, shape.dim + 1));
}

static int pointwise(struct sketch *s, int x, int64_t out)
{
	struct sketch_window w = { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 }, { 0 }, false, 0 };
	return sketch_conv(s, x, out, &w, true);
}

/* Input 0, (batch, channels, ...), learned; odd forms channels-last. */
static int maps(struct sketch *s, int i)
{
	int x = learned(s, 0);
	return i % 2 ? pointwise(s, x, sketch_shape(s, x)->dim[1]) : x;
}

/* Now and then the network's input itself, for which no gradient is wanted. */
static int maps_or_input(struct sketch *s, int i)
{
	return i % 7 == 6 ? 0 : maps(s, i);
}

/* At least 0.3. */
static int positive(struct sketch *s, int x)
{
	return sketch_add(s, sketch_one(s, OP_ABS, x), sketch_tensor(s, 0.3, 0.5, 0, NULL));
}

/* ---- layers ---- */

/* Some paddings that the size asks for: (in - 1) * stride + reach less what is too much. */
static void size_output(struct sketch *s, int x, const struct sketch_window *w, int i)
{
	int64_t size[3];
	int rank = sketch_shape(s, x)->rank - 2;
	for (int k = 0; k < rank; k++)
		size[k] = (sketch_shape(s, x)->dim[2 + k] - 1) * w->stride[k] + w->dilation[k] * (w->kernel[k] - 1) +
			sketch_between(s, 0, 2);
	if (i % 2)
		sketch_ints(s, "output_shape", rank, size);
	else
		sketch_string(s, "auto_pad", i / 2 % 2 ? "SAME_UPPER" : "SAME_LOWER");
}

static int conv_transpose(struct sketch *s, enum op op, int i)
{
	int x = maps_or_input(s, i), rank = sketch_shape(s, x)->rank - 2;
	int64_t channels = sketch_shape(s, x)->dim[1], extra[3];
	struct sketch_window w = sketch_random_window(s, x, false);
	(void)op;
	w.group = i / 2 % 3 == 0 ? 1 : i / 2 % 3 == 1 ? 2 : channels;
	for (int k = 0; k < rank; k++) {
		int64_t most = w.stride[k] > w.dilation[k] ? w.stride[k] : w.dilation[k];
		int64_t full = (sketch_shape(s, x)->dim[2 + k] - 1) * w.stride[k] + w.dilation[k] * (w.kernel[k] - 1);
		extra[k] = i / 6 % 2 ? sketch_between(s, 0, most - 1) : 0;
		while (w.pads[k] + w.pads[rank + k] >= full + 1)
			w.pads[k] = w.pads[rank + k] = 0;
	}
	int y = sketch_conv_transpose(s, x, w.group * sketch_between(s, 1, 3), &w, i / 2 % 2);
	if (i < 36)
		sketch_ints(s, "output_padding", rank, extra);
	else
		size_output(s, x, &w, i);
	return y;
}

static int conv(struct sketch *s, enum op op, int i)
{
	int x = maps_or_input(s, i);
	int64_t channels = sketch_shape(s, x)->dim[1], dims[] = { 4, channels, 3, 2 };
	if (i >= 36) { /* padding that keeps the size; two dimensions */
		int y = NODE(s, op, x, sketch_tensor(s, -1, 1, 4, dims));
		sketch_ints(s, "strides", DIMS(1 + i % 2, 1 + i / 2 % 3));
		sketch_string(s, "auto_pad", i / 2 % 2 ? "SAME_UPPER" : "SAME_LOWER");
		return y;
	}
	struct sketch_window w = sketch_random_window(s, x, false);
	w.group = i / 2 % 3 == 0 ? 1 : i / 2 % 3 == 1 ? 2 : channels;
	return sketch_conv(s, x, w.group * sketch_between(s, 1, 3), &w, i / 6 % 2);
}

/* The stored factor first or last, both transposed or not, an addend of each shape. */
static int gemm(struct sketch *s, enum op op, int i)
{
	bool first = i % 2, ta = i / 2 % 2, tb = i / 4 % 2, data_transposed = first ? !tb : ta;
	int64_t in = sketch_shape(s, 0)->dim[1], out = 4;
	int x = learned(s, 0), form = i % 5;
	x = data_transposed ? sketch_one(s, OP_TRANSPOSE, x) : x;
	int w = sketch_tensor(s, -1, 1, DIMS((first ? ta : !tb) ? in : out, (first ? ta : !tb) ? out : in));
	int inputs[] = { first ? w : x, first ? x : w, -1 };
	if (form == 1)
		inputs[2] = first ? sketch_tensor(s, -1, 1, DIMS(out, 1)) : sketch_tensor(s, -1, 1, DIMS(out));
	else if (form == 2)
		inputs[2] = sketch_tensor(s, -1, 1, 0, NULL);
	else if (form == 3)
		inputs[2] = sketch_tensor(s, -1, 1, DIMS(1, 1));
	int y = sketch_node(s, op, inputs[2] < 0 ? 2 : 3, inputs);
	sketch_int(s, "transA", ta);
	sketch_int(s, "transB", tb);
	sketch_float(s, "alpha", 0.5 + i % 3);
	sketch_float(s, "beta", 1.5 - i % 3);
	return y;
}

/* Shapes behind the batch; a rank below 0: stored, with all dimensions. */
static const struct product {
	const char *equation; /* NULL: MatMul */
	int rank_a, rank_b;
	int64_t a[4], b[4];
} products[] = {
	{ NULL, 2, -2, { 3, 5 }, { 5, 4 } },
	{ NULL, 3, -2, { 2, 3, 5 }, { 5, 4 } },
	{ NULL, 2, -1, { 3, 5 }, { 5 } },
	{ NULL, 1, -1, { 5 }, { 5 } },
	{ NULL, 1, -2, { 5 }, { 5, 3 } },
	{ NULL, 2, 2, { 3, 5 }, { 5, 4 } },
	{ NULL, 3, 3, { 1, 3, 5 }, { 2, 5, 4 } },
	{ NULL, 3, 3, { 2, 3, 5 }, { 1, 5, 4 } },
	{ NULL, 3, -3, { 1, 3, 5 }, { 2, 5, 4 } },
	{ NULL, 3, -3, { 2, 3, 5 }, { 1, 5, 4 } },
	{ NULL, -2, 2, { 4, 3 }, { 3, 5 } },
	{ NULL, -3, 3, { 2, 4, 3 }, { 1, 3, 5 } },
	{ NULL, -3, 3, { 1, 4, 3 }, { 2, 3, 5 } },
	{ NULL, -1, 2, { 3 }, { 3, 5 } },
	{ NULL, -4, 2, { 2, 1, 4, 3 }, { 3, 5 } },
	{ "bij,bjk->bik", 2, 2, { 4, 5 }, { 5, 3 } },
	{ "bij,bjk->kbi", 2, 2, { 4, 5 }, { 5, 3 } },
	{ "bghid,bghjd->bghij", 4, 4, { 2, 1, 4, 3 }, { 2, 1, 2, 3 } },
	{ "bhij,bjhd->bihd", 3, 3, { 3, 4, 2 }, { 2, 3, 5 } },
	{ "bchw,oc->bohw", 3, -2, { 5, 3, 2 }, { 4, 5 } },
	{ "bchw,oc->bhwo", 3, -2, { 5, 3, 2 }, { 4, 5 } },
	{ "bchw,hwc->bc", 3, -3, { 5, 3, 2 }, { 3, 2, 5 } },
	{ "bi,bj->bij", 1, 1, { 4 }, { 5 } },
	{ "bij,bij->bij", 2, 2, { 4, 5 }, { 4, 5 } },
	{ "bij,bij->b", 2, 2, { 4, 5 }, { 4, 5 } },
	{ "bij,jk->bk", 2, -2, { 4, 5 }, { 5, 3 } },
	{ "bijk,kij->bj", 3, -3, { 2, 4, 3 }, { 3, 2, 4 } },
	{ "bij,bk->bij", 2, 1, { 4, 5 }, { 3 } },
};
enum { MATMULS = 15, PRODUCTS = sizeof products / sizeof *products };

static int operand(struct sketch *s, int rank, const int64_t *dims)
{
	return rank < 0 ? sketch_tensor(s, -1, 1, -rank, dims) : learned(s, sketch_input(s, rank, dims));
}

static int product(struct sketch *s, enum op op, int i)
{
	const struct product *p = &products[op == OP_EINSUM ? MATMULS + i : i];
	int a = operand(s, p->rank_a, p->a);
	int y = sketch_two(s, op, a, operand(s, p->rank_b, p->b));
	if (p->equation)
		sketch_string(s, "equation", p->equation);
	return y;
}

/* ---- normalisation ---- */

static int norm_node(struct sketch *s, enum op op, int x, int rank, const int64_t *dims, bool shift)
{
	int inputs[] = { x, sketch_tensor(s, 0.5, 1.5, rank, dims), -1 };
	if (shift)
		inputs[2] = sketch_tensor(s, -1, 1, rank, dims);
	int y = sketch_node(s, op, shift ? 3 : 2, inputs);
	if (rng_below(&s->rng, 2))
		sketch_float(s, "epsilon", 0.01);
	return y;
}

/* Alone, under a ReLU of its own, under one that shares it. */
static int batch_norm(struct sketch *s, enum op op, int i)
{
	(void)op;
	int y = sketch_batch_norm(s, maps_or_input(s, i));
	if (i / 2 % 3 == 0)
		return y;
	int z = sketch_one(s, OP_RELU, y);
	return i / 2 % 3 == 1 ? z : sketch_add(s, y, z);
}

static int own_norm(struct sketch *s, enum op op, int i)
{
	int x = maps_or_input(s, i);
	const struct shape shape = *sketch_shape(s, x);
	int64_t groups = 2;
	s->g->opset = 18;
	if (op == OP_INSTANCE_NORM)
		return norm_node(s, op, x, 1, shape.dim + 1, true);
	if (op == OP_GROUP_NORM) {
		int y = norm_node(s, op, x, 1, &groups, true);
		sketch_int(s, "num_groups", groups);
		return y;
	}
	int axis = 1 + i / 2 % (shape.rank - 1);
	bool shrunk = i % 5 == 4; /* the scale is broadcast */
	int y = norm_node(
		s, op, x, shrunk ? 1 : shape.rank - axis, shape.dim + (shrunk ? shape.rank - 1 : axis), i % 4);
	sketch_int(s, "axis", i / 6 % 2 ? axis : axis - shape.rank);
	return y;
}

static int local_response(struct sketch *s, enum op op, int i)
{
	int y = sketch_one(s, op, maps(s, i));
	sketch_int(s, "size", 1 + i % 5);
	sketch_float(s, "alpha", i % 3 ? 0.9 : 1e-3);
	sketch_float(s, "beta", i / 2 % 2 ? 0.75 : 0.5);
	sketch_float(s, "bias", 2);
	return y;
}

static int any_axis(struct sketch *s, int x)
{
	return (int)sketch_between(s, 1, sketch_shape(s, x)->rank - 1);
}

static int unit_length(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), y = sketch_one(s, op, x);
	sketch_int(s, "p", 1 + i / 2 % 2);
	sketch_int(s, "axis", any_axis(s, x));
	return y;
}

static int softmax(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), y = sketch_one(s, op, x);
	s->g->opset = i / 2 % 2 ? 11 : 13;
	if (i % 5)
		sketch_int(s, "axis", any_axis(s, x));
	return y;
}

/* ---- number by number ---- */

static int unary(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), inputs[3] = { x, -1, -1 };
	if (op == OP_LOG || op == OP_SQRT || op == OP_RECIPROCAL)
		inputs[0] = positive(s, x);
	if (op == OP_CLIP && i % 3)
		inputs[1] = sketch_tensor(s, -0.9, -0.1, 0, NULL);
	if (op == OP_CLIP && i % 3 != 1)
		inputs[2] = sketch_tensor(s, 0.1, 0.9, 0, NULL);
	int y = sketch_node(s, op, op == OP_CLIP ? 3 : 1, inputs);
	bool alpha = op == OP_LEAKY_RELU || op == OP_ELU || op == OP_SELU || op == OP_CELU ||
		op == OP_THRESHOLDED_RELU || op == OP_HARD_SIGMOID;
	if (i / 2 % 2 && alpha)
		sketch_float(s, "alpha", 0.3);
	if (i / 2 % 2 && op == OP_SELU)
		sketch_float(s, "gamma", 1.7);
	if (i / 2 % 2 && op == OP_HARD_SIGMOID)
		sketch_float(s, "beta", 0.4);
	return y;
}

/* The other operand: stored or computed, with ones where `bits` says, perhaps without leading dimensions. */
static int partner(struct sketch *s, int x, unsigned bits, bool stored)
{
	struct shape shape = *sketch_shape(s, x);
	int64_t d[SHAPE_MAX_RANK];
	for (int i = 1; i < shape.rank; i++)
		d[i] = bits >> (i - 1) & 1 ? 1 : shape.dim[i];
	if (!stored)
		return learned(s, sketch_input(s, shape.rank - 1, d + 1));
	int first = 1 + (int)(bits % 3);
	return sketch_tensor(s, 0.5, 2, shape.rank - first, d + first);
}

static int broadcast(struct sketch *s, enum op op, int i)
{
	bool stored = i / 2 % 3, domain = op == OP_POW || op == OP_DIV;
	int x = maps(s, i), other = partner(s, x, (unsigned)i / 2, stored);
	if (domain) {
		x = positive(s, x);
		other = stored ? other : positive(s, other);
	}
	return i / 4 % 2 ? sketch_two(s, op, other, x) : sketch_two(s, op, x, other);
}

/* Two operands, one alone, three, and one of them twice: equals share a maximum's gradient. */
static int variadic(struct sketch *s, enum op op, int i)
{
	if (i < 12)
		return broadcast(s, op, i);
	int x = maps(s, i), a = partner(s, x, (unsigned)i, true), b = partner(s, x, (unsigned)i / 2, false);
	return i % 3 == 0 ? NODE(s, op, x) : i % 3 == 1 ? NODE(s, op, a, x, b) : NODE(s, op, x, b, x, a);
}

/* From here on, exponents are not trained: squares, roots, 0 and 1. */
enum { FIXED_POWERS = 12 };

static int power(struct sketch *s, enum op op, int i)
{
	static const float exponents[] = { 2, 0.5f, 3, 1, -1, 0 };
	if (i < FIXED_POWERS)
		return broadcast(s, op, i);
	int x = maps(s, i), p = sketch_tensor(s, 1, 1, 0, NULL);
	*(float *)s->g->values[p].data = exponents[i % 6];
	return sketch_add(s, x, sketch_two(s, op, i % 6 == 0 || i % 6 == 2 ? x : positive(s, x), p));
}

static int prelu(struct sketch *s, enum op op, int i)
{
	int x = maps_or_input(s, i);
	return sketch_two(s, op, x, partner(s, x, (unsigned)i / 2, true));
}

/* ---- many numbers become one ---- */

static int pool(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), rank = sketch_shape(s, x)->rank - 2;
	struct sketch_window w = sketch_random_window(s, x, true);
	if (i >= 24) /* dilated */
		w = (struct sketch_window){ { 2, 2, 2 }, { 1, 2, 1 }, { 2, 2, 2 }, { 1, 1, 1, 1, 1, 1 }, false, 0 };
	int y = sketch_one(s, op, x);
	sketch_ints(s, "kernel_shape", rank, w.kernel);
	sketch_ints(s, "strides", rank, w.stride);
	sketch_ints(s, "pads", 2 * rank, w.pads);
	sketch_ints(s, "dilations", rank, w.dilation);
	sketch_int(s, "ceil_mode", w.ceil_mode);
	if (op == OP_AVERAGE_POOL)
		sketch_int(s, "count_include_pad", i / 6 % 2);
	return y;
}

static int global_pool(struct sketch *s, enum op op, int i)
{
	return sketch_one(s, op, maps(s, i));
}

/* Each set of axes, kept or not, with and without a few zeros among the factors of a product. */
static int reduce(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), rank = sketch_shape(s, x)->rank, count = 0;
	int64_t axes[SHAPE_MAX_RANK];
	for (int k = 1; k < rank; k++)
		if ((i / 2 + 1) >> (k - 1) & 1)
			axes[count++] = k;
	if (op == OP_REDUCE_PROD && i / 2 % 2)
		x = sketch_one(s, OP_RELU, sketch_add(s, x, sketch_tensor(s, 1.4, 1.6, 0, NULL)));
	int y = sketch_one(s, op, x);
	sketch_ints(s, "axes", count, axes);
	sketch_int(s, "keepdims", i / 4 % 2);
	if (!count)
		sketch_int(s, "noop_with_empty_axes", 1);
	return y;
}

/* ---- moves ---- */

static int flatten(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), y = sketch_one(s, op, x);
	sketch_int(s, "axis", sketch_between(s, 0, sketch_shape(s, x)->rank));
	return y;
}

static int reshape(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i);
	struct shape shape = *sketch_shape(s, x);
	int64_t all = shape_count(&shape, 1), half = all / 2;
	return i / 2 % 2 ? sketch_two(s, op, x, sketch_operand(s, DIMS(-1, all)))
			 : sketch_two(s, op, x, sketch_operand(s, DIMS(2, -1, half)));
}

static int squeeze(struct sketch *s, enum op op, int i)
{
	int y = sketch_one(s, OP_REDUCE_MAX, maps(s, i));
	sketch_ints(s, "axes", DIMS(2));
	return i / 2 % 2 ? sketch_two(s, op, y, sketch_operand(s, DIMS(2))) : sketch_one(s, op, y);
}

static int unsqueeze(struct sketch *s, enum op op, int i)
{
	return sketch_two(s, op, maps(s, i), sketch_operand(s, DIMS(i / 2 % 2 ? -1 : 0, 2)));
}

static int transpose(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), rank = sketch_shape(s, x)->rank, y = sketch_one(s, op, x);
	uint32_t order[SHAPE_MAX_RANK];
	int64_t perm[SHAPE_MAX_RANK];
	rng_permutation(&s->rng, order, (size_t)rank);
	for (int k = 0; k < rank; k++)
		perm[k] = order[k];
	if (i % 4)
		sketch_ints(s, "perm", rank, perm);
	return y;
}

static int concat(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), axis = any_axis(s, x);
	int y = NODE(s, op, x, sketch_one(s, OP_SIN, x), x);
	sketch_int(s, "axis", i / 2 % 2 ? axis : axis - sketch_shape(s, x)->rank);
	return y;
}

/* All parts are read, or one alone. */
static int split(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), axis = any_axis(s, x);
	int64_t size = sketch_shape(s, x)->dim[axis];
	int parts = sketch_node_of(s, op, 2, (int[]){ x, sketch_operand(s, DIMS(1, size - 2, 1)) }, 3);
	sketch_int(s, "axis", axis);
	if (i / 2 % 2)
		return parts + i / 4 % 2;
	int y = NODE(s, OP_CONCAT, parts + 2, sketch_one(s, OP_COS, parts), parts + 1);
	sketch_int(s, "axis", axis);
	return y;
}

static int slice(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i);
	int64_t axis = any_axis(s, x), size = sketch_shape(s, x)->dim[axis], step = 1 + i / 2 % 2;
	int64_t start = i / 4 % 2 ? size - 1 : 0, end = i / 4 % 2 ? -size - 1 : size - 1;
	return NODE(s, op, x, sketch_operand(s, DIMS(start)), sketch_operand(s, DIMS(end)),
		sketch_operand(s, DIMS(axis)), sketch_operand(s, DIMS(i / 4 % 2 ? -step : step)));
}

/* Some places twice, some never. */
static int gather(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), axis = any_axis(s, x);
	int64_t size = sketch_shape(s, x)->dim[axis], index[4];
	for (int k = 0; k < 4; k++)
		index[k] = sketch_between(s, -size, size - 1);
	int indices = sketch_operand(s, i / 2 % 3 ? 4 : 1, index);
	if (i / 2 % 3 == 0)
		s->g->values[indices].shape.rank = 0;
	if (i / 2 % 3 == 1)
		s->g->values[indices].shape = (struct shape){ 2, { 2, 2 } };
	int y = sketch_two(s, op, x, indices);
	sketch_int(s, "axis", axis);
	return y;
}

static int expand(struct sketch *s, enum op op, int i)
{
	int x = sketch_one(s, OP_REDUCE_SUM, maps(s, i));
	sketch_ints(s, "axes", DIMS(2));
	struct shape to = *sketch_shape(s, x);
	to.dim[2] = 3;
	if (i / 2 % 2)
		return sketch_two(s, op, x, sketch_operand(s, to.rank, to.dim));
	return sketch_two(s, op, x, sketch_operand(s, to.rank - 1, (to.dim[1] = 1, to.dim + 1)));
}

static int tile(struct sketch *s, enum op op, int i)
{
	int64_t repeats[SHAPE_MAX_RANK];
	int x = maps(s, i), rank = sketch_shape(s, x)->rank;
	for (int k = 0; k < rank; k++)
		repeats[k] = k && i / 2 % rank >= k ? 2 + k % 2 : 1;
	return sketch_two(s, op, x, sketch_operand(s, rank, repeats));
}

static int pad(struct sketch *s, enum op op, int i)
{
	static const char *const modes[] = { "constant", "reflect", "edge" };
	int64_t pads[2 * SHAPE_MAX_RANK] = { 0 };
	int x = maps(s, i), rank = sketch_shape(s, x)->rank, mode = i / 2 % 3;
	for (int k = 1; k < rank; k++) {
		int64_t most = sketch_shape(s, x)->dim[k] - 1;
		pads[k] = sketch_between(s, mode ? 0 : -1, mode == 1 && most < 2 ? most : 2);
		pads[rank + k] = sketch_between(s, 0, mode == 1 && most < 2 ? most : 2);
	}
	int inputs[] = { x, sketch_operand(s, 2 * rank, pads), sketch_tensor(s, -1, 1, 0, NULL) };
	int y = sketch_node(s, op, mode ? 2 : 3, inputs);
	sketch_string(s, "mode", modes[mode]);
	return y;
}

static int blocks(struct sketch *s, enum op op, int i)
{
	int y = sketch_one(s, op, maps(s, i));
	sketch_int(s, "blocksize", 2);
	if (op == OP_DEPTH_TO_SPACE && i / 2 % 3)
		sketch_string(s, "mode", i / 2 % 3 == 1 ? "CRD" : "DCR");
	return y;
}

static int resize(struct sketch *s, enum op op, int i)
{
	static const char *const modes[] = { "nearest", "linear", "cubic" };
	static const char *const coordinates[] = { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric" };
	int x = maps(s, i), inputs[] = { x, -1, -1, -1 };
	const struct shape shape = *sketch_shape(s, x);
	int64_t size[SHAPE_MAX_RANK];
	for (int k = 0; k < shape.rank; k++)
		size[k] = k < 2 ? shape.dim[k] : sketch_between(s, 2, 2 * shape.dim[k]);
	inputs[3] = sketch_operand(s, shape.rank, size);
	int y = sketch_node(s, op, 4, inputs);
	sketch_string(s, "mode", modes[i / 2 % 3]);
	sketch_string(s, "coordinate_transformation_mode", coordinates[i / 6 % 4]);
	if (i / 2 % 3 == 2 && i % 4 == 1)
		sketch_int(s, "exclude_outside", 1);
	return y;
}

static int upsample(struct sketch *s, enum op op, int i)
{
	int x = maps(s, i), rank = sketch_shape(s, x)->rank;
	s->g->opset = 9;
	int scales = sketch_tensor(s, 1, 1, DIMS(rank));
	((float *)s->g->values[scales].data)[2] = 2;
	int y = sketch_two(s, op, x, scales);
	sketch_string(s, "mode", i / 2 % 2 ? "linear" : "nearest");
	return y;
}

/* ---- the list ---- */

static const struct {
	draw *draw;
	int forms;
} rows[OP_IDENTITY] = {
	[OP_CONV] = { conv, 42 },
	[OP_CONV_TRANSPOSE] = { conv_transpose, 44 },
	[OP_GEMM] = { gemm, 20 },
	[OP_MATMUL] = { product, MATMULS },
	[OP_EINSUM] = { product, PRODUCTS - MATMULS },
	[OP_BATCH_NORM] = { batch_norm, 18 },
	[OP_INSTANCE_NORM] = { own_norm, 12 },
	[OP_LAYER_NORM] = { own_norm, 20 },
	[OP_GROUP_NORM] = { own_norm, 12 },
	[OP_LRN] = { local_response, 12 },
	[OP_LP_NORM] = { unit_length, 12 },
	[OP_ADD] = { broadcast, 16 },
	[OP_SUB] = { broadcast, 16 },
	[OP_MUL] = { broadcast, 16 },
	[OP_DIV] = { broadcast, 16 },
	[OP_POW] = { power, 24 },
	[OP_PRELU] = { prelu, 12 },
	[OP_MIN] = { variadic, 18 },
	[OP_MAX] = { variadic, 18 },
	[OP_SUM] = { variadic, 18 },
	[OP_MEAN] = { variadic, 18 },
	[OP_MAX_POOL] = { pool, 30 },
	[OP_AVERAGE_POOL] = { pool, 30 },
	[OP_GLOBAL_AVERAGE_POOL] = { global_pool, 6 },
	[OP_GLOBAL_MAX_POOL] = { global_pool, 6 },
	[OP_SOFTMAX] = { softmax, 12 },
	[OP_LOG_SOFTMAX] = { softmax, 12 },
	[OP_FLATTEN] = { flatten, 8 },
	[OP_RESHAPE] = { reshape, 8 },
	[OP_SQUEEZE] = { squeeze, 8 },
	[OP_UNSQUEEZE] = { unsqueeze, 8 },
	[OP_TRANSPOSE] = { transpose, 12 },
	[OP_CONCAT] = { concat, 8 },
	[OP_SPLIT] = { split, 8 },
	[OP_SLICE] = { slice, 12 },
	[OP_GATHER] = { gather, 12 },
	[OP_EXPAND] = { expand, 8 },
	[OP_TILE] = { tile, 8 },
	[OP_PAD] = { pad, 12 },
	[OP_DEPTH_TO_SPACE] = { blocks, 6 },
	[OP_SPACE_TO_DEPTH] = { blocks, 4 },
	[OP_RESIZE] = { resize, 24 },
	[OP_UPSAMPLE] = { upsample, 4 },
};

int specimen_forms(enum op op)
{
	return op_is_unary(op) ? 6 : op_is_reduce(op) ? 16 : rows[op].forms;
}

bool specimen_is_flat(enum op op)
{
	return op == OP_SIGN || op == OP_FLOOR || op == OP_CEIL || op == OP_ROUND;
}

/* Even sides where blocks are cut; one to three dimensions of places elsewhere. */
static struct sketch open(enum op op, int i)
{
	static const int64_t dims[] = { 4, 5, 4, 3 }, even[] = { 8, 4, 2 };
	bool cut = op == OP_DEPTH_TO_SPACE || op == OP_SPACE_TO_DEPTH || (op == OP_CONV && i >= 36);
	return sketch_open(op_table[op].name, (uint64_t)i,
		cut			? 3
			: op == OP_GEMM ? 1
					: 2 + i / 2 % 3,
		cut ? even : dims);
}

struct sketch specimen_draw(enum op op, int i)
{
	struct sketch s = open(op, i);
	draw *d = op_is_unary(op) ? unary : op_is_reduce(op) ? reduce : rows[op].draw;
	const struct node *n = NULL;
	sketch_finish(&s, d(&s, op, i));
	for (int k = 0; k < s.g->node_count; k++)
		n = s.g->nodes[k].op == op ? &s.g->nodes[k] : n;
	ck_assert_msg(n != NULL, "%s has no such node", s.what);
	slope_learn_all(&s);
	if (op == OP_POW && i >= FIXED_POWERS)
		s.g->values[n->in[1]].learned = false;
	return s;
}

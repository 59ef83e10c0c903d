/* test_operator.c -- layers in all their forms, and what computes number by number or along dimensions.
 * SPDX-License-Identifier: MIT
 *
 * As test_kernel.c. Most run twice: on the input, which lies as ONNX has it, and behind a convolution, which leaves
 * its output channels-last; a second convolution may follow. */
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { SHAPES = 60 };

/* (batch, channels, one to three dimensions). */
static struct sketch open_maps(const char *what, uint64_t seed, int spatial, int64_t most_channels, int64_t most_side)
{
	struct rng r;
	int64_t dims[4];
	rng_init(&r, 9, seed);
	dims[0] = 1 + (int64_t)rng_below(&r, (uint64_t)most_channels);
	for (int i = 1; i <= spatial; i++)
		dims[i] = 2 + (int64_t)rng_below(&r, (uint64_t)(most_side - 1));
	return sketch_open(what, seed, spatial + 1, dims);
}

/* A convolution of one place: few products, so that bounds stay narrow. */
static int pointwise(struct sketch *s, int x, int64_t out)
{
	struct sketch_window w = { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 }, { 0 }, false, 0 };
	return sketch_conv(s, x, out, &w, true);
}

static int behind(struct sketch *s, uint64_t form)
{
	return form % 2 ? pointwise(s, 0, sketch_between(s, 2, 9)) : 0;
}

/* ---- layers ---- */

START_TEST(a_convolution_of_any_rank_in_groups_follows_its_formula)
{
	for (uint64_t i = 0; i < 3 * SHAPES; i++) {
		static const int64_t groups[] = { 1, 2, 3, 4, 8, 16 };
		int64_t group = groups[i % 6], in = group * (1 + (int64_t)(i / 6) % 5);
		int spatial = 1 + (int)(i % 3);
		struct sketch s = sketch_open("groups", i, spatial + 1, (int64_t[]){ in, 7, 6, 5 });
		struct sketch_window w = sketch_random_window(&s, 0, false);
		w.group = group;
		int y = sketch_conv(&s, 0, group * sketch_between(&s, 1, 9), &w, i % 2);
		if (i / 2 % 3 == 1)
			y = sketch_batch_norm(&s, y);
		agree_sketch(&s, i / 6 % 2 ? sketch_one(&s, OP_RELU, y) : y, PLAN_INFER);
	}
}
END_TEST

START_TEST(a_depthwise_convolution_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		int64_t channels = 1 + (int64_t)(i * 7 % 67);
		struct sketch s = sketch_open("depthwise", i, 3, (int64_t[]){ channels, 9, 8 });
		struct sketch_window w = sketch_random_window(&s, 0, false);
		w.group = channels;
		int y = sketch_conv(&s, 0, channels * (i % 3 ? 1 : 2), &w, i % 2);
		y = i / 2 % 2 ? sketch_batch_norm(&s, y) : y;
		agree_sketch(&s, i / 4 % 2 ? sketch_one(&s, OP_HARD_SWISH, y) : y, PLAN_INFER);
	}
}
END_TEST

static int random_transposed(struct sketch *s, int x, uint64_t i)
{
	struct sketch_window w = sketch_random_window(s, x, false);
	int64_t extra[3], channels = sketch_shape(s, x)->dim[1];
	int rank = sketch_shape(s, x)->rank - 2;
	w.group = i % 3 && channels % 2 == 0 ? 2 : 1;
	for (int k = 0; k < rank; k++) {
		int64_t most = w.stride[k] > w.dilation[k] ? w.stride[k] : w.dilation[k];
		int64_t in = sketch_shape(s, x)->dim[2 + k];
		extra[k] = i % 4 ? sketch_between(s, 0, most - 1) : 0;
		int64_t full = (in - 1) * w.stride[k] + w.dilation[k] * (w.kernel[k] - 1) + 1;
		while (w.pads[k] + w.pads[rank + k] >= full)
			w.pads[k] = w.pads[rank + k] = 0;
	}
	int y = sketch_conv_transpose(s, x, w.group * sketch_between(s, 1, 9), &w, i / 2 % 2);
	sketch_ints(s, "output_padding", rank, extra);
	return y;
}

START_TEST(a_transposed_convolution_follows_its_formula)
{
	for (uint64_t i = 0; i < 3 * SHAPES; i++) {
		struct sketch s = open_maps("transposed", i, 1 + (int)(i % 3), 12, 6);
		int y = random_transposed(&s, 0, i / 3);
		y = i / 3 % 4 == 1 ? sketch_batch_norm(&s, y) : y;
		agree_sketch(&s, i / 6 % 2 ? sketch_one(&s, OP_RELU, y) : y, PLAN_INFER);
	}
}
END_TEST

START_TEST(padding_that_keeps_the_size_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("auto_pad", i, 2, 5, 9);
		int64_t stride = 1 + (int64_t)(i % 3), kernel = 1 + (int64_t)(i / 3 % 4);
		int64_t dims[] = { 4, sketch_shape(&s, 0)->dim[1], kernel, kernel };
		int inputs[] = { 0, sketch_tensor(&s, -1, 1, 4, dims) };
		int y = i % 2 ? sketch_node(&s, OP_CONV, 2, inputs) : sketch_one(&s, OP_MAX_POOL, 0);
		if (i % 2 == 0)
			sketch_ints(&s, "kernel_shape", 2, dims + 2);
		sketch_ints(&s, "strides", 2, (int64_t[]){ stride, stride });
		sketch_string(&s, "auto_pad", i / 2 % 2 ? "SAME_UPPER" : "SAME_LOWER");
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

START_TEST(an_activation_ends_a_convolution)
{
	static const enum op ops[] = { OP_LEAKY_RELU, OP_ELU, OP_SIGMOID, OP_HARD_SWISH, OP_TANH, OP_SOFTPLUS, OP_MISH,
		OP_CLIP, OP_ABS, OP_NEG, OP_SELU, OP_ERF };
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("ending", i, 2, 9, 6);
		int x = pointwise(&s, 0, sketch_between(&s, 1, 20));
		int y = sketch_one(&s, ops[i % 12], i / 12 % 2 ? sketch_batch_norm(&s, x) : x);
		if (ops[i % 12] == OP_CLIP) {
			sketch_float(&s, "min", -0.25);
			sketch_float(&s, "max", 0.75);
		}
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

START_TEST(pooling_of_any_rank_follows_its_formula)
{
	for (uint64_t i = 0; i < 6 * SHAPES; i++) {
		struct sketch s = open_maps("pooling", i, 1 + (int)(i % 3), 20, 9);
		int x = behind(&s, i / 3), rank = sketch_shape(&s, x)->rank - 2;
		struct sketch_window w = sketch_random_window(&s, x, true);
		bool max = i / 6 % 3 == 0;
		int y = sketch_one(&s, max ? OP_MAX_POOL : OP_AVERAGE_POOL, x);
		sketch_ints(&s, "kernel_shape", rank, w.kernel);
		sketch_ints(&s, "strides", rank, w.stride);
		sketch_ints(&s, "pads", 2 * rank, w.pads);
		sketch_int(&s, "ceil_mode", w.ceil_mode);
		if (!max)
			sketch_int(&s, "count_include_pad", i / 6 % 3 == 1);
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

START_TEST(dilated_pooling_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = sketch_open("dilated pooling", i, 3, (int64_t[]){ 1 + (int64_t)i % 20, 11, 9 });
		int y = sketch_one(&s, i % 2 ? OP_MAX_POOL : OP_AVERAGE_POOL, behind(&s, i / 2));
		sketch_ints(&s, "kernel_shape", 2, (int64_t[]){ 2, 3 });
		sketch_ints(&s, "dilations", 2, (int64_t[]){ 3, 2 });
		sketch_ints(&s, "strides", 2, (int64_t[]){ 1 + (int64_t)(i % 3), 2 });
		sketch_ints(&s, "pads", 4, (int64_t[]){ 1, 0, 0, 2 });
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

START_TEST(global_pooling_of_any_rank_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		int64_t dims[] = { 1 + (int64_t)(i * 5 % 33), 3, 4, 2, 3 };
		struct sketch s = sketch_open("global pooling", i, 2 + (int)(i % 4), dims);
		int x = i / 4 % 2 ? sketch_one(&s, OP_RELU, 0) : i % 4 < 3 ? behind(&s, i / 8) : 0;
		enum op op = i / 16 % 2 ? OP_GLOBAL_MAX_POOL : OP_GLOBAL_AVERAGE_POOL;
		agree_sketch(&s, sketch_one(&s, op, x), PLAN_INFER);
	}
}
END_TEST

/* ---- contractions ---- */

START_TEST(every_form_of_gemm_follows_its_formula)
{
	for (uint64_t i = 0; i < 2 * SHAPES; i++) {
		struct rng r;
		rng_init(&r, 10, i);
		int64_t in = 1 + (int64_t)rng_below(&r, 60), out = 1 + (int64_t)rng_below(&r, 60);
		struct sketch s = sketch_open("gemm", i, 1, &in);
		bool stored_first = i % 2; /* w (out, in) times x' (in, batch) */
		bool trans_a = i / 2 % 2, trans_b = i / 4 % 2;
		int64_t w[2] = { in, out }, bias[2] = { 1, stored_first ? 1 : out };
		int x = 0;
		if (stored_first) {
			x = trans_b ? 0 : sketch_one(&s, OP_TRANSPOSE, 0);
			w[0] = trans_a ? in : out;
			w[1] = trans_a ? out : in;
			bias[0] = out;
		} else {
			x = trans_a ? sketch_one(&s, OP_TRANSPOSE, 0) : 0;
			w[0] = trans_b ? out : in;
			w[1] = trans_b ? in : out;
		}
		int weight = sketch_tensor(&s, -1, 1, 2, w);
		int inputs[3] = { stored_first ? weight : x, stored_first ? x : weight };
		int form = (int)(i / 8 % 4);
		if (form == 1)
			inputs[2] = sketch_tensor(&s, -1, 1, 2, bias);
		else if (form == 2)
			inputs[2] = sketch_tensor(&s, -1, 1, 0, NULL);
		else if (form == 3)
			inputs[2] = sketch_tensor(&s, -1, 1, 2, (int64_t[]){ 1, 1 });
		int y = sketch_node(&s, OP_GEMM, form ? 3 : 2, inputs);
		sketch_int(&s, "transA", trans_a);
		sketch_int(&s, "transB", trans_b);
		sketch_float(&s, "alpha", 0.5 + (double)(i % 5));
		sketch_float(&s, "beta", 2 - (double)(i % 3));
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

/* Shapes behind the batch; a rank below 0: stored, with all dimensions. */
static const struct {
	int rank_a, rank_b;
	int64_t a[4], b[4];
} products[] = {
	{ 2, -2, { 7, 5 }, { 5, 9 } },
	{ 3, -2, { 2, 7, 5 }, { 5, 9 } },
	{ 2, -1, { 7, 5 }, { 5 } },
	{ 1, -1, { 5 }, { 5 } },
	{ 1, -2, { 5 }, { 5, 3 } },
	{ 2, 2, { 7, 5 }, { 5, 4 } },
	{ 3, 3, { 3, 7, 5 }, { 3, 5, 4 } },
	{ 3, 3, { 1, 7, 5 }, { 3, 5, 4 } },
	{ 3, 3, { 3, 7, 5 }, { 1, 5, 4 } },
	{ 3, 3, { 3, 1, 5 }, { 3, 5, 1 } },
	{ 3, -3, { 3, 7, 5 }, { 3, 5, 4 } },
	{ 3, -3, { 1, 7, 5 }, { 3, 5, 4 } },
	{ 3, -3, { 3, 7, 5 }, { 1, 5, 4 } },
	{ -2, 2, { 6, 7 }, { 7, 5 } },
	{ -3, 3, { 3, 6, 7 }, { 3, 7, 5 } },
	{ -3, 3, { 3, 6, 7 }, { 1, 7, 5 } },
	{ -1, 2, { 7 }, { 7, 5 } },
	{ -4, 2, { 2, 1, 6, 7 }, { 7, 5 } },
};
enum { PRODUCTS = sizeof products / sizeof *products };

static int product_operand(struct sketch *s, int rank, const int64_t *dims, bool first)
{
	if (rank < 0)
		return sketch_tensor(s, -1, 1, -rank, dims);
	return first ? 0 : sketch_input(s, rank, dims);
}

START_TEST(a_matrix_product_of_any_ranks_follows_its_formula)
{
	for (uint64_t i = 0; i < 4; i++) {
		bool a_is_input = products[_i].rank_a > 0;
		struct sketch s = a_is_input ? sketch_open("product", i, products[_i].rank_a, products[_i].a)
					     : sketch_open("product", i, products[_i].rank_b, products[_i].b);
		int a = product_operand(&s, products[_i].rank_a, products[_i].a, true);
		int b = product_operand(&s, products[_i].rank_b, products[_i].b, !a_is_input);
		a = i % 2 && a_is_input ? sketch_one(&s, OP_RELU, a) : a;
		agree_sketch(&s, sketch_two(&s, OP_MATMUL, a, b), PLAN_INFER);
	}
}
END_TEST

/* The operands seen through a change of order, as attention has them: no copy is needed for most. */
START_TEST(a_product_of_what_was_transposed_follows_its_formula)
{
	static const int64_t orders[][4] = { { 0, 1, 2, 3 }, { 0, 2, 1, 3 }, { 0, 1, 3, 2 }, { 0, 2, 3, 1 },
		{ 0, 3, 1, 2 }, { 0, 3, 2, 1 }, { 1, 0, 2, 3 }, { 2, 0, 1, 3 }, { 3, 1, 2, 0 }, { 1, 2, 3, 0 } };
	for (int i = 0; i < 10; i++) {
		int64_t a[4], b[4], y[] = { -1, 4, 6, 5 }, z[] = { -1, 4, 5, 3 };
		for (int k = 0; k < 4; k++) {
			a[orders[i][k]] = y[k];
			b[orders[(i * 3 + 1) % 6][k]] = z[k];
		}
		if (a[0] != -1)
			continue;
		struct sketch s = sketch_open("transposed product", (uint64_t)i, 3, a + 1);
		int right = sketch_input(&s, 3, b + 1), left = sketch_one(&s, OP_TRANSPOSE, 0);
		sketch_ints(&s, "perm", 4, orders[i]);
		right = sketch_one(&s, OP_TRANSPOSE, right);
		sketch_ints(&s, "perm", 4, orders[(i * 3 + 1) % 6]);
		agree_sketch(&s, sketch_two(&s, OP_MATMUL, left, right), PLAN_INFER);
	}
}
END_TEST

static const struct {
	const char *equation;
	int rank_a, rank_b;
	int64_t a[4], b[4];
} sums[] = {
	{ "bij,bjk->bik", 2, 2, { 4, 5 }, { 5, 6 } },
	{ "bij,bjk->kbi", 2, 2, { 4, 5 }, { 5, 6 } },
	{ "bij,bjk->bki", 2, 2, { 4, 5 }, { 5, 6 } },
	{ "bghid,bghjd->bghij", 4, 4, { 2, 3, 4, 5 }, { 2, 3, 6, 5 } },
	{ "bhid,bjhd->bhij", 3, 3, { 3, 4, 5 }, { 6, 3, 5 } },
	{ "bhij,bjhd->bihd", 3, 3, { 3, 4, 6 }, { 6, 3, 5 } },
	{ "bchw,oc->bohw", 3, -2, { 7, 3, 4 }, { 5, 7 } },
	{ "bchw,oc->bhwo", 3, -2, { 7, 3, 4 }, { 5, 7 } },
	{ "bchw,hwc->bc", 3, -3, { 7, 3, 4 }, { 3, 4, 7 } },
	{ "bi,bj->bij", 1, 1, { 4 }, { 5 } },
	{ "bij,bij->bij", 2, 2, { 4, 5 }, { 4, 5 } },
	{ "bij,bij->b", 2, 2, { 4, 5 }, { 4, 5 } },
	{ "bij,jk->bk", 2, -2, { 4, 5 }, { 5, 6 } },
	{ "bijk,kij->bj", 3, -3, { 4, 5, 6 }, { 6, 4, 5 } },
	{ "bij,bk->bij", 2, 1, { 4, 5 }, { 3 } },
};
enum { SUMS = sizeof sums / sizeof *sums };

START_TEST(a_sum_of_products_by_letters_follows_its_formula)
{
	struct sketch s = sketch_open(sums[_i].equation, 0, sums[_i].rank_a, sums[_i].a);
	int b = product_operand(&s, sums[_i].rank_b, sums[_i].b, false), y = sketch_two(&s, OP_EINSUM, 0, b);
	sketch_string(&s, "equation", sums[_i].equation);
	agree_sketch(&s, y, PLAN_INFER);
}
END_TEST

/* ---- number by number ---- */

/* Positive where logarithms and roots ask for it. */
static int domain(struct sketch *s, enum op op, int x)
{
	if (op != OP_LOG && op != OP_SQRT && op != OP_RECIPROCAL)
		return x;
	int least = sketch_tensor(s, 0.3, 0.5, 0, NULL);
	return sketch_add(s, sketch_one(s, OP_ABS, x), least);
}

static void set_parameters(struct sketch *s, enum op op, uint64_t i)
{
	if (!(i / 2 % 2))
		return;
	if (op == OP_LEAKY_RELU || op == OP_ELU || op == OP_SELU || op == OP_CELU || op == OP_THRESHOLDED_RELU ||
		op == OP_HARD_SIGMOID)
		sketch_float(s, "alpha", 0.3);
	if (op == OP_SELU)
		sketch_float(s, "gamma", 1.7);
	if (op == OP_HARD_SIGMOID)
		sketch_float(s, "beta", 0.4);
}

START_TEST(a_function_of_each_number_follows_its_formula)
{
	enum op op = (enum op)_i;
	bool jumps = op == OP_SIGN || op == OP_FLOOR || op == OP_CEIL || op == OP_ROUND || op == OP_THRESHOLDED_RELU;
	for (uint64_t i = 0; i < 12; i++) {
		struct sketch s = open_maps(op_table[op].name, i, 1 + (int)(i % 3), 9, 7);
		int x = domain(&s, op, jumps ? 0 : behind(&s, i / 3)), inputs[3] = { x, -1, -1 };
		if (op == OP_CLIP && i % 4)
			inputs[1] = sketch_tensor(&s, i % 8 == 5 ? 1 : -0.9, i % 8 == 5 ? 2 : -0.1, 0, NULL);
		if (op == OP_CLIP && i % 4 != 2)
			inputs[2] = sketch_tensor(&s, 0.1, 0.9, 0, NULL);
		int y = sketch_node(&s, op, op == OP_CLIP ? 3 : 1, inputs);
		set_parameters(&s, op, i);
		if (i / 6 % 2 && !jumps)
			y = pointwise(&s, y, 3);
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

START_TEST(halves_are_rounded_to_even)
{
	static const float x[] = { -2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 3.49f, 3.51f };
	static const float expected[] = { -2, -2, 0, 0, 2, 2, 3, 4 };
	struct sketch s = sketch_open("halves", 0, 1, (int64_t[]){ 8 });
	sketch_finish(&s, sketch_one(&s, OP_ROUND, 0));
	struct plan *p = agree_plan(s.g, 1, PLAN_INFER, s.what);
	const float *y = agree_run(p, x);
	for (int i = 0; i < 8; i++)
		ck_assert_float_eq(y[i], expected[i]);
	plan_free(p);
	sketch_close(&s);
}
END_TEST

/* A tensor of the dimensions that `bits` leaves: stored, or computed with the batch as it is. */
static int broadcast_operand(struct sketch *s, const int64_t dims[4], unsigned bits, unsigned kind)
{
	int64_t d[4];
	for (int i = 0; i < 4; i++)
		d[i] = bits >> i & 1 ? 1 : dims[i];
	int first = kind % 3 == 1 ? (int)(bits % 4) : 0; /* leading dimensions left out */
	if (kind % 3 == 0)
		return sketch_input(s, 3, d + 1);
	if (kind % 3 == 1)
		d[0] = 1;
	if (kind % 3 == 1)
		return sketch_tensor(s, 0.5, 2, 4 - first, d + first);
	return pointwise(s, sketch_input(s, 3, d + 1), d[1]);
}

START_TEST(operands_are_broadcast_against_each_other)
{
	enum op op = (enum op)_i;
	static const int64_t dims[] = { 1, 6, 3, 5 };
	for (uint64_t i = 0; i < 72; i++) {
		struct sketch s = sketch_open(op_table[op].name, i, 3, dims + 1);
		int x = behind(&s, i / 9) ? pointwise(&s, 0, 6) : 0;
		x = op == OP_POW || op == OP_DIV ? domain(&s, OP_LOG, x) : x;
		int y = op == OP_PRELU ? broadcast_operand(&s, dims, (unsigned)(i * 5), 1)
				       : broadcast_operand(&s, dims, (unsigned)(i * 5 + i / 7), (unsigned)i);
		if (op == OP_DIV || op == OP_POW)
			y = sketch_shape(&s, y)->dim[0] < 0 ? domain(&s, OP_LOG, y) : y;
		bool swap = i / 3 % 2 && op != OP_PRELU;
		agree_sketch(&s, swap ? sketch_two(&s, op, y, x) : sketch_two(&s, op, x, y), PLAN_INFER);
	}
}
END_TEST

/* Both are broadcast, to something larger than either. */
START_TEST(both_operands_may_be_broadcast)
{
	for (uint64_t i = 0; i < 24; i++) {
		static const enum op ops[] = { OP_ADD, OP_SUB, OP_MUL, OP_MAX };
		struct sketch s = sketch_open("both", i, 3, (int64_t[]){ i % 2 ? 6 : 1, 1, 5 });
		int y = i / 2 % 3 == 2 ? sketch_tensor(&s, -1, 1, 3, (int64_t[]){ 6, 4, 1 })
				       : sketch_input(&s, 3, (int64_t[]){ 6, 4, 1 });
		y = i / 2 % 3 == 1 ? pointwise(&s, y, 6) : y;
		agree_sketch(&s, sketch_two(&s, ops[i % 4], 0, y), PLAN_INFER);
	}
}
END_TEST

START_TEST(many_operands_are_joined)
{
	static const enum op ops[] = { OP_SUM, OP_MEAN, OP_MIN, OP_MAX };
	for (uint64_t i = 0; i < 80; i++) {
		struct sketch s = sketch_open("many", i, 3, (int64_t[]){ 6, 3, 5 });
		int x = i / 4 % 2 ? pointwise(&s, 0, 6) : 0, count = 1 + (int)(i % 5), inputs[5] = { x };
		for (int k = 1; k < count; k++)
			inputs[k] = k == 1   ? sketch_one(&s, OP_TANH, x)
				    : k == 2 ? sketch_tensor(&s, -1, 1, 3, (int64_t[]){ 6, 1, 1 })
				    : k == 3 ? inputs[1]
					     : x;
		int y = sketch_node(&s, ops[i / 5 % 4], count, inputs);
		agree_sketch(&s, i / 20 % 2 ? sketch_add(&s, y, x) : y, PLAN_INFER);
	}
}
END_TEST

/* ---- along dimensions ---- */

START_TEST(a_softmax_follows_its_formula)
{
	for (uint64_t i = 0; i < 120; i++) {
		struct sketch s = open_maps("softmax", i, 1 + (int)(i % 3), 9, 6);
		int x = behind(&s, i / 3), rank = sketch_shape(&s, x)->rank;
		s.g->opset = i / 6 % 2 ? 13 : 11;
		int y = sketch_one(&s, i / 12 % 2 ? OP_LOG_SOFTMAX : OP_SOFTMAX, x);
		if (i / 24 % 2)
			sketch_int(&s, "axis", sketch_between(&s, 1, rank - 1) - (i / 48 % 2 ? rank : 0));
		agree_sketch(&s, i / 5 % 2 ? pointwise(&s, y, 2) : y, PLAN_INFER);
	}
}
END_TEST

START_TEST(a_reduction_follows_its_formula)
{
	enum op op = (enum op)_i;
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps(op_table[op].name, i, 1 + (int)(i % 3), 9, 5);
		int x = behind(&s, i / 3), rank = sketch_shape(&s, x)->rank, count = 0;
		x = op == OP_REDUCE_PROD ? domain(&s, OP_LOG, x) : x; /* or the product is soon nothing */
		int64_t axes[4];
		for (int k = 1; k < rank; k++)
			if (sketch_between(&s, 0, 2) || k == 1 + (int)(i % 2))
				axes[count++] = i / 6 % 2 ? k : k - rank;
		bool operand = i / 12 % 2;
		int inputs[2] = { x, operand ? sketch_operand(&s, count, axes) : -1 };
		int y = sketch_node(&s, op, operand ? 2 : 1, inputs);
		if (!operand)
			sketch_ints(&s, "axes", count, axes);
		if (i / 24 % 2)
			sketch_int(&s, "keepdims", 0);
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

/* ---- normalisation ---- */

static int norm_node(struct sketch *s, enum op op, int x, int rank, const int64_t *dims)
{
	int inputs[] = { x, sketch_tensor(s, 0.5, 1.5, rank, dims), sketch_tensor(s, -1, 1, rank, dims) };
	int y = sketch_node(s, op, 3, inputs);
	if (rng_below(&s->rng, 2))
		sketch_float(s, "epsilon", 0.01);
	return y;
}

START_TEST(instance_and_group_norms_follow_their_formulas)
{
	for (uint64_t i = 0; i < 2 * SHAPES; i++) {
		int64_t groups = 1 + (int64_t)(i % 4), dims[] = { groups * (1 + (int64_t)(i / 4 % 5)), 4, 5, 3 };
		struct sketch s = sketch_open("group norm", i, 2 + (int)(i / 3 % 3), dims);
		int x = i / 2 % 2 ? pointwise(&s, 0, dims[0]) : 0, y;
		s.g->opset = 18;
		if (i / 8 % 2) {
			y = norm_node(&s, OP_GROUP_NORM, x, 1, &groups);
			sketch_int(&s, "num_groups", groups);
		} else {
			y = norm_node(&s, OP_INSTANCE_NORM, x, 1, dims);
		}
		agree_sketch(&s, i / 16 % 2 ? pointwise(&s, y, 3) : y, PLAN_INFER);
	}
}
END_TEST

START_TEST(a_layer_norm_follows_its_formula)
{
	for (uint64_t i = 0; i < 2 * SHAPES; i++) {
		int64_t dims[] = { 6, 4, 5, 3 };
		int rank = 1 + (int)(i % 4), axis = 1 + (int)(i / 4 % (uint64_t)rank);
		struct sketch s = sketch_open("layer norm", i, rank, dims);
		int x = rank > 1 && i / 2 % 2 ? pointwise(&s, 0, dims[0]) : 0;
		int y = norm_node(&s, OP_LAYER_NORM, x, rank - axis + 1, dims + axis - 1);
		sketch_int(&s, "axis", i / 16 % 2 ? axis : axis - rank - 1);
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

START_TEST(local_response_and_unit_length_follow_their_formulas)
{
	for (uint64_t i = 0; i < 2 * SHAPES; i++) {
		struct sketch s = open_maps("local response", i, 1 + (int)(i % 3), 12, 5);
		int x = behind(&s, i / 3), y;
		if (i / 6 % 2) {
			y = sketch_one(&s, OP_LRN, x);
			sketch_int(&s, "size", sketch_between(&s, 1, 6));
			sketch_float(&s, "alpha", i % 2 ? 0.9 : 1e-3);
			sketch_float(&s, "beta", i / 2 % 2 ? 0.75 : 0.5);
			sketch_float(&s, "bias", 2);
		} else {
			y = sketch_one(&s, OP_LP_NORM, x);
			sketch_int(&s, "p", 1 + (int64_t)(i % 2));
			sketch_int(&s, "axis", sketch_between(&s, 1, sketch_shape(&s, x)->rank - 1));
		}
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

Suite *operator_suite(void)
{
	Suite *s = suite_create("operator");
	TCase *t = tcase_create("operator");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_convolution_of_any_rank_in_groups_follows_its_formula);
	tcase_add_test(t, a_depthwise_convolution_follows_its_formula);
	tcase_add_test(t, a_transposed_convolution_follows_its_formula);
	tcase_add_test(t, padding_that_keeps_the_size_follows_its_formula);
	tcase_add_test(t, an_activation_ends_a_convolution);
	tcase_add_test(t, pooling_of_any_rank_follows_its_formula);
	tcase_add_test(t, dilated_pooling_follows_its_formula);
	tcase_add_test(t, global_pooling_of_any_rank_follows_its_formula);
	tcase_add_test(t, every_form_of_gemm_follows_its_formula);
	tcase_add_loop_test(t, a_matrix_product_of_any_ranks_follows_its_formula, 0, PRODUCTS);
	tcase_add_test(t, a_product_of_what_was_transposed_follows_its_formula);
	tcase_add_loop_test(t, a_sum_of_products_by_letters_follows_its_formula, 0, SUMS);
	tcase_add_loop_test(t, a_function_of_each_number_follows_its_formula, OP_RELU, OP_CLIP + 1);
	tcase_add_test(t, halves_are_rounded_to_even);
	tcase_add_loop_test(t, operands_are_broadcast_against_each_other, OP_ADD, OP_MEAN + 1);
	tcase_add_test(t, both_operands_may_be_broadcast);
	tcase_add_test(t, many_operands_are_joined);
	tcase_add_test(t, a_softmax_follows_its_formula);
	tcase_add_loop_test(t, a_reduction_follows_its_formula, OP_REDUCE_MEAN, OP_REDUCE_SUM_SQUARE + 1);
	tcase_add_test(t, instance_and_group_norms_follow_their_formulas);
	tcase_add_test(t, a_layer_norm_follows_its_formula);
	tcase_add_test(t, local_response_and_unit_length_follow_their_formulas);
	suite_add_tcase(s, t);
	return s;
}

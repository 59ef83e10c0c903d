/* test_kernel.c -- each operator computes what its formula says.
 * SPDX-License-Identifier: MIT
 *
 * Layers of random shape and weights are run by a plan and by reference.c; each number must lie within the bound that
 * the reference derives for it. The input has several channels, in ONNX's order, so the change of layout is in every
 * test. */
#include <stdlib.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/reference.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { SHAPES = 120 };

/* An input of 1 to 70 channels, the odd and prime ones as likely as others. */
static struct sketch open_maps(const char *what, uint64_t seed, int64_t most_side)
{
	struct rng r;
	rng_init(&r, 5, seed);
	int64_t side = most_side - 1;
	int64_t dims[] = { 1 + (int64_t)rng_below(&r, 70), 2 + (int64_t)rng_below(&r, (uint64_t)side),
		2 + (int64_t)rng_below(&r, (uint64_t)side) };
	return sketch_open(what, seed, 3, dims);
}

static int random_conv(struct sketch *s, int x, bool bias)
{
	struct sketch_window w = sketch_random_window(s, x, false);
	return sketch_conv(s, x, sketch_between(s, 1, 70), &w, bias);
}

START_TEST(a_convolution_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("convolution", i, 10);
		agree_sketch(&s, random_conv(&s, 0, i % 2), PLAN_INFER);
	}
}
END_TEST

START_TEST(a_convolution_with_relu_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES / 2; i++) {
		struct sketch s = open_maps("convolution and ReLU", i, 8);
		agree_sketch(&s, sketch_one(&s, OP_RELU, random_conv(&s, 0, i % 2)), PLAN_INFER);
	}
}
END_TEST

START_TEST(a_batch_norm_folds_into_the_convolution_before_it)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("convolution and batch-norm", i, 8);
		int y = sketch_batch_norm(&s, random_conv(&s, 0, i % 2));
		agree_sketch(&s, i / 2 % 2 ? sketch_one(&s, OP_RELU, y) : y, PLAN_INFER);
	}
}
END_TEST

/* Behind the input, behind a ReLU, behind another batch-norm; of volumes, maps, sequences and plain features. */
START_TEST(a_batch_norm_alone_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct rng r;
		rng_init(&r, 6, i);
		int64_t dims[4];
		for (int k = 0; k < 4; k++)
			dims[k] = 1 + (int64_t)rng_below(&r, k ? 9 : 70);
		struct sketch s = sketch_open("batch-norm", i, 1 + (int)(i % 4), dims);
		s.epsilon = i % 5 ? 0 : 0.1;
		int y = i / 4 % 2 ? sketch_batch_norm(&s, 0) : 0;
		y = sketch_batch_norm(&s, i / 8 % 2 ? sketch_one(&s, OP_RELU, y) : y);
		y = i / 16 % 2 ? sketch_one(&s, OP_RELU, y) : y;
		agree_sketch(&s, y, i % 5 ? PLAN_INFER : PLAN_CALIBRATE);
	}
}
END_TEST

START_TEST(calibration_gives_the_mean_and_variance_of_the_batch)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("calibration", i, 8);
		int y = i % 3 ? random_conv(&s, 0, i % 2) : 0;
		y = sketch_batch_norm(&s, y);
		agree_sketch(&s, i / 2 % 2 ? sketch_one(&s, OP_RELU, y) : y, PLAN_CALIBRATE);
	}
}
END_TEST

/* The mean far from zero: a variance by E[x^2] - E[x]^2 would lose most of its digits. Of one image, and of seven. */
START_TEST(calibration_stays_exact_far_from_zero)
{
	int64_t batch = agree_batches[_i];
	struct sketch s = sketch_open("calibration far from zero", 0, 3, (int64_t[]){ 17, 8, 8 });
	sketch_finish(&s, sketch_batch_norm(&s, 0));
	struct plan *p = agree_plan(s.g, batch, PLAN_CALIBRATE, s.what);
	float *x = agree_input(&s.rng, agree_size(p));
	for (int64_t i = 0; i < agree_size(p); i++)
		x[i] += 100;
	struct reference r = reference_run(s.g, batch, x, true);
	agree_run(p, x);
	agree_moments(&s, &r, p);
	reference_free(&r);
	plan_free(p);
	free(x);
	sketch_close(&s);
}
END_TEST

/* What a convolution gives, or the batch-norm behind it, is wanted by a batch-norm or a ReLU and by somebody else: by a
 * sum that comes after, by one that comes before, or by the caller. Nothing may be folded away. */
static int read_twice(struct sketch *s, uint64_t form)
{
	int y = random_conv(s, 0, form % 2);
	if (form / 2 % 2)
		y = sketch_batch_norm(s, y);
	int before = form / 4 % 3 == 1 ? sketch_add(s, y, y) : y;
	int reader = form / 12 % 2 ? sketch_batch_norm(s, y) : sketch_one(s, OP_RELU, y);
	return form / 4 % 3 == 2 ? y : sketch_add(s, before, reader);
}

START_TEST(what_is_read_twice_is_not_folded_away)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("read twice", i, 7);
		agree_sketch(&s, read_twice(&s, i), PLAN_INFER);
	}
}
END_TEST

START_TEST(max_pooling_follows_its_formula)
{
	for (uint64_t i = 0; i < 2 * SHAPES; i++) {
		struct sketch s = open_maps("max pooling", i, 14);
		struct sketch_window w = sketch_random_window(&s, 0, true);
		agree_sketch(&s, sketch_max_pool(&s, 0, &w), PLAN_INFER);
	}
}
END_TEST

START_TEST(padding_never_wins_a_maximum)
{
	static const struct sketch_window w = { { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 };
	struct sketch s = sketch_open("negative maxima", 0, 3, (int64_t[]){ 5, 6, 7 });
	sketch_finish(&s, sketch_max_pool(&s, 0, &w));
	struct plan *p = agree_plan(s.g, 1, PLAN_INFER, s.what);
	float x[5 * 6 * 7];
	for (int i = 0; i < 5 * 6 * 7; i++)
		x[i] = -2;
	const float *y = agree_run(p, x);
	for (int64_t i = 0; i < plan_output_size(p, 0); i++)
		ck_assert_float_eq(y[i], -2);
	plan_free(p);
	sketch_close(&s);
}
END_TEST

START_TEST(global_average_pooling_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("global average pooling", i, 20);
		agree_sketch(&s, sketch_one(&s, OP_GLOBAL_AVERAGE_POOL, 0), PLAN_INFER);
	}
}
END_TEST

/* x + x, x + relu(x), relu(x) + x, of maps and of features. */
START_TEST(a_sum_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("sum", i, 9);
		int x = i / 4 % 2 ? sketch_one(&s, OP_FLATTEN, 0) : 0, y = sketch_one(&s, OP_RELU, x);
		int sums[4][2] = { { x, x }, { x, y }, { y, x }, { y, y } };
		int sum = sketch_add(&s, sums[i % 4][0], sums[i % 4][1]);
		agree_sketch(&s, i / 8 % 2 ? sketch_one(&s, OP_RELU, sum) : sum, PLAN_INFER);
	}
}
END_TEST

START_TEST(flattened_maps_are_in_the_order_of_onnx)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_maps("flatten", i, 9);
		int x = i % 2 ? sketch_one(&s, OP_RELU, 0) : 0, y = sketch_one(&s, OP_FLATTEN, x);
		if (i / 2 % 2)
			sketch_int(&s, "axis", i / 4 % 2 ? 1 : -3);
		if (i / 8 % 2)
			y = sketch_gemm(&s, y, sketch_between(&s, 1, 70), i / 16 % 2, true);
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

START_TEST(a_linear_layer_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		int64_t features = 1 + (int64_t)(i * 37 % 211);
		struct sketch s = sketch_open("linear", i, 1, &features);
		int y = sketch_gemm(&s, 0, sketch_between(&s, 1, 130), i % 2, i / 2 % 2);
		if (i / 4 % 2)
			sketch_float(&s, "alpha", -1.75 + 0.01 * (double)i);
		if (i / 8 % 2)
			sketch_float(&s, "beta", 0.4 + 0.02 * (double)i);
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

/* Windows that cover all of the input, step over most of it, or lie in the padding alone. */
static const struct sketch_window odd_windows[] = {
	{ { 6, 7 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 },
	{ { 1, 1 }, { 9, 9 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 },
	{ { 1, 1 }, { 1, 1 }, { 1, 1 }, { 3, 2, 1, 4 }, false, 0 },
	{ { 1, 1 }, { 3, 2 }, { 1, 1 }, { 9, 0, 9, 5 }, false, 0 },
	{ { 2, 2 }, { 1, 2 }, { 5, 6 }, { 0, 0, 0, 0 }, false, 0 },
	{ { 3, 3 }, { 2, 1 }, { 2, 2 }, { 8, 8, 8, 8 }, false, 0 },
	{ { 7, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0, 6, 0 }, false, 0 },
	{ { 1, 7 }, { 1, 3 }, { 1, 1 }, { 0, 20, 0, 0 }, false, 0 },
	{ { 6, 7 }, { 1, 1 }, { 1, 1 }, { 5, 6, 5, 6 }, false, 0 },
};
enum { ODD_WINDOWS = sizeof odd_windows / sizeof *odd_windows };

START_TEST(a_window_at_the_edge_of_sense_follows_its_formula)
{
	for (uint64_t i = 0; i < 12; i++) {
		struct sketch s = sketch_open("odd window", i, 3, (int64_t[]){ 1 + (int64_t)i % 4 * 8, 6, 7 });
		int y = sketch_conv(&s, 0, sketch_between(&s, 1, 40), &odd_windows[_i], true);
		if (i % 2)
			y = sketch_one(&s, OP_RELU, sketch_batch_norm(&s, y));
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

Suite *kernel_suite(void)
{
	Suite *s = suite_create("kernel");
	TCase *t = tcase_create("kernel");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_convolution_follows_its_formula);
	tcase_add_test(t, a_convolution_with_relu_follows_its_formula);
	tcase_add_test(t, a_batch_norm_folds_into_the_convolution_before_it);
	tcase_add_test(t, a_batch_norm_alone_follows_its_formula);
	tcase_add_test(t, calibration_gives_the_mean_and_variance_of_the_batch);
	tcase_add_loop_test(t, calibration_stays_exact_far_from_zero, 0, 2);
	tcase_add_test(t, what_is_read_twice_is_not_folded_away);
	tcase_add_test(t, max_pooling_follows_its_formula);
	tcase_add_test(t, padding_never_wins_a_maximum);
	tcase_add_test(t, global_average_pooling_follows_its_formula);
	tcase_add_test(t, a_sum_follows_its_formula);
	tcase_add_test(t, flattened_maps_are_in_the_order_of_onnx);
	tcase_add_test(t, a_linear_layer_follows_its_formula);
	tcase_add_loop_test(t, a_window_at_the_edge_of_sense_follows_its_formula, 0, ODD_WINDOWS);
	suite_add_tcase(s, t);
	return s;
}

/* test_plan.c -- whole networks: branches, fusion and recycled buffers, calibration, and what a plan promises.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/golden.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { NETWORKS = 120 };

/* Two values of the same shape among the last few, or twice the same. */
static int add_any(struct sketch *s, const int *values, int count)
{
	int x = values[rng_below(&s->rng, (uint64_t)count)];
	for (int tries = 0; tries < 8; tries++) {
		int y = values[rng_below(&s->rng, (uint64_t)count)];
		if (y != x && shape_equal(sketch_shape(s, x), sketch_shape(s, y)))
			return sketch_add(s, x, y);
	}
	return sketch_add(s, x, x);
}

/* A convolution that keeps the size, so that sums find partners. Few products each: the reference's bounds multiply
 * from layer to layer. */
static int same_conv(struct sketch *s, int x)
{
	static const struct sketch_window same[] = {
		{ { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 },
		{ { 3, 1 }, { 1, 1 }, { 1, 1 }, { 1, 0, 1, 0 }, false, 0 },
		{ { 1, 3 }, { 1, 1 }, { 1, 2 }, { 0, 2, 0, 2 }, false, 0 },
	};
	int64_t out = rng_below(&s->rng, 3) ? 5 : sketch_between(s, 1, 20);
	return sketch_conv(s, x, out, &same[rng_below(&s->rng, 3)], rng_below(&s->rng, 2));
}

static int grow(struct sketch *s, const int *values, int count)
{
	int x = values[rng_below(&s->rng, 3) ? count - 1 : (int)rng_below(&s->rng, (uint64_t)count)];
	const struct shape *shape = sketch_shape(s, x);
	switch (rng_below(&s->rng, 8)) {
	case 0:
	case 1:
		return same_conv(s, x);
	case 2:
		return sketch_batch_norm(s, same_conv(s, x));
	case 3:
		return sketch_one(s, OP_RELU, sketch_batch_norm(s, same_conv(s, x)));
	case 4:
		return sketch_one(s, OP_RELU, x);
	case 5:
		return sketch_batch_norm(s, x);
	case 6:
		if (shape->dim[2] > 4 && shape->dim[3] > 4) {
			struct sketch_window w = { { 2, 2 }, { 1, 1 }, { 1, 1 }, { 0, 1, 1, 0 }, false, 0 };
			return sketch_max_pool(s, x, &w);
		}
		return same_conv(s, x);
	default:
		return add_any(s, values, count);
	}
}

/* Branches that meet and branches that end, then perhaps a head. */
static int draw_network(struct sketch *s)
{
	int values[16] = { 0 }, count = 1;
	for (int size = 4 + (int)rng_below(&s->rng, 5); count < size; count++)
		values[count] = grow(s, values, count);
	int y = values[count - 1];
	if (rng_below(&s->rng, 2))
		y = sketch_one(s, OP_GLOBAL_AVERAGE_POOL, y);
	if (rng_below(&s->rng, 3))
		y = sketch_gemm(s, sketch_one(s, OP_FLATTEN, y), 10, true, true);
	return y;
}

static struct sketch open_network(const char *what, uint64_t seed)
{
	return sketch_open(what, seed, 3, (int64_t[]){ seed % 3 ? 5 : 1, 6 + (int64_t)(seed % 4), 7 });
}

START_TEST(a_random_network_follows_its_formulas)
{
	for (uint64_t i = 0; i < NETWORKS; i++) {
		struct sketch s = open_network("network", i);
		agree_sketch(&s, draw_network(&s), PLAN_INFER);
	}
}
END_TEST

START_TEST(a_random_network_calibrates_every_batch_norm)
{
	for (uint64_t i = 0; i < NETWORKS / 2; i++) {
		struct sketch s = open_network("calibrated network", i);
		s.epsilon = 0.1; /* or a channel that a ReLU silenced is blown up, and its errors with it */
		agree_sketch(&s, draw_network(&s), PLAN_CALIBRATE);
	}
}
END_TEST

/* By hand: at no time are more than three maps of ResNet-20 alive (the block's input, the second convolution's
 * output, their sum), none is larger than 16 x 28 x 28, and they only get smaller on the way, so every later value
 * fits into a buffer that is free. The input has one more. */
START_TEST(buffers_of_a_residual_network_are_recycled)
{
	enum { BATCH = 4 };
	struct graph *g = golden_read(samples[2].path);
	struct plan *p = agree_plan(g, BATCH, PLAN_INFER, samples[2].name);
	size_t most = BATCH * sizeof(float) * (3 * 16 * 28 * 28 + 28 * 28), all = 0;
	for (int i = 0; i < g->node_count; i++)
		all += sizeof(float) * (size_t)shape_count(&g->values[g->nodes[i].out[0]].shape, BATCH);
	ck_assert_uint_le(plan_buffer_bytes(p), most);
	ck_assert_uint_gt(all, 10 * most);
	plan_free(p);
	graph_free(g);
}
END_TEST

static float *images(int64_t batch)
{
	struct rng r;
	rng_init(&r, 7, 0);
	return agree_input(&r, batch * 28 * 28);
}

START_TEST(the_same_batch_gives_the_same_bits)
{
	enum { BATCH = 16 };
	float first[BATCH * CLASSES], *x = images(BATCH), *other = images(BATCH);
	struct graph *g = golden_read(samples[_i].path);
	struct plan *p = agree_plan(g, BATCH, PLAN_INFER, samples[_i].name);
	struct plan *q = agree_plan(g, BATCH, PLAN_INFER, samples[_i].name);
	memcpy(first, agree_run(p, x), sizeof first);
	for (int i = 0; i < BATCH * 28 * 28; i++)
		other[i] = -other[i];
	ck_assert(memcmp(agree_run(p, other), first, sizeof first));
	ck_assert_mem_eq(agree_run(p, x), first, sizeof first);
	ck_assert_mem_eq(agree_run(q, x), first, sizeof first);
	plan_free(p);
	plan_free(q);
	graph_free(g);
	free(x);
	free(other);
}
END_TEST

START_TEST(a_plan_needs_its_graph_no_more)
{
	enum { BATCH = 3 };
	float before[BATCH * CLASSES], *x = images(BATCH);
	struct graph *g = golden_read(samples[_i].path);
	struct plan *p = agree_plan(g, BATCH, PLAN_INFER, samples[_i].name);
	memcpy(before, agree_run(p, x), sizeof before);
	for (int i = 0; i < g->value_count; i++)
		if (g->values[i].data)
			memset(g->values[i].data, 0xff, (size_t)shape_count(&g->values[i].shape, 1) * sizeof(float));
	graph_free(g);
	ck_assert_mem_eq(agree_run(p, x), before, sizeof before);
	plan_free(p);
	free(x);
}
END_TEST

/* As calibrated networks, but every value is compared, also those that would be folded away. */
START_TEST(every_value_of_a_random_network_can_be_observed)
{
	for (uint64_t i = 0; i < NETWORKS / 4; i++) {
		struct sketch s = open_network("observed network", i);
		agree_sketch(&s, draw_network(&s), PLAN_OBSERVE);
	}
}
END_TEST

/* Maps and features come in, maps and features go out. */
START_TEST(inputs_and_outputs_keep_their_order)
{
	for (uint64_t i = 0; i < 12; i++) {
		struct sketch s = open_network("ports", i);
		int features = sketch_input(&s, 1, (int64_t[]){ 6 });
		int second = sketch_input(&s, 3, (int64_t[]){ 5, 1, 1 });
		struct sketch_window w = { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 };
		int maps = sketch_two(&s, OP_MUL, sketch_conv(&s, i % 2 ? same_conv(&s, 0) : 0, 5, &w, true), second);
		sketch_output(&s, maps);
		sketch_output(&s, features);
		agree_sketch(&s, sketch_gemm(&s, features, 4, true, true), PLAN_INFER);
	}
}
END_TEST

START_TEST(an_opaque_node_is_refused_with_its_reason)
{
	struct plan *p = NULL;
	struct errinfo e;
	struct sketch s = open_network("opaque", 1);
	sketch_finish(&s, sketch_one(&s, OP_RELU, 0));
	s.g->nodes[0].opaque = "no rule for it";
	ck_assert_int_eq(plan_new(s.g, 1, PLAN_INFER, &p, &e), ERR_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(e.msg, "node 0"));
	ck_assert_ptr_nonnull(strstr(e.msg, "no rule for it"));
	sketch_close(&s);
}
END_TEST

/* log of the input's numbers: where one is below 0 the result is not a number, which a ReLU would hide. With a stored
 * infinity added instead, as a mask has it, nothing is said. */
START_TEST(a_checked_run_names_the_node_that_diverged)
{
	struct errinfo e;
	struct sketch s = sketch_open("diverged", 0, 1, (int64_t[]){ 8 });
	if (_i) {
		int mask = sketch_tensor(&s, 0, 1, 1, (int64_t[]){ 8 });
		((float *)s.g->values[mask].data)[3] = -INFINITY;
		sketch_finish(&s, sketch_one(&s, OP_SOFTMAX, sketch_add(&s, 0, mask)));
	} else {
		sketch_finish(&s, sketch_one(&s, OP_RELU, sketch_one(&s, OP_LOG, 0)));
	}
	struct plan *p = agree_plan(s.g, 1, PLAN_INFER, s.what);
	for (int i = 0; i < 8; i++)
		plan_input(p, 0)[i] = (float)(4 - i);
	ck_assert(!plan_run(p, &e));
	if (_i) {
		ck_assert_msg(!plan_run_checked(p, &e), "%s", e.msg);
	} else {
		ck_assert_int_eq(plan_run_checked(p, &e), ERR_INPUT);
		ck_assert_ptr_nonnull(strstr(e.msg, "node 0"));
	}
	plan_free(p);
	sketch_close(&s);
}
END_TEST

Suite *plan_suite(void)
{
	Suite *s = suite_create("plan");
	TCase *t = tcase_create("plan");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_random_network_follows_its_formulas);
	tcase_add_test(t, a_random_network_calibrates_every_batch_norm);
	tcase_add_test(t, every_value_of_a_random_network_can_be_observed);
	tcase_add_test(t, inputs_and_outputs_keep_their_order);
	tcase_add_test(t, an_opaque_node_is_refused_with_its_reason);
	tcase_add_loop_test(t, a_checked_run_names_the_node_that_diverged, 0, 2);
	tcase_add_test(t, buffers_of_a_residual_network_are_recycled);
	tcase_add_loop_test(t, the_same_batch_gives_the_same_bits, 0, SAMPLES);
	tcase_add_loop_test(t, a_plan_needs_its_graph_no_more, 0, SAMPLES);
	suite_add_tcase(s, t);
	return s;
}

/* test_training_move.c -- what moves numbers hands their gradients back to where they came from.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/backward.h"
#include "tests/evaluator/suites.h"

enum { FORMS = 24 };

static struct sketch open_maps(const char *what, uint64_t form)
{
	struct rng r;
	int64_t dims[3];
	rng_init(&r, 11, form);
	for (int i = 0; i < 3; i++)
		dims[i] = 3 + (int64_t)rng_below(&r, 4);
	return sketch_open(what, form, form % 5 ? 3 : 1, dims);
}

static int rank_of(struct sketch *s)
{
	return sketch_shape(s, 0)->rank;
}

static void check_move(struct sketch *s, int y, enum op op, uint64_t form)
{
	struct backward t = backward_open(s, y, 1 + (int64_t)form % 2, false);
	backward_move(&t, op, (enum backward_layout)(form % 2), (enum backward_layout)(form / 2 % LAYOUTS));
}

START_TEST(a_slice_hands_back_to_where_it_took_from)
{
	for (uint64_t i = 0; i < FORMS; i++) {
		struct sketch s = open_maps("slice", i);
		int axis = 1 + (int)(i % (uint64_t)(rank_of(&s) - 1));
		int64_t size = sketch_shape(&s, 0)->dim[axis];
		bool back = i % 3 == 2;
		int in[] = { 0, sketch_operand(&s, 1, (int64_t[]){ back ? size - 1 : (int64_t)i % 2 }),
			sketch_operand(&s, 1, (int64_t[]){ back ? -size - 1 : size - (int64_t)i / 2 % 2 }),
			sketch_operand(&s, 1, (int64_t[]){ axis }),
			sketch_operand(&s, 1, (int64_t[]){ back ? -1 - (int64_t)i % 2 : 1 + (int64_t)i % 3 }) };
		check_move(&s, sketch_node(&s, OP_SLICE, 5, in), OP_SLICE_GRADIENT, i);
	}
}
END_TEST

/* One index, a list, a table; the same index more than once. */
START_TEST(a_gather_hands_back_the_sum_of_what_was_taken)
{
	for (uint64_t i = 0; i < FORMS; i++) {
		struct sketch s = open_maps("gather", i);
		int64_t indices[] = { 2, 0, -1, 2, 1, 2 };
		int axis = 1 + (int)(i % (uint64_t)(rank_of(&s) - 1)), index = sketch_operand(&s, 6, indices);
		struct shape *shape = &s.g->values[index].shape;
		if (i % 3 == 1)
			*shape = (struct shape){ 2, { 3, 2 } };
		else if (i % 3 == 2)
			*shape = (struct shape){ .rank = 0 };
		int y = sketch_node(&s, OP_GATHER, 2, (int[]){ 0, index });
		sketch_int(&s, "axis", axis);
		struct backward t = backward_open(&s, y, 2, false);
		backward_move(&t, OP_GATHER_GRADIENT, LAYOUT_ROW_MAJOR, i % 3 ? LAYOUT_ROW_MAJOR : (int)(i / 3 % 2));
	}
}
END_TEST

START_TEST(a_padding_hands_back_what_it_copied)
{
	static const char *const modes[] = { "constant", "reflect", "edge" };
	for (uint64_t i = 0; i < 2 * FORMS; i++) {
		struct sketch s = open_maps("padding", i);
		int rank = rank_of(&s);
		int64_t pads[8] = { 0 };
		for (int k = 1; k < rank; k++) {
			pads[k] = sketch_between(&s, i % 3 == 0 ? -1 : 0, 2);
			pads[rank + k] = sketch_between(&s, i % 3 == 0 ? -1 : 0, 2);
		}
		int y = sketch_node(&s, OP_PAD, 2, (int[]){ 0, sketch_operand(&s, 2 * rank, pads) });
		sketch_string(&s, "mode", modes[i % 3]);
		check_move(&s, y, OP_PAD_GRADIENT, i / 3);
	}
}
END_TEST

START_TEST(tiles_hand_back_their_sum)
{
	for (uint64_t i = 0; i < FORMS; i++) {
		struct sketch s = open_maps("tiles", i);
		int rank = rank_of(&s);
		int64_t repeats[4] = { 1 };
		for (int k = 1; k < rank; k++)
			repeats[k] = sketch_between(&s, 1, 3);
		int y = sketch_node(&s, OP_TILE, 2, (int[]){ 0, sketch_operand(&s, rank, repeats) });
		check_move(&s, y, OP_TILE_GRADIENT, i);
	}
}
END_TEST

/* Larger and smaller, in every mode and with every kind of coordinate. */
START_TEST(a_resize_hands_back_by_the_weights_that_it_took_with)
{
	static const char *const modes[] = { "nearest", "linear", "cubic" };
	static const char *const coordinates[] = { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric" };
	for (uint64_t i = 0; i < 2 * FORMS; i++) {
		struct rng r;
		rng_init(&r, 12, i);
		int64_t dims[] = { 1 + (int64_t)(i % 4), 2 + (int64_t)rng_below(&r, 4), 2 + (int64_t)rng_below(&r, 4) };
		struct sketch s = sketch_open("resize", i, 3, dims);
		int64_t sizes[] = { DIM_BATCH, dims[0], 1 + (int64_t)rng_below(&r, 9), 1 + (int64_t)rng_below(&r, 9) };
		int y = sketch_node(&s, OP_RESIZE, 4, (int[]){ 0, -1, -1, sketch_operand(&s, 4, sizes) });
		sketch_string(&s, "mode", modes[i % 3]);
		sketch_string(&s, "coordinate_transformation_mode", coordinates[i / 3 % 4]);
		if (i % 3 == 2)
			sketch_int(&s, "exclude_outside", (int64_t)i % 2);
		check_move(&s, y, OP_RESIZE_GRADIENT, i);
	}
}
END_TEST

START_TEST(a_prelu_s_gradients_are_the_derivatives)
{
	for (uint64_t i = 0; i < FORMS; i++) {
		struct sketch s = open_maps("PRelu", i);
		const struct shape *x = sketch_shape(&s, 0);
		int64_t dims[] = { i % 2 ? x->dim[1] : 1, i % 3 && x->rank > 2 ? x->dim[2] : 1, 1 };
		int slope = sketch_tensor(&s, -1, 1, x->rank - 1, dims);
		int y = sketch_two(&s, OP_PRELU, 0, slope);
		struct backward t = backward_open(&s, y, 2, false);
		int dy = backward_dy(&t, (enum backward_layout)(i % LAYOUTS));
		int from = backward_value(&t, 0, (enum backward_layout)(i / 3 % 2));
		int in[] = { dy, from, backward_value(&t, slope, LAYOUT_ROW_MAJOR) };
		int dx = sketch_node_of(&t.made, OP_PRELU_GRADIENT, 3, in, 2);
		t.made.g->values[dx].shape = t.made.g->values[dx + 1].shape = s.g->values[0].shape;
		sketch_output(&t.made, dx);
		backward_node(&t, OP_SUM_TO, 1, (int[]){ dx + 1 }, 1, &slope);
		backward_check(&t, 2, (int[]){ 0, slope }, 1e-5);
		backward_close(&t);
	}
}
END_TEST

START_TEST(a_local_response_s_gradient_is_the_derivative)
{
	for (uint64_t i = 0; i < FORMS; i++) {
		struct sketch s = open_maps("LRN", 5 * i + 1);
		int y = sketch_one(&s, OP_LRN, 0);
		sketch_int(&s, "size", 1 + (int64_t)i % 5);
		sketch_float(&s, "alpha", 0.5);
		sketch_float(&s, "beta", i % 2 ? 0.75 : 1.5);
		sketch_float(&s, "bias", 1 + (double)(i % 3));
		struct backward t = backward_open(&s, y, 2, false);
		int dy = backward_dy(&t, (enum backward_layout)(i % LAYOUTS));
		int x = backward_value(&t, 0, (enum backward_layout)(i / 3 % 2));
		backward_node(&t, OP_LRN_GRADIENT, 2, (int[]){ dy, x }, 1, (int[]){ 0 });
		backward_check(&t, 1, (int[]){ 0 }, 1e-5);
		backward_close(&t);
	}
}
END_TEST

/* The forward node's operands are few numbers that are broadcast, or as many as a part has. */
static int draw_norm(struct sketch *s, enum op op, uint64_t form)
{
	const struct shape *x = sketch_shape(s, 0);
	int axis = 1 + (int)(form % (uint64_t)(x->rank - 1)), rank = op == OP_LAYER_NORM ? x->rank - axis : 1;
	int64_t groups = x->dim[1] % 2 ? 1 : 2, dims[SHAPE_MAX_RANK];
	for (int i = 0; i < rank; i++)
		dims[i] = x->dim[op == OP_LAYER_NORM ? axis + i : 1];
	if (op == OP_GROUP_NORM)
		dims[0] = groups;
	if (op == OP_LAYER_NORM && form % 4 == 3)
		dims[0] = 1;
	int in[] = { 0, sketch_tensor(s, -1, 1, rank, dims), sketch_tensor(s, -1, 1, rank, dims) };
	int y = sketch_node(s, op, op == OP_LAYER_NORM && form % 5 == 0 ? 2 : 3, in);
	sketch_float(s, "epsilon", 0.01);
	if (op == OP_LAYER_NORM)
		sketch_int(s, "axis", axis);
	if (op == OP_GROUP_NORM)
		sketch_int(s, "num_groups", groups);
	return y;
}

/* By x, scale and shift, or by some of them. (Where dy is the same all over a part, dx is zero.) */
START_TEST(a_normalisation_s_gradients_are_the_derivatives)
{
	static const enum op ops[] = { OP_INSTANCE_NORM, OP_GROUP_NORM, OP_LAYER_NORM };
	for (uint64_t i = 0; i < 2 * FORMS; i++) {
		enum op op = ops[i % 3];
		struct sketch s = open_maps(op_table[op].name, 5 * i + 1);
		int y = draw_norm(&s, op, i / 3);
		const int *in = s.g->nodes[0].in;
		int by[] = { i % 7 == 6 ? -1 : in[0], i % 5 == 4 ? -1 : in[1],
			s.g->nodes[0].in_count > 2 ? in[2] : -1 };
		struct backward t = backward_open(&s, y, 2, false);
		int dy = backward_dy(&t, (enum backward_layout)(i / 3 % (op == OP_GROUP_NORM ? LAYOUTS : 2)));
		int x = backward_value(&t, 0, (enum backward_layout)(i / 9 % 2));
		int scale = backward_value(&t, in[1], LAYOUT_ROW_MAJOR);
		backward_node(&t, OP_NORM_GRADIENT, 3, (int[]){ dy, x, scale }, 3, by);
		sketch_int(&t.made, "op", op);
		backward_check(&t, 3, by, 5e-5);
		backward_close(&t);
	}
}
END_TEST

START_TEST(equal_numbers_match)
{
	int64_t dims[] = { 3 };
	struct sketch s = sketch_open("match", 0, 1, dims);
	int y = sketch_two(&s, OP_MATCH, 0, sketch_input(&s, 1, (int64_t[]){ 1 }));
	s.g->values[y].shape = s.g->values[0].shape;
	sketch_output(&s, y);
	struct plan *p = agree_plan(s.g, 2, PLAN_INFER, s.what);
	const float *is = agree_run(p, (float[]){ 1, 2, 3, 4, 5, NAN, 2, 4 });
	static const float expected[] = { 0, 1, 0, 1, 0, 0 };
	for (int i = 0; i < 6; i++)
		ck_assert_float_eq(is[i], expected[i]);
	plan_free(p);
	sketch_close(&s);
}
END_TEST

Suite *training_move_suite(void)
{
	Suite *suite = suite_create("training move");
	TCase *tc = tcase_create("training move");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, a_slice_hands_back_to_where_it_took_from);
	tcase_add_test(tc, a_gather_hands_back_the_sum_of_what_was_taken);
	tcase_add_test(tc, a_padding_hands_back_what_it_copied);
	tcase_add_test(tc, tiles_hand_back_their_sum);
	tcase_add_test(tc, a_resize_hands_back_by_the_weights_that_it_took_with);
	tcase_add_test(tc, a_prelu_s_gradients_are_the_derivatives);
	tcase_add_test(tc, a_local_response_s_gradient_is_the_derivative);
	tcase_add_test(tc, a_normalisation_s_gradients_are_the_derivatives);
	tcase_add_test(tc, equal_numbers_match);
	suite_add_tcase(suite, tc);
	return suite;
}

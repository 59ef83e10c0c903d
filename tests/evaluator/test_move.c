/* test_move.c -- what moves numbers and computes nothing, in any layout, alone and one after the other.
 * SPDX-License-Identifier: MIT
 *
 * Most of these operators only see memory in another way: what a later one makes of strides that an earlier one left
 * is the test, so chains of them are drawn at random, with convolutions between. */
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { CHAINS = 400, MOST_NUMBERS = 3000 };

static int pointwise(struct sketch *s, int x, int64_t out)
{
	struct sketch_window w = { { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 1 }, { 0 }, false, 0 };
	return sketch_conv(s, x, out, &w, true);
}

/* Where the batch is. */
static int batch_axis(struct sketch *s, int x)
{
	int at = 0;
	while (sketch_shape(s, x)->dim[at] > 0)
		at++;
	return at;
}

/* A dimension that isn't the batch; below 0 when there is none. */
static int any_axis(struct sketch *s, int x)
{
	const struct shape *shape = sketch_shape(s, x);
	int batch = batch_axis(s, x);
	if (shape->rank < 2)
		return -1;
	int axis = (int)sketch_between(s, 0, shape->rank - 2);
	return axis < batch ? axis : axis + 1;
}

/* ---- one step of a chain; each gives x itself where it doesn't apply ---- */

static int transpose(struct sketch *s, int x)
{
	uint32_t order[SHAPE_MAX_RANK];
	int64_t perm[SHAPE_MAX_RANK];
	int rank = sketch_shape(s, x)->rank, y = sketch_one(s, OP_TRANSPOSE, x);
	rng_permutation(&s->rng, order, (size_t)rank);
	for (int i = 0; i < rank; i++)
		perm[i] = order[i];
	if (rng_below(&s->rng, 4))
		sketch_ints(s, "perm", rank, perm);
	return y;
}

static int reshape_to(struct sketch *s, int x, int rank, const int64_t *dims)
{
	return sketch_two(s, OP_RESHAPE, x, sketch_operand(s, rank, dims));
}

/* Splits a dimension, or joins two neighbours; the batch may be one of them. */
static int reshape(struct sketch *s, int x)
{
	struct shape to = *sketch_shape(s, x);
	int axis = (int)sketch_between(s, 0, to.rank - 1);
	int64_t *dim = to.dim;
	if (rng_below(&s->rng, 2) && to.rank < SHAPE_MAX_RANK) {
		int64_t size = dim[axis] < 0 ? -dim[axis] : dim[axis], part = size % 2 == 0 ? 2 : size % 3 == 0 ? 3 : 1;
		memmove(dim + axis + 1, dim + axis, (size_t)(to.rank++ - axis) * sizeof *dim);
		bool first = dim[axis] > 0 || rng_below(&s->rng, 2);
		dim[axis] = first ? dim[axis] / part : part;
		dim[axis + 1] = first ? part : dim[axis + 1] / part;
	} else if (axis + 1 < to.rank) {
		dim[axis] *= dim[axis + 1];
		memmove(dim + axis + 1, dim + axis + 2, (size_t)(--to.rank - axis - 1) * sizeof *dim);
	}
	for (int i = 0; i < to.rank; i++)
		dim[i] = dim[i] < 0 ? -1 : dim[i];
	return reshape_to(s, x, to.rank, dim);
}

static int flatten(struct sketch *s, int x)
{
	int y = sketch_one(s, OP_FLATTEN, x);
	sketch_int(s, "axis", sketch_between(s, -sketch_shape(s, x)->rank, sketch_shape(s, x)->rank));
	return y;
}

static int unsqueeze(struct sketch *s, int x)
{
	int rank = sketch_shape(s, x)->rank;
	if (rank == SHAPE_MAX_RANK)
		return x;
	int64_t axis = sketch_between(s, -rank - 1, rank);
	if (rng_below(&s->rng, 2))
		return sketch_two(s, OP_UNSQUEEZE, x, sketch_operand(s, 1, &axis));
	int y = sketch_one(s, OP_UNSQUEEZE, x);
	sketch_ints(s, "axes", 1, &axis);
	return y;
}

static int squeeze(struct sketch *s, int x)
{
	const struct shape *shape = sketch_shape(s, x);
	for (int64_t i = 0; i < shape->rank; i++)
		if (shape->dim[i] == 1)
			return sketch_two(s, OP_SQUEEZE, x, sketch_operand(s, 1, &i));
	return sketch_one(s, OP_SQUEEZE, x);
}

static int slice(struct sketch *s, int x)
{
	int axis = any_axis(s, x);
	if (axis < 0)
		return x;
	int64_t size = sketch_shape(s, x)->dim[axis], step = sketch_between(s, 1, 2), at = axis;
	int64_t start = sketch_between(s, 0, size - 1), end = sketch_between(s, start + 1, size + 3);
	if (rng_below(&s->rng, 2)) {
		step = -step;
		end = sketch_between(s, -size - 2, -size + start - 1);
		start = rng_below(&s->rng, 2) ? start : start - size;
	}
	int inputs[] = { x, sketch_operand(s, 1, &start), sketch_operand(s, 1, &end), sketch_operand(s, 1, &at),
		sketch_operand(s, 1, &step) };
	return sketch_node(s, OP_SLICE, 5, inputs);
}

/* A part, or all parts joined in another order. */
static int split(struct sketch *s, int x)
{
	int axis = any_axis(s, x);
	if (axis < 0 || sketch_shape(s, x)->dim[axis] < 3)
		return x;
	int64_t size = sketch_shape(s, x)->dim[axis], parts[] = { 1, size - 2, 1 };
	int first = sketch_node_of(s, OP_SPLIT, 2, (int[]){ x, sketch_operand(s, 3, parts) }, 3);
	sketch_int(s, "axis", axis);
	if (rng_below(&s->rng, 3) == 0)
		return first + 1;
	int y = sketch_node(s, OP_CONCAT, 3, (int[]){ first + 2, first, first + 1 });
	sketch_int(s, "axis", axis);
	return y;
}

static int concat(struct sketch *s, int x)
{
	int axis = any_axis(s, x);
	if (axis < 0)
		return x;
	int y = sketch_node(s, OP_CONCAT, 2, (int[]){ x, sketch_one(s, OP_NEG, x) });
	sketch_int(s, "axis", rng_below(&s->rng, 2) ? axis : axis - sketch_shape(s, x)->rank);
	return y;
}

static int gather(struct sketch *s, int x)
{
	int axis = any_axis(s, x), rank = (int)sketch_between(s, 0, 2);
	const struct shape *shape = sketch_shape(s, x);
	if (axis < 0 || shape->rank - 1 + rank > SHAPE_MAX_RANK)
		return x;
	int64_t index[6], dims[] = { 2, 3 };
	for (int i = 0; i < 6; i++)
		index[i] = sketch_between(s, -shape->dim[axis], shape->dim[axis] - 1);
	int operand = sketch_operand(s, rank == 2 ? 6 : rank == 1 ? 3 : 1, index);
	if (rank != 1) {
		s->g->values[operand].shape.rank = rank;
		memcpy(s->g->values[operand].shape.dim, dims, sizeof dims);
	}
	int y = sketch_two(s, OP_GATHER, x, operand);
	sketch_int(s, "axis", axis);
	return y;
}

static int expand(struct sketch *s, int x)
{
	struct shape to = *sketch_shape(s, x);
	for (int i = 0; i < to.rank; i++)
		if (to.dim[i] == 1)
			to.dim[i] = sketch_between(s, 1, 3);
		else if (to.dim[i] > 0 && rng_below(&s->rng, 2))
			to.dim[i] = 1; /* broadcast the other way */
	return sketch_two(s, OP_EXPAND, x, sketch_operand(s, to.rank, to.dim));
}

static int tile(struct sketch *s, int x)
{
	int64_t repeats[SHAPE_MAX_RANK];
	int axis = any_axis(s, x), rank = sketch_shape(s, x)->rank;
	for (int i = 0; i < rank; i++)
		repeats[i] = i == axis ? sketch_between(s, 1, 3) : 1;
	return sketch_two(s, OP_TILE, x, sketch_operand(s, rank, repeats));
}

static int pad(struct sketch *s, int x)
{
	static const char *const modes[] = { "constant", "reflect", "edge" };
	int64_t pads[2 * SHAPE_MAX_RANK] = { 0 };
	int rank = sketch_shape(s, x)->rank, axis = any_axis(s, x), mode = (int)rng_below(&s->rng, 3);
	if (axis < 0)
		return x;
	int64_t size = sketch_shape(s, x)->dim[axis], most = size > 3 ? 2 : size - 1;
	pads[axis] = sketch_between(s, mode || size < 3 ? 0 : -1, mode == 1 ? most : 2);
	pads[rank + axis] = sketch_between(s, mode || size < 3 ? 0 : -1, mode == 1 ? most : 2);
	int inputs[] = { x, sketch_operand(s, 2 * rank, pads), sketch_tensor(s, -1, 1, 0, NULL) };
	int y = sketch_node(s, OP_PAD, mode ? 2 : 3, inputs);
	sketch_string(s, "mode", modes[mode]);
	return y;
}

static int shuffle_space(struct sketch *s, int x)
{
	const struct shape *shape = sketch_shape(s, x);
	if (shape->rank != 4 || shape->dim[0] > 0)
		return x;
	if (shape->dim[1] % 4 == 0) {
		int y = sketch_one(s, OP_DEPTH_TO_SPACE, x);
		sketch_int(s, "blocksize", 2);
		if (rng_below(&s->rng, 2))
			sketch_string(s, "mode", rng_below(&s->rng, 2) ? "CRD" : "DCR");
		return y;
	}
	if (shape->dim[2] % 2 || shape->dim[3] % 2)
		return x;
	int y = sketch_one(s, OP_SPACE_TO_DEPTH, x);
	sketch_int(s, "blocksize", 2);
	return y;
}

/* What reads strides: functions, sums with itself and with a stored tensor, reductions, norms, products. */
static int compute(struct sketch *s, int x)
{
	const struct shape *shape = sketch_shape(s, x);
	int axis = any_axis(s, x), rank = shape->rank;
	int64_t one = 1;
	bool maps = rank >= 3 && rank <= 5 && shape->dim[0] < 0;
	switch (rng_below(&s->rng, 8)) {
	case 0:
		return sketch_one(s, OP_RELU, x);
	case 1:
		return sketch_two(s, OP_SUB, x, sketch_one(s, OP_HARD_SIGMOID, x));
	case 2:
		one = axis < 0 ? 1 : shape->dim[axis];
		return axis == rank - 1 ? sketch_two(s, OP_MUL, x, sketch_tensor(s, 0.5, 2, 1, &one)) : x;
	case 3:
		if (axis < 0)
			return x;
		int y = sketch_two(s, OP_REDUCE_MAX, x, sketch_operand(s, 1, (int64_t[]){ axis }));
		sketch_int(s, "keepdims", rank == 2 || rng_below(&s->rng, 2));
		return y;
	case 4:
		return maps && shape->dim[1] < 12 ? pointwise(s, x, sketch_between(s, 1, 6)) : sketch_one(s, OP_ABS, x);
	case 5:
		return maps ? sketch_one(s, OP_GLOBAL_MAX_POOL, x) : sketch_one(s, OP_NEG, x);
	default:
		return sketch_add(s, x, x);
	}
}

static int (*const steps[])(struct sketch *s, int x) = { transpose, transpose, reshape, reshape, flatten, unsqueeze,
	squeeze, slice, slice, split, concat, gather, expand, tile, pad, shuffle_space, compute, compute, compute };
enum { STEPS = sizeof steps / sizeof *steps };

static struct sketch open_chain(const char *what, uint64_t seed)
{
	static const int64_t dims[] = { 6, 4, 5, 3, 2, 2, 1 };
	return sketch_open(what, seed, 1 + (int)(seed % 5), dims);
}

static int draw_chain(struct sketch *s, int x, int length)
{
	for (int i = 0; i < length; i++) {
		int next = steps[rng_below(&s->rng, STEPS)](s, x);
		if (shape_count(sketch_shape(s, next), 1) <= MOST_NUMBERS)
			x = next;
	}
	return x;
}

START_TEST(a_chain_of_moves_follows_its_definitions)
{
	for (uint64_t i = 0; i < CHAINS; i++) {
		struct sketch s = open_chain("chain", i);
		agree_sketch(&s, sketch_one(&s, OP_NEG, draw_chain(&s, 0, 1 + (int)(i % 7))), PLAN_INFER);
	}
}
END_TEST

/* Both ends and the middle are outputs, so that nothing in between may be recycled too early. */
START_TEST(a_chain_with_several_outputs_follows_its_definitions)
{
	for (uint64_t i = 0; i < CHAINS / 4; i++) {
		struct sketch s = open_chain("outputs", i);
		int middle = draw_chain(&s, 0, 3), end = draw_chain(&s, middle, 3);
		sketch_output(&s, end);
		sketch_output(&s, 0);
		agree_sketch(&s, middle, PLAN_INFER);
	}
}
END_TEST

START_TEST(every_value_of_a_chain_can_be_observed)
{
	for (uint64_t i = 0; i < CHAINS / 4; i++) {
		struct sketch s = open_chain("observed", i);
		agree_sketch(&s, draw_chain(&s, 0, 6), PLAN_OBSERVE);
	}
}
END_TEST

/* Maps moved about and brought back to a convolution: what it needs must be made. */
START_TEST(a_convolution_reads_what_was_moved)
{
	for (uint64_t i = 0; i < CHAINS / 4; i++) {
		struct sketch s = sketch_open("moved maps", i, 3, (int64_t[]){ 6, 4, 5 });
		int x = draw_chain(&s, i % 2 ? pointwise(&s, 0, 8) : 0, 3);
		int64_t all = shape_count(sketch_shape(&s, x), 1);
		if (batch_axis(&s, x) == 0 && sketch_shape(&s, x)->dim[0] == DIM_BATCH && all % 4 == 0)
			x = pointwise(&s, reshape_to(&s, x, 4, (int64_t[]){ -1, 2, all / 4, 2 }), 3);
		agree_sketch(&s, x, PLAN_INFER);
	}
}
END_TEST

/* Steps so long that a row's last number stands behind the next row's first. */
START_TEST(a_slice_with_long_steps_follows_its_definition)
{
	for (uint64_t i = 0; i < 48; i++) {
		struct sketch s = sketch_open("long steps", i, 3, (int64_t[]){ 3, 5, 7 });
		int64_t step = 2 + (int64_t)(i % 3), axis = 1 + (int64_t)(i / 3 % 3), first = i / 9 % 2 ? 0 : -1;
		int x = i / 18 % 2 ? pointwise(&s, 0, 7) : 0;
		int64_t end = first ? -99 : 99, signed_step = first ? -step : step;
		int inputs[] = { x, sketch_operand(&s, 1, &first), sketch_operand(&s, 1, &end),
			sketch_operand(&s, 1, &axis), sketch_operand(&s, 1, &signed_step) };
		int y = sketch_node(&s, OP_SLICE, 5, inputs);
		sketch_output(&s, y);
		agree_sketch(&s, sketch_add(&s, y, i % 2 ? sketch_one(&s, OP_EXP, y) : y), PLAN_INFER);
	}
}
END_TEST

/* Channel shuffle, as it is exported. */
START_TEST(shuffled_channels_reach_a_grouped_convolution)
{
	for (uint64_t i = 0; i < 12; i++) {
		struct sketch s = sketch_open("shuffle", i, 3, (int64_t[]){ 5, 4, 3 });
		int64_t g = 2 + (int64_t)(i % 3), each = 3, perm[] = { 0, 2, 1, 3, 4 };
		struct sketch_window w = { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, g };
		int x = pointwise(&s, 0, g * each);
		x = sketch_one(&s, OP_TRANSPOSE, reshape_to(&s, x, 5, (int64_t[]){ -1, g, each, 4, 3 }));
		sketch_ints(&s, "perm", 5, perm);
		x = reshape_to(&s, x, 4, (int64_t[]){ -1, g * each, 4, 3 });
		agree_sketch(&s, sketch_conv(&s, x, 2 * g, &w, true), PLAN_INFER);
	}
}
END_TEST

/* ---- resizing ---- */

static const char *const coordinates[] = { "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric" };
static const char *const roundings[] = { "round_prefer_floor", "round_prefer_ceil", "floor", "ceil" };

/* By sizes or by scales whose results in float are not near a step of the rounding. */
static int resize(struct sketch *s, int x, uint64_t i, const char *mode)
{
	static const float scales[] = { 2, 0.5f, 3, 1.5f, 0.75f, 1.25f };
	const struct shape *shape = sketch_shape(s, x);
	int rank = shape->rank, inputs[] = { x, -1, -1, -1 };
	int64_t size[5];
	if (i % 2) {
		for (int k = 0; k < rank; k++)
			size[k] = k < 2 ? shape->dim[k] : sketch_between(s, 1, 2 * shape->dim[k]);
		inputs[3] = sketch_operand(s, rank, size);
	} else {
		int64_t wide = rank;
		inputs[2] = sketch_tensor(s, 1, 1, 1, &wide);
		for (int k = 2; k < rank; k++)
			((float *)s->g->values[inputs[2]].data)[k] = scales[sketch_between(s, 0, 5)];
	}
	int y = sketch_node(s, OP_RESIZE, 4, inputs);
	sketch_string(s, "mode", mode);
	return y;
}

START_TEST(resized_maps_follow_their_definition)
{
	static const char *const modes[] = { "nearest", "linear", "cubic" };
	for (uint64_t i = 0; i < 240; i++) {
		bool nearest = _i == 0;
		struct sketch s = sketch_open(modes[_i], i, 2 + (int)(i / 2 % 3), (int64_t[]){ 5, 4, 7, 3 });
		int x = i / 6 % 2 ? pointwise(&s, 0, 4) : 0, y = resize(&s, x, nearest ? 0 : i, modes[_i]);
		sketch_string(&s, "coordinate_transformation_mode",
			coordinates[nearest && i % 4 == 2 ? 3 : i / 12 % 4]);
		if (nearest)
			sketch_string(&s, "nearest_mode", roundings[i / 48 % 4]);
		if (_i == 2 && i / 3 % 2)
			sketch_int(&s, "exclude_outside", 1);
		if (_i == 2 && i / 5 % 2)
			sketch_float(&s, "cubic_coeff_a", -0.5);
		agree_sketch(&s, i / 24 % 2 ? pointwise(&s, y, 2) : y, PLAN_INFER);
	}
}
END_TEST

START_TEST(old_resizing_takes_the_index_before)
{
	for (uint64_t i = 0; i < 12; i++) {
		struct sketch s = sketch_open("old resizing", i, 3, (int64_t[]){ 5, 4, 3 });
		s.g->opset = i % 2 ? 9 : 10;
		int scales = sketch_tensor(&s, 1, 1, 1, (int64_t[]){ 4 });
		((float *)s.g->values[scales].data)[2] = i / 2 % 2 ? 2 : 3;
		((float *)s.g->values[scales].data)[3] = 2;
		int y = sketch_two(&s, i % 2 ? OP_UPSAMPLE : OP_RESIZE, i / 4 % 2 ? pointwise(&s, 0, 3) : 0, scales);
		if (i / 8 % 2)
			sketch_string(&s, "mode", "linear");
		agree_sketch(&s, y, PLAN_INFER);
	}
}
END_TEST

/* The last index of a row may be no float; the next float is in the next row. */
START_TEST(a_row_too_long_for_floats_ends_with_its_last_number)
{
	enum { LONG = (1 << 24) + 4 };
	struct sketch s = sketch_open("long row", 1, 2, (int64_t[]){ 2, LONG });
	struct errinfo e;
	int size = sketch_operand(&s, 3, (int64_t[]){ -1, 2, 2 });
	int y = sketch_node(&s, OP_RESIZE, 4, (int[]){ 0, -1, -1, size });
	sketch_string(&s, "mode", "linear");
	sketch_string(&s, "coordinate_transformation_mode", "align_corners");
	sketch_finish(&s, y);
	struct plan *p = agree_plan(s.g, 1, PLAN_INFER, s.what);
	float *x = plan_input(p, 0);
	memset(x, 0, 2 * LONG * sizeof *x);
	x[0] = 1;
	x[LONG - 1] = 2;
	x[LONG] = 3;
	x[2 * LONG - 1] = 4;
	ck_assert_msg(!plan_run(p, &e), "%s", e.msg);
	for (int i = 0; i < 4; i++)
		ck_assert_float_eq(plan_output(p, 0)[i], (float)(i + 1));
	plan_free(p);
	sketch_close(&s);
}
END_TEST

Suite *move_suite(void)
{
	Suite *s = suite_create("move");
	TCase *t = tcase_create("move");
	tcase_set_timeout(t, 120);
	tcase_add_test(t, a_chain_of_moves_follows_its_definitions);
	tcase_add_test(t, a_chain_with_several_outputs_follows_its_definitions);
	tcase_add_test(t, every_value_of_a_chain_can_be_observed);
	tcase_add_test(t, a_convolution_reads_what_was_moved);
	tcase_add_test(t, a_slice_with_long_steps_follows_its_definition);
	tcase_add_test(t, shuffled_channels_reach_a_grouped_convolution);
	tcase_add_loop_test(t, resized_maps_follow_their_definition, 0, 3);
	tcase_add_test(t, old_resizing_takes_the_index_before);
	tcase_add_test(t, a_row_too_long_for_floats_ends_with_its_last_number);
	suite_add_tcase(s, t);
	return s;
}

/* test_conv.c -- convolutions whose weights are computed, and their gradients.
 * SPDX-License-Identifier: MIT
 *
 * Each is a sum of products over the same triples (number of x, of w, of y), which are listed here one by one and
 * summed in double: y += w * x, dx += w * dy, dw += x * dy. In float a sum of K products is off by at most (K + a few)
 * * u * sum |a * b| in any order (Higham 2002, section 3.1). */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/builder.h"
#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/formula.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { X, W, Y, ROLES, BATCH = 3, AXES = 3, RANDOM = 60 };

/* A convolution of up to three dimensions, as one of three. */
struct layer {
	int64_t in, out, group, rank, x[AXES], y[AXES];
	struct sketch_window window;
	float *data[ROLES];
	int64_t count[ROLES];
};

/* A sum, its products' absolute values and their number, for each number that is computed. */
struct sums {
	double *value, *size, *terms;
};

static void add_triple(const struct layer *l, int role, const int64_t at[ROLES], struct sums *s)
{
	double product = 1;
	for (int i = 0; i < ROLES; i++)
		product *= i == role ? 1 : l->data[i][at[i]];
	s->value[at[role]] += product;
	s->size[at[role]] += fabs(product);
	s->terms[at[role]]++;
}

/* Number i of a box, by axis. */
static void split_index(int64_t i, const int64_t box[AXES], int64_t ret[AXES])
{
	for (int a = AXES - 1; a >= 0; a--) {
		ret[a] = i % box[a];
		i /= box[a];
	}
}

static int64_t volume(const int64_t box[AXES])
{
	return box[0] * box[1] * box[2];
}

/* Where in the input place k of the kernel lies for output place p; -1: in the padding. */
static int64_t place_in_input(const struct layer *l, int64_t p, int64_t k)
{
	const struct sketch_window *w = &l->window;
	int64_t from = 0, out[AXES], tap[AXES];
	split_index(p, l->y, out);
	split_index(k, w->kernel, tap);
	for (int a = 0; a < AXES; a++) {
		int64_t pad = a < l->rank ? w->pads[a] : 0;
		int64_t i = out[a] * w->stride[a] + tap[a] * w->dilation[a] - pad;
		if (i < 0 || i >= l->x[a])
			return -1;
		from = from * l->x[a] + i;
	}
	return from;
}

static void add_filter(const struct layer *l, int role, int64_t sample, int64_t o, struct sums *s)
{
	int64_t in = l->in / l->group, area = volume(l->window.kernel), places = volume(l->y);
	for (int64_t i = 0; i < places * in * area; i++) {
		int64_t p = i / (in * area), c = i / area % in, from = place_in_input(l, p, i % area);
		int64_t channel = o / (l->out / l->group) * in + c;
		if (from >= 0)
			add_triple(l, role,
				(int64_t[]){ (sample * l->in + channel) * volume(l->x) + from,
					(o * in + c) * area + i % area, (sample * l->out + o) * places + p },
				s);
	}
}

static struct sums sum_up(const struct layer *l, int role)
{
	struct sums s;
	double **arrays[] = { &s.value, &s.size, &s.terms };
	for (int i = 0; i < 3; i++) {
		*arrays[i] = calloc((size_t)l->count[role], sizeof(double));
		ck_assert_ptr_nonnull(*arrays[i]);
	}
	for (int64_t i = 0; i < BATCH * l->out; i++)
		add_filter(l, role, i / l->out, i % l->out, &s);
	return s;
}

/* The largest sum of absolute products where a layer may be done by Winograd's method (test_winograd.c), else 0. */
static double winograd_size(const struct layer *l, const struct sums *s, int role)
{
	double most = 0;
	bool may = l->rank == 2 && l->group == 1;
	for (int i = 0; i < l->rank; i++)
		may = may && l->window.kernel[i] == 3 && l->window.stride[i] == 1 && l->window.dilation[i] == 1;
	for (int64_t i = 0; i < l->count[role] && may; i++)
		most = fmax(most, s->size[i]);
	return most;
}

static void check(const struct layer *l, int role, const float *is, const char *what)
{
	struct sums s = sum_up(l, role);
	double largest = 0, products = 0, filtered = WINOGRAD_ERROR * winograd_size(l, &s, role);
	for (int64_t i = 0; i < l->count[role]; i++) {
		double bound = fmax((s.terms[i] + 8) * 0x1p-24 * s.size[i], filtered);
		ck_assert_msg(fabs(is[i] - s.value[i]) <= bound, "%s: number %lld is %.9g, expected %.9g within %.3g",
			what, (long long)i, is[i], s.value[i], bound);
		largest = fmax(largest, fabs(s.value[i]));
		products += s.terms[i];
	}
	ck_assert_msg(largest > 1e-3 || !products, "%s: it is all zero", what);
	free(s.value);
	free(s.size);
	free(s.terms);
}

/* What `value` is comes from outside from now on. */
static void make_input(struct graph *g, int value)
{
	g->values[value].data = NULL;
	g->inputs[g->input_count++] = value;
}

static int new_input(struct graph *g, const struct shape *like)
{
	int value = g->value_count++;
	g->values[value] = (struct value){ .name = "dy", .dtype = DTYPE_FLOAT, .shape = *like, .producer = -1 };
	make_input(g, value);
	return value;
}

/* The sketch's only node becomes a gradient of itself: y is an input, x or w what it gives. */
static void turn_into_gradient(struct sketch *s, int role)
{
	struct graph *g = s->g;
	struct node *n = &g->nodes[0];
	int made = n->out[0], dy = new_input(g, &g->values[made].shape);
	g->values[made].shape = g->values[n->in[role]].shape;
	n->op = role == X ? OP_CONV_DATA_GRADIENT : OP_CONV_WEIGHT_GRADIENT;
	n->in_count = 2;
	if (role == X)
		n->in[0] = dy;
	else
		n->in[1] = dy;
}

static void open_layer(struct sketch *s, int64_t out, const struct sketch_window *w, struct layer *l)
{
	const struct shape *x = sketch_shape(s, 0);
	*l = (struct layer){
		.in = x->dim[1], .out = out, .group = w->group ? w->group : 1, .rank = x->rank - 2, .window = *w
	};
	sketch_finish(s, sketch_conv(s, 0, out, w, false));
	const struct node *n = &s->g->nodes[0];
	const struct shape *y = &s->g->values[n->out[0]].shape;
	for (int i = 0; i < AXES; i++) {
		l->x[i] = i < l->rank ? sketch_shape(s, 0)->dim[2 + i] : 1;
		l->y[i] = i < l->rank ? y->dim[2 + i] : 1;
		if (i >= l->rank)
			l->window.kernel[i] = l->window.stride[i] = l->window.dilation[i] = 1;
	}
	int values[ROLES] = { 0, n->in[1], n->out[0] };
	for (int i = 0; i < ROLES; i++) {
		l->count[i] = shape_count(&s->g->values[values[i]].shape, BATCH);
		l->data[i] = agree_input(&s->rng, l->count[i]);
	}
}

/* Fills the port of a value, when it is one. */
static void feed(const struct graph *g, struct plan *p, int value, const float *data, int64_t count)
{
	for (int i = 0; i < g->input_count; i++)
		if (g->inputs[i] == value)
			memcpy(plan_input(p, i), data, (size_t)count * sizeof *data);
}

/* role: which of the three is computed. stored: w is a tensor of the network. */
static void check_layer(struct sketch *s, int64_t out, const struct sketch_window *w, int role, bool stored)
{
	struct layer l;
	struct errinfo e;
	open_layer(s, out, w, &l);
	struct node *n = &s->g->nodes[0];
	int weight = n->in[1];
	if (stored)
		memcpy(l.data[W], s->g->values[weight].data, (size_t)l.count[W] * sizeof(float));
	else if (role != W)
		make_input(s->g, weight);
	if (role != Y)
		turn_into_gradient(s, role);
	struct plan *p = agree_plan(s->g, BATCH, PLAN_INFER, s->what);
	feed(s->g, p, n->in[0], l.data[role == X ? Y : X], l.count[role == X ? Y : X]);
	feed(s->g, p, n->in[1], l.data[role == W ? Y : W], l.count[role == W ? Y : W]);
	for (int i = 0; i < 2; i++)
		ck_assert_msg(!plan_run(p, &e), "%s: %s", s->what, e.msg);
	check(&l, role, plan_output(p, 0), s->what);
	plan_free(p);
	for (int i = 0; i < ROLES; i++)
		free(l.data[i]);
	sketch_close(s);
}

/* All three, with weights that are computed; and what takes weights with stored ones. */
static void check_roles(
	const char *what, uint64_t seed, int rank, const int64_t *dims, int64_t out, const struct sketch_window *w)
{
	static const struct {
		int role;
		bool stored;
		const char *name;
	} ways[] = { { Y, false, "layer" }, { X, false, "data gradient" }, { X, true, "data gradient, stored weight" },
		{ W, false, "weight gradient" } };
	for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
		char text[120];
		snprintf(text, sizeof text, "%s of %s", ways[i].name, what);
		struct sketch s = sketch_open(text, seed, rank, dims);
		check_layer(&s, out, w, ways[i].role, ways[i].stored);
	}
}

static const struct {
	const char *what;
	int rank; /* with channels */
	int64_t in[4], out;
	struct sketch_window window;
} layers[] = {
	{ "one channel", 3, { 1, 9, 8 }, 5, { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 } },
	{ "odd channels", 3, { 13, 9, 7 }, 11, { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 } },
	{ "whole blocks of channels", 3, { 32, 6, 6 }, 16, { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 } },
	{ "many tiles", 3, { 19, 13, 17 }, 10, { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 } },
	{ "many tiles without padding", 3, { 33, 18, 14 }, 21,
		{ { 3, 3 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 } },
	{ "many tiles with much padding", 3, { 9, 11, 14 }, 16,
		{ { 3, 3 }, { 1, 1 }, { 1, 1 }, { 2, 3, 0, 4 }, false, 0 } },
	{ "stride", 3, { 7, 9, 10 }, 6, { { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 } },
	{ "stride past the end", 3, { 16, 8, 8 }, 32, { { 1, 1 }, { 2, 2 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 } },
	{ "dilation", 3, { 5, 11, 9 }, 17, { { 3, 2 }, { 1, 1 }, { 2, 3 }, { 2, 0, 1, 3 }, false, 0 } },
	{ "padding on one side", 3, { 6, 8, 8 }, 9, { { 4, 3 }, { 2, 1 }, { 1, 1 }, { 0, 2, 3, 0 }, false, 0 } },
	{ "groups", 3, { 6, 7, 7 }, 9, { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 3 } },
	{ "whole groups", 3, { 32, 7, 7 }, 32, { { 3, 3 }, { 2, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 2 } },
	{ "every channel alone", 3, { 7, 8, 8 }, 7, { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 7 } },
	{ "every channel alone, twice", 3, { 5, 8, 9 }, 10,
		{ { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 0, 1, 0 }, false, 5 } },
	{ "sixteen channels alone", 3, { 16, 9, 9 }, 16, { { 5, 5 }, { 2, 2 }, { 1, 1 }, { 2, 2, 2, 2 }, false, 16 } },
	{ "one dimension", 2, { 9, 23 }, 7, { { 5 }, { 2 }, { 2 }, { 3, 1 }, false, 0 } },
	{ "one dimension in groups", 2, { 8, 17 }, 4, { { 3 }, { 1 }, { 1 }, { 1, 1 }, false, 4 } },
	{ "three dimensions", 4, { 5, 5, 6, 4 }, 6,
		{ { 3, 2, 3 }, { 1, 2, 1 }, { 1, 1, 1 }, { 1, 0, 1, 1, 1, 0 }, false, 0 } },
	{ "three dimensions in groups", 4, { 6, 4, 5, 4 }, 4,
		{ { 2, 3, 2 }, { 2, 1, 1 }, { 1, 1, 2 }, { 0, 1, 1, 1, 0, 1 }, false, 2 } },
	{ "a point", 3, { 13, 5, 5 }, 21, { { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 } },
	{ "a kernel larger than its input", 3, { 4, 2, 2 }, 5,
		{ { 5, 5 }, { 1, 1 }, { 1, 1 }, { 2, 2, 2, 2 }, false, 0 } },
};
enum { LAYERS = sizeof layers / sizeof *layers };

START_TEST(a_layer_and_its_gradients_are_sums_of_the_same_products)
{
	check_roles(layers[_i].what, (uint64_t)_i, layers[_i].rank, layers[_i].in, layers[_i].out, &layers[_i].window);
}
END_TEST

START_TEST(random_layers_and_their_gradients_are_sums_of_the_same_products)
{
	for (uint64_t i = 0; i < RANDOM; i++) {
		struct rng r;
		rng_init(&r, 11, i);
		int64_t group = rng_below(&r, 3) ? 1 : 1 + (int64_t)rng_below(&r, 5), in = group, out = group;
		in *= 1 + (int64_t)rng_below(&r, group > 1 ? 6 : 40);
		out *= 1 + (int64_t)rng_below(&r, group > 1 ? 6 : 40);
		int64_t dims[] = { in, 2 + (int64_t)rng_below(&r, 8), 2 + (int64_t)rng_below(&r, 8) };
		struct sketch s = sketch_open("window", i, 3, dims);
		struct sketch_window w = sketch_random_window(&s, 0, false);
		sketch_close(&s);
		w.group = group;
		check_roles("a random layer", i, 3, dims, out, &w);
	}
}
END_TEST

/* Weights and biases that come in with each run give what the same numbers give when they are stored. */
static void check_computed(struct sketch *s, int y)
{
	struct errinfo e;
	sketch_finish(s, y);
	struct plan *stored = agree_plan(s->g, BATCH, PLAN_INFER, s->what);
	const struct node *n = &s->g->nodes[0];
	float *kept[2], *x = agree_input(&s->rng, BATCH * plan_input_size(stored, 0));
	int64_t count = BATCH * plan_output_size(stored, 0);
	for (int i = 0; i < 2; i++) {
		kept[i] = s->g->values[n->in[1 + i]].data;
		make_input(s->g, n->in[1 + i]);
	}
	struct plan *computed = agree_plan(s->g, BATCH, PLAN_INFER, s->what);
	const float *expected = agree_run(stored, x);
	for (int i = 0; i < 2; i++)
		memcpy(plan_input(computed, 1 + i), kept[i], (size_t)plan_input_size(computed, 1 + i) * sizeof(float));
	memcpy(plan_input(computed, 0), x, (size_t)(BATCH * plan_input_size(computed, 0)) * sizeof(float));
	ck_assert_msg(!plan_run(computed, &e), "%s: %s", s->what, e.msg);
	for (int64_t i = 0; i < count; i++)
		ck_assert_msg(fabsf(plan_output(computed, 0)[i] - expected[i]) <= 1e-4f,
			"%s: number %lld is %g, not %g", s->what, (long long)i, plan_output(computed, 0)[i],
			expected[i]);
	plan_free(stored);
	plan_free(computed);
	free(x);
	sketch_close(s);
}

START_TEST(computed_weights_and_biases_do_what_stored_ones_do)
{
	for (uint64_t i = 0; i < RANDOM; i++) {
		struct sketch s = sketch_open("computed weights", i, 3, (int64_t[]){ 6, 7, 6 });
		struct sketch_window w = sketch_random_window(&s, 0, false);
		w.group = i % 3 ? 1 : 3;
		check_computed(&s, sketch_one(&s, OP_RELU, sketch_conv(&s, 0, 3 * sketch_between(&s, 1, 8), &w, true)));
	}
}
END_TEST

/* Also one whose output goes on behind its last window. */
START_TEST(computed_weights_of_a_transposed_convolution_do_what_stored_ones_do)
{
	for (uint64_t i = 0; i < RANDOM / 2; i++) {
		struct sketch_window w = { { 3, 2 }, { 2, 3 }, { 1, 1 }, { 0, 0, 0, 0 }, false, i % 2 ? 1 : 2 };
		struct sketch s = sketch_open("computed transposed weights", i, 3, (int64_t[]){ 6, 5, 4 });
		int y = sketch_conv_transpose(&s, 0, 2 * sketch_between(&s, 1, 8), &w, true);
		if (i % 3 == 0)
			sketch_ints(&s, "output_padding", 2, (int64_t[]){ 4, 5 });
		check_computed(&s, y);
	}
}
END_TEST

/* Nothing is folded that a run can change. */
START_TEST(a_batch_norm_behind_computed_weights_stays)
{
	struct sketch s = sketch_open("computed weights and batch-norm", 1, 3, (int64_t[]){ 6, 7, 6 });
	struct sketch_window w = { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 };
	check_computed(&s, sketch_one(&s, OP_RELU, sketch_batch_norm(&s, sketch_conv(&s, 0, 5, &w, true))));
}
END_TEST

/* A block of a residual network; how: what the sum's other operand is. */
enum { BESIDE, INPUT, READ_AGAIN, TWICE, LATER, WAYS };
static int draw_block(struct sketch *s, int how, int64_t channels, bool small)
{
	struct sketch_window w = { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 };
	if (small)
		w.kernel[1] = 1, w.pads[1] = w.pads[3] = 0;
	int x = how == INPUT ? 0 : sketch_one(s, OP_RELU, sketch_conv(s, 0, channels, &w, true));
	int between = how == TWICE ? x : sketch_one(s, OP_RELU, sketch_conv(s, x, channels, &w, true));
	int y = sketch_batch_norm(s, sketch_conv(s, between, channels, &w, false));
	int other = how == LATER ? sketch_conv(s, x, channels, &w, true) : x;
	y = sketch_one(s, OP_RELU, how % 2 ? sketch_add(s, other, y) : sketch_add(s, y, other));
	return how == READ_AGAIN ? sketch_two(s, OP_MUL, y, x) : y;
}

/* By oneDNN and by Winograd's method, with the sum in either order. */
START_TEST(a_sum_behind_a_convolution_follows_its_formula)
{
	for (int k = 0; k < 4; k++) {
		int64_t channels = k % 2 ? 17 : 5;
		struct sketch s =
			sketch_open("residual block", (uint64_t)(4 * _i + k), 3, (int64_t[]){ channels, 23, 21 });
		agree_sketch(&s, draw_block(&s, _i, channels, k < 2), k == 3 ? PLAN_CALIBRATE : PLAN_INFER);
	}
}
END_TEST

/* What follows three convolutions has no steps of its own. */
START_TEST(a_sum_is_part_of_the_convolution_before_it)
{
	for (int64_t channels = 5; channels <= 17; channels += 12) {
		struct sketch s = sketch_open("residual block", 1, 3, (int64_t[]){ channels, 23, 21 });
		sketch_finish(&s, draw_block(&s, BESIDE, channels, false));
		struct plan *p = agree_plan(s.g, BATCH, PLAN_INFER, s.what);
		size_t convolutions = 0;
		for (size_t i = 0; i < p->step_count; i++)
			convolutions += p->steps[i].label != NULL;
		ck_assert_uint_eq(convolutions, 3);
		plan_free(p);
		sketch_close(&s);
	}
}
END_TEST

Suite *conv_suite(void)
{
	Suite *s = suite_create("conv");
	TCase *t = tcase_create("conv");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_layer_and_its_gradients_are_sums_of_the_same_products, 0, LAYERS);
	tcase_add_test(t, random_layers_and_their_gradients_are_sums_of_the_same_products);
	tcase_add_test(t, computed_weights_and_biases_do_what_stored_ones_do);
	tcase_add_test(t, computed_weights_of_a_transposed_convolution_do_what_stored_ones_do);
	tcase_add_test(t, a_batch_norm_behind_computed_weights_stays);
	tcase_add_loop_test(t, a_sum_behind_a_convolution_follows_its_formula, 0, WAYS);
	tcase_add_test(t, a_sum_is_part_of_the_convolution_before_it);
	suite_add_tcase(s, t);
	return s;
}

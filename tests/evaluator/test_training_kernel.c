/* test_training_kernel.c -- the operators that only training uses compute what their formulas say.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/unary.h"
#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/backward.h"
#include "tests/evaluator/suites.h"

enum { SHAPES = 40 };

static void set_shape(struct sketch *s, int value, int rank, const int64_t *dims)
{
	s->g->values[value].shape.rank = rank;
	memcpy(s->g->values[value].shape.dim, dims, (size_t)rank * sizeof *dims);
}

/* ---- loss ---- */

enum { ROWS = 5, CLASSES = 7 };

struct loss_case {
	double temperature, weight; /* weight 0: no teacher */
	float z[ROWS * CLASSES], target[ROWS * CLASSES], teacher[ROWS * CLASSES];
};

static double log_softmax(const float *z, int i, double temperature)
{
	double sum = 0;
	for (int k = 0; k < CLASSES; k++)
		sum += exp((z[k] - z[i]) / temperature);
	return -log(sum);
}

/* Of one row. */
static double loss_formula(const struct loss_case *c, int row)
{
	const float *z = c->z + row * CLASSES, *teacher = c->teacher + row * CLASSES;
	double hard = 0, soft = 0;
	for (int i = 0; i < CLASSES; i++) {
		double q = log_softmax(teacher, i, c->temperature);
		hard -= c->target[row * CLASSES + i] * log_softmax(z, i, 1);
		soft += exp(q) * (q - log_softmax(z, i, c->temperature));
	}
	return (1 - c->weight) * hard + c->weight * c->temperature * c->temperature * soft;
}

static struct plan *loss_plan(const struct loss_case *c, struct sketch *s)
{
	int64_t dims[] = { DIM_BATCH, CLASSES };
	*s = sketch_open("loss", 0, 1, dims + 1);
	int inputs[] = { 0, sketch_input(s, 1, dims + 1), -1 };
	if (c->weight > 0)
		inputs[2] = sketch_input(s, 1, dims + 1);
	int loss = sketch_node_of(s, OP_LOSS, 3, inputs, 2);
	sketch_float(s, "temperature", c->temperature);
	sketch_float(s, "weight", c->weight);
	set_shape(s, loss, 1, dims);
	set_shape(s, loss + 1, 2, dims);
	sketch_output(s, loss);
	sketch_output(s, loss + 1);
	return agree_plan(s->g, ROWS, PLAN_INFER, s->what);
}

static void run_loss(const struct loss_case *c, struct plan *p)
{
	struct errinfo e;
	memcpy(plan_input(p, 0), c->z, sizeof c->z);
	memcpy(plan_input(p, 1), c->target, sizeof c->target);
	if (c->weight > 0)
		memcpy(plan_input(p, 2), c->teacher, sizeof c->teacher);
	ck_assert_msg(!plan_run(p, &e), "%s", e.msg);
}

/* Targets are one class, or, as with smoothed labels, several. */
static struct loss_case draw_loss(uint64_t seed, double scale)
{
	struct rng r;
	struct loss_case c = { .temperature = seed % 3 + 1, .weight = 0.3 * (double)(seed % 4) };
	rng_init(&r, 7, seed);
	for (int i = 0; i < ROWS * CLASSES; i++) {
		c.z[i] = (float)(scale * round(16 * rng_normal(&r)) / 16);
		c.teacher[i] = (float)(scale * rng_normal(&r));
		c.target[i] = i % CLASSES == 3 ? 0.75f : i % CLASSES == 5 ? 0.25f : 0;
	}
	return c;
}

START_TEST(loss_and_its_gradient_follow_the_formula)
{
	for (uint64_t seed = 0; seed < 12; seed++) {
		struct sketch s;
		struct loss_case c = draw_loss(seed, 2);
		struct plan *p = loss_plan(&c, &s);
		run_loss(&c, p);
		for (int i = 0; i < ROWS * CLASSES; i++) {
			const double h = 0x1p-10;
			struct loss_case up = c, down = c;
			up.z[i] += (float)h;
			down.z[i] -= (float)h;
			double slope =
				(loss_formula(&up, i / CLASSES) - loss_formula(&down, i / CLASSES)) / (2 * h) / ROWS;
			ck_assert_double_eq_tol(plan_output(p, 1)[i], slope, 2e-6);
		}
		for (int i = 0; i < ROWS; i++)
			ck_assert_double_eq_tol(plan_output(p, 0)[i], loss_formula(&c, i), 1e-5);
		plan_free(p);
		sketch_close(&s);
	}
}
END_TEST

START_TEST(logits_far_from_each_other_give_a_finite_loss)
{
	struct sketch s;
	struct loss_case c = draw_loss(7, 3e4);
	struct plan *p = loss_plan(&c, &s);
	run_loss(&c, p);
	for (int i = 0; i < ROWS * CLASSES; i++)
		ck_assert(isfinite(plan_output(p, 1)[i]) && isfinite(plan_output(p, 0)[i / CLASSES]));
	plan_free(p);
	sketch_close(&s);
}
END_TEST

START_TEST(a_logit_that_is_not_a_number_makes_its_row_so)
{
	struct sketch s;
	struct loss_case c = draw_loss(7, 1);
	struct plan *p = loss_plan(&c, &s);
	c.z[2 * CLASSES + _i] = NAN;
	run_loss(&c, p);
	for (int i = 0; i < ROWS * CLASSES; i++)
		ck_assert(!isnan(plan_output(p, 1)[i]) == (i / CLASSES != 2));
	ck_assert(isnan(plan_output(p, 0)[2]) && !isnan(plan_output(p, 0)[1]));
	plan_free(p);
	sketch_close(&s);
}
END_TEST

/* ---- batch-norm ---- */

/* Of features, sequences, maps and volumes of 1 to 70 channels; now and then a large one, of several pieces. */
static struct sketch open_random(const char *what, uint64_t seed, int rank, int64_t most_channels, int64_t most_side)
{
	struct rng r;
	int64_t dims[4];
	rng_init(&r, 9, seed);
	dims[0] = 1 + (int64_t)rng_below(&r, (uint64_t)most_channels);
	for (int k = 1; k < rank; k++)
		dims[k] = 1 + (int64_t)rng_below(&r, (uint64_t)most_side);
	return sketch_open(what, seed, rank, dims);
}

/* y, mean, variance */
static int train_node(struct sketch *s, int x, int scale, int shift, bool relu)
{
	struct shape shape = s->g->values[x].shape;
	int y = sketch_node_of(s, OP_BATCH_NORM_TRAIN, 3, (int[]){ x, scale, shift }, 3);
	sketch_float(s, "epsilon", 0.01);
	sketch_int(s, "relu", relu);
	s->g->values[y].shape = shape;
	set_shape(s, y + 1, 1, shape.dim + 1);
	set_shape(s, y + 2, 1, shape.dim + 1);
	return y;
}

static void check_train(struct sketch *s, const struct plan *p, const float *x, bool relu, int64_t batch)
{
	const int64_t *dims = s->g->values[0].shape.dim;
	int64_t channels = dims[1], inner = plan_input_size(p, 0) / channels, n = batch * inner;
	const float *scale = s->g->values[1].data, *shift = s->g->values[2].data;
	for (int64_t c = 0; c < channels; c++) {
		double mean = 0, variance = 0, most = 0;
		for (int64_t i = 0; i < n; i++)
			mean += x[(i / inner * channels + c) * inner + i % inner] / (double)n;
		for (int64_t i = 0; i < n; i++) {
			double d = x[(i / inner * channels + c) * inner + i % inner] - mean;
			variance += d * d / (double)n;
			most = fmax(most, fabs(d));
		}
		ck_assert_double_eq_tol(plan_output(p, 1)[c], mean, 1e-7 * fabs(mean) + 1e-6 * most);
		ck_assert_double_eq_tol(plan_output(p, 2)[c], variance, 2e-6 * variance + 1e-12);
		for (int64_t i = 0; i < n; i++) {
			int64_t at = (i / inner * channels + c) * inner + i % inner;
			double y = scale[c] * (x[at] - mean) / sqrt(variance + (double)0.01f) + shift[c];
			double bound = 1e-5 + 2e-7 * fabs(mean) / sqrt(variance + 0.01);
			ck_assert_double_eq_tol(plan_output(p, 0)[at], relu && y < 0 ? 0 : y, bound);
		}
	}
}

/* The mean at 0 or far from it, where a variance by E[x^2] - E[x]^2 would lose its digits. */
START_TEST(a_batch_norm_of_the_batch_follows_its_formula)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		bool large = i % 8 == 7;
		int64_t batch = i % 3 ? 1 + (int64_t)i % 9 : 1;
		struct sketch s =
			open_random("batch-norm", i, 1 + (int)(i % 4), i % 16 == 7 ? 300 : 70, large ? 40 : 9);
		int64_t channels = s.g->values[0].shape.dim[1];
		int scale = sketch_tensor(&s, -1, 1, 1, &channels), shift = sketch_tensor(&s, -1, 1, 1, &channels);
		int y = train_node(&s, 0, scale, shift, i % 2);
		for (int k = 0; k < 3; k++)
			sketch_output(&s, y + k);
		struct plan *p = agree_plan(s.g, batch, PLAN_INFER, s.what);
		float *x = agree_input(&s.rng, agree_size(p));
		for (int64_t k = 0; k < agree_size(p) && i % 3 == 2; k++)
			x[k] += 1000;
		agree_run(p, x);
		check_train(&s, p, x, i % 2, batch);
		plan_free(p);
		free(x);
		sketch_close(&s);
	}
}
END_TEST

/* By x, scale and shift. */
START_TEST(a_batch_norm_s_gradient_is_the_derivative)
{
	for (uint64_t i = 0; i < 12; i++) {
		struct sketch s = open_random("batch-norm's gradient", i, 1 + (int)(i % 3), 7, 4);
		s.epsilon = 0.01;
		struct backward t = backward_open(&s, sketch_batch_norm(&s, 0), 2 + (int64_t)i % 3, false);
		const int *in = s.g->nodes[0].in;
		int dy = backward_dy(&t, (enum backward_layout)(i % LAYOUTS));
		int x = backward_value(&t, in[0], (enum backward_layout)(i / 3 % 2));
		int scale = backward_value(&t, in[1], LAYOUT_ROW_MAJOR),
		    shift = backward_value(&t, in[2], LAYOUT_ROW_MAJOR);
		int y = train_node(&t.made, x, scale, shift, false);
		backward_node(&t, OP_BATCH_NORM_GRADIENT, 6, (int[]){ dy, x, -1, scale, y + 1, y + 2 }, 3, in);
		backward_check(&t, 3, in, 3e-5);
		backward_close(&t);
	}
}
END_TEST

/* The same as without ReLU for a dy that is zero wherever y is: to the bit. */
START_TEST(a_batch_norm_with_relu_hands_back_what_the_relu_lets_through)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_random("batch-norm and ReLU", i, 1 + (int)(i % 4), 70, 9);
		int64_t channels = s.g->values[0].shape.dim[1];
		struct shape shape = s.g->values[0].shape;
		int dy = sketch_input(&s, shape.rank - 1, shape.dim + 1);
		int scale = sketch_tensor(&s, -1, 1, 1, &channels), shift = sketch_tensor(&s, -1, 1, 1, &channels);
		int y = train_node(&s, 0, scale, shift, true);
		int masked = sketch_node(&s, OP_UNARY_GRADIENT, 3, (int[]){ dy, -1, y });
		sketch_int(&s, "op", OP_RELU);
		s.g->values[masked].shape = shape;
		for (int k = 0; k < 2; k++) {
			int in[] = { k ? masked : dy, 0, k ? -1 : y, scale, y + 1, y + 2 };
			int dx = sketch_node_of(&s, OP_BATCH_NORM_GRADIENT, 6, in, 3);
			sketch_float(&s, "epsilon", 0.01);
			for (int j = 0; j < 3; j++) {
				set_shape(&s, dx + j, j ? 1 : shape.rank, j ? &channels : shape.dim);
				sketch_output(&s, dx + j);
			}
		}
		struct plan *p = agree_plan(s.g, 5, PLAN_INFER, s.what);
		float *x = agree_input(&s.rng, agree_size(p));
		agree_run(p, x);
		for (int j = 0; j < 3; j++)
			ck_assert(!memcmp(plan_output(p, j), plan_output(p, 3 + j),
				(size_t)(j ? channels : 5 * plan_input_size(p, 0)) * sizeof(float)));
		plan_free(p);
		free(x);
		sketch_close(&s);
	}
}
END_TEST

/* ---- one number ---- */

static void add_parameters(struct sketch *s, enum op op, uint64_t form)
{
	if (op == OP_CLIP && form % 2)
		sketch_float(s, "min", -0.5);
	if (op == OP_CLIP && form % 3)
		sketch_float(s, "max", 0.75);
	if ((op == OP_LEAKY_RELU || op == OP_ELU || op == OP_SELU || op == OP_CELU) && form % 2)
		sketch_float(s, "alpha", form % 3 || op == OP_CELU ? 0.5 : -0.5);
	if (op == OP_THRESHOLDED_RELU)
		sketch_float(s, "alpha", form % 2 ? -0.5 : 0.5);
	if (op == OP_HARD_SIGMOID && form % 2)
		sketch_float(s, "alpha", 0.25);
	if (op == OP_SELU && form % 2)
		sketch_float(s, "gamma", 1.5);
}

static void check_unary(enum op op, uint64_t form)
{
	struct sketch s = open_random(op_table[op].name, form, 1 + (int)(form % 3), 9, 5);
	int y = sketch_one(&s, op, 0);
	add_parameters(&s, op, form);
	bool positive = op == OP_LOG || op == OP_SQRT || op == OP_RECIPROCAL, from_x = unary_gradient_reads(op) == 'x';
	struct backward t = backward_open(&s, y, 3, positive);
	int dy = backward_dy(&t, (enum backward_layout)(form % LAYOUTS));
	int from = backward_value(&t, from_x ? 0 : y, (enum backward_layout)(form / LAYOUTS % 2));
	int in[] = { dy, from_x ? from : -1, from_x ? -1 : from };
	backward_node(&t, OP_UNARY_GRADIENT, 3, in, 1, (int[]){ 0 });
	sketch_int(&t.made, "op", op);
	backward_check(&t, 1, (int[]){ 0 }, positive ? 1e-4 : 1e-5);
	backward_close(&t);
}

START_TEST(an_activation_s_gradient_is_the_derivative)
{
	for (int op = OP_RELU; op <= OP_CLIP; op++)
		for (uint64_t form = 0; form < 2 * LAYOUTS && unary_gradient_reads((enum op)op); form++)
			check_unary((enum op)op, form);
}
END_TEST

START_TEST(steps_alone_have_no_gradient)
{
	for (int op = OP_RELU; op <= OP_CLIP; op++)
		ck_assert_int_eq(!unary_gradient_reads((enum op)op),
			op == OP_SIGN || op == OP_FLOOR || op == OP_CEIL || op == OP_ROUND);
}
END_TEST

/* As PyTorch has it; NaN comes through. */
START_TEST(at_a_kink_the_gradient_is_that_of_pytorch)
{
	static const struct {
		enum op op;
		float at, expected;
	} kinks[] = {
		{ OP_RELU, 0, 0 },
		{ OP_LEAKY_RELU, 0, 0.01f },
		{ OP_ABS, 0, 0 },
		{ OP_CLIP, 6, 0 },
		{ OP_CLIP, 0, 0 },
		{ OP_HARD_SIGMOID, 1, 0 },
		{ OP_HARD_SIGMOID, 0, 0 },
		{ OP_THRESHOLDED_RELU, 1, 0 },
		{ OP_RELU, NAN, 1 },
		{ OP_TANH, NAN, NAN },
		{ OP_ABS, NAN, NAN },
	};
	int64_t dims[] = { 1 };
	struct sketch s = sketch_open("kink", 0, 1, dims);
	int from = sketch_input(&s, 1, dims);
	int dx = sketch_node(&s, OP_UNARY_GRADIENT, 3, (int[]){ 0, from, from });
	sketch_int(&s, "op", kinks[_i].op);
	if (kinks[_i].op == OP_CLIP) {
		sketch_float(&s, "min", 0);
		sketch_float(&s, "max", 6);
	}
	s.g->values[dx].shape = s.g->values[0].shape;
	sketch_output(&s, dx);
	struct plan *p = agree_plan(s.g, 1, PLAN_INFER, s.what);
	float is = *agree_run(p, (float[]){ 1, kinks[_i].at }), expected = kinks[_i].expected;
	ck_assert_msg(isnan(expected) ? isnan(is) : is == expected, "%s: %g, expected %g", op_table[kinks[_i].op].name,
		is, expected);
	plan_free(p);
	sketch_close(&s);
}
END_TEST

/* ---- pooling ---- */

static void random_pooling(struct sketch *s, enum op op, uint64_t form)
{
	int rank = s->g->values[0].shape.rank - 2;
	struct sketch_window w = sketch_random_window(s, 0, true);
	for (int i = 0; i < rank && form % 4 == 0; i++) {
		w = (struct sketch_window){ { 2, 2, 2 }, { 2, 2, 2 }, { 1, 1, 1 }, { 0 }, form % 8 == 0, 0 };
		ck_assert_int_ge(s->g->values[0].shape.dim[2 + i], 2);
	}
	sketch_one(s, op, 0);
	sketch_ints(s, "kernel_shape", rank, w.kernel);
	sketch_ints(s, "strides", rank, w.stride);
	sketch_ints(s, "pads", 2 * rank, w.pads);
	sketch_int(s, "ceil_mode", w.ceil_mode);
	if (op == OP_AVERAGE_POOL)
		sketch_int(s, "count_include_pad", (int64_t)form % 2);
}

static struct sketch open_pooling(const char *what, enum op op, uint64_t form)
{
	struct rng r;
	int64_t dims[4];
	rng_init(&r, 10, form);
	dims[0] = 1 + (int64_t)rng_below(&r, form % 3 ? 5 : 40);
	for (int k = 1; k < 4; k++)
		dims[k] = 2 + (int64_t)rng_below(&r, 5);
	struct sketch s = sketch_open(what, form, 2 + (int)(form / 3 % 3), dims);
	random_pooling(&s, op, form);
	return s;
}

START_TEST(average_pooling_s_gradient_is_the_derivative)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_pooling("average pooling's gradient", OP_AVERAGE_POOL, i);
		struct backward t = backward_open(&s, 1, 1 + (int64_t)i % 2, false);
		int dy = backward_dy(&t, (enum backward_layout)(i % LAYOUTS));
		backward_node(&t, OP_AVERAGE_POOL_GRADIENT, 1, &dy, 1, (int[]){ 0 });
		backward_check(&t, 1, (int[]){ 0 }, 1e-6);
		backward_close(&t);
	}
}
END_TEST

/* The place in x, of one channel of a sample, that the window at `to` takes its maximum from; -1: a window of padding.
 */
static int64_t winner(const struct shape *x, const struct sketch_window *w, const int64_t *to, const float *from)
{
	int64_t best = -1, u[3], kernel[3] = { 1, 1, 1 };
	for (int i = 0; i < x->rank - 2; i++)
		kernel[i] = w->kernel[i];
	for (u[0] = 0; u[0] < kernel[0]; u[0]++)
		for (u[1] = 0; u[1] < kernel[1]; u[1]++)
			for (u[2] = 0; u[2] < kernel[2]; u[2]++) {
				int64_t at = 0;
				bool inside = true;
				for (int i = 0; i < x->rank - 2; i++) {
					int64_t k = to[i] * w->stride[i] - w->pads[i] + u[i] * w->dilation[i];
					inside = inside && k >= 0 && k < x->dim[2 + i];
					at = at * x->dim[2 + i] + k;
				}
				if (inside && (best < 0 || from[at] > from[best]))
					best = at;
			}
	return best;
}

static struct sketch_window window_of(const struct node *n)
{
	struct sketch_window w = { .dilation = { 1, 1, 1 } };
	for (int k = 0; k < n->attribute_count; k++) {
		const struct attribute *a = &n->attributes[k];
		int64_t *to = !strcmp(a->name, "kernel_shape") ? w.kernel
			      : !strcmp(a->name, "strides")    ? w.stride
			      : !strcmp(a->name, "dilations")  ? w.dilation
			      : !strcmp(a->name, "pads")       ? w.pads
							       : NULL;
		if (to)
			memcpy(to, a->ints, a->count * sizeof *to);
	}
	return w;
}

/* What the formula hands back, into ret, which is zero. */
static void hand_back(const struct backward *t, double *ret)
{
	const struct graph *g = t->forward->g;
	const struct shape *x = &g->values[0].shape, *y = &g->values[1].shape;
	struct sketch_window w = window_of(&g->nodes[0]);
	int64_t planes = t->batch * x->dim[1], in = shape_count(x, 1) / x->dim[1], out = shape_count(y, 1) / y->dim[1];
	for (int64_t i = 0; i < planes * out; i++) {
		int64_t to[3], at = i % out;
		for (int k = y->rank - 3; k >= 0; k--) {
			to[k] = at % y->dim[2 + k];
			at /= y->dim[2 + k];
		}
		int64_t from = winner(x, &w, to, t->x + i / out * in);
		if (from >= 0)
			ret[i / out * in + from] += t->dy[i];
	}
}

static void check_max_pool(struct backward *t)
{
	struct errinfo e;
	struct plan *p = agree_plan(t->made.g, t->batch, PLAN_INFER, t->forward->what);
	int64_t count = shape_count(&t->forward->g->values[0].shape, t->batch);
	double *expected = calloc((size_t)count, sizeof *expected);
	for (int i = 0; i < t->in_count; i++)
		memcpy(plan_input(p, i), t->in[i], (size_t)(t->batch * plan_input_size(p, i)) * sizeof(float));
	for (int run = 0; run < 2; run++)
		ck_assert_msg(!plan_run(p, &e), "%s", e.msg);
	hand_back(t, expected);
	for (int64_t i = 0; i < count; i++)
		ck_assert_msg(plan_output(p, 0)[i] == (float)expected[i], "%s: number %lld is %g, expected %g",
			t->forward->what, (long long)i, plan_output(p, 0)[i], expected[i]);
	plan_free(p);
	free(expected);
}

/* Numbers are few, so that many are equal; dy is on a grid, so that sums are exact. */
START_TEST(the_first_of_equal_maxima_takes_all)
{
	for (uint64_t i = 0; i < 2 * SHAPES; i++) {
		struct sketch s = open_pooling("max pooling's gradient", OP_MAX_POOL, i);
		int64_t dilations[] = { 1, 1, 1 };
		dilations[i % 3] = i % 4 == 1 ? 2 : 1;
		int64_t reach = dilations[0] * 4 + 1; /* of the widest kernel */
		if (i % 4 == 1 && s.g->values[0].shape.dim[2] >= reach)
			sketch_ints(&s, "dilations", s.g->values[0].shape.rank - 2, dilations);
		struct backward t = backward_open(&s, 1, 1 + (int64_t)i % 3, false);
		int64_t count = shape_count(&s.g->values[0].shape, t.batch);
		for (int64_t k = 0; k < count; k++)
			t.x[k] = (float)(int)(3 * t.x[k]);
		reference_free(&t.r);
		t.r = reference_run(s.g, t.batch, t.x, true);
		int dy = backward_dy(&t, (enum backward_layout)(i % LAYOUTS));
		int x = backward_value(&t, 0, (enum backward_layout)(i / 3 % 2));
		int y = backward_value(&t, 1, (enum backward_layout)(i / 6 % 2));
		backward_node(&t, OP_MAX_POOL_GRADIENT, 3, (int[]){ dy, x, y }, 1, (int[]){ 0 });
		check_max_pool(&t);
		backward_close(&t);
	}
}
END_TEST

/* ---- sums ---- */

/* Against what was expanded, by any of its dimensions. */
START_TEST(a_sum_over_what_was_broadcast_is_the_derivative_of_broadcasting)
{
	for (uint64_t i = 0; i < SHAPES; i++) {
		struct sketch s = open_random("sum", i, 1 + (int)(i % 4), 20, 4);
		const struct shape *x = &s.g->values[0].shape;
		int64_t dims[SHAPE_MAX_RANK];
		int rank = 1 + (int)(i % (uint64_t)(x->rank - 1 ? x->rank - 1 : 1));
		for (int k = 0; k < rank; k++)
			dims[k] = rng_below(&s.rng, 2) ? 1 : x->dim[x->rank - rank + k];
		int few = sketch_tensor(&s, -1, 1, rank, dims);
		struct backward t = backward_open(&s, sketch_two(&s, OP_MUL, 0, few), 3, false);
		int dy = backward_dy(&t, i % 3 == 1 ? LAYOUT_CHANNELS_LAST : LAYOUT_ROW_MAJOR);
		int by = backward_value(&t, 0, i % 3 == 1 ? LAYOUT_CHANNELS_LAST : LAYOUT_ROW_MAJOR);
		int product = sketch_two(&t.made, OP_MUL, dy, by);
		t.made.g->values[product].shape = s.g->values[0].shape;
		backward_node(&t, OP_SUM_TO, 1, &product, 1, &few);
		backward_check(&t, 1, &few, 1e-5);
		backward_close(&t);
	}
}
END_TEST

/* A spread tensor's numbers are read again and again. */
START_TEST(a_sum_of_what_was_spread_is_a_multiple)
{
	int64_t dims[] = { DIM_BATCH, 5, 3, 4 }, few[] = { 5, 1, 1 };
	struct sketch s = sketch_open("spread", 0, 3, few);
	int wide = sketch_one(&s, OP_SPREAD, 0);
	set_shape(&s, wide, 4, dims);
	int sum = sketch_one(&s, OP_SUM_TO, wide);
	set_shape(&s, sum, 3, few);
	sketch_output(&s, wide);
	sketch_output(&s, sum);
	struct plan *p = agree_plan(s.g, 2, PLAN_INFER, s.what);
	agree_run(p, (float[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 });
	for (int i = 0; i < 2 * 5 * 3 * 4; i++)
		ck_assert_float_eq(plan_output(p, 0)[i], (float)(1 + i / 12));
	for (int c = 0; c < 5; c++)
		ck_assert_float_eq(plan_output(p, 1)[c], (float)(12 * (c + 1 + c + 6)));
	plan_free(p);
	sketch_close(&s);
}
END_TEST

/* Sums in float over all would be off by hundreds of roundings. */
START_TEST(sums_over_batch_and_positions_stay_exact)
{
	int64_t dims[] = { 37, 29, 17 }, permutation[] = { 0, 3, 1, 2 }, channels = 17, by = 0;
	struct sketch s = sketch_open("column sums", 0, 3, dims);
	int y = sketch_one(&s, OP_TRANSPOSE, 0);
	sketch_ints(&s, "perm", 4, permutation);
	int axes[] = { y, sketch_operand(&s, 3, (int64_t[]){ 0, 2, 3 }) };
	set_shape(&s, y, 4, (int64_t[]){ DIM_BATCH, 17, 37, 29 });
	int sum = sketch_node(&s, OP_REDUCE_SUM, 2, axes);
	sketch_int(&s, "keepdims", 0);
	set_shape(&s, sum, 1, &channels);
	int all = sketch_one(&s, OP_SUM_TO, 0);
	set_shape(&s, all, 0, &by);
	sketch_output(&s, sum);
	sketch_output(&s, all);
	struct plan *p = agree_plan(s.g, 16, PLAN_INFER, s.what);
	int64_t count = agree_size(p);
	float *x = agree_input(&s.rng, count);
	double sums[17] = { 0 }, total = 0;
	for (int64_t i = 0; i < count; i++) {
		x[i] += 10;
		sums[i % 17] += x[i];
		total += x[i];
	}
	agree_run(p, x);
	for (int c = 0; c < 17; c++)
		ck_assert_double_eq_tol(plan_output(p, 0)[c], sums[c], 1e-6 * sums[c]);
	ck_assert_double_eq_tol(plan_output(p, 1)[0], total, 1e-6 * total);
	plan_free(p);
	free(x);
	sketch_close(&s);
}
END_TEST

/* ---- weights that are computed ---- */

static struct plan *gemm_plan(struct sketch *s, bool stored, bool transposed, const int64_t *sizes)
{
	int64_t weight[] = { transposed ? sizes[1] : sizes[0], transposed ? sizes[0] : sizes[1] };
	int64_t y_dims[] = { DIM_BATCH, sizes[1] };
	*s = sketch_open("Gemm", 0, 1, sizes);
	int in[] = { 0, 0, 0 };
	if (stored) {
		in[1] = sketch_tensor(s, -1, 1, 2, weight);
		in[2] = sketch_tensor(s, -1, 1, 1, sizes + 1);
	} else {
		in[1] = sketch_input(s, 1, weight + 1);
		in[2] = sketch_input(s, 0, sizes);
		set_shape(s, in[1], 2, weight);
		set_shape(s, in[2], 1, sizes + 1);
	}
	int y = sketch_node(s, OP_GEMM, 3, in);
	sketch_int(s, "transB", transposed);
	sketch_float(s, "alpha", 0.5);
	sketch_float(s, "beta", 3);
	set_shape(s, y, 2, y_dims);
	sketch_output(s, y);
	return agree_plan(s->g, 3, PLAN_INFER, s->what);
}

START_TEST(a_computed_weight_and_addend_count_as_stored_ones)
{
	int64_t sizes[] = { 11, 7 };
	struct sketch s, c;
	struct errinfo e;
	struct plan *stored = gemm_plan(&s, true, _i, sizes), *computed = gemm_plan(&c, false, _i, sizes);
	float *x = agree_input(&s.rng, agree_size(stored));
	memcpy(plan_input(computed, 0), x, 3 * 11 * sizeof *x);
	memcpy(plan_input(computed, 1), s.g->values[1].data, 11 * 7 * sizeof *x);
	memcpy(plan_input(computed, 2), s.g->values[2].data, 7 * sizeof *x);
	agree_run(stored, x);
	for (int run = 0; run < 2; run++)
		ck_assert_msg(!plan_run(computed, &e), "%s", e.msg);
	for (int i = 0; i < 3 * 7; i++)
		ck_assert_float_eq(plan_output(computed, 0)[i], plan_output(stored, 0)[i]);
	plan_free(stored);
	plan_free(computed);
	free(x);
	sketch_close(&s);
	sketch_close(&c);
}
END_TEST

Suite *training_kernel_suite(void)
{
	Suite *suite = suite_create("training kernel");
	TCase *tc = tcase_create("training kernel");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, loss_and_its_gradient_follow_the_formula);
	tcase_add_test(tc, logits_far_from_each_other_give_a_finite_loss);
	tcase_add_loop_test(tc, a_logit_that_is_not_a_number_makes_its_row_so, 0, CLASSES);
	tcase_add_test(tc, a_batch_norm_of_the_batch_follows_its_formula);
	tcase_add_test(tc, a_batch_norm_s_gradient_is_the_derivative);
	tcase_add_test(tc, a_batch_norm_with_relu_hands_back_what_the_relu_lets_through);
	tcase_add_test(tc, an_activation_s_gradient_is_the_derivative);
	tcase_add_test(tc, steps_alone_have_no_gradient);
	tcase_add_loop_test(tc, at_a_kink_the_gradient_is_that_of_pytorch, 0, 11);
	tcase_add_test(tc, average_pooling_s_gradient_is_the_derivative);
	tcase_add_test(tc, the_first_of_equal_maxima_takes_all);
	tcase_add_test(tc, a_sum_over_what_was_broadcast_is_the_derivative_of_broadcasting);
	tcase_add_test(tc, a_sum_of_what_was_spread_is_a_multiple);
	tcase_add_test(tc, sums_over_batch_and_positions_stay_exact);
	tcase_add_loop_test(tc, a_computed_weight_and_addend_count_as_stored_ones, 0, 2);
	suite_add_tcase(suite, tc);
	return suite;
}

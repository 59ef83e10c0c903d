/* slope.c -- a network's gradients and differences of what it computes agree.
 * SPDX-License-Identifier: MIT
 *
 * L(w) = sum of seed * output. Along a direction d the derivative of L is the sum of gradient * d; the difference
 * (L(w + h d) - L(w - h d)) / 2h of the reference, in double, is that up to h^2. With h = 1e-6 that is below 1e-9, and
 * so are the roundings of the difference; what is left is the rounding of the gradient, in float. A sum of K products
 * is off by K u of their sizes (reference.h), the mean over a batch in a normalisation by as much, so 1e-4 of what is
 * summed is some ten times what was seen, and far less than any term that a wrong rule leaves out. Gradients that
 * cancel (of a bias before a batch-norm: exactly zero) leave roundings of the size of the others: 1e-5 of the largest.
 *
 * At a kink (ReLU at 0, equals under a maximum) the difference is no derivative. All numbers are drawn from a
 * continuum by a fixed seed, and none of them is that near to one. */
#include "tests/evaluator/slope.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "evaluator/train/gradient.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/reference.h"
#include "tests/evaluator/sketch.h"

#define STEP 1e-6
#define TOLERANCE 1e-4
#define CANCELLED 1e-5
enum { DIRECTIONS = 2, ELEMENTS = 4 };

struct slope {
	struct sketch *s;
	struct gradient *d;
	struct plan *p;
	const float *x;
	double largest; /* gradient of all */
};

void slope_learn_all(struct sketch *s)
{
	for (int i = 0; i < s->g->value_count; i++) {
		struct value *v = &s->g->values[i];
		v->learned = v->data && v->dtype == DTYPE_FLOAT;
	}
}

/* ---- the training graph ---- */

static void run(struct slope *t)
{
	struct errinfo e;
	const struct graph *g = t->s->g;
	const float *x = t->x;
	for (int i = 0; i < g->input_count; i++) {
		size_t count = (size_t)(plan_batch(t->p) * plan_input_size(t->p, i));
		memcpy(plan_input(t->p, i), x, count * sizeof *x);
		x += count;
	}
	for (int i = 0; i < t->d->parameter_count; i++) {
		const struct parameter *m = &t->d->parameters[i];
		memcpy(plan_input(t->p, m->input), value_floats(&g->values[m->value]), (size_t)m->count * sizeof *x);
	}
	for (int i = 0; i < g->output_count; i++) {
		float *seed = plan_input(t->p, t->d->seed + i);
		int64_t count = shape_count(&g->values[g->outputs[i]].shape, plan_batch(t->p));
		for (int64_t k = 0; k < count; k++)
			seed[k] = (float)rng_normal(&t->s->rng);
	}
	ck_assert_msg(!plan_run_checked(t->p, &e), "%s: %s", t->s->what, e.msg);
}

/* ---- differences ---- */

static double objective(const struct slope *t, const double *const *stored)
{
	const struct graph *g = t->s->g;
	double sum = 0;
	struct reference r = reference_run_with(g, plan_batch(t->p), t->x, true, stored);
	for (int i = 0; i < g->output_count; i++) {
		const struct numbers *y = &r.values[g->outputs[i]];
		const float *seed = plan_input(t->p, t->d->seed + i);
		for (int64_t k = 0; k < y->count; k++)
			sum += seed[k] * y->value[k];
	}
	reference_free(&r);
	return sum;
}

static double moved(const struct slope *t, int value, const double *direction, double by)
{
	const struct value *v = &t->s->g->values[value];
	int64_t count = shape_count(&v->shape, 1);
	const double **stored = calloc((size_t)t->s->g->value_count, sizeof *stored);
	double *numbers = malloc((size_t)count * sizeof *numbers);
	ck_assert(stored && numbers);
	for (int64_t i = 0; i < count; i++)
		numbers[i] = value_floats(v)[i] + by * direction[i];
	stored[value] = numbers;
	double sum = objective(t, stored);
	free(numbers);
	free(stored);
	return sum;
}

static double difference(const struct slope *t, int value, const double *direction)
{
	return (moved(t, value, direction, STEP) - moved(t, value, direction, -STEP)) / (2 * STEP);
}

/* A direction of all numbers, or one number alone. */
static void draw_direction(struct slope *t, int which, double *ret, int64_t count)
{
	memset(ret, 0, (size_t)count * sizeof *ret);
	if (which >= DIRECTIONS)
		ret[rng_below(&t->s->rng, (uint64_t)count)] = 1;
	for (int64_t i = 0; i < count && which < DIRECTIONS; i++)
		ret[i] = rng_normal(&t->s->rng);
}

/* ---- claims ---- */

static void check_direction(struct slope *t, const struct parameter *m, const double *direction)
{
	const float *gradient = plan_output(t->p, m->output);
	double is = 0, size = 0, length = 0;
	for (int64_t i = 0; i < m->count; i++) {
		is += gradient[i] * direction[i];
		size += fabs(gradient[i] * direction[i]);
		length += direction[i] * direction[i];
	}
	double expected = difference(t, m->value, direction);
	double bound = TOLERANCE * size + CANCELLED * t->largest * sqrt(length);
	ck_assert_msg(fabs(is - expected) <= bound, "%s: the gradient of '%s' is %.9g, expected %.9g within %.3g",
		t->s->what, t->s->g->values[m->value].name, is, expected, bound);
}

static bool is_zero(const struct slope *t, const struct parameter *m)
{
	const float *gradient = plan_output(t->p, m->output);
	for (int64_t i = 0; i < m->count; i++)
		if (fabs(gradient[i]) > CANCELLED * t->largest)
			return false;
	return true;
}

static void find_largest(struct slope *t)
{
	for (int i = 0; i < t->d->parameter_count; i++) {
		const struct parameter *m = &t->d->parameters[i];
		const float *gradient = plan_output(t->p, m->output);
		for (int64_t k = 0; k < m->count; k++)
			t->largest = fmax(t->largest, fabs(gradient[k]));
	}
}

/* Bounds, scales, numbers to pad with: they steer, nobody trains them. */
static bool is_operand(const struct graph *g, int value)
{
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		bool operands = n->op == OP_CLIP || n->op == OP_PAD || n->op == OP_RESIZE || n->op == OP_UPSAMPLE;
		for (int k = 1; k < n->in_count && operands; k++)
			if (n->in[k] == value)
				return true;
	}
	return false;
}

static void check_others(struct slope *t)
{
	const struct graph *g = t->s->g;
	for (int i = 0; i < g->value_count; i++) {
		bool parameter = !g->values[i].learned || is_operand(g, i);
		for (int k = 0; k < t->d->parameter_count; k++)
			parameter = parameter || t->d->parameters[k].value == i;
		if (parameter)
			continue;
		int64_t count = shape_count(&g->values[i].shape, 1);
		double *direction = malloc((size_t)count * sizeof *direction);
		ck_assert_ptr_nonnull(direction);
		draw_direction(t, 0, direction, count);
		ck_assert_msg(fabs(difference(t, i, direction)) < 1e-6, "%s: '%s' matters, but is no parameter",
			t->s->what, g->values[i].name);
		free(direction);
	}
}

static struct slope_count check_parameters(struct slope *t)
{
	struct slope_count c = { t->d->parameter_count, 0 };
	for (int i = 0; i < t->d->parameter_count; i++) {
		const struct parameter *m = &t->d->parameters[i];
		double *direction = malloc((size_t)m->count * sizeof *direction);
		ck_assert_ptr_nonnull(direction);
		for (int k = 0; k < DIRECTIONS + ELEMENTS; k++) {
			draw_direction(t, k, direction, m->count);
			check_direction(t, m, direction);
		}
		free(direction);
		c.moving += !is_zero(t, m);
	}
	return c;
}

struct slope_count slope_agree(struct sketch *s, int64_t batch)
{
	struct errinfo e;
	struct slope t = { .s = s };
	int64_t count = 0;
	for (int i = 0; i < s->g->input_count; i++)
		count += shape_count(&s->g->values[s->g->inputs[i]].shape, batch);
	float *x = agree_input(&s->rng, count);
	t.x = x;
	ck_assert_msg(!gradient_open(s->g, &(struct gradient_request){ 0 }, &t.d, &e), "%s: %s", s->what, e.msg);
	t.p = agree_plan(t.d->graph, batch, PLAN_INFER, s->what);
	run(&t);
	find_largest(&t);
	struct slope_count c = check_parameters(&t);
	check_others(&t);
	ck_assert_msg(!c.parameters || c.moving, "%s: all gradients are zero", s->what);
	plan_free(t.p);
	gradient_close(t.d);
	free(x);
	return c;
}

/* slope.c -- a network's gradients and differences of what it computes agree.
 * SPDX-License-Identifier: MIT
 *
 * L(w) = sum of seed * output, or the mean loss. Along a direction d the derivative of L is the sum of gradient * d;
 * the difference (L(w + h d) - L(w - h d)) / 2h of the reference, in double, is that up to h^2. With h = 1e-6 that is
 * below 1e-9, and so are the roundings of the difference; what is left is the rounding of the gradient, in float. A sum
 * of K products is off by K u of their sizes (reference.h), the mean over a batch in a normalisation by as much, so
 * 1e-4 of what is summed is some ten times what was seen, and far less than any term that a wrong rule leaves out.
 * Gradients that cancel (of a bias before a batch-norm: exactly zero) leave roundings of the size of the others: 1e-5
 * of the largest.
 *
 * At a kink (ReLU at 0, equals under a maximum) the difference is no derivative. All numbers are drawn from a continuum
 * by a fixed seed, and in small networks none of them is that near to one; in whole ones some of some hundred thousand
 * may be, each of which is as small a part of the sum. */
#include "tests/evaluator/slope.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/reference.h"
#include "tests/evaluator/sketch.h"

#define STEP 1e-6
#define TOLERANCE 1e-4
#define CANCELLED 1e-5
enum { DIRECTIONS = 2, ELEMENTS = 4 };

struct slope {
	const struct graph *g;
	const char *what;
	struct rng *rng;
	const struct gradient_request *request;
	struct gradient *d;
	struct plan *p;
	float *x;
	double largest; /* gradient of all */
	double **directions; /* by value, NULL: it stays */
};

void slope_learn_all(struct sketch *s)
{
	for (int i = 0; i < s->g->value_count; i++) {
		struct value *v = &s->g->values[i];
		v->learned = v->data && v->dtype == DTYPE_FLOAT;
	}
}

/* ---- the training graph ---- */

static int64_t numbers_of(const struct slope *t, int value)
{
	return shape_count(&t->g->values[value].shape, plan_batch(t->p));
}

static void draw(struct slope *t, int port, int64_t count)
{
	for (int64_t k = 0; k < count; k++)
		plan_input(t->p, port)[k] = (float)rng_normal(t->rng);
}

/* Rows that sum to 1: a class, and a bit of all. */
static void draw_target(struct slope *t)
{
	int64_t classes = plan_output_size(t->p, 0);
	for (int64_t i = 0; i < plan_batch(t->p); i++) {
		float *row = plan_input(t->p, t->d->target) + i * classes;
		for (int64_t k = 0; k < classes; k++)
			row[k] = 0.1f / (float)classes;
		row[rng_below(t->rng, (uint64_t)classes)] += 0.9f;
	}
}

static void fill(struct slope *t)
{
	const float *x = t->x;
	for (int i = 0; i < t->g->input_count; i++) {
		int64_t count = numbers_of(t, t->g->inputs[i]);
		memcpy(plan_input(t->p, i), x, (size_t)count * sizeof *x);
		x += count;
	}
	for (int i = 0; i < t->d->parameter_count; i++) {
		const struct parameter *m = &t->d->parameters[i];
		memcpy(plan_input(t->p, m->input), value_floats(&t->g->values[m->value]), (size_t)m->count * sizeof *x);
	}
	for (int i = 0; i < t->g->output_count && t->d->seed >= 0; i++)
		draw(t, t->d->seed + i, numbers_of(t, t->g->outputs[i]));
	if (t->d->target >= 0)
		draw_target(t);
	if (t->d->teacher >= 0)
		draw(t, t->d->teacher, numbers_of(t, t->g->outputs[0]));
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

static void start(struct slope *t, int64_t batch)
{
	struct errinfo e;
	int64_t count = 0;
	ck_assert_msg(!gradient_open(t->g, t->request, &t->d, &e), "%s: %s", t->what, e.msg);
	t->p = agree_plan(t->d->graph, batch, PLAN_INFER, t->what);
	for (int i = 0; i < t->g->input_count; i++)
		count += numbers_of(t, t->g->inputs[i]);
	t->x = agree_input(t->rng, count);
	t->directions = calloc((size_t)t->g->value_count, sizeof *t->directions);
	ck_assert_ptr_nonnull(t->directions);
	fill(t);
	ck_assert_msg(!plan_run_checked(t->p, &e), "%s: %s", t->what, e.msg);
	find_largest(t);
}

static void finish(struct slope *t)
{
	plan_free(t->p);
	gradient_close(t->d);
	free(t->directions);
	free(t->x);
}

/* ---- what is minimised ---- */

static double seeded(const struct slope *t, const struct reference *r)
{
	double sum = 0;
	for (int i = 0; i < t->g->output_count; i++) {
		const struct numbers *y = &r->values[t->g->outputs[i]];
		const float *seed = plan_input(t->p, t->d->seed + i);
		for (int64_t k = 0; k < y->count; k++)
			sum += seed[k] * y->value[k];
	}
	return sum;
}

/* log softmax(z / T) at k */
static double log_share(const double *z, int64_t classes, double temperature, int64_t k)
{
	double sum = 0;
	for (int64_t i = 0; i < classes; i++)
		sum += exp((z[i] - z[k]) / temperature);
	return -log(sum);
}

/* Cross-entropy with the target, and T^2 times the divergence of both softened answers (Hinton et al. 2015). */
static double loss_of(const struct slope *t, const double *z, int64_t row, int64_t classes)
{
	const float *target = plan_input(t->p, t->d->target) + row * classes;
	double entropy = 0, divergence = 0, weight = 0, at = (double)t->request->temperature, teacher[16];
	ck_assert_int_le(classes, 16);
	for (int64_t k = 0; k < classes; k++)
		entropy -= target[k] * log_share(z, classes, 1, k);
	if (t->d->teacher < 0)
		return entropy;
	for (int64_t k = 0; k < classes; k++)
		teacher[k] = plan_input(t->p, t->d->teacher)[row * classes + k];
	for (int64_t k = 0; k < classes; k++) {
		double q = log_share(teacher, classes, at, k);
		divergence += exp(q) * (q - log_share(z, classes, at, k));
	}
	weight = (double)t->request->weight;
	return (1 - weight) * entropy + weight * at * at * divergence;
}

static double mean_loss(const struct slope *t, const struct reference *r)
{
	const struct numbers *logits = &r->values[gradient_logits(t->g)];
	int64_t batch = plan_batch(t->p), classes = logits->count / batch;
	double sum = 0;
	for (int64_t i = 0; i < batch; i++)
		sum += loss_of(t, logits->value + i * classes, i, classes);
	return sum / (double)batch;
}

/* L with the learned tensors moved along their directions. */
static double objective(const struct slope *t, double by)
{
	const double **stored = calloc((size_t)t->g->value_count, sizeof *stored);
	struct arena *a = arena_new();
	ck_assert(stored && a);
	for (int i = 0; i < t->g->value_count; i++) {
		if (!t->directions[i])
			continue;
		int64_t count = shape_count(&t->g->values[i].shape, 1);
		double *numbers = ARENA_ARRAY(a, double, (size_t)count);
		ck_assert_ptr_nonnull(numbers);
		for (int64_t k = 0; k < count; k++)
			numbers[k] = value_floats(&t->g->values[i])[k] + by * t->directions[i][k];
		stored[i] = numbers;
	}
	struct reference r = reference_run_with(t->g, plan_batch(t->p), t->x, true, stored);
	double sum = t->d->seed >= 0 ? seeded(t, &r) : mean_loss(t, &r);
	reference_free(&r);
	arena_free(a);
	free(stored);
	return sum;
}

static double difference(const struct slope *t)
{
	return (objective(t, STEP) - objective(t, -STEP)) / (2 * STEP);
}

/* ---- directions ---- */

static double *new_direction(struct slope *t, int value)
{
	double *d = calloc((size_t)shape_count(&t->g->values[value].shape, 1), sizeof *d);
	ck_assert_ptr_nonnull(d);
	t->directions[value] = d;
	return d;
}

/* All numbers of a tensor, or one alone. */
static void point_at_all(struct slope *t, int value)
{
	double *d = new_direction(t, value);
	for (int64_t i = 0; i < shape_count(&t->g->values[value].shape, 1); i++)
		d[i] = rng_normal(t->rng);
}

static void point_at_one(struct slope *t, int value)
{
	int64_t count = shape_count(&t->g->values[value].shape, 1);
	new_direction(t, value)[rng_below(t->rng, (uint64_t)count)] = 1;
}

static void forget(struct slope *t)
{
	for (int i = 0; i < t->g->value_count; i++) {
		free(t->directions[i]);
		t->directions[i] = NULL;
	}
}

/* ---- claims ---- */

static void check_directions(struct slope *t, const char *of)
{
	double is = 0, size = 0, length = 0;
	for (int i = 0; i < t->d->parameter_count; i++) {
		const struct parameter *m = &t->d->parameters[i];
		const float *gradient = plan_output(t->p, m->output);
		const double *direction = t->directions[m->value];
		for (int64_t k = 0; k < m->count && direction; k++) {
			is += gradient[k] * direction[k];
			size += fabs(gradient[k] * direction[k]);
			length += direction[k] * direction[k];
		}
	}
	double expected = difference(t), bound = TOLERANCE * size + CANCELLED * t->largest * sqrt(length);
	ck_assert_msg(fabs(is - expected) <= bound, "%s: the gradient of '%s' is %.9g, expected %.9g within %.3g",
		t->what, of, is, expected, bound);
	forget(t);
}

static bool is_zero(const struct slope *t, const struct parameter *m)
{
	const float *gradient = plan_output(t->p, m->output);
	for (int64_t i = 0; i < m->count; i++)
		if (fabs(gradient[i]) > CANCELLED * t->largest)
			return false;
	return true;
}

static struct slope_count check_parameters(struct slope *t)
{
	struct slope_count c = { t->d->parameter_count, 0 };
	for (int i = 0; i < t->d->parameter_count; i++) {
		const struct parameter *m = &t->d->parameters[i];
		for (int k = 0; k < DIRECTIONS + ELEMENTS; k++) {
			if (k < DIRECTIONS)
				point_at_all(t, m->value);
			else
				point_at_one(t, m->value);
			check_directions(t, t->g->values[m->value].name);
		}
		c.moving += !is_zero(t, m);
	}
	return c;
}

/* Bounds, scales, numbers to pad with, exponents: they steer, nobody trains them. */
static bool is_operand(const struct graph *g, int value)
{
	for (int i = 0; i < g->node_count; i++) {
		const struct node *n = &g->nodes[i];
		bool operands = n->op == OP_CLIP || n->op == OP_PAD || n->op == OP_RESIZE || n->op == OP_UPSAMPLE ||
				n->op == OP_POW;
		for (int k = 1; k < n->in_count && operands; k++)
			if (n->in[k] == value)
				return true;
	}
	return false;
}

static void check_others(struct slope *t)
{
	for (int i = 0; i < t->g->value_count; i++) {
		bool parameter = !t->g->values[i].learned || is_operand(t->g, i);
		for (int k = 0; k < t->d->parameter_count; k++)
			parameter = parameter || t->d->parameters[k].value == i;
		if (parameter)
			continue;
		point_at_all(t, i);
		ck_assert_msg(fabs(difference(t)) < 1e-6, "%s: '%s' matters, but is no parameter", t->what,
			t->g->values[i].name);
		forget(t);
	}
}

/* The value for each sample that comes out is the one whose mean is minimised. */
static void check_loss(struct slope *t)
{
	double sum = 0, expected = objective(t, 0);
	int64_t batch = plan_batch(t->p);
	for (int64_t i = 0; i < batch; i++)
		sum += plan_output(t->p, t->d->loss)[i];
	ck_assert_msg(fabs(sum / (double)batch - expected) <= TOLERANCE * (1 + fabs(expected)),
		"%s: the loss is %.9g, expected %.9g", t->what, sum / (double)batch, expected);
}

struct slope_count slope_agree(struct sketch *s, int64_t batch, const struct gradient_request *r)
{
	struct slope t = { .g = s->g, .what = s->what, .rng = &s->rng, .request = r };
	start(&t, batch);
	if (r->loss)
		check_loss(&t);
	struct slope_count c = check_parameters(&t);
	check_others(&t);
	ck_assert_msg(!c.parameters || c.moving, "%s: all gradients are zero", s->what);
	finish(&t);
	return c;
}

void slope_agree_whole(const struct graph *g, const char *what, int64_t batch)
{
	struct rng rng;
	struct slope t = { .g = g, .what = what, .rng = &rng, .request = &(struct gradient_request){ .loss = true } };
	rng_init(&rng, 12, 1);
	start(&t, batch);
	check_loss(&t);
	for (int i = 0; i < t.d->parameter_count; i++)
		point_at_all(&t, t.d->parameters[i].value);
	check_directions(&t, "all");
	int one = t.d->parameters[rng_below(&rng, (uint64_t)t.d->parameter_count)].value;
	point_at_all(&t, one);
	check_directions(&t, g->values[one].name);
	finish(&t);
}

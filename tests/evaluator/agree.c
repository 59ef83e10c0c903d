/* agree.c -- a plan and the reference agree about a network.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/agree.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/reference.h"
#include "tests/evaluator/sketch.h"

const int64_t agree_batches[2] = { 1, 7 };

struct plan *agree_plan(const struct graph *g, int64_t batch, enum plan_mode mode, const char *what)
{
	struct plan *p;
	struct errinfo e;
	ck_assert_msg(!plan_new(g, batch, mode, &p, &e), "%s: %s", what, e.msg);
	return p;
}

int64_t agree_size(const struct plan *p)
{
	int64_t count = 0;
	for (int i = 0; i < plan_input_count(p); i++)
		count += plan_batch(p) * plan_input_size(p, i);
	return count;
}

const float *agree_run(struct plan *p, const float *x)
{
	struct errinfo e;
	for (int i = 0; i < plan_input_count(p); i++) {
		int64_t count = plan_batch(p) * plan_input_size(p, i);
		memcpy(plan_input(p, i), x, (size_t)count * sizeof *x);
		x += count;
	}
	ck_assert_msg(!plan_run(p, &e), "%s", e.msg);
	return plan_output(p, 0);
}

float *agree_input(struct rng *r, int64_t count)
{
	float *x = malloc((size_t)count * sizeof *x);
	ck_assert_ptr_nonnull(x);
	for (int64_t i = 0; i < count; i++)
		x[i] = (float)rng_normal(r);
	return x;
}

/* Each number within its bound, and the bounds small enough to mean something: what is wrong is wrong by its size. */
static void check_numbers(const double *value, const double *bound, int64_t count, const float *is, const char *what)
{
	double largest = 0, widest = 0;
	for (int64_t i = 0; i < count; i++) {
		ck_assert_msg(fabs(is[i] - value[i]) <= bound[i], "%s: number %lld is %.9g, expected %.9g within %.3g",
			what, (long long)i, is[i], value[i], bound[i]);
		largest = fmax(largest, fabs(value[i]));
		widest = fmax(widest, bound[i]);
	}
	ck_assert_msg(widest <= 0.1 * largest + 1e-5, "%s: %g within %g says nothing", what, largest, widest);
}

static void check_output(const struct sketch *s, const struct reference *r, const struct plan *p, int which)
{
	int value = s->g->outputs[which];
	const struct numbers *expected = &r->values[value];
	struct shape declared = s->g->values[value].shape;
	for (int i = 0; i < declared.rank; i++)
		declared.dim[i] = dim_size(declared.dim[i], plan_batch(p));
	ck_assert_msg(shape_equal(&declared, &expected->shape), "%s: the shape of output %d is wrong", s->what, which);
	ck_assert_int_eq(plan_batch(p) * plan_output_size(p, which), expected->count);
	check_numbers(expected->value, expected->bound, expected->count, plan_output(p, which), s->what);
}

/* Every value that is computed. */
static void check_values(const struct sketch *s, const struct reference *r, const struct plan *p)
{
	for (int i = 0; i < s->g->value_count; i++) {
		const struct numbers *expected = &r->values[i];
		if (s->g->values[i].data)
			continue;
		float *y = malloc((size_t)expected->count * sizeof *y);
		ck_assert_ptr_nonnull(y);
		plan_value(p, i, y);
		check_numbers(expected->value, expected->bound, expected->count, y, s->what);
		free(y);
	}
}

void agree_moments(const struct sketch *s, const struct reference *r, const struct plan *p)
{
	for (int i = 0; i < s->g->node_count; i++) {
		if (s->g->nodes[i].op != OP_BATCH_NORM)
			continue;
		int64_t count = 0;
		const float *mean, *variance;
		const struct moments *m = &r->moments[i];
		const struct numbers *x = &r->values[s->g->nodes[i].in[0]];
		plan_statistics(p, i, &mean, &variance, &count);
		ck_assert_int_eq(count * x->shape.dim[1], x->count);
		check_numbers(m->mean, m->mean_bound, x->shape.dim[1], mean, s->what);
		check_numbers(m->variance, m->variance_bound, x->shape.dim[1], variance, s->what);
	}
}

void agree_sketch(struct sketch *s, int output, enum plan_mode mode)
{
	sketch_finish(s, output);
	int64_t batch = mode == PLAN_CALIBRATE ? 7 : agree_batches[rng_below(&s->rng, 2)];
	struct plan *p = agree_plan(s->g, batch, mode, s->what);
	float *x = agree_input(&s->rng, agree_size(p));
	struct reference r = reference_run(s->g, batch, x, mode == PLAN_CALIBRATE);
	agree_run(p, x);
	for (int i = 0; i < plan_output_count(p); i++)
		check_output(s, &r, p, i);
	if (mode == PLAN_CALIBRATE)
		agree_moments(s, &r, p);
	if (mode == PLAN_OBSERVE)
		check_values(s, &r, p);
	reference_free(&r);
	plan_free(p);
	free(x);
	sketch_close(s);
}

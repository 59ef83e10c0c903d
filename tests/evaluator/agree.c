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

const float *agree_run(struct plan *p, const float *x)
{
	const float *y;
	struct errinfo e;
	memcpy(plan_input(p), x, (size_t)(plan_batch(p) * plan_input_size(p)) * sizeof *x);
	ck_assert_msg(!plan_run(p, &y, &e), "%s", e.msg);
	return y;
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

/* Maps come out channels-last: brings them into ONNX's order. */
static float *in_order(const struct shape *s, int64_t count, const float *y)
{
	float *x = malloc((size_t)count * sizeof *x);
	ck_assert_ptr_nonnull(x);
	int64_t channels = s->dim[1], area = s->rank == 4 ? s->dim[2] * s->dim[3] : 1;
	for (int64_t i = 0; i < count; i++) {
		int64_t c = i / area % channels, batch = i / area / channels;
		x[i] = s->rank == 4 ? y[(batch * area + i % area) * channels + c] : y[i];
	}
	return x;
}

static void check_output(const struct sketch *s, const struct reference *r, const struct plan *p, const float *y)
{
	const struct numbers *expected = &r->values[s->g->outputs[0]];
	struct shape declared = s->g->values[s->g->outputs[0]].shape;
	declared.dim[0] = plan_batch(p);
	ck_assert_msg(shape_equal(&declared, &expected->shape), "%s: the output's shape is wrong", s->what);
	ck_assert_int_eq(plan_batch(p) * plan_output_size(p), expected->count);
	float *ordered = in_order(&expected->shape, expected->count, y);
	check_numbers(expected->value, expected->bound, expected->count, ordered, s->what);
	free(ordered);
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
	float *x = agree_input(&s->rng, batch * plan_input_size(p));
	struct reference r = reference_run(s->g, batch, x, mode == PLAN_CALIBRATE);
	check_output(s, &r, p, agree_run(p, x));
	if (mode == PLAN_CALIBRATE)
		agree_moments(s, &r, p);
	reference_free(&r);
	plan_free(p);
	free(x);
	sketch_close(s);
}

/* activation.c -- how large the numbers are that a network computes.
 * SPDX-License-Identifier: MIT */
#include "evaluator/measure/activation.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/data/dataset.h"
#include "evaluator/data/sample.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/measure/batch.h"
#include "evaluator/model/graph.h"

/* Nothing is recycled while values are read: few images at a time. */
enum { MOST_IMAGES = 16 };

/* What is read, and room for the largest of it. */
struct reading {
	const struct graph *g;
	struct plan *plan;
	int count;
	const int *values, *dims;
	double *const *sums;
	float *numbers;
};

/* Adds |x| / (outer * inner) at each index of a dimension of (outer, n, inner). */
static void add_value(const struct reading *r, int i, int64_t batch)
{
	const struct shape *s = &r->g->values[r->values[i]].shape;
	int64_t n = dim_size(s->dim[r->dims[i]], batch), inner = 1;
	for (int dim = r->dims[i] + 1; dim < s->rank; dim++)
		inner *= dim_size(s->dim[dim], batch);
	int64_t outer = shape_count(s, batch) / (n * inner);
	const float *x = r->numbers;
	plan_value(r->plan, r->values[i], r->numbers);
	for (int64_t o = 0; o < outer; o++)
		for (int64_t k = 0; k < n; k++)
			for (int64_t j = 0; j < inner; j++)
				r->sums[i][k] += fabs((double)*x++) / (double)(outer * inner);
}

static enum err run_batches(const struct reading *r, const struct sample *sample, const uint32_t *order, size_t batches,
	struct errinfo *e)
{
	uint32_t labels[MOST_IMAGES];
	int64_t batch = plan_batch(r->plan);
	for (size_t b = 0; b < batches; b++) {
		if (sample->stop && atomic_load(sample->stop))
			return err_set(e, ERR_GONE, "stopped");
		split_batch(sample->split, order, b * (size_t)batch, (size_t)batch, plan_input(r->plan, 0), labels);
		enum err err = b ? plan_run(r->plan, e) : plan_run_checked(r->plan, e);
		if (err)
			return err;
		for (int i = 0; i < r->count; i++)
			add_value(r, i, batch);
	}
	return ERR_OK;
}

static int64_t largest(const struct reading *r, int64_t batch)
{
	int64_t most = 1;
	for (int i = 0; i < r->count; i++) {
		int64_t size = shape_count(&r->g->values[r->values[i]].shape, batch);
		most = size > most ? size : most;
	}
	return most;
}

static void divide(const struct reading *r, double by)
{
	for (int i = 0; i < r->count; i++)
		for (int64_t k = 0; k < dim_size(r->g->values[r->values[i]].shape.dim[r->dims[i]], 1); k++)
			r->sums[i][k] /= by;
}

enum err activation_means(const struct graph *g, int count, const int *values, const int *dims,
	double *const *ret_means, void *arg, struct errinfo *e)
{
	const struct sample *sample = arg;
	struct reading r = { .g = g, .count = count, .values = values, .dims = dims, .sums = ret_means };
	size_t images = sample_count(sample), batch = batch_choose_whole(g, images, MOST_IMAGES);
	uint32_t *order = NULL;
	enum err err = score_check(g, sample->split, e);
	if (!err && !images)
		err = err_set(e, ERR_INPUT, "there are no images to look at activations with");
	if (!err)
		err = plan_new(g, (int64_t)batch, PLAN_OBSERVE, &r.plan, e);
	if (!err)
		err = sample_order(sample, &order, e);
	r.numbers = err ? NULL : calloc((size_t)largest(&r, (int64_t)batch), sizeof *r.numbers);
	if (!err && !r.numbers)
		err = err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = run_batches(&r, sample, order, images / batch, e);
	if (!err)
		divide(&r, (double)(images / batch));
	free(r.numbers);
	free(order);
	plan_free(r.plan);
	return err;
}

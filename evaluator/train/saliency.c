/* saliency.c -- how much the loss would change if a weight were zero.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/saliency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/sample.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/model/graph.h"
#include "evaluator/train/gradient.h"
#include "evaluator/train/hessian.h"

enum { BATCH = 32, PROBES = 32 };

/* All parameters as one vector. */
struct looking {
	const struct graph *g;
	const struct sample *sample;
	uint32_t *order; /* of its images */
	uint64_t seed;
	struct gradient *gradient;
	struct plan *plan;
	struct arena *arena;
	size_t batches, n;
	float *weights;   /* as they are */
	double *figures;  /* what is found out about each */
	float *one;       /* gradient of a batch */
	struct errinfo *e;
};

static enum err no_memory(struct looking *l)
{
	return err_set(l->e, ERR_MEMORY, "out of memory for saliencies");
}

static void put_weights(struct looking *l, const float *w)
{
	for (int i = 0; i < l->gradient->parameter_count; i++) {
		const struct parameter *p = &l->gradient->parameters[i];
		memcpy(plan_input(l->plan, p->input), w, (size_t)p->count * sizeof *w);
		w += p->count;
	}
}

static void get_gradient(const struct looking *l, float *ret)
{
	for (int i = 0; i < l->gradient->parameter_count; i++) {
		const struct parameter *p = &l->gradient->parameters[i];
		memcpy(ret, plan_output(l->plan, p->output), (size_t)p->count * sizeof *ret);
		ret += p->count;
	}
}

static enum err run_batch(struct looking *l, size_t b, struct errinfo *e)
{
	uint32_t labels[BATCH];
	size_t batch = (size_t)plan_batch(l->plan), classes = (size_t)plan_output_size(l->plan, 0);
	float *target = plan_input(l->plan, l->gradient->target);
	if (l->sample->stop && atomic_load(l->sample->stop))
		return err_set(e, ERR_GONE, "stopped");
	split_batch(l->sample->split, l->order, b * batch, batch, plan_input(l->plan, 0), labels);
	memset(target, 0, batch * classes * sizeof *target);
	for (size_t i = 0; i < batch; i++)
		target[i * classes + labels[i]] = 1;
	return plan_run(l->plan, e);
}

static enum err check_finite(struct looking *l)
{
	for (size_t k = 0; k < l->n; k++)
		if (!isfinite(l->figures[k]))
			return err_set(l->e, ERR_INPUT, "the gradient is not finite: the network has diverged");
	return ERR_OK;
}

static enum err taylor(struct looking *l)
{
	put_weights(l, l->weights);
	for (size_t b = 0; b < l->batches; b++) {
		enum err err = run_batch(l, b, l->e);
		if (err)
			return err;
		get_gradient(l, l->one);
		for (size_t k = 0; k < l->n; k++) {
			double change = (double)l->one[k] * l->weights[k];
			l->figures[k] += change * change / (double)l->batches;
		}
	}
	return ERR_OK;
}

/* The gradient over all images, at w. */
static enum err whole_gradient(const float *w, float *ret, void *arg, struct errinfo *e)
{
	struct looking *l = arg;
	put_weights(l, w);
	memset(ret, 0, l->n * sizeof *ret);
	for (size_t b = 0; b < l->batches; b++) {
		enum err err = run_batch(l, b, e);
		if (err)
			return err;
		get_gradient(l, l->one);
		for (size_t k = 0; k < l->n; k++)
			ret[k] += l->one[k] / (float)l->batches;
	}
	return ERR_OK;
}

/* A hundredth of what is usual in its tensor: far above rounding, and the loss is nearly a parabola over it. */
static void choose_steps(const struct looking *l, float *ret)
{
	const float *w = l->weights;
	for (int i = 0; i < l->gradient->parameter_count; i++) {
		int64_t count = l->gradient->parameters[i].count;
		double squares = 0;
		for (int64_t k = 0; k < count; k++)
			squares += (double)w[k] * w[k];
		float step = (float)fmax(1e-2 * sqrt(squares / (double)count), 1e-4);
		for (int64_t k = 0; k < count; k++)
			*ret++ = step;
		w += count;
	}
}

static enum err obd(struct looking *l)
{
	struct rng rng;
	float *step = ARENA_ARRAY(l->arena, float, l->n);
	if (!step)
		return no_memory(l);
	choose_steps(l, step);
	rng_init(&rng, l->seed, 0x6f6264); /* a stream of its own */
	struct hessian_request r = { .w = l->weights, .step = step, .n = l->n, .probes = PROBES, .rng = &rng,
		.gradient = whole_gradient, .arg = l };
	enum err err = hessian_diagonal(&r, l->figures, l->e);
	for (size_t k = 0; k < l->n && !err; k++)
		l->figures[k] = fmax(0, l->figures[k]) * l->weights[k] * l->weights[k] / 2;
	return err;
}

static enum err open_looking(struct looking *l)
{
	struct gradient_request request = { .loss = true };
	const struct split *s = l->sample->split;
	size_t images = sample_count(l->sample);
	size_t batch = images < BATCH ? images : BATCH;
	if (batch < 2)
		return err_set(l->e, ERR_INPUT, "there are %zu images to look at gradients with, expected at least 2",
			images);
	l->batches = images / batch;
	enum err err = score_check(l->g, s, l->e);
	if (!err)
		err = sample_order(l->sample, &l->order, l->e);
	if (!err)
		err = gradient_open(l->g, &request, &l->gradient, l->e);
	if (!err)
		err = plan_new(l->gradient->graph, (int64_t)batch, PLAN_INFER, &l->plan, l->e);
	for (int i = 0; !err && i < l->gradient->parameter_count; i++)
		l->n += (size_t)l->gradient->parameters[i].count;
	if (err)
		return err;
	l->weights = ARENA_ARRAY(l->arena, float, l->n);
	l->figures = ARENA_ARRAY(l->arena, double, l->n);
	l->one = ARENA_ARRAY(l->arena, float, l->n);
	return l->weights && l->figures && l->one ? ERR_OK : no_memory(l);
}

static void read_weights(const struct looking *l)
{
	float *to = l->weights;
	for (int i = 0; i < l->gradient->parameter_count; i++) {
		const struct parameter *p = &l->gradient->parameters[i];
		memcpy(to, value_floats(&l->g->values[p->value]), (size_t)p->count * sizeof *to);
		to += p->count;
	}
}

static enum err hand_out(struct looking *l, struct arena *a, const float **ret)
{
	const double *from = l->figures;
	memset(ret, 0, (size_t)l->g->value_count * sizeof *ret);
	for (int i = 0; i < l->gradient->parameter_count; i++) {
		const struct parameter *p = &l->gradient->parameters[i];
		float *figures = ARENA_ARRAY(a, float, (size_t)p->count);
		if (!figures)
			return no_memory(l);
		for (int64_t k = 0; k < p->count; k++)
			figures[k] = (float)*from++;
		ret[p->value] = figures;
	}
	return ERR_OK;
}

enum err saliency_of(const struct graph *g, bool second_order, uint64_t seed, struct arena *a, const float **ret,
	void *sample, struct errinfo *e)
{
	struct looking l = { .g = g, .sample = sample, .seed = seed, .arena = arena_new(), .e = e };
	enum err err = l.arena ? open_looking(&l) : no_memory(&l);
	if (!err) {
		read_weights(&l);
		err = second_order ? obd(&l) : taylor(&l);
	}
	if (!err)
		err = check_finite(&l);
	if (!err)
		err = hand_out(&l, a, ret);
	plan_free(l.plan);
	gradient_close(l.gradient);
	free(l.order);
	arena_free(l.arena);
	return err;
}

/* teacher.c -- what the unpruned network says of the training images.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/teacher.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/data/dataset.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/model/graph.h"
#include "evaluator/train/gradient.h"

struct teacher {
	const struct graph *g;
	struct plan *plan; /* for the batch size last asked for */
	size_t images, classes;
	float *logits; /* (images, classes), NULL when they are not kept */
	bool *known;
	size_t known_count;
};

static void drop_plan(struct teacher *t)
{
	plan_free(t->plan);
	t->plan = NULL;
}

static enum err check(const struct graph *g, const struct split *images, int64_t classes, struct errinfo *e)
{
	enum err err = score_check(g, images, e);
	if (err)
		return err_wrap(e, "teacher");
	int64_t own = g->values[g->outputs[0]].shape.dim[1];
	if (own != classes)
		return err_set(e, ERR_INPUT,
			"teacher: it has %lld classes, expected %lld as the network that it teaches", (long long)own,
			(long long)classes);
	return ERR_OK;
}

static enum err reserve(struct teacher *t, struct errinfo *e)
{
	if (t->images > TEACHER_MOST_BYTES / sizeof(float) / t->classes)
		return ERR_OK;
	t->logits = malloc(t->images * t->classes * sizeof *t->logits + 1);
	t->known = calloc(t->images + 1, sizeof *t->known);
	return t->logits && t->known ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory for the teacher's logits");
}

enum err teacher_open(const struct graph *g, const struct split *images, int64_t classes, struct teacher **ret,
	struct errinfo *e)
{
	enum err err = check(g, images, classes, e);
	if (err)
		return err;
	struct teacher *t = calloc(1, sizeof *t);
	if (!t)
		return err_set(e, ERR_MEMORY, "out of memory");
	*t = (struct teacher){ .g = g, .images = images->count, .classes = (size_t)classes };
	err = reserve(t, e);
	if (err)
		teacher_close(t);
	else
		*ret = t;
	return err;
}

void teacher_close(struct teacher *t)
{
	if (!t)
		return;
	plan_free(t->plan);
	free(t->logits);
	free(t->known);
	free(t);
}

static bool all_known(const struct teacher *t, const uint32_t *which, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!t->known[which[i]])
			return false;
	return true;
}

/* Of a network that ends in a Softmax the logarithms will do: they are its logits but for a number that all classes of
 * an image have in common. */
static void undo_softmax(float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		x[i] = logf(fmaxf(x[i], FLT_MIN));
}

static enum err compute(struct teacher *t, size_t n, const float *x, float *ret, struct errinfo *e)
{
	enum err err = ERR_OK;
	if (t->plan && plan_batch(t->plan) != (int64_t)n)
		drop_plan(t);
	if (!t->plan)
		err = plan_new(t->g, (int64_t)n, PLAN_INFER, &t->plan, e);
	if (err)
		return err;
	memcpy(plan_input(t->plan, 0), x, n * (size_t)plan_input_size(t->plan, 0) * sizeof *x);
	err = plan_run(t->plan, e);
	if (err)
		return err;
	memcpy(ret, plan_output(t->plan, 0), n * t->classes * sizeof *ret);
	if (gradient_logits(t->g) != t->g->outputs[0])
		undo_softmax(ret, n * t->classes);
	return ERR_OK;
}

enum err teacher_logits(
	struct teacher *t, const uint32_t *which, size_t n, const float *x, float *ret, struct errinfo *e)
{
	size_t row = t->classes * sizeof *ret;
	if (!which || !t->logits)
		return compute(t, n, x, ret, e);
	if (all_known(t, which, n)) {
		for (size_t i = 0; i < n; i++)
			memcpy(ret + i * t->classes, t->logits + which[i] * t->classes, row);
		return ERR_OK;
	}
	enum err err = compute(t, n, x, ret, e);
	for (size_t i = 0; i < n && !err; i++) {
		memcpy(t->logits + which[i] * t->classes, ret + i * t->classes, row);
		t->known_count += !t->known[which[i]];
		t->known[which[i]] = true;
	}
	if (t->known_count == t->images)
		drop_plan(t);
	return err;
}

/* optimizer.c -- how weights follow their gradients.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/optimizer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/trainspec.h"

struct optimizer {
	const struct trainspec *spec;
	struct trained *tensors;
	int count;
	float *first, *second; /* moments of all tensors, one behind the other; second: adamw alone */
	double first_left, second_left; /* product of the betas so far */
};

enum err optimizer_new(const struct trainspec *t, const struct trained *tensors, int count, struct optimizer **ret,
	struct errinfo *e)
{
	size_t all = 0;
	struct optimizer *o = calloc(1, sizeof *o);
	for (int i = 0; i < count; i++)
		all += tensors[i].count;
	if (o) {
		*o = (struct optimizer){ .spec = t, .count = count, .first_left = 1, .second_left = 1 };
		o->tensors = calloc((size_t)count + 1, sizeof *tensors);
		o->first = calloc(all + 1, sizeof *o->first);
		o->second = t->optimizer == TRAIN_ADAMW ? calloc(all + 1, sizeof *o->second) : NULL;
	}
	if (!o || !o->tensors || !o->first || (t->optimizer == TRAIN_ADAMW && !o->second)) {
		optimizer_free(o);
		return err_set(e, ERR_MEMORY, "out of memory for the optimiser");
	}
	memcpy(o->tensors, tensors, (size_t)count * sizeof *tensors);
	*ret = o;
	return ERR_OK;
}

void optimizer_free(struct optimizer *o)
{
	if (!o)
		return;
	free(o->tensors);
	free(o->first);
	free(o->second);
	free(o);
}

static void sgd(const struct trained *t, float *restrict v, float rate, float momentum, float decay, bool nesterov,
	float scale)
{
	float *restrict w = t->weight;
	const float *restrict g = t->gradient;
	const float own = nesterov ? 1 : 0, of_v = nesterov ? momentum : 1;
	for (size_t i = 0; i < t->count; i++) {
		float d = scale * g[i] + decay * w[i];
		v[i] = momentum * v[i] + d;
		w[i] -= rate * (own * d + of_v * v[i]);
	}
}

/* What AdamW multiplies by, the same for all numbers of a step. */
struct adam {
	float beta1, beta2, rate, second_scale, epsilon, keep, scale;
};

static void adamw(const struct trained *t, float *restrict m, float *restrict v, const struct adam *a)
{
	float *restrict w = t->weight;
	const float *restrict g = t->gradient;
	for (size_t i = 0; i < t->count; i++) {
		float x = a->scale * g[i];
		m[i] = a->beta1 * m[i] + (1 - a->beta1) * x;
		v[i] = a->beta2 * v[i] + (1 - a->beta2) * x * x;
		w[i] = a->keep * w[i] - a->rate * m[i] / (sqrtf(v[i] * a->second_scale) + a->epsilon);
	}
}

static struct adam adam_step(struct optimizer *o, struct pace pace, float scale)
{
	const struct trainspec *s = o->spec;
	o->first_left *= pace.momentum;
	o->second_left *= s->beta2;
	return (struct adam){ .beta1 = (float)pace.momentum, .beta2 = (float)s->beta2,
		.rate = (float)(pace.rate / (1 - o->first_left)), .second_scale = (float)(1 / (1 - o->second_left)),
		.epsilon = (float)s->epsilon, .scale = scale };
}

void optimizer_step(struct optimizer *o, struct pace pace, float scale)
{
	const struct trainspec *s = o->spec;
	struct adam a = s->optimizer == TRAIN_ADAMW ? adam_step(o, pace, scale) : (struct adam){ 0 };
	size_t at = 0;
	for (int i = 0; i < o->count; i++) {
		const struct trained *t = &o->tensors[i];
		double decay = t->decays ? s->weight_decay : 0;
		a.keep = (float)(1 - pace.rate * decay);
		if (s->optimizer == TRAIN_ADAMW)
			adamw(t, o->first + at, o->second + at, &a);
		else
			sgd(t, o->first + at, (float)pace.rate, (float)pace.momentum, (float)decay, s->nesterov, scale);
		at += t->count;
	}
}

double optimizer_gradient_norm(const struct optimizer *o)
{
	double sum = 0;
	for (int i = 0; i < o->count; i++)
		for (size_t k = 0; k < o->tensors[i].count; k++)
			sum += (double)o->tensors[i].gradient[k] * o->tensors[i].gradient[k];
	return sqrt(sum);
}

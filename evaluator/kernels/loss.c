/* loss.c -- cross-entropy, alone or with a teacher's answers (Hinton, Vinyals & Dean 2015).
 * SPDX-License-Identifier: MIT
 *
 * With logits z and targets t, whose rows sum to 1, p = softmax(z), temperature T, p_T = softmax(z / T), q_T =
 * softmax(teacher / T) and the teacher's weight w, for each row:
 *
 *   loss = -(1 - w) * sum of t * log p + w * T^2 * sum of q_T * log(q_T / p_T)
 *
 * and of the mean of these over the batch
 *
 *   dz = ((1 - w) * (p - t) + w * T * (p_T - q_T)) / batch
 *
 * Exponentials are taken around the largest logit, so that none overflows. What has probability 0 counts nothing in
 * its own sum. A logit that is not a number makes its row so. */
#include <math.h>

#include "evaluator/kernels/builder.h"

struct loss {
	int64_t batch, classes;
	const float *logits, *target, *teacher; /* teacher: NULL without */
	float *loss, *gradient;
	double temperature, weight;
	double *log_p, *log_q; /* by class */
};

/* log softmax(z / T) */
static void log_softmax(const float *z, int64_t classes, double temperature, double *ret)
{
	double most = z[0], sum = 0;
	for (int64_t i = 1; i < classes; i++)
		most = z[i] > most ? z[i] : most;
	for (int64_t i = 0; i < classes; i++) {
		ret[i] = (z[i] - most) / temperature;
		sum += exp(ret[i]);
	}
	for (int64_t i = 0; i < classes; i++)
		ret[i] -= log(sum);
}

/* The targets' part. */
static double learn(const struct loss *l, const float *z, const float *t, double weight, float *dz)
{
	double loss = 0;
	log_softmax(z, l->classes, 1, l->log_p);
	for (int64_t i = 0; i < l->classes; i++) {
		double p = exp(l->log_p[i]);
		loss -= t[i] == 0 && p == p ? 0 : t[i] * l->log_p[i];
		dz[i] = (float)(weight * (p - t[i]) / (double)l->batch);
	}
	return weight * loss;
}

/* The teacher's part, added to dz. */
static double imitate(const struct loss *l, const float *z, const float *teacher, float *dz)
{
	double divergence = 0, temperature = l->temperature;
	log_softmax(z, l->classes, temperature, l->log_p);
	log_softmax(teacher, l->classes, temperature, l->log_q);
	for (int64_t i = 0; i < l->classes; i++) {
		double p = exp(l->log_p[i]), q = exp(l->log_q[i]);
		divergence += q == 0 && p == p ? 0 : q * (l->log_q[i] - l->log_p[i]);
		dz[i] += (float)(l->weight * temperature * (p - q) / (double)l->batch);
	}
	return l->weight * temperature * temperature * divergence;
}

static void run(const void *job)
{
	const struct loss *l = job;
	for (int64_t i = 0; i < l->batch; i++) {
		int64_t at = i * l->classes;
		double sum = learn(l, l->logits + at, l->target + at, 1 - l->weight, l->gradient + at);
		if (l->teacher)
			sum += imitate(l, l->logits + at, l->teacher + at, l->gradient + at);
		l->loss[i] = (float)sum;
	}
}

static enum err find_rows(struct builder *b, int input, const float **ret)
{
	const struct node *n = builder_node(b);
	struct order o = order_row_major();
	struct view v;
	if (input >= n->in_count || n->in[input] < 0)
		return ERR_OK;
	enum err err = builder_dense(b, n->in[input], &o, &v);
	if (!err)
		*ret = v.data;
	return err;
}

static enum err place_rows(struct builder *b, struct loss *l)
{
	const struct node *n = builder_node(b);
	struct order o = order_row_major();
	struct view loss, gradient;
	enum err err = builder_place(b, n->out[0], &o, &loss);
	if (!err)
		err = builder_place(b, n->out[1], &o, &gradient);
	if (!err)
		err = builder_doubles(b, l->classes, &l->log_p);
	if (!err)
		err = builder_doubles(b, l->classes, &l->log_q);
	if (err)
		return err;
	l->loss = loss.data;
	l->gradient = gradient.data;
	return ERR_OK;
}

enum err loss_build(struct builder *b)
{
	const struct node *n = builder_node(b);
	struct loss l = { .batch = b->batch, .classes = builder_shape(b, n->in[0])->dim[1] };
	enum err err = find_rows(b, 0, &l.logits);
	if (!err)
		err = find_rows(b, 1, &l.target);
	if (!err)
		err = find_rows(b, 2, &l.teacher);
	if (!err)
		err = place_rows(b, &l);
	if (err)
		return err;
	l.temperature = (double)node_float(n, "temperature", 1);
	l.weight = l.teacher ? (double)node_float(n, "weight", 0) : 0;
	return builder_call(b, run, &l, sizeof l);
}

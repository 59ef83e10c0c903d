/* fit.c -- a network trained on images.
 * SPDX-License-Identifier: MIT
 *
 * One plan holds forward pass, loss and backward pass (train/gradient.h); the weights live in its inputs and go back to
 * the network when training is over, or for a look at images that are kept from training. */
#include "evaluator/train/fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/trainspec.h"
#include "evaluator/data/dataset.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/model/graph.h"
#include "evaluator/train/augment.h"
#include "evaluator/train/gradient.h"
#include "evaluator/train/optimizer.h"
#include "evaluator/train/schedule.h"
#include "evaluator/train/teacher.h"

/* Early stop keeps at most one in so many images from training. */
enum { KEPT_SHARE = 5 };

/* A training run. */
struct run {
	struct graph *g;
	const struct fit_request *r;
	const struct trainspec *spec;
	struct split train, kept; /* kept: no images without early stop */
	struct gradient *gradient;
	struct plan *plan;
	struct optimizer *optimizer;
	struct arena *arena; /* of what follows, and of the network's new tensors until they are its own */
	struct rng order_rng, augment_rng;
	uint32_t *order, *labels;
	float *room; /* for one image */
	float **tensors, **best; /* the network's: parameters, then mean and variance of each batch-norm */
	size_t batch;
	int64_t steps, classes;
	double first_loss, recent_loss, best_loss;
	double tail_sum;
	int64_t tail_count, since_best;
	struct errinfo *e;
};

static enum err no_memory(struct run *t)
{
	return err_set(t->e, ERR_MEMORY, "out of memory for training");
}

/* ---- the network's tensors ---- */

static int tensor_count(const struct run *t)
{
	return t->gradient->parameter_count + 2 * t->gradient->norm_count;
}

/* The value of the network that tensor i is. */
static int tensor_value(const struct run *t, int i)
{
	if (i < t->gradient->parameter_count)
		return t->gradient->parameters[i].value;
	i -= t->gradient->parameter_count;
	return t->g->nodes[t->gradient->norms[i / 2].node].in[3 + i % 2];
}

static size_t tensor_bytes(const struct run *t, int i)
{
	return (size_t)shape_count(&t->g->values[tensor_value(t, i)].shape, 1) * sizeof(float);
}

/* Statistics are kept up to date in t->tensors, parameters in the plan. */
static void collect(struct run *t, float **ret)
{
	for (int i = 0; i < tensor_count(t); i++) {
		const float *from = i < t->gradient->parameter_count
			? plan_input(t->plan, t->gradient->parameters[i].input) : t->tensors[i];
		if (ret[i] != from)
			memcpy(ret[i], from, tensor_bytes(t, i));
	}
}

static void exchange_one(struct run *t, float **tensors, int i)
{
	struct value *v = &t->g->values[tensor_value(t, i)];
	float *before = v->data;
	v->data = tensors[i];
	tensors[i] = before;
}

/* Shows the network these tensors; they become those that it showed before. */
static void show(struct run *t, float **tensors)
{
	for (int i = 0; i < tensor_count(t); i++)
		exchange_one(t, tensors, i);
}

/* Backwards, because two batch-norms may have the same statistics. */
static void take_back(struct run *t, float **tensors)
{
	for (int i = tensor_count(t) - 1; i >= 0; i--)
		exchange_one(t, tensors, i);
}

static enum err reserve_tensors(struct run *t, float ***ret)
{
	float **tensors = ARENA_ARRAY(t->arena, float *, (size_t)tensor_count(t));
	for (int i = 0; i < tensor_count(t) && tensors; i++) {
		tensors[i] = arena_alloc(t->arena, tensor_bytes(t, i), 1);
		if (!tensors[i])
			return no_memory(t);
		memcpy(tensors[i], value_floats(&t->g->values[tensor_value(t, i)]), tensor_bytes(t, i));
	}
	*ret = tensors;
	return tensors ? ERR_OK : no_memory(t);
}

/* The network gets copies that live as long as it does, all or none. */
static enum err settle(struct run *t, float **tensors)
{
	for (int i = 0; i < tensor_count(t); i++) {
		float *own = arena_alloc(t->g->arena, tensor_bytes(t, i), 1);
		if (!own)
			return no_memory(t);
		memcpy(own, tensors[i], tensor_bytes(t, i));
		tensors[i] = own;
	}
	show(t, tensors);
	return ERR_OK;
}

/* ---- getting ready ---- */

/* Chance chooses the images that are kept from training: data may stand in the order of its classes. */
static enum err keep_images(struct run *t, size_t kept)
{
	struct rng rng;
	const struct split *all = t->r->images;
	uint32_t *order = ARENA_ARRAY(t->arena, uint32_t, all->count);
	if (!order)
		return no_memory(t);
	rng_init(&rng, t->r->seed, 0x6b657074); /* a stream of its own */
	rng_permutation(&rng, order, all->count);
	for (size_t i = 0; i < all->count; i++)
		order[i] = all->order ? all->order[all->first + order[i]] : (uint32_t)all->first + order[i];
	t->train = t->kept = (struct split){ .data = all->data, .norm = all->norm, .order = order };
	t->train.count = t->kept.first = all->count - kept;
	t->kept.count = kept;
	return ERR_OK;
}

static enum err divide_images(struct run *t)
{
	const struct split *all = t->r->images;
	size_t kept = t->spec->patience ? (size_t)t->spec->patience_images : 0, most = all->count / KEPT_SHARE;
	enum err err = ERR_OK;
	if (all->count < 2)
		return err_set(t->e, ERR_INPUT, "there are %zu images to train on, expected at least 2", all->count);
	t->train = *all;
	if (kept && most)
		err = keep_images(t, kept < most ? kept : most);
	t->batch = (size_t)t->spec->batch < t->train.count ? (size_t)t->spec->batch : t->train.count;
	return err;
}

static int64_t steps_an_epoch(const struct run *t)
{
	return (int64_t)(t->train.count / t->batch);
}

static void count_steps(struct run *t)
{
	double steps = rint(t->spec->epochs * (double)steps_an_epoch(t));
	t->steps = t->spec->steps ? t->spec->steps : steps < 1 ? 1 : (int64_t)steps;
}

static enum err open_optimizer(struct run *t)
{
	const struct gradient *d = t->gradient;
	struct trained *tensors = ARENA_ARRAY(t->arena, struct trained, (size_t)d->parameter_count);
	if (!tensors)
		return no_memory(t);
	for (int i = 0; i < d->parameter_count; i++) {
		const struct parameter *p = &d->parameters[i];
		float *weight = plan_input(t->plan, p->input);
		memcpy(weight, t->tensors[i], tensor_bytes(t, i));
		tensors[i] = (struct trained){ .weight = weight, .gradient = plan_output(t->plan, p->output),
			.count = (size_t)p->count, .decays = p->kind != PARAMETER_NORM || t->spec->decay_norms };
	}
	return optimizer_new(t->spec, tensors, d->parameter_count, &t->optimizer, t->e);
}

static enum err open_plan(struct run *t)
{
	struct gradient_request request = { .loss = true, .distil = t->r->teacher != NULL,
		.temperature = (float)t->spec->distil_temperature, .weight = (float)t->spec->distil_weight };
	enum err err = gradient_open(t->g, &request, &t->gradient, t->e);
	if (!err && !t->gradient->parameter_count)
		err = err_set(t->e, ERR_UNSUPPORTED, "the network has no learned tensor that gradients reach");
	if (!err)
		err = plan_new(t->gradient->graph, (int64_t)t->batch, PLAN_INFER, &t->plan, t->e);
	if (!err)
		err = reserve_tensors(t, &t->tensors);
	if (!err && t->kept.count)
		err = reserve_tensors(t, &t->best);
	return err ? err : open_optimizer(t);
}

static enum err open_room(struct run *t)
{
	const struct dataset *d = t->train.data;
	t->classes = shape_count(&t->g->values[t->g->outputs[0]].shape, 1);
	t->order = ARENA_ARRAY(t->arena, uint32_t, t->train.count);
	t->labels = ARENA_ARRAY(t->arena, uint32_t, t->batch);
	t->room = ARENA_ARRAY(t->arena, float, (size_t)(d->channels * d->height * d->width));
	rng_init(&t->order_rng, t->r->seed, 0x747261696e); /* streams of their own */
	rng_init(&t->augment_rng, t->r->seed, 0x6175676d656e74);
	return t->order && t->labels && t->room ? ERR_OK : no_memory(t);
}

/* ---- a step ---- */

/* (1 - smoothing) at the label, smoothing spread evenly over all classes (Szegedy et al. CVPR 2016). */
static void fill_target(struct run *t)
{
	float *target = plan_input(t->plan, t->gradient->target);
	float even = (float)(t->spec->smoothing / (double)t->classes);
	for (size_t i = 0; i < t->batch; i++, target += t->classes) {
		for (int64_t c = 0; c < t->classes; c++)
			target[c] = even;
		target[t->labels[i]] += (float)(1 - t->spec->smoothing);
	}
}

static enum err fill_batch(struct run *t, int64_t step)
{
	size_t at = (size_t)(step % steps_an_epoch(t)) * t->batch;
	float *x = plan_input(t->plan, 0);
	bool changed = augment_applies(t->spec);
	if (!at)
		rng_permutation(&t->order_rng, t->order, t->train.count);
	split_batch(&t->train, t->order, at, t->batch, x, t->labels);
	if (changed)
		augment_batch(t->spec, &t->train, x, t->batch, t->room, &t->augment_rng);
	fill_target(t);
	if (!t->r->teacher)
		return ERR_OK;
	return teacher_logits(t->r->teacher, changed ? NULL : t->order + at, t->batch, x,
		plan_input(t->plan, t->gradient->teacher), t->e);
}

static double mean_loss(const struct run *t)
{
	const float *loss = plan_output(t->plan, t->gradient->loss);
	double sum = 0;
	for (size_t i = 0; i < t->batch; i++)
		sum += loss[i];
	return sum / (double)t->batch;
}

/* A run that is going wrong is found when the loss is no number, or its running mean is far above anything that
 * guessing would give. */
static enum err check_loss(struct run *t, int64_t step, double loss, double rate)
{
	const double far = 4;
	if (!step)
		t->first_loss = t->recent_loss = loss;
	t->recent_loss += (loss - t->recent_loss) / 20;
	if (isfinite(loss) && t->recent_loss <= far * (t->first_loss + log((double)t->classes)))
		return ERR_OK;
	return err_set(t->e, ERR_INPUT,
		"training diverged at step %lld of %lld: the loss is %g, it was %g at first (learning rate %g)",
		(long long)step + 1, (long long)t->steps, loss, t->first_loss, rate);
}

/* running = momentum * running + (1 - momentum) * batch, of the variance its unbiased estimate, as PyTorch has it. */
static void follow_statistics(struct run *t)
{
	for (int i = 0; i < t->gradient->norm_count; i++) {
		const struct trained_norm *norm = &t->gradient->norms[i];
		const struct node *n = &t->g->nodes[norm->node];
		const struct shape *shape = &t->g->values[n->in[0]].shape;
		int64_t channels = shape->dim[1];
		double count = (double)(shape_count(shape, (int64_t)t->batch) / channels);
		float *mean = t->tensors[t->gradient->parameter_count + 2 * i];
		float *variance = t->tensors[t->gradient->parameter_count + 2 * i + 1];
		float keep = node_float(n, "momentum", 0.9f), unbiased = (float)(count > 1 ? count / (count - 1) : 1);
		const float *m = plan_output(t->plan, norm->mean), *v = plan_output(t->plan, norm->variance);
		for (int64_t c = 0; c < channels; c++) {
			mean[c] = keep * mean[c] + (1 - keep) * m[c];
			variance[c] = keep * variance[c] + (1 - keep) * unbiased * v[c];
		}
	}
}

/* The whole gradient shortened to length clip (Pascanu et al. ICML 2013). */
static float clip_scale(const struct run *t)
{
	double norm = t->spec->clip > 0 ? optimizer_gradient_norm(t->optimizer) : 0;
	return norm > t->spec->clip ? (float)(t->spec->clip / norm) : 1;
}

static enum err take_step(struct run *t, int64_t step)
{
	struct pace pace = schedule_at(t->spec, step, t->steps);
	if (t->r->stop && atomic_load(t->r->stop))
		return err_set(t->e, ERR_GONE, "stopped");
	enum err err = fill_batch(t, step);
	if (!err)
		err = plan_run(t->plan, t->e);
	double loss = err ? 0 : mean_loss(t);
	if (!err)
		err = check_loss(t, step, loss, pace.rate);
	if (err)
		return err;
	follow_statistics(t);
	optimizer_step(t->optimizer, pace, clip_scale(t));
	if (step >= t->steps - (t->steps + 9) / 10) {
		t->tail_sum += loss;
		t->tail_count++;
	}
	return ERR_OK;
}

/* ---- early stop ---- */

/* Scores the images that are kept from training; *ret_stop when there was nothing better for too long. */
static enum err look(struct run *t, int64_t step, bool *ret_stop)
{
	struct score score;
	collect(t, t->tensors);
	show(t, t->tensors);
	enum err err = score_graph(t->g, &t->kept, t->kept.count, t->r->stop, &score, t->e);
	take_back(t, t->tensors);
	if (err)
		return err == ERR_INPUT ? err_wrap(t->e, "training, scored after step %lld of %lld", (long long)step,
						  (long long)t->steps) : err;
	if (score.loss < t->best_loss) {
		t->best_loss = score.loss;
		t->since_best = 0;
		collect(t, t->best);
	} else {
		t->since_best++;
	}
	*ret_stop = t->since_best >= t->spec->patience;
	return ERR_OK;
}

static enum err run_steps(struct run *t, int64_t *ret_steps)
{
	bool stop = false;
	int64_t step = 0;
	enum err err = ERR_OK;
	while (step < t->steps && !stop && !err) {
		err = take_step(t, step++);
		if (!err && t->kept.count && (step == t->steps || step % steps_an_epoch(t) == 0))
			err = look(t, step, &stop);
	}
	*ret_steps = step;
	return err;
}

/* The loss says nothing about the last step. */
static enum err check_weights(const struct run *t)
{
	for (int i = 0; i < t->gradient->parameter_count; i++)
		for (int64_t k = 0; k < t->gradient->parameters[i].count; k++)
			if (!isfinite(t->tensors[i][k]))
				return err_set(t->e, ERR_INPUT,
					"training diverged at step %lld of %lld: a weight is not finite (learning rate "
					"%g)", (long long)t->steps, (long long)t->steps,
					schedule_at(t->spec, t->steps - 1, t->steps).rate);
	return ERR_OK;
}

static enum err finish(struct run *t)
{
	if (t->kept.count && isfinite(t->best_loss))
		return settle(t, t->best);
	collect(t, t->tensors);
	enum err err = check_weights(t);
	return err ? err : settle(t, t->tensors);
}

static void close_run(struct run *t)
{
	optimizer_free(t->optimizer);
	plan_free(t->plan);
	gradient_close(t->gradient);
	arena_free(t->arena);
}

enum err fit(struct graph *g, const struct fit_request *r, struct fit_result *ret, struct errinfo *e)
{
	struct run t = { .g = g, .r = r, .spec = r->spec, .best_loss = INFINITY, .e = e };
	int64_t steps = 0, start = 0;
	t.arena = arena_new();
	enum err err = t.arena ? score_check(g, r->images, e) : no_memory(&t);
	if (!err)
		err = divide_images(&t);
	if (!err)
		err = open_plan(&t);
	if (!err)
		err = open_room(&t);
	if (!err) {
		count_steps(&t);
		start = clock_ns();
		err = run_steps(&t, &steps);
	}
	if (!err)
		err = finish(&t);
	if (!err)
		*ret = (struct fit_result){ .steps = steps, .images = steps * (int64_t)t.batch,
			.loss = t.tail_count ? t.tail_sum / (double)t.tail_count : t.recent_loss,
			.kept_loss = t.kept.count ? t.best_loss : NAN, .seconds = (double)(clock_ns() - start) / 1e9 };
	close_run(&t);
	return err;
}

/* test_fit.c -- training: that it learns, repeats itself to the bit, and says when it goes wrong.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/trainspec.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/sample.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/accuracy.h"
#include "evaluator/model/graph.h"
#include "evaluator/train/fit.h"
#include "evaluator/train/saliency.h"
#include "evaluator/train/teacher.h"
#include "evaluator/train_file.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { IMAGES = 600, SIDE = 6, PIXELS = SIDE * SIDE, CLASSES = 3 };

static struct errinfo e;

/* Noise with a bright bar whose row is the class: easy, but not for a network that knows nothing. */
struct bars {
	struct dataset data;
	struct normalisation norm;
	struct split all;
	unsigned char pixels[IMAGES * PIXELS];
	uint32_t labels[IMAGES];
};

static struct bars *bars_open(void)
{
	struct rng r;
	struct bars *b = calloc(1, sizeof *b);
	ck_assert_ptr_nonnull(b);
	rng_init(&r, 1, 2);
	for (int i = 0; i < IMAGES; i++) {
		b->labels[i] = (uint32_t)rng_below(&r, CLASSES);
		for (int k = 0; k < PIXELS; k++)
			b->pixels[i * PIXELS + k] = (unsigned char)(rng_below(&r, 120) +
				(k / SIDE == 1 + (int)b->labels[i] ? 80 : 0));
	}
	b->data = (struct dataset){ .count = IMAGES, .channels = 1, .height = SIDE, .width = SIDE, .pixels = b->pixels,
		.labels = b->labels, .classes = CLASSES, .file = -1 };
	b->norm = (struct normalisation){ .channels = 1, .mean = { 0.3f }, .std = { 0.2f } };
	ck_assert(!split_whole(&b->data, &b->norm, &b->all, &e));
	return b;
}

/* Convolution, batch-norm, activation, classifier. */
static struct sketch net_open(uint64_t seed)
{
	static const struct sketch_window k3 = { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, .group = 1 };
	struct sketch s = sketch_open("fit", seed, 3, (int64_t[]){ 1, SIDE, SIDE });
	int x = sketch_conv(&s, 0, 5, &k3, false);
	x = sketch_one(&s, OP_RELU, sketch_batch_norm(&s, x));
	sketch_finish(&s, sketch_gemm(&s, sketch_one(&s, OP_FLATTEN, x), CLASSES, true, true));
	for (int i = 0; i < s.g->value_count; i++)
		s.g->values[i].learned = s.g->values[i].data && s.g->values[i].dtype == DTYPE_FLOAT;
	return s;
}

static struct trainspec settings(void)
{
	return (struct trainspec){ .epochs = 4, .batch = 32, .optimizer = TRAIN_SGD, .rate = 0.05, .momentum = 0.9,
		.nesterov = true, .schedule = TRAIN_COSINE, .crop = 1, .distil_temperature = 1 };
}

static double accuracy_of(const struct graph *g, const struct split *s)
{
	struct score score;
	ck_assert_msg(!score_graph(g, s, s->count, NULL, &score, &e), "%s", e.msg);
	return score.accuracy;
}

static struct fit_result train(struct graph *g, const struct bars *b, const struct trainspec *t, uint64_t seed)
{
	struct fit_result result;
	struct fit_request r = { .images = &b->all, .spec = t, .seed = seed };
	ck_assert_msg(!fit(g, &r, &result, &e), "%s", e.msg);
	return result;
}

/* All stored floats, one behind the other. */
static size_t weights_of(const struct graph *g, float *ret)
{
	size_t n = 0;
	for (int i = 0; i < g->value_count; i++) {
		const struct value *v = &g->values[i];
		if (!v->data || v->dtype != DTYPE_FLOAT)
			continue;
		size_t count = (size_t)shape_count(&v->shape, 1);
		memcpy(ret + n, v->data, count * sizeof *ret);
		n += count;
	}
	return n;
}

START_TEST(training_learns_what_there_is_to_learn)
{
	struct bars *b = bars_open();
	struct trainspec t = settings();
	for (int kind = 0; kind < 4; kind++) {
		struct sketch s = net_open(3);
		t.optimizer = kind == 1 ? TRAIN_ADAMW : TRAIN_SGD;
		t.rate = kind == 1 ? 0.01 : 0.05;
		t.beta1 = 0.9;
		t.beta2 = 0.999;
		t.epsilon = 1e-8;
		t.clip = kind == 2 ? 1 : 0;
		t.smoothing = kind == 3 ? 0.1 : 0;
		ck_assert_double_lt(accuracy_of(s.g, &b->all), 0.7);
		struct fit_result r = train(s.g, b, &t, 1);
		ck_assert_int_eq(r.steps, 4 * (IMAGES / 32));
		ck_assert_int_eq(r.images, r.steps * 32);
		ck_assert_double_gt(accuracy_of(s.g, &b->all), 0.97);
		sketch_close(&s);
	}
	free(b);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits_and_another_one_others)
{
	static float a[4000], c[4000], d[4000];
	struct bars *b = bars_open();
	struct trainspec t = settings();
	t.shift = 1;
	t.flip = true;
	struct sketch one = net_open(3), two = net_open(3), other = net_open(3);
	train(one.g, b, &t, 1);
	train(two.g, b, &t, 1);
	train(other.g, b, &t, 2);
	size_t n = weights_of(one.g, a);
	ck_assert_uint_eq(weights_of(two.g, c), n);
	ck_assert_uint_eq(weights_of(other.g, d), n);
	ck_assert_mem_eq(a, c, n * sizeof *a);
	ck_assert_mem_ne(a, d, n * sizeof *a);
	sketch_close(&one);
	sketch_close(&two);
	sketch_close(&other);
	free(b);
}
END_TEST

START_TEST(divergence_is_reported_and_leaves_the_network_as_it_was)
{
	static float before[4000], after[4000];
	struct bars *b = bars_open();
	struct trainspec t = settings();
	t.rate = 1000;
	t.schedule = TRAIN_CONSTANT;
	struct sketch s = net_open(3);
	struct fit_result result = { .steps = 77 };
	struct fit_request r = { .images = &b->all, .spec = &t, .seed = 1 };
	size_t n = weights_of(s.g, before);
	ck_assert_int_eq(fit(s.g, &r, &result, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "training diverged at step"), "%s", e.msg);
	ck_assert_msg(strstr(e.msg, "learning rate 1000"), "%s", e.msg);
	weights_of(s.g, after);
	ck_assert_mem_eq(before, after, n * sizeof *before);
	ck_assert_int_eq(result.steps, 77);
	sketch_close(&s);
	free(b);
}
END_TEST

/* In the order of their classes: the last hundred would be all of one. */
static void sort_by_label(struct bars *b)
{
	struct bars *copy = malloc(sizeof *copy);
	int to = 0;
	ck_assert_ptr_nonnull(copy);
	*copy = *b;
	for (uint32_t label = 0; label < CLASSES; label++)
		for (int i = 0; i < IMAGES; i++) {
			if (copy->labels[i] != label)
				continue;
			b->labels[to] = label;
			memcpy(b->pixels + to++ * PIXELS, copy->pixels + i * PIXELS, PIXELS);
		}
	free(copy);
}

START_TEST(early_stop_ends_with_the_best_weights_of_images_by_lot)
{
	struct bars *b = bars_open();
	struct trainspec t = settings();
	sort_by_label(b);
	t.epochs = 200;
	t.rate = 0.2;
	t.schedule = TRAIN_CONSTANT;
	t.patience = 3;
	t.patience_images = 100;
	struct sketch s = net_open(3);
	struct fit_result r = train(s.g, b, &t, 1);
	ck_assert_int_lt(r.steps, 200 * (500 / 32));
	ck_assert_int_eq(r.steps % (500 / 32), 0);
	ck_assert_double_lt(r.kept_loss, 0.2);
	ck_assert_double_gt(accuracy_of(s.g, &b->all), 0.95);
	sketch_close(&s);
	free(b);
}
END_TEST

START_TEST(early_stop_keeps_a_fifth_at_most)
{
	struct bars *b = bars_open();
	struct trainspec t = settings();
	t.epochs = 1;
	t.patience = 1;
	t.patience_images = IMAGES;
	struct sketch s = net_open(3);
	ck_assert_int_eq(train(s.g, b, &t, 1).steps, (IMAGES - IMAGES / 5) / 32);
	sketch_close(&s);
	free(b);
}
END_TEST

/* The loss of the only step is that of the weights before it. */
START_TEST(weights_that_the_last_step_ruined_are_not_taken)
{
	struct bars *b = bars_open();
	struct trainspec t = settings();
	struct fit_result result;
	t.steps = 1;
	t.rate = 1e39;
	t.schedule = TRAIN_CONSTANT;
	struct sketch s = net_open(3);
	struct fit_request r = { .images = &b->all, .spec = &t, .seed = 1 };
	ck_assert_int_eq(fit(s.g, &r, &result, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "diverged at step 1 of 1: a weight is not finite"), "%s", e.msg);
	sketch_close(&s);
	free(b);
}
END_TEST

static void *stop_soon(void *flag)
{
	usleep(20000);
	atomic_store((atomic_bool *)flag, true);
	return NULL;
}

START_TEST(a_stop_from_outside_ends_training_and_leaves_the_network_as_it_was)
{
	static float before[4000], after[4000];
	pthread_t thread;
	struct bars *b = bars_open();
	struct trainspec t = settings();
	struct fit_result result;
	atomic_bool stop = false;
	t.epochs = 10000;
	struct sketch s = net_open(3);
	struct fit_request r = { .images = &b->all, .spec = &t, .seed = 1, .stop = &stop };
	size_t n = weights_of(s.g, before);
	ck_assert(!pthread_create(&thread, NULL, stop_soon, &stop));
	ck_assert_int_eq(fit(s.g, &r, &result, &e), ERR_GONE);
	pthread_join(thread, NULL);
	weights_of(s.g, after);
	ck_assert_mem_eq(before, after, n * sizeof *before);
	sketch_close(&s);
	free(b);
}
END_TEST

/* ---- distillation ---- */

/* Mean of squared differences of two networks' logits over all images. */
static double logit_distance(const struct graph *a, const struct graph *b, const struct split *s)
{
	double sum = 0;
	uint32_t label;
	struct plan *p, *q;
	ck_assert(!plan_new(a, 1, PLAN_INFER, &p, &e) && !plan_new(b, 1, PLAN_INFER, &q, &e));
	for (size_t i = 0; i < s->count; i++) {
		split_batch(s, NULL, i, 1, plan_input(p, 0), &label);
		split_batch(s, NULL, i, 1, plan_input(q, 0), &label);
		ck_assert(!plan_run(p, &e) && !plan_run(q, &e));
		for (int c = 0; c < CLASSES; c++)
			sum += pow(plan_output(p, 0)[c] - plan_output(q, 0)[c], 2);
	}
	plan_free(p);
	plan_free(q);
	return sum / (double)s->count;
}

START_TEST(a_student_comes_to_say_what_its_teacher_says)
{
	struct bars *b = bars_open();
	struct trainspec t = settings();
	struct teacher *teacher;
	struct fit_result result;
	struct sketch master = net_open(3), student = net_open(4);
	train(master.g, b, &t, 1);
	double before = logit_distance(master.g, student.g, &b->all);
	t.distil_weight = 1;
	t.distil_temperature = 2;
	t.epochs = 20;
	ck_assert(!teacher_open(master.g, &b->all, CLASSES, &teacher, &e));
	struct fit_request r = { .images = &b->all, .spec = &t, .seed = 1, .teacher = teacher };
	/* labels say nothing now */
	for (int i = 0; i < IMAGES; i++)
		b->labels[i] = 0;
	ck_assert_msg(!fit(student.g, &r, &result, &e), "%s", e.msg);
	ck_assert_double_lt(logit_distance(master.g, student.g, &b->all), before / 10);
	teacher_close(teacher);
	sketch_close(&master);
	sketch_close(&student);
	free(b);
}
END_TEST

START_TEST(a_teacher_looks_at_an_image_once)
{
	float x[2 * PIXELS] = { 1 }, other[2 * PIXELS] = { 0 }, first[2 * CLASSES], again[2 * CLASSES];
	struct teacher *t;
	struct bars *b = bars_open();
	struct sketch s = net_open(3);
	ck_assert(!teacher_open(s.g, &b->all, CLASSES, &t, &e));
	ck_assert(!teacher_logits(t, (uint32_t[]){ 4, 7 }, 2, x, first, &e));
	ck_assert(!teacher_logits(t, (uint32_t[]){ 7, 4 }, 2, other, again, &e)); /* known: other is not looked at */
	ck_assert_mem_eq(first, again + CLASSES, CLASSES * sizeof *first);
	ck_assert_mem_eq(first + CLASSES, again, CLASSES * sizeof *first);
	ck_assert(!teacher_logits(t, NULL, 2, other, again, &e)); /* changed images are looked at each time */
	ck_assert_mem_ne(first, again, CLASSES * sizeof *first);
	teacher_close(t);
	sketch_close(&s);
	free(b);
}
END_TEST

START_TEST(a_teacher_that_does_not_fit_is_refused)
{
	struct teacher *t;
	struct bars *b = bars_open();
	struct sketch s = net_open(3);
	ck_assert_int_eq(teacher_open(s.g, &b->all, CLASSES + 1, &t, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "teacher: it has 3 classes, expected 4"), "%s", e.msg);
	b->data.width--;
	ck_assert_int_eq(teacher_open(s.g, &b->all, CLASSES, &t, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "teacher: the data's images are 1 x 6 x 5"), "%s", e.msg);
	sketch_close(&s);
	free(b);
}
END_TEST

START_TEST(a_teacher_that_ends_in_a_softmax_answers_the_same_but_for_a_shift)
{
	float x[PIXELS] = { 1, 2 }, plain[CLASSES], behind[CLASSES];
	struct teacher *t;
	struct bars *b = bars_open();
	struct sketch s = net_open(3), soft = net_open(3);
	int y = soft.g->outputs[0];
	soft.g->output_count = 0;
	sketch_finish(&soft, sketch_one(&soft, OP_SOFTMAX, y));
	ck_assert(!teacher_open(s.g, &b->all, CLASSES, &t, &e) && !teacher_logits(t, NULL, 1, x, plain, &e));
	teacher_close(t);
	ck_assert(!teacher_open(soft.g, &b->all, CLASSES, &t, &e) && !teacher_logits(t, NULL, 1, x, behind, &e));
	teacher_close(t);
	for (int c = 1; c < CLASSES; c++)
		ck_assert_double_eq_tol(behind[c] - behind[0], plain[c] - plain[0], 1e-4);
	ck_assert(plain[1] != plain[0]);
	sketch_close(&s);
	sketch_close(&soft);
	free(b);
}
END_TEST

/* ---- saliency ---- */

/* The loss of one batch with batch-norm on the batch, by a run of training with rate 0 ... which changes no weight. */
static double loss_of(struct graph *g, const struct split *s)
{
	struct trainspec t = { .steps = 1, .batch = (int64_t)s->count, .optimizer = TRAIN_SGD, .crop = 1,
		.schedule = TRAIN_CONSTANT };
	struct fit_result result;
	struct fit_request r = { .images = s, .spec = &t, .seed = 1 };
	ck_assert_msg(!fit(g, &r, &result, &e), "%s", e.msg);
	return result.loss;
}

/* A network, a batch of images, and what is said of its weights. */
struct scene {
	struct bars *bars;
	struct split few;
	struct sketch net;
	struct arena *arena;
	const float **saliency; /* by value */
	int weight;		/* the classifier's */
};

static struct scene scene_open(bool second_order)
{
	struct scene c = { .bars = bars_open(), .net = net_open(3), .arena = arena_new() };
	c.few = c.bars->all;
	c.few.count = 32;
	struct sample sample = { .split = &c.few, .images = 32 };
	c.saliency = calloc((size_t)c.net.g->value_count, sizeof *c.saliency);
	ck_assert_msg(!saliency_of(c.net.g, second_order, 1, c.arena, c.saliency, &sample, &e), "%s", e.msg);
	c.weight = c.net.g->nodes[4].in[1];
	return c;
}

static void scene_close(struct scene *c)
{
	free(c->saliency);
	arena_free(c->arena);
	sketch_close(&c->net);
	free(c->bars);
}

static float *weight_at(const struct scene *c, int64_t k)
{
	return (float *)c->net.g->values[c->weight].data + k; /* training puts a copy there */
}

/* The loss with weight k as it is and so much more. */
static double loss_beside(struct scene *c, int64_t k, float by)
{
	float was = *weight_at(c, k);
	*weight_at(c, k) = was + by;
	double loss = loss_of(c->net.g, &c->few);
	*weight_at(c, k) = was;
	return loss;
}

START_TEST(taylor_is_the_first_order_change_of_the_loss)
{
	const float step = 0.02f;
	struct scene c = scene_open(false);
	int checked = 0;
	for (int k = 0; k < 20; k++) {
		double slope = (loss_beside(&c, k, step) - loss_beside(&c, k, -step)) / (2 * (double)step);
		double change = fabs(slope * *weight_at(&c, k));
		ck_assert_double_eq_tol(sqrt(c.saliency[c.weight][k]), change, 1e-4 + 0.02 * change);
		checked += change > 1e-3;
	}
	ck_assert_int_gt(checked, 5);
	scene_close(&c);
}
END_TEST

/* Of classifier weights that read the same pixel the Hessian couples only the classes: the estimate is within its noise
 * of the second difference of the loss. */
START_TEST(obd_is_the_second_order_change_of_the_loss)
{
	const float step = 0.2f;
	struct scene c = scene_open(true);
	double middle = loss_beside(&c, 0, 0), wanted = 0, got = 0;
	for (int64_t k = 0; k < shape_count(&c.net.g->values[c.weight].shape, 1); k += 3) {
		double w = *weight_at(&c, k), sides = loss_beside(&c, k, step) + loss_beside(&c, k, -step);
		wanted += (sides - 2 * middle) / ((double)step * step) * w * w / 2;
		got += c.saliency[c.weight][k];
	}
	ck_assert_double_gt(wanted, 0);
	ck_assert_double_gt(got, wanted / 3);
	ck_assert_double_lt(got, wanted * 3);
	scene_close(&c);
}
END_TEST

/* ---- by hand ---- */

#define FASHION "/usr/share/datasets/fashion-mnist/"

START_TEST(a_file_is_trained_into_another_that_scores_better)
{
	static const struct normalisation norm = { 1, { 0.2860f }, { 0.3530f } };
	char out[64];
	struct dataset *d;
	struct split all;
	struct score before, after;
	cJSON *summary;
	ck_assert(!dataset_read_idx(
		FASHION "train-images-idx3-ubyte.gz", FASHION "train-labels-idx1-ubyte.gz", &d, &e));
	ck_assert(!split_whole(d, &norm, &all, &e));
	all.count = 1000;
	snprintf(out, sizeof out, "/tmp/pared-fit-%d.onnx", (int)getpid());
	struct train_request r = { .model = "models/fashion-lenet5.onnx", .out = out, .spec = settings(), .data = &all,
		.seed = 1 };
	r.spec.rate = 0.01;
	ck_assert_msg(!train_file(&r, &summary, &e), "%s", e.msg);
	ck_assert(!score_model(r.model, &all, &before, &e) && !score_model(out, &all, &after, &e));
	ck_assert_double_lt(after.loss, before.loss / 2);
	ck_assert_double_eq(cJSON_GetObjectItem(summary, "steps")->valuedouble, 4 * (1000 / 32));
	unlink(out);
	cJSON_Delete(summary);
	dataset_free(d);
}
END_TEST

START_TEST(a_place_that_cannot_be_written_is_found_out_before_training)
{
	cJSON *summary;
	struct bars *b = bars_open();
	struct train_request r = { .model = "models/fashion-lenet5.onnx", .out = "/nonexistent/x.onnx",
		.spec = settings(), .data = &b->all, .seed = 1 };
	ck_assert_int_ne(train_file(&r, &summary, &e), ERR_OK);
	ck_assert_msg(strstr(e.msg, "/nonexistent/x.onnx"), "%s", e.msg); /* not that the images don't fit */
	free(b);
}
END_TEST

START_TEST(settings_come_from_a_file_or_are_the_defaults)
{
	struct trainspec t;
	ck_assert(!train_file_settings(NULL, true, &t, &e));
	ck_assert(t.distil_weight == 0.5 && t.clip == 2 && t.epochs == 1);
	ck_assert_int_eq(train_file_settings("/nonexistent/x.json", true, &t, &e), ERR_NOT_FOUND);
}
END_TEST

Suite *fit_suite(void)
{
	Suite *s = suite_create("fit");
	TCase *t = tcase_create("fit");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, training_learns_what_there_is_to_learn);
	tcase_add_test(t, the_same_seed_gives_the_same_bits_and_another_one_others);
	tcase_add_test(t, divergence_is_reported_and_leaves_the_network_as_it_was);
	tcase_add_test(t, early_stop_ends_with_the_best_weights_of_images_by_lot);
	tcase_add_test(t, early_stop_keeps_a_fifth_at_most);
	tcase_add_test(t, weights_that_the_last_step_ruined_are_not_taken);
	tcase_add_test(t, a_stop_from_outside_ends_training_and_leaves_the_network_as_it_was);
	tcase_add_test(t, a_student_comes_to_say_what_its_teacher_says);
	tcase_add_test(t, a_teacher_looks_at_an_image_once);
	tcase_add_test(t, a_teacher_that_does_not_fit_is_refused);
	tcase_add_test(t, a_teacher_that_ends_in_a_softmax_answers_the_same_but_for_a_shift);
	tcase_add_test(t, taylor_is_the_first_order_change_of_the_loss);
	tcase_add_test(t, obd_is_the_second_order_change_of_the_loss);
	tcase_add_test(t, a_file_is_trained_into_another_that_scores_better);
	tcase_add_test(t, a_place_that_cannot_be_written_is_found_out_before_training);
	tcase_add_test(t, settings_come_from_a_file_or_are_the_defaults);
	suite_add_tcase(s, t);
	return s;
}

/* test_train.c -- learning rates, optimisers, augmentation and second derivatives, each against what is known of it.
 * SPDX-License-Identifier: MIT
 *
 * Figures of PyTorch 1.13: three steps of torch.optim.SGD and AdamW from (1, -2, 0.5) with gradients (0.3, -0.1, 0.2)
 * times 1, 2, 3, and OneCycleLR over ten steps. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/trainspec.h"
#include "evaluator/data/dataset.h"
#include "evaluator/train/augment.h"
#include "evaluator/train/hessian.h"
#include "evaluator/train/optimizer.h"
#include "evaluator/train/schedule.h"
#include "tests/evaluator/suites.h"

static struct errinfo e;

/* ---- schedule ---- */

START_TEST(one_cycle_is_pytorchs)
{
	static const double rates[] = { 0.004, 0.052, 0.1, 0.0950484632, 0.0811745654, 0.0611262022, 0.0388741978,
		0.0188258346, 0.0049519368, 4e-07 };
	static const double momenta[] = { 0.95, 0.9, 0.85, 0.854951557, 0.86882551, 0.888873953, 0.911126047,
		0.93117449, 0.945048443, 0.95 };
	struct trainspec t = { .optimizer = TRAIN_SGD, .schedule = TRAIN_ONE_CYCLE, .rate = 0.1, .momentum = 0.9 };
	for (int i = 0; i < 10; i++) {
		struct pace p = schedule_at(&t, i, 10);
		ck_assert_double_eq_tol(p.rate, rates[i], 1e-9);
		ck_assert_double_eq_tol(p.momentum, momenta[i], 1e-9);
	}
}
END_TEST

START_TEST(cosine_falls_from_the_peak_behind_its_warm_up)
{
	struct trainspec t = { .optimizer = TRAIN_SGD, .schedule = TRAIN_COSINE, .rate = 1, .momentum = 0.9,
		.warmup = 0.2 };
	ck_assert_double_eq_tol(schedule_at(&t, 0, 10).rate, 1.0 / 3, 1e-12);
	ck_assert_double_eq_tol(schedule_at(&t, 1, 10).rate, 2.0 / 3, 1e-12);
	ck_assert_double_eq_tol(schedule_at(&t, 2, 10).rate, 1, 1e-12);
	ck_assert_double_eq_tol(schedule_at(&t, 6, 10).rate, 0.5, 1e-12);
	for (int i = 3; i < 10; i++)
		ck_assert(schedule_at(&t, i, 10).rate < schedule_at(&t, i - 1, 10).rate);
	ck_assert(schedule_at(&t, 9, 10).rate > 0);
}
END_TEST

START_TEST(one_step_is_enough_for_any_schedule)
{
	for (int s = TRAIN_CONSTANT; s <= TRAIN_ONE_CYCLE; s++) {
		struct trainspec t = { .optimizer = TRAIN_ADAMW, .schedule = (enum train_schedule)s, .rate = 0.5,
			.beta1 = 0.9 };
		struct pace p = schedule_at(&t, 0, 1);
		ck_assert(isfinite(p.rate) && p.rate > 0 && p.rate <= 0.5);
		ck_assert(p.momentum >= 0 && p.momentum < 1);
	}
}
END_TEST

/* ---- optimiser ---- */

static void take_three_steps(const struct trainspec *t, struct pace pace, bool decays, float *w)
{
	float gradient[3];
	struct optimizer *o;
	struct trained tensor = { w, gradient, 3, decays };
	memcpy(w, (float[]){ 1, -2, 0.5f }, 3 * sizeof *w);
	ck_assert(!optimizer_new(t, &tensor, 1, &o, &e));
	for (int i = 1; i <= 3; i++) {
		memcpy(gradient, (float[]){ 0.3f * (float)i, -0.1f * (float)i, 0.2f * (float)i }, sizeof gradient);
		optimizer_step(o, pace, 1);
	}
	optimizer_free(o);
}

static void same(const float *w, double a, double b, double c)
{
	const double wanted[] = { a, b, c };
	for (int i = 0; i < 3; i++)
		ck_assert_double_eq_tol(w[i], wanted[i], 2e-6);
}

START_TEST(optimisers_step_as_pytorchs)
{
	float w[3];
	struct trainspec t = { .optimizer = TRAIN_SGD, .nesterov = true, .weight_decay = 0.01 };
	struct pace pace = { 0.1, 0.9 };
	take_three_steps(&t, pace, true, w);
	same(w, 0.5557202, -1.8385149, 0.2051527);
	t.nesterov = false;
	take_three_steps(&t, pace, true, w);
	same(w, 0.7092688, -1.8937476, 0.3071134);
	t = (struct trainspec){ .optimizer = TRAIN_ADAMW, .weight_decay = 0.01, .beta1 = 0.9, .beta2 = 0.999,
		.epsilon = 1e-8 };
	take_three_steps(&t, pace, true, w);
	same(w, 0.7049811, -1.7019842, 0.2064796);
}
END_TEST

START_TEST(what_does_not_decay_steps_as_without_decay)
{
	float spared[3], without[3], decayed[3];
	struct trainspec t = { .optimizer = TRAIN_SGD, .weight_decay = 0.5 }, none = { .optimizer = TRAIN_SGD };
	take_three_steps(&t, (struct pace){ 0.1, 0.9 }, false, spared);
	take_three_steps(&none, (struct pace){ 0.1, 0.9 }, true, without);
	take_three_steps(&t, (struct pace){ 0.1, 0.9 }, true, decayed);
	ck_assert_mem_eq(spared, without, sizeof spared);
	ck_assert_mem_ne(spared, decayed, sizeof spared);
}
END_TEST

START_TEST(the_gradients_norm_is_over_all_tensors)
{
	float w[3] = { 0 }, one[] = { 3, 0 }, two[] = { 4 };
	struct optimizer *o;
	struct trainspec t = { .optimizer = TRAIN_SGD };
	struct trained tensors[] = { { w, one, 2, false }, { w + 2, two, 1, false } };
	ck_assert(!optimizer_new(&t, tensors, 2, &o, &e));
	ck_assert_double_eq_tol(optimizer_gradient_norm(o), 5, 1e-12);
	optimizer_step(o, (struct pace){ 1, 0 }, 0.5f);
	ck_assert_double_eq_tol(w[0], -1.5, 1e-7);
	ck_assert_double_eq_tol(w[2], -2, 1e-7);
	optimizer_free(o);
}
END_TEST

/* ---- augmentation ---- */

enum { SIDE = 5, PIXELS = SIDE * SIDE, DRAWS = 200 };

static const struct dataset squares = { .count = 1, .channels = 1, .height = SIDE, .width = SIDE };
static const struct normalisation shifted = { .channels = 1, .mean = { 0.5f }, .std = { 0.25f } };
static const struct split images = { .data = &squares, .count = 1, .norm = &shifted };
static const float BLANK = -2; /* a black pixel, normalised */

static void number(float *x)
{
	for (int i = 0; i < PIXELS; i++)
		x[i] = (float)i;
}

/* Whether x is the numbered image moved by (down, right), mirrored first or not. */
static bool is_moved(const float *x, int down, int right, bool mirrored)
{
	for (int i = 0; i < SIDE; i++)
		for (int k = 0; k < SIDE; k++) {
			int row = i - down, column = k - right;
			bool inside = row >= 0 && row < SIDE && column >= 0 && column < SIDE;
			int from = row * SIDE + (mirrored ? SIDE - 1 - column : column);
			if (fabsf(x[i * SIDE + k] - (inside ? (float)from : BLANK)) > 1e-4f)
				return false;
		}
	return true;
}

START_TEST(shifts_and_mirrors_are_whole_pixels_and_all_occur)
{
	struct rng r;
	float x[PIXELS], room[PIXELS];
	struct trainspec t = { .flip = true, .shift = 1, .crop = 1 };
	int seen[3][3][2] = { 0 }, kinds = 0;
	rng_init(&r, 3, 4);
	for (int n = 0; n < DRAWS; n++) {
		bool found = false;
		number(x);
		augment_batch(&t, &images, x, 1, room, &r);
		for (int i = 0; i < 18 && !found; i++) {
			int down = i / 6 - 1, right = i / 2 % 3 - 1;
			found = is_moved(x, down, right, i % 2);
			if (found)
				seen[down + 1][right + 1][i % 2]++;
		}
		ck_assert_msg(found, "draw %d is no shift of the image", n);
	}
	for (int i = 0; i < 18; i++)
		kinds += seen[i / 6][i / 2 % 3][i % 2] > 0;
	ck_assert_int_eq(kinds, 18);
}
END_TEST

/* The image's numbers are 5 row + column, and so are what lies between them: away from the edges a crop is the same
 * plane, of other steps and another start. Steps are the window's share of a side, and the window is inside. */
START_TEST(a_crop_shows_a_window_of_the_image)
{
	struct rng r;
	float x[PIXELS], room[PIXELS];
	struct trainspec t = { .crop = 0.5 };
	double least = 1, most = 0;
	rng_init(&r, 3, 4);
	for (int n = 0; n < DRAWS; n++) {
		number(x);
		augment_batch(&t, &images, x, 1, room, &r);
		double down = (double)(x[3 * SIDE + 1] - x[1 * SIDE + 1]) / 2 / SIDE;
		double right = (double)(x[1 * SIDE + 3] - x[1 * SIDE + 1]) / 2;
		double start = x[1 * SIDE + 1] - SIDE * (down + (down - 1) / 2) - (right + (right - 1) / 2);
		double room_left = SIDE * (1 - down) * SIDE + SIDE * (1 - right);
		ck_assert(down >= 0.5 - 1e-4 && down <= 1 + 1e-4 && right >= 0.5 - 1e-4 && right <= 1 + 1e-4);
		ck_assert_double_ge(start, -1e-3);
		ck_assert_double_le(start, room_left + 1e-3);
		least = fmin(least, start / room_left);
		most = fmax(most, start / room_left);
	}
	ck_assert(least < 0.1 && most > 0.9);
}
END_TEST

START_TEST(nothing_to_do_changes_nothing)
{
	struct trainspec t = { .crop = 1 };
	ck_assert(!augment_applies(&t));
	t.crop = 0.9;
	ck_assert(augment_applies(&t));
}
END_TEST

/* ---- second derivatives ---- */

enum { N = 6 };

/* Of w A w / 2: A w, with A = diagonal + beside * (all ones outside of it). */
struct quadratic {
	double diagonal[N], beside;
};

static enum err gradient_of(const float *w, float *ret, void *arg, struct errinfo *unused)
{
	const struct quadratic *q = arg;
	(void)unused;
	double sum = 0;
	for (int i = 0; i < N; i++)
		sum += w[i];
	for (int i = 0; i < N; i++)
		ret[i] = (float)(q->diagonal[i] * w[i] + q->beside * (sum - w[i]));
	return ERR_OK;
}

static void estimate(struct quadratic *q, int probes, double *ret)
{
	static const float w[N] = { 0.5f, -1, 2, 0, 0.25f, 3 }, step[N] = { 0.5f, 0.25f, 1, 0.5f, 2, 1 };
	struct rng r;
	rng_init(&r, 9, 9);
	struct hessian_request request = { w, step, N, probes, &r, gradient_of, q };
	ck_assert(!hessian_diagonal(&request, ret, &e));
}

START_TEST(one_probe_is_exact_where_the_hessian_is_diagonal)
{
	struct quadratic q = { { 1, 2, 0, -3, 0.5, 10 }, 0 };
	double got[N];
	estimate(&q, 1, got);
	for (int i = 0; i < N; i++)
		ck_assert_double_eq_tol(got[i], q.diagonal[i], 1e-5);
}
END_TEST

/* The error of a mean over n probes is at most step ratio * beside * sqrt(N / n), about 0.1 here. */
START_TEST(probes_converge_to_the_diagonal_of_a_full_hessian)
{
	struct quadratic q = { { 1, 2, 0, -3, 0.5, 10 }, 0.5 };
	double few[N], many[N], worst_few = 0, worst_many = 0;
	estimate(&q, 10, few);
	estimate(&q, 4000, many);
	for (int i = 0; i < N; i++) {
		worst_few = fmax(worst_few, fabs(few[i] - q.diagonal[i]));
		worst_many = fmax(worst_many, fabs(many[i] - q.diagonal[i]));
	}
	ck_assert_double_lt(worst_many, 0.3);
	ck_assert_double_lt(worst_many, worst_few);
}
END_TEST

Suite *train_suite(void)
{
	Suite *s = suite_create("train");
	TCase *t = tcase_create("train");
	tcase_add_test(t, one_cycle_is_pytorchs);
	tcase_add_test(t, cosine_falls_from_the_peak_behind_its_warm_up);
	tcase_add_test(t, one_step_is_enough_for_any_schedule);
	tcase_add_test(t, optimisers_step_as_pytorchs);
	tcase_add_test(t, what_does_not_decay_steps_as_without_decay);
	tcase_add_test(t, the_gradients_norm_is_over_all_tensors);
	tcase_add_test(t, shifts_and_mirrors_are_whole_pixels_and_all_occur);
	tcase_add_test(t, a_crop_shows_a_window_of_the_image);
	tcase_add_test(t, nothing_to_do_changes_nothing);
	tcase_add_test(t, one_probe_is_exact_where_the_hessian_is_diagonal);
	tcase_add_test(t, probes_converge_to_the_diagonal_of_a_full_hessian);
	suite_add_tcase(s, t);
	return s;
}

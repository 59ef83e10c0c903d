/* test_planar.c -- direct convolutions of few channels, and pooling, by every kernel that this processor runs.
 * SPDX-License-Identifier: MIT
 *
 * Each result is compared with the sum in double. In float a sum of K products is off by at most (K + a few) * u * sum
 * |a * b| in any order (Higham 2002, section 3.1). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/builder.h"
#include "evaluator/kernels/planar.h"
#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { KERNELS = 3, RANDOM = 150, CHANNELS = 20, BATCH = 3 };

/* One convolution with its numbers. Inputs are followed by nothing that may be read: ASan sees it. */
struct scene {
	struct planar_size size;
	int64_t x_count, y_count, w_count;
	float *x, *w, *bias, *residual, *room, *packed;
	int64_t *offsets;
	const struct planar_kernels *kernels;
};

static int64_t between(struct rng *r, int64_t least, int64_t most)
{
	return least + (int64_t)rng_below(r, (uint64_t)(most - least + 1));
}

/* Output sizes follow from padding behind, which may be none or less: the last windows may begin inside or not. */
static struct planar_size random_size(struct rng *r)
{
	static const int64_t kernels[] = { 1, 3, 5, 7, 2 };
	struct planar_size s = { .batch = 2, .in = between(r, 1, CHANNELS), .out = between(r, 1, CHANNELS) };
	for (int i = 0; i < 2; i++) {
		s.kernel[i] = kernels[rng_below(r, 5)];
		s.stride[i] = between(r, 1, rng_below(r, 4) ? 2 : 3);
		s.in_size[i] = between(r, 1, i ? 40 : 12);
		s.before[i] = between(r, -1, s.kernel[i]);
		int64_t padded = s.in_size[i] + s.before[i] + between(r, 0, s.kernel[i]);
		padded = padded < s.kernel[i] ? s.kernel[i] : padded;
		s.out_size[i] = (padded - s.kernel[i]) / s.stride[i] + 1;
	}
	return s;
}

static struct planar_filters filters_of(const struct scene *s)
{
	int64_t area = s->size.kernel[0] * s->size.kernel[1];
	return (struct planar_filters){ s->w, { s->size.in * area, area, s->size.kernel[1], 1 } };
}

static struct scene open_scene(const struct planar_size *size, uint64_t seed, const struct planar_kernels *k)
{
	struct scene s = { .size = *size, .kernels = k };
	struct rng r;
	rng_init(&r, 21, seed);
	int64_t taps = size->in * size->kernel[0] * size->kernel[1];
	s.x_count = size->batch * size->in * size->in_size[0] * size->in_size[1];
	s.y_count = size->batch * size->out * size->out_size[0] * size->out_size[1];
	s.w_count = size->out * taps;
	s.x = agree_input(&r, s.x_count);
	s.w = agree_input(&r, s.w_count);
	s.bias = agree_input(&r, size->out);
	s.residual = agree_input(&r, s.y_count);
	s.room = agree_input(&r, planar_room(k, size));
	s.packed = agree_input(&r, s.w_count);
	s.offsets = calloc((size_t)taps, sizeof *s.offsets);
	ck_assert_ptr_nonnull(s.offsets);
	struct planar_filters f = filters_of(&s);
	planar_pack(size, &f, s.packed);
	planar_offsets(size, s.offsets);
	return s;
}

static void close_scene(struct scene *s)
{
	float *all[] = { s->x, s->w, s->bias, s->residual, s->room, s->packed };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
	free(s->offsets);
}

static struct planar_job job_of(struct scene *s, float *y)
{
	return (struct planar_job){ .size = s->size,
		.x = s->x,
		.weights = s->packed,
		.offsets = s->offsets,
		.y = y,
		.low = -INFINITY,
		.high = INFINITY,
		.room = &s->room };
}

struct sum {
	double value, size;
	int terms;
};

static struct sum sum_at(const struct scene *s, int64_t at)
{
	const struct planar_size *z = &s->size;
	int64_t j = at % z->out_size[1], i = at / z->out_size[1] % z->out_size[0];
	int64_t o = at / (z->out_size[0] * z->out_size[1]) % z->out, n = at / (s->y_count / z->batch);
	struct sum sum = { 0 };
	for (int64_t c = 0; c < z->in; c++)
		for (int64_t u = 0; u < z->kernel[0]; u++)
			for (int64_t v = 0; v < z->kernel[1]; v++) {
				int64_t row = i * z->stride[0] + u - z->before[0];
				int64_t column = j * z->stride[1] + v - z->before[1];
				if (row < 0 || row >= z->in_size[0] || column < 0 || column >= z->in_size[1])
					continue;
				double product =
					(double)s->x[((n * z->in + c) * z->in_size[0] + row) * z->in_size[1] + column] *
					s->w[((o * z->in + c) * z->kernel[0] + u) * z->kernel[1] + v];
				sum.value += product;
				sum.size += fabs(product);
				sum.terms++;
			}
	return sum;
}

/* _i: which of the kernels; those that this processor doesn't have are left out. */
static const struct planar_kernels *kernels_at(int i)
{
	const struct planar_kernels *const *all = planar_runnable();
	for (int k = 0; all[k]; k++)
		if (k == i)
			return all[k];
	return NULL;
}

static float *new_floats(int64_t count)
{
	float *p = malloc((size_t)count * sizeof *p);
	ck_assert_ptr_nonnull(p);
	memset(p, 0xff, (size_t)count * sizeof *p); /* not numbers */
	return p;
}

/* With bias, residual and bounds or without them. */
static void check(struct scene *s, bool plain, const char *what, int64_t which)
{
	float *y = new_floats(s->y_count);
	struct planar_job j = job_of(s, y);
	if (!plain) {
		j.bias = s->bias;
		j.residual = memcpy(y, s->residual, (size_t)s->y_count * sizeof *y);
		j.low = 0;
		j.high = 3;
	}
	s->kernels->convolve(&j);
	int64_t map = s->size.out_size[0] * s->size.out_size[1];
	for (int64_t i = 0; i < s->y_count; i++) {
		struct sum is = sum_at(s, i);
		if (!plain) {
			float bias = s->bias[i / map % s->size.out];
			is.value = fmin(fmax(is.value + bias + s->residual[i], 0), 3);
			is.size += fabsf(bias) + fabsf(s->residual[i]);
		}
		double bound = (is.terms + 8) * 0x1p-24 * is.size;
		ck_assert_msg(fabs(y[i] - is.value) <= bound,
			"%s, size %lld: number %lld is %.9g, expected %.9g within %.3g", what, (long long)which,
			(long long)i, y[i], is.value, bound);
	}
	free(y);
}

START_TEST(a_convolution_of_few_channels_is_the_direct_sum)
{
	const struct planar_kernels *k = kernels_at(_i);
	for (uint64_t i = 0; i < RANDOM && k; i++) {
		struct rng r;
		rng_init(&r, 22, i);
		struct planar_size size = random_size(&r);
		struct scene s = open_scene(&size, i, k);
		check(&s, i % 2, k->name, (int64_t)i);
		close_scene(&s);
	}
}
END_TEST

/* Every number of output channels, and every width of a map. */
START_TEST(a_convolution_of_few_channels_has_any_width)
{
	const struct planar_kernels *k = kernels_at(_i);
	for (int64_t i = 1; i <= 40 && k; i++) {
		struct planar_size size = { 1, 2, 1 + i % CHANNELS, { 5, i }, { 5, i }, { 3, 3 }, { 1, 1 }, { 1, 1 } };
		struct scene s = open_scene(&size, (uint64_t)i, k);
		check(&s, i % 2, k->name, i);
		close_scene(&s);
	}
}
END_TEST

/* No ReLU hides it. */
START_TEST(what_is_not_a_number_stays_so)
{
	const struct planar_kernels *k = kernels_at(_i);
	struct planar_size size = { 1, 2, 9, { 6, 7 }, { 6, 7 }, { 3, 3 }, { 1, 1 }, { 1, 1 } };
	if (!k)
		return;
	struct scene s = open_scene(&size, 1, k);
	float *y = new_floats(s.y_count);
	struct planar_job j = job_of(&s, y);
	j.low = 0;
	s.x[0] = NAN;
	k->convolve(&j);
	ck_assert(isnan(y[0]));
	ck_assert(!isnan(y[2]) && !isnan(y[s.y_count - 1]));
	free(y);
	close_scene(&s);
}
END_TEST

/* ---- pooling ---- */

static void check_pooling(const struct planar_kernels *k, const struct planar_pooling *p)
{
	int64_t area = p->kernel[0] * p->kernel[1], map = p->out_size[0] * p->out_size[1];
	for (int64_t i = 0; i < p->maps * map; i++) {
		const float *x = p->x + i / map * p->in_size[0] * p->in_size[1] +
				 i % map / p->out_size[1] * p->stride[0] * p->in_size[1] +
				 i % p->out_size[1] * p->stride[1];
		double sum = 0, most = -INFINITY;
		for (int64_t t = 0; t < area; t++) {
			float tap = x[t / p->kernel[1] * p->in_size[1] + t % p->kernel[1]];
			sum += tap;
			most = fmax(most, tap);
		}
		ck_assert_msg(fabs(p->y[i] - (p->max ? most : sum / (double)area)) <= (p->max ? 0 : 1e-5),
			"%s: number %lld is %g", k->name, (long long)i, p->y[i]);
	}
}

START_TEST(a_map_is_pooled_by_its_windows)
{
	const struct planar_kernels *k = kernels_at(_i);
	for (uint64_t i = 0; i < RANDOM && k; i++) {
		struct rng r;
		rng_init(&r, 23, i);
		struct planar_pooling p = { .maps = between(&r, 1, 5), .max = i % 2 };
		for (int a = 0; a < 2; a++) {
			p.kernel[a] = between(&r, 1, 4);
			p.stride[a] = between(&r, 1, 3);
			p.out_size[a] = between(&r, 1, a ? 40 : 6);
			p.in_size[a] = (p.out_size[a] - 1) * p.stride[a] + p.kernel[a] + between(&r, 0, 1);
		}
		float *x = agree_input(&r, p.maps * p.in_size[0] * p.in_size[1]);
		p.x = x;
		p.y = new_floats(p.maps * p.out_size[0] * p.out_size[1]);
		k->pool(&p);
		check_pooling(k, &p);
		free(x);
		free(p.y);
	}
}
END_TEST

/* ---- in a network ---- */

static const struct sketch_window same = { { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 };
static const struct sketch_window halved = { { 2, 2 }, { 2, 2 }, { 1, 1 }, { 0, 0, 0, 0 }, false, 0 };
static const struct sketch_window apart = { { 3, 3 }, { 2, 2 }, { 1, 1 }, { 1, 1, 1, 1 }, false, 0 };

static int layer(struct sketch *s, int x, int64_t out, const struct sketch_window *w, bool norm)
{
	int y = sketch_conv(s, x, out, w, !norm);
	return sketch_one(s, OP_RELU, norm ? sketch_batch_norm(s, y) : y);
}

/* Layers of few and of many channels, sums of what both give, in both orders, and a pooling. The reference's bounds
 * grow from one batch-norm of a batch to the next. */
static int draw_mixture(struct sketch *s, enum plan_mode mode, bool norm)
{
	bool calibrated = mode == PLAN_CALIBRATE;
	int few = layer(s, 0, 3, &same, norm), many = layer(s, few, 18, &same, norm && !calibrated);
	int back = sketch_conv(s, many, 3, &same, true);
	int sum = sketch_one(s, OP_RELU, sketch_add(s, few, norm ? sketch_batch_norm(s, back) : back));
	int pooled = sketch_max_pool(s, sum, &halved);
	if (calibrated)
		return sketch_one(s, OP_GLOBAL_AVERAGE_POOL, pooled);
	int wide = sketch_conv(s, layer(s, pooled, 5, &same, norm), 18, &same, false);
	int other = sketch_conv(s, many, 18, &apart, false);
	return sketch_one(s, OP_GLOBAL_AVERAGE_POOL, sketch_add(s, wide, other));
}

START_TEST(layers_of_few_and_many_channels_follow_their_formulas)
{
	static const enum plan_mode modes[] = { PLAN_INFER, PLAN_CALIBRATE, PLAN_OBSERVE };
	for (uint64_t i = 0; i < 12; i++) {
		struct sketch s = sketch_open("few and many channels", i, 3, (int64_t[]){ 1 + (int64_t)i % 3, 10, 12 });
		s.epsilon = 0.1;
		agree_sketch(&s, draw_mixture(&s, modes[i % 3], i % 2), modes[i % 3]);
	}
}
END_TEST

/* Nothing is reordered between layers of few channels: a step for each of them and for each batch-norm by its batch. */
START_TEST(maps_of_few_channels_stay_as_they_are)
{
	struct sketch s = sketch_open("few channels", 1, 3, (int64_t[]){ 1, 12, 12 });
	int x = layer(&s, sketch_max_pool(&s, layer(&s, 0, 3, &same, true), &halved), 5, &same, true);
	sketch_finish(&s, layer(&s, x, 5, &same, true));
	struct plan *p = agree_plan(s.g, BATCH, PLAN_INFER, s.what);
	ck_assert_uint_eq(p->step_count, 4);
	plan_free(p);
	p = agree_plan(s.g, BATCH, PLAN_CALIBRATE, s.what);
	ck_assert_uint_eq(p->step_count, 7);
	plan_free(p);
	sketch_close(&s);
}
END_TEST

Suite *planar_suite(void)
{
	Suite *s = suite_create("planar");
	TCase *t = tcase_create("planar");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_convolution_of_few_channels_is_the_direct_sum, 0, KERNELS);
	tcase_add_loop_test(t, a_convolution_of_few_channels_has_any_width, 0, KERNELS);
	tcase_add_loop_test(t, what_is_not_a_number_stays_so, 0, KERNELS);
	tcase_add_loop_test(t, a_map_is_pooled_by_its_windows, 0, KERNELS);
	tcase_add_test(t, layers_of_few_and_many_channels_follow_their_formulas);
	tcase_add_test(t, maps_of_few_channels_stay_as_they_are);
	suite_add_tcase(s, t);
	return s;
}

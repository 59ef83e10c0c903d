/* test_winograd.c -- Winograd's convolution and its gradients, by every kernel that this processor runs.
 * SPDX-License-Identifier: MIT
 *
 * Each result is compared with the direct sum in double. What a tile's numbers are rounded by is in proportion to the
 * largest of them, not to each: the inverse transform takes them from sums of 36 with coefficients up to 8. So the
 * bound is WINOGRAD_ERROR = 1e-5, or 170 times half a unit in the last place, of the largest sum of absolute
 * products. Over these sizes the largest error is 2e-6 of it; a wrong coefficient is off by a hundredth or more. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/winograd.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/formula.h"
#include "tests/evaluator/suites.h"

enum { SIDE = 3, KERNELS = 3 };

/* Maps are channels-last, filters (out, in, 3, 3). */
struct scene {
	struct winograd_size size;
	int64_t x_count, y_count, w_count;
	float *x, *w, *dy, *bias, *residual, *transformed, *room;
	const struct winograd_kernels *kernels;
};

static const struct winograd_size sizes[] = {
	{ 1, 1, 1, 4, 4, 4, 4, 1, 1 },
	{ 3, 16, 16, 8, 8, 8, 8, 1, 1 },
	{ 2, 5, 3, 7, 6, 7, 6, 1, 1 },
	{ 5, 13, 19, 9, 11, 9, 11, 1, 1 },
	{ 2, 33, 47, 6, 7, 4, 5, 0, 0 },
	{ 2, 17, 64, 5, 5, 9, 8, 3, 2 },
	{ 1, 70, 81, 10, 5, 8, 7, 0, 2 },
	{ 9, 48, 97, 7, 7, 7, 7, 1, 1 },
	{ 4, 8, 9, 28, 28, 28, 28, 1, 1 },
	{ 2, 6, 7, 9, 9, 5, 6, -2, -1 },
};
enum { SIZES = sizeof sizes / sizeof *sizes };

static struct scene open_scene(int which, const struct winograd_kernels *k)
{
	struct scene s = { .size = sizes[which], .kernels = k };
	const struct winograd_size *z = &s.size;
	struct rng r;
	rng_init(&r, 12, (uint64_t)which);
	s.x_count = z->batch * z->in_height * z->in_width * z->in;
	s.y_count = z->batch * z->out_height * z->out_width * z->out;
	s.w_count = z->in * z->out * SIDE * SIDE;
	s.x = agree_input(&r, s.x_count);
	s.w = agree_input(&r, s.w_count);
	s.dy = agree_input(&r, s.y_count);
	s.bias = agree_input(&r, z->out);
	s.residual = agree_input(&r, s.y_count);
	s.transformed = agree_input(&r, winograd_filter_room(k, z->in, z->out));
	s.room = agree_input(&r, winograd_block_room(k, z));
	return s;
}

static void close_scene(struct scene *s)
{
	float *all[] = { s->x, s->w, s->dy, s->bias, s->residual, s->transformed, s->room };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		free(all[i]);
}

static float *new_floats(int64_t count)
{
	float *p = malloc((size_t)count * sizeof *p);
	ck_assert_ptr_nonnull(p);
	memset(p, 0xff, (size_t)count * sizeof *p); /* not numbers */
	return p;
}

/* Sums of products and of their absolute values. */
struct sums {
	int64_t count;
	double *value, *size;
};

static struct sums new_sums(int64_t count)
{
	struct sums s = { count, calloc((size_t)count, sizeof(double)), calloc((size_t)count, sizeof(double)) };
	ck_assert(s.value && s.size);
	return s;
}

static void add(struct sums *s, int64_t at, double product)
{
	s->value[at] += product;
	s->size[at] += fabs(product);
}

/* All products of one output number: into y, or into the gradient of w. */
static void add_window(const struct scene *s, int64_t y_at, struct sums *y, struct sums *dw)
{
	const struct winograd_size *z = &s->size;
	int64_t o = y_at % z->out, place = y_at / z->out, column = place % z->out_width;
	int64_t row = place / z->out_width % z->out_height, sample = place / z->out_width / z->out_height;
	for (int64_t i = 0; i < SIDE * SIDE * z->in; i++) {
		int64_t c = i / (SIDE * SIDE), u = i / SIDE % SIDE, v = i % SIDE;
		int64_t from_row = row + u - z->top, from_column = column + v - z->left;
		if (from_row < 0 || from_row >= z->in_height || from_column < 0 || from_column >= z->in_width)
			continue;
		int64_t x_at = ((sample * z->in_height + from_row) * z->in_width + from_column) * z->in + c;
		int64_t w_at = (o * z->in + c) * SIDE * SIDE + u * SIDE + v;
		if (y)
			add(y, y_at, (double)s->x[x_at] * s->w[w_at]);
		if (dw)
			add(dw, w_at, (double)s->x[x_at] * s->dy[y_at]);
	}
}

static struct winograd_filters filters_of(const struct scene *s, float *w)
{
	int64_t in = s->size.in;
	return (struct winograd_filters){ w, in, s->size.out, in * SIDE * SIDE, SIDE * SIDE, SIDE, 1, s->transformed };
}

static struct winograd_job job_of(struct scene *s, float *y)
{
	struct winograd_filters f = filters_of(s, s->w);
	s->kernels->transform(&f);
	return (struct winograd_job){ .size = s->size,
		.x = s->x,
		.transformed = s->transformed,
		.y = y,
		.low = -INFINITY,
		.high = INFINITY,
		.block = winograd_block(s->kernels, &s->size),
		.room = &s->room };
}

static void check(const struct sums *s, const float *is, const char *what, int which)
{
	double largest = 0;
	for (int64_t i = 0; i < s->count; i++)
		largest = fmax(largest, s->size[i]);
	ck_assert(largest > 0.1);
	for (int64_t i = 0; i < s->count; i++)
		ck_assert_msg(fabs(is[i] - s->value[i]) <= WINOGRAD_ERROR * largest,
			"%s, size %d: number %lld is %.9g, expected %.9g within %.3g", what, which, (long long)i, is[i],
			s->value[i], WINOGRAD_ERROR * largest);
}

static void free_sums(struct sums *s)
{
	free(s->value);
	free(s->size);
}

/* _i: which of the kernels; those that this processor doesn't have are left out. */
static const struct winograd_kernels *kernels_at(int i)
{
	const struct winograd_kernels *const *all = winograd_runnable();
	for (int k = 0; all[k]; k++)
		if (k == i)
			return all[k];
	return NULL;
}

START_TEST(winograds_convolution_is_the_direct_sum)
{
	const struct winograd_kernels *k = kernels_at(_i);
	for (int which = 0; which < SIZES && k; which++) {
		struct scene s = open_scene(which, k);
		struct sums y = new_sums(s.y_count);
		float *is = new_floats(s.y_count);
		struct winograd_job j = job_of(&s, is);
		for (int64_t i = 0; i < s.y_count; i++)
			add_window(&s, i, &y, NULL);
		k->convolve(&j);
		check(&y, is, k->name, which);
		free(is);
		free_sums(&y);
		close_scene(&s);
	}
}
END_TEST

/* Bias and residual, which is the output's memory, are added before the bounds are kept. */
START_TEST(winograds_convolution_ends_as_it_is_told)
{
	const struct winograd_kernels *k = kernels_at(_i);
	for (int which = 0; which < SIZES && k; which++) {
		struct scene s = open_scene(which, k);
		float *plain = new_floats(s.y_count), *is = new_floats(s.y_count);
		struct winograd_job j = job_of(&s, plain);
		k->convolve(&j);
		memcpy(is, s.residual, (size_t)s.y_count * sizeof *is);
		j.bias = s.bias;
		j.y = is;
		j.residual = is;
		j.low = 0;
		j.high = 3;
		k->convolve(&j);
		for (int64_t i = 0; i < s.y_count; i++) {
			float sum = plain[i] + s.bias[i % s.size.out] + s.residual[i];
			ck_assert_float_eq_tol(is[i], sum < 0 ? 0 : sum > 3 ? 3 : sum, 1e-4);
		}
		free(plain);
		free(is);
		close_scene(&s);
	}
}
END_TEST

START_TEST(the_gradient_of_the_filters_is_the_direct_sum)
{
	const struct winograd_kernels *k = kernels_at(_i);
	for (int which = 0; which < SIZES && k; which++) {
		struct scene s = open_scene(which, k);
		struct sums dw = new_sums(s.w_count);
		float *is = new_floats(s.w_count);
		struct winograd_gradient_job j = { .size = s.size,
			.x = s.x,
			.dy = s.dy,
			.filters = filters_of(&s, is),
			.block = winograd_block(k, &s.size),
			.room = &s.room };
		for (int64_t i = 0; i < s.y_count; i++)
			add_window(&s, i, NULL, &dw);
		k->differentiate(&j);
		check(&dw, is, k->name, which);
		free(is);
		free_sums(&dw);
		close_scene(&s);
	}
}
END_TEST

/* No ReLU hides it. */
START_TEST(what_is_not_a_number_stays_so)
{
	const struct winograd_kernels *k = kernels_at(_i);
	for (int which = 1; which < SIZES && k; which++) {
		struct scene s = open_scene(which, k);
		float *is = new_floats(s.y_count);
		struct winograd_job j = job_of(&s, is);
		j.low = 0;
		for (int64_t i = 0; i < s.x_count; i++)
			s.x[i] = NAN;
		k->convolve(&j);
		ck_assert(isnan(is[0]));
		free(is);
		close_scene(&s);
	}
}
END_TEST

Suite *winograd_suite(void)
{
	Suite *s = suite_create("winograd");
	TCase *t = tcase_create("winograd");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, winograds_convolution_is_the_direct_sum, 0, KERNELS);
	tcase_add_loop_test(t, winograds_convolution_ends_as_it_is_told, 0, KERNELS);
	tcase_add_loop_test(t, the_gradient_of_the_filters_is_the_direct_sum, 0, KERNELS);
	tcase_add_loop_test(t, what_is_not_a_number_stays_so, 0, KERNELS);
	suite_add_tcase(s, t);
	return s;
}

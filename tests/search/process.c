/* process.c -- the Gaussian process.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "search/process.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { SIZE = 3, MOST = 150 };

struct made_up {
	double u[MOST * SIZE], phi[MOST], y[MOST], variance[MOST];
};

static struct process_data data_of(const struct made_up *m, int n)
{
	return (struct process_data){ m->u, m->phi, m->y, m->variance, n, SIZE, 1 };
}

static double truth(const double *u)
{
	return sin(2 * u[0]) + u[1] * u[1] - 0.5 * u[2] * u[0];
}

static void fill(struct made_up *m, double variance)
{
	struct rng r;
	rng_init(&r, 4, 0);
	for (int i = 0; i < MOST; i++) {
		for (int k = 0; k < SIZE; k++)
			m->u[i * SIZE + k] = rng_uniform(&r);
		m->phi[i] = m->u[i * SIZE];
		m->y[i] = truth(m->u + i * SIZE);
		m->variance[i] = variance;
	}
}

static struct process *fit(const struct made_up *m, int n)
{
	struct errinfo e = { 0 };
	struct process *p = NULL;
	struct process_data d = data_of(m, n);
	ok(process_fit(&d, &p, &e));
	return p;
}

static void predict(const struct process *p, const double *u, double phi, double *ret_mean, double *ret_deviation)
{
	struct errinfo e = { 0 };
	ok(process_predict(p, u, &phi, 1, ret_mean, ret_deviation, &e));
}

START_TEST(exact_results_are_reproduced_and_what_lies_between_them_is_near)
{
	static struct made_up m;
	double mean, deviation, at[SIZE], worst = 0;
	fill(&m, 1e-6);
	struct process *p = fit(&m, MOST);
	for (int i = 0; i < MOST; i++) {
		predict(p, m.u + i * SIZE, m.phi[i], &mean, &deviation);
		ck_assert_double_eq_tol(mean, m.y[i], 1e-3);
		ck_assert_double_lt(deviation, 0.01);
	}
	struct rng r;
	rng_init(&r, 5, 0);
	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < SIZE; k++)
			at[k] = 0.1 + 0.8 * rng_uniform(&r);
		predict(p, at, at[0], &mean, &deviation);
		worst = fmax(worst, fabs(mean - truth(at)));
		ck_assert_double_lt(fabs(mean - truth(at)), 5 * deviation + 0.02);
	}
	ck_assert_double_lt(worst, 0.15);
	process_free(p);
}
END_TEST

START_TEST(far_from_all_results_nothing_is_known)
{
	static struct made_up m;
	double mean, deviation, near;
	fill(&m, 0.001);
	struct process *p = fit(&m, 40);
	predict(p, m.u, m.phi[0], &mean, &near);
	predict(p, (double[]){ 60, -60, 60 }, 0, &mean, &deviation);
	ck_assert_double_eq_tol(mean, 0, 1e-6);
	ck_assert_double_ge(deviation, 0.15); /* the least sigma there is */
	ck_assert_double_gt(deviation, 4 * near);
	process_free(p);
}
END_TEST

START_TEST(without_results_the_mean_is_0_and_the_deviation_that_of_the_prior)
{
	struct made_up m = { 0 };
	double mean, deviation, further;
	struct process *p = fit(&m, 0);
	predict(p, (double[]){ 1, 2, 3 }, 0, &mean, &deviation);
	ck_assert_double_eq(mean, 0);
	ck_assert_double_gt(deviation, 0.1);
	predict(p, (double[]){ 1, 2, 3 }, 2, &mean, &further);
	ck_assert_double_eq(mean, 0);
	ck_assert_double_gt(further, deviation);
	process_free(p);
}
END_TEST

START_TEST(results_of_one_point_that_differ_are_averaged)
{
	static struct made_up m;
	double mean, deviation;
	for (int i = 0; i < 40; i++) {
		m.y[i] = i % 2 ? 1.5 : 0.5;
		m.variance[i] = 0.01;
	}
	struct process *p = fit(&m, 40);
	predict(p, m.u, 0, &mean, &deviation);
	ck_assert_double_eq_tol(mean, 1, 0.05);
	ck_assert(isfinite(deviation));
	process_free(p);
	for (int i = 0; i < 40; i++)
		m.variance[i] = 1e-12; /* as good as singular */
	p = fit(&m, 40);
	predict(p, m.u, 0, &mean, &deviation);
	ck_assert_double_eq_tol(mean, 1, 0.05);
	process_free(p);
}
END_TEST

START_TEST(the_same_results_give_the_same_bits)
{
	static struct made_up m;
	double mean[2][MOST], deviation[2][MOST];
	struct errinfo e = { 0 };
	fill(&m, 0.01);
	for (int i = 0; i < 2; i++) {
		struct process *p = fit(&m, 120);
		ok(process_predict(p, m.u, m.phi, MOST, mean[i], deviation[i], &e));
		process_free(p);
	}
	ck_assert_mem_eq(mean[0], mean[1], sizeof mean[0]);
	ck_assert_mem_eq(deviation[0], deviation[1], sizeof deviation[0]);
}
END_TEST

START_TEST(noise_is_smoothed_by_as_much_as_is_said)
{
	static struct made_up m;
	double mean, deviation, sharp, smooth;
	fill(&m, 1e-4);
	m.y[0] += 1;
	struct process *p = fit(&m, 60);
	predict(p, m.u, m.phi[0], &sharp, &deviation);
	process_free(p);
	m.variance[0] = 10;
	p = fit(&m, 60);
	predict(p, m.u, m.phi[0], &smooth, &deviation);
	predict(p, m.u + SIZE, m.phi[1], &mean, &deviation);
	ck_assert_double_gt(sharp, m.y[0] - 0.1);
	ck_assert_double_lt(smooth, m.y[0] - 0.7);
	process_free(p);
}
END_TEST

/* Every other value of a coordinate is better than a smooth function has it. */
START_TEST(what_a_value_does_by_itself_is_learned_where_it_recurs)
{
	enum { SEEN = 120 };
	static struct made_up m;
	double mean, deviation, off = 0, smooth = 0;
	struct rng r;
	rng_init(&r, 6, 0);
	for (int i = 0; i < MOST; i++) {
		m.y[i] = 0;
		m.variance[i] = 0.01;
		for (int k = 0; k < SIZE; k++) {
			int step = (int)rng_below(&r, 9);
			m.u[i * SIZE + k] = 0.5 * step; /* beyond the reach of the values beside it */
			m.y[i] += step % 2 ? -0.15 : 0.15;
		}
	}
	struct process *p = fit(&m, SEEN);
	for (int i = SEEN; i < MOST; i++) {
		predict(p, m.u + i * SIZE, 0, &mean, &deviation);
		off += pow(mean - m.y[i], 2);
		smooth += pow(m.y[i], 2);
	}
	ck_assert_msg(off < 0.25 * smooth, "%g of %g", off, smooth);
	process_free(p);
}
END_TEST

Suite *process_suite(void)
{
	Suite *suite = suite_create("process");
	TCase *c = tcase_create("process");
	tcase_add_test(c, exact_results_are_reproduced_and_what_lies_between_them_is_near);
	tcase_add_test(c, far_from_all_results_nothing_is_known);
	tcase_add_test(c, without_results_the_mean_is_0_and_the_deviation_that_of_the_prior);
	tcase_add_test(c, results_of_one_point_that_differ_are_averaged);
	tcase_add_test(c, the_same_results_give_the_same_bits);
	tcase_add_test(c, noise_is_smoothed_by_as_much_as_is_said);
	tcase_add_test(c, what_a_value_does_by_itself_is_learned_where_it_recurs);
	suite_add_tcase(suite, c);
	return suite;
}

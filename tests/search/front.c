/* front.c -- the Pareto set as results come in, in any order.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "search/front.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { N = 40 };

static struct problem problem_of(int objectives)
{
	return (struct problem){
		.objectives = { METRIC_ACCURACY, METRIC_MACS, METRIC_LATENCY },
		.objective_count = objectives,
		.baseline = { [METRIC_ACCURACY] = 0.9, [METRIC_MACS] = 10, [METRIC_LATENCY] = 1 },
	};
}

static void random_metrics(struct rng *r, double metrics[METRIC_COUNT])
{
	memset(metrics, 0, METRIC_COUNT * sizeof *metrics);
	metrics[METRIC_ACCURACY] = 0.1 * (double)rng_below(r, 10);
	metrics[METRIC_MACS] = (double)rng_below(r, 12);
	metrics[METRIC_LATENCY] = rng_below(r, 12) ? 0.2 * (double)rng_below(r, 6) : NAN;
}

/* Straight from the definition; member[i] for number i + 1. */
static void members_by_definition(const struct problem *p, double metrics[N][METRIC_COUNT], bool member[N])
{
	for (int i = 0; i < N; i++) {
		member[i] = constraint_total(p->constraints, p->constraint_count, p->baseline, metrics[i]) == 0;
		for (int k = 0; k < p->objective_count; k++)
			member[i] = member[i] && !isnan(metrics[i][p->objectives[k]]);
	}
	bool eligible[N];
	memcpy(eligible, member, sizeof eligible);
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N && member[i]; j++) {
			int worse = 0, better = 0;
			for (int k = 0; k < p->objective_count; k++) {
				enum metric m = p->objectives[k];
				double sign = metric_larger_is_better(m) ? -1 : 1;
				double d = sign * (metrics[j][m] - metrics[i][m]);
				worse += d > 0;
				better += d < 0;
			}
			if (eligible[j] && !worse && (better || j < i))
				member[i] = false;
		}
}

static void offer_all(struct front *f, double metrics[N][METRIC_COUNT], const uint32_t *order, bool member[N])
{
	struct errinfo e = { 0 };
	memset(member, 0, N * sizeof *member);
	for (int i = 0; i < N; i++) {
		int number = (int)order[i] + 1, left_count;
		const int *left;
		ok(front_offer(f, number, metrics[number - 1], &member[number - 1], &left, &left_count, &e));
		for (int k = 0; k < left_count; k++) {
			ck_assert_msg(member[left[k] - 1], "%d left and was no member", left[k]);
			member[left[k] - 1] = false;
		}
	}
}

START_TEST(membership_is_that_of_the_definition_whatever_the_order_of_arrival)
{
	struct errinfo e = { 0 };
	struct rng r;
	rng_init(&r, 1, 0);
	for (int set = 0; set < 100; set++) {
		double metrics[N][METRIC_COUNT];
		bool wanted[N], got[N];
		struct problem p = problem_of(2 + set % 2);
		if (set % 3 == 0)
			fixture_constrain(&p, "accuracy", ">= baseline - 0.5");
		for (int i = 0; i < N; i++)
			random_metrics(&r, metrics[i]);
		members_by_definition(&p, metrics, wanted);
		for (int permutation = 0; permutation < 10; permutation++) {
			struct front *f = NULL;
			uint32_t order[N];
			int members = 0;
			rng_permutation(&r, order, N);
			ok(front_open(&p, &f, &e));
			offer_all(f, metrics, order, got);
			for (int i = 0; i < N; i++) {
				ck_assert_msg(got[i] == wanted[i], "set %d, trial %d: %d", set, i + 1, got[i]);
				members += got[i];
			}
			ck_assert_int_eq(front_size(f), members);
			front_close(f);
		}
	}
}
END_TEST

static double volume_of(const struct problem *p, double metrics[][METRIC_COUNT], int n)
{
	struct errinfo e = { 0 };
	struct front *f = NULL;
	double volume = -1;
	ok(front_open(p, &f, &e));
	for (int i = 0; i < n; i++) {
		bool joined;
		const int *left;
		int left_count;
		ok(front_offer(f, i + 1, metrics[i], &joined, &left, &left_count, &e));
	}
	ok(front_hypervolume(f, &volume, &e));
	front_close(f);
	return volume;
}

START_TEST(the_hypervolume_is_scaled_to_the_baseline)
{
	struct problem p = problem_of(2);
	double metrics[][METRIC_COUNT] = {
		{ [METRIC_ACCURACY] = 0.5, [METRIC_MACS] = 2 },
		{ [METRIC_ACCURACY] = 0.8, [METRIC_MACS] = 5 },
		{ [METRIC_ACCURACY] = 0.99, [METRIC_MACS] = 11 }, /* costs more than the baseline */
	};
	ck_assert_double_eq(volume_of(&p, metrics, 0), 0);
	ck_assert_double_eq_tol(volume_of(&p, metrics, 1), 0.5 * 0.8, 1e-12);
	ck_assert_double_eq_tol(volume_of(&p, metrics, 3), 0.5 * 0.3 + 0.8 * 0.5, 1e-12);
	p.baseline[METRIC_MACS] = NAN;
	ck_assert_double_eq(volume_of(&p, metrics, 3), 0);
}
END_TEST

START_TEST(a_gain_is_the_difference_between_two_hypervolumes)
{
	struct errinfo e = { 0 };
	struct rng r;
	int gains = 0;
	rng_init(&r, 3, 0);
	for (int set = 0; set < 60; set++) {
		struct problem p = problem_of(2 + set % 2);
		struct front *f = NULL;
		double before = 0, after, gain;
		ok(front_open(&p, &f, &e));
		for (int i = 1; i <= N; i++) {
			double metrics[METRIC_COUNT];
			bool joined;
			const int *left;
			int left_count;
			random_metrics(&r, metrics);
			metrics[METRIC_ACCURACY] += 0.05 * rng_uniform(&r);
			ok(front_gain(f, i, metrics, &gain, &e));
			ok(front_offer(f, i, metrics, &joined, &left, &left_count, &e));
			ok(front_hypervolume(f, &after, &e));
			ck_assert_double_eq_tol(gain, after - before, 1e-12);
			gains += gain > 0;
			before = after;
		}
		front_close(f);
	}
	ck_assert_int_gt(gains, 200);
}
END_TEST

Suite *front_suite(void)
{
	Suite *suite = suite_create("front");
	TCase *c = tcase_create("front");
	tcase_add_test(c, membership_is_that_of_the_definition_whatever_the_order_of_arrival);
	tcase_add_test(c, a_gain_is_the_difference_between_two_hypervolumes);
	tcase_add_test(c, the_hypervolume_is_scaled_to_the_baseline);
	suite_add_tcase(suite, c);
	return suite;
}

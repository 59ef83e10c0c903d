/* belief.c -- what is believed, and how far earlier jobs are trusted.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/belief.h"
#include "search/prior.h"
#include "search/space.h"
#include "tests/search/landscape.h"
#include "tests/search/suites.h"

enum { GROUPS = LANDSCAPE_GROUPS, EARLIER = 80, OWN = 12, CHECKED = 8, UNSEEN = 100 };

/* What an earlier job measured: the landscape as it is, or with its groups' parts swapped. */
static struct prior *prior_of(const struct problem *p, bool misleading)
{
	struct errinfo e = { 0 };
	struct prior *prior = NULL;
	struct rng r;
	int keep[GROUPS], other[GROUPS];
	rng_init(&r, 21, 0);
	ok(prior_new(p->space, &prior, &e));
	ok(prior_job(prior, p->space, p->baseline, &e));
	for (int i = 0; i < EARLIER; i++) {
		landscape_draw(p->space, &r, 0.2 + 0.8 * rng_uniform(&r), keep);
		for (int g = 0; g < GROUPS; g++)
			other[g] = misleading ? keep[(g + 1) % GROUPS] : keep[g];
		struct outcome o = landscape_evaluate(p, i + 1, other);
		ok(prior_add(prior, keep, o.metrics, &e));
	}
	return prior;
}

/* Root mean square error of the effect on accuracies above the floor. */
static double error_of(const struct belief *b, const struct problem *p)
{
	struct errinfo e = { 0 };
	struct rng r;
	int keep[GROUPS], count = 0;
	double x[GROUPS], sum = 0;
	rng_init(&r, 22, 0);
	while (count < UNSEEN) {
		struct estimate estimate;
		landscape_draw(p->space, &r, 0.3 + 0.7 * rng_uniform(&r), keep);
		double truth = landscape_damage(p->space, keep);
		if (truth > 4)
			continue;
		space_shares(p->space, keep, x);
		ok(belief_predict(b, x, 1, &estimate, &e));
		sum += pow(estimate.mean[METRIC_ACCURACY] - truth, 2);
		count++;
	}
	return sqrt(sum / count);
}

/* The error after `own` results of this job, the first of them of earlier candidates (as guided begins), judged ones
 * when `judged`. */
static double learned_error(const struct problem *p, int own, bool judged)
{
	struct errinfo e = { 0 };
	struct belief *b = NULL;
	struct archive *a = NULL;
	struct rng r;
	int keep[GROUPS];
	rng_init(&r, 23, 0);
	ok(belief_open(p, &b, &e));
	ok(archive_new(p, &a, &e));
	for (int i = 0; i < own; i++) {
		landscape_draw(p->space, &r, 0.2 + 0.8 * rng_uniform(&r), keep);
		if (i < CHECKED && i < belief_known(b))
			memcpy(keep, belief_known_keep(b, i), sizeof keep);
		struct outcome o = landscape_evaluate(p, i + 1, keep);
		if (judged)
			belief_judge(b, &o);
		ok(archive_add(a, &o, &e));
	}
	ok(belief_learn(b, a, &e));
	double error = error_of(b, p);
	archive_free(a);
	belief_close(b);
	return error;
}

START_TEST(a_prior_that_helps_is_trusted)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	double none = learned_error(&p, OWN, true);
	struct prior *prior = prior_of(&p, false);
	p.prior = prior;
	double with = learned_error(&p, OWN, true), unjudged = learned_error(&p, OWN, false);
	ck_assert_msg(with < 0.7 * none, "%g with, %g without", with, none);
	ck_assert_msg(with < unjudged, "%g judged, %g not", with, unjudged);
	prior_free(prior);
	space_free(s);
}
END_TEST

START_TEST(a_prior_that_misleads_is_doubted)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	struct prior *prior = prior_of(&p, true);
	p.prior = prior;
	double with = learned_error(&p, 3 * OWN, true), unjudged = learned_error(&p, 3 * OWN, false);
	ck_assert_msg(with < 0.85 * unjudged, "%g judged, %g not", with, unjudged);
	prior_free(prior);
	space_free(s);
}
END_TEST

START_TEST(before_any_result_earlier_ones_are_believed)
{
	struct errinfo e = { 0 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	struct belief *b = NULL;
	struct archive *a = NULL;
	struct prior *prior = prior_of(&p, false);
	p.prior = prior;
	ok(belief_open(&p, &b, &e));
	ck_assert_int_eq(belief_known(b), EARLIER);
	ok(archive_new(&p, &a, &e));
	ok(belief_learn(b, a, &e));
	for (int i = 0; i < EARLIER; i++)
		ck_assert(space_allows(s, belief_known_keep(b, i)));
	ck_assert_double_lt(error_of(b, &p), 0.6);
	ck_assert_double_gt(belief_of_group(b, METRIC_ACCURACY, 3, 0.5), belief_of_group(b, METRIC_ACCURACY, 4, 0.5));
	archive_free(a);
	belief_close(b);
	prior_free(prior);
	space_free(s);
}
END_TEST

START_TEST(every_measured_metric_that_counts_is_believed_in)
{
	struct errinfo e = { 0 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	struct belief *b = NULL;
	struct archive *a = NULL;
	p.objectives[0] = METRIC_LOSS;
	fixture_constrain(&p, "latency", "<= 0.9");
	ok(belief_open(&p, &b, &e));
	ok(archive_new(&p, &a, &e));
	ck_assert(isnan(belief_of_group(b, METRIC_LOSS, 0, 0.5)));
	ok(belief_learn(b, a, &e)); /* from nothing */
	const bool held[METRIC_COUNT] = { [METRIC_LOSS] = true, [METRIC_LATENCY] = true };
	for (int m = 0; m < METRIC_COUNT; m++)
		ck_assert_int_eq(!isnan(belief_of_group(b, (enum metric)m, 0, 0.5)), held[m]);
	ck_assert_double_eq(belief_link(b, METRIC_LOSS).baseline, p.baseline[METRIC_LOSS]);
	archive_free(a);
	belief_close(b);
	space_free(s);
}
END_TEST

Suite *belief_suite(void)
{
	Suite *suite = suite_create("belief");
	TCase *c = tcase_create("belief");
	tcase_set_timeout(c, 60);
	tcase_add_test(c, a_prior_that_helps_is_trusted);
	tcase_add_test(c, a_prior_that_misleads_is_doubted);
	tcase_add_test(c, before_any_result_earlier_ones_are_believed);
	tcase_add_test(c, every_measured_metric_that_counts_is_believed_in);
	suite_add_tcase(suite, c);
	return suite;
}

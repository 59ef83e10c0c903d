/* surrogate.c -- the model of what pruning does.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/archive.h"
#include "search/link.h"
#include "search/surrogate.h"
#include "search/space.h"
#include "tests/search/landscape.h"
#include "tests/search/suites.h"

enum { GROUPS = LANDSCAPE_GROUPS, SEEN = 60, UNSEEN = 200 };

/* Candidates with their true effects. */
struct sample {
	int n;
	double x[UNSEEN * GROUPS], effect[UNSEEN], variance[UNSEEN], truth[UNSEEN], censored;
};

static void draw(struct sample *m, int n, uint64_t seed, double least_share)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	struct link l = { METRIC_ACCURACY, p.baseline[METRIC_ACCURACY], s->chance };
	struct rng r;
	int keep[GROUPS];
	rng_init(&r, seed, 12);
	m->n = n;
	m->censored = link_censored(&l);
	for (int i = 0; i < n; i++) {
		landscape_draw(s, &r, least_share + (1 - least_share) * rng_uniform(&r), keep);
		struct outcome o = landscape_evaluate(&p, i + 1, keep);
		space_shares(s, keep, m->x + i * GROUPS);
		m->effect[i] = link_effect(&l, o.metrics[METRIC_ACCURACY]);
		m->variance[i] = link_variance(&l, o.metrics[METRIC_ACCURACY]);
		m->truth[i] = landscape_damage(s, keep);
	}
	space_free(s);
}

static struct surrogate *fit(const struct sample *m, double censored)
{
	struct errinfo e = { 0 };
	struct surrogate *s = NULL;
	struct surrogate_data d = { GROUPS, m->n, m->x, m->effect, m->variance, censored };
	ok(surrogate_fit(&d, &s, &e));
	return s;
}

static int rank_among(const double *y, int n, int i)
{
	int rank = 0;
	for (int k = 0; k < n; k++)
		rank += y[k] < y[i] || (y[k] == y[i] && k < i);
	return rank;
}

/* Spearman's correlation; ties as they stand. */
static double rank_correlation(const double *a, const double *b, int n)
{
	double sum = 0;
	for (int i = 0; i < n; i++) {
		double d = rank_among(a, n, i) - rank_among(b, n, i);
		sum += d * d;
	}
	return 1 - 6 * sum / ((double)n * ((double)n * n - 1));
}

START_TEST(sixty_results_suffice_to_rank_what_was_never_tried)
{
	static struct sample seen, unseen;
	struct errinfo e = { 0 };
	double mean[UNSEEN], deviation[UNSEEN];
	int within = 0, known = 0;
	draw(&seen, SEEN, (uint64_t)_i, 0.1);
	draw(&unseen, UNSEEN, (uint64_t)_i + 100, 0.1);
	struct surrogate *s = fit(&seen, seen.censored);
	ok(surrogate_predict(s, unseen.x, UNSEEN, mean, deviation, &e));
	double correlation = rank_correlation(mean, unseen.truth, UNSEEN);
	ck_assert_msg(correlation > 0.95, "%g", correlation);
	for (int i = 0; i < UNSEEN; i++) {
		bool above = unseen.truth[i] < unseen.censored;
		known += above;
		within += above && fabs(mean[i] - unseen.truth[i]) < 2 * deviation[i] + 0.1;
	}
	ck_assert_msg(within >= 0.8 * known, "%d of %d within two deviations", within, known);
	surrogate_free(s);
}
END_TEST

START_TEST(heavy_groups_are_told_from_light_ones)
{
	static struct sample seen;
	draw(&seen, SEEN, (uint64_t)_i, 0.1);
	struct surrogate *s = fit(&seen, seen.censored);
	for (int heavy = 0; heavy < GROUPS; heavy++)
		for (int light = 0; light < GROUPS; light++)
			if (landscape_weight[heavy] > 5 && landscape_weight[light] <= 1)
				ck_assert_double_gt(surrogate_of_group(s, heavy, 0.5),
					surrogate_of_group(s, light, 0.5));
	surrogate_free(s);
}
END_TEST

/* Of the unseen, those whose damage is small enough to be told from the floor. */
static double correlation_above_floor(const struct surrogate *s, const struct sample *unseen)
{
	struct errinfo e = { 0 };
	double mean[UNSEEN], deviation[UNSEEN], truth[UNSEEN];
	int n = 0;
	ok(surrogate_predict(s, unseen->x, unseen->n, mean, deviation, &e));
	for (int i = 0; i < unseen->n; i++)
		if (unseen->truth[i] < unseen->censored) {
			mean[n] = mean[i];
			truth[n++] = unseen->truth[i];
		}
	ck_assert_int_gt(n, 50);
	return rank_correlation(mean, truth, n);
}

START_TEST(results_at_the_floor_do_not_flatten_the_model)
{
	static struct sample seen, more, unseen;
	int floored = 0;
	draw(&seen, SEEN, (uint64_t)_i, 0.3);
	draw(&more, UNSEEN, (uint64_t)_i + 50, 0);
	draw(&unseen, UNSEEN, (uint64_t)_i + 100, 0.2);
	struct surrogate *without = fit(&seen, seen.censored);
	for (int i = 0; i < more.n && seen.n < 120; i++) { /* as many that say nothing but that they are bad */
		if (more.effect[i] < more.censored)
			continue;
		memcpy(seen.x + seen.n * GROUPS, more.x + i * GROUPS, GROUPS * sizeof *seen.x);
		seen.effect[seen.n] = more.effect[i];
		seen.variance[seen.n++] = more.variance[i];
		floored++;
	}
	ck_assert_int_ge(floored, 40);
	struct surrogate *with = fit(&seen, seen.censored), *naive = fit(&seen, INFINITY);
	double good = correlation_above_floor(with, &unseen), alone = correlation_above_floor(without, &unseen);
	ck_assert_msg(good > alone - 0.03 && good > 0.9, "%g with, %g without", good, alone);
	/* The steepest groups' effect is not cut down to the floor's. */
	ck_assert_double_gt(surrogate_of_group(with, 3, 1), 0.7 * surrogate_of_group(without, 3, 1));
	ck_assert_double_lt(surrogate_of_group(naive, 3, 1), surrogate_of_group(with, 3, 1));
	surrogate_free(without);
	surrogate_free(with);
	surrogate_free(naive);
}
END_TEST

START_TEST(the_floor_is_believed_where_the_model_promises_better)
{
	enum { FLOORED = 10 };
	struct errinfo e = { 0 };
	static struct sample m;
	double mean[2], deviation[2], edge[2 * GROUPS] = { 0 };
	m = (struct sample){ .n = 40, .censored = 5 };
	struct rng r;
	rng_init(&r, 2, 2);
	for (int i = 0; i < m.n; i++) { /* little is lost, but for where group 0 is nearly gone: there all is */
		for (int g = 0; g < GROUPS; g++)
			m.x[i * GROUPS + g] = 0.5 * rng_uniform(&r);
		m.x[i * GROUPS] = i < FLOORED ? 0.95 : 0.3 * rng_uniform(&r);
		m.effect[i] = i < FLOORED ? 5.5 : m.x[i * GROUPS];
		m.variance[i] = 0.01;
	}
	for (int g = 1; g < GROUPS; g++)
		edge[g] = edge[GROUPS + g] = 0.25;
	edge[0] = 0.95;
	struct surrogate *s = fit(&m, m.censored);
	ok(surrogate_predict(s, edge, 2, mean, deviation, &e));
	ck_assert_double_gt(mean[0], 3.5);
	ck_assert_double_lt(mean[1], 1);
	surrogate_free(s);
	m.n -= FLOORED;
	memmove(m.x, m.x + FLOORED * GROUPS, (size_t)m.n * GROUPS * sizeof *m.x);
	memmove(m.effect, m.effect + FLOORED, (size_t)m.n * sizeof *m.effect);
	s = fit(&m, m.censored); /* which nothing else told it */
	ok(surrogate_predict(s, edge, 2, mean, deviation, &e));
	ck_assert_double_lt(mean[0], 3);
	surrogate_free(s);
}
END_TEST

/* Half of what the additive part would have it is lost beyond the floor, where nobody sees it: what lies between the
 * floor and what is known is not expected to be that bad. */
START_TEST(the_floor_says_how_bad_it_is_at_most)
{
	struct errinfo e = { 0 };
	static struct sample m;
	double x[GROUPS], mean, without, deviation;
	struct rng r;
	rng_init(&r, 7, 7);
	m = (struct sample){ .n = 40, .censored = 6 };
	for (int i = 0; i < m.n; i++) {
		double share = i < 30 ? 0.4 * rng_uniform(&r) : 0.8 + 0.15 * rng_uniform(&r);
		m.effect[i] = i < 30 ? 12 * share : m.censored;
		m.variance[i] = 0.01;
		for (int g = 0; g < GROUPS; g++)
			m.x[i * GROUPS + g] = share;
	}
	for (int g = 0; g < GROUPS; g++)
		x[g] = 0.75;
	struct surrogate *s = fit(&m, m.censored);
	ok(surrogate_predict(s, x, 1, &mean, &deviation, &e));
	surrogate_free(s);
	m.n = 30;
	s = fit(&m, m.censored);
	ok(surrogate_predict(s, x, 1, &without, &deviation, &e));
	surrogate_free(s);
	ck_assert_double_gt(without, 8);
	ck_assert_msg(mean < 7.5 && mean > 4, "%g, %g without", mean, without);
}
END_TEST

START_TEST(without_results_more_pruning_is_expected_to_do_more)
{
	struct errinfo e = { 0 };
	struct sample *none = calloc(1, sizeof *none);
	double x[3 * GROUPS], mean[3], deviation[3];
	ck_assert_ptr_nonnull(none);
	for (int i = 0; i < 3 * GROUPS; i++)
		x[i] = i / GROUPS * 0.4;
	struct surrogate *s = fit(none, 4);
	ok(surrogate_predict(s, x, 3, mean, deviation, &e));
	ck_assert_double_eq_tol(mean[0], 0, 1e-12);
	ck_assert_double_gt(mean[1], 1);
	ck_assert_double_gt(mean[2], mean[1]);
	for (int i = 0; i < 3; i++)
		ck_assert_double_gt(deviation[i], 0);
	surrogate_free(s);
	free(none);
}
END_TEST

START_TEST(all_at_the_floor_is_not_taken_for_a_plain)
{
	struct errinfo e = { 0 };
	static struct sample m;
	double mean[SEEN], deviation[SEEN], intact[GROUPS] = { 0 }, light[GROUPS] = { 0.1 };
	draw(&m, SEEN, 9, 0.1);
	for (int i = 0; i < m.n; i++) {
		for (int g = 0; g < GROUPS; g++)
			m.x[i * GROUPS + g] = 0.5 + 0.5 * m.x[i * GROUPS + g];
		m.effect[i] = m.censored + 0.5;
	}
	struct surrogate *s = fit(&m, m.censored);
	ok(surrogate_predict(s, intact, 1, mean, deviation, &e));
	ck_assert_double_lt(mean[0], 0.7 * m.censored);
	ok(surrogate_predict(s, light, 1, mean, deviation, &e));
	ck_assert(isfinite(mean[0]) && isfinite(deviation[0]));
	surrogate_free(s);
}
END_TEST

START_TEST(the_same_results_give_the_same_bits)
{
	static struct sample seen, unseen;
	struct errinfo e = { 0 };
	double mean[2][UNSEEN], deviation[2][UNSEEN];
	draw(&seen, SEEN, 4, 0.1);
	draw(&unseen, UNSEEN, 5, 0.1);
	for (int i = 0; i < 2; i++) {
		struct surrogate *s = fit(&seen, seen.censored);
		ok(surrogate_predict(s, unseen.x, UNSEEN, mean[i], deviation[i], &e));
		surrogate_free(s);
	}
	ck_assert_mem_eq(mean[0], mean[1], sizeof mean[0]);
	ck_assert_mem_eq(deviation[0], deviation[1], sizeof deviation[0]);
}
END_TEST

Suite *surrogate_suite(void)
{
	Suite *suite = suite_create("surrogate");
	TCase *c = tcase_create("surrogate");
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, sixty_results_suffice_to_rank_what_was_never_tried, 0, 5);
	tcase_add_loop_test(c, heavy_groups_are_told_from_light_ones, 0, 5);
	tcase_add_loop_test(c, results_at_the_floor_do_not_flatten_the_model, 0, 3);
	tcase_add_test(c, the_floor_is_believed_where_the_model_promises_better);
	tcase_add_test(c, the_floor_says_how_bad_it_is_at_most);
	tcase_add_test(c, without_results_more_pruning_is_expected_to_do_more);
	tcase_add_test(c, all_at_the_floor_is_not_taken_for_a_plain);
	tcase_add_test(c, the_same_results_give_the_same_bits);
	suite_add_tcase(suite, c);
	return suite;
}

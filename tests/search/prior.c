/* prior.c -- what earlier jobs learned, in this one's groups.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/link.h"
#include "search/prior.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

static const double metrics[METRIC_COUNT] = { [METRIC_ACCURACY] = 0.8, [METRIC_LOSS] = 0.6, [METRIC_PARAMS] = 10,
	[METRIC_MACS] = 10, [METRIC_BYTES] = 40, [METRIC_MEMORY] = NAN, [METRIC_LATENCY] = 0.5 };
static const double baseline[METRIC_COUNT] = { [METRIC_ACCURACY] = 0.9, [METRIC_LOSS] = 0.3, [METRIC_PARAMS] = 20,
	[METRIC_MACS] = 20, [METRIC_BYTES] = 80, [METRIC_MEMORY] = 1e6, [METRIC_LATENCY] = 1 };

static struct prior *prior_for(const struct space *now)
{
	struct errinfo e = { 0 };
	struct prior *p = NULL;
	ok(prior_new(now, &p, &e));
	ck_assert_int_eq(prior_count(p), 0);
	return p;
}

START_TEST(groups_are_the_same_by_name_and_channels)
{
	struct errinfo e = { 0 };
	struct space *now = fixture_wide(3, 40), *then = fixture_wide(4, 40);
	struct prior *p = prior_for(now);
	/* then: g2, g1 and g0 of this job in another order, and one more. */
	strcpy(then->groups[0].name, "g2");
	strcpy(then->groups[2].name, "g0");
	ok(prior_job(p, then, baseline, &e));
	ok(prior_add(p, (int[]){ 7, 8, 9, 40 }, metrics, &e));
	ck_assert_int_eq(prior_count(p), 1);
	ck_assert_mem_eq(prior_keep(p, 0), ((int[]){ 9, 8, 7 }), 3 * sizeof(int));
	ok(prior_add(p, (int[]){ 7, 8, 9, 39 }, metrics, &e)); /* the fourth is pruned, and not of this job */
	ck_assert_int_eq(prior_count(p), 1);
	then->groups[1].channels = 48; /* another g1 */
	ok(prior_job(p, then, baseline, &e));
	ok(prior_add(p, (int[]){ 7, 40, 9, 40 }, metrics, &e));
	ck_assert_int_eq(prior_count(p), 1);
	ok(prior_add(p, (int[]){ 5, 48, 40, 40 }, metrics, &e));
	ck_assert_int_eq(prior_count(p), 2);
	ck_assert_mem_eq(prior_keep(p, 1), ((int[]){ 40, 40, 5 }), 3 * sizeof(int));
	prior_free(p);
	space_free(now);
	space_free(then);
}
END_TEST

START_TEST(effects_are_against_the_earlier_jobs_own_baseline)
{
	struct errinfo e = { 0 };
	struct space *now = fixture_wide(2, 40), *then = fixture_wide(2, 40);
	struct prior *p = prior_for(now);
	now->chance = 0.5;
	then->chance = 0.1;
	ok(prior_job(p, then, baseline, &e));
	ok(prior_add(p, (int[]){ 20, 40 }, metrics, &e));
	const double *effects = prior_effects(p, 0);
	struct link accuracy = { METRIC_ACCURACY, 0.9, 0.1 };
	ck_assert_double_eq_tol(effects[METRIC_ACCURACY], link_effect(&accuracy, 0.8), 1e-12);
	ck_assert_double_eq_tol(effects[METRIC_LOSS], log(2), 1e-12);
	ck_assert_double_eq_tol(effects[METRIC_LATENCY], log(2), 1e-12);
	ck_assert(isnan(effects[METRIC_MEMORY])); /* not measured */
	ck_assert(isnan(effects[METRIC_MACS]));   /* known anyway */
	double unknown[METRIC_COUNT];
	memcpy(unknown, baseline, sizeof unknown);
	unknown[METRIC_LOSS] = NAN;
	ok(prior_job(p, then, unknown, &e));
	ok(prior_add(p, (int[]){ 20, 40 }, metrics, &e));
	ck_assert(isnan(prior_effects(p, 1)[METRIC_LOSS]));
	ck_assert(isfinite(prior_effects(p, 1)[METRIC_ACCURACY]));
	prior_free(p);
	space_free(now);
	space_free(then);
}
END_TEST

START_TEST(the_latest_results_are_kept)
{
	enum { ADDED = 2 * PRIOR_MOST + 300 };
	struct errinfo e = { 0 };
	struct space *s = fixture_flat(1);
	struct prior *p = prior_for(s);
	bool *found = calloc(ADDED, sizeof *found);
	ok(prior_job(p, s, baseline, &e));
	for (int i = 0; i < ADDED; i++) {
		int keep = 1 + i;
		double mine[METRIC_COUNT];
		memcpy(mine, metrics, sizeof mine);
		mine[METRIC_LOSS] = 1 + i;
		ok(prior_add(p, &keep, mine, &e));
		ck_assert_int_eq(prior_count(p), i < PRIOR_MOST ? i + 1 : PRIOR_MOST);
	}
	for (int i = 0; i < PRIOR_MOST; i++) {
		int number = *prior_keep(p, i) - 1;
		ck_assert(!found[number]);
		found[number] = true;
		ck_assert_double_eq_tol(prior_effects(p, i)[METRIC_LOSS], log((1 + number) / 0.3), 1e-9);
	}
	for (int i = 0; i < ADDED; i++)
		ck_assert_int_eq(found[i], i >= ADDED - PRIOR_MOST);
	free(found);
	prior_free(p);
	space_free(s);
}
END_TEST

START_TEST(the_unpruned_network_tells_nothing)
{
	struct errinfo e = { 0 };
	struct space *now = fixture_wide(2, 40), *then = fixture_wide(3, 16);
	struct prior *p = prior_for(now);
	ok(prior_job(p, then, baseline, &e));
	ok(prior_add(p, (int[]){ 16, 16, 16 }, metrics, &e));
	ok(prior_job(p, now, baseline, &e));
	ok(prior_add(p, (int[]){ 40, 40 }, metrics, &e));
	ck_assert_int_eq(prior_count(p), 0);
	prior_free(p);
	space_free(now);
	space_free(then);
}
END_TEST

Suite *prior_suite(void)
{
	Suite *suite = suite_create("prior");
	TCase *c = tcase_create("prior");
	tcase_add_test(c, groups_are_the_same_by_name_and_channels);
	tcase_add_test(c, effects_are_against_the_earlier_jobs_own_baseline);
	tcase_add_test(c, the_latest_results_are_kept);
	tcase_add_test(c, the_unpruned_network_tells_nothing);
	suite_add_tcase(suite, c);
	return suite;
}

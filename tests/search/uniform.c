/* uniform.c -- the same ratio everywhere.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

START_TEST(every_group_is_pruned_by_the_same_ratio)
{
	enum { GROUPS = 8, CHANNELS = 400 };
	struct space *s = fixture_wide(GROUPS, CHANNELS);
	struct problem p = fixture_problem(s);
	int n, *keep = fixture_run(&p, "{\"name\": \"uniform\"}", false, &n);
	ck_assert_int_eq(n, p.budget);
	for (int i = 0; i < n; i++) {
		int least = CHANNELS, most = 0, odd = 0;
		for (int g = 0; g < GROUPS; g++) {
			least = keep[i * GROUPS + g] < least ? keep[i * GROUPS + g] : least;
			most = keep[i * GROUPS + g] > most ? keep[i * GROUPS + g] : most;
		}
		for (int g = 0; g < GROUPS; g++)
			odd += keep[i * GROUPS + g] > least + 1;
		/* What rounding leaves is a channel or two of the heaviest; the lightest then take what fits. */
		ck_assert_msg(odd <= 3, "proposal %d: %d groups differ", i + 1, odd);
		ck_assert_int_lt(most, CHANNELS);
	}
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(the_costs_cover_the_window_evenly)
{
	struct space *s = fixture_wide(8, 100);
	struct problem p = fixture_problem(s);
	int n, fifths[5] = { 0 };
	p.budget = 50;
	int *keep = fixture_run(&p, "{\"name\": \"uniform\", \"low\": 0.2, \"high\": 0.7}", false, &n);
	for (int i = 0; i < n; i++) {
		double share = (double)cost_of(s, keep + i * 8).macs / p.baseline[METRIC_MACS];
		ck_assert_double_le(share, 0.7);
		ck_assert_double_gt(share, 0.19);
		fifths[share < 0.2 ? 0 : (int)((share - 0.2) * 10)]++;
	}
	for (int i = 0; i < 5; i++)
		ck_assert_msg(fifths[i] >= 8 && fifths[i] <= 12, "fifth %d: %d", i, fifths[i]);
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(it_ends_when_every_uniform_candidate_was_proposed)
{
	struct space *s = fixture_wide(1, 20);
	struct problem p = fixture_problem(s);
	int n, times[21] = { 0 };
	int *keep = fixture_run(&p, "{\"name\": \"uniform\", \"low\": 0, \"high\": 1}", false, &n);
	for (int i = 0; i < n; i++)
		times[keep[i]]++;
	for (int k = 1; k < 20; k++)
		ck_assert_msg(times[k] == 1, "%d channels: %d times", k, times[k]);
	ck_assert_int_le(times[20], 1); /* a share of 1 is beyond the window */
	free(keep);
	space_free(s);
}
END_TEST

Suite *uniform_suite(void)
{
	Suite *suite = suite_create("uniform");
	TCase *c = tcase_create("uniform");
	tcase_add_test(c, every_group_is_pruned_by_the_same_ratio);
	tcase_add_test(c, the_costs_cover_the_window_evenly);
	tcase_add_test(c, it_ends_when_every_uniform_candidate_was_proposed);
	suite_add_tcase(suite, c);
	return suite;
}

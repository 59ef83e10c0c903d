/* cost.c -- exact costs, whole and kept up to date.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/sample.h"
#include "search/space.h"
#include "search/tally.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

START_TEST(costs_follow_the_formulas_of_the_protocol)
{
	struct space *s = fixture_coupled(1, 1);
	int a = 5, b = 11, c = 20, d = 3;
	struct cost got = cost_of(s, (int[]){ a, b, c, d });
	int64_t weights[] = { a * 3 * 49, a * a * 9, b * 9, c * (a + b + 5), 3 * d * (c + d) * 9, 10 * 49 * d };
	int64_t params = 123 + a + b + c + 2 * 3 * d + 10, buffers = 45 + 2 * a + 2 * b + 2 * 3 * d, macs = 0;
	for (int i = 0; i < 6; i++) {
		params += weights[i];
		macs += weights[i] * (int[]){ 196, 196, 196, 49, 49, 1 }[i];
	}
	ck_assert_int_eq(got.params, params);
	ck_assert_int_eq(got.macs, macs);
	ck_assert_int_eq(got.bytes, 4 * (params + buffers));
	ck_assert_double_eq(cost_metric(&got, METRIC_BYTES), 4.0 * (double)(params + buffers));
	space_free(s);
}
END_TEST

START_TEST(the_intact_and_the_least_network_bound_all_candidates)
{
	struct space *s = fixture_coupled(0.8, 2);
	struct rng r;
	rng_init(&r, 3, 0);
	struct cost intact = cost_of_intact(s), least = cost_of_least(s);
	struct cost all = cost_of(s, (int[]){ 16, 24, 32, 7 });
	ck_assert_mem_eq(&intact, &all, sizeof all);
	for (int i = 0; i < 200; i++) {
		int keep[4];
		sample_uniform(&r, s, keep);
		ck_assert(space_allows(s, keep));
		struct cost c = cost_of(s, keep);
		ck_assert(c.params >= least.params && c.params <= intact.params);
		ck_assert(c.macs >= least.macs && c.macs <= intact.macs);
		ck_assert(c.bytes >= least.bytes && c.bytes <= intact.bytes);
	}
	space_free(s);
}
END_TEST

START_TEST(groups_that_must_lose_channels_lower_the_largest_cost)
{
	struct space *s = fixture_narrowed();
	struct cost intact = cost_of_intact(s), largest = cost_of_most(s), all = cost_of(s, (int[]){ 16, 24, 32, 7 });
	struct cost most = cost_of(s, (int[]){ 12, 13, 32, 7 }), least = cost_of(s, (int[]){ 4, 13, 12, 7 });
	struct cost smallest = cost_of_least(s);
	ck_assert_mem_eq(&intact, &all, sizeof all);
	ck_assert_mem_eq(&largest, &most, sizeof most);
	ck_assert_mem_eq(&smallest, &least, sizeof least);
	space_free(s);
}
END_TEST

START_TEST(a_tally_equals_the_whole_sum_after_every_change)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_coupled(1, 1);
	struct tally *t = NULL;
	struct rng r;
	rng_init(&r, 5, 0);
	int keep[4] = { 16, 24, 32, 7 };
	ok(tally_open(s, keep, &t, &e));
	for (int i = 0; i < 500; i++) {
		int g = (int)rng_below(&r, 4);
		int wanted = 1 + (int)rng_below(&r, (uint64_t)s->groups[g].channels);
		keep[g] = wanted;
		struct cost whole = cost_of(s, keep), changed = tally_if(t, g, wanted);
		ck_assert_mem_eq(&whole, &changed, sizeof whole);
		tally_set(t, g, wanted);
		struct cost now = tally_if(t, g, wanted);
		ck_assert_mem_eq(&whole, &now, sizeof whole);
	}
	tally_close(t);
	space_free(s);
}
END_TEST

Suite *cost_suite(void)
{
	Suite *suite = suite_create("cost");
	TCase *c = tcase_create("cost");
	tcase_add_test(c, costs_follow_the_formulas_of_the_protocol);
	tcase_add_test(c, the_intact_and_the_least_network_bound_all_candidates);
	tcase_add_test(c, groups_that_must_lose_channels_lower_the_largest_cost);
	tcase_add_test(c, a_tally_equals_the_whole_sum_after_every_change);
	suite_add_tcase(suite, c);
	return suite;
}

/* random.c -- random candidates and their cover of the cost range.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/sample.h"
#include "search/seen.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

/* How many of n proposals cost a share in each tenth of the range. */
static void histogram(const struct problem *p, const int *keep, int n, enum metric metric, int ret[10])
{
	memset(ret, 0, 10 * sizeof *ret);
	for (int i = 0; i < n; i++) {
		struct cost c = cost_of(p->space, keep + i * p->space->group_count);
		int tenth = (int)(10 * cost_metric(&c, metric) / p->baseline[metric]);
		ret[tenth > 9 ? 9 : tenth]++;
	}
}

START_TEST(the_first_twenty_proposals_cover_every_tenth_of_the_range)
{
	struct space *s = fixture_chain(10, 1, 1);
	for (int seed = 0; seed < 20; seed++) {
		struct problem p = fixture_problem(s);
		int n, tenths[10];
		p.budget = 20;
		p.seed = (uint64_t)seed;
		int *keep = fixture_run(&p, "{\"name\": \"random\", \"low\": 0.01, \"high\": 1}", false, &n);
		histogram(&p, keep, n, METRIC_MACS, tenths);
		for (int i = 0; i < 10; i++)
			ck_assert_msg(tenths[i] >= 1 && tenths[i] <= 4, "tenth %d: %d", i, tenths[i]);
		free(keep);
	}
	space_free(s);
}
END_TEST

START_TEST(proposals_stay_in_the_window_as_narrowed_by_the_job)
{
	struct space *s = fixture_chain(10, 1, 1);
	struct problem p = fixture_problem(s);
	fixture_constrain(&p, "params", "<= 50%");
	fixture_constrain(&p, "params", ">= 30%");
	int n, tenths[10];
	int *keep = fixture_run(&p, "{\"name\": \"random\", \"metric\": \"params\"}", false, &n);
	histogram(&p, keep, n, METRIC_PARAMS, tenths);
	ck_assert_int_ge(tenths[3], 25);
	ck_assert_int_ge(tenths[4], 25);
	ck_assert_int_ge(tenths[2] + tenths[3] + tenths[4], n); /* a step under the target may be under 30 % */
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(a_request_is_what_was_aimed_at_and_the_proposal_just_keeps_it)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_wide(6, 500);
	struct problem p = fixture_problem(s);
	struct table *t = NULL;
	cJSON *object = fixture_json("{\"name\": \"random\"}");
	p.window = p.budget;
	ok(table_open(&p, object, &t, &e));
	for (int i = 0; i < p.budget; i++) {
		enum table_answer answer;
		struct request request;
		int number, keep[6];
		ok(table_ask(t, &answer, &number, keep, &request, &e));
		struct cost c = cost_of(s, keep);
		double removed = 1 - (double)c.macs / p.baseline[METRIC_MACS];
		ck_assert_int_eq(request.metric, METRIC_MACS);
		ck_assert_double_ge(removed, request.ratio - 1e-12);
		ck_assert_double_le(removed, request.ratio + 0.002);
	}
	table_close(t);
	cJSON_Delete(object);
	space_free(s);
}
END_TEST

START_TEST(a_window_out_of_reach_becomes_the_nearest_that_is_possible)
{
	struct space *s = fixture_chain(6, 0.5, 1);
	struct problem p = fixture_problem(s);
	struct cost least = cost_of_least(s);
	int n, *keep = fixture_run(&p, "{\"name\": \"random\", \"low\": 0, \"high\": 0.01}", false, &n);
	ck_assert_int_eq(cost_of(s, keep).macs, least.macs);
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(uniform_sampling_reaches_both_limits_of_every_group)
{
	struct space *s = fixture_coupled(0.9, 1);
	struct rng r;
	bool least[4] = { false }, most[4] = { false };
	rng_init(&r, 4, 0);
	for (int i = 0; i < 1000; i++) {
		int keep[4];
		sample_uniform(&r, s, keep);
		for (int g = 0; g < 4; g++) {
			least[g] = least[g] || keep[g] == s->groups[g].min_keep;
			most[g] = most[g] || keep[g] == s->groups[g].channels;
		}
	}
	for (int g = 0; g < 4; g++)
		ck_assert(least[g] && most[g]);
	space_free(s);
}
END_TEST

START_TEST(uniform_sampling_leaves_alone_what_has_nothing_to_choose)
{
	struct space *s = fixture_narrowed();
	struct rng r;
	bool least = false, most = false;
	rng_init(&r, 5, 0);
	for (int i = 0; i < 1000; i++) {
		int keep[4];
		sample_uniform(&r, s, keep);
		ck_assert(space_allows(s, keep));
		least = least || keep[0] == 4;
		most = most || keep[0] == 12;
	}
	ck_assert(least && most);
	space_free(s);
}
END_TEST

START_TEST(seen_knows_what_was_added_and_nothing_else)
{
	struct errinfo e = { 0 };
	struct seen seen = { 0 };
	ck_assert(!seen_has(&seen, (int[]){ 0, 0 }, 2));
	for (int i = 0; i < 3000; i++)
		ok(seen_add(&seen, (int[]){ i, i / 7 }, 2, &e));
	ok(seen_add(&seen, (int[]){ 5, 0 }, 2, &e));
	ck_assert_uint_eq(seen.count, 3000);
	for (int i = 0; i < 3000; i++) {
		ck_assert(seen_has(&seen, (int[]){ i, i / 7 }, 2));
		ck_assert(!seen_has(&seen, (int[]){ i, i / 7 + 1 }, 2));
		ck_assert(!seen_has(&seen, (int[]){ -1 - i, i / 7 }, 2));
	}
	seen_fini(&seen);
}
END_TEST

Suite *random_suite(void)
{
	Suite *suite = suite_create("random");
	TCase *c = tcase_create("random");
	tcase_add_test(c, the_first_twenty_proposals_cover_every_tenth_of_the_range);
	tcase_add_test(c, proposals_stay_in_the_window_as_narrowed_by_the_job);
	tcase_add_test(c, a_request_is_what_was_aimed_at_and_the_proposal_just_keeps_it);
	tcase_add_test(c, a_window_out_of_reach_becomes_the_nearest_that_is_possible);
	tcase_add_test(c, uniform_sampling_reaches_both_limits_of_every_group);
	tcase_add_test(c, uniform_sampling_leaves_alone_what_has_nothing_to_choose);
	tcase_add_test(c, seen_knows_what_was_added_and_nothing_else);
	suite_add_tcase(suite, c);
	return suite;
}

/* netadapt.c -- the walk: what a step tries, what it takes, and that the budget leads it to the end.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { GROUPS = 8 };

/* The group in which two candidates differ, -1: in none or several. */
static int changed(const int *a, const int *b)
{
	int group = -1;
	for (int g = 0; g < GROUPS; g++)
		if (a[g] != b[g]) {
			if (group >= 0)
				return -1;
			group = g;
		}
	return group;
}

static double macs(const struct problem *p, const int *keep)
{
	return (double)cost_of(p->space, keep).macs / p->baseline[METRIC_MACS];
}

static double accuracy(const struct problem *p, int number, const int *keep)
{
	return fixture_evaluate(p, number, keep, false).metrics[METRIC_ACCURACY];
}

/* Whether `keep` is `from` with just enough channels of one group removed. */
static void frees_the_quota_and_no_more(const struct problem *p, const int *from, const int *keep, double quota)
{
	int g = changed(from, keep), more[GROUPS];
	ck_assert_int_ge(g, 0);
	ck_assert_double_ge(macs(p, from) - macs(p, keep), quota - 1e-12);
	memcpy(more, keep, sizeof more);
	more[g]++;
	ck_assert_double_lt(macs(p, from) - macs(p, more), quota);
}

START_TEST(a_step_tries_every_group_and_goes_on_from_the_least_loss_per_cost_freed)
{
	enum { WALK = 10 };
	struct space *s = fixture_wide(GROUPS, 100);
	struct problem p = fixture_problem(s);
	int n, from[GROUPS];
	double level = p.baseline[METRIC_ACCURACY];
	p.budget = WALK * GROUPS;
	int *keep = fixture_run(&p, "{\"name\": \"netadapt\", \"step\": 0.02, \"decay\": 0.9}", false, &n);
	ck_assert_int_eq(n, p.budget);
	space_most(s, from);
	for (int step = 0; step < WALK; step++) {
		const int *tried = keep + step * GROUPS * GROUPS, *best = tried;
		double least = INFINITY;
		unsigned groups = 0;
		for (int i = 0; i < GROUPS; i++) {
			const int *mine = tried + i * GROUPS;
			frees_the_quota_and_no_more(&p, from, mine, 0.02 * pow(0.9, step));
			groups |= 1u << changed(from, mine);
			double rate = (level - accuracy(&p, 1, mine)) / (macs(&p, from) - macs(&p, mine));
			best = rate < least ? mine : best;
			least = fmin(least, rate);
		}
		ck_assert_uint_eq(groups, (1u << GROUPS) - 1);
		memcpy(from, best, sizeof from);
		level = accuracy(&p, 1, best);
	}
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(by_default_the_walk_reaches_the_cheapest_candidates_with_the_budget)
{
	struct space *s = fixture_chain(12, 0.95, 1);
	static const int budgets[] = { 60, 100, 200, 1000 };
	struct problem p = fixture_problem(s);
	struct cost least = cost_of_least(s);
	double floor_share = (double)least.macs / p.baseline[METRIC_MACS], lowest = 1;
	int n, tenths[10] = { 0 };
	p.budget = budgets[_i / 2];
	p.window = _i % 2 ? 4 : 0;
	int *keep = fixture_run(&p, "{\"name\": \"netadapt\"}", false, &n);
	ck_assert_int_ge(n, 60);
	for (int i = 0; i < n; i++) {
		double share = macs(&p, keep + i * 12);
		tenths[(int)(10 * fmin(share, 0.999))]++;
		lowest = fmin(lowest, share);
	}
	ck_assert_double_lt(lowest, floor_share + 0.15);
	for (int i = 0; i < 10; i++)
		ck_assert_msg(tenths[i] > 0, "nothing between %d0 %% and %d0 %%", i, i + 1);
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(groups_too_small_for_the_quota_are_pruned_too)
{
	struct errinfo e = { 0 };
	struct space_limits limits = { .max_ratio = 0.9, .round_to = 1 };
	struct space *s = NULL;
	cJSON *doc = fixture_json(
		"{\"groups\": [{\"name\": \"big\", \"channels\": 100}, {\"name\": \"small\", \"channels\": 10}],"
		" \"layers\": [{\"name\": \"a\", \"op\": \"Conv\", \"out\": [[0, 1]], \"in\": [[-1, 9]], \"kernel\": 1,"
		" \"positions\": 10, \"vectors\": 0, \"buffers\": 0},"
		" {\"name\": \"b\", \"op\": \"Conv\", \"out\": [[1, 1]],"
		" \"in\": [[-1, 2]], \"kernel\": 1, \"positions\": 10, \"vectors\": 0, \"buffers\": 0}],"
		" \"fixed\": {\"params\": 0, \"buffers\": 0}}");
	ok(space_read(doc, &limits, &s, &e));
	cJSON_Delete(doc);
	struct problem p = fixture_problem(s);
	int n, *keep = fixture_run(&p, "{\"name\": \"netadapt\", \"step\": 0.05}", false, &n);
	ck_assert_int_lt(n, p.budget);
	const int *last = keep + 2 * (n - 1);
	ck_assert_int_eq(last[0], 10);
	ck_assert_int_eq(last[1], 1);
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(where_bounds_forbid_the_whole_network_the_walk_starts_at_one_ratio_within_them)
{
	struct space *s = fixture_wide(GROUPS, 100);
	struct problem p = fixture_problem(s);
	fixture_constrain(&p, "macs", "<= 60%");
	fixture_constrain(&p, "macs", ">= 30%");
	int n, *keep = fixture_run(&p, "{\"name\": \"netadapt\", \"step\": 0.05}", false, &n);
	ck_assert_double_gt(macs(&p, keep), 0.58);
	for (int g = 1; g < GROUPS; g++)
		ck_assert_int_le(abs(keep[g] - keep[0]), 3);
	for (int i = 1; i <= 3; i++)
		ck_assert_int_ge(changed(keep, keep + i * GROUPS), 0);
	for (int i = 0; i < n; i++) {
		ck_assert_double_le(macs(&p, keep + i * GROUPS), 0.6);
		ck_assert_double_ge(macs(&p, keep + i * GROUPS), 0.3);
	}
	free(keep);
	space_free(s);
}
END_TEST

/* All results but the last `window` are known when something is asked. */
static int run_late(struct problem *p, int window, bool fail, int *ret_keep)
{
	struct errinfo e = { 0 };
	struct table *t = NULL;
	cJSON *object = fixture_json("{\"name\": \"netadapt\", \"step\": 0.05}");
	int told = 0, n = 0;
	p->window = window;
	ok(table_open(p, object, &t, &e));
	cJSON_Delete(object);
	for (;;) {
		enum table_answer answer;
		struct request request;
		int number = 0;
		ok(table_ask(t, &answer, &number, ret_keep + n * GROUPS, &request, &e));
		if (answer == TABLE_DONE)
			break;
		n += answer == TABLE_PROPOSAL;
		if (answer == TABLE_PROPOSAL)
			continue;
		struct outcome o = fixture_evaluate(p, told + 1, ret_keep + told * GROUPS, false);
		o.ok = !fail;
		o.number = ++told;
		ok(table_tell(t, &o, &e));
	}
	table_close(t);
	return n;
}

START_TEST(with_results_late_or_none_at_all_there_is_always_a_new_proposal)
{
	enum { BUDGET = 60 };
	struct space *s = fixture_wide(GROUPS, 30);
	struct problem p = fixture_problem(s);
	static int keep[(BUDGET + 1) * GROUPS];
	static const int windows[] = { 0, 3, 4, 7, 20, BUDGET };
	for (int fail = 0; fail < 2; fail++) {
		int n = run_late(&p, windows[_i], fail, keep);
		ck_assert_int_eq(n, BUDGET);
		for (int i = 0; i < n; i++) {
			ck_assert(space_allows(s, keep + i * GROUPS));
			for (int j = 0; j < i; j++)
				ck_assert(memcmp(keep + i * GROUPS, keep + j * GROUPS, GROUPS * sizeof *keep));
		}
	}
	space_free(s);
}
END_TEST

Suite *netadapt_suite(void)
{
	Suite *suite = suite_create("netadapt");
	TCase *c = tcase_create("netadapt");
	tcase_add_test(c, a_step_tries_every_group_and_goes_on_from_the_least_loss_per_cost_freed);
	tcase_add_loop_test(c, by_default_the_walk_reaches_the_cheapest_candidates_with_the_budget, 0, 8);
	tcase_add_test(c, groups_too_small_for_the_quota_are_pruned_too);
	tcase_add_test(c, where_bounds_forbid_the_whole_network_the_walk_starts_at_one_ratio_within_them);
	tcase_add_loop_test(c, with_results_late_or_none_at_all_there_is_always_a_new_proposal, 0, 6);
	suite_add_tcase(suite, c);
	return suite;
}

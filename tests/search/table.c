/* table.c -- the same proposals whatever the workers, the order of results and the restarts.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/space.h"
#include "tests/search/job.h"
#include "tests/search/suites.h"

enum { GROUPS = JOB_GROUPS, BUDGET = 60 };

static const char *const strategies[] = {
	"{\"name\": \"random\"}",
	"{\"name\": \"anneal\", \"target\": 0.7}",
	"{\"name\": \"nsga2\", \"population\": 10}",
};
enum { STRATEGIES = sizeof strategies / sizeof *strategies };

static struct table *table_for(const struct problem *p, const char *strategy)
{
	struct errinfo e = { 0 };
	struct table *t = NULL;
	cJSON *object = fixture_json(strategy);
	ok(table_open(p, object, &t, &e));
	cJSON_Delete(object);
	return t;
}

static struct problem problem_of(const struct space *s, int window)
{
	struct problem p = fixture_problem(s);
	p.budget = BUDGET;
	p.window = window;
	fixture_constrain(&p, "params", "<= 80%");
	return p;
}

START_TEST(workers_and_the_order_of_results_do_not_change_the_proposals)
{
	const char *strategy = strategies[_i % STRATEGIES];
	int window = _i / STRATEGIES ? 6 : 0;
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, window);
	struct job one = { 0 }, other = { 0 };
	struct rng luck;
	rng_init(&luck, 7, 0);
	job_open(&one, &p, strategy, true);
	job_work(&one, 1, &luck, BUDGET);
	ck_assert_int_eq(one.count, BUDGET);
	for (int repeat = 0; repeat < 12; repeat++) {
		int workers = (int[]){ 1, 2, 7 }[repeat % 3];
		job_open(&other, &p, strategy, true);
		job_work(&other, workers, &luck, BUDGET);
		ck_assert_int_eq(other.count, BUDGET);
		job_same(&one, &other);
	}
	job_close(&one);
	job_close(&other);
	space_free(s);
}
END_TEST

/* What a daemon does after a crash: the store has the proposals, and the results that were acknowledged. */
static void replay(struct job *j, const struct job *stored, const char *strategy)
{
	struct errinfo e = { 0 };
	job_open(j, &stored->problem, strategy, true);
	for (int number = 1; number <= stored->count; number++) {
		int needed = number - 1 - stored->problem.window; /* as late as it may come */
		if (needed >= 1) {
			ck_assert(stored->trials[needed].back);
			ok(table_tell(j->table, &stored->trials[needed].outcome, &e));
		}
		ok(table_expect(j->table, number, stored->trials[number].keep, &e));
		j->trials[number] = stored->trials[number];
		j->count++;
	}
	for (int number = stored->count - stored->problem.window; number <= stored->count; number++) {
		if (number < 1)
			continue;
		j->busy[j->busy_count++] = number;
		if (stored->trials[number].back)
			job_finish(j, j->busy_count - 1);
	}
}

START_TEST(a_restart_in_the_middle_continues_identically)
{
	const char *strategy = strategies[_i % STRATEGIES];
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 6);
	struct job whole = { 0 }, before = { 0 }, after = { 0 };
	struct rng luck;
	rng_init(&luck, 8, 0);
	job_open(&whole, &p, strategy, true);
	job_work(&whole, 3, &luck, BUDGET);
	for (int stop = 1; stop < BUDGET; stop += 7) {
		job_open(&before, &p, strategy, true);
		job_work(&before, 5, &luck, stop);
		replay(&after, &before, strategy);
		job_work(&after, 4, &luck, BUDGET);
		ck_assert_int_eq(after.count, BUDGET);
		job_same(&whole, &after);
	}
	job_close(&whole);
	job_close(&before);
	job_close(&after);
	space_free(s);
}
END_TEST

/* Where asking is cheap; the others are told what they proposed. */
START_TEST(a_replay_that_differs_is_an_internal_error)
{
	struct errinfo e = { 0 };
	cJSON *object = fixture_json(strategies[_i % STRATEGIES]);
	bool skips = strategy_named(cJSON_GetObjectItem(object, "name")->valuestring)->skip;
	cJSON_Delete(object);
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 2);
	int keep[GROUPS], other[GROUPS], number;
	enum table_answer answer;
	struct request request;
	struct table *t = table_for(&p, strategies[_i % STRATEGIES]);
	ok(table_ask(t, &answer, &number, keep, &request, &e));
	table_close(t);
	memcpy(other, keep, sizeof other);
	other[3] = other[3] == s->groups[3].channels ? other[3] - 1 : other[3] + 1;

	t = table_for(&p, strategies[_i % STRATEGIES]);
	fails(ERR_INTERNAL, table_expect(t, 2, keep, &e));
	says("trial 2");
	if (skips)
		other[3] = s->groups[3].channels + 1;
	fails(ERR_INTERNAL, table_expect(t, 1, other, &e));
	says("trial 1 is not what the strategy proposes");
	table_close(t);
	space_free(s);
}
END_TEST

START_TEST(a_replay_that_lacks_results_is_an_internal_error)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 0);
	int keep[GROUPS] = { 0 }, number;
	enum table_answer answer;
	struct request request;
	struct table *t = table_for(&p, strategies[0]);
	ok(table_ask(t, &answer, &number, keep, &request, &e));
	fails(ERR_INTERNAL, table_expect(t, 2, keep, &e));
	says("needs earlier results");
	table_close(t);
	space_free(s);
}
END_TEST

START_TEST(the_window_bounds_how_far_proposals_run_ahead)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	for (int window = 0; window < 5; window++) {
		struct problem p = problem_of(s, window);
		struct table *t = table_for(&p, strategies[_i % STRATEGIES]);
		int keep[BUDGET][GROUPS], number = 0;
		enum table_answer answer = TABLE_PROPOSAL;
		struct request request;
		while (answer == TABLE_PROPOSAL && number < BUDGET - 1)
			ok(table_ask(t, &answer, &number, keep[number], &request, &e));
		ck_assert_int_eq(answer, TABLE_WAIT);
		ck_assert_int_eq(table_proposed(t), window + 1);
		/* Any result but the first helps nothing. */
		for (int i = window + 1; i >= 1; i--) {
			ok(table_ask(t, &answer, &number, keep[0], &request, &e));
			ck_assert_int_eq(answer, TABLE_WAIT);
			struct outcome o = { .number = i, .ok = false };
			ok(table_tell(t, &o, &e));
		}
		ok(table_ask(t, &answer, &number, keep[0], &request, &e));
		ck_assert_int_eq(answer, TABLE_PROPOSAL);
		ck_assert_int_eq(number, window + 2);
		table_close(t);
	}
	space_free(s);
}
END_TEST

START_TEST(results_come_once_and_of_proposals_only)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 0);
	struct table *t = table_for(&p, strategies[_i % STRATEGIES]);
	struct outcome o = { .number = 1, .ok = true };
	int keep[GROUPS], number;
	enum table_answer answer;
	struct request request;
	fails(ERR_NOT_FOUND, table_tell(t, &o, &e));
	says("trial 1");
	ok(table_ask(t, &answer, &number, keep, &request, &e));
	for (int m = 0; m < METRIC_COUNT; m++)
		o.metrics[m] = NAN;
	ok(table_tell(t, &o, &e));
	fails(ERR_CONFLICT, table_tell(t, &o, &e));
	says("trial 1");
	o.number = 0;
	fails(ERR_NOT_FOUND, table_tell(t, &o, &e));
	o.number = -1;
	fails(ERR_NOT_FOUND, table_tell(t, &o, &e));
	ck_assert_int_eq(table_outstanding(t), 0);
	table_close(t);
	space_free(s);
}
END_TEST

START_TEST(a_job_whose_every_trial_fails_still_uses_its_budget)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 3);
	struct table *t = table_for(&p, strategies[_i % STRATEGIES]);
	int keep[GROUPS], number = 0, made = 0;
	for (;;) {
		enum table_answer answer;
		struct request request;
		ok(table_ask(t, &answer, &number, keep, &request, &e));
		if (answer == TABLE_DONE)
			break;
		if (answer == TABLE_PROPOSAL) {
			ck_assert(space_allows(s, keep));
			made++;
			continue;
		}
		for (int i = made - table_outstanding(t) + 1; i <= made; i++) {
			struct outcome o = { .number = i, .ok = i % 2 };
			for (int m = 0; m < METRIC_COUNT; m++)
				o.metrics[m] = i % 4 == 1 ? INFINITY : NAN;
			ok(table_tell(t, &o, &e));
		}
	}
	ck_assert_int_eq(made, BUDGET);
	table_close(t);
	space_free(s);
}
END_TEST

START_TEST(a_table_is_not_opened_on_a_wrong_problem)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct table *t = NULL;
	cJSON *object = fixture_json("{\"name\": \"random\"}");
	struct problem p = fixture_problem(s);
	p.objective_count = 1;
	fails(ERR_INPUT, table_open(&p, object, &t, &e));
	says("objectives");
	p = fixture_problem(s);
	p.budget = 0;
	fails(ERR_INPUT, table_open(&p, object, &t, &e));
	says("budget");
	p = fixture_problem(s);
	p.window = -1;
	fails(ERR_INPUT, table_open(&p, object, &t, &e));
	says("window");
	ck_assert_ptr_null(t);
	cJSON_Delete(object);
	space_free(s);
}
END_TEST

/* ---- the end of proposals ---- */

START_TEST(a_stall_ends_proposals_at_the_same_trial_whatever_the_workers_and_the_crashes)
{
	const char *strategy = strategies[_i % STRATEGIES];
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, _i / STRATEGIES ? 6 : 0);
	struct job one = { 0 }, other = { 0 }, after = { 0 };
	struct rng luck;
	rng_init(&luck, 9, 0);
	p.budget = JOB_TRIALS;
	p.stall = 4;
	job_open(&one, &p, strategy, true);
	job_work(&one, 1, &luck, JOB_TRIALS);
	ck_assert_int_lt(one.count, JOB_TRIALS);
	ck_assert_int_gt(one.count, p.stall);
	ck_assert_int_eq(table_end(one.table), TABLE_END_STALL);
	for (int repeat = 0; repeat < 6; repeat++) {
		job_open(&other, &p, strategy, true);
		job_work(&other, 1 + 2 * (repeat % 3), &luck, JOB_TRIALS);
		job_same(&one, &other);
		job_open(&other, &p, strategy, true);
		job_work(&other, 3, &luck, 1 + repeat * one.count / 6);
		replay(&after, &other, strategy);
		job_work(&after, 2, &luck, JOB_TRIALS);
		job_same(&one, &after);
		ck_assert_int_eq(table_end(after.table), TABLE_END_STALL);
	}
	job_close(&one);
	job_close(&other);
	job_close(&after);
	space_free(s);
}
END_TEST

START_TEST(a_stopped_table_asks_no_more_and_winds_up)
{
	const char *strategy = strategies[_i % STRATEGIES];
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 2);
	struct job j = { 0 };
	struct rng luck;
	int at[2] = { 0 };
	rng_init(&luck, 10, 0);
	p.ladder = (struct ladder){ .count = 2, .eta = 3 };
	job_open(&j, &p, strategy, false);
	job_work(&j, 2, &luck, 20);
	ck_assert_int_eq(table_end(j.table), TABLE_OPEN);
	for (int i = 1; i <= j.count; i++)
		at[j.trials[i].rung]++;
	table_stop(j.table);
	table_stop(j.table);
	ck_assert_int_eq(table_end(j.table), TABLE_END_STOPPED);
	job_work(&j, 2, &luck, JOB_TRIALS);
	ck_assert(j.done);
	int proposals = at[0];
	at[0] = at[1] = 0;
	for (int i = 1; i <= j.count; i++)
		at[j.trials[i].rung]++;
	ck_assert_int_eq(at[0], proposals);
	ck_assert_int_eq(at[1], proposals / 3);
	job_close(&j);
	space_free(s);
}
END_TEST

START_TEST(the_first_reason_for_the_end_stays)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 2);
	int keep[GROUPS], number;
	enum table_answer answer;
	struct request request;
	p.budget = 1;
	struct table *t = table_for(&p, strategies[0]);
	ok(table_ask(t, &answer, &number, keep, &request, &e));
	table_stop(t);
	ck_assert_int_eq(table_end(t), TABLE_END_TRIALS);
	table_close(t);
	space_free(s);
}
END_TEST

/* ---- candidates from outside ---- */

START_TEST(what_is_posted_is_proposed_in_the_order_of_its_coming)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 0);
	struct table *t = table_for(&p, "{\"name\": \"manual\"}");
	int keep[GROUPS], number = 0;
	enum table_answer answer;
	struct request request;
	p.budget = 5;
	table_close(t);
	t = table_for(&p, "{\"name\": \"manual\"}");
	for (int g = 0; g < GROUPS; g++)
		keep[g] = s->groups[g].min_keep;
	for (int i = 1; i <= 5; i++) {
		ok(table_ask(t, &answer, &number, keep, &request, &e));
		ck_assert_int_eq(answer, TABLE_WAIT);
		keep[0] = s->groups[0].min_keep + i;
		ok(table_post(t, keep, &number, &e));
		ck_assert_int_eq(number, i);
		ck_assert_int_eq(table_rung(t, number), 0);
	}
	fails(ERR_CONFLICT, table_post(t, keep, &number, &e));
	says("all 5 trials");
	ok(table_ask(t, &answer, &number, keep, &request, &e));
	ck_assert_int_eq(answer, TABLE_DONE);
	ck_assert_int_eq(table_outstanding(t), 5);
	table_close(t);
	space_free(s);
}
END_TEST

START_TEST(what_the_space_or_a_bound_forbids_is_not_posted)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 4);
	struct problem p = problem_of(s, 0);
	struct table *t = table_for(&p, "{\"name\": \"manual\"}");
	int keep[GROUPS], number = 0;
	for (int g = 0; g < GROUPS; g++)
		keep[g] = s->groups[g].channels;
	fails(ERR_INPUT, table_check(t, keep, "candidate", &e));
	says("candidate: has ");
	says("constraints.params allows at most");
	for (int g = 0; g < GROUPS; g++)
		keep[g] = s->groups[g].min_keep;
	keep[3]++;
	fails(ERR_INPUT, table_check(t, keep, "candidate", &e));
	says("candidate[3]: is 5, expected 4 to 32, a multiple of 4");
	ck_assert_int_eq(table_proposed(t), 0);
	table_close(t);
	t = table_for(&p, strategies[0]);
	fails(ERR_CONFLICT, table_post(t, keep, &number, &e));
	says("strategy: is random");
	table_close(t);
	space_free(s);
}
END_TEST

/* On the second rung, and then again from what was stored. */
START_TEST(what_was_posted_goes_up_and_is_replayed_as_it_is)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 0);
	p.ladder = (struct ladder){ .count = 2, .eta = 3 };
	p.budget = 4;
	struct table *t = table_for(&p, "{\"name\": \"manual\"}"), *again = table_for(&p, "{\"name\": \"manual\"}");
	int keep[GROUPS], up[GROUPS], number = 0;
	enum table_answer answer;
	struct request request;
	for (int g = 0; g < GROUPS; g++)
		keep[g] = s->groups[g].min_keep;
	for (int i = 1; i <= 3; i++) {
		keep[1] = s->groups[1].min_keep + i;
		ok(table_post(t, keep, &number, &e));
		struct outcome o = fixture_evaluate(&p, number, keep, false);
		ok(table_tell(t, &o, &e));
		ok(table_expect(again, number, keep, &e));
		ok(table_tell(again, &o, &e));
	}
	ok(table_ask(t, &answer, &number, up, &request, &e));
	ck_assert_int_eq(answer, TABLE_PROPOSAL);
	ck_assert_int_eq(number, 4);
	ck_assert_int_eq(table_rung(t, 4), 1);
	ok(table_expect_promotion(again, 4, table_parent(t, 4), up, &e));
	ok(table_post(again, keep, &number, &e));
	ck_assert_int_eq(number, 5);
	fails(ERR_CONFLICT, table_post(again, keep, &number, &e));
	fails(ERR_INTERNAL, table_expect(again, 6, keep, &e));
	says("proposes nothing more");
	table_close(t);
	table_close(again);
	space_free(s);
}
END_TEST

/* 1 and 2 had come when 12 was posted behind the promotion of one of them; the others bring the stall. */
START_TEST(what_was_posted_before_a_stall_is_replayed_when_all_results_are_there)
{
	enum { POSTED = 10, LATE = POSTED + 2 };
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = problem_of(s, 0);
	p.ladder = (struct ladder){ .count = 2, .eta = 2 };
	p.stall = 5;
	struct table *t = table_for(&p, "{\"name\": \"manual\"}"), *again = table_for(&p, "{\"name\": \"manual\"}");
	struct outcome o[LATE + 1];
	int keep[LATE + 1][GROUPS], number = 0;
	enum table_answer answer;
	struct request request;
	for (int i = 1; i <= LATE; i++)
		for (int g = 0; g < GROUPS; g++)
			keep[i][g] = s->groups[g].min_keep + (i > 1);
	for (int i = 1; i <= POSTED; i++)
		ok(table_post(t, keep[i], &number, &e));
	for (int i = 1; i <= POSTED; i++) {
		o[i] = fixture_evaluate(&p, i, keep[i], false);
		o[i].metrics[METRIC_ACCURACY] = i == 1 ? 0.9 : 0.1;
	}
	ok(table_tell(t, &o[1], &e));
	ok(table_tell(t, &o[2], &e));
	ok(table_ask(t, &answer, &number, keep[POSTED + 1], &request, &e));
	ck_assert_int_eq(answer, TABLE_PROPOSAL);
	ck_assert_int_eq(number, POSTED + 1);
	ok(table_post(t, keep[LATE], &number, &e));
	ck_assert_int_eq(number, LATE);
	for (int i = 3; i <= POSTED; i++)
		ok(table_tell(t, &o[i], &e));
	ok(table_ask(t, &answer, &number, keep[0], &request, &e));
	ck_assert_int_eq(table_end(t), TABLE_END_STALL);

	for (int i = 1; i <= POSTED; i++) {
		ok(table_expect(again, i, keep[i], &e));
		ok(table_tell(again, &o[i], &e));
	}
	ok(table_expect_promotion(again, POSTED + 1, table_parent(t, POSTED + 1), keep[POSTED + 1], &e));
	ck_assert_int_eq(table_end(again), TABLE_END_STALL);
	ok(table_expect(again, LATE, keep[LATE], &e));
	ck_assert_int_eq(table_outstanding(again), 2);
	fails(ERR_CONFLICT, table_post(again, keep[LATE], &number, &e));
	table_close(t);
	table_close(again);
	space_free(s);
}
END_TEST

Suite *table_suite(void)
{
	Suite *suite = suite_create("table");
	TCase *c = tcase_create("table");
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, workers_and_the_order_of_results_do_not_change_the_proposals, 0, 2 * STRATEGIES);
	tcase_add_loop_test(c, a_restart_in_the_middle_continues_identically, 0, STRATEGIES);
	tcase_add_loop_test(c, a_replay_that_differs_is_an_internal_error, 0, STRATEGIES);
	tcase_add_test(c, a_replay_that_lacks_results_is_an_internal_error);
	tcase_add_loop_test(c, the_window_bounds_how_far_proposals_run_ahead, 0, STRATEGIES);
	tcase_add_loop_test(c, results_come_once_and_of_proposals_only, 0, STRATEGIES);
	tcase_add_loop_test(c, a_job_whose_every_trial_fails_still_uses_its_budget, 0, STRATEGIES);
	tcase_add_test(c, a_table_is_not_opened_on_a_wrong_problem);
	tcase_add_loop_test(c, a_stall_ends_proposals_at_the_same_trial_whatever_the_workers_and_the_crashes, 0,
		2 * STRATEGIES);
	tcase_add_loop_test(c, a_stopped_table_asks_no_more_and_winds_up, 0, STRATEGIES);
	tcase_add_test(c, the_first_reason_for_the_end_stays);
	tcase_add_test(c, what_is_posted_is_proposed_in_the_order_of_its_coming);
	tcase_add_test(c, what_the_space_or_a_bound_forbids_is_not_posted);
	tcase_add_test(c, what_was_posted_goes_up_and_is_replayed_as_it_is);
	tcase_add_test(c, what_was_posted_before_a_stall_is_replayed_when_all_results_are_there);
	suite_add_tcase(suite, c);
	return suite;
}

/* trial.c -- tests of the rows of trials, and of the indexes that their queries use.
 * SPDX-License-Identifier: MIT */
#include "store/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/statement.h"
#include "tests/store/scene.h"

static const size_t texts[] = {
	offsetof(struct trial_row, candidate),
	offsetof(struct trial_row, requested),
	offsetof(struct trial_row, achieved),
	offsetof(struct trial_row, digest),
	offsetof(struct trial_row, source),
	offsetof(struct trial_row, model),
	offsetof(struct trial_row, worker),
	offsetof(struct trial_row, reason),
};
enum { TEXTS = sizeof texts / sizeof *texts, METRICS = sizeof(struct trial_metrics) / sizeof(double) };

static char **text_of(struct trial_row *r, int i)
{
	return (char **)((char *)r + texts[i]);
}

/* Every member has a value that no other has. */
static struct trial_row full_row(int64_t job, int64_t number)
{
	struct trial_row r;
	trial_row_init(&r);
	r.job = job;
	r.number = number;
	r.rung = 2;
	r.parent = 5;
	r.state = TRIAL_FAILED;
	for (int i = 0; i < TEXTS; i++)
		ck_assert_int_gt(asprintf(text_of(&r, i), "text %d \xe2\x82\xac", i), 0);
	for (int i = 0; i < METRICS; i++)
		((double *)&r.metrics)[i] = 0.1 + i / 7.0;
	r.attempts = 3;
	r.test_accuracy = 0.91;
	r.test_loss = 0.33;
	r.created = 1763769600001;
	r.started = 1763769600002;
	r.finished = 1763769600003;
	return r;
}

static void check_same(struct trial_row *a, struct trial_row *b)
{
	ck_assert_int_eq(a->job, b->job);
	ck_assert_int_eq(a->number, b->number);
	ck_assert_int_eq(a->rung, b->rung);
	ck_assert_int_eq(a->parent, b->parent);
	ck_assert_int_eq(a->state, b->state);
	for (int i = 0; i < TEXTS; i++)
		ck_assert_pstr_eq(*text_of(a, i), *text_of(b, i));
	for (int i = 0; i < METRICS; i++) {
		double x = ((double *)&a->metrics)[i], y = ((double *)&b->metrics)[i];
		ck_assert_msg(x == y || (isnan(x) && isnan(y)), "metric %d: %g, %g", i, x, y);
	}
	ck_assert(a->test_accuracy == b->test_accuracy || (isnan(a->test_accuracy) && isnan(b->test_accuracy)));
	ck_assert(a->test_loss == b->test_loss || (isnan(a->test_loss) && isnan(b->test_loss)));
	ck_assert_int_eq(a->attempts, b->attempts);
	ck_assert_int_eq(a->feasible, b->feasible);
	ck_assert_int_eq(a->pareto, b->pareto);
	ck_assert_int_eq(a->created, b->created);
	ck_assert_int_eq(a->started, b->started);
	ck_assert_int_eq(a->finished, b->finished);
}

START_TEST(every_column_comes_back)
{
	struct trial_row r = full_row(a_job("full"), 7), back;
	r.feasible = _i & 1;
	r.pareto = _i >> 1;
	ck_ok(trial_insert(store, &r, &e));
	ck_ok(store_commit(store, &e));
	scene_reopen();
	ck_ok(trial_load(store, r.job, 7, &back, &e));
	check_same(&r, &back);
	trial_row_fini(&r);
	trial_row_fini(&back);
}
END_TEST

START_TEST(what_is_absent_is_null_and_comes_back_absent)
{
	struct trial_row r, back;
	trial_row_init(&r);
	r.job = a_job("empty");
	ck_ok(trial_insert(store, &r, &e));
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(
		ask("SELECT count(*) FROM trial WHERE coalesce(candidate, requested, achieved, digest, source, model, "
		    "worker, reason, accuracy, loss, params, macs, bytes, memory, latency, latency_ratio_p10, "
		    "latency_ratio_p90, latency_ms, latency_p10_ms, latency_p90_ms, test_accuracy, test_loss, "
		    "started, finished) IS NULL"),
		"1");
	ck_ok(trial_load(store, r.job, 0, &back, &e));
	check_same(&r, &back);
}
END_TEST

START_TEST(an_update_writes_every_column)
{
	struct trial_row empty, r = full_row(a_job("update"), 4), back;
	trial_row_init(&empty);
	empty.job = r.job;
	empty.number = 4;
	r.feasible = r.pareto = true;
	ck_ok(trial_insert(store, &empty, &e));
	ck_ok(trial_update(store, &r, &e));
	ck_ok(trial_load(store, r.job, 4, &back, &e));
	check_same(&r, &back);
	trial_row_fini(&back);
	ck_ok(trial_update(store, &empty, &e));
	ck_ok(trial_load(store, r.job, 4, &back, &e));
	check_same(&empty, &back);
	trial_row_fini(&r);
}
END_TEST

START_TEST(every_state_is_stored_as_its_word)
{
	struct trial_row r = a_trial(a_job("state"), 0), back;
	r.state = (enum trial_state)_i;
	ck_ok(trial_insert(store, &r, &e));
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT state FROM trial"), trial_state_name((enum trial_state)_i));
	ck_ok(trial_load(store, r.job, 0, &back, &e));
	ck_assert_int_eq(back.state, _i);
}
END_TEST

START_TEST(a_number_given_twice_is_a_conflict_and_spares_the_rest)
{
	int64_t job = a_job("twice"), counts[TRIAL_STATE_COUNT];
	insert_trials(job, 2);
	struct trial_row r = a_trial(job, 1);
	ck_fails(ERR_CONFLICT, trial_insert(store, &r, &e));
	ck_ok(store_commit(store, &e));
	ck_ok(trial_count(store, job, counts, &e));
	ck_assert_int_eq(counts[TRIAL_COMPLETE], 2);
}
END_TEST

START_TEST(a_trial_of_no_job_is_refused)
{
	struct trial_row r = a_trial(77, 1);
	ck_fails(ERR_NOT_FOUND, trial_insert(store, &r, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "trial 77.1"));
}
END_TEST

START_TEST(an_absent_trial_is_not_found)
{
	struct trial_row r = a_trial(a_job("absent"), 5), back;
	ck_fails(ERR_NOT_FOUND, trial_load(store, r.job, 5, &back, &e));
	ck_assert_str_eq(e.msg, "there is no trial 1.5");
	ck_fails(ERR_NOT_FOUND, trial_update(store, &r, &e));
	ck_fails(ERR_NOT_FOUND, trial_set_pareto(store, r.job, 5, true, &e));
}
END_TEST

static void insert_with(int64_t job, int64_t number, enum trial_state state, const char *digest)
{
	struct trial_row r = a_trial(job, number);
	r.state = state;
	r.digest = (char *)digest;
	ck_ok(trial_insert(store, &r, &e));
}

START_TEST(find_gives_the_oldest_complete_trial_of_any_job)
{
	int64_t first = a_job("first"), second = a_job("second");
	struct trial_row r;
	insert_with(first, 1, TRIAL_FAILED, "d");
	insert_with(first, 2, TRIAL_COMPLETE, "other");
	insert_with(second, 1, TRIAL_COMPLETE, "d");
	insert_with(first, 3, TRIAL_COMPLETE, "d");
	ck_ok(trial_find(store, "d", &r, &e));
	ck_assert_int_eq(r.job, second);
	ck_assert_int_eq(r.number, 1);
	trial_row_fini(&r);
	ck_fails(ERR_NOT_FOUND, trial_find(store, "unknown", &r, &e));
}
END_TEST

START_TEST(the_next_waiting_trial_has_the_lowest_number)
{
	int64_t job = a_job("next"), other = a_job("other");
	struct trial_row r;
	insert_with(other, 0, TRIAL_WAITING, NULL);
	insert_with(job, 5, TRIAL_WAITING, NULL);
	insert_with(job, 3, TRIAL_RUNNING, NULL);
	insert_with(job, 4, TRIAL_WAITING, NULL);
	ck_ok(trial_next_waiting(store, job, &r, &e));
	ck_assert_int_eq(r.number, 4);
	r.state = TRIAL_RUNNING;
	ck_ok(trial_update(store, &r, &e));
	ck_ok(trial_next_waiting(store, job, &r, &e));
	ck_assert_int_eq(r.number, 5);
	r.state = TRIAL_RUNNING;
	ck_ok(trial_update(store, &r, &e));
	ck_fails(ERR_NOT_FOUND, trial_next_waiting(store, job, &r, &e));
}
END_TEST

START_TEST(cancelling_touches_the_open_trials_of_one_job)
{
	int64_t job = a_job("cancelled"), other = a_job("other"), counts[TRIAL_STATE_COUNT];
	for (int i = 0; i < TRIAL_STATE_COUNT; i++) {
		insert_with(job, i, (enum trial_state)i, NULL);
		insert_with(other, i, (enum trial_state)i, NULL);
	}
	ck_ok(trial_cancel_open(store, job, 4321, &e));
	ck_ok(trial_count(store, job, counts, &e));
	ck_assert_int_eq(counts[TRIAL_WAITING], 0);
	ck_assert_int_eq(counts[TRIAL_RUNNING], 0);
	ck_assert_int_eq(counts[TRIAL_COMPLETE], 1);
	ck_assert_int_eq(counts[TRIAL_FAILED], 1);
	ck_assert_int_eq(counts[TRIAL_CANCELLED], 3);
	ck_ok(trial_count(store, other, counts, &e));
	for (int i = 0; i < TRIAL_STATE_COUNT; i++)
		ck_assert_int_eq(counts[i], 1);
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT count(*) FROM trial WHERE finished = 4321"), "2");
}
END_TEST

START_TEST(the_best_accuracy_is_one_of_the_baselines_rung)
{
	int64_t job = a_job("rungs");
	double best;
	for (int i = 0; i < 4; i++) {
		struct trial_row r = a_trial(job, i);
		r.rung = i == 1 ? 1 : 2;
		ck_ok(trial_insert(store, &r, &e));
	}
	ck_ok(trial_best_accuracy(store, job, &best, &e));
	ck_assert_double_eq(best, 0.898);
}
END_TEST

START_TEST(the_best_accuracy_leaves_out_the_baseline_and_what_is_not_complete)
{
	int64_t job = a_job("best");
	double best;
	struct trial_row r = a_trial(job, 0);
	ck_ok(trial_insert(store, &r, &e));
	ck_ok(trial_best_accuracy(store, job, &best, &e));
	ck_assert(isnan(best));
	r = a_trial(job, 1);
	r.state = TRIAL_RUNNING;
	r.metrics.accuracy = 0.99;
	ck_ok(trial_insert(store, &r, &e));
	r = a_trial(job, 2);
	r.metrics.accuracy = 0.25;
	ck_ok(trial_insert(store, &r, &e));
	r = a_trial(job, 3);
	r.metrics.accuracy = NAN;
	ck_ok(trial_insert(store, &r, &e));
	ck_ok(trial_best_accuracy(store, job, &best, &e));
	ck_assert_double_eq(best, 0.25);
}
END_TEST

static enum err see(const struct trial_row *r, void *arg, struct errinfo *info)
{
	char *text = arg;
	(void)info;
	sprintf(text + strlen(text), "%d ", (int)r->number);
	return ERR_OK;
}

START_TEST(trials_come_by_number_and_members_by_accuracy)
{
	int64_t job = a_job("walk"), other = a_job("other");
	static const int numbers[] = { 4, 0, 2, 3, 1 };
	for (int i = 0; i < 5; i++) {
		struct trial_row r = a_trial(job, numbers[i]);
		r.metrics.accuracy = numbers[i] == 2 ? 0.95 : 0.5;
		ck_ok(trial_insert(store, &r, &e));
	}
	insert_trials(other, 3);
	ck_ok(trial_set_pareto(store, job, 3, true, &e));
	ck_ok(trial_set_pareto(store, job, 1, true, &e));
	ck_ok(trial_set_pareto(store, job, 2, true, &e));
	ck_ok(trial_set_pareto(store, job, 4, true, &e));
	ck_ok(trial_set_pareto(store, job, 4, false, &e));
	ck_ok(trial_set_pareto(store, other, 1, true, &e));
	char all[64] = "", members[64] = "";
	ck_ok(trial_each(store, job, false, see, all, &e));
	ck_ok(trial_each(store, job, true, see, members, &e));
	ck_assert_str_eq(all, "0 1 2 3 4 ");
	ck_assert_str_eq(members, "2 1 3 ");
}
END_TEST

static enum err see_result(const struct trial_row *r, void *arg, struct errinfo *info)
{
	char text[64];
	(void)info;
	snprintf(text, sizeof text, "%lld %s %s %g; ", (long long)r->number, trial_state_name(r->state),
		r->candidate ? r->candidate : "-", r->metrics.accuracy);
	strcat(arg, text);
	return ERR_OK;
}

START_TEST(results_are_those_of_complete_candidates_of_one_rung)
{
	int64_t job = a_job("results"), other = a_job("other");
	static const enum trial_state states[] = { TRIAL_COMPLETE, TRIAL_FAILED, TRIAL_WAITING, TRIAL_COMPLETE,
		TRIAL_COMPLETE, TRIAL_CANCELLED, TRIAL_COMPLETE, TRIAL_COMPLETE, TRIAL_FAILED };
	for (int i = 8; i >= 0; i--) {
		struct trial_row r = a_trial(job, i);
		r.state = states[i];
		r.rung = i == 7;
		r.feasible = i == 4;
		r.candidate = "[1]";
		r.metrics.accuracy = i == 6 ? NAN : 0.5;
		ck_ok(trial_insert(store, &r, &e));
	}
	insert_trials(other, 3);
	char all[256] = "", latest[3][256] = { "", "", "" }, feasible[256] = "";
	ck_ok(trial_each_result(store, job, 0, see_result, all, &e));
	ck_assert_str_eq(all, "3 complete [1] 0.5; 4 complete [1] 0.5; 6 complete [1] nan; ");
	ck_ok(trial_each_latest(store, job, 0, 2, see_result, latest[0], &e));
	ck_assert_str_eq(latest[0], "4 complete [1] 0.5; 6 complete [1] nan; ");
	ck_ok(trial_each_latest(store, job, 0, 3, see_result, latest[1], &e));
	ck_assert_str_eq(latest[1], all);
	ck_ok(trial_each_latest(store, job, 0, 9, see_result, latest[2], &e));
	ck_assert_str_eq(latest[2], all);
	ck_ok(trial_each_feasible(store, job, 0, see_result, feasible, &e));
	ck_assert_str_eq(feasible, "4 complete - 0.5; ");
}
END_TEST

static enum err leave(const struct trial_row *r, void *arg, struct errinfo *info)
{
	(*(int *)arg)++;
	return trial_set_pareto(store, r->job, r->number, false, info);
}

START_TEST(members_may_leave_while_walking)
{
	int64_t job = a_job("leave");
	int seen = 0;
	insert_trials(job, 50);
	for (int i = 0; i < 50; i++)
		ck_ok(trial_set_pareto(store, job, i, true, &e));
	ck_ok(trial_each(store, job, true, leave, &seen, &e));
	ck_assert_int_eq(seen, 50);
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT count(*) FROM pareto"), "0");
}
END_TEST

static enum err nothing(const struct trial_row *r, void *arg, struct errinfo *info)
{
	(void)r, (void)arg, (void)info;
	return ERR_OK;
}

/* Uses every function of trial.h once, so that its statements stand in the handle. */
static void use_all(int64_t job)
{
	struct trial_row r;
	int64_t counts[TRIAL_STATE_COUNT];
	double best;
	insert_with(job, 1, TRIAL_COMPLETE, "d");
	insert_with(job, 2, TRIAL_WAITING, "w");
	ck_ok(trial_find(store, "d", &r, &e));
	ck_ok(trial_update(store, &r, &e));
	trial_row_fini(&r);
	ck_ok(trial_next_waiting(store, job, &r, &e));
	trial_row_fini(&r);
	ck_ok(trial_load(store, job, 1, &r, &e));
	trial_row_fini(&r);
	ck_ok(trial_set_pareto(store, job, 1, true, &e));
	ck_ok(trial_count(store, job, counts, &e));
	ck_ok(trial_best_accuracy(store, job, &best, &e));
	ck_ok(trial_each(store, job, false, nothing, NULL, &e));
	ck_ok(trial_each(store, job, true, nothing, NULL, &e));
	ck_ok(trial_each_result(store, job, 0, nothing, NULL, &e));
	ck_ok(trial_each_latest(store, job, 0, 5, nothing, NULL, &e));
	ck_ok(trial_each_feasible(store, job, 0, nothing, NULL, &e));
	ck_ok(trial_cancel_open(store, job, 1, &e));
}

static void check_plan(const char *sql)
{
	char explain[2048];
	sqlite3_stmt *st;
	snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
	ck_assert_int_eq(sqlite3_prepare_v2(store->db, explain, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(st, 3);
		ck_assert_msg(strncmp(detail, "SCAN", 4) && !strstr(detail, "TEMP B-TREE"), "%s: %s", sql, detail);
	}
	sqlite3_finalize(st);
}

START_TEST(no_statement_on_trials_scans_or_sorts)
{
	int checked = 0;
	use_all(a_job("plans"));
	for (size_t i = 0; i < store->count; i++) {
		const char *sql = store->prepared[i].sql;
		if (!strstr(sql, "FROM trial") && !strstr(sql, "UPDATE trial"))
			continue;
		check_plan(sql);
		checked++;
	}
	ck_assert_int_eq(checked, 13);
}
END_TEST

START_TEST(statements_are_prepared_once)
{
	int64_t job = a_job("once");
	use_all(job);
	ck_ok(store_commit(store, &e));
	size_t count = store->count;
	job = a_job("twice");
	use_all(job);
	ck_ok(store_commit(store, &e));
	ck_assert_uint_eq(store->count, count);
}
END_TEST

static enum err in_turn(const struct trial_row *r, void *arg, struct errinfo *info)
{
	int64_t *next = arg;
	if (r->number != *next)
		return err_set(info, ERR_INTERNAL, "%d came before %d", (int)r->number, (int)*next);
	(*next)++;
	return ERR_OK;
}

START_TEST(a_hundred_thousand_trials_are_walked_in_order)
{
	enum { MANY = 100000 };
	int64_t job = a_job("many");
	sqlite3 *person;
	ck_ok(store_commit(store, &e));
	person = person_open();
	person_asks(person,
		"WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n WHERE i < 99999) "
		"INSERT INTO trial(job, number, rung, state, candidate, attempts, accuracy, feasible, pareto, created) "
		"SELECT 1, i, 0, 'complete', '[20,32,64,128]', 1, i / 1e5, 1, i % 1000 = 0, 1 FROM n");
	sqlite3_close(person);
	ck_assert_int_eq(job, 1);
	int64_t counts[TRIAL_STATE_COUNT], next = 0;
	ck_ok(trial_count(store, job, counts, &e));
	ck_assert_int_eq(counts[TRIAL_COMPLETE], MANY);
	ck_ok(trial_each(store, job, false, in_turn, &next, &e));
	ck_assert_int_eq(next, MANY);
	int seen = 0;
	ck_ok(trial_each(store, job, true, leave, &seen, &e));
	ck_assert_int_eq(seen, MANY / 1000);
}
END_TEST

Suite *suite_trial(void)
{
	Suite *s = suite_create("trial");
	TCase *c = scene_case(s, "row");
	tcase_add_loop_test(c, every_column_comes_back, 0, 4);
	tcase_add_test(c, what_is_absent_is_null_and_comes_back_absent);
	tcase_add_test(c, an_update_writes_every_column);
	tcase_add_loop_test(c, every_state_is_stored_as_its_word, 0, TRIAL_STATE_COUNT);
	tcase_add_test(c, a_number_given_twice_is_a_conflict_and_spares_the_rest);
	tcase_add_test(c, a_trial_of_no_job_is_refused);
	tcase_add_test(c, an_absent_trial_is_not_found);
	c = scene_case(s, "query");
	tcase_add_test(c, find_gives_the_oldest_complete_trial_of_any_job);
	tcase_add_test(c, the_next_waiting_trial_has_the_lowest_number);
	tcase_add_test(c, cancelling_touches_the_open_trials_of_one_job);
	tcase_add_test(c, the_best_accuracy_is_one_of_the_baselines_rung);
	tcase_add_test(c, the_best_accuracy_leaves_out_the_baseline_and_what_is_not_complete);
	tcase_add_test(c, trials_come_by_number_and_members_by_accuracy);
	tcase_add_test(c, results_are_those_of_complete_candidates_of_one_rung);
	tcase_add_test(c, members_may_leave_while_walking);
	tcase_add_test(c, no_statement_on_trials_scans_or_sorts);
	tcase_add_test(c, statements_are_prepared_once);
	tcase_add_test(c, a_hundred_thousand_trials_are_walked_in_order);
	return s;
}

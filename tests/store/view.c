/* view.c -- tests of the views that people query.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "tests/store/scene.h"

/* Trial 0 and three pruned ones, of which 1 and 3 are members. */
static int64_t a_front(const char *name)
{
	int64_t job = a_job(name);
	for (int i = 0; i < 4; i++) {
		struct trial_row r = a_trial(job, i);
		r.worker = "local-1";
		r.started = 10000;
		r.finished = 12500;
		r.pareto = i % 2;
		r.feasible = true;
		if (i == 1)
			r.test_accuracy = 0.875;
		ck_ok(trial_insert(store, &r, &e));
	}
	ck_ok(store_commit(store, &e));
	return job;
}

START_TEST(pareto_has_one_row_a_member_best_first)
{
	a_front("front");
	a_front("other");
	ck_assert_str_eq(ask("SELECT group_concat(job || '.' || trial, ' ') FROM pareto"), "1.1 1.3 2.1 2.3");
	ck_assert_str_eq(ask("SELECT job_name FROM pareto WHERE job = 2"), "other");
}
END_TEST

START_TEST(pareto_has_the_promised_columns)
{
	a_front("front");
	ck_assert_str_eq(ask("SELECT group_concat(name) FROM pragma_table_info('pareto')"),
		"job,job_name,trial,accuracy,test_accuracy,loss,params,macs,bytes,memory,latency,latency_ms,"
		"params_ratio,macs_ratio,model");
	ck_assert_str_eq(ask("SELECT params || ' ' || macs || ' ' || test_accuracy || ' ' || coalesce(latency, 'none') "
			     "FROM pareto WHERE trial = 1"),
		"990 7900 0.875 none");
}
END_TEST

START_TEST(ratios_are_the_fraction_removed_against_trial_0)
{
	a_front("front");
	ck_assert_str_eq(ask("SELECT printf('%.4f %.4f', params_ratio, macs_ratio) FROM pareto WHERE trial = 3"),
		"0.0300 0.0375");
	ck_assert_str_eq(
		ask("SELECT printf('%.4f %.4f %.4f %.4f', params_ratio, macs_ratio, bytes_ratio, memory_ratio) "
		    "FROM trial_summary WHERE trial = 3"),
		"0.0300 0.0375 0.0300 0.0000");
}
END_TEST

START_TEST(a_member_without_a_baseline_is_shown_without_ratios)
{
	struct trial_row r = a_trial(a_job("lone"), 5);
	r.pareto = true;
	ck_ok(trial_insert(store, &r, &e));
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT trial FROM pareto WHERE params_ratio IS NULL"), "5");
	ck_assert_str_eq(ask("SELECT count(*) FROM trial_summary WHERE accuracy_delta IS NULL"), "1");
}
END_TEST

START_TEST(the_summary_has_one_row_a_trial_with_time_and_deltas)
{
	a_front("front");
	ck_assert_str_eq(ask("SELECT group_concat(trial, ' ') FROM trial_summary"), "0 1 2 3");
	ck_assert_str_eq(ask("SELECT state || ' ' || worker || ' ' || seconds FROM trial_summary WHERE trial = 2"),
		"complete local-1 2.5");
	ck_assert_str_eq(
		ask("SELECT printf('%.3f %.3f', accuracy_delta, loss_delta) FROM trial_summary WHERE trial = 2"),
		"-0.002 0.002");
}
END_TEST

static void check_searched(const char *sql)
{
	char explain[512];
	sqlite3_stmt *st;
	sqlite3 *person = person_open();
	int members = 0;
	snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", sql);
	ck_assert_int_eq(sqlite3_prepare_v2(person, explain, -1, &st, NULL), SQLITE_OK);
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *detail = (const char *)sqlite3_column_text(st, 3);
		members += strstr(detail, "USING INDEX trial_pareto") != NULL;
		ck_assert_msg(strncmp(detail, "SCAN", 4) || strstr(detail, "trial_pareto"), "%s: %s", sql, detail);
		ck_assert_msg(!strstr(detail, "TEMP B-TREE"), "%s: %s", sql, detail);
	}
	ck_assert_int_eq(members, 1);
	sqlite3_finalize(st);
	sqlite3_close(person);
}

START_TEST(pareto_reads_members_and_nothing_else)
{
	a_front("front");
	check_searched("SELECT * FROM pareto");
	check_searched("SELECT * FROM pareto WHERE job = 1");
}
END_TEST

START_TEST(every_documented_query_runs)
{
	char *page;
	size_t len;
	int queries = 0;
	a_front("front");
	ck_ok(file_read("docs/database.md", 1000000, &page, &len, &e));
	sqlite3 *person = person_open();
	char *sql = strstr(page, "## Questions");
	ck_assert_ptr_nonnull(sql);
	for (; (sql = strstr(sql, "\n    SELECT")); queries++) {
		char *end = strchr(sql, ';');
		ck_assert_ptr_nonnull(end);
		*end = '\0';
		int rc = sqlite3_exec(person, sql, NULL, NULL, NULL);
		ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(person));
		sql = end + 1;
	}
	ck_assert_int_eq(queries, 7);
	sqlite3_close(person);
	free(page);
}
END_TEST

START_TEST(words_and_flags_out_of_range_are_refused_from_people_too)
{
	static const char *const wrong[] = {
		"UPDATE job SET state = 'finished'",
		"UPDATE trial SET state = 'done'",
		"UPDATE trial SET pareto = 2",
		"UPDATE trial SET accuracy = 'high'",
		"UPDATE trial SET number = -1 WHERE number = 1",
	};
	a_front("front");
	sqlite3 *person = person_open();
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_msg(sqlite3_exec(person, wrong[i], NULL, NULL, NULL) == SQLITE_CONSTRAINT, "%s", wrong[i]);
	sqlite3_close(person);
}
END_TEST

Suite *suite_view(void)
{
	Suite *s = suite_create("view");
	TCase *c = scene_case(s, "view");
	tcase_add_test(c, pareto_has_one_row_a_member_best_first);
	tcase_add_test(c, pareto_has_the_promised_columns);
	tcase_add_test(c, ratios_are_the_fraction_removed_against_trial_0);
	tcase_add_test(c, a_member_without_a_baseline_is_shown_without_ratios);
	tcase_add_test(c, the_summary_has_one_row_a_trial_with_time_and_deltas);
	tcase_add_test(c, pareto_reads_members_and_nothing_else);
	tcase_add_test(c, every_documented_query_runs);
	tcase_add_test(c, words_and_flags_out_of_range_are_refused_from_people_too);
	return s;
}

/* store.c -- tests of opening, migrating and committing.
 * SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/statement.h"
#include "tests/store/scene.h"

START_TEST(an_empty_folder_becomes_the_newest_schema)
{
	ck_assert_str_eq(ask("PRAGMA user_version"), "3");
	ck_assert_str_eq(
		ask("SELECT count(*) FROM sqlite_schema WHERE type = 'view' AND name IN ('pareto', 'trial_summary')"),
		"2");
	ck_assert_str_eq(ask("PRAGMA journal_mode"), "wal");
}
END_TEST

START_TEST(every_table_is_strict)
{
	ck_assert_str_eq(
		ask("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict "
		    "AND name NOT LIKE 'sqlite_%'"),
		"0");
}
END_TEST

/* No test here can cut the power, so the setting itself is the claim. */
START_TEST(every_commit_is_synced_and_every_reference_checked)
{
	char text[8];
	snprintf(text, sizeof text, "%s", person_asks(store->db, "PRAGMA synchronous"));
	ck_assert_str_eq(text, "2");
	ck_assert_str_eq(person_asks(store->db, "PRAGMA foreign_keys"), "1");
}
END_TEST

START_TEST(opening_makes_missing_folders)
{
	char deeper[300];
	struct store *other;
	snprintf(deeper, sizeof deeper, "%s/a/b", directory);
	ck_ok(store_open(deeper, &other, &e));
	store_close(other);
	strcat(deeper, "/blobs");
	ck_assert_int_eq(access(deeper, F_OK), 0);
}
END_TEST

START_TEST(a_file_in_the_place_of_the_folder_is_refused_and_named)
{
	char path[300];
	struct store *other;
	snprintf(path, sizeof path, "%s/pared.lock", directory);
	ck_fails(ERR_IO, store_open(path, &other, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, path));
}
END_TEST

START_TEST(what_is_committed_survives_a_close)
{
	int64_t id = a_job("kept");
	ck_ok(store_commit(store, &e));
	scene_reopen();
	struct job_row r;
	ck_ok(job_load(store, id, &r, &e));
	ck_assert_str_eq(r.name, "kept");
	job_row_fini(&r);
}
END_TEST

START_TEST(what_is_not_committed_is_gone_after_a_close)
{
	int64_t kept = a_job("kept");
	ck_ok(store_commit(store, &e));
	int64_t id = a_job("dropped");
	scene_reopen();
	struct job_row r;
	ck_fails(ERR_NOT_FOUND, job_load(store, id, &r, &e));
	ck_ok(job_load(store, kept, &r, &e));
	job_row_fini(&r);
}
END_TEST

START_TEST(rollback_drops_everything_since_the_last_commit)
{
	a_job("first");
	ck_ok(store_commit(store, &e));
	a_job("second");
	a_job("third");
	store_rollback(store);
	ck_assert(!store_dirty(store));
	ck_assert_str_eq(ask("SELECT group_concat(name) FROM job"), "first");
	a_job("fourth");
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT group_concat(name) FROM job"), "first,fourth");
}
END_TEST

START_TEST(writes_of_one_turn_become_visible_together)
{
	sqlite3 *person = person_open();
	ck_assert(!store_dirty(store));
	int64_t job = a_job("group");
	insert_trials(job, 5);
	ck_assert(store_dirty(store));
	ck_assert_str_eq(person_asks(person, "SELECT count(*) FROM job"), "0");
	ck_ok(store_commit(store, &e));
	ck_assert(!store_dirty(store));
	ck_assert_str_eq(person_asks(person, "SELECT (SELECT count(*) FROM job) + (SELECT count(*) FROM trial)"), "6");
	sqlite3_close(person);
}
END_TEST

START_TEST(reading_opens_no_transaction)
{
	struct job_row r;
	ck_fails(ERR_NOT_FOUND, job_load(store, 1, &r, &e));
	ck_assert(!store_dirty(store));
	ck_ok(store_commit(store, &e));
}
END_TEST

START_TEST(a_second_daemon_is_refused_with_the_folder_named)
{
	struct store *other;
	ck_fails(ERR_CONFLICT, store_open(directory, &other, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, directory));
	a_job("unharmed");
	ck_ok(store_commit(store, &e));
}
END_TEST

START_TEST(another_process_is_refused_too)
{
	pid_t child = fork();
	if (!child) {
		struct store *other;
		_exit(store_open(directory, &other, &e) == ERR_CONFLICT ? 0 : 1);
	}
	int status;
	waitpid(child, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

static void set_version(const char *pragma)
{
	store_close(store);
	store = NULL;
	ask(pragma);
}

START_TEST(a_newer_schema_is_refused_and_left_alone)
{
	a_job("from the future");
	ck_ok(store_commit(store, &e));
	set_version("PRAGMA user_version = 4");
	ck_fails(ERR_CONFLICT, store_open(directory, &store, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "has schema 4"));
	ck_assert_str_eq(ask("PRAGMA user_version"), "4");
	ck_assert_str_eq(ask("SELECT name FROM job"), "from the future");
	store = NULL;
}
END_TEST

/* As it was before there were rungs. */
START_TEST(a_database_of_schema_1_gets_parents_and_keeps_its_trials)
{
	static const char back[] =
		"DROP VIEW trial_summary; DROP INDEX trial_best; ALTER TABLE trial DROP COLUMN parent;"
		"ALTER TABLE job DROP COLUMN plan; ALTER TABLE job DROP COLUMN ended;"
		"ALTER TABLE job DROP COLUMN searched;"
		"CREATE VIEW trial_summary AS SELECT number AS trial FROM trial;"
		"CREATE INDEX trial_best ON trial(job, accuracy) WHERE state = 'complete' AND number > 0;"
		"PRAGMA user_version = 1";
	double best;
	insert_trials(a_job("old"), 3);
	ck_ok(store_commit(store, &e));
	store_close(store);
	sqlite3 *person = person_open();
	ck_assert_int_eq(sqlite3_exec(person, back, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(person);
	ck_ok(store_open(directory, &store, &e));
	ck_assert_str_eq(ask("PRAGMA user_version"), "3");
	ck_assert_str_eq(ask("SELECT count(*) FROM trial_summary WHERE parent IS NULL"), "3");
	ck_ok(trial_best_accuracy(store, 1, &best, &e));
	ck_assert_double_eq(best, 0.899);
}
END_TEST

START_TEST(a_database_of_schema_2_has_searches_that_have_not_ended)
{
	struct job_row r;
	a_job("old");
	ck_ok(store_commit(store, &e));
	store_close(store);
	sqlite3 *person = person_open();
	ck_assert_int_eq(sqlite3_exec(person, "ALTER TABLE job DROP COLUMN ended; ALTER TABLE job DROP COLUMN searched;"
		"PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(person);
	ck_ok(store_open(directory, &store, &e));
	ck_assert_str_eq(ask("PRAGMA user_version"), "3");
	ck_ok(job_load(store, 1, &r, &e));
	ck_assert_int_eq(r.ended, JOB_NOT_ENDED);
	ck_assert_int_eq(r.searched, 0);
	job_row_fini(&r);
}
END_TEST

START_TEST(a_migration_that_fails_changes_nothing)
{
	set_version("PRAGMA user_version = 0"); /* the step now meets tables that exist already */
	ck_fails(ERR_INTERNAL, store_open(directory, &store, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "schema step 1"));
	ck_assert_str_eq(ask("PRAGMA user_version"), "0");
	store = NULL;
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
	char path[300];
	store_close(store);
	store = NULL;
	snprintf(path, sizeof path, "%s/pared.db", directory);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 100; i++)
		fputs("this was never a database at all\n", f);
	fclose(f);
	ck_fails(ERR_IO, store_open(directory, &store, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, path));
	store = NULL;
}
END_TEST

START_TEST(a_reader_sees_its_snapshot_and_never_stops_a_write)
{
	sqlite3 *person = person_open();
	a_job("before");
	ck_ok(store_commit(store, &e));
	person_asks(person, "BEGIN");
	ck_assert_str_eq(person_asks(person, "SELECT count(*) FROM job"), "1");
	a_job("during");
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(person_asks(person, "SELECT count(*) FROM job"), "1");
	person_asks(person, "COMMIT");
	ck_assert_str_eq(person_asks(person, "SELECT count(*) FROM job"), "2");
	sqlite3_close(person);
}
END_TEST

START_TEST(a_person_can_read_while_a_write_is_open)
{
	a_job("committed");
	ck_ok(store_commit(store, &e));
	a_job("not yet");
	ck_assert_str_eq(ask("SELECT group_concat(name) FROM job"), "committed");
	ck_ok(store_commit(store, &e));
}
END_TEST

START_TEST(a_write_lock_held_outside_is_unavailable_with_nothing_lost)
{
	sqlite3 *person = person_open();
	int64_t id;
	a_job("before");
	ck_ok(store_commit(store, &e));
	person_asks(person, "BEGIN IMMEDIATE");
	ck_fails(ERR_UNAVAILABLE, job_insert(store, "refused", "{}", 1, NULL, 1, &id, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "locked"));
	ck_assert(!store_dirty(store));
	person_asks(person, "ROLLBACK");
	a_job("after");
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(person_asks(person, "SELECT group_concat(name) FROM job"), "before,after");
	sqlite3_close(person);
}
END_TEST

START_TEST(a_short_outside_lock_is_waited_out)
{
	int ready[2];
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (!child) {
		sqlite3 *person = person_open();
		person_asks(person, "BEGIN IMMEDIATE");
		(void)!write(ready[1], "x", 1);
		usleep(200000);
		person_asks(person, "COMMIT");
		sqlite3_close(person);
		_exit(0);
	}
	char x;
	ck_assert_int_eq(read(ready[0], &x, 1), 1);
	a_job("patient");
	ck_ok(store_commit(store, &e));
	waitpid(child, NULL, 0);
	ck_assert_str_eq(ask("SELECT name FROM job"), "patient");
}
END_TEST

Suite *suite_store(void)
{
	Suite *s = suite_create("store");
	TCase *c = scene_case(s, "open");
	tcase_add_test(c, an_empty_folder_becomes_the_newest_schema);
	tcase_add_test(c, every_table_is_strict);
	tcase_add_test(c, every_commit_is_synced_and_every_reference_checked);
	tcase_add_test(c, opening_makes_missing_folders);
	tcase_add_test(c, a_file_in_the_place_of_the_folder_is_refused_and_named);
	tcase_add_test(c, a_second_daemon_is_refused_with_the_folder_named);
	tcase_add_test(c, another_process_is_refused_too);
	tcase_add_test(c, a_newer_schema_is_refused_and_left_alone);
	tcase_add_test(c, a_database_of_schema_1_gets_parents_and_keeps_its_trials);
	tcase_add_test(c, a_database_of_schema_2_has_searches_that_have_not_ended);
	tcase_add_test(c, a_migration_that_fails_changes_nothing);
	tcase_add_test(c, a_file_that_is_no_database_is_refused);
	c = scene_case(s, "commit");
	tcase_add_test(c, what_is_committed_survives_a_close);
	tcase_add_test(c, what_is_not_committed_is_gone_after_a_close);
	tcase_add_test(c, rollback_drops_everything_since_the_last_commit);
	tcase_add_test(c, writes_of_one_turn_become_visible_together);
	tcase_add_test(c, reading_opens_no_transaction);
	c = scene_case(s, "others");
	tcase_add_test(c, a_reader_sees_its_snapshot_and_never_stops_a_write);
	tcase_add_test(c, a_person_can_read_while_a_write_is_open);
	tcase_add_test(c, a_write_lock_held_outside_is_unavailable_with_nothing_lost);
	tcase_add_test(c, a_short_outside_lock_is_waited_out);
	return s;
}

/* memory.c -- tests of what the store does when SQLite gets no memory.
 * SPDX-License-Identifier: MIT
 *
 * SQLite's allocator is wrapped by one that refuses the n-th request; n is swept until a whole round passes. */
#include <stdio.h>
#include <string.h>

#include "store/statement.h"
#include "tests/store/scene.h"

static sqlite3_mem_methods plain;
static int left = -1; /* requests until one is refused; -1: none is */

static bool refused(void)
{
	if (left < 0)
		return false;
	return left-- == 0;
}

static void *failing_malloc(int n)
{
	return refused() ? NULL : plain.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
	return refused() ? NULL : plain.xRealloc(p, n);
}

/* The allocator can only be changed while SQLite is not running. */
static void wrap_allocator(void)
{
	sqlite3_mem_methods failing;
	store_close(store);
	store = NULL;
	sqlite3_shutdown();
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0), SQLITE_OK);
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plain), SQLITE_OK);
	failing = plain;
	failing.xMalloc = failing_malloc;
	failing.xRealloc = failing_realloc;
	ck_assert_int_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
}

START_TEST(opening_without_memory_fails_cleanly_at_every_step)
{
	enum err err = ERR_MEMORY;
	int steps = 0;
	wrap_allocator();
	for (; err; steps++) {
		left = steps;
		err = store_open(directory, &store, &e);
		left = -1;
		ck_assert_msg(!err || err == ERR_MEMORY || err == ERR_IO, "step %d: %s", steps, e.msg);
	}
	ck_assert_int_gt(steps, 20);
	a_job("works");
	ck_ok(store_commit(store, &e));
}
END_TEST

/* Two writes in one transaction; on any failure it is ended as the daemon would. */
static enum err write_pair(int64_t job, int64_t number)
{
	struct trial_row r = a_trial(job, number);
	enum err err = trial_insert(store, &r, &e);
	if (!err)
		err = trial_set_pareto(store, job, number, true, &e);
	if (!err)
		err = store_commit(store, &e);
	store_rollback(store);
	return err;
}

START_TEST(writing_without_memory_is_all_or_nothing_at_every_step)
{
	enum err err = ERR_MEMORY;
	int steps = 0;
	wrap_allocator();
	ck_ok(store_open(directory, &store, &e));
	int64_t job = a_job("swept");
	ck_ok(store_commit(store, &e));
	for (; err; steps++) {
		scene_reopen(); /* statements are prepared again, so that this is swept too */
		left = steps;
		err = write_pair(job, 1);
		left = -1;
		ck_assert_msg(!err || err == ERR_MEMORY || err == ERR_IO, "step %d: %s", steps, e.msg);
		ck_assert(!store_dirty(store));
		ck_assert_str_eq(ask("SELECT count(*) || ' ' || total(pareto) FROM trial"), err ? "0 0.0" : "1 1.0");
	}
	ck_assert_int_gt(steps, 20);
}
END_TEST

START_TEST(reading_without_memory_says_so_at_every_step)
{
	enum err err = ERR_MEMORY;
	int steps = 0;
	wrap_allocator();
	ck_ok(store_open(directory, &store, &e));
	int64_t job = a_job("read");
	insert_trials(job, 2);
	ck_ok(store_commit(store, &e));
	for (; err; steps++) {
		struct trial_row r;
		scene_reopen();
		left = steps;
		err = trial_load(store, job, 1, &r, &e);
		left = -1;
		ck_assert_msg(!err || err == ERR_MEMORY || err == ERR_IO, "step %d: %s", steps, e.msg);
		if (!err)
			trial_row_fini(&r);
	}
	ck_assert_int_gt(steps, 5);
}
END_TEST

Suite *suite_memory(void)
{
	Suite *s = suite_create("memory");
	TCase *c = scene_case(s, "memory");
	tcase_add_test(c, opening_without_memory_fails_cleanly_at_every_step);
	tcase_add_test(c, writing_without_memory_is_all_or_nothing_at_every_step);
	tcase_add_test(c, reading_without_memory_says_so_at_every_step);
	return s;
}

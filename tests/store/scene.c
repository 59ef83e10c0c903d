/* scene.c -- what the store's tests stand on.
 * SPDX-License-Identifier: MIT */
#include "tests/store/scene.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct store *store;
char directory[256];
struct errinfo e;

void scene_set(void)
{
	const char *out = getenv("OUT");
	snprintf(directory, sizeof directory, "%s%s/store-XXXXXX", out ? out : "/tmp", out ? "/tests" : "");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_ok(store_open(directory, &store, &e));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

void scene_strike(void)
{
	store_close(store);
	store = NULL;
	nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void scene_reopen(void)
{
	store_close(store);
	store = NULL;
	ck_ok(store_open(directory, &store, &e));
}

TCase *scene_case(Suite *s, const char *name)
{
	TCase *c = tcase_create(name);
	tcase_add_checked_fixture(c, scene_set, scene_strike);
	tcase_set_timeout(c, 60);
	suite_add_tcase(s, c);
	return c;
}

sqlite3 *person_open(void)
{
	char path[300];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/pared.db", directory);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

const char *person_asks(sqlite3 *db, const char *sql)
{
	static char text[4096];
	sqlite3_stmt *st;
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
	int rc = sqlite3_step(st);
	ck_assert_msg(rc == SQLITE_ROW || rc == SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(db));
	const char *column = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
	snprintf(text, sizeof text, "%s", column ? column : "NULL");
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? text : NULL;
}

const char *ask(const char *sql)
{
	sqlite3 *db = person_open();
	const char *text = person_asks(db, sql);
	sqlite3_close(db);
	return text;
}

int64_t a_job(const char *name)
{
	int64_t id;
	ck_ok(job_insert(store, name, "{}", 60, NULL, 1000, &id, &e));
	return id;
}

struct trial_row a_trial(int64_t job, int64_t number)
{
	struct trial_row r;
	trial_row_init(&r);
	r.job = job;
	r.number = number;
	r.state = TRIAL_COMPLETE;
	r.attempts = 1;
	r.metrics.accuracy = 0.9 - 0.001 * (double)number;
	r.metrics.loss = 0.2 + 0.001 * (double)number;
	r.metrics.params = 1000 - 10 * (double)number;
	r.metrics.macs = 8000 - 100 * (double)number;
	r.metrics.bytes = 4000 - 40 * (double)number;
	r.metrics.memory = 600;
	r.created = 1000 + number;
	return r;
}

void insert_trials(int64_t job, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		struct trial_row r = a_trial(job, i);
		ck_ok(trial_insert(store, &r, &e));
	}
}

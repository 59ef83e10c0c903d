/* scene.h -- what the store's tests stand on: a folder of their own, the store in it, and a person with sqlite3.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_STORE_SCENE_H
#define TESTS_STORE_SCENE_H

#include <check.h>
#include <sqlite3.h>

#include "base/err.h"
#include "store/job.h"
#include "store/lease.h"
#include "store/store.h"
#include "store/trial.h"

extern struct store *store;
extern char directory[256];
extern struct errinfo e;

#define ck_ok(call) ck_assert_msg((call) == ERR_OK, "%s: %s", #call, e.msg)
#define ck_fails(code_, call) \
	do { \
		enum err got_ = (call); \
		ck_assert_msg(got_ == (code_), "%s: %s (%s), expected %s", #call, err_name(got_), got_ ? e.msg : "", \
			err_name(code_)); \
		ck_assert_int_eq(e.code, (code_)); \
	} while (0)

void scene_set(void); /* an empty folder with an open store */
void scene_strike(void); /* closes and removes both */
void scene_reopen(void);

/* A case of the suite whose tests run in a scene. */
TCase *scene_case(Suite *s, const char *name);

/* Another connection to the same database, as sqlite3(1) would have. */
sqlite3 *person_open(void);
/* Runs sql there and returns the first column of the first row; NULL: no row. The text lives until the next call. */
const char *person_asks(sqlite3 *db, const char *sql);
/* The same on a connection of its own. */
const char *ask(const char *sql);

int64_t a_job(const char *name);
/* A complete trial with metrics that follow from its number. */
struct trial_row a_trial(int64_t job, int64_t number);
void insert_trials(int64_t job, int64_t n);

Suite *suite_store(void);
Suite *suite_job(void);
Suite *suite_trial(void);
Suite *suite_lease(void);
Suite *suite_view(void);
Suite *suite_blob(void);
Suite *suite_crash(void);
Suite *suite_memory(void);

#endif

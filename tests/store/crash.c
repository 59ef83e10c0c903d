/* crash.c -- tests of what a killed process and a full disk leave behind.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "store/blob.h"
#include "store/statement.h"
#include "tests/store/scene.h"

enum { KILLS = 20, GROUP = 3 };

/* Commits groups of trials for ever and says so after each: the byte stands for an acknowledgement. */
static void write_until_killed(int64_t job, int64_t from, int say)
{
	if (store_open(directory, &store, &e))
		_exit(1);
	for (int64_t group = from;; group++) {
		for (int64_t i = 0; i < GROUP; i++) {
			struct trial_row r = a_trial(job, group * GROUP + i);
			if (trial_insert(store, &r, &e))
				_exit(2);
		}
		if (store_commit(store, &e) || write(say, "k", 1) != 1)
			_exit(3);
	}
}

/* Groups acknowledged by a writer that lives for so long after its first one. */
static int64_t run_and_kill(int64_t job, int64_t from, useconds_t life)
{
	int said[2], status;
	char byte;
	int64_t acknowledged = 0;
	ck_assert_int_eq(pipe(said), 0);
	pid_t child = fork();
	if (!child)
		write_until_killed(job, from, said[1]);
	close(said[1]);
	ck_assert_int_eq(read(said[0], &byte, 1), 1);
	acknowledged = 1;
	usleep(life);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
	ck_assert(WIFSIGNALED(status));
	while (read(said[0], &byte, 1) == 1)
		acknowledged++;
	close(said[0]);
	return acknowledged;
}

START_TEST(a_killed_writer_loses_nothing_acknowledged_and_leaves_no_half_group)
{
	struct rng rng;
	int64_t job = a_job("killed"), groups = 0, counts[TRIAL_STATE_COUNT];
	ck_ok(store_commit(store, &e));
	rng_init(&rng, 1, 0);
	for (int i = 0; i < KILLS; i++) {
		store_close(store);
		store = NULL;
		int64_t acknowledged = run_and_kill(job, groups, (useconds_t)rng_below(&rng, 20000));
		ck_ok(store_open(directory, &store, &e));
		ck_ok(trial_count(store, job, counts, &e));
		int64_t rows = counts[TRIAL_COMPLETE];
		ck_assert_int_eq(rows % GROUP, 0);
		/* One commit may have been cut off between the disk and its acknowledgement. */
		ck_assert_int_ge(rows / GROUP, groups + acknowledged);
		ck_assert_int_le(rows / GROUP, groups + acknowledged + 1);
		groups = rows / GROUP;
		ck_assert_str_eq(ask("PRAGMA integrity_check"), "ok");
	}
}
END_TEST

static void limit_files(rlim_t bytes)
{
	struct rlimit r;
	getrlimit(RLIMIT_FSIZE, &r);
	r.rlim_cur = bytes;
	setrlimit(RLIMIT_FSIZE, &r);
}

/* Writes jobs until one fails; whether the failure was of the disk. Each commit holds two. */
static bool fill(int64_t *ret_committed)
{
	static char spec[8000];
	memset(spec, 'x', sizeof spec - 1);
	for (int64_t committed = 0;; committed += 2) {
		int64_t id;
		enum err err = job_insert(store, "filler", spec, 1, NULL, 1, &id, &e);
		if (!err)
			err = job_insert(store, "filler", spec, 1, NULL, 1, &id, &e);
		enum err end = store_commit(store, &e);
		if (!err && !end)
			continue;
		*ret_committed = committed;
		return (!err || err == ERR_IO) && (end == ERR_IO || (err && !end));
	}
}

/* A full disk, played by a limit on the size of files; Check runs each test in a process of its own. */
START_TEST(a_full_disk_fails_the_write_and_keeps_what_was_acknowledged)
{
	char count[32];
	int64_t committed;
	signal(SIGXFSZ, SIG_IGN);
	limit_files(400000);
	ck_assert(fill(&committed));
	ck_assert_int_gt(committed, 0);
	ck_assert(!store_dirty(store));
	limit_files(RLIM_INFINITY);
	a_job("room again");
	ck_ok(store_commit(store, &e));
	scene_reopen();
	snprintf(count, sizeof count, "%d", (int)committed);
	ck_assert_str_eq(ask("SELECT count(*) FROM job WHERE name = 'filler'"), count);
	ck_assert_str_eq(ask("SELECT count(*) FROM job WHERE name = 'room again'"), "1");
	ck_assert_str_eq(ask("PRAGMA integrity_check"), "ok");
}
END_TEST

/* The cache is made tiny so that SQLite has to spill, and to fail, in the middle of a transaction. */
START_TEST(a_transaction_that_sqlite_gave_up_refuses_writes_until_it_is_ended)
{
	static char spec[8000];
	int64_t id;
	enum err err = ERR_OK;
	memset(spec, 'x', sizeof spec - 1);
	a_job("kept");
	ck_ok(store_commit(store, &e));
	ck_assert_int_eq(sqlite3_exec(store->db, "PRAGMA cache_size = 5", NULL, NULL, NULL), SQLITE_OK);
	signal(SIGXFSZ, SIG_IGN);
	limit_files(300000);
	for (int i = 0; !err && i < 200; i++)
		err = job_insert(store, "lost", spec, 1, NULL, 1, &id, &e);
	ck_assert_int_eq(err, ERR_IO);
	limit_files(RLIM_INFINITY);
	ck_fails(ERR_IO, job_insert(store, "lost", "{}", 1, NULL, 1, &id, &e));
	ck_fails(ERR_IO, store_commit(store, &e));
	a_job("after");
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT group_concat(name) FROM job"), "kept,after");
}
END_TEST

START_TEST(a_full_disk_keeps_no_part_of_a_blob)
{
	static char data[100000];
	struct blob_writer *w;
	bool is_new;
	const char *digest = "cee41e98d0a6ad65cc0ec77a2ba50bf26d64dc9007f7f1c7d7df68b8b71291a6";
	signal(SIGXFSZ, SIG_IGN);
	ck_ok(blob_begin(store, digest, sizeof data, &w, &e));
	limit_files(50000);
	ck_fails(ERR_IO, blob_write(w, data, sizeof data, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, strerror(EFBIG)));
	limit_files(RLIM_INFINITY);
	ck_fails(ERR_IO, blob_finish(w, 1, &is_new, &e));
	ck_assert_str_eq(ask("SELECT count(*) FROM blob"), "0");
}
END_TEST

Suite *suite_crash(void)
{
	Suite *s = suite_create("crash");
	TCase *c = scene_case(s, "crash");
	tcase_add_test(c, a_killed_writer_loses_nothing_acknowledged_and_leaves_no_half_group);
	tcase_add_test(c, a_full_disk_fails_the_write_and_keeps_what_was_acknowledged);
	tcase_add_test(c, a_transaction_that_sqlite_gave_up_refuses_writes_until_it_is_ended);
	tcase_add_test(c, a_full_disk_keeps_no_part_of_a_blob);
	return s;
}

/* job.c -- tests of the rows of jobs.
 * SPDX-License-Identifier: MIT */
#include "store/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/store/scene.h"

START_TEST(a_new_job_is_queued_and_otherwise_empty)
{
	struct job_row r;
	int64_t id;
	ck_ok(job_insert(store, "fashion", "{\"seed\": 1}", 60, "[60,20]", 1763769600000, &id, &e));
	ck_assert_int_gt(id, 0);
	ck_ok(job_load(store, id, &r, &e));
	ck_assert_int_eq(r.id, id);
	ck_assert_int_eq(r.state, JOB_QUEUED);
	ck_assert_str_eq(r.name, "fashion");
	ck_assert_str_eq(r.spec, "{\"seed\": 1}");
	ck_assert_ptr_null(r.inventory);
	ck_assert_ptr_null(r.reason);
	ck_assert_int_eq(r.budget, 60);
	ck_assert_str_eq(r.plan, "[60,20]");
	ck_assert_int_eq(r.created, 1763769600000);
	ck_assert_int_eq(r.started, 0);
	ck_assert_int_eq(r.finished, 0);
	ck_assert_int_eq(r.ended, JOB_NOT_ENDED);
	ck_assert_int_eq(r.searched, 0);
	ck_assert(isnan(r.hypervolume));
	job_row_fini(&r);
}
END_TEST

START_TEST(every_column_that_changes_comes_back)
{
	struct job_row r;
	int64_t id = a_job("name");
	ck_ok(job_load(store, id, &r, &e));
	r.state = JOB_PAUSED;
	r.resume = JOB_SEARCHING;
	r.reason = strdup("the reason, \xc3\xbc and 'quotes'");
	r.inventory = strdup("{\"groups\": []}");
	r.started = 1763769600001;
	r.finished = 1763769600002;
	r.hypervolume = 0.7123456789012345;
	r.ended = JOB_ENDED_STALL;
	r.searched = 12345678901;
	ck_ok(job_update(store, &r, &e));
	ck_ok(store_commit(store, &e));
	scene_reopen();
	struct job_row back;
	ck_ok(job_load(store, id, &back, &e));
	ck_assert_int_eq(back.state, JOB_PAUSED);
	ck_assert_int_eq(back.resume, JOB_SEARCHING);
	ck_assert_str_eq(back.reason, r.reason);
	ck_assert_str_eq(back.inventory, r.inventory);
	ck_assert_int_eq(back.started, r.started);
	ck_assert_int_eq(back.finished, r.finished);
	ck_assert(back.hypervolume == r.hypervolume);
	ck_assert_int_eq(back.ended, JOB_ENDED_STALL);
	ck_assert_int_eq(back.searched, 12345678901);
	job_row_fini(&r);
	job_row_fini(&back);
}
END_TEST

START_TEST(every_state_is_stored_as_its_word)
{
	struct job_row r;
	int64_t id = a_job("name");
	ck_ok(job_load(store, id, &r, &e));
	r.state = (enum job_state)_i;
	ck_ok(job_update(store, &r, &e));
	job_row_fini(&r);
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT state FROM job"), job_state_name((enum job_state)_i));
	ck_ok(job_load(store, id, &r, &e));
	ck_assert_int_eq(r.state, _i);
	job_row_fini(&r);
}
END_TEST

START_TEST(every_end_is_stored_as_its_word)
{
	struct job_row r;
	int64_t id = a_job("name");
	ck_ok(job_load(store, id, &r, &e));
	r.ended = (enum job_ended)_i;
	ck_ok(job_update(store, &r, &e));
	job_row_fini(&r);
	ck_ok(store_commit(store, &e));
	ck_assert_str_eq(ask("SELECT ended FROM job"), job_ended_name((enum job_ended)_i));
	ck_ok(job_load(store, id, &r, &e));
	ck_assert_int_eq(r.ended, _i);
	job_row_fini(&r);
}
END_TEST

START_TEST(an_absent_job_is_not_found)
{
	struct job_row r = { .id = 42, .hypervolume = NAN };
	ck_fails(ERR_NOT_FOUND, job_load(store, 42, &r, &e));
	ck_assert_str_eq(e.msg, "there is no job 42");
	ck_fails(ERR_NOT_FOUND, job_update(store, &r, &e));
}
END_TEST

START_TEST(ids_are_not_used_twice)
{
	int64_t first = a_job("first");
	ck_ok(store_commit(store, &e));
	ask("DELETE FROM job");
	scene_reopen();
	ck_assert_int_gt(a_job("second"), first);
}
END_TEST

struct seen {
	char names[100];
	int stop_after;
};

static enum err see(const struct job_row *r, void *arg, struct errinfo *info)
{
	struct seen *seen = arg;
	strcat(seen->names, r->name);
	if (--seen->stop_after == 0)
		return err_set(info, ERR_LIMIT, "enough");
	return ERR_OK;
}

static void set_state(int64_t id, enum job_state state)
{
	struct job_row r;
	ck_ok(job_load(store, id, &r, &e));
	r.state = state;
	ck_ok(job_update(store, &r, &e));
	job_row_fini(&r);
}

START_TEST(all_jobs_come_newest_first_and_live_ones_oldest_first)
{
	static const char *const names[] = { "a", "b", "c", "d", "e" };
	int64_t id[5];
	for (int i = 0; i < 5; i++)
		id[i] = a_job(names[i]);
	set_state(id[0], JOB_PAUSED);
	set_state(id[1], JOB_DONE);
	set_state(id[2], JOB_FINISHING);
	set_state(id[3], JOB_FAILED);
	set_state(id[4], JOB_CANCELLED);
	struct seen all = { .names = "" }, live = { .names = "" };
	ck_ok(job_each(store, false, see, &all, &e));
	ck_ok(job_each(store, true, see, &live, &e));
	ck_assert_str_eq(all.names, "edcba");
	ck_assert_str_eq(live.names, "ac");
}
END_TEST

START_TEST(a_callbacks_error_ends_the_walk)
{
	a_job("a");
	a_job("b");
	a_job("c");
	struct seen seen = { .stop_after = 2 };
	ck_fails(ERR_LIMIT, job_each(store, false, see, &seen, &e));
	ck_assert_str_eq(seen.names, "cb");
	ck_assert_str_eq(e.msg, "enough");
}
END_TEST

static enum err walk_again(const struct job_row *r, void *arg, struct errinfo *info)
{
	(void)r;
	return job_each(store, false, see, arg, info);
}

START_TEST(a_walk_inside_a_walk_is_fine)
{
	a_job("a");
	a_job("b");
	struct seen seen = { .names = "" };
	ck_ok(job_each(store, false, walk_again, &seen, &e));
	ck_assert_str_eq(seen.names, "baba");
}
END_TEST

Suite *suite_job(void)
{
	Suite *s = suite_create("job");
	TCase *c = scene_case(s, "job");
	tcase_add_test(c, a_new_job_is_queued_and_otherwise_empty);
	tcase_add_test(c, every_column_that_changes_comes_back);
	tcase_add_loop_test(c, every_state_is_stored_as_its_word, 0, JOB_PAUSED + 1);
	tcase_add_loop_test(c, every_end_is_stored_as_its_word, 1, 6);
	tcase_add_test(c, an_absent_job_is_not_found);
	tcase_add_test(c, ids_are_not_used_twice);
	tcase_add_test(c, all_jobs_come_newest_first_and_live_ones_oldest_first);
	tcase_add_test(c, a_callbacks_error_ends_the_walk);
	tcase_add_test(c, a_walk_inside_a_walk_is_fine);
	return s;
}

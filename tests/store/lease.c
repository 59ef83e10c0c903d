/* lease.c -- tests of the rows of leases.
 * SPDX-License-Identifier: MIT */
#include "store/lease.h"

#include <stdio.h>
#include <string.h>

#include "tests/store/scene.h"

static int64_t grant(int64_t job, int64_t number)
{
	struct lease_row r = { .job = job, .number = number, .kind = LEASE_CANDIDATE, .worker = "local-1" };
	int64_t id;
	ck_ok(lease_insert(store, &r, &id, &e));
	return id;
}

static int64_t a_job_with_trials(void)
{
	int64_t job = a_job("leased");
	insert_trials(job, 4);
	return job;
}

START_TEST(every_column_comes_back)
{
	int64_t job = a_job_with_trials(), id;
	struct lease_row r = { .job = job,
		.number = 3,
		.kind = (enum lease_kind)_i,
		.exclusive = _i == 1,
		.supervised = _i == 2,
		.worker = "gpu-7",
		.granted = 1763769600000,
		.expires = 1763769620000 };
	ck_ok(lease_insert(store, &r, &id, &e));
	ck_ok(store_commit(store, &e));
	scene_reopen();
	struct lease_row back;
	ck_ok(lease_load(store, id, &back, &e));
	ck_assert_int_eq(back.id, id);
	ck_assert_int_eq(back.job, job);
	ck_assert_int_eq(back.number, 3);
	ck_assert_int_eq(back.kind, _i);
	ck_assert_int_eq(back.exclusive, _i == 1);
	ck_assert_int_eq(back.supervised, _i == 2);
	ck_assert_str_eq(back.worker, "gpu-7");
	ck_assert_int_eq(back.granted, r.granted);
	ck_assert_int_eq(back.expires, r.expires);
	lease_row_fini(&back);
	ck_assert_str_eq(ask("SELECT kind FROM lease"), lease_kind_name((enum lease_kind)_i));
}
END_TEST

START_TEST(a_lease_of_no_trial_is_refused)
{
	struct lease_row r = { .job = a_job("empty"), .number = 1, .worker = "w" };
	int64_t id;
	ck_fails(ERR_NOT_FOUND, lease_insert(store, &r, &id, &e));
}
END_TEST

START_TEST(extending_moves_the_end)
{
	struct lease_row r;
	int64_t id = grant(a_job_with_trials(), 1);
	ck_ok(lease_extend(store, id, 99000, &e));
	ck_ok(lease_load(store, id, &r, &e));
	ck_assert_int_eq(r.expires, 99000);
	lease_row_fini(&r);
}
END_TEST

START_TEST(a_lease_that_ended_is_gone_and_one_that_never_was_is_not_found)
{
	struct lease_row r;
	int64_t job = a_job_with_trials();
	int64_t first = grant(job, 1), second = grant(job, 2);
	ck_ok(lease_end(store, first, &e));
	ck_ok(store_commit(store, &e));
	scene_reopen();
	ck_fails(ERR_GONE, lease_load(store, first, &r, &e));
	ck_fails(ERR_GONE, lease_extend(store, first, 1, &e));
	ck_fails(ERR_GONE, lease_end(store, first, &e));
	ck_fails(ERR_NOT_FOUND, lease_load(store, second + 1, &r, &e));
	ck_fails(ERR_NOT_FOUND, lease_load(store, 0, &r, &e));
	ck_fails(ERR_NOT_FOUND, lease_load(store, -1, &r, &e));
	ck_ok(lease_load(store, second, &r, &e));
	lease_row_fini(&r);
}
END_TEST

START_TEST(an_unknown_lease_is_not_found_before_any_was_given)
{
	struct lease_row r;
	ck_fails(ERR_NOT_FOUND, lease_load(store, 1, &r, &e));
	ck_fails(ERR_NOT_FOUND, lease_end(store, 1, &e));
}
END_TEST

START_TEST(ids_grow_after_all_ended_and_a_restart)
{
	int64_t job = a_job_with_trials();
	int64_t last = grant(job, 1);
	ck_ok(lease_end(store, last, &e));
	ck_ok(store_commit(store, &e));
	scene_reopen();
	ck_assert_int_gt(grant(job, 1), last);
}
END_TEST

static enum err see(const struct lease_row *r, void *arg, struct errinfo *info)
{
	char *text = arg;
	(void)info;
	sprintf(text + strlen(text), "%d.%d ", (int)r->job, (int)r->number);
	return ERR_OK;
}

START_TEST(live_leases_come_oldest_first_of_one_job_or_of_all)
{
	int64_t a = a_job_with_trials(), b = a_job_with_trials(), count;
	grant(b, 3);
	grant(a, 1);
	int64_t ended = grant(a, 2);
	grant(b, 0);
	ck_ok(lease_end(store, ended, &e));
	char all[64] = "", of_b[64] = "", of_none[64] = "";
	ck_ok(lease_each(store, 0, see, all, &e));
	ck_ok(lease_each(store, b, see, of_b, &e));
	ck_ok(lease_each(store, 99, see, of_none, &e));
	ck_assert_str_eq(all, "2.3 1.1 2.0 ");
	ck_assert_str_eq(of_b, "2.3 2.0 ");
	ck_assert_str_eq(of_none, "");
	ck_ok(lease_count(store, &count, &e));
	ck_assert_int_eq(count, 3);
}
END_TEST

static enum err end_it(const struct lease_row *r, void *arg, struct errinfo *info)
{
	(void)arg;
	return lease_end(store, r->id, info);
}

START_TEST(leases_may_be_ended_while_walking)
{
	int64_t job = a_job_with_trials(), count;
	for (int i = 0; i < 4; i++)
		grant(job, i);
	ck_ok(lease_each(store, job, end_it, NULL, &e));
	ck_ok(lease_count(store, &count, &e));
	ck_assert_int_eq(count, 0);
}
END_TEST

Suite *suite_lease(void)
{
	Suite *s = suite_create("lease");
	TCase *c = scene_case(s, "lease");
	tcase_add_loop_test(c, every_column_comes_back, LEASE_BASELINE, LEASE_TEST + 1);
	tcase_add_test(c, a_lease_of_no_trial_is_refused);
	tcase_add_test(c, extending_moves_the_end);
	tcase_add_test(c, a_lease_that_ended_is_gone_and_one_that_never_was_is_not_found);
	tcase_add_test(c, an_unknown_lease_is_not_found_before_any_was_given);
	tcase_add_test(c, ids_grow_after_all_ended_and_a_restart);
	tcase_add_test(c, live_leases_come_oldest_first_of_one_job_or_of_all);
	tcase_add_test(c, leases_may_be_ended_while_walking);
	return s;
}

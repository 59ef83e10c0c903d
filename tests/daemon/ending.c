/* ending.c -- how a search ends: by its trials, its time, a stall, somebody's word; and that a crash forgets none.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/job.h"
#include "tests/daemon/play.h"

#define RANDOM "\"strategy\": {\"name\": \"random\"}, "
#define MANUAL "\"strategy\": {\"name\": \"manual\"}, "

static struct scene scene;

static void open_scene(void)
{
	scene = (struct scene){ 0 };
	scene_open(&scene);
}

static void close_scene(void)
{
	scene_close(&scene);
}

static void work(int workers, int most)
{
	struct play p = { .scene = &scene, .workers = workers, .order = 3 };
	play_run(&p, most);
	play_drop(&p);
}

static void crash(void)
{
	scene_kill(&scene);
	scene_start(&scene);
}

static void finish(void)
{
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/finish", "{}"));
}

/* Of job 1. */
static const char *told(const char *path)
{
	cJSON *job = scene_get(&scene, "/v1/jobs/1");
	const char *text = scene_text(job, path);
	cJSON_Delete(job);
	return text;
}

static int trials(void)
{
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	int n = cJSON_GetArraySize(cJSON_GetObjectItem(doc, "trials"));
	cJSON_Delete(doc);
	return n;
}

START_TEST(a_search_that_makes_all_its_trials_says_so)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 5},");
	ck_assert_str_eq(told("ended"), "null");
	work(1, 2);
	ck_assert_str_eq(told("ended"), "trials"); /* the window is larger than what is left */
	ck_assert_str_eq(told("state"), "searching");
	work(1, 0);
	ck_assert_str_eq(told("state"), "done");
	ck_assert_str_eq(told("ended"), "trials");
}
END_TEST

START_TEST(finish_proposes_no_more_and_completes_what_is_under_way)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 1000}, \"window\": 3,");
	work(1, 6);
	ck_assert_str_eq(told("ended"), "null");
	int before = trials();
	finish();
	ck_assert_str_eq(told("ended"), "finish");
	ck_assert_str_eq(told("state"), "searching");
	finish(); /* again is fine */
	work(2, 0);
	ck_assert_str_eq(told("state"), "done");
	ck_assert_int_eq(trials(), before);
	ck_assert_str_eq(told("trials.cancelled"), "0");
	ck_assert_str_ne(told("pareto"), "0");
	scene_refused(&scene, ERR_CONFLICT, "job 1: is done, you can't finish it", "/v1/jobs/1/finish", "{}");
	scene_refused(&scene, ERR_NOT_FOUND, "no job 9", "/v1/jobs/9/finish", "{}");
}
END_TEST

START_TEST(finish_survives_a_crash)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 1000}, \"window\": 3,");
	work(1, 6);
	finish();
	int before = trials();
	crash();
	ck_assert_str_eq(told("ended"), "finish");
	work(1, 1);
	crash();
	work(1, 0);
	ck_assert_str_eq(told("state"), "done");
	ck_assert_int_eq(trials(), before);
}
END_TEST

START_TEST(only_a_search_can_be_finished)
{
	scene_submit(&scene, MANUAL);
	scene_refused(&scene, ERR_CONFLICT, "job 1: is queued, only a job that is searching can be finished",
		"/v1/jobs/1/finish", "{}");
	work(1, 1);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/pause", "{}"));
	finish();
	ck_assert_str_eq(told("state"), "paused");
	ck_assert_str_eq(told("ended"), "finish");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/resume", "{}"));
	work(1, 0); /* nothing was posted: the test score of the baseline */
	ck_assert_str_eq(told("state"), "done");
}
END_TEST

START_TEST(a_finished_search_takes_no_more_candidates)
{
	scene_submit(&scene, MANUAL);
	work(1, 1);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/trials", "{\"candidates\": [[8, 12, 16], [4, 4, 4]]}"));
	finish();
	scene_refused(&scene, ERR_CONFLICT, "the search has ended after 2 trials", "/v1/jobs/1/trials",
		"{\"candidate\": [8, 12, 17]}");
	work(1, 0);
	ck_assert_str_eq(told("state"), "done");
	ck_assert_int_eq(trials(), 3);
}
END_TEST

START_TEST(a_finished_search_still_sends_its_best_up)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 1000}, \"window\": 2, "
		"\"rungs\": [{\"images\": 9}, {\"train\": {\"steps\": 5}}], \"eta\": 4,");
	work(1, 11);
	finish();
	crash();
	work(1, 0);
	ck_assert_str_eq(told("state"), "done");
	int at[2] = { 0 };
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials"))
		if (scene_number(t, "number") > 0)
			at[(int)scene_number(t, "rung")]++;
	cJSON_Delete(doc);
	ck_assert_int_lt(at[0], 20);
	ck_assert_int_eq(at[1], at[0] / 4);
}
END_TEST

static int trials_until_a_stall(int workers, int crash_every)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 100000, \"stall\": 5}, \"window\": 2, \"seed\": 4,");
	while (strcmp(told("state"), "done")) {
		work(workers, crash_every);
		if (crash_every)
			crash();
	}
	ck_assert_str_eq(told("ended"), "stall");
	return trials();
}

START_TEST(a_stall_ends_the_search_at_the_same_trial_whatever_happens)
{
	int undisturbed = trials_until_a_stall(1, 0);
	ck_assert_int_gt(undisturbed, 6);
	close_scene();
	open_scene();
	ck_assert_int_eq(trials_until_a_stall(3, 0), undisturbed);
	close_scene();
	open_scene();
	ck_assert_int_eq(trials_until_a_stall(1, 7), undisturbed);
}
END_TEST

START_TEST(a_search_ends_when_its_time_is_up)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 1000000, \"seconds\": 1},");
	while (strcmp(told("state"), "done"))
		work(1, 1);
	ck_assert_str_eq(told("ended"), "seconds");
}
END_TEST

/* What the store says counts, and a pause doesn't. */
START_TEST(time_that_was_spent_before_a_crash_counts)
{
	char path[96];
	struct store *store;
	struct job_row row;
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 1000, \"seconds\": 100000},");
	work(1, 3);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/pause", "{}"));
	scene_kill(&scene);
	snprintf(path, sizeof path, "%s/state", scene.directory);
	ck_ok(store_open(path, &store, &e));
	ck_ok(job_load(store, 1, &row, &e));
	ck_assert_int_lt(row.searched, 100000000);
	row.searched = 100000000;
	ck_ok(job_update(store, &row, &e));
	ck_ok(store_commit(store, &e));
	job_row_fini(&row);
	store_close(store);
	scene_start(&scene);
	ck_assert_str_eq(told("ended"), "null");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/resume", "{}"));
	while (!strcmp(told("ended"), "null"))
		;
	ck_assert_str_eq(told("ended"), "seconds");
	work(1, 0);
	ck_assert_str_eq(told("state"), "done");
}
END_TEST

START_TEST(watchers_hear_that_proposals_have_ended)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 1000},");
	work(1, 2);
	int fd = scene_send(&scene, "GET /v1/jobs/1/events HTTP/1.1\r\nHost: x\r\n\r\n");
	scene_read(fd, "\"ended\":null");
	finish();
	ck_assert_ptr_nonnull(strstr(scene_read(fd, "\"ended\":\"finish\""), "\"ended\":\"finish\""));
}
END_TEST

Suite *suite_ending(void)
{
	Suite *s = suite_create("ending");
	TCase *t = tcase_create("ending");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_search_that_makes_all_its_trials_says_so);
	tcase_add_test(t, finish_proposes_no_more_and_completes_what_is_under_way);
	tcase_add_test(t, finish_survives_a_crash);
	tcase_add_test(t, only_a_search_can_be_finished);
	tcase_add_test(t, a_finished_search_takes_no_more_candidates);
	tcase_add_test(t, a_finished_search_still_sends_its_best_up);
	tcase_add_test(t, a_stall_ends_the_search_at_the_same_trial_whatever_happens);
	tcase_add_test(t, a_search_ends_when_its_time_is_up);
	tcase_add_test(t, time_that_was_spent_before_a_crash_counts);
	tcase_add_test(t, watchers_hear_that_proposals_have_ended);
	suite_add_tcase(s, t);
	return s;
}

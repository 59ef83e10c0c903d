/* replay.c -- a job is the same whatever the number of workers, their order, and the crashes between.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/daemon/play.h"

static const char *const strategies[] = {
	"\"budget\": {\"trials\": 26}, \"strategy\": {\"name\": \"nsga2\", \"population\": 6}, \"seed\": 5,",
	"\"budget\": {\"trials\": 26}, \"strategy\": {\"name\": \"random\"}, \"seed\": 6, \"window\": 3,",
	"\"budget\": {\"trials\": 26}, \"strategy\": {\"name\": \"anneal\"}, \"seed\": 7, \"window\": 2,",
	"\"budget\": {\"trials\": 20}, \"strategy\": {\"name\": \"nsga2\", \"population\": 6}, \"window\": 3, "
	"\"rungs\": [{\"images\": 9}, {\"train\": {\"steps\": 5}}, {\"train\": {}, \"latency\": {}}], "
	"\"objectives\": [\"accuracy\", \"latency\"],",
};

/* The story of a job that these workers do without disturbance. */
static char *told(const char *job, int workers, unsigned order, int fail_every)
{
	struct scene scene = { 0 };
	struct play p = { .scene = &scene, .workers = workers, .order = order, .fail_every = fail_every };
	scene_open(&scene);
	int id = scene_submit(&scene, job);
	play_run(&p, 0);
	ck_assert_str_eq(scene_state(&scene, id), "done");
	char *story = play_story(&scene, id);
	scene_close(&scene);
	return story;
}

START_TEST(any_number_of_workers_proposes_the_same_and_ends_in_the_same_set)
{
	char *one = told(strategies[_i], 1, 1, 7);
	for (int workers = 2; workers <= 5; workers += 3) {
		char *many = told(strategies[_i], workers, (unsigned)(3 + workers), 7);
		ck_assert_str_eq(one, many);
		free(many);
	}
	free(one);
}
END_TEST

/* A crash after every fourth report, with leases out each time. */
START_TEST(crashes_change_nothing)
{
	char *undisturbed = told(strategies[_i], 1, 1, 7);
	struct scene scene = { 0 };
	struct play p = { .scene = &scene, .workers = 2, .order = 11, .fail_every = 7 };
	scene_open(&scene);
	int id = scene_submit(&scene, strategies[_i]);
	int crashes = 0;
	while (strcmp(scene_state(&scene, id), "done")) {
		play_run(&p, 4);
		scene_kill(&scene);
		scene_start(&scene);
		crashes++;
		ck_assert_int_lt(crashes, 30);
	}
	ck_assert_int_gt(crashes, 5);
	char *disturbed = play_story(&scene, id);
	ck_assert_str_eq(undisturbed, disturbed);
	scene_close(&scene);
	play_drop(&p);
	free(undisturbed);
	free(disturbed);
}
END_TEST

/* The database can't grow beyond some point: the commit fails. */
START_TEST(a_failed_commit_ends_the_daemon_and_nothing_is_acknowledged)
{
	struct scene scene = { .largest_file = 200000 };
	int acknowledged = 0, status;
	scene_open(&scene);
	char *job = scene_job(&scene, "");
	cJSON *doc = cJSON_Parse(job), *answer;
	while (!http_call(scene.http, "POST", "/v1/jobs", doc, 30, &answer, &e)) {
		cJSON_Delete(answer);
		acknowledged++;
		ck_assert_int_lt(acknowledged, 10000);
	}
	ck_assert_int_gt(acknowledged, 3);
	ck_assert_int_eq(e.code, ERR_UNAVAILABLE);
	ck_assert_int_eq(waitpid(scene.pid, &status, 0), scene.pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	ck_assert_ptr_nonnull(strstr(scene_log(&scene), "the daemon ends"));
	http_close(scene.http);
	scene.largest_file = 0;
	scene_start(&scene);
	cJSON *jobs = scene_get(&scene, "/v1/jobs");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(jobs, "jobs")), acknowledged);
	cJSON_Delete(jobs);
	cJSON_Delete(doc);
	free(job);
	scene_close(&scene);
}
END_TEST

/* The row of the job is all that these write. */
START_TEST(a_change_of_state_that_could_not_be_written_is_not_acknowledged)
{
	struct scene scene = { .largest_file = 300000 };
	const char *state = "queued";
	int status, acknowledged = 0;
	scene_open(&scene);
	scene_submit(&scene, "");
	for (;; acknowledged++) {
		bool pause = !strcmp(state, "queued");
		if (http_call(scene.http, "POST", pause ? "/v1/jobs/1/pause" : "/v1/jobs/1/resume", NULL, 30, NULL, &e))
			break;
		state = pause ? "paused" : "queued";
		ck_assert_int_lt(acknowledged, 10000);
	}
	ck_assert_int_gt(acknowledged, 3);
	ck_assert_int_eq(waitpid(scene.pid, &status, 0), scene.pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	http_close(scene.http);
	scene.largest_file = 0;
	scene_start(&scene);
	ck_assert_str_eq(scene_state(&scene, 1), state);
	scene_close(&scene);
}
END_TEST

START_TEST(an_acknowledged_submission_survives_a_crash_before_anything_happened)
{
	struct scene scene = { 0 };
	scene_open(&scene);
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 2},");
	scene_kill(&scene);
	scene_start(&scene);
	ck_assert_str_eq(scene_state(&scene, id), "queued");
	struct play p = { .scene = &scene, .workers = 1 };
	play_run(&p, 0);
	ck_assert_str_eq(scene_state(&scene, id), "done");
	scene_close(&scene);
}
END_TEST

START_TEST(a_remote_workers_lease_outlives_the_daemon)
{
	struct scene scene = { 0 };
	scene_open(&scene);
	scene_submit(&scene, "\"budget\": {\"trials\": 2},");
	cJSON *lease = play_lease(&scene, "remote");
	scene_kill(&scene);
	scene_start(&scene);
	ck_assert_ptr_null(play_lease(&scene, "other"));
	ck_ok(play_say(&scene, lease, "heartbeat", "{}"));
	play_report(&scene, lease);
	ck_assert_str_eq(scene_state(&scene, 1), "searching");
	cJSON_Delete(lease);
	scene_close(&scene);
}
END_TEST

START_TEST(paused_and_ended_jobs_are_still_so_after_a_crash)
{
	struct scene scene = { 0 };
	scene_open(&scene);
	scene_submit(&scene, "\"seed\": 1,");
	scene_submit(&scene, "\"seed\": 2,");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/pause", "{}"));
	cJSON_Delete(scene_post(&scene, "/v1/jobs/2/cancel", "{}"));
	scene_kill(&scene);
	scene_start(&scene);
	ck_assert_str_eq(scene_state(&scene, 1), "paused");
	ck_assert_str_eq(scene_state(&scene, 2), "cancelled");
	ck_assert_ptr_null(play_lease(&scene, "w"));
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/resume", "{}"));
	cJSON *lease = play_lease(&scene, "w");
	ck_assert_str_eq(scene_text(lease, "trial"), "1.0");
	cJSON_Delete(lease);
	scene_close(&scene);
}
END_TEST

Suite *suite_replay(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("replay");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, any_number_of_workers_proposes_the_same_and_ends_in_the_same_set, 0, 4);
	tcase_add_loop_test(t, crashes_change_nothing, 0, 4);
	tcase_add_test(t, a_failed_commit_ends_the_daemon_and_nothing_is_acknowledged);
	tcase_add_test(t, a_change_of_state_that_could_not_be_written_is_not_acknowledged);
	tcase_add_test(t, an_acknowledged_submission_survives_a_crash_before_anything_happened);
	tcase_add_test(t, a_remote_workers_lease_outlives_the_daemon);
	tcase_add_test(t, paused_and_ended_jobs_are_still_so_after_a_crash);
	suite_add_tcase(s, t);
	return s;
}

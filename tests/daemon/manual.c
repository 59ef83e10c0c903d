/* manual.c -- candidates from outside: posted, waited for, refused, and still there after a crash.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/play.h"

#define MANUAL "\"strategy\": {\"name\": \"manual\"}, "
#define POST "/v1/jobs/1/trials"

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

static void work(int most)
{
	struct play p = { .scene = &scene, .workers = 1 };
	play_run(&p, most);
}

/* Up to the search, and no further. */
static void begin(const char *more)
{
	scene_submit(&scene, more);
	work(1);
	ck_assert_str_eq(scene_state(&scene, 1), "searching");
}

static void post(const char *body)
{
	cJSON_Delete(scene_post(&scene, POST, body));
}

/* How many trials job 1 has, the baseline too. */
static int trials(void)
{
	cJSON *doc = scene_get(&scene, POST);
	int n = cJSON_GetArraySize(cJSON_GetObjectItem(doc, "trials"));
	cJSON_Delete(doc);
	return n;
}

START_TEST(posted_candidates_are_evaluated_until_the_budget_is_used_up)
{
	begin(MANUAL "\"budget\": {\"trials\": 3},");
	cJSON *posted = scene_post(&scene, POST, "{\"candidate\": [8, 12, 16]}");
	ck_assert_int_eq(cJSON_GetArraySize(cJSON_GetObjectItem(posted, "trials")), 1);
	ck_assert_str_eq(scene_text(posted, "trials.0.id"), "1.1");
	ck_assert_str_eq(scene_text(posted, "trials.0.state"), "waiting");
	ck_assert_str_eq(scene_text(posted, "trials.0.candidate"), "[8,12,16]");
	ck_assert_str_eq(scene_text(posted, "trials.0.requested"), "null");
	cJSON_Delete(posted);
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "searching");
	posted = scene_post(&scene, POST, "{\"candidates\": [[16, 24, 32], [1, 2, 3]]}");
	ck_assert_str_eq(scene_text(posted, "trials.1.id"), "1.3");
	cJSON_Delete(posted);
	scene_refused(&scene, ERR_CONFLICT, "all 3 trials have been posted", POST, "{\"candidate\": [8, 12, 16]}");
	ck_assert_str_eq(scene_state(&scene, 1), "searching");
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	scene_refused(&scene, ERR_CONFLICT, "job 1: is done", POST, "{\"candidate\": [8, 12, 16]}");
	cJSON *t = scene_get(&scene, "/v1/trials/1.1");
	ck_assert_str_eq(scene_text(t, "state"), "complete");
	cJSON_Delete(t);
}
END_TEST

START_TEST(a_wrong_posting_is_refused_by_name_and_leaves_nothing)
{
	static const struct {
		const char *body, *says;
	} wrong[] = {
		{ "{}", "body: has neither, expected one of candidate and candidates" },
		{ "{\"candidate\": [1, 2, 2], \"candidates\": [[1, 2, 2]]}", "body: has both" },
		{ "{\"candidate\": 5}", "candidate: is 5, expected an array" },
		{ "{\"candidate\": [8, 12, 16], \"x\": 1}", "x" },
		{ "{\"candidate\": [8, 12]}", "candidate: has 2 entries, expected 3" },
		{ "{\"candidate\": []}", "candidate: has 0 entries" },
		{ "{\"candidate\": [8, 12, 16, 20]}", "candidate: has 4 entries" },
		{ "{\"candidate\": [8, 12, \"16\"]}", "candidate[2]: is \"16\", expected an integer" },
		{ "{\"candidate\": [8, null, 16]}", "candidate[1]: is null" },
		{ "{\"candidate\": [8, 12.5, 16]}", "candidate[1]: is 12.5, expected an integer" },
		{ "{\"candidate\": [8, 12, 1e300]}", "candidate[2]: is 1e+300, expected an integer" },
		{ "{\"candidate\": [0, 12, 16]}", "candidate[0]: is 0, expected 4 to 16, a multiple of 4" },
		{ "{\"candidate\": [8, -12, 16]}", "candidate[1]: is -12" },
		{ "{\"candidate\": [8, 12, 36]}", "candidate[2]: is 36, expected 4 to 32" },
		{ "{\"candidate\": [8, 13, 16]}", "candidate[1]: is 13, expected 4 to 24, a multiple of 4 or 24" },
		{ "{\"candidate\": [16, 24, 32]}", "constraints.macs allows at most" },
		{ "{\"candidates\": []}", "candidates: has 0 entries, expected 1 to 1000" },
		{ "{\"candidates\": [8, 12, 16]}", "candidates[0]: is 8, expected an array" },
		{ "{\"candidates\": [[8, 12, 16], [8, 12, 16], [8, 12, 99]]}", "candidates[2][2]: is 99" },
		{ "{\"candidates\": [[8, 12, 16], [8, 12]]}", "candidates[1]: has 2 entries" },
	};
	begin(MANUAL "\"budget\": {\"trials\": 3}, \"prune\": {\"round_to\": 4}, "
		"\"constraints\": {\"macs\": \"<= 70%\"},");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		scene_refused(&scene, ERR_INPUT, wrong[i].says, POST, wrong[i].body);
	scene_refused(&scene, ERR_CONFLICT, "3 of 3 trials are left", POST, /* before any of them is looked at */
		"{\"candidates\": [[8, 12, 16], [4, 4, 4], [4, 4, 8], [0, 0]]}");
	ck_assert_int_eq(trials(), 1);
	post("{\"candidates\": [[8, 12, 16], [4, 4, 4], [4, 4, 8]]}");
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
}
END_TEST

START_TEST(more_than_a_thousand_at_once_are_refused)
{
	size_t len;
	char *body;
	begin(MANUAL "\"budget\": {\"trials\": 5000},");
	for (int n = 1001; n >= 1000; n--) {
		FILE *f = open_memstream(&body, &len);
		fprintf(f, "{\"candidates\": [");
		for (int i = 0; i < n; i++)
			fprintf(f, "%s[%d, %d, %d]", i ? ", " : "", 1 + i % 16, 2 + i / 16 % 23, 2 + i / 368 % 31);
		fprintf(f, "]}");
		fclose(f);
		if (n > 1000)
			scene_refused(&scene, ERR_INPUT, "candidates: has 1001 entries", POST, body);
		else
			post(body);
		free(body);
	}
	ck_assert_int_eq(trials(), 1001);
}
END_TEST

START_TEST(candidates_come_while_the_job_is_searching)
{
	const char *body = "{\"candidate\": [8, 12, 16]}";
	scene_submit(&scene, MANUAL);
	scene_refused(&scene, ERR_CONFLICT, "job 1: is queued, wait until it is searching", POST, body);
	cJSON *lease = play_lease(&scene, "w");
	scene_refused(&scene, ERR_CONFLICT, "job 1: is preparing, wait until it is searching", POST, body);
	play_report(&scene, lease);
	cJSON_Delete(lease);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/pause", "{}"));
	scene_refused(&scene, ERR_CONFLICT, "job 1: is paused, resume it first", POST, body);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/resume", "{}"));
	post(body);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", "{}"));
	scene_refused(&scene, ERR_CONFLICT, "job 1: is cancelled", POST, body);
	scene_refused(&scene, ERR_NOT_FOUND, "no job 7", "/v1/jobs/7/trials", body);
}
END_TEST

START_TEST(other_strategies_take_no_candidates)
{
	scene_submit(&scene, "\"strategy\": {\"name\": \"random\"}, ");
	scene_refused(&scene, ERR_CONFLICT, "job 1: searches by itself", POST, "{\"candidate\": [8, 12, 16]}");
	work(1);
	scene_refused(&scene, ERR_CONFLICT, "job 1: searches by itself", POST, "{\"candidate\": [8, 12, 16]}");
}
END_TEST

START_TEST(what_is_known_is_answered_at_once)
{
	begin(MANUAL);
	post("{\"candidate\": [8, 12, 16]}");
	cJSON *twice = scene_post(&scene, POST, "{\"candidate\": [8, 12, 16]}");
	ck_assert_str_eq(scene_text(twice, "trials.0.state"), "waiting"); /* as the first one, which it follows */
	cJSON_Delete(twice);
	work(1);
	cJSON *t = scene_get(&scene, "/v1/trials/1.2");
	ck_assert_str_eq(scene_text(t, "state"), "complete");
	ck_assert_str_eq(scene_text(t, "source"), "1.1");
	cJSON_Delete(t);
	cJSON *again = scene_post(&scene, POST, "{\"candidate\": [8, 12, 16]}");
	ck_assert_str_eq(scene_text(again, "trials.0.state"), "complete");
	ck_assert_str_eq(scene_text(again, "trials.0.source"), "1.1");
	cJSON_Delete(again);
}
END_TEST

START_TEST(posted_trials_survive_a_crash)
{
	begin(MANUAL "\"budget\": {\"trials\": 6}, \"window\": 0, ");
	post("{\"candidates\": [[8, 12, 16], [4, 4, 4], [2, 3, 5]]}");
	work(2);
	scene_kill(&scene);
	scene_start(&scene);
	ck_assert_str_eq(scene_state(&scene, 1), "searching");
	ck_assert_int_eq(trials(), 4);
	scene_refused(&scene, ERR_CONFLICT, "3 of 6 trials are left", POST,
		"{\"candidates\": [[8, 12, 17], [4, 4, 5], [2, 3, 6], [1, 2, 2]]}");
	post("{\"candidates\": [[8, 12, 17], [4, 4, 5], [2, 3, 6]]}");
	scene_kill(&scene);
	scene_start(&scene);
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	ck_assert_int_eq(trials(), 7);
}
END_TEST

START_TEST(the_best_of_what_was_posted_go_up)
{
	int promoted = 0;
	begin(MANUAL "\"budget\": {\"trials\": 6}, \"eta\": 3, "
		"\"rungs\": [{\"images\": 9}, {\"train\": {\"steps\": 5}}],");
	post("{\"candidates\": [[8, 12, 16], [4, 4, 4], [2, 3, 5]]}");
	work(0);
	scene_kill(&scene);
	scene_start(&scene);
	post("{\"candidates\": [[9, 12, 16], [5, 4, 4], [3, 3, 5]]}");
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	cJSON *doc = scene_get(&scene, POST);
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials"))
		promoted += strcmp(scene_text(t, "parent"), "null") != 0;
	cJSON_Delete(doc);
	ck_assert_int_eq(promoted, 2);
}
END_TEST

static int wait_for_trial(const char *query)
{
	char text[128];
	snprintf(text, sizeof text, "GET /v1/trials/1.1%s HTTP/1.1\r\nHost: x\r\n\r\n", query);
	return scene_send(&scene, text);
}

START_TEST(whoever_waits_for_a_trial_hears_of_its_end)
{
	begin(MANUAL);
	post("{\"candidate\": [8, 12, 16]}");
	int patient = wait_for_trial("?wait=60"), hasty = wait_for_trial("?wait=1"), gone = wait_for_trial("?wait=60");
	ck_assert_ptr_nonnull(strstr(scene_read(hasty, "}\n"), "\"state\":\"waiting\""));
	close(gone);
	work(1);
	ck_assert_ptr_nonnull(strstr(scene_read(patient, "}\n"), "\"state\":\"complete\""));
	close(patient);
	close(hasty);
	cJSON *t = scene_get(&scene, "/v1/trials/1.1?wait=60");
	ck_assert_str_eq(scene_text(t, "state"), "complete");
	cJSON_Delete(t);
}
END_TEST

START_TEST(a_wait_ends_with_the_job_and_with_the_daemon)
{
	begin(MANUAL);
	post("{\"candidate\": [8, 12, 16]}");
	int fd = wait_for_trial("?wait=60");
	cJSON_Delete(scene_get(&scene, "/v1/trials/1.1")); /* the daemon has seen the request before */
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", "{}"));
	ck_assert_ptr_nonnull(strstr(scene_read(fd, "}\n"), "\"state\":\"cancelled\""));
	close(fd);
	scene_submit(&scene, "\"seed\": 2, " MANUAL);
	fd = scene_send(&scene, "GET /v1/trials/2.0?wait=60 HTTP/1.1\r\nHost: x\r\n\r\n");
	cJSON_Delete(scene_get(&scene, "/v1/trials/2.0"));
	ck_assert_int_eq(scene_stop(&scene), 0);
	ck_assert_ptr_nonnull(strstr(scene_read(fd, "}\n"), "503"));
	close(fd);
	scene_start(&scene);
}
END_TEST

START_TEST(a_wrong_wait_is_refused)
{
	scene_submit(&scene, MANUAL);
	static const char *const wrong[] = { "61", "-1", "x", "1.5", "", "99999999999999999999", "%ff" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char path[64];
		snprintf(path, sizeof path, "/v1/trials/1.0?wait=%s", wrong[i]);
		scene_refused(&scene, ERR_INPUT, "expected an integer from 0 to 60", path, NULL);
	}
	scene_refused(&scene, ERR_NOT_FOUND, "1.1", "/v1/trials/1.1?wait=60", NULL);
}
END_TEST

Suite *suite_manual(void)
{
	Suite *s = suite_create("manual");
	TCase *t = tcase_create("manual");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, posted_candidates_are_evaluated_until_the_budget_is_used_up);
	tcase_add_test(t, a_wrong_posting_is_refused_by_name_and_leaves_nothing);
	tcase_add_test(t, more_than_a_thousand_at_once_are_refused);
	tcase_add_test(t, candidates_come_while_the_job_is_searching);
	tcase_add_test(t, other_strategies_take_no_candidates);
	tcase_add_test(t, what_is_known_is_answered_at_once);
	tcase_add_test(t, posted_trials_survive_a_crash);
	tcase_add_test(t, the_best_of_what_was_posted_go_up);
	tcase_add_test(t, whoever_waits_for_a_trial_hears_of_its_end);
	tcase_add_test(t, a_wait_ends_with_the_job_and_with_the_daemon);
	tcase_add_test(t, a_wrong_wait_is_refused);
	suite_add_tcase(s, t);
	return s;
}

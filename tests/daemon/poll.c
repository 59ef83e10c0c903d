/* poll.c -- workers that wait: many, gone, and in order.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/daemon/play.h"

static struct scene scene;

static void open_scene(void)
{
	scene_open(&scene);
}

static void close_scene(void)
{
	scene_close(&scene);
}

static int wait_for_lease(const char *worker, int seconds)
{
	char body[64];
	snprintf(body, sizeof body, "{\"worker\": \"%s\", \"wait\": %d}", worker, seconds);
	return scene_send_json(&scene, "POST", "/v1/leases", body);
}

/* Whether the daemon knows so many workers: their requests have arrived. */
static void await_workers(int count)
{
	for (int known = -1; known != count;) {
		cJSON *doc = scene_get(&scene, "/v1/workers");
		known = cJSON_GetArraySize(cJSON_GetObjectItem(doc, "workers"));
		cJSON_Delete(doc);
	}
}

/* The lease in an answer read by hand; NULL for 204. */
static cJSON *lease_in(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	ck_assert_msg(body != NULL, "no answer: %s", answer);
	return strstr(answer, "HTTP/1.1 200") ? cJSON_Parse(body + 4) : NULL;
}

START_TEST(a_hundred_workers_wait_and_each_trial_goes_to_one_of_them)
{
	enum { WAITING = 100, WINDOW = 5 };
	int fds[WAITING];
	char name[16];
	for (int i = 0; i < WAITING; i++) {
		snprintf(name, sizeof name, "w%d", i);
		fds[i] = wait_for_lease(name, 60);
		await_workers(i + 1);
	}
	scene_submit(&scene, "\"window\": 5, \"budget\": {\"trials\": 40},");
	cJSON *lease = lease_in(scene_read(fds[0], "}\n"));
	ck_assert_str_eq(scene_text(lease, "trial"), "1.0");
	play_report(&scene, lease);
	cJSON_Delete(lease);
	for (int i = 1; i <= WINDOW + 1; i++) {
		char trial[16];
		snprintf(trial, sizeof trial, "1.%d", i);
		lease = lease_in(scene_read(fds[i], "}\n"));
		ck_assert_str_eq(scene_text(lease, "trial"), trial);
		cJSON_Delete(lease);
	}
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", "{}"));
	for (int i = 0; i < WAITING; i++)
		close(fds[i]);
}
END_TEST

START_TEST(nobody_gets_work_that_is_not_there)
{
	int fd = wait_for_lease("w", 1);
	ck_assert_msg(strstr(scene_read(fd, "\r\n\r\n"), "HTTP/1.1 204"), "expected 204");
	close(fd);
	ck_assert_ptr_null(play_lease(&scene, "w"));
}
END_TEST

START_TEST(no_lease_is_granted_to_a_worker_that_has_left)
{
	int gone = wait_for_lease("gone", 60);
	await_workers(1);
	close(gone);
	int fd = wait_for_lease("here", 60);
	await_workers(2);
	scene_submit(&scene, "");
	cJSON *lease = lease_in(scene_read(fd, "}\n"));
	ck_assert_str_eq(scene_text(lease, "trial"), "1.0");
	cJSON *trial = scene_get(&scene, "/v1/trials/1.0");
	ck_assert_str_eq(scene_text(trial, "worker"), "here");
	ck_assert_str_eq(scene_text(trial, "attempts"), "1");
	cJSON_Delete(trial);
	cJSON_Delete(lease);
	close(fd);
}
END_TEST

/* The request and the end of the connection arrive together: the grant is made, and cannot be delivered. */
START_TEST(a_lease_whose_answer_cannot_be_sent_is_given_back)
{
	scene_submit(&scene, "");
	for (int i = 0; i < 20; i++)
		close(wait_for_lease("hasty", 0));
	cJSON *lease = scene_post(&scene, "/v1/leases", "{\"worker\": \"patient\", \"wait\": 20}");
	ck_assert_str_eq(scene_text(lease, "trial"), "1.0");
	cJSON *trial = scene_get(&scene, "/v1/trials/1.0");
	ck_assert_str_eq(scene_text(trial, "worker"), "patient");
	ck_assert_str_eq(scene_text(trial, "attempts"), "1");
	cJSON_Delete(trial);
	cJSON_Delete(lease);
}
END_TEST

Suite *suite_poll(void)
{
	Suite *s = suite_create("poll");
	TCase *t = tcase_create("poll");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_hundred_workers_wait_and_each_trial_goes_to_one_of_them);
	tcase_add_test(t, nobody_gets_work_that_is_not_there);
	tcase_add_test(t, no_lease_is_granted_to_a_worker_that_has_left);
	tcase_add_test(t, a_lease_whose_answer_cannot_be_sent_is_given_back);
	suite_add_tcase(s, t);
	return s;
}

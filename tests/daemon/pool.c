/* pool.c -- supervised workers that die, and what becomes of their trials.
 * SPDX-License-Identifier: MIT
 *
 * The worker is this very program, started as the daemon starts pare-worker; the environment says how it misbehaves. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/daemon/play.h"

static struct scene scene;
static char extra[512];

static const char *option(int argc, char **argv, const char *name)
{
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	return NULL;
}

int fake_worker(int argc, char **argv)
{
	const char *way = getenv("FAKE_WORKER");
	struct http *h;
	char body[64];
	if (!way || !strcmp(way, "die") || strcmp(argv[argc - 2], "--supervised"))
		return 3;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!strcmp(way, "stubborn"))
		signal(SIGTERM, SIG_IGN);
	if (http_open(option(argc, argv, "--url"), NULL, &h, &e))
		return 4;
	snprintf(body, sizeof body, "{\"worker\": \"%s\", \"wait\": 60}", option(argc, argv, "--name"));
	cJSON *ask = cJSON_Parse(body), *lease = NULL;
	if (http_call(h, "POST", "/v1/leases", ask, 0, &lease, &e) || !lease)
		return 5;
	if (!strcmp(way, "crash"))
		raise(SIGKILL);
	if (!strcmp(way, "eat")) {
		size_t n = 120 << 20;
		volatile char *food = malloc(n);
		for (size_t i = 0; food && i < n; i += 4096)
			food[i] = 1;
	}
	for (;;)
		pause();
}

static void open_with(const char *way)
{
	char self[256];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	snprintf(extra, sizeof extra, "\"worker_program\": \"%s\",", self);
	setenv("FAKE_WORKER", way, 1);
	scene.extra = extra;
	scene.workers = "1";
	scene_open(&scene);
}

/* Asks until the text of a member is this. */
static void await(const char *path, const char *member, const char *value)
{
	for (int i = 0;; i++) {
		cJSON *doc = scene_get(&scene, path);
		bool there = !strcmp(scene_text(doc, member), value);
		cJSON_Delete(doc);
		if (there)
			return;
		ck_assert_msg(i < 1000, "%s: %s does not become %s", path, member, value);
		usleep(20000);
	}
}

START_TEST(a_worker_that_dies_is_started_again_after_a_growing_delay)
{
	open_with("die");
	await("/v1/workers", "workers.0.restarts", "2");
	await("/v1/workers", "workers.0.state", "backing-off");
	const char *log = scene_log(&scene);
	const char *first = strstr(log, "local-1 exited with status 3");
	ck_assert_ptr_nonnull(first);
	const char *half = strstr(first, "starts again in 0.5 s");
	const char *one = half ? strstr(half, "starts again in 1.0 s") : NULL;
	ck_assert_msg(one && strstr(one, "starts again in 2.0 s"), "%s", log);
	scene_close(&scene);
}
END_TEST

/* As in the middle of an upgrade. */
START_TEST(a_program_that_vanishes_is_tried_again)
{
	static const char script[] = "#!/bin/sh\nrm \"$0\"\nexit 3\n";
	char path[] = "/tmp/pared-worker.XXXXXX", why[64];
	int fd = mkstemp(path);
	ck_assert_int_eq(write(fd, script, strlen(script)), (ssize_t)strlen(script));
	ck_assert_int_eq(fchmod(fd, 0700), 0);
	close(fd);
	snprintf(extra, sizeof extra, "\"worker_program\": \"%s\",", path);
	snprintf(why, sizeof why, "%s: no such file", path);
	scene.extra = extra;
	scene.workers = "1";
	scene_open(&scene);
	await("/v1/workers", "workers.0.restarts", "2");
	ck_assert_msg(strstr(scene_log(&scene), why), "%s", scene_log(&scene));
	scene_close(&scene);
}
END_TEST

START_TEST(a_trial_whose_workers_die_fails_after_three_attempts_and_says_how)
{
	open_with("crash");
	scene_submit(&scene, "");
	await("/v1/jobs/1", "state", "failed");
	cJSON *trial = scene_get(&scene, "/v1/trials/1.0");
	ck_assert_str_eq(scene_text(trial, "reason"), "worker local-1 died by signal 9; 3 attempts");
	ck_assert_str_eq(scene_text(trial, "attempts"), "3");
	cJSON_Delete(trial);
	scene_close(&scene);
}
END_TEST

START_TEST(a_supervised_worker_is_shown_with_its_process_and_its_trial)
{
	open_with("hold");
	scene_submit(&scene, "");
	await("/v1/workers", "workers.0.state", "busy");
	cJSON *doc = scene_get(&scene, "/v1/workers");
	ck_assert_str_eq(scene_text(doc, "workers.0.supervised"), "true");
	ck_assert_str_eq(scene_text(doc, "workers.0.trial"), "1.0");
	ck_assert_int_eq(kill((pid_t)scene_number(doc, "workers.0.pid"), 0), 0);
	scene_refused(&scene, ERR_CONFLICT, "worker: is \"local-1\"", "/v1/leases", "{\"worker\": \"local-1\"}");
	cJSON_Delete(doc);
	scene_close(&scene);
}
END_TEST

START_TEST(supervised_leases_are_dropped_by_a_crash_and_no_attempt_is_counted)
{
	open_with("hold");
	scene_submit(&scene, "");
	await("/v1/workers", "workers.0.state", "busy");
	scene_kill(&scene);
	setenv("FAKE_WORKER", "die", 1);
	scene_start(&scene);
	cJSON *trial = scene_get(&scene, "/v1/trials/1.0");
	ck_assert_str_eq(scene_text(trial, "state"), "waiting");
	ck_assert_str_eq(scene_text(trial, "attempts"), "0");
	cJSON_Delete(trial);
	scene_close(&scene);
}
END_TEST

START_TEST(a_worker_past_the_memory_limit_is_killed_and_the_trial_says_so)
{
	open_with("eat");
	scene_submit(&scene, "\"limits\": {\"trial_memory_mb\": 64},");
	await("/v1/jobs/1", "state", "failed");
	cJSON *trial = scene_get(&scene, "/v1/trials/1.0");
	const char *reason = scene_text(trial, "reason");
	ck_assert_msg(strstr(reason, "worker local-1 used ") && strstr(reason, "limits.trial_memory_mb is 64"), "%s",
		reason);
	cJSON_Delete(trial);
	await("/v1/workers", "workers.0.restarts", "1");
	ck_assert_ptr_nonnull(strstr(scene_log(&scene), "local-1 died by signal 9"));
	scene_close(&scene);
}
END_TEST

START_TEST(a_stop_gives_the_trial_back)
{
	open_with("hold");
	scene_submit(&scene, "");
	await("/v1/workers", "workers.0.state", "busy");
	ck_assert_int_eq(scene_stop(&scene), 0);
	scene.workers = "0";
	setenv("FAKE_WORKER", "die", 1);
	scene_start(&scene);
	cJSON *trial = scene_get(&scene, "/v1/trials/1.0");
	ck_assert_str_eq(scene_text(trial, "state"), "waiting");
	ck_assert_str_eq(scene_text(trial, "attempts"), "0");
	cJSON_Delete(trial);
	scene_close(&scene);
}
END_TEST

START_TEST(a_second_signal_does_not_wait_for_a_stubborn_worker)
{
	open_with("stubborn");
	scene_submit(&scene, "");
	await("/v1/workers", "workers.0.state", "busy");
	kill(scene.pid, SIGTERM);
	while (!strstr(scene_log(&scene), "stopping after SIGTERM"))
		usleep(10000);
	ck_assert_int_eq(scene_stop(&scene), 0);
	ck_assert_ptr_null(strstr(scene_log(&scene), "that did not end in"));
	scene_strike(&scene);
}
END_TEST

START_TEST(a_name_of_the_daemons_own_workers_is_not_free)
{
	char file[] = "/tmp/pared-token.XXXXXX", text[256], url[64];
	struct http *h;
	int fd = mkstemp(file);
	ck_assert_int_eq(write(fd, "0123456789abcdef", 16), 16);
	close(fd);
	snprintf(text, sizeof text, "\"worker_program\": \"/bin/false\", \"tcp\": {\"host\": \"127.0.0.1\","
		"\"port\": 0, \"token_file\": \"%s\"},", file);
	scene.extra = text;
	scene.workers = "1";
	scene_open(&scene);
	const char *line = strstr(scene_log(&scene), "http://127.0.0.1:");
	ck_assert_ptr_nonnull(line);
	snprintf(url, sizeof url, "%.*s", (int)strcspn(line, "\n"), line);
	ck_ok(http_open(url, "0123456789abcdef", &h, &e));
	cJSON *ask = cJSON_Parse("{\"worker\": \"local-1\"}");
	ck_fails(ERR_CONFLICT, "worker: is \"local-1\"", http_call(h, "POST", "/v1/leases", ask, 5, NULL, &e));
	cJSON_Delete(ask);
	http_close(h);
	/* Nor over the Unix socket, now that the worker's process is another or none. */
	scene_refused(&scene, ERR_CONFLICT, "worker: is \"local-1\"", "/v1/leases", "{\"worker\": \"local-1\"}");
	scene_close(&scene);
	unlink(file);
}
END_TEST

Suite *suite_pool(void)
{
	Suite *s = suite_create("pool");
	TCase *t = tcase_create("pool");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_worker_that_dies_is_started_again_after_a_growing_delay);
	tcase_add_test(t, a_program_that_vanishes_is_tried_again);
	tcase_add_test(t, a_trial_whose_workers_die_fails_after_three_attempts_and_says_how);
	tcase_add_test(t, a_supervised_worker_is_shown_with_its_process_and_its_trial);
	tcase_add_test(t, supervised_leases_are_dropped_by_a_crash_and_no_attempt_is_counted);
	tcase_add_test(t, a_worker_past_the_memory_limit_is_killed_and_the_trial_says_so);
	tcase_add_test(t, a_stop_gives_the_trial_back);
	tcase_add_test(t, a_second_signal_does_not_wait_for_a_stubborn_worker);
	tcase_add_test(t, a_name_of_the_daemons_own_workers_is_not_free);
	suite_add_tcase(s, t);
	return s;
}

/* watch.c -- tests of following a job: ends, breaks, Ctrl-C.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/client.h"
#include "tests/client/scene.h"
#include "tests/client/server.h"

#define JOB(state)                                                                                                     \
	"{\"id\":7,\"name\":\"vgg\",\"state\":\"" state "\",\"reason\":null,\"budget\":2,\"hypervolume\":0.5}"
#define TRIAL(n, state)                                                                                                \
	"{\"id\":\"7." #n "\",\"number\":" #n ",\"state\":\"" state "\",\"metrics\":{\"accuracy\":0.9" #n              \
	",\"params\":5000}}"
#define EVENT(name, data) "event: " name "\ndata: " data "\n\n"

static struct server server;
static struct run r;

static void teardown(void)
{
	server_stop(&server);
	scene_teardown();
}

static int count(const char *text, const char *part)
{
	int n = 0;
	for (const char *p = strstr(text, part); p; p = strstr(p + 1, part))
		n++;
	return n;
}

#define PARETO_ROWS                                                                                                    \
	{ .method = "GET", .path = "/v1/trials/7.0", .status = 200, .body = TRIAL(0, "complete") },                    \
		{ .method = "GET",                                                                                     \
			.path = "/v1/jobs/7/pareto",                                                                   \
			.status = 200,                                                                                 \
			.body = "{\"job\":7,\"trials\":[" TRIAL(2, "complete") "]}" },                                 \
	{                                                                                                              \
		0                                                                                                      \
	}

static const struct canned good[] = {
	{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
	{ .method = "GET",
		.path = "/v1/jobs/7/trials",
		.status = 200,
		.body = "{\"trials\":[" TRIAL(0, "complete") "," TRIAL(1, "running") "]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/events",
		.status = 200,
		.events = true,
		.body = EVENT("job", JOB("searching")) ": keep-alive\n\n" EVENT("trial", TRIAL(1, "complete"))
			EVENT("trial", TRIAL(1, "complete")) EVENT("later", "{}") EVENT("trial", TRIAL(2, "failed"))
				EVENT("job", JOB("finishing")) EVENT("job", JOB("done")) },
	{ .method = "POST", .path = "/v1/jobs", .status = 201, .body = JOB("queued") },
	PARETO_ROWS,
};

START_TEST(every_end_of_a_trial_is_one_line_and_the_set_follows)
{
	server_start(&server, good);
	pare(&r, server.url, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_int_eq(count(r.out, "7.0     complete, accuracy 0.9000"), 1);
	ck_assert_int_eq(count(r.out, "7.1     complete, accuracy 0.9100, params 5.00k"), 1);
	ck_assert_int_eq(count(r.out, "7.2     failed"), 1);
	ck_assert_int_eq(count(r.out, "TRIAL  ACCURACY"), 1);
	ck_assert_ptr_null(strpbrk(r.out, "\r\033"));
	ck_assert_str_eq(r.err, "");
}
END_TEST

START_TEST(submit_can_go_on_watching)
{
	server_start(&server, good);
	scene_file("job.json", "{\"name\": \"n\"}");
	pare(&r, server.url, "submit", scene_path("job.json"), "--watch", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_str_eq(r.err, "pare: job 7\n");
	assert_has(r.out, "7.2     failed");
	assert_has(r.out, "TRIAL  ACCURACY");
}
END_TEST

START_TEST(json_is_one_event_a_line)
{
	server_start(&server, good);
	pare(&r, server.url, "watch", "7", "--json", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_int_eq(count(r.out, "\n"), 3 + 3 + 1); /* job, trial events; the baseline that had ended before */
	for (char *line = strtok(r.out, "\n"); line; line = strtok(NULL, "\n")) {
		cJSON *event = parsed(line);
		ck_assert(cJSON_IsString(cJSON_GetObjectItem(event, "event")) &&
			cJSON_IsObject(cJSON_GetObjectItem(event, "data")));
		cJSON_Delete(event);
	}
}
END_TEST

static const struct canned bad[] = {
	{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
	{ .method = "GET", .path = "/v1/jobs/7/trials", .status = 200, .body = "{\"trials\":[]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/events",
		.status = 200,
		.events = true,
		.body = EVENT("job",
			"{\"id\":7,\"name\":\"vgg\",\"state\":\"failed\",\"reason\":\"operator Foo is unknown\"}") },
	PARETO_ROWS,
};

START_TEST(a_job_that_fails_ends_with_1_and_its_reason)
{
	server_start(&server, bad);
	pare(&r, server.url, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_JOB_FAILED);
	assert_has(r.err, "pare: job 7 failed: operator Foo is unknown\n");
}
END_TEST

START_TEST(a_job_that_is_done_with_a_reason_tells_it)
{
	static const struct canned partial[] = {
		{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
		{ .method = "GET", .path = "/v1/jobs/7/trials", .status = 200, .body = "{\"trials\":[]}" },
		{ .method = "GET",
			.path = "/v1/jobs/7/events",
			.status = 200,
			.events = true,
			.body = EVENT("job",
				"{\"id\":7,\"name\":\"vgg\",\"state\":\"done\",\"reason\":\"trial 7.1 has no test "
				"score: gone\"}") },
		PARETO_ROWS,
	};
	server_start(&server, partial);
	pare(&r, server.url, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_str_eq(r.err, "pare: job 7 is done: trial 7.1 has no test score: gone\n");
}
END_TEST

static const struct canned broken[] = {
	{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
	{ .method = "GET",
		.path = "/v1/jobs/7/trials",
		.status = 200,
		.once = true,
		.body = "{\"trials\":[" TRIAL(1, "running") "]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/trials",
		.status = 200,
		.body = "{\"trials\":[" TRIAL(1, "complete") "," TRIAL(2, "complete") "]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/events",
		.status = 200,
		.events = true,
		.once = true,
		.body = EVENT("job", JOB("searching"))
			EVENT("trial", TRIAL(1, "complete")) "event: trial\ndata: {\"cut" },
	{ .method = "GET",
		.path = "/v1/jobs/7/events",
		.status = 503,
		.once = true,
		.body = "{\"detail\":\"shutting down\"}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/events",
		.status = 200,
		.events = true,
		.body = EVENT("job", JOB("done")) },
	PARETO_ROWS,
};

START_TEST(a_stream_that_breaks_is_taken_up_again_without_loss_or_repetition)
{
	server_start(&server, broken);
	pare(&r, server.url, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_int_eq(count(r.out, "7.1     complete"), 1);
	ck_assert_int_eq(count(r.out, "7.2     complete"), 1);
	ck_assert_int_eq(count(r.err, "lost the daemon"), 1);
}
END_TEST

static const struct canned endless[] = {
	{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
	{ .method = "GET", .path = "/v1/jobs/7/trials", .status = 200, .body = "{\"trials\":[]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/events",
		.status = 200,
		.events = true,
		.hold = true,
		.body = EVENT("job", JOB("searching")) },
	{ 0 },
};

/* Until the cardboard daemon has been asked for what contains `part`; some seconds at most. */
static void wait_until_asked(const char *part)
{
	bool asked = false;
	for (int i = 0; i < 2000 && !asked; i++) {
		char *log = server_log(&server);
		asked = strstr(log, part) != NULL;
		free(log);
		usleep(10000);
	}
	ck_assert_msg(asked, "pare never asked for %s", part);
}

START_TEST(a_daemon_that_is_killed_and_started_again_is_found_again)
{
	server_start(&server, endless);
	pid_t pid = pare_begin(server.url, "watch", "7", NULL);
	wait_until_asked("/events");
	server_kill(&server);
	server_start(&server, good);
	pare_end(&r, pid);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_int_eq(count(r.out, "7.1     complete"), 1);
	assert_has(r.err, "lost the daemon, trying again");
}
END_TEST

START_TEST(a_job_that_vanished_with_the_restart_is_not_found)
{
	static const struct canned vanishing[] = {
		{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
		{ .method = "GET", .path = "/v1/jobs/7/trials", .status = 200, .body = "{\"trials\":[]}" },
		{ .method = "GET",
			.path = "/v1/jobs/7/events",
			.status = 200,
			.events = true,
			.once = true,
			.body = EVENT("job", JOB("searching")) },
		{ 0 },
	};
	server_start(&server, vanishing);
	pare(&r, server.url, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_NOT_FOUND);
}
END_TEST

START_TEST(a_terminal_has_one_line_that_is_cleared_at_the_end)
{
	server_start(&server, good);
	pare_on_terminal(&r, server.url, 100, NULL, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_has(r.out, "\rjob 7 vgg  searching  1/2 trials  best 0.9100 (5.00k params)  hypervolume 0.500");
	ck_assert_ptr_null(strstr(r.out, "7.1     complete"));
	const char *table = strstr(r.out, "\033[1mTRIAL");
	ck_assert_ptr_nonnull(table);
	ck_assert_int_eq(table[-1], '\r');
	ck_assert_int_eq(table[-2], ' ');
}
END_TEST

START_TEST(a_terminal_gets_no_line_twice_in_a_row)
{
	static const struct canned repeating[] = {
		{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
		{ .method = "GET", .path = "/v1/jobs/7/trials", .status = 200, .body = "{\"trials\":[]}" },
		{ .method = "GET",
			.path = "/v1/jobs/7/events",
			.status = 200,
			.events = true,
			.body = EVENT("job", JOB("searching")) EVENT("job", JOB("searching"))
				EVENT("later", "{}") EVENT("job", JOB("searching")) EVENT("job", JOB("done")) },
		PARETO_ROWS,
	};
	server_start(&server, repeating);
	pare_on_terminal(&r, server.url, 100, NULL, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_int_eq(count(r.out, "searching"), 1);
	ck_assert_int_eq(count(r.out, "job 7 vgg  done"), 1);
}
END_TEST

START_TEST(no_line_is_wider_than_the_terminal)
{
	server_start(&server, good);
	pare_on_terminal(&r, server.url, 30, NULL, "watch", "7", NULL);
	char *table = strstr(r.out, "\033[1mTRIAL");
	ck_assert_ptr_nonnull(table);
	*table = '\0';
	for (char *line = strtok(r.out, "\r\n"); line; line = strtok(NULL, "\r\n"))
		ck_assert_int_lt((int)strlen(line), 30);
}
END_TEST

START_TEST(an_interrupt_leaves_the_job_running_and_says_so)
{
	server_start(&server, endless);
	pare_on_terminal(&r, server.url, 80, "searching", "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_INTERRUPTED);
	assert_has(r.out, "job 7 goes on; 'pare watch 7' follows it again");
	char *log = server_log(&server);
	ck_assert_ptr_null(strstr(log, "POST"));
	free(log);
}
END_TEST

START_TEST(an_event_that_is_no_json_ends_the_watch)
{
	static const struct canned garbled[] = {
		{ .method = "GET", .path = "/v1/jobs/7", .status = 200, .body = JOB("searching") },
		{ .method = "GET",
			.path = "/v1/jobs/7/events",
			.status = 200,
			.events = true,
			.body = EVENT("job", "{oops") },
		{ 0 },
	};
	server_start(&server, garbled);
	pare(&r, server.url, "watch", "7", NULL);
	ck_assert_int_eq(r.code, CODE_OTHER);
	assert_has(r.err, "an event: line 1");
}
END_TEST

Suite *suite_watch(void)
{
	Suite *s = suite_create("watch");
	TCase *t = tcase_create("watch");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, scene_setup, teardown);
	tcase_add_test(t, every_end_of_a_trial_is_one_line_and_the_set_follows);
	tcase_add_test(t, submit_can_go_on_watching);
	tcase_add_test(t, json_is_one_event_a_line);
	tcase_add_test(t, a_job_that_fails_ends_with_1_and_its_reason);
	tcase_add_test(t, a_job_that_is_done_with_a_reason_tells_it);
	tcase_add_test(t, a_stream_that_breaks_is_taken_up_again_without_loss_or_repetition);
	tcase_add_test(t, a_daemon_that_is_killed_and_started_again_is_found_again);
	tcase_add_test(t, a_job_that_vanished_with_the_restart_is_not_found);
	tcase_add_test(t, a_terminal_has_one_line_that_is_cleared_at_the_end);
	tcase_add_test(t, a_terminal_gets_no_line_twice_in_a_row);
	tcase_add_test(t, no_line_is_wider_than_the_terminal);
	tcase_add_test(t, an_interrupt_leaves_the_job_running_and_says_so);
	tcase_add_test(t, an_event_that_is_no_json_ends_the_watch);
	suite_add_tcase(s, t);
	return s;
}

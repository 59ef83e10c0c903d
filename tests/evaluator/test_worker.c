/* test_worker.c -- the worker's loop against a canned daemon: every way in which a lease can end.
 * SPDX-License-Identifier: MIT
 *
 * The worker is a real one in a process of its own. Its trials go through trial_run with a "model" that is none,
 * so that a trial lasts as long as the daemon keeps the model back. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "evaluator/report.h"
#include "evaluator/worker.h"
#include "tests/evaluator/canned.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/suites.h"

#define LEASES "POST /v1/leases"
#define HEARTBEAT "POST /v1/leases/7/heartbeat"
#define COMPLETE "POST /v1/leases/7/complete"
#define FAIL "POST /v1/leases/7/fail"
#define RELEASE "POST /v1/leases/7/release"

static const char nonsense[] = "this is no network at all";

/* What the daemon of one test does. */
struct script {
	bool no_lease;            /* the long poll stays open */
	bool keep_model;          /* the model is never sent */
	int refusals;             /* so many reports are answered with 503 */
	int heartbeat;            /* status, 200 at first */
	const char *heartbeat_body;
	int lease_status;         /* other than 200: instead of a lease */
	int blob_status;          /* other than 0: instead of a blob */
	int trial_seconds, trial_memory_mb;
	const char *lease_extra;  /* into the lease: ", ..." */
	const char *signal_at;    /* the request at which the worker gets SIGTERM */
	bool kill_parent;         /* then its parent is killed instead */
	pid_t worker, parent;
	char lease[2048];
};

static struct canned canned;
static struct script script;

static void write_lease(void)
{
	static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
	char digest[DIGEST_HEX + 1];
	struct errinfo e;
	ck_assert(!digest_bytes(nonsense, sizeof nonsense, digest, &e));
	snprintf(script.lease, sizeof script.lease,
		"{\"id\": 7, \"trial\": \"1.3\", \"kind\": \"candidate\", \"heartbeat\": 1, \"expires\": 2,"
		"\"model\": \"%s\","
		"\"data\": {\"format\": \"idx\", \"train\": {\"images\": \"%s\", \"labels\": \"%s\"},"
		"\"test\": {\"images\": \"%s\", \"labels\": \"%s\"}, \"holdout\": 5},"
		"\"prune\": {\"criterion\": \"l1\", \"max_ratio\": 0.95, \"round_to\": 1},"
		"\"rung\": {\"recalibrate\": 0, \"images\": 5, \"latency\": null},"
		"\"limits\": {\"trial_seconds\": %d, \"trial_memory_mb\": %d}, \"seed\": 1, \"candidate\": [1]%s}",
		digest, zeros, zeros, zeros, zeros, script.trial_seconds, script.trial_memory_mb,
		script.lease_extra ? script.lease_extra : "");
}

static bool is_report(const char *line)
{
	return !strcmp(line, COMPLETE) || !strcmp(line, FAIL) || !strcmp(line, RELEASE);
}

static void answer(struct canned *c, const struct canned_request *r, void *arg)
{
	(void)c, (void)arg;
	if (script.signal_at && !strncmp(r->line, script.signal_at, strlen(script.signal_at)))
		kill(script.kill_parent ? script.parent : script.worker, script.kill_parent ? SIGKILL : SIGTERM);
	if (!strcmp(r->line, LEASES) && script.lease_status)
		canned_reply_text(r, script.lease_status, "{\"detail\": \"the test says so\"}");
	else if (!strcmp(r->line, LEASES) && !script.no_lease)
		canned_reply_text(r, 200, script.lease);
	else if (!strcmp(r->line, HEARTBEAT))
		canned_reply_text(r, script.heartbeat, script.heartbeat_body);
	else if (!strncmp(r->line, "GET /v1/blobs/", 14) && script.blob_status)
		canned_reply_text(r, script.blob_status, "{\"detail\": \"the disk is full\"}");
	else if (!strncmp(r->line, "GET /v1/blobs/", 14) && !script.keep_model)
		canned_reply(r, 200, nonsense, sizeof nonsense);
	else if (is_report(r->line))
		canned_reply_text(r, script.refusals-- > 0 ? 503 : 200, "{}");
}

static void setup(void)
{
	folder_enter();
	canned_open(&canned, answer, NULL);
	script = (struct script){ .heartbeat = 200, .heartbeat_body = "{\"cancel\": false}", .trial_seconds = 60,
		.trial_memory_mb = 1 << 20 };
}

static void teardown(void)
{
	canned_close(&canned);
	folder_leave();
}

static struct worker_options options(void)
{
	return (struct worker_options){ .url = canned.url, .name = "w", .cache = "cache", .cache_bytes = 1 << 20,
		.once = true };
}

/* The whole life of a worker in a process of its own: 0 for an ordinary end, 1 for an error. */
static void be_worker(const struct worker_options *o)
{
	struct errinfo e = { 0 };
	close(canned.listener);
	log_set_level(LOG_ERROR);
	_exit(worker_run(o, &e) ? 1 : 0);
}

/* Runs a worker against the script until it ends, and gives its exit status. Nothing temporary may be left. */
static int run_worker(const struct worker_options *o)
{
	write_lease();
	script.worker = fork();
	ck_assert(script.worker >= 0);
	if (!script.worker)
		be_worker(o);
	int status = canned_serve_child(&canned, script.worker);
	ck_assert_msg(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
	ck_assert_int_eq(folder_count("cache", "tmp-"), 0);
	return WEXITSTATUS(status);
}

static int saw(const char *line)
{
	return canned_saw(&canned, line, NULL);
}

static const char *fail_reason(void)
{
	const cJSON *body = NULL;
	ck_assert_int_ge(canned_saw(&canned, FAIL, &body), 1);
	const char *reason = cJSON_GetStringValue(cJSON_GetObjectItem(body, "reason"));
	ck_assert_ptr_nonnull(reason);
	return reason;
}

START_TEST(a_model_that_is_none_gives_fail_with_a_clear_reason)
{
	struct worker_options o = options();
	const cJSON *ask = NULL;
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(canned_saw(&canned, LEASES, &ask), 1);
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(ask, "worker")), "w");
	ck_assert(cJSON_GetNumberValue(cJSON_GetObjectItem(ask, "wait")) > 0);
	ck_assert_int_eq(saw(FAIL), 1);
	ck_assert_msg(strstr(fail_reason(), "ONNX"), "%s", fail_reason());
	ck_assert_int_eq(saw(COMPLETE) + saw(RELEASE), 0);
}
END_TEST

START_TEST(a_fault_of_the_daemon_s_disk_is_not_the_candidate_s)
{
	struct worker_options o = options();
	script.blob_status = 507;
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(saw(RELEASE), 1);
	ck_assert_int_eq(saw(FAIL) + saw(COMPLETE), 0);
}
END_TEST

START_TEST(a_lease_with_a_strange_field_gives_fail_that_names_it)
{
	struct worker_options o = options();
	script.lease_extra = ", \"colour\": 3";
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_msg(strstr(fail_reason(), "lease: colour: unknown key"), "%s", fail_reason());
}
END_TEST

START_TEST(a_report_is_repeated_until_the_daemon_takes_it)
{
	struct worker_options o = options();
	script.refusals = 3;
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(saw(FAIL), 4);
}
END_TEST

START_TEST(a_lost_lease_stops_the_trial_and_is_not_reported)
{
	struct worker_options o = options();
	script.keep_model = true;
	script.heartbeat = 410;
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(saw(HEARTBEAT), 1);
	ck_assert_int_eq(saw(COMPLETE) + saw(FAIL) + saw(RELEASE), 0);
}
END_TEST

START_TEST(a_cancelled_trial_stops_and_is_not_reported)
{
	struct worker_options o = options();
	script.keep_model = true;
	script.heartbeat_body = "{\"cancel\": true}";
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(saw(COMPLETE) + saw(FAIL) + saw(RELEASE), 0);
}
END_TEST

START_TEST(a_daemon_silent_for_longer_than_the_lease_stops_the_trial)
{
	struct worker_options o = options();
	script.keep_model = true;
	script.heartbeat = 503;
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_gt(saw(HEARTBEAT), 1);
	ck_assert_int_eq(saw(COMPLETE) + saw(FAIL), 0);
}
END_TEST

START_TEST(past_the_time_limit_fail_names_it_and_the_process_ends)
{
	struct worker_options o = options();
	script.keep_model = true;
	script.trial_seconds = 1;
	ck_assert_int_eq(run_worker(&o), WORKER_EXIT_LIMIT);
	ck_assert_int_eq(saw(FAIL), 1);
	ck_assert_msg(strstr(fail_reason(), "trial_seconds: "), "%s", fail_reason());
	ck_assert_msg(strstr(fail_reason(), "limit is 1 s"), "%s", fail_reason());
}
END_TEST

START_TEST(past_the_memory_limit_fail_names_it_and_the_process_ends)
{
	struct worker_options o = options();
	script.keep_model = true;
	script.trial_memory_mb = 1;
	ck_assert_int_eq(run_worker(&o), WORKER_EXIT_LIMIT);
	ck_assert_int_eq(saw(FAIL), 1);
	ck_assert_msg(strstr(fail_reason(), "trial_memory_mb: "), "%s", fail_reason());
	ck_assert_msg(strstr(fail_reason(), "limit is 1 MiB"), "%s", fail_reason());
}
END_TEST

START_TEST(past_a_limit_a_worker_without_supervisor_begins_anew)
{
	struct worker_options o = options();
	o.restart = (char *[]){ "test-evaluator", RESTARTED, NULL };
	script.keep_model = true;
	script.trial_seconds = 1;
	ck_assert_int_eq(run_worker(&o), RESTARTED_STATUS);
	ck_assert_int_eq(saw(FAIL), 1);
}
END_TEST

START_TEST(sigterm_releases_the_lease)
{
	struct worker_options o = options();
	o.once = false;
	script.keep_model = true;
	script.signal_at = "GET /v1/blobs/";
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(saw(RELEASE), 1);
	ck_assert_int_eq(saw(COMPLETE) + saw(FAIL), 0);
	ck_assert_int_eq(saw(LEASES), 1);
}
END_TEST

START_TEST(sigterm_ends_a_worker_that_waits_for_a_lease)
{
	struct worker_options o = options();
	script.no_lease = true;
	script.signal_at = LEASES;
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(saw(LEASES), 1);
	ck_assert_int_eq(saw(RELEASE), 0);
}
END_TEST

START_TEST(a_wrong_token_ends_the_worker_with_an_error)
{
	struct worker_options o = options();
	script.lease_status = 401;
	ck_assert_int_eq(run_worker(&o), 1);
	ck_assert_int_eq(saw(LEASES), 1);
}
END_TEST

START_TEST(a_worker_whose_supervisor_is_another_asks_for_nothing)
{
	struct worker_options o = options();
	o.supervisor = getppid(); /* alive, but not the worker's parent */
	ck_assert_int_eq(mkdir("cache", 0700), 0);
	ck_assert_int_eq(run_worker(&o), 0);
	ck_assert_int_eq(saw(LEASES), 0);
}
END_TEST

/* The supervisor is a process between the test and the worker; the worker becomes the test's child when it dies. */
START_TEST(a_killed_supervisor_takes_its_worker_along)
{
	struct worker_options o = options();
	int status, pid[2];
	script.no_lease = script.kill_parent = true;
	script.signal_at = LEASES;
	ck_assert(!prctl(PR_SET_CHILD_SUBREAPER, 1) && !pipe(pid));
	script.parent = fork();
	ck_assert(script.parent >= 0);
	if (!script.parent) {
		pid_t worker = fork();
		o.supervisor = getppid();
		if (!worker)
			be_worker(&o);
		if (write(pid[1], &worker, sizeof worker) == sizeof worker)
			pause();
		_exit(9);
	}
	ck_assert_int_eq(read(pid[0], &script.worker, sizeof script.worker), sizeof script.worker);
	status = canned_serve_child(&canned, script.parent);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	status = canned_serve_child(&canned, script.worker);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

/* ---- reports by themselves ---- */

static bool model_known;

static void answer_upload(struct canned *c, const struct canned_request *r, void *arg)
{
	(void)c, (void)arg;
	if (!strncmp(r->line, "HEAD", 4))
		canned_reply(r, model_known ? 200 : 404, "", 0);
	else if (!strncmp(r->line, "PUT", 3)) {
		ck_assert_uint_eq(r->len, sizeof nonsense);
		ck_assert_mem_eq(r->body, nonsense, sizeof nonsense);
		canned_reply_text(r, 201, "{}");
	} else
		canned_reply_text(r, 200, "{}");
}

/* Reports "model.onnx" as complete and claims that `complete` carries its digest. */
static void complete_with_model(int uploads)
{
	pthread_t thread;
	struct errinfo e = { 0 };
	struct http *http;
	atomic_bool stop = false;
	char digest[DIGEST_HEX + 1], put[128];
	const cJSON *body = NULL;
	cJSON *report = cJSON_CreateObject();
	canned.answer = answer_upload;
	folder_put("model.onnx", nonsense, sizeof nonsense);
	ck_assert(!digest_bytes(nonsense, sizeof nonsense, digest, &e));
	snprintf(put, sizeof put, "PUT /v1/blobs/%s", digest);
	ck_assert(!pthread_create(&thread, NULL, canned_serve, &canned));
	ck_assert(!http_open(canned.url, NULL, &http, &e));
	struct reporter r = { http, 7, 5, &stop };
	ck_assert_msg(!report_complete(&r, report, "model.onnx", &e), "%s", e.msg);
	atomic_store(&canned.stop, true);
	pthread_join(thread, NULL);
	http_close(http);
	cJSON_Delete(report);
	ck_assert_int_eq(saw(put), uploads);
	ck_assert_int_eq(canned_saw(&canned, COMPLETE, &body), 1);
	ck_assert_str_eq(cJSON_GetStringValue(cJSON_GetObjectItem(body, "model")), digest);
}

START_TEST(a_pruned_model_is_uploaded_before_complete_names_it)
{
	model_known = false;
	complete_with_model(1);
}
END_TEST

START_TEST(a_model_that_the_daemon_has_is_not_sent_again)
{
	model_known = true;
	complete_with_model(0);
}
END_TEST

Suite *worker_suite(void)
{
	Suite *s = suite_create("worker");
	TCase *t = tcase_create("worker");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, a_model_that_is_none_gives_fail_with_a_clear_reason);
	tcase_add_test(t, a_fault_of_the_daemon_s_disk_is_not_the_candidate_s);
	tcase_add_test(t, a_lease_with_a_strange_field_gives_fail_that_names_it);
	tcase_add_test(t, a_report_is_repeated_until_the_daemon_takes_it);
	tcase_add_test(t, a_lost_lease_stops_the_trial_and_is_not_reported);
	tcase_add_test(t, a_cancelled_trial_stops_and_is_not_reported);
	tcase_add_test(t, a_daemon_silent_for_longer_than_the_lease_stops_the_trial);
	tcase_add_test(t, past_the_time_limit_fail_names_it_and_the_process_ends);
	tcase_add_test(t, past_the_memory_limit_fail_names_it_and_the_process_ends);
	tcase_add_test(t, past_a_limit_a_worker_without_supervisor_begins_anew);
	tcase_add_test(t, sigterm_releases_the_lease);
	tcase_add_test(t, sigterm_ends_a_worker_that_waits_for_a_lease);
	tcase_add_test(t, a_wrong_token_ends_the_worker_with_an_error);
	tcase_add_test(t, a_worker_whose_supervisor_is_another_asks_for_nothing);
	tcase_add_test(t, a_killed_supervisor_takes_its_worker_along);
	tcase_add_test(t, a_pruned_model_is_uploaded_before_complete_names_it);
	tcase_add_test(t, a_model_that_the_daemon_has_is_not_sent_again);
	suite_add_tcase(s, t);
	return s;
}

/* lease.c -- leases: handed out fairly, lost, given back, and reported on by liars.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/play.h"

static struct scene scene;

static void open_scene(void)
{
	scene_open(&scene);
}

static void open_impatient(void)
{
	scene.extra = "\"lease_seconds\": 2,";
	scene_open(&scene);
}

static void close_scene(void)
{
	scene_close(&scene);
}

static void baseline(void)
{
	cJSON *lease = play_lease(&scene, "w");
	ck_assert_str_eq(scene_text(lease, "kind"), "baseline");
	play_report(&scene, lease);
	cJSON_Delete(lease);
}

static void expect_trial(const char *worker, const char *trial)
{
	cJSON *lease = play_lease(&scene, worker);
	ck_assert_str_eq(scene_text(lease, "trial"), trial);
	cJSON_Delete(lease);
}

static void expect_none(void)
{
	cJSON *lease = play_lease(&scene, "idle");
	ck_assert_msg(!lease, "lease of %s", scene_text(lease, "trial"));
}

START_TEST(the_oldest_job_is_served_first_and_the_window_bounds_what_is_out)
{
	scene_submit(&scene, "\"window\": 1, \"seed\": 1,");
	scene_submit(&scene, "\"window\": 1, \"seed\": 2,");
	baseline();
	expect_trial("a", "1.1");
	expect_trial("b", "1.2");
	expect_trial("c", "2.0");
	expect_none();
}
END_TEST

START_TEST(a_released_trial_waits_again_and_no_attempt_is_counted)
{
	scene_submit(&scene, "\"window\": 0,");
	baseline();
	for (int i = 0; i < 5; i++) {
		cJSON *lease = play_lease(&scene, "w");
		ck_assert_str_eq(scene_text(lease, "trial"), "1.1");
		ck_ok(play_say(&scene, lease, "release", "{}"));
		ck_fails(ERR_GONE, "lease", play_say(&scene, lease, "release", "{}"));
		cJSON_Delete(lease);
	}
	cJSON *trial = scene_get(&scene, "/v1/trials/1.1");
	ck_assert_str_eq(scene_text(trial, "state"), "waiting");
	ck_assert_str_eq(scene_text(trial, "attempts"), "0");
	cJSON_Delete(trial);
}
END_TEST

/* The keeper's lease is as old as the sleeper's when that is lost. */
START_TEST(a_lease_without_heartbeats_is_lost_and_its_trial_given_to_another)
{
	scene_submit(&scene, "\"window\": 1,");
	baseline();
	cJSON *kept = play_lease(&scene, "keeper"), *lost = play_lease(&scene, "sleeper"), *lease = NULL;
	while (!lease) {
		ck_ok(play_say(&scene, kept, "heartbeat", "{}"));
		lease = scene_post(&scene, "/v1/leases", "{\"worker\": \"other\", \"wait\": 1}");
	}
	ck_assert_str_eq(scene_text(lease, "trial"), "1.2");
	ck_fails(ERR_GONE, "lease", play_say(&scene, lost, "heartbeat", "{}"));
	char *report = play_report_text(&scene, lost);
	ck_fails(ERR_GONE, "lease", play_say(&scene, lost, "complete", report));
	free(report);
	play_report(&scene, kept);
	play_report(&scene, lease);
	cJSON *trial = scene_get(&scene, "/v1/trials/1.2");
	ck_assert_str_eq(scene_text(trial, "attempts"), "2");
	ck_assert_str_eq(scene_text(trial, "worker"), "other");
	cJSON_Delete(trial);
	cJSON_Delete(kept);
	cJSON_Delete(lost);
	cJSON_Delete(lease);
}
END_TEST

START_TEST(an_exclusive_trial_has_the_house_to_itself)
{
	static const char rung[] = "\"rungs\": [{\"latency\": {\"exclusive\": true}}], \"window\": 2,";
	scene_submit(&scene, "\"seed\": 1,");
	scene_submit(&scene, rung);
	cJSON *plain = play_lease(&scene, "a");
	ck_assert_str_eq(scene_text(plain, "trial"), "1.0");
	expect_none(); /* 2.0 is next, and waits until 1.0 is back */
	ck_ok(play_say(&scene, plain, "fail", "{\"reason\": \"no\"}"));
	cJSON *alone = play_lease(&scene, "b");
	ck_assert_str_eq(scene_text(alone, "trial"), "2.0");
	scene_submit(&scene, "\"seed\": 3,");
	expect_none();
	ck_ok(play_say(&scene, alone, "fail", "{\"reason\": \"no\"}"));
	expect_trial("c", "3.0");
	cJSON_Delete(plain);
	cJSON_Delete(alone);
}
END_TEST

#define GOOD "\"accuracy\": 0.5, \"loss\": 0.5, \"params\": 1, \"macs\": 1, \"bytes\": 1, \"memory\": 1"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
	const char *report, *part;
} lies[] = {
	{ "{}", "metrics: missing" },
	{ "{\"metrics\": 1, \"model\": \"x\"}", "metrics: is 1, expected an object" },
	{ "{\"metrics\": {" GOOD "}}", "model: missing" },
	{ "{\"metrics\": {" GOOD "}, \"model\": \"x\"}", "model: is \"x\"" },
	{ "{\"metrics\": {" GOOD "}, \"model\": \"" ZERO "\"}", "never uploaded" },
	{ "{\"metrics\": {" GOOD ", \"speed\": 1}, \"model\": \"" ZERO "\"}", "metrics.speed: unknown key" },
	{ "{\"metrics\": {" GOOD "}, \"model\": \"" ZERO "\", \"inventory\": {}}", "inventory: unknown key" },
	{ "{\"metrics\": {\"accuracy\": 1.01}, \"model\": \"x\"}",
	"metrics.accuracy: is 1.01, expected a number from 0 to 1" },
	{ "{\"metrics\": {\"accuracy\": -0.1}, \"model\": \"x\"}", "metrics.accuracy: is -0.1" },
	{ "{\"metrics\": {\"accuracy\": \"high\"}, \"model\": \"x\"}", "metrics.accuracy: is \"high\"" },
	{ "{\"metrics\": {\"accuracy\": null}, \"model\": \"x\"}", "metrics.accuracy: missing" },
	{ "{\"metrics\": {\"loss\": -1}, \"model\": \"x\"}", "metrics.loss: is -1" },
	{ "{\"metrics\": {\"loss\": 1e999}, \"model\": \"x\"}", "metrics." },
	{ "{\"metrics\": {\"macs\": -5}, \"model\": \"x\"}", "metrics.macs: is -5" },
	{ "{\"metrics\": {\"bytes\": 1e300}, \"model\": \"x\"}", "metrics.bytes: is 1e+300" },
	{ "{\"metrics\": {\"latency\": -1}, \"model\": \"x\"}", "metrics.latency: is -1" },
	{ "{\"metrics\": {" GOOD ", \"latency\": 0.5}, \"model\": \"" ZERO "\"}",
	"metrics.latency: is 0.5, expected none: the lease's rung has no latency" },
	{ "{\"metrics\": {" GOOD ", \"latency_p90_ms\": 3}, \"model\": \"" ZERO "\"}",
	"metrics.latency_p90_ms: is 3" },
	{ "{\"test\": {\"accuracy\": 1, \"loss\": 0}}", "test: unknown key" },
};

START_TEST(a_wrong_report_is_refused_by_name_and_the_lease_stays)
{
	scene_submit(&scene, "\"window\": 0,");
	baseline();
	cJSON *lease = play_lease(&scene, "liar");
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
		ck_fails(ERR_INPUT, lies[i].part, play_say(&scene, lease, "complete", lies[i].report));
	ck_fails(ERR_INPUT, "reason: missing", play_say(&scene, lease, "fail", "{}"));
	ck_fails(ERR_INPUT, "reason: is empty", play_say(&scene, lease, "fail", "{\"reason\": \"\"}"));
	ck_fails(ERR_INPUT, "why: unknown key", play_say(&scene, lease, "heartbeat", "{\"why\": 1}"));
	ck_ok(play_say(&scene, lease, "heartbeat", "{}"));
	play_report(&scene, lease);
	cJSON *trial = scene_get(&scene, "/v1/trials/1.1");
	ck_assert_str_eq(scene_text(trial, "state"), "complete");
	cJSON_Delete(trial);
	cJSON_Delete(lease);
}
END_TEST

START_TEST(the_same_report_twice_is_fine_and_counts_once)
{
	scene_submit(&scene, "\"window\": 0,");
	baseline();
	cJSON *lease = play_lease(&scene, "w");
	play_report(&scene, lease);
	play_report(&scene, lease);
	cJSON *job = scene_get(&scene, "/v1/jobs/1");
	ck_assert_str_eq(scene_text(job, "trials.complete"), "2");
	ck_fails(ERR_GONE, "lease", play_say(&scene, lease, "heartbeat", "{}"));
	scene_refused(&scene, ERR_NOT_FOUND, "999", "/v1/leases/999/complete", "{}");
	cJSON_Delete(job);
	cJSON_Delete(lease);
}
END_TEST

/* A copy of a report with the first digit of its params changed. */
static char *falsify(const char *report)
{
	char *wrong = strdup(report), *at = strstr(wrong, "\"params\": ") + 10;
	*at = *at == '9' ? '8' : (char)(*at + 1);
	return wrong;
}

static long params_of(const char *report)
{
	return strtol(strstr(report, "\"params\": ") + 10, NULL, 10);
}

START_TEST(on_a_lease_that_was_reported_only_the_same_words_are_heard)
{
	static const char twice[] = "{\"reason\": \"no\"}", other[] = "{\"reason\": \"or so\"}";
	scene_submit(&scene, "\"window\": 0, \"budget\": {\"trials\": 2},");
	baseline();
	cJSON *lease = play_lease(&scene, "w");
	char *report = play_report_text(&scene, lease), *wrong = falsify(report);
	ck_ok(play_say(&scene, lease, "complete", report));
	ck_fails(ERR_GONE, "ended by another report", play_say(&scene, lease, "complete", wrong));
	ck_fails(ERR_GONE, "ended by another report", play_say(&scene, lease, "fail", twice));
	ck_ok(play_say(&scene, lease, "complete", report));
	cJSON_Delete(lease);
	lease = play_lease(&scene, "w");
	ck_ok(play_say(&scene, lease, "fail", twice));
	ck_ok(play_say(&scene, lease, "fail", twice));
	ck_fails(ERR_GONE, "ended by another report", play_say(&scene, lease, "fail", other));
	ck_fails(ERR_GONE, "ended by another report", play_say(&scene, lease, "complete", report));
	cJSON_Delete(lease);
	free(report);
	free(wrong);
}
END_TEST

START_TEST(figures_that_contradict_the_cost_model_are_refused_and_the_lease_stays)
{
	char detail[128];
	scene_submit(&scene, "\"window\": 0,");
	for (int number = 0; number < 2; number++) { /* the baseline, then a candidate */
		cJSON *lease = play_lease(&scene, "w");
		char *report = play_report_text(&scene, lease), *wrong = falsify(report);
		snprintf(detail, sizeof detail, "metrics.params: is %ld, expected %ld", params_of(wrong),
			params_of(report));
		ck_fails(ERR_INPUT, detail, play_say(&scene, lease, "complete", wrong));
		ck_ok(play_say(&scene, lease, "heartbeat", "{}"));
		ck_ok(play_say(&scene, lease, "complete", report));
		cJSON_Delete(lease);
		free(report);
		free(wrong);
	}
	cJSON *trial = scene_get(&scene, "/v1/trials/1.1");
	ck_assert_str_eq(scene_text(trial, "state"), "complete");
	cJSON_Delete(trial);
}
END_TEST

START_TEST(a_baseline_with_a_broken_inventory_is_refused_and_the_lease_stays)
{
	static const char *const broken[] = {
		"{\"metrics\": {" GOOD "}}",
		"{\"metrics\": {" GOOD "}, \"inventory\": {}}",
		"{\"metrics\": {" GOOD "}, \"inventory\": {"
		"\"groups\": [{\"name\": \"a\", \"channels\": -4}], \"layers\": [],"
		" \"fixed\": {\"params\": 0, \"buffers\": 0}}}",
		"{\"metrics\": {" GOOD "}, \"inventory\": {"
		"\"groups\": [{\"name\": \"a\", \"channels\": 4}], \"layers\": [{}],"
		" \"fixed\": {\"params\": 0, \"buffers\": 0}}}",
	};
	scene_submit(&scene, "");
	cJSON *lease = play_lease(&scene, "w");
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		ck_assert_int_eq(play_say(&scene, lease, "complete", broken[i]), ERR_INPUT);
	play_report(&scene, lease);
	ck_assert_str_eq(scene_state(&scene, 1), "searching");
	cJSON_Delete(lease);
}
END_TEST

START_TEST(a_test_score_that_cannot_be_had_costs_the_job_only_the_score)
{
	scene_submit(&scene, "\"budget\": {\"trials\": 3},");
	struct play p = { .scene = &scene, .workers = 1 };
	play_run(&p, 4);
	cJSON *lease = play_lease(&scene, "w");
	ck_assert_str_eq(scene_text(lease, "kind"), "test");
	ck_fails(ERR_INPUT, "metrics: unknown key", play_say(&scene, lease, "complete", "{\"metrics\": {}}"));
	ck_fails(ERR_INPUT, "test.accuracy: is 2",
		play_say(&scene, lease, "complete", "{\"test\": {\"accuracy\": 2, \"loss\": 0}}"));
	ck_ok(play_say(&scene, lease, "fail", "{\"reason\": \"the test set is broken\"}"));
	play_run(&p, 0);
	cJSON *job = scene_get(&scene, "/v1/jobs/1");
	ck_assert_str_eq(scene_text(job, "state"), "done");
	ck_assert_msg(strstr(scene_text(job, "reason"), "has no test score: the test set is broken"), "%s",
		scene_text(job, "reason"));
	cJSON_Delete(job);
	cJSON_Delete(lease);
}
END_TEST

START_TEST(workers_are_known_by_what_they_do)
{
	scene_submit(&scene, "");
	cJSON *lease = play_lease(&scene, "gpu-7");
	ck_assert_ptr_null(play_lease(&scene, "gpu-8"));
	cJSON *doc = scene_get(&scene, "/v1/workers");
	ck_assert_str_eq(scene_text(doc, "workers.0.name"), "gpu-7");
	ck_assert_str_eq(scene_text(doc, "workers.0.state"), "busy");
	ck_assert_str_eq(scene_text(doc, "workers.0.trial"), "1.0");
	ck_assert_str_eq(scene_text(doc, "workers.0.supervised"), "false");
	ck_assert_str_eq(scene_text(doc, "workers.1.state"), "idle");
	cJSON_Delete(doc);
	play_report(&scene, lease);
	doc = scene_get(&scene, "/v1/workers");
	ck_assert_str_eq(scene_text(doc, "workers.0.completed"), "1");
	ck_assert_str_eq(scene_text(doc, "workers.0.lease"), "null");
	cJSON_Delete(doc);
	cJSON_Delete(lease);
	scene_refused(&scene, ERR_INPUT, "worker: is \"a b\"", "/v1/leases", "{\"worker\": \"a b\"}");
	scene_refused(&scene, ERR_INPUT, "expected 1 to 64 letters, digits, dots", "/v1/leases",
		"{\"worker\": \"a@b\"}");
	cJSON_Delete(play_lease(&scene, "A.b_c-9"));
	scene_refused(&scene, ERR_INPUT, "wait: is 61", "/v1/leases", "{\"worker\": \"a\", \"wait\": 61}");
	scene_refused(&scene, ERR_INPUT, "worker: missing", "/v1/leases", "{}");
}
END_TEST

Suite *suite_lease(void)
{
	Suite *s = suite_create("lease");
	TCase *t = tcase_create("lease");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_oldest_job_is_served_first_and_the_window_bounds_what_is_out);
	tcase_add_test(t, a_released_trial_waits_again_and_no_attempt_is_counted);
	tcase_add_test(t, an_exclusive_trial_has_the_house_to_itself);
	tcase_add_test(t, a_wrong_report_is_refused_by_name_and_the_lease_stays);
	tcase_add_test(t, the_same_report_twice_is_fine_and_counts_once);
	tcase_add_test(t, on_a_lease_that_was_reported_only_the_same_words_are_heard);
	tcase_add_test(t, figures_that_contradict_the_cost_model_are_refused_and_the_lease_stays);
	tcase_add_test(t, a_baseline_with_a_broken_inventory_is_refused_and_the_lease_stays);
	tcase_add_test(t, a_test_score_that_cannot_be_had_costs_the_job_only_the_score);
	tcase_add_test(t, workers_are_known_by_what_they_do);
	suite_add_tcase(s, t);
	t = tcase_create("impatient");
	tcase_add_checked_fixture(t, open_impatient, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_lease_without_heartbeats_is_lost_and_its_trial_given_to_another);
	suite_add_tcase(s, t);
	return s;
}

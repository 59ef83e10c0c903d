/* life.c -- jobs from their submission to their end.
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

static void close_scene(void)
{
	scene_close(&scene);
}

static void work(int workers)
{
	struct play p = { .scene = &scene, .workers = workers, .order = 1 };
	play_run(&p, 0);
}

static cJSON *get_job(int id)
{
	char path[64];
	snprintf(path, sizeof path, "/v1/jobs/%d", id);
	return scene_get(&scene, path);
}

START_TEST(a_job_lives_from_its_submission_to_a_scored_pareto_set)
{
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 20},");
	ck_assert_str_eq(scene_state(&scene, id), "queued");
	cJSON *lease = play_lease(&scene, "w");
	ck_assert_str_eq(scene_text(lease, "kind"), "baseline");
	ck_assert_str_eq(scene_text(lease, "trial"), "1.0");
	ck_assert_str_eq(scene_text(lease, "candidate"), "null");
	ck_assert_str_eq(scene_text(lease, "model"), scene.blob);
	ck_assert_str_eq(scene_state(&scene, id), "preparing");
	play_report(&scene, lease);
	cJSON_Delete(lease);
	ck_assert_str_eq(scene_state(&scene, id), "searching");
	work(2);

	cJSON *job = get_job(id);
	ck_assert_str_eq(scene_text(job, "state"), "done");
	ck_assert_str_eq(scene_text(job, "reason"), "null");
	ck_assert_str_eq(scene_text(job, "trials"),
		"{\"waiting\":0,\"running\":0,\"complete\":21,\"failed\":0,\"cancelled\":0}");
	ck_assert_str_eq(scene_text(job, "groups.2"), "{\"name\":\"c\",\"channels\":32}");
	ck_assert_str_eq(scene_text(job, "frozen.0"),
		"{\"name\":\"fc.weight\",\"channels\":10,\"reason\":\"network output\"}");
	ck_assert_double_eq_tol(scene_number(job, "baseline.accuracy"), 0.95, 1e-12);
	ck_assert(scene_number(job, "best.accuracy") > 0.5);
	ck_assert(scene_number(job, "hypervolume") > 0.3);
	ck_assert(scene_number(job, "finished") >= scene_number(job, "started"));
	cJSON *pareto = scene_get(&scene, "/v1/jobs/1/pareto");
	const cJSON *trials = cJSON_GetObjectItem(pareto, "trials"), *t;
	ck_assert_str_eq(scene_text(pareto, "objectives"), "[\"accuracy\",\"params\"]");
	ck_assert_int_eq(cJSON_GetArraySize(trials), (int)scene_number(job, "pareto"));
	ck_assert_int_gt(cJSON_GetArraySize(trials), 3);
	double last = 1;
	cJSON_ArrayForEach(t, trials) {
		ck_assert_str_eq(scene_text(t, "pareto"), "true");
		ck_assert_str_eq(scene_text(t, "test"), "{\"accuracy\":0.5,\"loss\":1.25}");
		ck_assert(scene_number(t, "metrics.accuracy") <= last);
		last = scene_number(t, "metrics.accuracy");
	}
	cJSON_Delete(pareto);
	cJSON_Delete(job);
}
END_TEST

/* Plain dominance over all complete trials, by the definition. */
START_TEST(the_pareto_flags_are_those_of_the_definition)
{
	scene_submit(&scene, "\"budget\": {\"trials\": 25}, \"strategy\": {\"name\": \"random\"},");
	work(3);
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	const cJSON *trials = cJSON_GetObjectItem(doc, "trials"), *a, *b;
	ck_assert_int_eq(cJSON_GetArraySize(trials), 26);
	cJSON_ArrayForEach(a, trials) {
		bool beaten = false;
		double acc = scene_number(a, "metrics.accuracy"), params = scene_number(a, "metrics.params");
		cJSON_ArrayForEach(b, trials) {
			double more = scene_number(b, "metrics.accuracy"), less = scene_number(b, "metrics.params");
			bool equal = more == acc && less == params;
			bool first = scene_number(b, "number") < scene_number(a, "number");
			beaten = beaten || (equal ? first : more >= acc && less <= params);
		}
		ck_assert_str_eq(scene_text(a, "pareto"), beaten ? "false" : "true");
	}
	cJSON_Delete(doc);
}
END_TEST

START_TEST(only_complete_trials_are_judged_feasible_or_not)
{
	struct play p = { .scene = &scene, .workers = 1, .order = 1, .fail_every = 2 };
	scene_submit(&scene, "\"constraints\": {\"accuracy\": \">= baseline\"},");
	play_run(&p, 3);
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	static const char *const states[] = { "complete", "complete", "failed", "waiting" };
	static const char *const judged[] = { "true", "false", "null", "null" };
	for (int i = 0; i < 4; i++) {
		char state[32], feasible[32];
		snprintf(state, sizeof state, "trials.%d.state", i);
		snprintf(feasible, sizeof feasible, "trials.%d.feasible", i);
		ck_assert_str_eq(scene_text(doc, state), states[i]);
		ck_assert_str_eq(scene_text(doc, feasible), judged[i]);
	}
	cJSON_Delete(doc);
	play_drop(&p);
}
END_TEST

START_TEST(models_of_trials_can_be_fetched)
{
	char *text, *candidate;
	scene_submit(&scene, "\"budget\": {\"trials\": 2},");
	work(1);
	ck_ok(http_get_text(scene.http, "/v1/trials/1.0/model", &text, &e));
	ck_assert_str_eq(text, "stands for a model and for data");
	free(text);
	cJSON *trial = scene_get(&scene, "/v1/trials/1.2");
	candidate = strdup(scene_text(trial, "candidate"));
	ck_ok(http_get_text(scene.http, "/v1/trials/1.2/model", &text, &e));
	ck_assert_str_eq(text, candidate);
	ck_assert(scene_number(trial, "achieved.params") > 0);
	ck_assert_str_eq(scene_text(trial, "worker"), "w0");
	ck_assert_int_eq((int)scene_number(trial, "attempts"), 1);
	cJSON_Delete(trial);
	free(candidate);
	free(text);
	scene_refused(&scene, ERR_NOT_FOUND, "1.3", "/v1/trials/1.3/model", NULL);
}
END_TEST

START_TEST(a_job_that_was_done_before_is_answered_from_the_store)
{
	char *first, *second;
	scene_submit(&scene, "\"budget\": {\"trials\": 12},");
	work(2);
	int again = scene_submit(&scene, "\"budget\": {\"trials\": 12},");
	cJSON *lease = play_lease(&scene, "w");
	ck_assert_msg(!lease, "lease of %s", scene_text(lease, "trial"));
	ck_assert_str_eq(scene_state(&scene, again), "done");
	first = play_story(&scene, 1);
	second = play_story(&scene, again);
	ck_assert_str_eq(first, second);
	cJSON *trial = scene_get(&scene, "/v1/trials/2.5");
	ck_assert_str_eq(scene_text(trial, "source"), "1.5");
	cJSON_Delete(trial);
	free(first);
	free(second);
}
END_TEST

/* One group of four channels: after four proposals every candidate is a repetition, some of trials still under way. */
START_TEST(a_candidate_that_is_under_way_is_never_run_twice)
{
	static const char tiny[] =
		"{\"groups\": [{\"name\": \"a\", \"channels\": 4}], \"layers\": [{\"name\": \"/a\", \"op\": \"Conv\","
		"\"out\": [[0, 1]], \"in\": [[-1, 1]], \"kernel\": 9, \"positions\": 9, \"vectors\": 1,"
		" \"buffers\": 0}],"
		"\"fixed\": {\"params\": 0, \"buffers\": 0}}";
	play_use_inventory(tiny);
	struct play p = { .scene = &scene, .workers = 4, .order = 3 };
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 30}, \"strategy\": {\"name\": \"random\", \"high\": 1,"
		"\"low\": 0.01}, \"window\": 6,");
	if (_i == 1) { /* a crash while some wait for others */
		play_run(&p, 2);
		scene_kill(&scene);
		scene_start(&scene);
	}
	play_run(&p, 0);
	ck_assert_str_eq(scene_state(&scene, id), "done");
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	const cJSON *t;
	bool run[5] = { false };
	int shared = 0;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials")) {
		ck_assert_str_eq(scene_text(t, "state"), "complete");
		if (scene_number(t, "number") == 0)
			continue;
		int keep = atoi(scene_text(t, "candidate.0"));
		bool own = !strcmp(scene_text(t, "source"), "null");
		ck_assert_msg(!own || !run[keep], "%d channels were evaluated twice", keep);
		run[keep] = run[keep] || own;
		shared += !own;
	}
	ck_assert_int_ge(shared, 26);
	cJSON_Delete(doc);
}
END_TEST

START_TEST(failed_trials_are_told_and_the_job_goes_on)
{
	struct play p = { .scene = &scene, .workers = 2, .order = 2, .fail_every = 4 };
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 16},");
	play_run(&p, 0);
	cJSON *job = get_job(id), *trial = scene_get(&scene, "/v1/trials/1.4");
	ck_assert_str_eq(scene_text(job, "state"), "done");
	ck_assert_int_eq((int)scene_number(job, "trials.failed"), 4);
	ck_assert_str_eq(scene_text(trial, "state"), "failed");
	ck_assert_str_eq(scene_text(trial, "reason"), "diverged");
	ck_assert_str_eq(scene_text(trial, "metrics"), "null");
	cJSON_Delete(job);
	cJSON_Delete(trial);
}
END_TEST

START_TEST(a_job_of_which_no_candidate_could_be_evaluated_fails_with_the_first_reason)
{
	struct play p = { .scene = &scene, .workers = 1, .fail_every = 1 };
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 5},");
	play_run(&p, 1);
	cJSON *lease = play_lease(&scene, "w");
	ck_assert_str_eq(scene_text(lease, "trial"), "1.1");
	ck_ok(play_say(&scene, lease, "fail", "{\"reason\": \"the folder of labels is empty\"}"));
	play_run(&p, 0);
	cJSON *job = get_job(id);
	ck_assert_str_eq(scene_text(job, "state"), "failed");
	ck_assert_str_eq(scene_text(job, "reason"), "no candidate could be evaluated: the folder of labels is empty");
	ck_assert_int_eq((int)scene_number(job, "trials.failed"), 5);
	cJSON_Delete(lease);
	cJSON_Delete(job);
}
END_TEST

START_TEST(a_failed_baseline_fails_the_job_with_the_workers_reason)
{
	int id = scene_submit(&scene, "");
	cJSON *lease = play_lease(&scene, "w");
	ck_ok(play_say(&scene, lease, "fail", "{\"reason\": \"operator Foo is not known\"}"));
	cJSON *job = get_job(id);
	ck_assert_str_eq(scene_text(job, "state"), "failed");
	ck_assert_str_eq(scene_text(job, "reason"), "the baseline failed: operator Foo is not known");
	cJSON_Delete(job);
	cJSON_Delete(lease);
}
END_TEST

START_TEST(a_network_without_groups_fails_its_job)
{
	int id = scene_submit(&scene, "");
	cJSON *lease = play_lease(&scene, "w");
	ck_ok(play_say(&scene, lease, "complete",
		"{\"metrics\": {\"accuracy\": 0.9, \"loss\": 0.1, \"params\": 0, \"macs\": 0, \"bytes\": 0,"
		" \"memory\": 0},"
		"\"inventory\": {\"groups\": [], \"layers\": [], \"fixed\": {\"params\": 0, \"buffers\": 0}}}"));
	cJSON *job = get_job(id);
	ck_assert_str_eq(scene_text(job, "state"), "failed");
	ck_assert_msg(strstr(scene_text(job, "reason"), "nothing can be pruned"), "%s", scene_text(job, "reason"));
	cJSON_Delete(job);
	cJSON_Delete(lease);
}
END_TEST

START_TEST(a_constraint_that_nothing_meets_fails_the_job_with_the_reason)
{
	static const struct {
		const char *constraints, *part;
	} cases[] = {
		{ "{\"macs\": \"<= 1\"}", "constraints.macs: allows at most 1, but the smallest" },
		{ "{\"macs\": \">= 1e9\"}", "constraints.macs: asks for at least 1000000000, but the largest" },
		{ "{\"macs\": [\">= 99%\", \"<= 20000\"]}", "and at most 20000, which nothing can meet" },
		{ "{\"accuracy\": \">= baseline + 0.5\"}", "constraints.accuracy: asks for at least 1.45" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char more[128];
		snprintf(more, sizeof more, "\"constraints\": %s,", cases[i].constraints);
		int id = scene_submit(&scene, more);
		work(1);
		cJSON *job = get_job(id);
		ck_assert_str_eq(scene_text(job, "state"), "failed");
		ck_assert_msg(strstr(scene_text(job, "reason"), cases[i].part), "%s", scene_text(job, "reason"));
		cJSON_Delete(job);
	}
}
END_TEST

START_TEST(cancel_ends_leases_and_trials)
{
	struct play p = { .scene = &scene, .workers = 2, .order = 1 };
	int id = scene_submit(&scene, "");
	play_run(&p, 3);
	cJSON *lease = play_lease(&scene, "w9");
	cJSON *job = scene_post(&scene, "/v1/jobs/1/cancel", "{}");
	ck_assert_str_eq(scene_text(job, "state"), "cancelled");
	ck_assert_int_eq((int)scene_number(job, "trials.waiting"), 0);
	ck_assert_int_eq((int)scene_number(job, "trials.running"), 0);
	ck_assert_int_gt((int)scene_number(job, "trials.cancelled"), 0);
	ck_assert_int_eq((int)scene_number(job, "trials.complete"), 3);
	ck_fails(ERR_GONE, "lease", play_say(&scene, lease, "heartbeat", "{}"));
	ck_fails(ERR_GONE, "lease", play_say(&scene, lease, "complete", "{}"));
	scene_refused(&scene, ERR_CONFLICT, "is cancelled, you can't cancel it", "/v1/jobs/1/cancel", "{}");
	ck_assert_ptr_null(play_lease(&scene, "w"));
	ck_assert_str_eq(scene_state(&scene, id), "cancelled");
	play_drop(&p);
	cJSON_Delete(job);
	cJSON_Delete(lease);
}
END_TEST

START_TEST(a_paused_job_takes_results_and_hands_out_nothing)
{
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 6},");
	cJSON *lease = play_lease(&scene, "w");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/pause", "{}"));
	scene_refused(&scene, ERR_CONFLICT, "is paused already", "/v1/jobs/1/pause", "{}");
	play_report(&scene, lease);
	cJSON_Delete(lease);
	ck_assert_str_eq(scene_state(&scene, id), "paused");
	ck_assert_ptr_null(play_lease(&scene, "w"));
	cJSON *job = scene_post(&scene, "/v1/jobs/1/resume", "{}");
	ck_assert_str_eq(scene_text(job, "state"), "searching");
	cJSON_Delete(job);
	scene_refused(&scene, ERR_CONFLICT, "only a paused job", "/v1/jobs/1/resume", "{}");
	work(2);
	ck_assert_str_eq(scene_state(&scene, id), "done");
}
END_TEST

/* When an answer or a state is seen, its turn may not have logged yet: the next request comes after it. */
START_TEST(the_log_says_how_each_job_ended)
{
	struct play p = { .scene = &scene, .workers = 1 };
	scene_submit(&scene, "\"budget\": {\"trials\": 4},");
	play_run(&p, 0);
	cJSON *job = get_job(1);
	char done[64];
	snprintf(done, sizeof done, "job 1 (made up) is done: %d in the Pareto set\n",
		(int)scene_number(job, "pareto"));
	cJSON_Delete(job);
	scene_submit(&scene, "\"seed\": 2, \"constraints\": {\"macs\": \"<= 1\"},");
	play_run(&p, 0);
	scene_submit(&scene, "\"seed\": 3,");
	cJSON *lease = play_lease(&scene, "w");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/3/cancel", "{}"));
	char *report = play_report_text(&scene, lease);
	ck_fails(ERR_GONE, "is over", play_say(&scene, lease, "complete", report));
	ck_assert_str_eq(scene_state(&scene, 3), "cancelled");
	const char *log = scene_log(&scene);
	ck_assert_msg(strstr(log, done), "%s", log);
	ck_assert_msg(strstr(log, "job 2 (made up) failed: constraints.macs: allows at most 1"), "%s", log);
	ck_assert_msg(strstr(log, "job 3 (made up) is cancelled\n"), "%s", log);
	ck_assert_msg(!strstr(log, "lease"), "%s", log);
	cJSON_Delete(lease);
	free(report);
}
END_TEST

START_TEST(jobs_are_listed_newest_first_without_their_documents)
{
	scene_submit(&scene, "\"seed\": 1,");
	scene_submit(&scene, "\"seed\": 2,");
	cJSON *doc = scene_get(&scene, "/v1/jobs");
	ck_assert_int_eq((int)scene_number(doc, "jobs.0.id"), 2);
	ck_assert_int_eq((int)scene_number(doc, "jobs.1.id"), 1);
	ck_assert_str_eq(scene_text(doc, "jobs.0.spec"), "");
	ck_assert_str_eq(scene_text(doc, "jobs.0.groups"), "");
	cJSON_Delete(doc);
	scene_refused(&scene, ERR_NOT_FOUND, "3", "/v1/jobs/3", NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "3", "/v1/jobs/3/trials", NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "3", "/v1/jobs/3/pareto", NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "3", "/v1/jobs/3/events", NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "3", "/v1/jobs/3/cancel", "{}");
}
END_TEST

START_TEST(a_job_with_a_blob_that_was_never_uploaded_is_refused)
{
	char *text = scene_job(&scene, "");
	memcpy(strstr(text, "\"test\"") + 30, "0000000", 7);
	scene_refused(&scene, ERR_INPUT, "data.test.images: is \"sha256:", "/v1/jobs", text);
	free(text);
}
END_TEST

Suite *suite_life(void)
{
	Suite *s = suite_create("life");
	TCase *t = tcase_create("life");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_job_lives_from_its_submission_to_a_scored_pareto_set);
	tcase_add_test(t, the_pareto_flags_are_those_of_the_definition);
	tcase_add_test(t, only_complete_trials_are_judged_feasible_or_not);
	tcase_add_test(t, models_of_trials_can_be_fetched);
	tcase_add_test(t, a_job_that_was_done_before_is_answered_from_the_store);
	tcase_add_loop_test(t, a_candidate_that_is_under_way_is_never_run_twice, 0, 2);
	tcase_add_test(t, failed_trials_are_told_and_the_job_goes_on);
	tcase_add_test(t, a_job_of_which_no_candidate_could_be_evaluated_fails_with_the_first_reason);
	tcase_add_test(t, a_failed_baseline_fails_the_job_with_the_workers_reason);
	tcase_add_test(t, a_network_without_groups_fails_its_job);
	tcase_add_test(t, a_constraint_that_nothing_meets_fails_the_job_with_the_reason);
	tcase_add_test(t, cancel_ends_leases_and_trials);
	tcase_add_test(t, a_paused_job_takes_results_and_hands_out_nothing);
	tcase_add_test(t, the_log_says_how_each_job_ended);
	tcase_add_test(t, jobs_are_listed_newest_first_without_their_documents);
	tcase_add_test(t, a_job_with_a_blob_that_was_never_uploaded_is_refused);
	suite_add_tcase(s, t);
	return s;
}

/* rung.c -- jobs with several rungs, and such as train the network first.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/play.h"

#define RANDOM "\"strategy\": {\"name\": \"random\"}, "
#define THREE \
	"\"rungs\": [{\"recalibrate\": 64, \"images\": 100}, {\"images\": 200, \"train\": {\"steps\": 9}}, " \
	"{\"images\": 300, \"latency\": {\"rounds\": 5}, \"train\": {\"optimizer\": \"adamw\", \"distil\": null}}], "

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

static cJSON *trial(int job, int number)
{
	char path[48];
	snprintf(path, sizeof path, "/v1/trials/%d.%d", job, number);
	return scene_get(&scene, path);
}

static void work(int workers)
{
	struct play p = { .scene = &scene, .workers = workers, .order = 5 };
	play_run(&p, 0);
}

/* The next lease whose rung scores so many images; the others are reported. */
static cJSON *lease_of(int images)
{
	for (;;) {
		cJSON *lease = play_lease(&scene, "w");
		ck_assert_msg(lease, "no lease of a rung with %d images", images);
		if (!strcmp(scene_text(lease, "kind"), "candidate") && scene_number(lease, "rung.images") == images)
			return lease;
		play_report(&scene, lease);
		cJSON_Delete(lease);
	}
}

START_TEST(one_in_eta_of_each_rung_reaches_the_next)
{
	int at[3] = { 0 }, members = 0;
	int id = scene_submit(&scene, THREE RANDOM "\"eta\": 3, \"budget\": {\"trials\": 18},");
	work(3);
	ck_assert_str_eq(scene_state(&scene, id), "done");
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials"), *job = scene_get(&scene, "/v1/jobs/1");
	ck_assert_str_eq(scene_text(job, "plan"), "[18,6,2]");
	ck_assert_str_eq(scene_text(job, "trials.complete"), "27");
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials")) {
		int rung = (int)scene_number(t, "rung");
		if (scene_number(t, "number") == 0) {
			ck_assert_int_eq(rung, 2);
			continue;
		}
		at[rung]++;
		ck_assert_int_eq(!strcmp(scene_text(t, "parent"), "null"), rung == 0);
		bool member = !strcmp(scene_text(t, "pareto"), "true");
		members += member;
		ck_assert(!member || rung == 2);
		ck_assert_int_eq(!strcmp(scene_text(t, "test"), "null"), !member);
		ck_assert_int_eq(!strcmp(scene_text(t, "metrics.latency"), "null"), rung < 2);
	}
	ck_assert(at[0] == 18 && at[1] == 6 && at[2] == 2);
	ck_assert_int_ge(members, 1);
	cJSON_Delete(doc);
	cJSON_Delete(job);
}
END_TEST

START_TEST(the_best_is_one_of_the_last_rung)
{
	double best = 0;
	scene_submit(&scene, THREE RANDOM "\"budget\": {\"trials\": 12},");
	work(2);
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials"))
		if (scene_number(t, "number") > 0 && scene_number(t, "rung") == 2)
			best = scene_number(t, "metrics.accuracy") > best ? scene_number(t, "metrics.accuracy") : best;
	for (int restart = 0; restart < 2; restart++) {
		cJSON *job = scene_get(&scene, "/v1/jobs/1");
		ck_assert_double_eq(scene_number(job, "best.accuracy"), best);
		cJSON_Delete(job);
		scene_kill(&scene);
		scene_start(&scene);
	}
	cJSON_Delete(doc);
}
END_TEST

START_TEST(a_lease_says_what_its_rung_does_and_where_it_continues)
{
	static const char *const absent[] = { "from", "pretrain", "rung.train" };
	scene_submit(&scene, THREE RANDOM "\"budget\": {\"trials\": 12},");
	cJSON *baseline = play_lease(&scene, "w");
	ck_assert_str_eq(scene_text(baseline, "rung"), "{\"recalibrate\":2048,\"images\":300,\"latency\":"
		"{\"batch\":1,\"rounds\":5,\"exclusive\":false}}");
	play_report(&scene, baseline);
	cJSON *quick = lease_of(100);
	for (int i = 0; i < 3; i++) {
		ck_assert_str_eq(scene_text(baseline, absent[i]), "");
		ck_assert_str_eq(scene_text(quick, absent[i]), "");
	}
	ck_assert_str_eq(scene_text(quick, "rung"), "{\"recalibrate\":64,\"images\":100,\"latency\":null}");
	play_report(&scene, quick);
	cJSON *higher = lease_of(200);
	ck_assert_str_eq(scene_text(higher, "rung.train.steps"), "9");
	ck_assert_str_eq(scene_text(higher, "rung.train.distil"), "{\"weight\":0.5,\"temperature\":4}");
	ck_assert_str_eq(scene_text(higher, "model"), scene.blob);
	char path[64];
	snprintf(path, sizeof path, "/v1/trials/%s", scene_text(higher, "trial"));
	cJSON *child = scene_get(&scene, path);
	snprintf(path, sizeof path, "/v1/trials/%s", scene_text(child, "parent"));
	cJSON *parent = scene_get(&scene, path);
	ck_assert_str_eq(scene_text(parent, "rung"), "0");
	ck_assert_str_eq(scene_text(parent, "model"), scene_text(higher, "from"));
	ck_assert_str_eq(scene_text(parent, "candidate"), scene_text(higher, "candidate"));
	ck_assert_str_eq(scene_text(parent, "requested"), scene_text(child, "requested"));
	play_report(&scene, higher);
	cJSON *last = lease_of(300);
	ck_assert_str_eq(scene_text(last, "rung.train.optimizer"), "adamw");
	ck_assert_str_eq(scene_text(last, "rung.train.distil"), "null");
	cJSON_Delete(baseline);
	cJSON_Delete(quick);
	cJSON_Delete(higher);
	cJSON_Delete(child);
	cJSON_Delete(parent);
	cJSON_Delete(last);
}
END_TEST

START_TEST(the_test_of_a_member_says_nothing_of_training)
{
	scene_submit(&scene, THREE RANDOM "\"budget\": {\"trials\": 3},");
	for (;;) {
		cJSON *lease = play_lease(&scene, "w");
		ck_assert_ptr_nonnull(lease);
		bool test = !strcmp(scene_text(lease, "kind"), "test");
		if (test) {
			ck_assert_str_eq(scene_text(lease, "rung.train"), "");
			ck_assert_str_eq(scene_text(lease, "from"), "");
			ck_assert_str_eq(scene_text(lease, "rung.images"), "300");
		}
		play_report(&scene, lease);
		cJSON_Delete(lease);
		if (test)
			return;
	}
}
END_TEST

START_TEST(a_single_candidate_climbs_to_the_last_rung)
{
	int id = scene_submit(&scene, THREE RANDOM "\"budget\": {\"trials\": 1},");
	work(2);
	ck_assert_str_eq(scene_state(&scene, id), "done");
	cJSON *t = trial(id, 3);
	ck_assert_str_eq(scene_text(t, "rung"), "2");
	ck_assert_str_eq(scene_text(t, "parent"), "1.2");
	cJSON_Delete(t);
}
END_TEST

/* What lies below a rung is part of its results' identity; what lies above is not. */
START_TEST(known_results_are_shared_up_to_the_rung_that_differs)
{
	static const char *const jobs[] = {
		"\"rungs\": [{\"images\": 100}, {\"images\": 200, \"train\": {\"steps\": 9}}, {\"images\": 300}], ",
		"\"rungs\": [{\"images\": 100}, {\"images\": 200, \"train\": {\"steps\": 8}}, {\"images\": 300}], ",
		"\"rungs\": [{\"images\": 100}, {\"images\": 200, \"train\": {\"steps\": 9}}, {\"images\": 300}], ",
	};
	static const int shared[] = { 0, 9, 13 };
	for (int i = 0; i < 3; i++) {
		char more[512], path[32];
		int known = 0;
		snprintf(more, sizeof more, "%s" RANDOM "\"budget\": {\"trials\": 9},", jobs[i]);
		snprintf(path, sizeof path, "/v1/jobs/%d/trials", scene_submit(&scene, more));
		work(2);
		cJSON *doc = scene_get(&scene, path);
		const cJSON *t;
		cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials")) {
			bool is_known = strcmp(scene_text(t, "source"), "null"), baseline = !scene_number(t, "number");
			known += is_known && !baseline;
			ck_assert(i != 1 || is_known == (baseline || scene_number(t, "rung") == 0));
		}
		ck_assert_int_eq(known, shared[i]);
		cJSON_Delete(doc);
	}
}
END_TEST

START_TEST(only_the_rung_that_is_exclusive_has_the_house_to_itself)
{
	scene_submit(&scene, "\"rungs\": [{\"images\": 100}, {\"images\": 200, \"latency\": {\"exclusive\": true}}], "
		RANDOM "\"budget\": {\"trials\": 12}, \"window\": 6,");
	cJSON *baseline = play_lease(&scene, "a");
	ck_assert_ptr_null(play_lease(&scene, "b"));
	play_report(&scene, baseline);
	cJSON *one = play_lease(&scene, "a"), *two = play_lease(&scene, "b");
	ck_assert(one && two);
	play_report(&scene, one);
	play_report(&scene, two);
	cJSON *higher = lease_of(200);
	ck_assert_ptr_null(play_lease(&scene, "b"));
	play_report(&scene, higher);
	cJSON_Delete(baseline);
	cJSON_Delete(one);
	cJSON_Delete(two);
	cJSON_Delete(higher);
}
END_TEST

START_TEST(a_bound_on_the_latency_binds_where_it_is_measured)
{
	int bound[3] = { 0 };
	scene_submit(&scene, THREE RANDOM "\"budget\": {\"trials\": 18}, "
		"\"constraints\": {\"latency\": \"<= 0.0001\"},");
	work(2);
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials"))
		bound[(int)scene_number(t, "rung")] += !strcmp(scene_text(t, "feasible"), "false");
	ck_assert(bound[0] == 0 && bound[1] == 0 && bound[2] == 3); /* the baseline too */
	cJSON_Delete(doc);
}
END_TEST

START_TEST(a_job_whose_candidates_all_fail_further_up_has_failed)
{
	int id = scene_submit(&scene, THREE RANDOM "\"budget\": {\"trials\": 9},");
	for (cJSON *lease; (lease = play_lease(&scene, "w")); cJSON_Delete(lease)) {
		if (*scene_text(lease, "from"))
			ck_ok(play_say(&scene, lease, "fail", "{\"reason\": \"diverged\"}"));
		else
			play_report(&scene, lease);
	}
	cJSON *job = scene_get(&scene, "/v1/jobs/1");
	ck_assert_str_eq(scene_state(&scene, id), "failed");
	ck_assert_str_eq(scene_text(job, "reason"), "no candidate completed the last rung: diverged");
	ck_assert_str_eq(scene_text(job, "trials.failed"), "6"); /* three in turn, and three more to be sure */
	cJSON_Delete(job);
}
END_TEST

START_TEST(a_job_may_be_paused_and_cancelled_while_candidates_climb)
{
	int id = scene_submit(&scene, THREE RANDOM "\"budget\": {\"trials\": 12},");
	cJSON *higher = lease_of(200);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/pause", "{}"));
	ck_assert_ptr_null(play_lease(&scene, "b"));
	play_report(&scene, higher);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/resume", "{}"));
	cJSON *last = lease_of(200);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", "{}"));
	ck_assert_int_eq(play_say(&scene, last, "heartbeat", "{}"), ERR_GONE);
	ck_assert_str_eq(scene_state(&scene, id), "cancelled");
	cJSON_Delete(higher);
	cJSON_Delete(last);
}
END_TEST

/* ---- pretraining ---------------------------------------------------------------------------------------------- */

#define PRETRAIN "\"pretrain\": {\"epochs\": 3, \"rate\": 0.1}, "
#define UNKNOWN "0000000000000000000000000000000000000000000000000000000000000000"

START_TEST(what_was_trained_first_is_the_network_of_all_that_follows)
{
	char trained[DIGEST_HEX + 1];
	ck_ok(digest_bytes("trained", 7, trained, &e));
	int id = scene_submit(&scene, PRETRAIN RANDOM "\"budget\": {\"trials\": 2}, \"rungs\": [{}, {}],");
	cJSON *baseline = play_lease(&scene, "w");
	ck_assert_str_eq(scene_text(baseline, "pretrain.epochs"), "3");
	ck_assert_str_eq(scene_text(baseline, "pretrain.distil"), "null");
	ck_assert_str_eq(scene_text(baseline, "model"), scene.blob);
	play_report(&scene, baseline);
	cJSON *zero = trial(id, 0);
	ck_assert_str_eq(scene_text(zero, "model"), trained);
	for (int leases = 0;; leases++) {
		cJSON *lease = play_lease(&scene, "w");
		if (!lease) {
			ck_assert_int_ge(leases, 4);
			break;
		}
		ck_assert_str_eq(scene_text(lease, "pretrain"), "");
		if (!strcmp(scene_text(lease, "kind"), "candidate") || !strcmp(scene_text(lease, "trial"), "1.0"))
			ck_assert_str_eq(scene_text(lease, "model"), trained);
		play_report(&scene, lease);
		cJSON_Delete(lease);
		scene_kill(&scene);
		scene_start(&scene);
	}
	ck_assert_str_eq(scene_state(&scene, id), "done");
	cJSON_Delete(zero);
	cJSON_Delete(baseline);
}
END_TEST

START_TEST(a_trained_baseline_is_reported_with_its_model_and_no_other)
{
	scene_submit(&scene, PRETRAIN);
	scene_submit(&scene, "\"seed\": 2,");
	cJSON *trained = play_lease(&scene, "a"), *plain = play_lease(&scene, "b");
	char *with = play_report_text(&scene, trained), *without = play_report_text(&scene, plain), *wrong;
	ck_fails(ERR_INPUT, "model: missing", play_say(&scene, trained, "complete", without));
	ck_fails(ERR_INPUT, "model: unknown key", play_say(&scene, plain, "complete", with));
	ck_assert_int_ge(asprintf(&wrong, "%.*s, \"model\": \"" UNKNOWN "\"}", (int)strlen(without) - 1, without), 0);
	ck_fails(ERR_INPUT, "never uploaded", play_say(&scene, trained, "complete", wrong));
	ck_ok(play_say(&scene, trained, "complete", with));
	ck_ok(play_say(&scene, plain, "complete", without));
	free(with);
	free(without);
	free(wrong);
	cJSON_Delete(trained);
	cJSON_Delete(plain);
}
END_TEST

START_TEST(an_evaluation_that_trains_may_take_longer)
{
	static const struct {
		const char *job, *limits[4]; /* of the baseline, a candidate at each rung, a test */
	} given[] = {
		{ "", { "600", "600", "86400", "600" } },
		{ PRETRAIN, { "86400", "600", "86400", "600" } },
		{ PRETRAIN "\"limits\": {\"trial_seconds\": 7}, ", { "7", "7", "7", "7" } },
	};
	char job[256];
	snprintf(job, sizeof job, "%s" RANDOM "\"rungs\": [{\"images\": 100}, {\"images\": 200, \"train\": {}}], "
		"\"budget\": {\"trials\": 1},", given[_i].job);
	scene_submit(&scene, job);
	for (int i = 0; i < 4; i++) {
		cJSON *lease = play_lease(&scene, "w");
		ck_assert_str_eq(scene_text(lease, "kind"), i == 0 ? "baseline" : i < 3 ? "candidate" : "test");
		ck_assert_str_eq(scene_text(lease, "limits.trial_seconds"), given[_i].limits[i]);
		play_report(&scene, lease);
		cJSON_Delete(lease);
	}
}
END_TEST

START_TEST(the_same_training_is_done_once)
{
	char trained[DIGEST_HEX + 1];
	ck_ok(digest_bytes("trained", 7, trained, &e));
	scene_submit(&scene, PRETRAIN RANDOM "\"budget\": {\"trials\": 2},");
	work(1);
	int same = scene_submit(&scene, PRETRAIN RANDOM "\"budget\": {\"trials\": 3},");
	cJSON *zero = trial(same, 0), *one = trial(same, 1);
	ck_assert_str_eq(scene_text(zero, "source"), "1.0");
	ck_assert_str_eq(scene_text(zero, "model"), trained);
	ck_assert_str_eq(scene_text(one, "source"), "1.1");
	int pruned = scene_submit(&scene, PRETRAIN RANDOM "\"prune\": {\"criterion\": \"l2\"}, "
		"\"rungs\": [{\"images\": 100}, {\"train\": {\"steps\": 9}}], \"budget\": {\"trials\": 3},");
	cJSON *shared = trial(pruned, 0), *pruned_one = trial(pruned, 1);
	ck_assert_str_eq(scene_text(shared, "source"), "1.0");
	ck_assert_str_eq(scene_text(shared, "model"), trained);
	ck_assert_str_eq(scene_text(pruned_one, "source"), "null");
	int other = scene_submit(&scene, "\"pretrain\": {\"epochs\": 4}, " RANDOM);
	ck_assert_str_eq(scene_state(&scene, other), "queued");
	int none = scene_submit(&scene, RANDOM);
	ck_assert_str_eq(scene_state(&scene, none), "queued");
	cJSON_Delete(zero);
	cJSON_Delete(one);
	cJSON_Delete(shared);
	cJSON_Delete(pruned_one);
}
END_TEST

Suite *suite_rung(void)
{
	Suite *s = suite_create("rung");
	TCase *t = tcase_create("rung");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_add_test(t, one_in_eta_of_each_rung_reaches_the_next);
	tcase_add_test(t, the_best_is_one_of_the_last_rung);
	tcase_add_test(t, a_lease_says_what_its_rung_does_and_where_it_continues);
	tcase_add_test(t, the_test_of_a_member_says_nothing_of_training);
	tcase_add_test(t, a_single_candidate_climbs_to_the_last_rung);
	tcase_add_test(t, known_results_are_shared_up_to_the_rung_that_differs);
	tcase_add_test(t, only_the_rung_that_is_exclusive_has_the_house_to_itself);
	tcase_add_test(t, a_bound_on_the_latency_binds_where_it_is_measured);
	tcase_add_test(t, a_job_whose_candidates_all_fail_further_up_has_failed);
	tcase_add_test(t, a_job_may_be_paused_and_cancelled_while_candidates_climb);
	tcase_add_test(t, what_was_trained_first_is_the_network_of_all_that_follows);
	tcase_add_test(t, a_trained_baseline_is_reported_with_its_model_and_no_other);
	tcase_add_test(t, the_same_training_is_done_once);
	tcase_add_loop_test(t, an_evaluation_that_trains_may_take_longer, 0, 3);
	suite_add_tcase(s, t);
	return s;
}

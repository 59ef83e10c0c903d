/* explain.c -- what a search learned: asked of jobs that live, and of such that are over.
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/trial.h"
#include "tests/daemon/play.h"

#define RANDOM "\"strategy\": {\"name\": \"random\"}, "
#define EXPLAIN "/v1/jobs/1/explain"

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
	struct play p = { .scene = &scene, .workers = 1, .fail_every = 7 };
	play_run(&p, most);
}

static char *asked(const char *path)
{
	cJSON *doc = scene_get(&scene, path);
	char *text = cJSON_PrintUnformatted(doc);
	cJSON_Delete(doc);
	return text;
}

START_TEST(it_is_the_same_while_the_job_lives_after_a_crash_and_when_it_is_over)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 30}, \"window\": 0,");
	work(31);
	char *live = asked(EXPLAIN);
	cJSON *doc = cJSON_Parse(live);
	ck_assert_str_eq(scene_text(doc, "metric"), "accuracy");
	ck_assert_str_eq(scene_text(doc, "cost"), "params");
	ck_assert_str_eq(scene_text(doc, "results"), "26");
	ck_assert_str_eq(scene_text(doc, "groups.2.name"), "c");
	ck_assert_str_ne(scene_text(doc, "groups.0.sensitivity"), "");
	ck_assert_str_ne(scene_text(doc, "chosen.groups.0.reason"), "");
	cJSON_Delete(doc);
	scene_kill(&scene);
	scene_start(&scene);
	char *again = asked(EXPLAIN);
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	char *over = asked(EXPLAIN);
	ck_assert_str_eq(live, again);
	ck_assert_str_eq(live, over);
	free(live);
	free(again);
	free(over);
}
END_TEST

START_TEST(a_trial_may_be_named)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 12},");
	work(8);
	cJSON *doc = scene_get(&scene, EXPLAIN "?trial=3"), *trial = scene_get(&scene, "/v1/trials/1.3");
	ck_assert_str_eq(scene_text(doc, "chosen.number"), "3");
	ck_assert_str_eq(scene_text(doc, "chosen.groups.1.kept"), scene_text(trial, "candidate.1"));
	ck_assert_double_eq_tol(scene_number(doc, "chosen.value"), scene_number(trial, "metrics.accuracy"), 1e-4);
	cJSON_Delete(doc);
	cJSON_Delete(trial);
	scene_refused(&scene, ERR_CONFLICT, "trial 1.7: is failed, only a complete one", EXPLAIN "?trial=7", NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "1.99", EXPLAIN "?trial=99", NULL);
	scene_refused(&scene, ERR_INPUT, "trial: is \"0\", expected an integer from 1", EXPLAIN "?trial=0", NULL);
	scene_refused(&scene, ERR_INPUT, "trial: is \"x\", expected an integer from 1", EXPLAIN "?trial=x", NULL);
}
END_TEST

START_TEST(what_went_up_is_explained_by_where_it_came_from)
{
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 9}, \"eta\": 3, "
		"\"rungs\": [{\"images\": 9}, {\"train\": {\"steps\": 5}}, {\"train\": {}, \"latency\": {}}],"
		"\"objectives\": [\"accuracy\", \"latency\"],");
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	cJSON *best = scene_get(&scene, "/v1/jobs/1/best");
	ck_assert_str_eq(scene_text(best, "rung"), "2");
	char path[64];
	snprintf(path, sizeof path, EXPLAIN "?trial=%s", scene_text(best, "number"));
	cJSON *doc = scene_get(&scene, path);
	ck_assert_str_eq(scene_text(doc, "results"), "8");
	for (int g = 0; g < SCENE_GROUPS; g++) {
		char kept[32], keeps[32];
		snprintf(kept, sizeof kept, "chosen.groups.%d.kept", g);
		snprintf(keeps, sizeof keeps, "candidate.%d", g);
		ck_assert_str_eq(scene_text(doc, kept), scene_text(best, keeps));
	}
	cJSON_Delete(best);
	cJSON_Delete(doc);
}
END_TEST

/* Whether a trial of the Pareto set, the baseline aside, has this candidate; they are counted. */
static bool in_the_set(const char *candidate, int *ret_count)
{
	bool found = false;
	const cJSON *trial;
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/pareto");
	*ret_count = 0;
	cJSON_ArrayForEach(trial, cJSON_GetObjectItem(doc, "trials")) {
		*ret_count += scene_number(trial, "number") > 0;
		found = found || !strcmp(scene_text(trial, "candidate"), candidate);
	}
	cJSON_Delete(doc);
	return found;
}

START_TEST(the_front_is_that_of_the_last_rung)
{
	int members;
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 18}, \"eta\": 3, \"rungs\": [{}, {\"train\": {}}],");
	work(6);
	cJSON *doc = scene_get(&scene, EXPLAIN);
	ck_assert_str_eq(scene_text(doc, "front"), "0");
	ck_assert_str_eq(scene_text(doc, "chosen"), "null");
	cJSON_Delete(doc);
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	doc = scene_get(&scene, EXPLAIN);
	char id[32];
	snprintf(id, sizeof id, "/v1/trials/1.%s", scene_text(doc, "chosen.number"));
	cJSON *trial = scene_get(&scene, id);
	ck_assert_str_eq(scene_text(trial, "rung"), "0");
	ck_assert(in_the_set(scene_text(trial, "candidate"), &members));
	ck_assert_int_ge(members, 2);
	ck_assert_int_eq((int)scene_number(doc, "front"), members);
	cJSON_Delete(trial);
	cJSON_Delete(doc);
}
END_TEST

START_TEST(without_results_there_is_nothing_to_explain)
{
	scene_submit(&scene, RANDOM);
	scene_refused(&scene, ERR_CONFLICT, "job 1: is queued, and has no results", EXPLAIN, NULL);
	work(1);
	scene_refused(&scene, ERR_NOT_FOUND, "nothing to explain", EXPLAIN, NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "no job 4", "/v1/jobs/4/explain", NULL);
}
END_TEST

/* As a damaged disk would. */
static void damage(int64_t number)
{
	char state[96];
	struct store *store;
	struct trial_row r;
	snprintf(state, sizeof state, "%s/state", scene.directory);
	ck_ok(store_open(state, &store, &e));
	ck_ok(trial_load(store, 1, number, &r, &e));
	free(r.candidate);
	r.candidate = strdup("[1,2");
	ck_ok(trial_update(store, &r, &e));
	ck_ok(store_commit(store, &e));
	trial_row_fini(&r);
	store_close(store);
}

/* All of them wait when the daemon wakes up, so it sees them in one turn. */
START_TEST(a_question_that_fails_harms_no_other_request_of_its_turn)
{
	enum { PAIRS = 4 };
	int question[PAIRS], write[PAIRS];
	char *job = scene_job(&scene, "");
	scene_submit(&scene, RANDOM "\"budget\": {\"trials\": 5},");
	work(0);
	ck_assert_int_eq(scene_stop(&scene), 0);
	damage(2);
	scene_start(&scene);
	scene_refused(&scene, ERR_INTERNAL, "trial 1.2: its candidate is not one", EXPLAIN, NULL);
	kill(scene.pid, SIGSTOP);
	for (int i = 0; i < PAIRS; i++) {
		write[i] = scene_send_json(&scene, "POST", "/v1/jobs", job);
		question[i] = scene_send(&scene, "GET " EXPLAIN " HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	kill(scene.pid, SIGCONT);
	for (int i = 0; i < PAIRS; i++) {
		ck_assert_ptr_nonnull(strstr(scene_read(write[i], "}\n"), " 201 "));
		ck_assert_ptr_nonnull(strstr(scene_read(question[i], "}\n"), " 500 "));
		close(write[i]);
		close(question[i]);
	}
	free(job);
}
END_TEST

Suite *suite_explain(void)
{
	Suite *s = suite_create("explain");
	TCase *t = tcase_create("explain");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, it_is_the_same_while_the_job_lives_after_a_crash_and_when_it_is_over);
	tcase_add_test(t, a_trial_may_be_named);
	tcase_add_test(t, what_went_up_is_explained_by_where_it_came_from);
	tcase_add_test(t, the_front_is_that_of_the_last_rung);
	tcase_add_test(t, a_question_that_fails_harms_no_other_request_of_its_turn);
	tcase_add_test(t, without_results_there_is_nothing_to_explain);
	suite_add_tcase(s, t);
	return s;
}

/* best.c -- the best trial under bounds: asked of jobs that live, and of such that are over.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/play.h"

#define MANUAL "\"strategy\": {\"name\": \"manual\"}, "
#define BEST "/v1/jobs/1/best"

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

/* Trials 1 to 4: all, half, a quarter, hardly anything; the formula gives each less accuracy than the one before. */
static void begin(const char *more)
{
	scene_submit(&scene, more);
	work(1);
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/trials",
		"{\"candidates\": [[16, 24, 32], [8, 12, 16], [4, 6, 8], [1, 2, 2]]}"));
}

static void expect_best(const char *query, const char *id)
{
	char path[160];
	snprintf(path, sizeof path, BEST "%s", query);
	cJSON *t = scene_get(&scene, path);
	ck_assert_msg(!strcmp(scene_text(t, "id"), id), "%s: %s, expected %s", query, scene_text(t, "id"), id);
	cJSON_Delete(t);
}

static void ask_all(void)
{
	expect_best("", "1.1");
	expect_best("?where=macs%3C%3D100%25", "1.1");
	expect_best("?where=macs%20%3C%3D%2090%25", "1.2");
	expect_best("?where=macs<=30%25", "1.2");
	expect_best("?where=macs<=10%25&where=accuracy>=0.1", "1.3");
	expect_best("?where=accuracy>=baseline%20-%200.9&where=params<=20%25", "1.3");
	scene_refused(&scene, ERR_NOT_FOUND, "none of 4 trials meets that; the nearest is 1.2 with accuracy",
		BEST "?where=accuracy>=0.9&where=macs<=50%25", NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "the nearest is 1.4 with macs", BEST "?where=macs<=0.01%25", NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "% of the baseline's, expected at most", BEST "?where=macs<=0.01%25",
		NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "latency was not measured", BEST "?where=latency<=0.5", NULL);
}

START_TEST(the_best_is_found_while_the_job_lives_and_after)
{
	begin(MANUAL "\"budget\": {\"trials\": 4}, \"prune\": {\"max_ratio\": 1},");
	scene_refused(&scene, ERR_NOT_FOUND, "no candidate is complete", BEST, NULL);
	work(4);
	ask_all();
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	ask_all();
	scene_kill(&scene);
	scene_start(&scene);
	ask_all();
}
END_TEST

START_TEST(wrong_questions_are_refused_by_name)
{
	begin(MANUAL);
	static const struct {
		const char *query, *says;
	} wrong[] = {
		{ "?where=flops<=30%25", "where: \"flops<=30%\": expected METRIC OP BOUND with one of the metrics" },
		{ "?where=", "where: \"\": expected METRIC OP BOUND" },
		{ "?where", "where: is no text" },
		{ "?where=macs", "where: \"macs\": expected <= or >= behind macs" },
		{ "?where=macs<30%25", "expected <= or >= behind macs" },
		{ "?where=macs<=", "expected NUMBER, NUMBER% or baseline" },
		{ "?where=macs<=30%25x", "expected nothing behind the bound" },
		{ "?where=accuracy>=2", "expected a fraction from 0 to 1" },
		{ "?where=%ff%fe", "where: is no text" },
		{ "?were=macs<=30%25", "were: unknown, expected where=METRIC OP BOUND" },
		{ "?where=macs<=30%25&x=1", "x: unknown" },
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		char path[128];
		snprintf(path, sizeof path, BEST "%s", wrong[i].query);
		scene_refused(&scene, ERR_INPUT, wrong[i].says, path, NULL);
	}
	char many[512] = BEST "?where=macs<=1";
	for (int i = 0; i < 16; i++)
		strcat(many, "&where=macs<=1");
	scene_refused(&scene, ERR_INPUT, "where: is there more than 16 times", many, NULL);
}
END_TEST

START_TEST(a_job_without_results_has_no_best)
{
	scene_submit(&scene, MANUAL);
	scene_refused(&scene, ERR_CONFLICT, "job 1: is queued, and has no results", BEST, NULL);
	scene_refused(&scene, ERR_NOT_FOUND, "no job 3", "/v1/jobs/3/best", NULL);
}
END_TEST

START_TEST(what_the_job_itself_forbids_is_never_the_best)
{
	begin(MANUAL "\"constraints\": {\"accuracy\": \"<= 0.9\"},");
	work(4);
	expect_best("", "1.2");
}
END_TEST

START_TEST(only_the_last_rung_counts)
{
	begin(MANUAL "\"budget\": {\"trials\": 4}, \"eta\": 4, "
		"\"rungs\": [{\"images\": 9}, {\"train\": {\"steps\": 5}}],");
	work(0);
	ck_assert_str_eq(scene_state(&scene, 1), "done");
	cJSON *t = scene_get(&scene, BEST);
	ck_assert_str_eq(scene_text(t, "rung"), "1");
	cJSON_Delete(t);
}
END_TEST

Suite *suite_best(void)
{
	Suite *s = suite_create("best");
	TCase *t = tcase_create("best");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, the_best_is_found_while_the_job_lives_and_after);
	tcase_add_test(t, wrong_questions_are_refused_by_name);
	tcase_add_test(t, a_job_without_results_has_no_best);
	tcase_add_test(t, what_the_job_itself_forbids_is_never_the_best);
	tcase_add_test(t, only_the_last_rung_counts);
	suite_add_tcase(s, t);
	return s;
}

/* warm.c -- jobs that start from what earlier ones learned.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon.h"
#include "daemon/job.h"
#include "daemon/spec.h"
#include "daemon/warm.h"
#include "search/prior.h"
#include "search/space.h"
#include "store/store.h"
#include "store/trial.h"
#include "tests/daemon/play.h"

#define EARLIER "\"budget\": {\"trials\": 18}, \"strategy\": {\"name\": \"random\"}, \"seed\": 3, "
#define RUNGS "\"rungs\": [{\"images\": 9}, {\"train\": {\"steps\": 5}}], "

static struct scene scene;

static void setup(void)
{
	scene = (struct scene){ 0 };
	scene_open(&scene);
}

static void teardown(void)
{
	scene_close(&scene);
}

static int finished(const char *job)
{
	struct play p = { .scene = &scene, .workers = 2, .order = 5, .fail_every = 7 };
	int id = scene_submit(&scene, job);
	play_run(&p, 0);
	ck_assert_str_eq(scene_state(&scene, id), "done");
	return id;
}

static void refused(const char *keys, const char *part)
{
	char *job = scene_job(&scene, keys);
	scene_refused(&scene, ERR_INPUT, part, "/v1/jobs", job);
	free(job);
}

START_TEST(only_a_job_that_is_over_and_has_searched_can_be_learned_from)
{
	refused("\"warm_start\": 99,", "warm_start: is 99, and there is no such job");
	scene_submit(&scene, "");
	refused("\"warm_start\": [1],", "warm_start: job 1 is queued, expected one that is over");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", NULL));
	refused("\"warm_start\": 1,", "warm_start: job 1 ended before its network was known");
}
END_TEST

START_TEST(a_cancelled_job_can_be_learned_from)
{
	struct play p = { .scene = &scene, .workers = 1 };
	scene_submit(&scene, EARLIER);
	play_run(&p, 6);
	refused("\"warm_start\": 1,", "job 1 is searching");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", NULL));
	play_drop(&p);
	finished("\"seed\": 4, \"budget\": {\"trials\": 3}, \"warm_start\": 1,");
	ck_assert_ptr_nonnull(strstr(scene_log(&scene), "job 2: starts from 5 results"));
}
END_TEST

/* What a job must know of an earlier one: "[keep...]" of each complete trial of rung 0, in order. */
static int known_trials(int job, char ret[][32])
{
	char path[64];
	int n = 0;
	snprintf(path, sizeof path, "/v1/jobs/%d/trials", job);
	cJSON *doc = scene_get(&scene, path);
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials"))
		if (scene_number(t, "number") > 0 && scene_number(t, "rung") == 0 &&
			!strcmp(scene_text(t, "state"), "complete"))
			snprintf(ret[n++], 32, "%s", scene_text(t, "candidate"));
	cJSON_Delete(doc);
	return n;
}

/* The prior of a stored job, as its search would get it; limits are this job's. */
static struct prior *stored_prior(int id, struct daemon *d, struct space **ret_space)
{
	char state[96];
	struct prior *prior;
	struct job j = { .daemon = d };
	snprintf(state, sizeof state, "%s/state", scene.directory);
	ck_ok(store_open(state, &d->store, &e));
	ck_ok(job_load(d->store, id, &j.row, &e));
	ck_ok(spec_parse(j.row.spec, &j.spec, &e));
	cJSON *doc = cJSON_Parse(j.row.inventory);
	struct space_limits limits = spec_limits(j.spec);
	ck_ok(space_read(doc, &limits, ret_space, &e));
	j.space = *ret_space;
	ck_ok(warm_open(&j, &prior, &e));
	cJSON_Delete(doc);
	spec_free(j.spec);
	job_row_fini(&j.row);
	store_close(d->store);
	return prior;
}

START_TEST(complete_trials_of_the_first_rung_are_known_whatever_this_job_allows)
{
	struct daemon d = { 0 };
	struct space *space;
	char known[64][32], got[32];
	int first = finished(EARLIER RUNGS), second = finished("\"budget\": {\"trials\": 9}, \"seed\": 8, ");
	int n = known_trials(first, known);
	ck_assert(n > 0 && n < 18); /* some have failed */
	n += known_trials(second, known + n);
	int id = finished("\"prune\": {\"max_ratio\": 0.3, \"round_to\": 4}, \"budget\": {\"trials\": 2}, "
		"\"seed\": 9, \"warm_start\": [1, 2],");
	ck_assert_int_eq(scene_stop(&scene), 0);
	struct prior *prior = stored_prior(id, &d, &space);
	ck_assert_int_eq(prior_count(prior), n);
	for (int i = 0; i < n; i++) {
		const int *keep = prior_keep(prior, i);
		snprintf(got, sizeof got, "[%d,%d,%d]", keep[0], keep[1], keep[2]);
		ck_assert_str_eq(got, known[i]);
	}
	prior_free(prior);
	space_free(space);
	scene_start(&scene);
}
END_TEST

static enum err list_number(const struct trial_row *r, void *arg, struct errinfo *info)
{
	int *most = arg;
	(void)info;
	*most = (int)r->number;
	return ERR_OK;
}

/* The baseline was as fast as itself to within a half, and candidates like it. */
static void change_latencies(void)
{
	char state[96];
	int most = 0;
	struct store *store;
	snprintf(state, sizeof state, "%s/state", scene.directory);
	ck_ok(store_open(state, &store, &e));
	ck_ok(trial_each(store, 1, false, list_number, &most, &e));
	for (int n = 0; n <= most; n++) {
		struct trial_row r;
		ck_ok(trial_load(store, 1, n, &r, &e));
		r.metrics.latency = n ? 1 : 0.5;
		ck_ok(trial_update(store, &r, &e));
		trial_row_fini(&r);
	}
	ck_ok(store_commit(store, &e));
	store_close(store);
}

/* What candidates' latencies are relative to, not what the baseline's own came to. */
START_TEST(latencies_are_changes_against_1)
{
	struct daemon d = { 0 };
	struct space *space;
	const char *latency = "\"objectives\": [\"accuracy\", \"latency\"], \"rungs\": [{\"latency\": {}}], ";
	char earlier[256];
	snprintf(earlier, sizeof earlier, EARLIER "%s", latency);
	finished(earlier);
	int id = finished("\"budget\": {\"trials\": 2}, \"seed\": 9, \"warm_start\": 1,");
	ck_assert_int_eq(scene_stop(&scene), 0);
	change_latencies();
	struct prior *prior = stored_prior(id, &d, &space);
	ck_assert_int_gt(prior_count(prior), 10);
	for (int i = 0; i < prior_count(prior); i++)
		ck_assert_double_eq_tol(prior_effects(prior, i)[METRIC_LATENCY], 0, 1e-9);
	prior_free(prior);
	space_free(space);
	scene_start(&scene);
}
END_TEST

START_TEST(a_job_that_trains_otherwise_is_not_learned_from)
{
	const char *trains = "\"rungs\": [{\"train\": {\"steps\": 5}}], ";
	char job[256];
	snprintf(job, sizeof job, EARLIER "%s", _i ? "" : trains);
	finished(job);
	snprintf(job, sizeof job, "\"budget\": {\"trials\": 2}, \"warm_start\": 1, %s", _i ? trains : "");
	finished(job);
	ck_assert_ptr_nonnull(strstr(scene_log(&scene), _i
		? "job 2: takes no results of job 1, whose first rung doesn't train, unlike this one's"
		: "job 2: takes no results of job 1, whose first rung trains, unlike this one's"));
	ck_assert_ptr_nonnull(strstr(scene_log(&scene), "job 2: starts from 0 results"));
}
END_TEST

START_TEST(jobs_that_both_train_are_learned_from)
{
	const char *trains = "\"rungs\": [{\"train\": {\"steps\": 5}}, {\"train\": {\"steps\": 50}}], ";
	char job[256];
	snprintf(job, sizeof job, EARLIER "\"rungs\": [{\"train\": {\"steps\": 9}}], ");
	finished(job);
	snprintf(job, sizeof job, "\"budget\": {\"trials\": 2}, \"warm_start\": 1, %s", trains);
	finished(job);
	ck_assert_ptr_nonnull(strstr(scene_log(&scene), "job 2: starts from 16 results"));
}
END_TEST

START_TEST(a_job_without_a_warm_start_knows_nothing)
{
	struct daemon d = { 0 };
	struct space *space;
	int id = finished("\"budget\": {\"trials\": 2},");
	ck_assert_int_eq(scene_stop(&scene), 0);
	ck_assert_ptr_null(stored_prior(id, &d, &space));
	space_free(space);
	scene_start(&scene);
}
END_TEST

static const char *const warm[] = {
	"\"budget\": {\"trials\": 26}, \"strategy\": {\"name\": \"nsga2\", \"population\": 6}, \"seed\": 5, "
	"\"warm_start\": 1,",
	"\"budget\": {\"trials\": 12}, \"seed\": 6, \"window\": 2, \"warm_start\": [1]," RUNGS,
};

/* The second job's story, the daemon killed after every few reports (0: never). */
static char *told(const char *job, int few)
{
	struct play p = { .scene = &scene, .workers = 2, .order = 11, .fail_every = 7 };
	int crashes = 0;
	finished(EARLIER);
	int id = scene_submit(&scene, job);
	for (; strcmp(scene_state(&scene, id), "done"); crashes++) {
		ck_assert_int_lt(crashes, 40);
		play_run(&p, few);
		if (!few)
			continue;
		scene_kill(&scene);
		scene_start(&scene);
	}
	play_drop(&p);
	ck_assert(!few || crashes > 3);
	return play_story(&scene, id);
}

START_TEST(crashes_change_nothing_of_a_warm_start)
{
	char *undisturbed = told(warm[_i], 0);
	scene_close(&scene);
	setup();
	char *disturbed = told(warm[_i], 4);
	ck_assert_str_eq(undisturbed, disturbed);
	/* Each start of the daemon reads it anew. */
	const char *log = strstr(scene_log(&scene), "job 2: starts from 16 results");
	ck_assert_ptr_nonnull(log);
	ck_assert_ptr_nonnull(strstr(log + 1, "job 2: starts from 16 results"));
	free(undisturbed);
	free(disturbed);
}
END_TEST

Suite *suite_warm(void)
{
	Suite *s = suite_create("warm");
	TCase *t = tcase_create("warm");
	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, only_a_job_that_is_over_and_has_searched_can_be_learned_from);
	tcase_add_test(t, a_cancelled_job_can_be_learned_from);
	tcase_add_test(t, complete_trials_of_the_first_rung_are_known_whatever_this_job_allows);
	tcase_add_test(t, latencies_are_changes_against_1);
	tcase_add_loop_test(t, a_job_that_trains_otherwise_is_not_learned_from, 0, 2);
	tcase_add_test(t, jobs_that_both_train_are_learned_from);
	tcase_add_test(t, a_job_without_a_warm_start_knows_nothing);
	tcase_add_loop_test(t, crashes_change_nothing_of_a_warm_start, 0, sizeof warm / sizeof *warm);
	suite_add_tcase(s, t);
	return s;
}

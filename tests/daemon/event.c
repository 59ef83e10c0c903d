/* event.c -- server-sent events.
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

static int watch(int job)
{
	char text[96];
	snprintf(text, sizeof text, "GET /v1/jobs/%d/events HTTP/1.0\r\nHost: pared\r\n\r\n", job);
	return scene_send(&scene, text);
}

static int count(const char *text, const char *part)
{
	int n = 0;
	for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
		n++;
	return n;
}

/* The data of the n-th event whose text has that start, parsed. */
static cJSON *event_of(const char *stream, const char *start, int n)
{
	const char *p = stream;
	for (; (p = strstr(p, start)); p++)
		if (n-- == 0)
			return cJSON_Parse(strstr(p, "data: ") + 6);
	return NULL;
}

START_TEST(a_watcher_sees_the_whole_life_of_a_job_and_the_stream_ends_with_it)
{
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 12},");
	int fd = watch(id);
	struct play p = { .scene = &scene, .workers = 2, .order = 4 };
	free(strdup(scene_read(fd, "\n\n")));
	play_run(&p, 0);
	const char *stream = scene_read(fd, NULL);
	static const char *const states[] = { "preparing", "searching", "searching", "finishing", "done" };
	static const char *const ends[] = { "null", "null", "trials", "trials", "trials" };
	int jobs = count(stream, "event: job\n");
	for (int i = 0; i < jobs; i++) {
		cJSON *job = event_of(stream, "event: job\n", i);
		ck_assert_str_eq(scene_text(job, "state"), states[i]);
		ck_assert_str_eq(scene_text(job, "ended"), ends[i]);
		cJSON_Delete(job);
	}
	ck_assert_int_eq(jobs, 5);
	/* Each of 13 trials started and ended at least. */
	ck_assert_int_ge(count(stream, "event: trial\n"), 26);
	const char *running = strstr(stream, "\"id\":\"1.3\",");
	ck_assert(running && strstr(running, "\"state\":\"running\""));
	const char *last = strstr(stream, "\"state\":\"done\"");
	ck_assert_ptr_nonnull(last);
	ck_assert_ptr_null(strstr(last, "event:"));
	close(fd);
}
END_TEST

START_TEST(events_tell_who_joins_and_who_leaves_the_pareto_set)
{
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 20}, \"strategy\": {\"name\": \"random\"},");
	int fd = watch(id);
	struct play p = { .scene = &scene, .workers = 3, .order = 9 };
	free(strdup(scene_read(fd, "\n\n")));
	play_run(&p, 0);
	const char *stream = scene_read(fd, NULL);
	bool member[21] = { false };
	for (int i = 0; i < count(stream, "event: trial\n"); i++) {
		cJSON *t = event_of(stream, "event: trial\n", i);
		member[(int)scene_number(t, "number")] = !strcmp(scene_text(t, "pareto"), "true");
		cJSON_Delete(t);
	}
	cJSON *doc = scene_get(&scene, "/v1/jobs/1/trials");
	const cJSON *t;
	cJSON_ArrayForEach(t, cJSON_GetObjectItem(doc, "trials"))
		ck_assert_str_eq(scene_text(t, "pareto"), member[(int)scene_number(t, "number")] ? "true" : "false");
	cJSON_Delete(doc);
	close(fd);
}
END_TEST

START_TEST(the_stream_of_a_job_that_is_over_is_one_event)
{
	int id = scene_submit(&scene, "");
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", "{}"));
	int fd = watch(id);
	const char *stream = scene_read(fd, NULL);
	ck_assert_int_eq(count(stream, "event: "), 1);
	ck_assert_ptr_nonnull(strstr(stream, "Content-Type: text/event-stream"));
	ck_assert_ptr_nonnull(strstr(stream, "\"state\":\"cancelled\""));
	close(fd);
}
END_TEST

/* In the end there are more events than the socket and the queue hold together. */
START_TEST(a_watcher_that_does_not_read_is_dropped_and_the_others_are_served)
{
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 100000}, \"window\": 0,");
	int slow = watch(id), quick = watch(id);
	struct play p = { .scene = &scene, .workers = 1 };
	play_run(&p, 1);
	int changes = 0;
	for (; !strstr(scene_log(&scene), "reads too slowly"); changes++) {
		ck_assert_int_lt(changes, 4000);
		for (int i = 0; i < 50; i++) {
			cJSON *lease = play_lease(&scene, "w");
			ck_ok(play_say(&scene, lease, "release", "{}"));
			cJSON_Delete(lease);
		}
		scene_read(quick, "\n\n");
	}
	cJSON_Delete(scene_post(&scene, "/v1/jobs/1/cancel", "{}"));
	ck_assert_ptr_null(strstr(scene_read(slow, NULL), "\"state\":\"cancelled\""));
	ck_assert_ptr_nonnull(strstr(scene_read(quick, NULL), "\"state\":\"cancelled\""));
	close(slow);
	close(quick);
}
END_TEST

START_TEST(a_watcher_that_leaves_is_forgotten)
{
	int id = scene_submit(&scene, "\"budget\": {\"trials\": 4},");
	for (int i = 0; i < 10; i++)
		close(watch(id));
	struct play p = { .scene = &scene, .workers = 1 };
	play_run(&p, 0);
	ck_assert_str_eq(scene_state(&scene, id), "done");
}
END_TEST

Suite *suite_event(void)
{
	Suite *s = suite_create("event");
	TCase *t = tcase_create("event");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_watcher_sees_the_whole_life_of_a_job_and_the_stream_ends_with_it);
	tcase_add_test(t, events_tell_who_joins_and_who_leaves_the_pareto_set);
	tcase_add_test(t, the_stream_of_a_job_that_is_over_is_one_event);
	tcase_add_test(t, a_watcher_that_does_not_read_is_dropped_and_the_others_are_served);
	tcase_add_test(t, a_watcher_that_leaves_is_forgotten);
	suite_add_tcase(s, t);
	return s;
}

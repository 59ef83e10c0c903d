/* stream.c -- tests of the client's event streams and of ending them.
 * SPDX-License-Identifier: MIT */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "tests/base/scene.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static struct http *h;

struct seen {
	char text[1000];
	int stop_after; /* events; 0: never */
	bool impatient; /* ends the stream by the first tick after an event */
};

static bool see(const char *event, const char *data, void *arg)
{
	struct seen *seen = arg;
	snprintf(seen->text + strlen(seen->text), sizeof seen->text - strlen(seen->text), "[%s|%s]", event, data);
	return --seen->stop_after != 0;
}

static bool tick(void *arg)
{
	struct seen *seen = arg;
	return !seen->impatient || !*seen->text;
}

static enum err listen_to(const struct answer *a, struct seen *seen)
{
	char url[300];
	server_start(a, 1);
	snprintf(url, sizeof url, "unix:%s", in_folder("socket"));
	ck_ok(http_open(url, NULL, &h, &e));
	enum err err = http_events(h, "/v1/jobs/7/events", see, tick, seen, &e);
	http_close(h);
	server_heard();
	return err;
}

static void check_events(const char *text, size_t step, const char *expected)
{
	struct answer a = { .text = text, .step = step, .hang_up = true };
	struct seen seen = { .text = "" };
	ck_ok(listen_to(&a, &seen));
	ck_assert_str_eq(seen.text, expected);
}

START_TEST(events_are_the_same_however_the_stream_is_cut)
{
	static const size_t steps[] = { 0, 1, 2, 3, 7, 64 };
	check_events(HEAD "event: job\ndata: {\"state\":\"searching\"}\n\n"
			  ": keep-alive\n\n"
			  "event: trial\ndata: {\"id\":\"7.1\"}\n\n"
			  "data: unnamed\n\n",
		steps[_i], "[job|{\"state\":\"searching\"}][trial|{\"id\":\"7.1\"}][message|unnamed]");
}
END_TEST

START_TEST(chunks_may_end_anywhere)
{
	check_events(CHUNKED "5\r\nevent\r\n6\r\n: job\n\r\n8\r\ndata: a\n\r\n1\r\n\n\r\n0\r\n\r\n", 1, "[job|a]");
}
END_TEST

START_TEST(lines_may_end_in_cr_lf)
{
	check_events(HEAD "event: job\r\ndata: a\r\n\r\nevent: job\r\ndata: b\r\n\r\n", 1, "[job|a][job|b]");
}
END_TEST

START_TEST(data_lines_of_one_event_are_joined_by_newlines)
{
	check_events(HEAD "data: one\ndata:two\ndata:\ndata:  four\n\n", 0, "[message|one\ntwo\n\n four]");
}
END_TEST

START_TEST(an_event_without_data_is_dropped_with_its_name)
{
	check_events(HEAD "event: ghost\n\ndata: x\n\n\n\nid: 5\nretry: 7\n\n", 0, "[message|x]");
}
END_TEST

START_TEST(what_the_end_cuts_off_is_not_an_event)
{
	check_events(HEAD "data: whole\n\nevent: job\ndata: half", 0, "[message|whole]");
}
END_TEST

START_TEST(a_callback_that_has_enough_ends_the_stream)
{
	struct answer a = { .text = HEAD "data: 1\n\ndata: 2\n\ndata: 3\n\n" };
	struct seen seen = { .stop_after = 2 };
	ck_ok(listen_to(&a, &seen));
	ck_assert_str_eq(seen.text, "[message|1][message|2]");
}
END_TEST

START_TEST(a_tick_that_says_no_ends_a_silent_stream)
{
	struct answer a = { .text = HEAD "data: 1\n\n" };
	struct seen seen = { .impatient = true };
	ck_ok(listen_to(&a, &seen));
	ck_assert_str_eq(seen.text, "[message|1]");
}
END_TEST

START_TEST(a_stream_that_breaks_is_unavailable_after_its_events)
{
	struct answer a = { .text = CHUNKED "9\r\ndata: 1\n\n\r\n50\r\ndata: ", .hang_up = true };
	struct seen seen = { .text = "" };
	ck_fails(ERR_UNAVAILABLE, listen_to(&a, &seen));
	ck_assert_str_eq(seen.text, "[message|1]");
}
END_TEST

START_TEST(a_refused_stream_has_no_events_and_the_problems_detail)
{
	struct answer a = { .text = "HTTP/1.1 404 Not Found\r\nContent-Length: 39\r\n\r\n"
				    "{\"detail\": \"there is no job 7\"}\ndata: 1\n\n" };
	struct seen seen = { .text = "" };
	ck_fails(ERR_NOT_FOUND, listen_to(&a, &seen));
	ck_assert_str_eq(seen.text, "");
}
END_TEST

START_TEST(the_stop_flag_ends_calls_and_streams)
{
	static const struct answer silence[] = { { .text = NULL } };
	static const atomic_bool stop = true;
	char url[300];
	cJSON *ret;
	struct seen seen = { .text = "" };
	server_start(silence, 1);
	snprintf(url, sizeof url, "unix:%s", in_folder("socket"));
	ck_ok(http_open(url, NULL, &h, &e));
	http_set_stop(h, &stop);
	if (_i == 0)
		ck_fails(ERR_UNAVAILABLE, http_call(h, "POST", "/v1/leases", NULL, 0, &ret, &e));
	else
		ck_fails(ERR_UNAVAILABLE, http_events(h, "/events", see, tick, &seen, &e));
	http_close(h);
	server_heard();
}
END_TEST

Suite *suite_stream(void)
{
	Suite *s = suite_create("stream");
	TCase *c = scene_case(s, "events");
	tcase_add_loop_test(c, events_are_the_same_however_the_stream_is_cut, 0, 6);
	tcase_add_test(c, chunks_may_end_anywhere);
	tcase_add_test(c, lines_may_end_in_cr_lf);
	tcase_add_test(c, data_lines_of_one_event_are_joined_by_newlines);
	tcase_add_test(c, an_event_without_data_is_dropped_with_its_name);
	tcase_add_test(c, what_the_end_cuts_off_is_not_an_event);
	tcase_add_test(c, a_callback_that_has_enough_ends_the_stream);
	tcase_add_test(c, a_tick_that_says_no_ends_a_silent_stream);
	tcase_add_test(c, a_stream_that_breaks_is_unavailable_after_its_events);
	tcase_add_test(c, a_refused_stream_has_no_events_and_the_problems_detail);
	tcase_add_loop_test(c, the_stop_flag_ends_calls_and_streams, 0, 2);
	return s;
}

/* progress.c -- tests of a job's progress in one line.
 * SPDX-License-Identifier: MIT */
#include "client/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/format.h"
#include "tests/client/scene.h"

static struct progress p;

static void setup(void)
{
	cJSON *job = parsed(
		"{'id': 7, 'name': 'fashion-vgg', 'state': 'searching', 'budget': 20, 'hypervolume': 0.7123}");
	progress_init(&p);
	progress_job(&p, job);
	cJSON_Delete(job);
}

static void teardown(void)
{
	progress_fini(&p);
}

/* A trial that took so many seconds; whether it was news that it ended. */
static bool tell(int number, const char *state, double accuracy, double seconds)
{
	char text[256];
	bool ended;
	snprintf(text, sizeof text,
		"{'number': %d, 'state': '%s', 'metrics': {'accuracy': %g, 'params': %d}, 'started': "
		"1000, 'finished': %.0f}",
		number, state, accuracy, 10000 * number, 1000 + 1000 * seconds);
	cJSON *trial = parsed(text);
	ck_ok(progress_trial(&p, trial, &ended, &e));
	cJSON_Delete(trial);
	return ended;
}

START_TEST(an_end_is_news_once)
{
	ck_assert(!tell(1, "waiting", 0, 0));
	ck_assert(!tell(1, "running", 0, 0));
	ck_assert(tell(1, "complete", 0.9, 4));
	ck_assert(!tell(1, "complete", 0.9, 4));
	ck_assert(tell(2, "failed", 0, 4));
	ck_assert(tell(3, "cancelled", 0, 4));
}
END_TEST

START_TEST(the_line_tells_all_when_there_is_room)
{
	char line[PROGRESS_LINE];
	tell(0, "complete", 0.99, 100);
	tell(8, "complete", 0.95, 4);
	tell(9, "complete", 0.93, 6);
	tell(10, "running", 0, 0);
	tell(11, "running", 0, 0);
	progress_line(&p, 200, line);
	ck_assert_str_eq(line,
		"job 7 fashion-vgg  searching  2/20 trials  best 0.9500 (80.0k params)  hypervolume 0.712  45s left");
}
END_TEST

START_TEST(the_baseline_is_neither_counted_nor_the_best)
{
	char line[PROGRESS_LINE];
	tell(0, "complete", 0.99, 100);
	progress_line(&p, 200, line);
	ck_assert_str_eq(line, "job 7 fashion-vgg  searching  0/20 trials  hypervolume 0.712");
}
END_TEST

START_TEST(a_failed_trial_is_counted_and_never_the_best)
{
	char line[PROGRESS_LINE];
	tell(1, "failed", 0.99, 1);
	progress_line(&p, 200, line);
	ck_assert_ptr_nonnull(strstr(line, "1/20 trials"));
	ck_assert_ptr_null(strstr(line, "best"));
}
END_TEST

START_TEST(no_width_is_exceeded)
{
	char line[PROGRESS_LINE];
	tell(8, "complete", 0.95, 4);
	for (int columns = 0; columns <= 120; columns++) {
		progress_line(&p, columns, line);
		ck_assert_int_le(format_width(line), columns);
	}
	progress_line(&p, 60, line);
	ck_assert_ptr_nonnull(strstr(line, "1/20 trials"));
	ck_assert_ptr_nonnull(strstr(line, "left"));
}
END_TEST

START_TEST(time_left_is_that_of_the_missing_trials_shared_by_those_running)
{
	ck_assert_double_nan(progress_left(&p));
	tell(1, "complete", 0.9, 4);
	ck_assert_double_eq(progress_left(&p), 19 * 4);
	tell(2, "running", 0, 0);
	tell(3, "running", 0, 0);
	ck_assert_double_eq(progress_left(&p), 19 * 4 / 2.0);
	tell(2, "complete", 0.9, 4);
	ck_assert_double_eq(progress_left(&p), 18 * 4 / 2.0); /* its worker is not gone, only between two trials */
	tell(3, "complete", 0.9, 4);
	tell(4, "running", 0, 0);
	ck_assert_double_eq(progress_left(&p), 17 * 4 / 1.0);
	for (int i = 4; i <= 20; i++)
		tell(i, "complete", 0.9, 4);
	ck_assert_double_eq(progress_left(&p), 0);
}
END_TEST

static void tell_at(int number, int rung, double accuracy, double seconds)
{
	char text[256];
	bool ended;
	snprintf(text, sizeof text,
		"{'number': %d, 'rung': %d, 'state': 'complete', 'metrics': {'accuracy': %g, 'params': 5000},"
		" 'started': 1000, 'finished': %.0f}", number, rung, accuracy, 1000 + 1000 * seconds);
	cJSON *trial = parsed(text);
	ck_ok(progress_trial(&p, trial, &ended, &e));
	cJSON_Delete(trial);
}

START_TEST(with_rungs_each_has_its_own_time_and_the_last_one_the_best)
{
	char line[PROGRESS_LINE];
	cJSON *job = parsed("{'id': 7, 'name': 'v', 'state': 'searching', 'budget': 6, 'plan': [6, 2]}");
	progress_job(&p, job);
	cJSON_Delete(job);
	tell_at(0, 1, 0.99, 100);
	tell_at(1, 0, 0.97, 4);
	tell_at(2, 0, 0.96, 4);
	ck_assert_double_nan(progress_left(&p)); /* nobody knows how long the other rung takes */
	progress_line(&p, 200, line);
	ck_assert_str_eq(line, "job 7 v  searching  2/8 trials");
	tell_at(3, 1, 0.95, 60);
	ck_assert_double_eq(progress_left(&p), 4 * 4 + 60);
	progress_line(&p, 200, line);
	ck_assert_ptr_nonnull(strstr(line, "3/8 trials  best 0.9500 (5.00k params)"));
	for (int i = 4; i <= 7; i++)
		tell_at(i, 0, 0.9, 4);
	ck_assert_double_eq(progress_left(&p), 60);
	tell_at(8, 1, 0.9, 60);
	ck_assert_double_eq(progress_left(&p), 0);
}
END_TEST

START_TEST(results_known_before_do_not_shorten_the_mean)
{
	bool ended;
	cJSON *known = parsed(
		"{'number': 2, 'state': 'complete', 'source': '5.2', 'started': 1000, 'finished': 1001}");
	tell(1, "complete", 0.9, 4);
	ck_ok(progress_trial(&p, known, &ended, &e));
	ck_assert_double_eq(progress_left(&p), 18 * 4);
	cJSON_Delete(known);
}
END_TEST

START_TEST(a_job_is_over_in_three_states_and_well_in_one)
{
	static const struct {
		const char *state;
		bool over, done;
	} states[] = { { "queued", 0, 0 }, { "preparing", 0, 0 }, { "searching", 0, 0 }, { "finishing", 0, 0 },
		{ "paused", 0, 0 }, { "done", 1, 1 }, { "failed", 1, 0 }, { "cancelled", 1, 0 } };
	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		strcpy(p.state, states[i].state);
		ck_assert_int_eq(progress_over(&p), states[i].over);
		ck_assert_int_eq(progress_done(&p), states[i].done);
	}
}
END_TEST

static const char *const strange[] = {
	"{}",
	"{'number': 1}",
	"{'state': 'complete'}",
	"{'number': -1, 'state': 'complete'}",
	"{'number': 1e12, 'state': 'complete'}",
	"{'number': 1.5, 'state': 'complete'}",
	"[]",
	"{'number': '1', 'state': 2}",
};

START_TEST(a_trial_without_sense_is_refused)
{
	bool ended;
	cJSON *trial = parsed(strange[_i]);
	ck_assert_int_eq(progress_trial(&p, trial, &ended, &e), ERR_INTERNAL);
	cJSON_Delete(trial);
}
END_TEST

START_TEST(a_hostile_name_cannot_steer_the_terminal)
{
	char line[PROGRESS_LINE];
	cJSON *job = parsed("{'id': 7, 'name': 'a\\u001b[2Jb\\r\\n', 'state': '\\u0007'}");
	progress_job(&p, job);
	progress_line(&p, 200, line);
	ck_assert_str_eq(line, "job 7 a?[2Jb    ?");
	cJSON_Delete(job);
}
END_TEST

START_TEST(a_search_that_ended_early_has_no_total_and_no_time_left)
{
	char line[PROGRESS_LINE];
	cJSON *job = parsed("{'id': 7, 'name': 'v', 'state': 'searching', 'budget': 20, 'ended': 'stall'}");
	tell(1, "complete", 0.9, 4);
	progress_job(&p, job);
	progress_line(&p, 200, line);
	ck_assert_str_eq(line, "job 7 v  searching  1 trials, ended by stall  best 0.9000 (10.0k params)");
	cJSON_Delete(job);
	job = parsed("{'id': 7, 'name': 'v', 'state': 'searching', 'budget': 20, 'ended': 'trials'}");
	progress_job(&p, job);
	progress_line(&p, 200, line);
	ck_assert_ptr_nonnull(strstr(line, "  1/20 trials  "));
	cJSON_Delete(job);
}
END_TEST

Suite *suite_progress(void)
{
	Suite *s = suite_create("progress");
	TCase *t = tcase_create("progress");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, an_end_is_news_once);
	tcase_add_test(t, the_line_tells_all_when_there_is_room);
	tcase_add_test(t, the_baseline_is_neither_counted_nor_the_best);
	tcase_add_test(t, a_failed_trial_is_counted_and_never_the_best);
	tcase_add_test(t, no_width_is_exceeded);
	tcase_add_test(t, time_left_is_that_of_the_missing_trials_shared_by_those_running);
	tcase_add_test(t, with_rungs_each_has_its_own_time_and_the_last_one_the_best);
	tcase_add_test(t, results_known_before_do_not_shorten_the_mean);
	tcase_add_test(t, a_job_is_over_in_three_states_and_well_in_one);
	tcase_add_loop_test(t, a_trial_without_sense_is_refused, 0, sizeof strange / sizeof *strange);
	tcase_add_test(t, a_hostile_name_cannot_steer_the_terminal);
	tcase_add_test(t, a_search_that_ended_early_has_no_total_and_no_time_left);
	suite_add_tcase(s, t);
	return s;
}

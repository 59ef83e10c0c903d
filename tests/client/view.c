/* view.c -- tests of the daemon's JSON as tables.
 * SPDX-License-Identifier: MIT */
#include "client/view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/client/scene.h"

typedef enum err viewer(const cJSON *json, FILE *out, bool bold, struct errinfo *e);

static void setup(void)
{
	setenv("TZ", "UTC", 1);
	tzset();
}

static void expect(viewer *view, const char *json, const char *text)
{
	char *got = NULL;
	size_t len;
	cJSON *doc = parsed(json);
	FILE *out = open_memstream(&got, &len);
	ck_ok(view(doc, out, false, &e));
	fclose(out);
	ck_assert_str_eq(got, text);
	free(got);
	cJSON_Delete(doc);
}

START_TEST(members_are_found_by_path_and_by_kind)
{
	cJSON *doc = parsed("{'a': {'b': 2, 's': 'x', 't': true}, 'A': 1}");
	ck_assert_double_eq(view_number(doc, "a.b"), 2);
	ck_assert_str_eq(view_text(doc, "a.s"), "x");
	ck_assert(view_true(doc, "a.t"));
	ck_assert_double_nan(view_number(doc, "a.s"));
	ck_assert_double_nan(view_number(doc, "a.b.c"));
	ck_assert_double_nan(view_number(doc, "a.B"));
	ck_assert_double_nan(view_number(NULL, "a"));
	ck_assert_ptr_null(view_text(doc, "a.b"));
	cJSON_Delete(doc);
}
END_TEST

START_TEST(jobs_are_one_a_line)
{
	expect(view_jobs,
		"[{'id': 12, 'name': 'vgg', 'state': 'searching', 'budget': 60, 'created': 1763769600000, 'pareto': 6,"
		"'hypervolume': 0.71, 'best': {'accuracy': 0.951}, 'baseline': {'accuracy': 0.96},"
		"'trials': {'waiting': 2, 'running': 2, 'complete': 17, 'failed': 1, 'cancelled': 0}},"
		"{'id': 3, 'name': 'a\\u001b[1m', 'state': 'failed', 'reason': 'operator Foo', "
		"'budget': 5, 'created': null,'trials': {'complete': 0, 'failed': 1}}]",
		"JOB  NAME   STATE               TRIALS    BEST  PARETO  HYPERVOLUME  CREATED           REASON\n"
		" 12  vgg    searching  17/60, 1 failed  0.9510       6         0.71  2025-11-22 00:00\n"
		"  3  a?[1m  failed                 0/5       -       -            -  -  "
		"               operator Foo\n");
}
END_TEST

START_TEST(trials_say_what_became_of_them)
{
	expect(view_trials,
		"[{'number': 0, 'state': 'complete', 'metrics': {'accuracy': 0.96, 'params': 298410, 'macs': 31000000},"
		" 'started': 1000, 'finished': 3500},"
		"{'number': 1, 'state': 'complete', 'pareto': true, 'source': '3.4', 'achieved': "
		"{'params': 0.71, 'macs': 0.52}, 'metrics': {'accuracy': 0.93, 'params': 86000, 'macs': 9000000}},"
		"{'number': 2, 'state': 'failed', 'reason': 'killed: memory'},"
		"{'number': 3, 'state': 'complete', 'feasible': false},"
		"{'number': 4, 'state': 'complete', 'feasible': false, 'source': '1.0'},"
		"{'number': 5, 'state': 'running', 'feasible': false},"
		"{'number': 6, 'state': 'complete', 'source': '1.0'}]",
		"TRIAL  STATE     ACCURACY  PARAMS  REMOVED   MACS  REMOVED  TIME  NOTE\n"
		"    0  complete    0.9600  298.4k        -  31.0M        -  2.5s\n"
		"    1  complete    0.9300   86.0k    71.0%  9.00M    52.0%     -  pareto, same as 3.4\n"
		"    2  failed           -       -        -      -        -     -  killed: memory\n"
		"    3  complete         -       -        -      -        -     -  infeasible\n"
		"    4  complete         -       -        -      -        -     -  infeasible, same as 1.0\n"
		"    5  running          -       -        -      -        -     -\n"
		"    6  complete         -       -        -      -        -     -  same as 1.0\n");
}
END_TEST

START_TEST(trials_of_several_rungs_say_theirs)
{
	expect(view_trials,
		"[{'number': 0, 'rung': 1, 'state': 'complete', 'metrics': {'accuracy': 0.96}},"
		"{'number': 1, 'rung': 0, 'state': 'complete'},"
		"{'number': 2, 'rung': 1, 'state': 'running', 'parent': '7.1'}]",
		"TRIAL  RUNG  STATE     ACCURACY  PARAMS  REMOVED  MACS  REMOVED  TIME\n"
		"    0     1  complete    0.9600       -        -     -        -     -\n"
		"    1     0  complete         -       -        -     -        -     -\n"
		"    2     1  running          -       -        -     -        -     -\n");
}
END_TEST

START_TEST(a_job_with_rungs_tells_what_is_planned)
{
	expect(view_jobs,
		"[{'id': 1, 'name': 'v', 'state': 'searching', 'budget': 9, 'plan': [9, 3, 1], 'baseline': {},"
		" 'trials': {'complete': 11, 'failed': 0}}]",
		"JOB  NAME  STATE      TRIALS  BEST  PARETO  HYPERVOLUME  CREATED\n"
		"  1  v     searching   10/13     -       -            -  -\n");
	expect(view_job,
		"{'id': 7, 'budget': 9, 'plan': [9, 3, 1], 'trials': {'complete': 2, 'failed': 0}, 'baseline': {}}",
		"job           7\n"
		"trials        1/13\n"
		"planned       9 candidates, then 3 at rung 1, then 1 at rung 2\n");
}
END_TEST

START_TEST(a_job_that_proposes_no_more_says_why)
{
	expect(view_job, "{'id': 7, 'ended': 'stall'}",
		"job           7\n"
		"ended         by a stall: its last results brought no gain\n");
	expect(view_job, "{'id': 7, 'ended': 'of a newer daemon'}",
		"job           7\n"
		"ended         of a newer daemon\n");
	expect(view_job, "{'id': 7, 'ended': null}", "job           7\n");
}
END_TEST

static enum err pareto_with_baseline(const cJSON *json, FILE *out, bool bold, struct errinfo *err)
{
	return view_pareto(view_member(json, "pareto"), view_member(json, "baseline"), out, bold, err);
}

START_TEST(the_pareto_set_stands_below_the_baseline)
{
	expect(pareto_with_baseline,
		"{'baseline': {'number': 0, 'metrics': {'accuracy': 0.96, 'params': 298410, 'macs': "
		"31000000, 'bytes': 1193640, 'latency': 1}, 'test': {'accuracy': 0.9363}},"
		"'pareto': {'objectives': ['accuracy', 'params'], 'trials': [{'number': 41, 'test': null,"
		" 'achieved': {'params': 0.71, 'macs': 0.7}, 'metrics': {'accuracy': 0.93, 'params': "
		"86000, 'macs': 9000000, 'bytes': 350000, 'memory': 5, 'latency': 0.46}}]}}",
		"TRIAL  ACCURACY    TEST  PARAMS  REMOVED   MACS  REMOVED      SIZE  LATENCY\n"
		"    0    0.9600  0.9363  298.4k        -  31.0M        -   1.19 MB     1.00  baseline\n"
		"   41    0.9300       -   86.0k    71.0%  9.00M    70.0%  350.0 kB     0.46\n");
}
END_TEST

START_TEST(a_baseline_in_the_pareto_set_is_said_to_be_there)
{
	expect(pareto_with_baseline,
		"{'baseline': {'number': 0, 'metrics': {'accuracy': 0.96}},"
		"'pareto': {'trials': [{'number': 0, 'metrics': {'accuracy': 0.96}},"
		"{'number': 1, 'metrics': {'accuracy': 0.9}}]}}",
		"TRIAL  ACCURACY  PARAMS  REMOVED  MACS  REMOVED  SIZE\n"
		"    0    0.9600       -        -     -        -     -  baseline, in the set\n"
		"    1    0.9000       -        -     -        -     -\n");
}
END_TEST

START_TEST(memory_is_shown_when_it_is_an_objective)
{
	expect(pareto_with_baseline,
		"{'pareto': {'objectives': ['accuracy', 'memory'], 'trials': [{'number': 1, 'metrics': "
		"{'memory': 230000}}]}}",
		"TRIAL  ACCURACY  PARAMS  REMOVED  MACS  REMOVED  SIZE    MEMORY\n"
		"    1         -       -        -     -        -     -  230.0 kB\n");
}
END_TEST

START_TEST(a_job_tells_its_groups_and_what_is_frozen)
{
	expect(view_job,
		"{'id': 7, 'name': 'v', 'state': 'done', 'reason': null, 'budget': 20, 'started': "
		"1763769600000, 'finished': 1763769660000,"
		" 'trials': {'complete': 19, 'failed': 2}, 'baseline': {'accuracy': 0.96, 'params': "
		"1500}, 'pareto': 3, 'hypervolume': 0.5,"
		" 'spec': {'objectives': ['accuracy', 'params'], 'seed': 1}, 'groups': [{'name': "
		"'conv1', 'channels': 32}], 'frozen': [{'name': 'fc.weight', 'channels': 10, 'reason': 'network "
		"output'}]}",
		"job           7\n"
		"name          v\n"
		"state         done\n"
		"started       2025-11-22 00:00\n"
		"finished      2025-11-22 00:01\n"
		"took          1m 00s\n"
		"trials        20/20, 2 failed\n"
		"baseline      accuracy 0.9600, params 1.50k\n"
		"pareto        3, hypervolume 0.5000\n"
		"objectives    [\"accuracy\",\"params\"]\n"
		"seed          1\n"
		"\n"
		"GROUP  NAME   CHANNELS\n"
		"    0  conv1        32\n"
		"\n"
		"FROZEN     CHANNELS  REASON\n"
		"fc.weight        10  network output\n");
}
END_TEST

static enum err trial_with_groups(const cJSON *json, FILE *out, bool bold, struct errinfo *err)
{
	return view_trial(view_member(json, "trial"), view_member(json, "groups"), out, bold, err);
}

START_TEST(a_trial_tells_what_it_keeps_of_every_group)
{
	expect(trial_with_groups,
		"{'groups': [{'name': 'conv1', 'channels': 32}, {'name': 'conv2', 'channels': 64}],"
		"'trial': {'id': '7.2', 'state': 'complete', 'candidate': [8, 64], 'worker': "
		"'local-1', 'achieved': {'params': 0.7, 'macs': 0.5204}, 'feasible': true}}",
		"trial         7.2\n"
		"state         complete\n"
		"worker        local-1\n"
		"achieved      params 70.0%, macs 52.0%\n"
		"feasible      true\n"
		"\n"
		"GROUP  NAME   CHANNELS  KEPT  REMOVED\n"
		"    0  conv1        32     8    75.0%\n"
		"    1  conv2        64    64     0.0%\n");
}
END_TEST

START_TEST(a_promoted_trial_tells_what_it_continues)
{
	expect(trial_with_groups, "{'trial': {'id': '7.9', 'rung': 1, 'parent': '7.2', 'state': 'running'}}",
		"trial         7.9\n"
		"state         running\n"
		"rung          1\n"
		"continues     7.2\n");
}
END_TEST

START_TEST(a_trial_that_was_not_evaluated_is_neither_feasible_nor_not)
{
	expect(trial_with_groups, "{'trial': {'id': '7.2', 'state': 'failed', 'feasible': false}}",
		"trial         7.2\n"
		"state         failed\n");
}
END_TEST

static enum err trial_line(const cJSON *json, FILE *out, bool bold, struct errinfo *err)
{
	(void)bold, (void)err;
	view_trial_line(json, out);
	return ERR_OK;
}

START_TEST(the_line_of_a_trial_has_what_is_known)
{
	expect(trial_line,
		"{'id': '7.0', 'state': 'complete', 'metrics': {'accuracy': 0.96, 'params': 298410, 'macs': 31000000}}",
		"7.0     complete, accuracy 0.9600, params 298.4k, macs 31.0M\n");
	expect(trial_line,
		"{'id': '7.1', 'state': 'complete', 'feasible': false, 'source': '1.0', 'achieved': {'params': 0.71, "
		"'macs': 0.52}, 'metrics': {'accuracy': 0.93, 'params': 86000, 'macs': 9000000}}",
		"7.1     complete, accuracy 0.9300, params 86.0k (71.0% removed), macs 9.00M (52.0% removed), "
		"infeasible, same as 1.0\n");
	expect(trial_line, "{'id': '7.2', 'state': 'cancelled', 'feasible': false}", "7.2     cancelled\n");
	expect(trial_line, "{'id': '7.9', 'rung': 2, 'parent': '7.5', 'state': 'failed', 'reason': 'diverged'}",
		"7.9     failed at rung 2: diverged\n");
}
END_TEST

START_TEST(workers_that_were_never_seen_have_no_time)
{
	expect(view_workers,
		"[{'name': 'local-1', 'state': 'busy', 'pid': 42, 'trial': '7.4', 'completed': 17, "
		"'failed': 0, 'restarts': 1}]",
		"WORKER   STATE  PID  TRIAL  DONE  FAILED  RESTARTS  SEEN\n"
		"local-1  busy    42    7.4    17       0         1     -\n");
}
END_TEST

START_TEST(documents_of_another_shape_show_as_dashes)
{
	expect(view_jobs, "[1, null, 'x', [], {'id': '7', 'trials': 3}]",
		"JOB  NAME  STATE  TRIALS  BEST  PARETO  HYPERVOLUME  CREATED\n"
		"  -  -     -           -     -       -            -  -\n"
		"  -  -     -           -     -       -            -  -\n"
		"  -  -     -           -     -       -            -  -\n"
		"  -  -     -           -     -       -            -  -\n"
		"  -  -     -           -     -       -            -  -\n");
}
END_TEST

Suite *suite_view(void)
{
	Suite *s = suite_create("view");
	TCase *t = tcase_create("view");
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, members_are_found_by_path_and_by_kind);
	tcase_add_test(t, jobs_are_one_a_line);
	tcase_add_test(t, trials_say_what_became_of_them);
	tcase_add_test(t, trials_of_several_rungs_say_theirs);
	tcase_add_test(t, a_job_with_rungs_tells_what_is_planned);
	tcase_add_test(t, a_job_that_proposes_no_more_says_why);
	tcase_add_test(t, a_promoted_trial_tells_what_it_continues);
	tcase_add_test(t, the_pareto_set_stands_below_the_baseline);
	tcase_add_test(t, a_baseline_in_the_pareto_set_is_said_to_be_there);
	tcase_add_test(t, memory_is_shown_when_it_is_an_objective);
	tcase_add_test(t, a_job_tells_its_groups_and_what_is_frozen);
	tcase_add_test(t, a_trial_tells_what_it_keeps_of_every_group);
	tcase_add_test(t, a_trial_that_was_not_evaluated_is_neither_feasible_nor_not);
	tcase_add_test(t, the_line_of_a_trial_has_what_is_known);
	tcase_add_test(t, workers_that_were_never_seen_have_no_time);
	tcase_add_test(t, documents_of_another_shape_show_as_dashes);
	suite_add_tcase(s, t);
	return s;
}

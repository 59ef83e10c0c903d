/* pare.c -- tests of the whole program against a daemon of cardboard.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "client/command.h"
#include "tests/client/scene.h"
#include "tests/client/server.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* SHA-256 of "hello" */
#define WORLD "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7" /* of "world" */

static struct server server;
static struct run r;

static void setup(void)
{
	unsetenv("PARED_URL");
	unsetenv("NO_COLOR");
	scene_setup();
}

static void teardown(void)
{
	server_stop(&server);
	scene_teardown();
}

/* How often the daemon was asked for what begins so. */
static int asked(const char *line)
{
	char *log = server_log(&server);
	int n = 0;
	for (char *p = strstr(log, line); p; p = strstr(p + 1, line))
		n += p == log || p[-1] == '\n';
	free(log);
	return n;
}

static const struct canned refusals[] = {
	{ .method = "GET",
		.path = "/v1/jobs/400",
		.status = 400,
		.body = "{\"type\":\"pared:input\",\"detail\":\"job: is 400\"}" },
	{ .method = "GET",
		.path = "/v1/jobs/401",
		.status = 401,
		.body = "{\"type\":\"pared:denied\",\"detail\":\"no token\"}" },
	{ .method = "GET",
		.path = "/v1/jobs/404",
		.status = 404,
		.body = "{\"type\":\"pared:not-found\",\"detail\":\"there is no job 404\"}" },
	{ .method = "POST",
		.path = "/v1/jobs/409/cancel",
		.status = 409,
		.body = "{\"type\":\"pared:conflict\",\"detail\":\"job 409 is done\"}" },
	{ .method = "GET", .path = "/v1/jobs/500", .status = 500, .body = "broken" },
	{ .method = "GET",
		.path = "/v1/jobs/503",
		.status = 503,
		.body = "{\"type\":\"pared:unavailable\",\"detail\":\"shutting\\u001b down\"}" },
	{ .method = "GET", .path = "/v1/jobs/204", .status = 204 },
	{ 0 },
};

static const struct {
	const char *command, *job;
	enum exit_code code;
	const char *message;
} codes[] = {
	{ "show", "400", CODE_USAGE, "pare: job: is 400\n" },
	{ "show", "401", CODE_OTHER, "pare: no token\n" },
	{ "show", "404", CODE_NOT_FOUND, "pare: there is no job 404\n" },
	{ "cancel", "409", CODE_CONFLICT, "pare: job 409 is done\n" },
	{ "show", "500", CODE_OTHER, "status 500" },
	{ "show", "503", CODE_UNREACHABLE, "pare: shutting? down\n" },
	{ "show", "204", CODE_OTHER, "empty" },
	{ "trials", "404x", CODE_USAGE, "JOB: is '404x', expected the number of a job" },
	{ "show", "7.x", CODE_USAGE, "JOB: is '7.x', expected the number of a job, or JOB.NUMBER" },
	{ "show", "0", CODE_USAGE, "JOB: is '0'" },
	{ "watch", "404", CODE_NOT_FOUND, "pare: there is no job 404\n" },
};

START_TEST(the_exit_code_tells_the_kind_of_refusal)
{
	server_start(&server, refusals);
	pare(&r, server.url, codes[_i].command, codes[_i].job, NULL);
	ck_assert_int_eq(r.code, codes[_i].code);
	assert_has(r.err, codes[_i].message);
	assert_lacks(r.err, "is pared running?");
	ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(a_daemon_that_is_not_there_is_told_at_once)
{
	static const char *const commands[][2] = { { "jobs" }, { "workers" }, { "watch", "7" }, { "pareto", "7" } };
	for (int i = 0; i < 4; i++) {
		pare(&r, "unix:/nonexistent/sock", commands[i][0], commands[i][1], NULL);
		ck_assert_int_eq(r.code, CODE_UNREACHABLE);
		ck_assert_str_eq(r.err,
			"pare: /nonexistent/sock: no such file\n"
			"pare: is pared running? -u and PARED_URL say where it listens\n");
	}
}
END_TEST

static const struct {
	const char *words[4], *message;
} wrong[] = {
	{ { NULL }, "expected a command" },
	{ { "sumbit", "f" }, "did you mean 'submit'?" },
	{ { "frobnicate" }, "'frobnicate': there is no such command" },
	{ { "help", "parteo" }, "did you mean 'pareto'?" },
	{ { "show" }, "show: expected JOB" },
	{ { "show", "1", "2" }, "'2': one operand too many" },
	{ { "jobs", "1" }, "'1': one operand too many" },
	{ { "jobs", "--watch" }, "--watch: belongs to 'submit'" },
	{ { "export", "7", "-o", "x" }, "--trial: is missing" },
	{ { "export", "7", "--trial", "1" }, "--output: is missing" },
	{ { "pareto", "7", "--x", "params" }, "--x: is of use only with --svg" },
	{ { "pareto", "7", "--svg=f", "--x=speed" }, "--x: is 'speed', expected params" },
	{ { "jobs", "--url=ftp://x" }, "'ftp://x': not an address" },
	{ { "jobs", "--token-file=/nonexistent/token" }, "--token-file: /nonexistent/token: No such file" },
	{ { "submit", "/nonexistent/job.json" }, "/nonexistent/job.json" },
};

START_TEST(a_wrong_command_line_is_told_without_asking_the_daemon)
{
	const char *const *w = wrong[_i].words;
	pare(&r, NULL, w[0], w[1], w[2], w[3], NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	assert_has(r.err, wrong[_i].message);
	ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(help_is_no_error)
{
	static const char *const commands[] = { "submit", "watch", "jobs", "show", "trials", "pareto", "export",
		"cancel", "pause", "resume", "workers" };
	pare(&r, NULL, "--help", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		assert_has(r.out, commands[i]);
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		char usage[64];
		snprintf(usage, sizeof usage, "usage: pare %s", commands[i]);
		pare(&r, NULL, "help", commands[i], NULL);
		ck_assert_int_eq(r.code, CODE_OK);
		assert_has(r.out, usage);
	}
	pare(&r, NULL, "export", "-h", NULL);
	assert_has(r.out, "--trial N");
	pare(&r, NULL, "--version", NULL);
	assert_has(r.out, "pare " VERSION "\n");
}
END_TEST

START_TEST(a_token_file_must_hold_a_token)
{
	scene_file("empty", " \n");
	pare(&r, NULL, "jobs", "--token-file", scene_path("empty"), NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	assert_has(r.err, "holds no token");
	scene_file("two", "a\nb\n");
	pare(&r, NULL, "jobs", "--token-file", scene_path("two"), NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
}
END_TEST

static const struct canned lists[] = {
	{ .method = "GET",
		.path = "/v1/jobs",
		.status = 200,
		.body = "{\"jobs\":[{\"id\":7,\"name\":\"v\\u001b[2J\",\"state\":\"done\",\"big\":1763769600000,"
			"\"new\":{\"x\":[1,null]}}]}" },
	{ .method = "GET",
		.path = "/v1/workers",
		.status = 200,
		.body = "{\"workers\":[{\"name\":\"local-1\",\"state\":\"idle\"}]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7",
		.status = 200,
		.body = "{\"id\":7,\"name\":\"v\",\"state\":\"done\",\"groups\":[{\"name\":\"g\",\"channels\":4}]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/trials",
		.status = 200,
		.body = "{\"trials\":[{\"number\":0,\"state\":\"complete\",\"metrics\":{\"accuracy\":0.96,"
			"\"params\":100}},{\"number\":1,\"state\":\"complete\","
			"\"pareto\":true,\"metrics\":{\"accuracy\":0.9,\"params\":50}}]}" },
	{ .method = "GET",
		.path = "/v1/trials/7.1",
		.status = 200,
		.body = "{\"id\":\"7.1\",\"state\":\"complete\",\"candidate\":[3]}" },
	{ .method = "GET",
		.path = "/v1/trials/7.0",
		.status = 200,
		.body = "{\"number\":0,\"metrics\":{\"accuracy\":0.96,\"params\":100}}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/pareto",
		.status = 200,
		.body = "{\"job\":7,\"objectives\":[\"accuracy\",\"params\"],\"trials\":[{\"number\":1,"
			"\"metrics\":{\"accuracy\":0.9,\"params\":50}}]}" },
	{ .method = "GET", .path = "/v1/jobs/9/trials", .status = 200, .body = "{\"else\":1}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/best?where=macs%3C%3D30%25&where=accuracy%20%3E%3D%20baseline%20-%200.01",
		.status = 200,
		.body = "{\"id\":\"7.1\",\"number\":1,\"state\":\"complete\",\"candidate\":[3]}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/explain?trial=1",
		.status = 200,
		.body = "{\"metric\":\"accuracy\",\"cost\":\"macs\",\"results\":30,\"front\":4,\"groups\":[{"
			"\"name\":\"g\",\"channels\":4,\"sensitivity\":-0.0123,\"freed\":0.25,"
			"\"front\":{\"least\":0.5,\"mean\":0.75,\"most\":1,\"whole\":0.25}}],"
			"\"chosen\":{\"number\":1,\"value\":0.9,\"cost\":0.5,\"predicted\":0.91,"
			"\"groups\":[{\"name\":\"g\",\"kept\":3,\"channels\":4,\"share\":0.1,\"restore\":null,"
			"\"prune\":null,\"reason\":\"the job leaves no choice\"}]}}" },
	{ .method = "GET",
		.path = "/v1/jobs/7/explain",
		.status = 200,
		.body = "{\"metric\":\"accuracy\",\"cost\":\"macs\",\"results\":3,\"front\":0,\"groups\":[{"
			"\"name\":\"g\\u001b[1m\",\"channels\":4,\"sensitivity\":null,\"freed\":0.25,"
			"\"front\":null}],\"chosen\":null}" },
	{ .method = "GET", .path = "/v1/jobs/7/best", .status = 404,
		.body = "{\"type\":\"pared:not-found\",\"detail\":\"none of 4 trials meets that\"}" },
	{ .method = "POST", .path = "/v1/jobs/7/pause", .status = 200, .body = "{\"id\":7,\"state\":\"paused\"}" },
	{ 0 },
};

START_TEST(json_passes_as_the_daemon_said_it)
{
	server_start(&server, lists);
	pare(&r, server.url, "jobs", "--json", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	cJSON *got = parsed(r.out), *said = parsed(lists[0].body);
	ck_assert(cJSON_Compare(got, said, true));
	assert_has(r.out, "1763769600000");
	assert_lacks(r.out, "\033");
	ck_assert_int_gt((int)strcspn(r.out, "\n"), 0);
	cJSON_Delete(got);
	cJSON_Delete(said);
}
END_TEST

START_TEST(tables_on_a_pipe_have_no_control_characters)
{
	server_start(&server, lists);
	pare(&r, server.url, "jobs", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_has(r.out, "v?[2J");
	assert_lacks(r.out, "\033");
	pare(&r, server.url, "workers", NULL);
	assert_has(r.out, "local-1");
	pare(&r, server.url, "show", "7", NULL);
	assert_has(r.out, "name          v\n");
	pare(&r, server.url, "show", "7.1", NULL);
	assert_has(r.out, "    0  g            4     3    25.0%\n");
	pare(&r, server.url, "trials", "7", NULL);
	assert_has(r.out, "complete    0.9000      50");
}
END_TEST

START_TEST(titles_are_bold_on_a_terminal_unless_no_color_is_set)
{
	server_start(&server, lists);
	pare_on_terminal(&r, server.url, 80, NULL, "workers", NULL);
	assert_has(r.out, "\033[1mWORKER");
	setenv("NO_COLOR", "1", 1);
	pare_on_terminal(&r, server.url, 80, NULL, "workers", NULL);
	assert_lacks(r.out, "\033");
}
END_TEST

START_TEST(the_address_may_come_from_the_environment)
{
	server_start(&server, lists);
	setenv("PARED_URL", server.url, 1);
	pare(&r, NULL, "workers", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	pare(&r, "unix:/nonexistent/sock", "workers", NULL);
	ck_assert_int_eq(r.code, CODE_UNREACHABLE);
}
END_TEST

START_TEST(an_answer_without_its_list_is_the_daemons_fault)
{
	server_start(&server, lists);
	pare(&r, server.url, "trials", "9", NULL);
	ck_assert_int_eq(r.code, CODE_OTHER);
	assert_has(r.err, "no array 'trials'");
}
END_TEST

START_TEST(the_best_comes_with_the_command_that_exports_it)
{
	server_start(&server, lists);
	pare(&r, server.url, "best", "7", "--where", "macs<=30%", "--where", "accuracy >= baseline - 0.01", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_has(r.out, "trial         7.1\n");
	assert_has(r.out, "    0  g            4     3    25.0%\n");
	assert_has(r.out, "\npare export 7 --trial 1 -o job7-1.onnx\n");
	pare(&r, server.url, "best", "7", NULL);
	ck_assert_int_eq(r.code, CODE_NOT_FOUND);
	assert_has(r.err, "none of 4 trials meets that");
}
END_TEST

START_TEST(an_explanation_has_the_groups_and_the_chosen_one)
{
	server_start(&server, lists);
	pare(&r, server.url, "explain", "7", "--trial", "1", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_has(r.out, "30 results, 4 in the Pareto set.");
	assert_has(r.out, "g             4  -0.0123  25.0%       50.0%  75.0%  100.0%  25.0%\n");
	assert_has(r.out, "trial 1: accuracy 0.9000 (the model expects 0.9100) with 50.0% of the macs\n");
	assert_has(r.out, "g         3   4  10.0%  the job leaves no choice\n");
	pare(&r, server.url, "explain", "7", NULL);
	assert_has(r.out, "g?[1m         4       -  25.0%\n");
	assert_lacks(r.out, "trial");
	pare(&r, server.url, "explain", "7", "--json", NULL);
	assert_has(r.out, "\"chosen\":\tnull");
}
END_TEST

START_TEST(a_change_of_state_is_told)
{
	server_start(&server, lists);
	pare(&r, server.url, "pause", "7", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_str_eq(r.err, "pare: job 7 is paused\n");
	ck_assert_int_eq(asked("POST /v1/jobs/7/pause"), 1);
}
END_TEST

START_TEST(the_front_is_printed_and_drawn)
{
	char *svg;
	size_t len;
	server_start(&server, lists);
	pare(&r, server.url, "pareto", "7", "--svg", scene_path("front.svg"), NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_has(r.out, "    0    0.9600     100");
	assert_has(r.out, "    1    0.9000      50");
	ck_ok(file_read(scene_path("front.svg"), 1 << 20, &svg, &len, &e));
	assert_has(svg, "class=\"front\"");
	pare(&r, server.url, "pareto", "7", "--svg", "-", NULL);
	ck_assert_str_eq(r.out, svg);
	free(svg);
}
END_TEST

static const struct {
	const char *job, *trials, *pareto, *message;
} empty_fronts[] = {
	{ "{\"state\":\"searching\"}", "[]", "[]", " yet\n" },
	{ "{\"state\":\"searching\"}", "[{\"number\":0,\"state\":\"complete\",\"feasible\":false}]", "[]", " yet\n" },
	{ "{\"state\":\"cancelled\"}", "[{\"number\":1,\"state\":\"failed\",\"feasible\":false}]",
		"[{\"number\":0}]", "\n" },
	{ "{\"state\":\"done\"}",
		"[{\"number\":0,\"state\":\"complete\",\"feasible\":true},"
		"{\"number\":1,\"state\":\"complete\",\"feasible\":false},{\"number\":2,\"state\":\"failed\"}]",
		"[{\"number\":0}]", ": all complete trials are infeasible\n" },
};

START_TEST(an_empty_front_is_said_to_be_so_and_why)
{
	char trials[400], pareto[100], message[200];
	struct canned rows[] = {
		{ .method = "GET", .path = "/v1/jobs/8", .status = 200, .body = empty_fronts[_i].job },
		{ .method = "GET", .path = "/v1/jobs/8/trials", .status = 200, .body = trials },
		{ .method = "GET", .path = "/v1/jobs/8/pareto", .status = 200, .body = pareto },
		{ 0 },
	};
	snprintf(trials, sizeof trials, "{\"trials\":%s}", empty_fronts[_i].trials);
	snprintf(pareto, sizeof pareto, "{\"job\":8,\"trials\":%s}", empty_fronts[_i].pareto);
	snprintf(message, sizeof message, "pare: no pruned model of job 8 is in the Pareto set%s",
		empty_fronts[_i].message);
	server_start(&server, rows);
	pare(&r, server.url, "pareto", "8", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_str_eq(r.err, message);
}
END_TEST

static const struct canned uploads[] = {
	{ .method = "HEAD", .path = "/v1/blobs/" HELLO, .status = 200 },
	{ .method = "HEAD", .path = "/v1/blobs/" WORLD, .status = 404 },
	{ .method = "PUT", .path = "/v1/blobs/" WORLD, .status = 201, .body = "{}" },
	{ .method = "POST", .path = "/v1/jobs", .status = 201, .body = "{\"id\":7,\"state\":\"queued\"}" },
	{ 0 },
};

static void write_job(void)
{
	scene_file("m.onnx", "hello");
	scene_file("images", "world");
	scene_file("job.json",
		"{\"name\": \"n\", /* comment */ \"model\": \"m.onnx\", \"data\": {\"train\": {\"images\": "
		"\"images\"}}}");
}

START_TEST(a_submission_uploads_only_what_the_daemon_lacks)
{
	server_start(&server, uploads);
	write_job();
	pare(&r, server.url, "submit", scene_path("job.json"), "--seed", "3", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_str_eq(r.out, "7\n");
	ck_assert_str_eq(r.err, "");
	ck_assert_int_eq(asked("PUT /v1/blobs/" HELLO), 0);
	ck_assert_int_eq(asked("PUT /v1/blobs/" WORLD " 5 world"), 1);
	char *log = server_log(&server);
	assert_has(log,
		"{\"name\":\"n\",\"model\":\"sha256:" HELLO "\",\"data\":{\"train\":{\"images\":\"sha256:" WORLD
		"\"}},\"seed\":3}");
	free(log);
}
END_TEST

START_TEST(a_submission_with_rungs_says_how_many_trials_come_of_it)
{
	static const struct canned climbing[] = {
		{ .method = "HEAD", .path = "/v1/blobs/" HELLO, .status = 200 },
		{ .method = "HEAD", .path = "/v1/blobs/" WORLD, .status = 200 },
		{ .method = "POST",
			.path = "/v1/jobs",
			.status = 201,
			.body = "{\"id\":7,\"budget\":60,\"plan\":[60,20,6]}" },
		{ 0 },
	};
	server_start(&server, climbing);
	write_job();
	pare(&r, server.url, "submit", scene_path("job.json"), NULL);
	ck_assert_str_eq(r.out, "7\n");
	ck_assert_str_eq(r.err,
		"pare: 86 trials are planned: 60 candidates, then 20 at rung 1, then 6 at rung 2\n");
}
END_TEST

START_TEST(a_submission_uploads_what_the_daemon_can_not_answer_for)
{
	static const struct canned ailing[] = {
		{ .method = "HEAD", .path = "/v1/blobs/" HELLO, .status = 507 },
		{ .method = "HEAD", .path = "/v1/blobs/" WORLD, .status = 500 },
		{ .method = "PUT", .path = "/v1/blobs/" HELLO, .status = 201, .body = "{}" },
		{ .method = "PUT",
			.path = "/v1/blobs/" WORLD,
			.status = 507,
			.body = "{\"type\":\"pared:io\",\"detail\":\"the disk is full\"}" },
		{ 0 },
	};
	server_start(&server, ailing);
	write_job();
	pare(&r, server.url, "submit", scene_path("job.json"), NULL);
	ck_assert_int_eq(r.code, CODE_OTHER);
	ck_assert_int_eq(asked("PUT /v1/blobs/" HELLO " 5 hello"), 1);
	assert_has(r.err, "/images: the disk is full\n");
}
END_TEST

START_TEST(nothing_is_sent_while_a_file_is_missing)
{
	server_start(&server, uploads);
	write_job();
	ck_assert_int_eq(unlink(scene_path("images")), 0);
	pare(&r, server.url, "submit", scene_path("job.json"), NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	assert_has(r.err, "job.json: data.train.images: is \"");
	char *log = server_log(&server);
	ck_assert_str_eq(log, "");
	free(log);
}
END_TEST

START_TEST(the_daemons_word_on_a_job_comes_with_where_it_was_written)
{
	static const struct canned refusing[] = {
		{ .method = "HEAD", .path = "/v1/blobs/" HELLO, .status = 200 },
		{ .method = "HEAD", .path = "/v1/blobs/" WORLD, .status = 200 },
		{ .method = "POST",
			.path = "/v1/jobs",
			.status = 400,
			.once = true,
			.body = "{\"type\":\"pared:input\",\"detail\":\"budget.trials: is -3, expected an integer "
				"from 1 to 1000000\"}" },
		{ .method = "POST",
			.path = "/v1/jobs",
			.status = 400,
			.body = "{\"type\":\"pared:input\",\"detail\":\"name: is too long\"}" },
		{ 0 },
	};
	char message[256];
	server_start(&server, refusing);
	write_job();
	pare(&r, server.url, "submit", scene_path("job.json"), NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	snprintf(message, sizeof message, "pare: %s: budget.trials: is -3, expected an integer from 1 to 1000000\n",
		scene_path("job.json"));
	ck_assert_str_eq(r.err, message);
	pare(&r, server.url, "submit", scene_path("job.json"), "--name", "x", NULL);
	ck_assert_str_eq(r.err, "pare: name: is too long\n");
}
END_TEST

START_TEST(a_terminal_sees_what_is_uploaded)
{
	server_start(&server, uploads);
	write_job();
	pare_on_terminal(&r, server.url, 80, NULL, "submit", scene_path("job.json"), NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_has(r.out, "\ruploading 2/2  images ");
	assert_has(r.out, "7\r\n");
}
END_TEST

START_TEST(a_full_disk_behind_standard_output_is_an_error)
{
	char *argv[] = { (char *)"pare", (char *)"-u", server.url, (char *)"jobs", NULL };
	int status;
	server_start(&server, lists);
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		exit(freopen("/dev/full", "w", stdout) && freopen("/dev/null", "w", stderr) ? pare_run(4, argv) : 99);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), CODE_OTHER);
}
END_TEST

Suite *suite_pare(void)
{
	Suite *s = suite_create("pare");
	TCase *t = tcase_create("pare");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, the_exit_code_tells_the_kind_of_refusal, 0, sizeof codes / sizeof *codes);
	tcase_add_test(t, a_daemon_that_is_not_there_is_told_at_once);
	tcase_add_loop_test(t, a_wrong_command_line_is_told_without_asking_the_daemon, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, help_is_no_error);
	tcase_add_test(t, a_token_file_must_hold_a_token);
	tcase_add_test(t, json_passes_as_the_daemon_said_it);
	tcase_add_test(t, tables_on_a_pipe_have_no_control_characters);
	tcase_add_test(t, titles_are_bold_on_a_terminal_unless_no_color_is_set);
	tcase_add_test(t, the_address_may_come_from_the_environment);
	tcase_add_test(t, an_answer_without_its_list_is_the_daemons_fault);
	tcase_add_test(t, the_best_comes_with_the_command_that_exports_it);
	tcase_add_test(t, an_explanation_has_the_groups_and_the_chosen_one);
	tcase_add_test(t, a_change_of_state_is_told);
	tcase_add_test(t, the_front_is_printed_and_drawn);
	tcase_add_loop_test(
		t, an_empty_front_is_said_to_be_so_and_why, 0, sizeof empty_fronts / sizeof *empty_fronts);
	tcase_add_test(t, a_submission_uploads_only_what_the_daemon_lacks);
	tcase_add_test(t, a_submission_with_rungs_says_how_many_trials_come_of_it);
	tcase_add_test(t, a_submission_uploads_what_the_daemon_can_not_answer_for);
	tcase_add_test(t, nothing_is_sent_while_a_file_is_missing);
	tcase_add_test(t, the_daemons_word_on_a_job_comes_with_where_it_was_written);
	tcase_add_test(t, a_terminal_sees_what_is_uploaded);
	tcase_add_test(t, a_full_disk_behind_standard_output_is_an_error);
	suite_add_tcase(s, t);
	return s;
}

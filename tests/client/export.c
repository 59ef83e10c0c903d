/* export.c -- tests of fetching models: nothing but whole, right ones, and nothing destroyed.
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "client/command.h"
#include "tests/client/scene.h"
#include "tests/client/server.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* SHA-256 of "hello" */
#define WORLD "486ea46224d1bb4fb680f34f7c9ad96a8f24ec88be73ea8e5a6c65260e9cb8a7" /* of "world" */

static struct server server;
static struct run r;

static void teardown(void)
{
	server_stop(&server);
	scene_teardown();
}

static const struct canned models[] = {
	{ .method = "GET",
		.path = "/v1/trials/7.41",
		.status = 200,
		.body = "{\"model\":\"" HELLO "\",\"state\":\"complete\"}" },
	{ .method = "GET", .path = "/v1/trials/7.41/model", .status = 200, .body = "hello", .binary = true },
	{ .method = "GET",
		.path = "/v1/trials/7.42",
		.status = 200,
		.body = "{\"model\":\"" HELLO "\",\"state\":\"complete\"}" },
	{ .method = "GET", .path = "/v1/trials/7.42/model", .status = 200, .body = "hellO", .binary = true },
	{ .method = "GET", .path = "/v1/trials/7.43", .status = 200, .body = "{\"model\":null,\"state\":\"failed\"}" },
	{ .method = "GET", .path = "/v1/trials/7.0", .status = 200, .body = "{\"model\":null,\"state\":\"complete\"}" },
	{ .method = "GET", .path = "/v1/trials/7.0/model", .status = 200, .body = "world", .binary = true },
	{ .method = "GET",
		.path = "/v1/jobs/7",
		.status = 200,
		.body = "{\"id\":7,\"spec\":{\"model\":\"sha256:" WORLD "\"}}" },
	{ 0 },
};

/* A model that no buffer holds, for a reader that has gone before the first byte comes. */
START_TEST(a_reader_that_hangs_up_leaves_no_file_behind)
{
	static char model[300001], of_trial[256];
	static struct canned large[] = {
		{ .method = "GET", .path = "/v1/trials/7.1", .status = 200, .body = of_trial },
		{ .method = "GET", .path = "/v1/trials/7.1/model", .status = 200, .body = model, .binary = true },
		{ 0 },
	};
	char *argv[] = { (char *)"pare", (char *)"-u", server.url, (char *)"export", (char *)"7", (char *)"--trial",
		(char *)"1", (char *)"-o", (char *)"-", NULL };
	char digest[DIGEST_HEX + 1];
	int status, ends[2];
	memset(model, 'x', sizeof model - 1);
	ck_ok(digest_bytes(model, sizeof model - 1, digest, &e));
	snprintf(of_trial, sizeof of_trial, "{\"model\":\"%s\",\"state\":\"complete\"}", digest);
	server_start(&server, large);
	ck_assert_int_eq(mkdir(scene_path("out"), 0700), 0);
	setenv("TMPDIR", scene_path("out"), 1);
	ck_assert_int_eq(pipe(ends), 0);
	close(ends[0]);
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(dup2(ends[1], STDOUT_FILENO) < 0 ? 99 : pare_run(9, argv));
	close(ends[1]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
	ck_assert_int_eq(rmdir(scene_path("out")), 0);
}
END_TEST

/* Whether the scene's folder holds anything that begins with "out". */
static bool left_behind(void)
{
	char command[160];
	snprintf(command, sizeof command, "ls %s* > /dev/null 2>&1", scene_path("out"));
	return system(command) == 0;
}

static void assert_holds(const char *path, const char *text)
{
	char *got;
	size_t len;
	ck_ok(file_read(path, 1 << 20, &got, &len, &e));
	ck_assert_str_eq(got, text);
	free(got);
}

START_TEST(an_exported_model_is_what_the_daemon_holds)
{
	server_start(&server, models);
	pare(&r, server.url, "export", "7", "--trial", "41", "-o", scene_path("out.onnx"), NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_holds(scene_path("out.onnx"), "hello");
	ck_assert_str_eq(r.out, "");
}
END_TEST

START_TEST(an_existing_file_is_overwritten_only_by_force)
{
	server_start(&server, models);
	const char *path = scene_file("out.onnx", "precious");
	pare(&r, server.url, "export", "7", "--trial", "41", "-o", path, NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	assert_has(r.err, "exists already; --force");
	assert_holds(path, "precious");
	pare(&r, server.url, "export", "7", "--trial", "41", "-o", path, "--force", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_holds(path, "hello");
}
END_TEST

START_TEST(a_link_is_followed_by_force)
{
	struct stat st;
	server_start(&server, models);
	scene_file("target", "precious");
	ck_assert_int_eq(symlink("target", scene_path("out.onnx")), 0);
	pare(&r, server.url, "export", "7", "--trial", "41", "-o", scene_path("out.onnx"), NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	assert_has(r.err, "exists already; --force");
	pare(&r, server.url, "export", "7", "--trial", "41", "-o", scene_path("out.onnx"), "--force", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	assert_holds(scene_path("target"), "hello");
	ck_assert_int_eq(lstat(scene_path("out.onnx"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_replaced_even_by_force)
{
	static const char *const messages[] = { "--output: %s: is a device, expected a regular file\n",
		"--output: %s: is a FIFO, expected a regular file\n",
		"--output: %s: is a link to a file that does not exist" };
	const char *device = scene_path("device"), *fifo = scene_path("fifo"), *nowhere = scene_path("nowhere");
	const char *paths[] = { device, fifo, nowhere };
	char message[256];
	server_start(&server, models);
	ck_assert_int_eq(symlink("/dev/null", device), 0);
	ck_assert_int_eq(symlink("nothing", nowhere), 0);
	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	pare(&r, server.url, "export", "7", "--trial", "41", "-f", "-o", paths[_i], NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	snprintf(message, sizeof message, messages[_i], paths[_i]);
	assert_has(r.err, message);
	char *log = server_log(&server);
	ck_assert_str_eq(log, "");
	free(log);
}
END_TEST

START_TEST(a_damaged_model_leaves_no_file)
{
	server_start(&server, models);
	pare(&r, server.url, "export", "7", "--trial", "42", "-o", scene_path("out.onnx"), NULL);
	ck_assert_int_eq(r.code, CODE_OTHER);
	assert_has(r.err, "the model arrived damaged");
	ck_assert(!left_behind());
}
END_TEST

START_TEST(a_trial_without_a_model_leaves_no_file)
{
	server_start(&server, models);
	pare(&r, server.url, "export", "7", "--trial", "43", "-o", scene_path("out.onnx"), NULL);
	ck_assert_int_eq(r.code, CODE_CONFLICT);
	ck_assert_str_eq(r.err, "pare: trial 7.43 has no model, it is failed\n");
	pare(&r, server.url, "export", "7", "--trial", "99", "-o", scene_path("out.onnx"), NULL);
	ck_assert_int_eq(r.code, CODE_NOT_FOUND);
	ck_assert(!left_behind());
}
END_TEST

START_TEST(trial_0_is_the_submitted_model)
{
	server_start(&server, models);
	pare(&r, server.url, "export", "7", "--trial", "0", "-o", "-", NULL);
	ck_assert_int_eq(r.code, CODE_OK);
	ck_assert_str_eq(r.out, "world");
}
END_TEST

/* The submitted model was not even read then. */
START_TEST(trial_0_that_failed_has_no_model)
{
	static const struct canned failed[] = {
		{ .method = "GET", .path = "/v1/trials/7.0", .status = 200,
			.body = "{\"model\":null,\"state\":\"failed\"}" },
		{ 0 },
	};
	server_start(&server, failed);
	pare(&r, server.url, "export", "7", "--trial", "0", "-o", scene_path("out.onnx"), NULL);
	ck_assert_int_eq(r.code, CODE_CONFLICT);
	ck_assert_str_eq(r.err, "pare: trial 7.0 has no model, it is failed\n");
	ck_assert(!left_behind());
}
END_TEST

START_TEST(a_model_is_not_poured_onto_a_terminal)
{
	server_start(&server, models);
	pare_on_terminal(&r, server.url, 80, NULL, "export", "7", "--trial", "41", "-o", "-", NULL);
	ck_assert_int_eq(r.code, CODE_USAGE);
	assert_has(r.out, "standard output is a terminal");
	assert_lacks(r.out, "hello");
}
END_TEST

Suite *suite_export(void)
{
	Suite *s = suite_create("export");
	TCase *t = tcase_create("export");
	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, scene_setup, teardown);
	tcase_add_test(t, a_reader_that_hangs_up_leaves_no_file_behind);
	tcase_add_test(t, an_exported_model_is_what_the_daemon_holds);
	tcase_add_test(t, an_existing_file_is_overwritten_only_by_force);
	tcase_add_test(t, a_link_is_followed_by_force);
	tcase_add_loop_test(t, what_is_no_regular_file_is_not_replaced_even_by_force, 0, 3);
	tcase_add_test(t, a_damaged_model_leaves_no_file);
	tcase_add_test(t, a_trial_without_a_model_leaves_no_file);
	tcase_add_test(t, trial_0_is_the_submitted_model);
	tcase_add_test(t, trial_0_that_failed_has_no_model);
	tcase_add_test(t, a_model_is_not_poured_onto_a_terminal);
	suite_add_tcase(s, t);
	return s;
}

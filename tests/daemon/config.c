/* config.c -- the configuration: what it means, what it refuses.
 * SPDX-License-Identifier: MIT */
#include "daemon/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/daemon/scene.h"

static enum err read_text(const char *text, struct config *ret)
{
	cJSON *doc;
	ck_ok(json_parse("config", text, strlen(text), &doc, &e));
	enum err err = config_read(doc, ret, &e);
	cJSON_Delete(doc);
	return err;
}

START_TEST(every_key_has_a_default)
{
	struct config c;
	ck_ok(read_text("{}", &c));
	ck_assert_str_eq(c.state, "/var/lib/pared");
	ck_assert_str_eq(c.socket, "/run/pared/pared.sock");
	ck_assert_uint_eq(c.socket_mode, 0660);
	ck_assert_ptr_null(c.tcp_host);
	ck_assert_int_ge(c.workers, 1);
	ck_assert_str_eq(strrchr(c.worker_program, '/'), "/pare-worker");
	ck_assert_int_eq(c.max_blob, (int64_t)2048 << 20);
	ck_assert_int_eq(c.lease_seconds, 20);
	config_fini(&c);
}
END_TEST

START_TEST(the_sample_file_holds_the_defaults)
{
	struct config c, plain;
	ck_ok(config_load("configs/pared.json", &c, &e));
	ck_ok(read_text("{}", &plain));
	ck_assert_str_eq(c.state, plain.state);
	ck_assert_str_eq(c.socket, plain.socket);
	ck_assert_str_eq(c.cache, plain.cache);
	ck_assert_uint_eq(c.socket_mode, plain.socket_mode);
	ck_assert_int_eq(c.workers, plain.workers);
	ck_assert_int_eq(c.max_blob, plain.max_blob);
	ck_assert_int_eq(c.log_level, plain.log_level);
	ck_assert_int_eq(c.lease_seconds, plain.lease_seconds);
	config_fini(&c);
	config_fini(&plain);
}
END_TEST

#define FIFTY "a/path/of/no/less/than/fifty/characters/in/a/name/"

static const struct {
	const char *text, *part;
} wrong[] = {
	{ "{\"stat\": \"/x\"}", "stat: unknown key" },
	{ "{\"state\": \"x\"}", "state: is \"x\", expected a path that starts with /" },
	{ "{\"state\": 3}", "state: is 3, expected a string" },
	{ "{\"socket\": \"/" FIFTY FIFTY "seven/s\"}", "expected a path of at most 107 bytes" },
	{ "{\"socket_mode\": \"0999\"}", "socket_mode: is \"0999\", expected octal" },
	{ "{\"socket_mode\": \"\"}", "socket_mode: is \"\"" },
	{ "{\"socket_mode\": \"1777\"}", "socket_mode: is \"1777\"" },
	{ "{\"workers\": -1}", "workers: is -1, expected an integer from 0 to 64" },
	{ "{\"workers\": 65}", "workers: is 65" },
	{ "{\"workers\": 1.5}", "workers: is 1.5" },
	{ "{\"workers\": \"many\"}", "workers: is \"many\"" },
	{ "{\"worker_program\": \"worker\"}", "worker_program: is \"worker\", expected a path" },
	{ "{\"worker_program\": 1}", "worker_program: is 1, expected a path or null" },
	{ "{\"cache\": \"\"}", "cache: is \"\"" },
	{ "{\"max_blob_mb\": 0}", "max_blob_mb: is 0, expected an integer from 1 to" },
	{ "{\"log_level\": \"loud\"}", "log_level: is \"loud\", expected error, warning, info or debug" },
	{ "{\"lease_seconds\": 1}", "lease_seconds: is 1, expected an integer from 2 to 3600" },
	{ "{\"tcp\": 7700}", "tcp: is 7700, expected an object" },
	{ "{\"tcp\": {\"host\": \"::1\", \"port\": 1}}", "tcp.token_file: missing" },
	{ "{\"tcp\": {\"host\": \"here\", \"port\": 1, \"token_file\": \"/x\"}}", "tcp.host: is \"here\"" },
	{ "{\"tcp\": {\"host\": \"::1\", \"port\": 70000, \"token_file\": \"/x\"}}", "tcp.port: is 70000" },
	{ "{\"tcp\": {\"host\": \"::1\", \"port\": 1, \"token_file\": \"/dev/null\"}}",
	"holds 0 bytes, expected one line" },
};

START_TEST(a_wrong_value_is_refused_by_name)
{
	struct config c;
	ck_fails(ERR_INPUT, wrong[_i].part, read_text(wrong[_i].text, &c));
}
END_TEST

START_TEST(a_token_file_that_is_missing_is_named)
{
	struct config c;
	ck_fails(ERR_NOT_FOUND, "tcp.token_file: /nowhere/token",
		read_text("{\"tcp\": {\"host\": \"::1\", \"port\": 1, \"token_file\": \"/nowhere/token\"}}", &c));
}
END_TEST

START_TEST(the_token_is_the_one_line_of_its_file)
{
	struct config c;
	char path[] = "/tmp/pared-test.XXXXXX", text[128];
	close(mkstemp(path));
	snprintf(text, sizeof text, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 7700, \"token_file\": \"%s\"}}",
		path);
	ck_ok(file_write(path, "0123456789abcdef\n", 17, &e));
	ck_ok(read_text(text, &c));
	ck_assert_str_eq(c.tcp_token, "0123456789abcdef");
	ck_assert_str_eq(c.tcp_host, "127.0.0.1");
	ck_assert_int_eq(c.tcp_port, 7700);
	config_fini(&c);
	ck_ok(file_write(path, "0123456789 abcdef\n", 18, &e));
	ck_fails(ERR_INPUT, "printable characters without blanks", read_text(text, &c));
	ck_ok(file_write(path, "short\n", 6, &e));
	ck_fails(ERR_INPUT, "holds 5 bytes", read_text(text, &c));
	unlink(path);
}
END_TEST

static int check_text(const char *text, const char *path, char out[2048])
{
	char *const args[] = { (char *)scene_program("pared"), "-n", "-c", (char *)path, NULL };
	ck_ok(file_write(path, text, strlen(text), &e));
	return scene_run(args, out, 2048);
}

START_TEST(option_n_checks_a_file_and_exits)
{
	char out[2048], path[] = "/tmp/pared-test.XXXXXX";
	close(mkstemp(path));
	ck_assert_int_eq(check_text("{\"state\": \"/tmp/pared-none/state\", \"workers\": 0}", path, out), 0);
	ck_assert_int_eq(access("/tmp/pared-none", F_OK), -1);
	ck_assert_int_eq(check_text("{\n\"workers\": 99}", path, out), 1);
	ck_assert_msg(strstr(out, "workers: is 99") && strstr(out, path), "%s", out);
	char *const none[] = { (char *)scene_program("pared"), "-n", "-c", "/nowhere.json", NULL };
	ck_assert_int_eq(scene_run(none, out, sizeof out), 1);
	char *const unknown[] = { (char *)scene_program("pared"), "-x", NULL };
	ck_assert_int_eq(scene_run(unknown, out, sizeof out), 2);
	ck_assert_msg(strstr(out, "usage: pared"), "%s", out);
	unlink(path);
}
END_TEST

#define STATE "\"state\": \"/tmp/pared-none\", \"cache\": \"/tmp/pared-none\", "

static const struct {
	const char *text, *part;
} unfit[] = {
	{ "{\"state\": \"/dev/null\"}", "state: /dev/null: can't be written: Not a directory" },
	{ "{\"state\": \"/dev/null/state\"}", "state: /dev/null/state: can't be " },
	{ "{\"state\": \"/tmp\", \"cache\": \"/dev/null/deep/cache\", \"workers\": 1}",
	  "cache: /dev/null/deep/cache: " },
	{ "{" STATE "\"workers\": 1, \"worker_program\": \"/nonexist\"}",
	  "worker_program: /nonexist: not an executable file" },
	{ "{" STATE "\"workers\": 1, \"worker_program\": \"/etc/passwd\"}", "/etc/passwd: not an executable file" },
	{ "{" STATE "\"workers\": 1, \"worker_program\": \"/tmp\"}", "/tmp: not an executable file" },
};

/* By -n and by a start. */
START_TEST(a_machine_that_does_not_fit_the_file_is_said_at_once)
{
	char out[2048], path[] = "/tmp/pared-test.XXXXXX";
	close(mkstemp(path));
	ck_assert_int_eq(check_text(unfit[_i].text, path, out), 1);
	ck_assert_msg(strstr(out, unfit[_i].part) && strstr(out, path), "%s", out);
	char *const start[] = { (char *)scene_program("pared"), "-c", path, NULL };
	ck_assert_int_eq(scene_run(start, out, sizeof out), 1);
	ck_assert_msg(strstr(out, unfit[_i].part), "%s", out);
	unlink(path);
}
END_TEST

Suite *suite_config(void)
{
	Suite *s = suite_create("config");
	TCase *t = tcase_create("config");
	tcase_add_test(t, every_key_has_a_default);
	tcase_add_test(t, the_sample_file_holds_the_defaults);
	tcase_add_loop_test(t, a_wrong_value_is_refused_by_name, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, a_token_file_that_is_missing_is_named);
	tcase_add_test(t, the_token_is_the_one_line_of_its_file);
	tcase_add_loop_test(t, a_machine_that_does_not_fit_the_file_is_said_at_once, 0, sizeof unfit / sizeof *unfit);
	tcase_add_test(t, option_n_checks_a_file_and_exits);
	suite_add_tcase(s, t);
	return s;
}

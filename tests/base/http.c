/* http.c -- tests of the client's calls, uploads and downloads.
 * SPDX-License-Identifier: MIT */
#include "base/http.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/base/scene.h"

static struct http *h;

/* Starts the server and a client of it. */
static void talk(const struct answer *answers, size_t n, const char *token)
{
	char url[300];
	server_start(answers, n);
	snprintf(url, sizeof url, "unix:%s", in_folder("socket"));
	ck_ok(http_open(url, token, &h, &e));
}

static void talk_once(const char *text)
{
	struct answer a = { .text = text };
	talk(&a, 1, NULL);
}

/* The socket's and the server's own file are not counted. */
static int count_files(void)
{
	return count_entries(NULL) - 2;
}

START_TEST(an_answer_in_json_is_parsed_and_the_request_went_out_whole)
{
	cJSON *body = cJSON_CreateObject(), *ret = NULL;
	cJSON_AddStringToObject(body, "name", "x");
	talk_once("HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n{\"id\": 7}");
	ck_ok(http_call(h, "POST", "/v1/jobs", body, 10, &ret, &e));
	ck_assert_double_eq(cJSON_GetObjectItem(ret, "id")->valuedouble, 7);
	const char *heard = server_heard();
	ck_assert_ptr_nonnull(strstr(heard, "POST /v1/jobs HTTP/1.1\r\n"));
	ck_assert_ptr_nonnull(strstr(heard, "\r\nContent-Type: application/json\r\n"));
	ck_assert_ptr_nonnull(strstr(heard, "\r\n\r\n{\"name\":\"x\"}"));
	ck_assert_ptr_null(strstr(heard, "Authorization"));
	cJSON_Delete(ret);
	cJSON_Delete(body);
	http_close(h);
}
END_TEST

START_TEST(an_answer_in_packets_of_one_byte_is_the_same)
{
	struct answer a = {
		.text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n",
		.step = 1
	};
	cJSON *ret;
	talk(&a, 1, NULL);
	ck_ok(http_call(h, "GET", "/v1/jobs/7", NULL, 10, &ret, &e));
	ck_assert_double_eq(cJSON_GetObjectItem(ret, "a")->valuedouble, 1);
	cJSON_Delete(ret);
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(no_content_gives_null)
{
	cJSON *ret = (cJSON *)&e;
	talk_once("HTTP/1.1 204 No Content\r\n\r\n");
	ck_ok(http_call(h, "POST", "/v1/leases", NULL, 10, &ret, &e));
	ck_assert_ptr_null(ret);
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(an_answer_nobody_wants_may_be_dropped)
{
	talk_once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
	ck_ok(http_call(h, "POST", "/v1/jobs/7/cancel", NULL, 10, NULL, &e));
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(the_token_goes_with_every_request)
{
	struct answer a[] = { { .text = "HTTP/1.1 204 No Content\r\n\r\n" },
		{ .text = "HTTP/1.1 204 No Content\r\n\r\n" } };
	cJSON *body = cJSON_CreateObject(), *ret;
	talk(a, 2, "secret");
	ck_ok(http_call(h, "POST", "/one", body, 10, &ret, &e));
	ck_ok(http_call(h, "GET", "/two", NULL, 10, &ret, &e));
	const char *heard = server_heard(), *first = strstr(heard, "Authorization: Bearer secret\r\n");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(strstr(first + 1, "Authorization: Bearer secret\r\n"));
	ck_assert_ptr_null(strstr(strstr(heard, "<connected>") + 1, "<connected>")); /* one connection for both */
	cJSON_Delete(body);
	http_close(h);
}
END_TEST

static const struct {
	int status;
	enum err code;
} refusals[] = {
	{ 400, ERR_INPUT },
	{ 422, ERR_INPUT },
	{ 401, ERR_DENIED },
	{ 403, ERR_DENIED },
	{ 404, ERR_NOT_FOUND },
	{ 409, ERR_CONFLICT },
	{ 410, ERR_GONE },
	{ 413, ERR_LIMIT },
	{ 507, ERR_IO },
	{ 503, ERR_UNAVAILABLE },
	{ 500, ERR_INTERNAL },
	{ 405, ERR_INTERNAL },
};
enum { REFUSALS = sizeof refusals / sizeof *refusals };

START_TEST(a_refusal_becomes_its_code_and_the_problems_detail)
{
	static const char body[] = "{\"type\": \"pared:x\", \"status\": 1, \"detail\": \"budget.trials: is -3\"}";
	char text[300];
	cJSON *ret;
	snprintf(text, sizeof text,
		"HTTP/1.1 %d X\r\nContent-Type: application/problem+json\r\nContent-Length: %zu\r\n\r\n%s",
		refusals[_i].status, strlen(body), body);
	talk_once(text);
	ck_fails(refusals[_i].code, http_call(h, "GET", "/", NULL, 10, &ret, &e));
	ck_assert_str_eq(e.msg, "budget.trials: is -3");
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_refusal_without_a_problem_is_said_by_its_status)
{
	static const char *const bodies[] = { "", "<html>", "{\"detail\": 5}", "[]" };
	char text[300];
	cJSON *ret;
	snprintf(text, sizeof text, "HTTP/1.1 502 X\r\nContent-Length: %zu\r\n\r\n%s", strlen(bodies[_i]), bodies[_i]);
	talk_once(text);
	ck_fails(ERR_INTERNAL, http_call(h, "GET", "/", NULL, 10, &ret, &e));
	ck_assert_str_eq(e.msg, "the daemon answered with status 502");
	http_close(h);
	server_heard();
}
END_TEST

static void expect_unreached(const char *url, const char *message)
{
	cJSON *ret;
	ck_ok(http_open(url, NULL, &h, &e));
	ck_fails(ERR_UNAVAILABLE, http_call(h, "GET", "/", NULL, 10, &ret, &e));
	ck_assert_str_eq(e.msg, message);
	ck_assert(http_unreached(h));
	http_close(h);
}

START_TEST(nobody_at_the_socket_is_unavailable_with_the_reason)
{
	static const char *const reasons[] = { "no such file", "connection refused: no daemon listens there",
		"Not a directory", "the path of a socket must be shorter" };
	static const char *const names[] = { "nobody", "stale", "stale/below",
		"a-name-that-is-so-long-that-no-socket-can-have-it-because-its-address-has-"
		"room-for-a-hundred-bytes-or-so" };
	char url[600], message[700];
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof address.sun_path, "%.90s/stale", directory);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	close(fd);
	snprintf(url, sizeof url, "unix:%s", in_folder(names[_i]));
	snprintf(message, sizeof message, "%s: %s", in_folder(names[_i]), reasons[_i]);
	expect_unreached(url, message);
}
END_TEST

/* Root may open everything, so it becomes somebody else for the call. */
START_TEST(a_socket_without_permissions_is_said_to_be_so)
{
	char url[500], message[600];
	bool root = geteuid() == 0;
	server_start(NULL, 0);
	ck_assert_int_eq(chmod(in_folder("socket"), 0), 0);
	snprintf(url, sizeof url, "unix:%s", in_folder("socket"));
	snprintf(message, sizeof message, "%s: permission denied", in_folder("socket"));
	ck_assert(!root || !seteuid(65534));
	expect_unreached(url, message);
	ck_assert(!root || !seteuid(0));
	server_heard();
}
END_TEST

START_TEST(a_daemon_that_answers_is_reached_whatever_it_says)
{
	cJSON *ret;
	talk_once("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
	ck_fails(ERR_UNAVAILABLE, http_call(h, "GET", "/", NULL, 10, &ret, &e));
	ck_assert(!http_unreached(h));
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_connection_that_breaks_is_unavailable)
{
	static const char *const texts[] = { "", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{\"id\"",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id" };
	struct answer a = { .text = texts[_i], .hang_up = true };
	cJSON *ret;
	talk(&a, 1, NULL);
	ck_fails(ERR_UNAVAILABLE, http_call(h, "GET", "/", NULL, 10, &ret, &e));
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_daemon_that_says_nothing_runs_into_the_time_limit)
{
	cJSON *ret;
	talk_once(NULL);
	ck_fails(ERR_UNAVAILABLE, http_call(h, "GET", "/", NULL, 1, &ret, &e));
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(an_answer_that_is_no_json_is_an_error)
{
	cJSON *ret;
	talk_once("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>");
	ck_assert_int_ne(http_call(h, "GET", "/", NULL, 10, &ret, &e), ERR_OK);
	ck_assert_ptr_nonnull(strstr(e.msg, "the daemon's answer"));
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(an_address_or_token_that_can_not_be_used_is_refused)
{
	static const char *const wrong[] = { "", "unix:", "/run/x.sock", "https://host", "ftp://host",
		"localhost:7700" };
	char token[600];
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_fails(ERR_INPUT, http_open(wrong[i], NULL, &h, &e));
		ck_assert_ptr_nonnull(strstr(e.msg, "expected unix:PATH or http://HOST:PORT"));
	}
	memset(token, 't', sizeof token);
	token[sizeof token - 1] = '\0';
	ck_fails(ERR_INPUT, http_open("unix:/x", token, &h, &e));
	ck_fails(ERR_INPUT, http_open("unix:/x", "a\r\nX-Evil: 1", &h, &e));
	ck_assert_ptr_null(strstr(e.msg, "Evil"));
	http_close(NULL);
}
END_TEST

START_TEST(a_head_request_tells_what_is_there)
{
	struct answer a[] = { { .text = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" },
		{ .text = "HTTP/1.1 404 Not Found\r\nContent-Length: 90\r\n\r\n" },
		{ .text = "HTTP/1.1 507 X\r\nContent-Length: 90\r\n\r\n" } };
	bool known;
	talk(a, 3, NULL);
	ck_ok(http_exists(h, "/v1/blobs/a", &known, &e));
	ck_assert(known);
	ck_ok(http_exists(h, "/v1/blobs/b", &known, &e));
	ck_assert(!known);
	known = true;
	ck_ok(http_exists(h, "/v1/blobs/c", &known, &e));
	ck_assert(!known);
	ck_assert_ptr_nonnull(strstr(server_heard(), "HEAD /v1/blobs/a HTTP/1.1"));
	http_close(h);
}
END_TEST

START_TEST(uploads_arrive_with_their_length_and_bytes)
{
	struct answer a[] = { { .text = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n" },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" } };
	write_text(in_folder("model.onnx"), "bytes of a model");
	talk(a, 3, NULL);
	ck_ok(http_put_file(h, "/v1/blobs/a", in_folder("model.onnx"), &e));
	ck_ok(http_put_bytes(h, "/v1/blobs/b", "bytes in memory", 15, &e));
	ck_ok(http_put_bytes(h, "/v1/blobs/c", "", 0, &e));
	const char *heard = server_heard();
	ck_assert_ptr_nonnull(strstr(heard, "PUT /v1/blobs/a HTTP/1.1"));
	ck_assert_ptr_nonnull(strstr(heard, "Content-Length: 16\r\n"));
	ck_assert_ptr_nonnull(strstr(heard, "\r\n\r\nbytes of a model"));
	ck_assert_ptr_nonnull(strstr(heard, "\r\n\r\nbytes in memory"));
	ck_assert_ptr_nonnull(strstr(heard, "Content-Length: 0\r\n"));
	http_close(h);
}
END_TEST

START_TEST(a_refused_upload_says_why)
{
	talk_once("HTTP/1.1 400 Bad Request\r\nContent-Length: 27\r\n\r\n{\"detail\": \"digest: is abc\"}");
	ck_fails(ERR_INPUT, http_put_bytes(h, "/v1/blobs/a", "x", 1, &e));
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(what_can_not_be_uploaded_is_named_before_anything_is_sent)
{
	talk_once(NULL);
	ck_fails(ERR_NOT_FOUND, http_put_file(h, "/v1/blobs/a", in_folder("missing.onnx"), &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "missing.onnx"));
	ck_fails(ERR_INPUT, http_put_file(h, "/v1/blobs/a", directory, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "not a regular file"));
	ck_assert_ptr_null(strstr(server_heard(), "PUT"));
	http_close(h);
}
END_TEST

static void check_text(const char *path, const char *expected)
{
	char text[100];
	FILE *f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	ck_assert_str_eq(text, expected);
}

START_TEST(a_download_is_the_whole_file_with_ordinary_permissions)
{
	struct answer a = { .text = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nsmall model\n", .step = 5 };
	struct stat st;
	umask(022);
	talk(&a, 1, NULL);
	ck_ok(http_get_file(h, "/v1/trials/7.41/model", in_folder("small.onnx"), &e));
	check_text(in_folder("small.onnx"), "small model\n");
	ck_assert_int_eq(stat(in_folder("small.onnx"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0644);
	ck_assert_int_eq(count_files(), 1);
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_download_onto_a_link_replaces_its_target)
{
	struct stat st;
	write_text(in_folder("small.onnx"), "old");
	ck_assert_int_eq(symlink("small.onnx", in_folder("link")), 0);
	talk_once("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew");
	ck_ok(http_get_file(h, "/x", in_folder("link"), &e));
	check_text(in_folder("small.onnx"), "new");
	ck_assert_int_eq(lstat(in_folder("link"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(count_files(), 2);
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_download_onto_a_fifo_asks_nobody)
{
	ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
	talk_once(NULL);
	ck_fails(ERR_INPUT, http_get_file(h, "/x", in_folder("fifo"), &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "fifo: is a FIFO, expected a regular file"));
	ck_assert_ptr_null(strstr(server_heard(), "GET"));
	http_close(h);
}
END_TEST

START_TEST(a_refused_download_leaves_no_file)
{
	talk_once("HTTP/1.1 404 Not Found\r\nContent-Length: 33\r\n\r\n{\"detail\": \"there is no trial 9\"}\n");
	ck_fails(ERR_NOT_FOUND, http_get_file(h, "/x", in_folder("small.onnx"), &e));
	ck_assert_str_eq(e.msg, "there is no trial 9");
	ck_assert_int_eq(count_files(), 0);
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_download_that_breaks_off_keeps_the_old_file)
{
	struct answer a = { .text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", .hang_up = true };
	write_text(in_folder("small.onnx"), "old");
	talk(&a, 1, NULL);
	ck_fails(ERR_UNAVAILABLE, http_get_file(h, "/x", in_folder("small.onnx"), &e));
	check_text(in_folder("small.onnx"), "old");
	ck_assert_int_eq(count_files(), 1);
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_download_onto_a_full_disk_is_an_io_error_and_leaves_no_file)
{
	static char text[60000] = "HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n";
	struct rlimit limit;
	size_t head = strlen(text);
	memset(text + head, 'x', 50000);
	talk_once(text);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 10000;
	setrlimit(RLIMIT_FSIZE, &limit);
	enum err err = http_get_file(h, "/x", in_folder("small.onnx"), &e);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_fails(ERR_IO, err);
	ck_assert_ptr_nonnull(strstr(e.msg, "small.onnx"));
	ck_assert_int_eq(count_files(), 0);
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_download_into_a_missing_folder_asks_nobody)
{
	talk_once(NULL);
	ck_fails(ERR_NOT_FOUND, http_get_file(h, "/x", in_folder("no/such/file"), &e));
	ck_assert_ptr_null(strstr(server_heard(), "GET"));
	http_close(h);
}
END_TEST

START_TEST(text_comes_terminated_even_when_there_is_none)
{
	struct answer a[] = { { .text = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<svg/>" },
		{ .text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
		{ .text = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" } };
	char *text;
	talk(a, 3, NULL);
	ck_ok(http_get_text(h, "/svg", &text, &e));
	ck_assert_str_eq(text, "<svg/>");
	free(text);
	ck_ok(http_get_text(h, "/empty", &text, &e));
	ck_assert_str_eq(text, "");
	free(text);
	ck_fails(ERR_NOT_FOUND, http_get_text(h, "/none", &text, &e));
	http_close(h);
	server_heard();
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	static char path[4000];
	cJSON *ret;
	memset(path, '/', sizeof path - 1);
	talk_once(NULL);
	ck_fails(ERR_INPUT, http_call(h, "GET", path, NULL, 1, &ret, &e));
	http_close(h);
	server_heard();
}
END_TEST

Suite *suite_http(void)
{
	Suite *s = suite_create("http");
	TCase *c = scene_case(s, "call");
	tcase_add_test(c, an_answer_in_json_is_parsed_and_the_request_went_out_whole);
	tcase_add_test(c, an_answer_in_packets_of_one_byte_is_the_same);
	tcase_add_test(c, no_content_gives_null);
	tcase_add_test(c, an_answer_nobody_wants_may_be_dropped);
	tcase_add_test(c, the_token_goes_with_every_request);
	tcase_add_loop_test(c, a_refusal_becomes_its_code_and_the_problems_detail, 0, REFUSALS);
	tcase_add_loop_test(c, a_refusal_without_a_problem_is_said_by_its_status, 0, 4);
	tcase_add_loop_test(c, nobody_at_the_socket_is_unavailable_with_the_reason, 0, 4);
	tcase_add_test(c, a_socket_without_permissions_is_said_to_be_so);
	tcase_add_test(c, a_daemon_that_answers_is_reached_whatever_it_says);
	tcase_add_loop_test(c, a_connection_that_breaks_is_unavailable, 0, 4);
	tcase_add_test(c, a_daemon_that_says_nothing_runs_into_the_time_limit);
	tcase_add_test(c, an_answer_that_is_no_json_is_an_error);
	tcase_add_test(c, an_address_or_token_that_can_not_be_used_is_refused);
	tcase_add_test(c, a_head_request_tells_what_is_there);
	tcase_add_test(c, a_path_that_is_too_long_is_refused);
	c = scene_case(s, "transfer");
	tcase_add_test(c, uploads_arrive_with_their_length_and_bytes);
	tcase_add_test(c, a_refused_upload_says_why);
	tcase_add_test(c, what_can_not_be_uploaded_is_named_before_anything_is_sent);
	tcase_add_test(c, a_download_is_the_whole_file_with_ordinary_permissions);
	tcase_add_test(c, a_download_onto_a_link_replaces_its_target);
	tcase_add_test(c, a_download_onto_a_fifo_asks_nobody);
	tcase_add_test(c, a_refused_download_leaves_no_file);
	tcase_add_test(c, a_download_that_breaks_off_keeps_the_old_file);
	tcase_add_test(c, a_download_onto_a_full_disk_is_an_io_error_and_leaves_no_file);
	tcase_add_test(c, a_download_into_a_missing_folder_asks_nobody);
	tcase_add_test(c, text_comes_terminated_even_when_there_is_none);
	return s;
}

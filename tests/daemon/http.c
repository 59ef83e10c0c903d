/* http.c -- the protocol in hostile hands.
 * SPDX-License-Identifier: MIT */
#include "base/http.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/daemon/play.h"

static struct scene scene;

static void open_scene(void)
{
	scene.extra = "\"max_blob_mb\": 1,";
	scene_open(&scene);
}

static void close_scene(void)
{
	scene_close(&scene);
}

/* Sends a request by hand; the answer must have this status and be problem details that say part. */
static void expect_problem(const char *text, const char *status, const char *part)
{
	int fd = scene_send(&scene, text);
	const char *answer = scene_read(fd, "}\n");
	ck_assert_msg(strstr(answer, status), "%.60s: answered %s", text, answer);
	ck_assert_msg(strstr(answer, "Content-Type: application/problem+json"), "%.60s: answered %s", text, answer);
	ck_assert_msg(strstr(answer, part), "%.60s: answered %s, which does not say %s", text, answer, part);
	close(fd);
}

#define POST_JOB(len) "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: " len "\r\n\r\n"

START_TEST(every_refusal_is_problem_details)
{
	char path[1200];
	expect_problem("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", " 404 ", "pared:not-found");
	expect_problem("PATCH /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n", " 405 ", "pared:method");
	expect_problem("GET /v1/jobs/5 HTTP/1.1\r\nHost: x\r\n\r\n", " 404 ", "5");
	expect_problem(POST_JOB("4") "{\"a\"", " 400 ", "not valid JSON");
	expect_problem(POST_JOB("2") "[]", " 400 ", "expected an object");
	expect_problem(POST_JOB("0"), " 400 ", "name: missing");
	expect_problem(POST_JOB("5") "\"\xff\xfe\"x", " 400 ", "byte 1 is 0xff, expected UTF-8");
	expect_problem(POST_JOB("4") "\"\xc0\x80\"", " 400 ", "expected UTF-8");
	expect_problem(POST_JOB("5") "\"\xed\xa0\x80\"", " 400 ", "expected UTF-8");
	expect_problem(POST_JOB("3") "{}\xe2", " 400 ", "expected UTF-8");
	expect_problem(POST_JOB("99999999999999"), " 413 ", "pared:limit");
	expect_problem(POST_JOB("16777217"), " 413 ", "expected at most 16777216");
	snprintf(path, sizeof path, "GET /v1/%01000d HTTP/1.1\r\nHost: x\r\n\r\n", 0);
	expect_problem(path, " 404 ", "no path is longer");
	scene_submit(&scene, "");
	expect_problem("GET /v1/jobs/1%00 HTTP/1.1\r\nHost: x\r\n\r\n", " 404 ", "there is no /v1/jobs/1%00");
	expect_problem("GET /v1/jobs/1%00/trials HTTP/1.1\r\nHost: x\r\n\r\n", " 404 ", "not-found");
	int fd = scene_send(&scene, "GET /v1/jobs/%31 HTTP/1.1\r\nHost: x\r\n\r\n");
	ck_assert_ptr_nonnull(strstr(scene_read(fd, "}\n"), " 200 "));
	close(fd);
	expect_problem("GET /v1/blobs/xyz HTTP/1.1\r\nHost: x\r\n\r\n", " 400 ", "digest: is \\\"xyz\\\"");
	expect_problem("PUT /v1/blobs/xyz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", " 400 ", "hexadecimal");
}
END_TEST

START_TEST(deep_nesting_is_refused_and_not_followed)
{
	enum { DEEP = 200000 };
	char *body = malloc(DEEP + 1);
	memset(body, '[', DEEP);
	body[DEEP] = '\0';
	int fd = scene_send_json(&scene, "POST", "/v1/jobs", body);
	ck_assert_ptr_nonnull(strstr(scene_read(fd, "}\n"), " 400 "));
	close(fd);
	free(body);
}
END_TEST

START_TEST(a_body_without_a_length_is_bounded_too)
{
	int fd = scene_send(&scene, "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	static char chunk[65536 + 16];
	int head = sprintf(chunk, "10000\r\n");
	memset(chunk + head, ' ', 65536);
	memcpy(chunk + head + 65536, "\r\n", 3);
	for (int i = 0; i < 300; i++)
		if (write(fd, chunk, (size_t)head + 65538) < 0)
			break;
	ck_assert_int_ge(write(fd, "0\r\n\r\n", 5), 5);
	const char *answer = scene_read(fd, "}\n");
	ck_assert_msg(strstr(answer, " 413 ") && strstr(answer, "body: is larger than"), "%s", answer);
	close(fd);
}
END_TEST

START_TEST(blobs_are_checked_on_arrival)
{
	char path[96], digest[DIGEST_HEX + 1];
	bool exists;
	static char large[1100000];
	snprintf(path, sizeof path, "/v1/blobs/%064d", 7);
	ck_fails(ERR_INPUT, "but the 3 bytes sent have", http_put_bytes(scene.http, path, "abc", 3, &e));
	ck_ok(http_exists(scene.http, path, &exists, &e));
	ck_assert(!exists);
	ck_ok(digest_bytes(large, sizeof large, digest, &e));
	snprintf(path, sizeof path, "/v1/blobs/%s", digest);
	ck_fails(ERR_LIMIT, "max_blob_mb", http_put_bytes(scene.http, path, large, sizeof large, &e));
	ck_ok(digest_bytes(large, 1000000, digest, &e));
	snprintf(path, sizeof path, "/v1/blobs/%s", digest);
	ck_ok(http_put_bytes(scene.http, path, large, 1000000, &e));
	ck_ok(http_put_bytes(scene.http, path, large, 1000000, &e));
	ck_ok(http_exists(scene.http, path, &exists, &e));
	ck_assert(exists);
	snprintf(path, sizeof path, "/v1/blobs/%064d", 8);
	scene_refused(&scene, ERR_NOT_FOUND, "8", path, NULL);
}
END_TEST

/* A file can't grow beyond some point, as on a full disk: the daemon goes on. */
START_TEST(a_blob_that_the_disk_does_not_hold_is_no_fault_of_its_sender)
{
	struct scene small = { .largest_file = 200000 };
	static char large[300000];
	char path[96], digest[DIGEST_HEX + 1], *request;
	scene_open(&small);
	ck_ok(digest_bytes(large, sizeof large, digest, &e));
	snprintf(path, sizeof path, "/v1/blobs/%s", digest);
	ck_fails(ERR_IO, "File too large", http_put_bytes(small.http, path, large, sizeof large, &e));
	memset(large, 'x', sizeof large - 1);
	ck_assert_int_ge(asprintf(&request, "PUT %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", path,
		strlen(large), large), 0);
	int fd = scene_send(&small, request);
	const char *answer = scene_read(fd, "}\n");
	ck_assert_msg(strstr(answer, " 507 ") && strstr(answer, "pared:io"), "%s", answer);
	close(fd);
	free(request);
	ck_ok(http_call(small.http, "GET", "/healthz", NULL, 5, NULL, &e));
	scene_close(&small);
}
END_TEST

START_TEST(a_blob_that_comes_back_is_the_one_that_went)
{
	char path[96], digest[DIGEST_HEX + 1], file[128], after[DIGEST_HEX + 1];
	static unsigned char bytes[500000];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * i >> 3);
	ck_ok(digest_bytes(bytes, sizeof bytes, digest, &e));
	snprintf(path, sizeof path, "/v1/blobs/%s", digest);
	snprintf(file, sizeof file, "%s/back", scene.directory);
	ck_ok(http_put_bytes(scene.http, path, bytes, sizeof bytes, &e));
	ck_ok(http_get_file(scene.http, path, file, &e));
	ck_ok(digest_file(file, after, &e));
	ck_assert_str_eq(digest, after);
}
END_TEST

START_TEST(uploads_that_break_off_leave_nothing_behind)
{
	char text[256], path[96];
	bool exists;
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof text,
			"PUT /v1/blobs/%064d HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf", 9);
		close(scene_send(&scene, text));
		close(scene_send(&scene, "POST /v1/jobs HTTP/1.1\r\nContent-Le"));
		close(scene_send(&scene, POST_JOB("50") "{"));
		close(scene_send(&scene, "\x16\x03\x01 not http at all\r\n\r\n"));
	}
	snprintf(path, sizeof path, "/v1/blobs/%064d", 9);
	ck_ok(http_exists(scene.http, path, &exists, &e));
	ck_assert(!exists);
	snprintf(text, sizeof text, "ls -A %s/state/blobs/incoming | wc -l | grep -qx 0", scene.directory);
	ck_assert_msg(system(text) == 0, "temporary files are left");
}
END_TEST

START_TEST(two_requests_on_one_connection_are_answered_in_turn)
{
	int fd = scene_send(&scene, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/jobs HTTP/1.1\r\nHost: x\r\n\r\n");
	const char *answer = scene_read(fd, "jobs\":[]}");
	const char *first = strstr(answer, "\"status\":\"ok\"");
	ck_assert_msg(first && strstr(first, "\"jobs\":[]"), "%s", answer);
	close(fd);
}
END_TEST

/* The status line of a request over TCP with this header. */
static const char *answer_to(int port, const char *authorization)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	char request[256];
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	int len = snprintf(request, sizeof request, "GET /healthz HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", authorization);
	ck_assert_int_eq(write(fd, request, (size_t)len), len);
	const char *answer = scene_read(fd, "}\n");
	close(fd);
	return answer;
}

static void check_spellings(int port)
{
	static const struct {
		const char *header, *status;
	} spellings[] = {
		{ "Authorization: Bearer 0123456789abcdef0123", " 200 " },
		{ "Authorization: bearer 0123456789abcdef0123", " 200 " },
		{ "authorization: BEARER  0123456789abcdef0123 \t ", " 200 " },
		{ "Authorization: Bearer0123456789abcdef0123", " 401 " },
		{ "Authorization: Bearer", " 401 " },
		{ "Authorization: Bearer  ", " 401 " },
		{ "Authorization: Basic 0123456789abcdef0123", " 401 " },
		{ "Authorization: Bearer 0123456789abcdef0123 4", " 401 " },
	};
	for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		const char *answer = answer_to(port, spellings[i].header);
		ck_assert_msg(strstr(answer, spellings[i].status), "%s: answered %s", spellings[i].header, answer);
	}
}

START_TEST(over_tcp_every_request_needs_the_token)
{
	struct scene tcp = { .token = "0123456789abcdef0123\n" };
	struct http *h;
	char extra[160], url[64];
	/* The folder's name is known only when it is made: the token file is put beside, by its full name. */
	char file[] = "/tmp/pared-token.XXXXXX";
	int fd = mkstemp(file);
	ck_assert_int_eq(write(fd, tcp.token, strlen(tcp.token)), (ssize_t)strlen(tcp.token));
	close(fd);
	snprintf(extra, sizeof extra, "\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0, \"token_file\": \"%s\"},", file);
	tcp.extra = extra;
	scene_open(&tcp);
	const char *line = strstr(scene_log(&tcp), "http://127.0.0.1:");
	ck_assert_ptr_nonnull(line);
	snprintf(url, sizeof url, "%.*s", (int)strcspn(line, "\n"), line);
	static const char *const wrong[] = { NULL, "", "0123456789abcdef012", "0123456789abcdef01234",
		"1123456789abcdef0123" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_ok(http_open(url, wrong[i], &h, &e));
		ck_fails(ERR_DENIED, "Authorization", http_call(h, "GET", "/healthz", NULL, 5, NULL, &e));
		ck_fails(ERR_DENIED, "Authorization", http_call(h, "GET", "/nowhere", NULL, 5, NULL, &e));
		http_close(h);
	}
	ck_ok(http_open(url, "0123456789abcdef0123", &h, &e));
	ck_ok(http_call(h, "GET", "/healthz", NULL, 5, NULL, &e));
	ck_fails(ERR_NOT_FOUND, "nowhere", http_call(h, "GET", "/nowhere", NULL, 5, NULL, &e));
	http_close(h);
	check_spellings(atoi(strrchr(url, ':') + 1));
	scene_close(&tcp);
	unlink(file);
}
END_TEST

Suite *suite_http(void)
{
	Suite *s = suite_create("http");
	TCase *t = tcase_create("http");
	tcase_add_checked_fixture(t, open_scene, close_scene);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_refusal_is_problem_details);
	tcase_add_test(t, deep_nesting_is_refused_and_not_followed);
	tcase_add_test(t, a_body_without_a_length_is_bounded_too);
	tcase_add_test(t, blobs_are_checked_on_arrival);
	tcase_add_test(t, a_blob_that_the_disk_does_not_hold_is_no_fault_of_its_sender);
	tcase_add_test(t, a_blob_that_comes_back_is_the_one_that_went);
	tcase_add_test(t, uploads_that_break_off_leave_nothing_behind);
	tcase_add_test(t, two_requests_on_one_connection_are_answered_in_turn);
	tcase_add_test(t, over_tcp_every_request_needs_the_token);
	suite_add_tcase(s, t);
	return s;
}

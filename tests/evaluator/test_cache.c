/* test_cache.c -- a worker's blob cache: fetched once, checked, shared, bounded.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "evaluator/cache.h"
#include "tests/evaluator/canned.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/suites.h"

enum { BLOB = 1000, BLOBS = 6 };

static const uint64_t PLENTY = 1 << 30;

/* Blob k is BLOB bytes of 'a' + k. */
static struct {
	char bytes[BLOB], digest[DIGEST_HEX + 1];
} blobs[BLOBS];

static struct canned canned;
static struct http *http;
static pthread_t thread;
static atomic_bool lying;

static void answer(struct canned *c, const struct canned_request *r, void *arg)
{
	(void)c, (void)arg;
	static const char get_blob[] = "GET /v1/blobs/";
	size_t len = sizeof get_blob - 1;
	for (int k = 0; k < BLOBS; k++)
		if (!strncmp(r->line, get_blob, len) && !strcmp(r->line + len, blobs[k].digest)) {
			canned_reply(r, 200, blobs[lying ? 0 : k].bytes, BLOB);
			return;
		}
	canned_reply_text(r, 404, "{\"detail\": \"no such blob\"}");
}

static void setup(void)
{
	struct errinfo e;
	folder_enter();
	for (int k = 0; k < BLOBS; k++) {
		memset(blobs[k].bytes, 'a' + k, BLOB);
		ck_assert(!digest_bytes(blobs[k].bytes, BLOB, blobs[k].digest, &e));
	}
	canned_open(&canned, answer, NULL);
	ck_assert(!http_open(canned.url, NULL, &http, &e));
	ck_assert(!pthread_create(&thread, NULL, canned_serve, &canned));
}

static void teardown(void)
{
	http_close(http);
	atomic_store(&canned.stop, true);
	pthread_join(thread, NULL);
	canned_close(&canned);
	folder_leave();
}

static struct cache *open_cache(const char *name, uint64_t most)
{
	struct cache *c = NULL;
	struct errinfo e = { 0 };
	ck_assert_msg(!cache_open("cache", name, most, &c, &e), "%s", e.msg);
	return c;
}

/* Gets blob k and claims that its bytes are right. */
static void get(struct cache *c, int k)
{
	char path[CACHE_PATH], *data;
	size_t len;
	struct errinfo e = { 0 };
	ck_assert_msg(!cache_get(c, http, blobs[k].digest, path, &e), "%s", e.msg);
	ck_assert_msg(!file_read(path, PLENTY, &data, &len, &e), "%s", e.msg);
	ck_assert_uint_eq(len, BLOB);
	ck_assert_mem_eq(data, blobs[k].bytes, BLOB);
	free(data);
}

static bool stored(int k)
{
	char path[128];
	snprintf(path, sizeof path, "cache/%s", blobs[k].digest);
	return !access(path, F_OK);
}

static int fetched(int k)
{
	char line[128];
	snprintf(line, sizeof line, "GET /v1/blobs/%s", blobs[k].digest);
	return canned_saw(&canned, line, NULL);
}

START_TEST(a_blob_is_fetched_once)
{
	struct cache *c = open_cache("w", PLENTY);
	get(c, 1);
	get(c, 1);
	cache_release(c);
	get(c, 1);
	cache_close(c);
	c = open_cache("other", PLENTY);
	get(c, 1);
	cache_close(c);
	ck_assert_int_eq(fetched(1), 1);
	ck_assert_int_eq(folder_count("cache", ""), 1);
}
END_TEST

START_TEST(a_damaged_file_is_found_at_first_use_and_fetched_again)
{
	char path[128];
	struct cache *c = open_cache("w", PLENTY);
	snprintf(path, sizeof path, "cache/%s", blobs[2].digest);
	folder_put(path, blobs[3].bytes, BLOB);
	get(c, 2);
	ck_assert_int_eq(fetched(2), 1);
	cache_close(c);
}
END_TEST

START_TEST(a_file_changed_in_place_is_found_by_the_process_that_knew_it)
{
	char path[128];
	struct cache *c = open_cache("w", PLENTY);
	snprintf(path, sizeof path, "cache/%s", blobs[2].digest);
	get(c, 2);
	cache_release(c);
	int fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, "oops", 4, 0), 4);
	close(fd);
	get(c, 2);
	ck_assert_int_eq(fetched(2), 2);
	cache_close(c);
}
END_TEST

START_TEST(a_folder_that_was_removed_is_made_again)
{
	struct errinfo e = { 0 };
	struct cache *c = open_cache("w", PLENTY);
	ck_assert(!rmdir("cache"));
	ck_assert_msg(!cache_prepare(c, &e), "%s", e.msg);
	get(c, 1);
	cache_close(c);
}
END_TEST

START_TEST(bytes_of_another_digest_never_get_the_name)
{
	char path[CACHE_PATH];
	struct errinfo e = { 0 };
	struct cache *c = open_cache("w", PLENTY);
	lying = true;
	ck_assert_int_eq(cache_get(c, http, blobs[4].digest, path, &e), ERR_IO);
	ck_assert_msg(strstr(e.msg, blobs[4].digest) && strstr(e.msg, blobs[0].digest), "%s", e.msg);
	ck_assert_int_eq(folder_count("cache", ""), 0);
	cache_close(c);
}
END_TEST

START_TEST(what_the_daemon_does_not_have_is_not_found)
{
	char path[CACHE_PATH], digest[DIGEST_HEX + 1];
	struct errinfo e = { 0 };
	struct cache *c = open_cache("w", PLENTY);
	memset(digest, '0', DIGEST_HEX);
	digest[DIGEST_HEX] = '\0';
	ck_assert_int_eq(cache_get(c, http, digest, path, &e), ERR_NOT_FOUND);
	ck_assert_int_eq(cache_get(c, http, "../../etc/passwd", path, &e), ERR_INPUT);
	ck_assert_int_eq(folder_count("cache", ""), 0);
	cache_close(c);
}
END_TEST

START_TEST(the_least_recently_used_make_room)
{
	struct cache *c = open_cache("w", 3 * BLOB);
	for (int k = 0; k < 3; k++) {
		get(c, k);
		cache_release(c);
	}
	get(c, 0);
	cache_release(c);
	get(c, 3);
	cache_release(c);
	ck_assert(stored(0) && !stored(1) && stored(2) && stored(3));
	cache_close(c);
}
END_TEST

START_TEST(what_a_trial_uses_stays_even_beyond_the_bound)
{
	struct cache *c = open_cache("w", 2 * BLOB);
	for (int k = 0; k < 5; k++)
		get(c, k);
	for (int k = 0; k < 5; k++)
		ck_assert(stored(k));
	cache_release(c);
	get(c, 5);
	ck_assert_int_eq(folder_count("cache", ""), 2);
	ck_assert(stored(4) && stored(5));
	cache_close(c);
}
END_TEST

START_TEST(what_another_worker_uses_stays)
{
	struct cache *a = open_cache("a", BLOB), *b = open_cache("b", BLOB);
	get(a, 0);
	get(b, 1);
	cache_release(b);
	get(b, 2);
	ck_assert(stored(0) && !stored(1) && stored(2));
	cache_release(a);
	get(b, 3);
	ck_assert(!stored(0));
	cache_close(a);
	cache_close(b);
}
END_TEST

START_TEST(what_was_removed_behind_the_back_is_fetched_again)
{
	char path[128];
	struct cache *c = open_cache("w", PLENTY);
	get(c, 0);
	snprintf(path, sizeof path, "cache/%s", blobs[0].digest);
	ck_assert(!unlink(path));
	get(c, 0);
	ck_assert_int_eq(fetched(0), 2);
	cache_close(c);
}
END_TEST

/* A process id that belongs to nobody any more. */
static pid_t dead_pid(void)
{
	pid_t pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return pid;
}

START_TEST(leftovers_of_the_own_name_are_removed_at_start)
{
	char path[CACHE_PATH], mine[64], others[64], alive[64];
	struct errinfo e;
	pid_t dead = dead_pid();
	cache_close(open_cache("a-1", PLENTY));
	snprintf(mine, sizeof mine, "cache/tmp-%d-a~model.onnx", dead);
	snprintf(others, sizeof others, "cache/tmp-%d-a-1~model.onnx", dead);
	snprintf(alive, sizeof alive, "cache/tmp-%d-a~model.onnx", getppid());
	folder_put(mine, "", 0);
	folder_put(others, "", 0);
	folder_put(alive, "", 0);
	struct cache *c = open_cache("a", PLENTY);
	ck_assert(access(mine, F_OK) && !access(others, F_OK) && !access(alive, F_OK));
	ck_assert(!cache_temporary(c, "model.onnx", path, &e));
	folder_put(path, "", 0);
	cache_close(c);
	ck_assert(!access(path, F_OK));
	cache_close(open_cache("a", PLENTY));
	ck_assert(access(path, F_OK));
}
END_TEST

START_TEST(a_name_that_could_be_a_path_is_refused)
{
	static const char *const wrong[] = { "", "a/b", "..\n", "a~", "a b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct cache *c = NULL;
		struct errinfo e = { 0 };
		ck_assert_int_eq(cache_open("cache", wrong[i], PLENTY, &c, &e), ERR_INPUT);
		ck_assert_msg(!strncmp(e.msg, "name: ", 6), "%s", e.msg);
	}
}
END_TEST

Suite *cache_suite(void)
{
	Suite *s = suite_create("cache");
	TCase *t = tcase_create("cache");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, a_blob_is_fetched_once);
	tcase_add_test(t, a_damaged_file_is_found_at_first_use_and_fetched_again);
	tcase_add_test(t, a_file_changed_in_place_is_found_by_the_process_that_knew_it);
	tcase_add_test(t, a_folder_that_was_removed_is_made_again);
	tcase_add_test(t, bytes_of_another_digest_never_get_the_name);
	tcase_add_test(t, what_the_daemon_does_not_have_is_not_found);
	tcase_add_test(t, the_least_recently_used_make_room);
	tcase_add_test(t, what_a_trial_uses_stays_even_beyond_the_bound);
	tcase_add_test(t, what_another_worker_uses_stays);
	tcase_add_test(t, what_was_removed_behind_the_back_is_fetched_again);
	tcase_add_test(t, leftovers_of_the_own_name_are_removed_at_start);
	tcase_add_test(t, a_name_that_could_be_a_path_is_refused);
	suite_add_tcase(s, t);
	return s;
}

/* blob.c -- tests of files named by their digest.
 * SPDX-License-Identifier: MIT */
#include "store/blob.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "tests/store/scene.h"

static char hex[DIGEST_HEX + 1]; /* of the bytes sent last */

static enum err send(const void *data, size_t len, int64_t limit, size_t step, bool *ret_new)
{
	struct blob_writer *w;
	ck_ok(digest_bytes(data, len, hex, &e));
	enum err err = blob_begin(store, hex, limit, &w, &e);
	if (err)
		return err;
	for (size_t at = 0; !err && at < len; at += step)
		err = blob_write(w, (const char *)data + at, at + step < len ? step : len - at, &e);
	if (!err)
		return blob_finish(w, 5, ret_new, &e);
	blob_abort(w);
	return err;
}

static void check_holds(const char *digest, const void *data, size_t len)
{
	int fd;
	int64_t size;
	ck_ok(blob_open(store, digest, &fd, &size, &e));
	ck_assert_int_eq(size, len);
	char *bytes = malloc(len + 1);
	ck_assert_int_eq(read(fd, bytes, len + 1), len);
	ck_assert_mem_eq(bytes, data, len);
	free(bytes);
	close(fd);
}

static const char *path_of(const char *digest)
{
	static char path[512];
	snprintf(path, sizeof path, "%s/blobs/%.2s/%s", directory, digest, digest);
	return path;
}

static int count_incoming(void)
{
	char path[300];
	int n = 0;
	snprintf(path, sizeof path, "%s/blobs/incoming", directory);
	DIR *d = opendir(path);
	ck_assert_ptr_nonnull(d);
	for (struct dirent *entry; (entry = readdir(d));)
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

START_TEST(bytes_come_back_whatever_the_pieces)
{
	static const size_t steps[] = { 1, 7, 1000, 5000 };
	unsigned char data[3000];
	bool is_new;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 31 + (size_t)_i);
	ck_ok(send(data, sizeof data, sizeof data, steps[_i], &is_new));
	ck_assert(is_new);
	ck_ok(store_commit(store, &e));
	scene_reopen();
	check_holds(hex, data, sizeof data);
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

START_TEST(an_empty_blob_is_a_blob)
{
	bool is_new;
	ck_ok(send("", 0, 10, 1, &is_new));
	ck_assert_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_holds(hex, "", 0);
}
END_TEST

START_TEST(a_wrong_digest_keeps_nothing)
{
	struct blob_writer *w;
	bool known, is_new;
	ck_ok(digest_bytes("promised", 8, hex, &e));
	ck_ok(blob_begin(store, hex, 100, &w, &e));
	ck_ok(blob_write(w, "delivered", 9, &e));
	ck_fails(ERR_INPUT, blob_finish(w, 5, &is_new, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, hex));
	ck_ok(blob_exists(store, hex, &known, &e));
	ck_assert(!known);
	ck_assert_int_ne(access(path_of(hex), F_OK), 0);
	ck_assert_int_eq(count_incoming(), 0);
	ck_assert(!store_dirty(store));
}
END_TEST

START_TEST(what_is_no_digest_is_refused)
{
	static const char *const wrong[] = { "", "abc", "../../../../etc/passwd",
		"E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8550",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85/" };
	struct blob_writer *w;
	bool known;
	int fd;
	int64_t size;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_fails(ERR_INPUT, blob_begin(store, wrong[i], 100, &w, &e));
		ck_fails(ERR_INPUT, blob_exists(store, wrong[i], &known, &e));
		ck_fails(ERR_INPUT, blob_open(store, wrong[i], &fd, &size, &e));
	}
}
END_TEST

START_TEST(one_byte_over_the_limit_is_too_large_and_the_limit_is_not)
{
	bool is_new;
	ck_ok(send("0123456789", 10, 10, 3, &is_new));
	ck_fails(ERR_LIMIT, send("0123456789X", 11, 10, 3, &is_new));
	ck_assert_ptr_nonnull(strstr(e.msg, "10 bytes"));
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

START_TEST(a_writer_that_failed_can_not_finish)
{
	struct blob_writer *w;
	bool is_new;
	ck_ok(digest_bytes("abcd", 4, hex, &e));
	ck_ok(blob_begin(store, hex, 4, &w, &e));
	ck_ok(blob_write(w, "abcd", 4, &e));
	ck_fails(ERR_LIMIT, blob_write(w, "efgh", 4, &e));
	ck_fails(ERR_LIMIT, blob_write(w, "", 0, &e));
	ck_fails(ERR_LIMIT, blob_finish(w, 5, &is_new, &e));
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

START_TEST(an_aborted_writer_leaves_nothing)
{
	struct blob_writer *w;
	bool known;
	ck_ok(digest_bytes("abcd", 4, hex, &e));
	ck_ok(blob_begin(store, hex, 4, &w, &e));
	ck_ok(blob_write(w, "abcd", 4, &e));
	ck_assert_int_eq(count_incoming(), 1);
	blob_abort(w);
	blob_abort(NULL);
	ck_assert_int_eq(count_incoming(), 0);
	ck_ok(blob_exists(store, hex, &known, &e));
	ck_assert(!known);
}
END_TEST

START_TEST(leftovers_of_a_crash_are_removed_by_the_next_open)
{
	store_close(store);
	pid_t child = fork();
	if (!child) {
		struct blob_writer *w;
		if (store_open(directory, &store, &e) || digest_bytes("abcd", 4, hex, &e) ||
			blob_begin(store, hex, 4, &w, &e) || blob_write(w, "ab", 2, &e))
			_exit(1);
		raise(SIGKILL);
	}
	int status;
	waitpid(child, &status, 0);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(count_incoming(), 1);
	ck_ok(store_open(directory, &store, &e));
	ck_assert_int_eq(count_incoming(), 0);
}
END_TEST

START_TEST(a_known_blob_is_not_new_and_stays_whole)
{
	bool is_new = true;
	ck_ok(send("same bytes", 10, 100, 10, &is_new));
	ck_assert(is_new);
	ck_ok(store_commit(store, &e));
	ck_ok(send("same bytes", 10, 100, 2, &is_new));
	ck_assert(!is_new);
	check_holds(hex, "same bytes", 10);
	ck_assert_int_eq(count_incoming(), 0);
	ck_assert_str_eq(ask("SELECT count(*) || ' ' || size FROM blob"), "1 10");
}
END_TEST

START_TEST(two_writers_of_the_same_bytes_both_succeed)
{
	struct blob_writer *a, *b;
	bool new_a, new_b;
	ck_ok(digest_bytes("twins", 5, hex, &e));
	ck_ok(blob_begin(store, hex, 5, &a, &e));
	ck_ok(blob_begin(store, hex, 5, &b, &e));
	ck_ok(blob_write(a, "twins", 5, &e));
	ck_ok(blob_write(b, "twins", 5, &e));
	ck_ok(blob_finish(a, 5, &new_a, &e));
	ck_ok(blob_finish(b, 5, &new_b, &e));
	ck_assert(new_a && !new_b);
	check_holds(hex, "twins", 5);
}
END_TEST

START_TEST(a_blob_whose_row_was_rolled_back_is_unknown_and_can_be_sent_again)
{
	bool is_new, known;
	ck_ok(send("again", 5, 5, 5, &is_new));
	store_rollback(store);
	ck_ok(blob_exists(store, hex, &known, &e));
	ck_assert(!known);
	ck_ok(send("again", 5, 5, 5, &is_new));
	ck_assert(is_new);
	check_holds(hex, "again", 5);
}
END_TEST

START_TEST(a_row_without_its_file_is_an_io_error_and_sending_again_mends_it)
{
	bool is_new;
	int fd;
	int64_t size;
	ck_ok(send("fragile", 7, 7, 7, &is_new));
	ck_assert_int_eq(unlink(path_of(hex)), 0);
	ck_fails(ERR_IO, blob_open(store, hex, &fd, &size, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, path_of(hex)));
	ck_ok(send("fragile", 7, 7, 7, &is_new));
	ck_assert(!is_new);
	check_holds(hex, "fragile", 7);
}
END_TEST

START_TEST(a_file_of_the_wrong_size_is_an_io_error)
{
	bool is_new;
	int fd;
	int64_t size;
	ck_ok(send("shortened", 9, 9, 9, &is_new));
	ck_assert_int_eq(chmod(path_of(hex), 0600), 0);
	ck_assert_int_eq(truncate(path_of(hex), 4), 0);
	ck_fails(ERR_IO, blob_open(store, hex, &fd, &size, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "has 4 bytes, expected 9"));
}
END_TEST

START_TEST(a_missing_folder_of_ours_is_an_io_error_and_not_not_found)
{
	struct blob_writer *w;
	bool is_new;
	char path[300];
	ck_ok(digest_bytes("abcd", 4, hex, &e));
	ck_ok(blob_begin(store, hex, 4, &w, &e));
	ck_ok(blob_write(w, "abcd", 4, &e));
	snprintf(path, sizeof path, "rm -r %s/blobs", directory);
	ck_assert_int_eq(system(path), 0);
	ck_fails(ERR_IO, blob_finish(w, 5, &is_new, &e));
	ck_fails(ERR_IO, blob_begin(store, hex, 4, &w, &e));
	ck_assert(!store_dirty(store));
}
END_TEST

START_TEST(an_unknown_blob_is_not_found)
{
	int fd;
	int64_t size;
	ck_ok(digest_bytes("nobody", 6, hex, &e));
	ck_fails(ERR_NOT_FOUND, blob_open(store, hex, &fd, &size, &e));
}
END_TEST

Suite *suite_blob(void)
{
	Suite *s = suite_create("blob");
	TCase *c = scene_case(s, "blob");
	tcase_add_loop_test(c, bytes_come_back_whatever_the_pieces, 0, 4);
	tcase_add_test(c, an_empty_blob_is_a_blob);
	tcase_add_test(c, a_wrong_digest_keeps_nothing);
	tcase_add_test(c, what_is_no_digest_is_refused);
	tcase_add_test(c, one_byte_over_the_limit_is_too_large_and_the_limit_is_not);
	tcase_add_test(c, a_writer_that_failed_can_not_finish);
	tcase_add_test(c, an_aborted_writer_leaves_nothing);
	tcase_add_test(c, leftovers_of_a_crash_are_removed_by_the_next_open);
	tcase_add_test(c, a_known_blob_is_not_new_and_stays_whole);
	tcase_add_test(c, two_writers_of_the_same_bytes_both_succeed);
	tcase_add_test(c, a_blob_whose_row_was_rolled_back_is_unknown_and_can_be_sent_again);
	tcase_add_test(c, a_row_without_its_file_is_an_io_error_and_sending_again_mends_it);
	tcase_add_test(c, a_file_of_the_wrong_size_is_an_io_error);
	tcase_add_test(c, a_missing_folder_of_ours_is_an_io_error_and_not_not_found);
	tcase_add_test(c, an_unknown_blob_is_not_found);
	return s;
}

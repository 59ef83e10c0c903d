/* file.c -- tests of whole files.
 * SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/base/scene.h"

START_TEST(what_is_written_is_read_back)
{
	static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 300000 };
	size_t len = sizes[_i], got;
	char *data = malloc(len + 1), *back;
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 % 256);
	ck_ok(file_write(in_folder("f"), data, len, &e));
	ck_ok(file_read(in_folder("f"), len, &back, &got, &e));
	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(back, data, len);
	ck_assert_int_eq(back[len], '\0');
	free(data);
	free(back);
}
END_TEST

START_TEST(one_byte_over_the_limit_is_refused)
{
	char *back;
	size_t got;
	write_text(in_folder("f"), "0123456789");
	ck_fails(ERR_LIMIT, file_read(in_folder("f"), 9, &back, &got, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "larger than 9 bytes"));
	ck_ok(file_read(in_folder("f"), 10, &back, &got, &e));
	free(back);
}
END_TEST

START_TEST(an_endless_file_is_refused_at_the_limit)
{
	char *back;
	size_t got;
	ck_fails(ERR_LIMIT, file_read("/dev/zero", 1000000, &back, &got, &e));
}
END_TEST

START_TEST(what_can_not_be_read_is_named)
{
	char *back;
	size_t got;
	ck_fails(ERR_NOT_FOUND, file_read(in_folder("missing"), 10, &back, &got, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, in_folder("missing")));
	ck_fails(ERR_IO, file_read(directory, 10, &back, &got, &e));
}
END_TEST

START_TEST(a_write_replaces_the_file_and_leaves_nothing_beside_it)
{
	char *back;
	size_t got;
	ck_ok(file_write(in_folder("f"), "old and longer", 14, &e));
	ck_ok(file_write(in_folder("f"), "new", 3, &e));
	ck_ok(file_read(in_folder("f"), 100, &back, &got, &e));
	ck_assert_str_eq(back, "new");
	ck_assert_int_eq(count_entries(NULL), 1);
	free(back);
}
END_TEST

START_TEST(a_new_file_has_the_mode_that_umask_leaves)
{
	struct stat st;
	umask(027);
	ck_ok(file_write(in_folder("f"), "x", 1, &e));
	ck_assert_int_eq(stat(in_folder("f"), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0640);
}
END_TEST

START_TEST(a_full_disk_keeps_the_old_file_whole)
{
	static char large[100000];
	struct rlimit limit;
	char *back;
	size_t got;
	ck_ok(file_write(in_folder("f"), "old", 3, &e));
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 5000;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_fails(ERR_IO, file_write(in_folder("f"), large, sizeof large, &e));
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	ck_ok(file_read(in_folder("f"), 100, &back, &got, &e));
	ck_assert_str_eq(back, "old");
	ck_assert_int_eq(count_entries(NULL), 1);
	free(back);
}
END_TEST

/* A reader that looks all the time while a writer replaces the file sees one of the two contents, whole. */
START_TEST(a_reader_never_sees_half_a_file)
{
	static char text[20000];
	char *back;
	size_t got;
	memset(text, 'a', sizeof text);
	ck_ok(file_write(in_folder("f"), text, sizeof text, &e));
	pid_t child = fork();
	if (!child) {
		for (int i = 0; i < 60; i++) {
			memset(text, 'a' + i % 2, sizeof text);
			if (file_write(in_folder("f"), text, sizeof text, NULL))
				_exit(1);
		}
		_exit(0);
	}
	int status;
	do {
		ck_ok(file_read(in_folder("f"), sizeof text, &back, &got, &e));
		ck_assert_uint_eq(got, sizeof text);
		ck_assert_int_eq(back[0], back[got - 1]);
		free(back);
	} while (waitpid(child, &status, WNOHANG) == 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(a_link_stays_and_its_target_is_replaced)
{
	struct stat st;
	char *back;
	size_t got;
	ck_ok(file_make_directory(in_folder("below"), &e));
	ck_ok(file_write(in_folder("below/f"), "old", 3, &e));
	ck_assert_int_eq(symlink("below/f", in_folder("link")), 0);
	ck_ok(file_write(in_folder("link"), "new", 3, &e));
	ck_assert_int_eq(lstat(in_folder("link"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_ok(file_read(in_folder("below/f"), 100, &back, &got, &e));
	ck_assert_str_eq(back, "new");
	ck_assert_int_eq(count_entries(in_folder("below")), 1);
	free(back);
}
END_TEST

/* Root may replace /dev/null: the link to it is what shows that nothing tried. */
START_TEST(what_is_no_regular_file_is_left_alone)
{
	static const char *const messages[] = { "fifo: is a FIFO, expected a regular file", "folder: is a directory",
		"device: is a device, expected a regular file", "nowhere: is a link to a file that does not exist" };
	const char *names[] = { "fifo", "folder", "device", "nowhere" };
	struct stat before, after;
	ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
	ck_assert_int_eq(mkdir(in_folder("folder"), 0700), 0);
	ck_assert_int_eq(symlink("/dev/null", in_folder("device")), 0);
	ck_assert_int_eq(symlink("nothing", in_folder("nowhere")), 0);
	ck_assert_int_eq(lstat(in_folder(names[_i]), &before), 0);
	ck_fails(ERR_INPUT, file_write(in_folder(names[_i]), "new", 3, &e));
	ck_assert_msg(strstr(e.msg, messages[_i]) != NULL, "%s", e.msg);
	ck_assert_int_eq(lstat(in_folder(names[_i]), &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(before.st_mode, after.st_mode);
	ck_assert_int_eq(count_entries(NULL), 4);
}
END_TEST

START_TEST(a_file_in_a_missing_folder_is_not_found)
{
	ck_fails(ERR_NOT_FOUND, file_write(in_folder("no/such/f"), "x", 1, &e));
}
END_TEST

START_TEST(a_path_that_is_too_long_is_refused)
{
	char path[5000];
	memset(path, 'a', sizeof path);
	path[sizeof path - 1] = '\0';
	ck_fails(ERR_INPUT, file_write(path, "x", 1, &e));
	ck_fails(ERR_INPUT, file_make_directory(path, &e));
}
END_TEST

START_TEST(a_directory_is_made_with_its_parents)
{
	struct stat st;
	umask(0);
	ck_ok(file_make_directory(in_folder("a//b/c/"), &e));
	ck_assert_int_eq(stat(in_folder("a/b/c"), &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_int_eq(st.st_mode & 0777, 0750);
	ck_ok(file_make_directory(in_folder("a/b/c"), &e));
	ck_fails(ERR_INPUT, file_make_directory("", &e));
}
END_TEST

START_TEST(a_file_in_the_place_of_a_directory_is_an_error)
{
	write_text(in_folder("f"), "x");
	ck_fails(ERR_IO, file_make_directory(in_folder("f"), &e));
	ck_assert_ptr_nonnull(strstr(e.msg, in_folder("f")));
	ck_fails(ERR_IO, file_make_directory(in_folder("f/g"), &e));
}
END_TEST

START_TEST(a_link_to_a_directory_is_a_directory)
{
	ck_ok(file_make_directory(in_folder("real"), &e));
	ck_assert_int_eq(symlink("real", in_folder("link")), 0);
	ck_ok(file_make_directory(in_folder("link"), &e));
	ck_ok(file_make_directory(in_folder("link/below"), &e));
	ck_assert_int_eq(access(in_folder("real/below"), F_OK), 0);
}
END_TEST

/* Small ones are read, large ones mapped. */
START_TEST(bytes_may_be_changed_and_the_file_stays)
{
	static const size_t sizes[] = { 0, 1000, (size_t)20 << 20 };
	size_t len = sizes[_i], got;
	char *data = malloc(len + 1), *back;
	struct file_bytes b;
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7 % 251);
	ck_ok(file_write(in_folder("f"), data, len, &e));
	if (len)
		ck_fails(ERR_LIMIT, file_bytes_open(in_folder("f"), len - 1, &b, &e));
	ck_ok(file_bytes_open(in_folder("f"), len, &b, &e));
	ck_assert_uint_eq(b.len, len);
	ck_assert_mem_eq(b.data, data, len);
	memset(b.data, 'x', len);
	ck_ok(file_read(in_folder("f"), len, &back, &got, &e));
	ck_assert_mem_eq(back, data, len);
	file_bytes_close(&b);
	file_bytes_close(&b);
	free(data);
	free(back);
}
END_TEST

START_TEST(bytes_of_what_is_no_file_are_refused_or_read)
{
	struct file_bytes b;
	ck_fails(ERR_NOT_FOUND, file_bytes_open(in_folder("missing"), 10, &b, &e));
	ck_assert(file_bytes_open(in_folder("."), 10, &b, &e));
	ck_fails(ERR_LIMIT, file_bytes_open("/dev/zero", 100000, &b, &e));
}
END_TEST

Suite *suite_file(void)
{
	Suite *s = suite_create("file");
	TCase *c = scene_case(s, "file");
	tcase_add_loop_test(c, what_is_written_is_read_back, 0, 6);
	tcase_add_test(c, one_byte_over_the_limit_is_refused);
	tcase_add_test(c, an_endless_file_is_refused_at_the_limit);
	tcase_add_test(c, what_can_not_be_read_is_named);
	tcase_add_test(c, a_write_replaces_the_file_and_leaves_nothing_beside_it);
	tcase_add_test(c, a_new_file_has_the_mode_that_umask_leaves);
	tcase_add_test(c, a_full_disk_keeps_the_old_file_whole);
	tcase_add_test(c, a_reader_never_sees_half_a_file);
	tcase_add_test(c, a_link_stays_and_its_target_is_replaced);
	tcase_add_loop_test(c, what_is_no_regular_file_is_left_alone, 0, 4);
	tcase_add_test(c, a_file_in_a_missing_folder_is_not_found);
	tcase_add_test(c, a_path_that_is_too_long_is_refused);
	tcase_add_loop_test(c, bytes_may_be_changed_and_the_file_stays, 0, 3);
	tcase_add_test(c, bytes_of_what_is_no_file_are_refused_or_read);
	c = scene_case(s, "directory");
	tcase_add_test(c, a_directory_is_made_with_its_parents);
	tcase_add_test(c, a_file_in_the_place_of_a_directory_is_an_error);
	tcase_add_test(c, a_link_to_a_directory_is_a_directory);
	return s;
}

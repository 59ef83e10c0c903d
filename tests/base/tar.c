/* tar.c -- tests of folders of pictures, and of archives of them, ours and others'.
 * SPDX-License-Identifier: MIT */
#include "base/tar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "base/digest.h"
#include "tests/base/scene.h"

static struct tree tree;

static void put(const char *name, const char *text)
{
	char path[1024];
	snprintf(path, sizeof path, "%s/%s", directory, name);
	for (char *p = path + strlen(directory) + 1; (p = strchr(p, '/')); *p++ = '/') {
		*p = '\0';
		mkdir(path, 0700);
	}
	write_text(path, text);
}

/* Packs directory/NAME into directory/ARCHIVE. */
static void pack(const char *name, const char *archive, char digest[DIGEST_HEX + 1])
{
	struct tree t;
	int fd = open(in_folder(archive), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_ok(tree_read(in_folder(name), &t, &e));
	ck_ok(tar_write(&t, in_folder(name), fd, &e));
	tree_fini(&t);
	close(fd);
	ck_ok(digest_file(in_folder(archive), digest, &e));
}

static enum err read_archive(const char *name)
{
	int fd = open(in_folder(name), O_RDONLY);
	ck_assert_int_ge(fd, 0);
	enum err err = tar_read(fd, name, &tree, &e);
	close(fd);
	return err;
}

START_TEST(files_come_by_class_and_name_from_disk_and_archive)
{
	static const char *const names[] = { "a/z.png", "a b/1.png", "a-b/deep/er/1.jpg", "b/10.png", "b/9.jpeg" };
	char digest[DIGEST_HEX + 1], text[8];
	for (int i = 4; i >= 0; i--) {
		char path[64];
		snprintf(path, sizeof path, "set/%s", names[i]);
		put(path, "12345" + i);
	}
	pack("set", "set.tar", digest);
	for (int form = 0; form < 2; form++) {
		if (form)
			ck_ok(read_archive("set.tar"));
		else
			ck_ok(tree_read(in_folder("set"), &tree, &e));
		ck_assert(tree.count == 5 && tree.class_count == 4);
		ck_assert_str_eq(tree.classes[1], "a b");
		for (size_t i = 0; i < 5; i++) {
			ck_assert_str_eq(tree.files[i].name, names[i]);
			ck_assert_int_eq(tree.files[i].size, 5 - (int64_t)i);
			ck_assert_uint_eq(tree.files[i].class, i < 4 ? i : 3);
			if (!form)
				continue;
			int fd = open(in_folder("set.tar"), O_RDONLY);
			ck_assert_int_eq(pread(fd, text, 5, (off_t)tree.files[i].offset), 5);
			ck_assert(!memcmp(text, "12345" + i, 5 - i));
			close(fd);
		}
		tree_fini(&tree);
	}
}
END_TEST

START_TEST(the_same_pictures_give_the_same_bytes)
{
	char first[DIGEST_HEX + 1], second[DIGEST_HEX + 1];
	put("one/b/2.png", "two");
	put("one/a/1.png", "one");
	put("other/a/1.png", "one");
	put("other/b/2.png", "two");
	put("other/b/.hidden", "x");
	chmod(in_folder("other/a/1.png"), 0600);
	utime(in_folder("other/b/2.png"), &(struct utimbuf){ 1000, 1000 });
	pack("one", "1.tar", first);
	pack("other", "2.tar", second);
	ck_assert_str_eq(first, second);
	put("other/b/2.png", "twi");
	pack("other", "2.tar", second);
	ck_assert_str_ne(first, second);
}
END_TEST

START_TEST(names_may_be_as_long_as_an_archive_holds)
{
	char name[300], digest[DIGEST_HEX + 1], folder[101];
	memset(folder, 'f', 100);
	folder[100] = '\0';
	snprintf(name, sizeof name, "set/%s/%.95s.png", folder, folder);
	put(name, "x");
	pack("set", "set.tar", digest);
	ck_ok(read_archive("set.tar"));
	ck_assert_str_eq(tree.files[0].name, name + 4);
	tree_fini(&tree);
	snprintf(name, sizeof name, "set/%s/%.100s.png", folder, folder);
	put(name, "x");
	struct tree t;
	int fd = open(in_folder("set.tar"), O_WRONLY | O_TRUNC);
	ck_ok(tree_read(in_folder("set"), &t, &e));
	ck_fails(ERR_INPUT, tar_write(&t, in_folder("set"), fd, &e));
	ck_assert_ptr_nonnull(strstr(e.msg, "is too long for an archive"));
	tree_fini(&t);
	close(fd);
}
END_TEST

/* ---- archives of others ---- */

struct entry {
	const char *name;
	char type;
	const char *size, *magic;
	int wrong_sum;
};

static void put_archive(const struct entry *entries, size_t n, int blocks_at_end)
{
	FILE *f = fopen(in_folder("x.tar"), "wb");
	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < n; i++) {
		const struct entry *x = &entries[i];
		char h[512] = { 0 }, data[512] = "picture";
		unsigned sum = 0;
		snprintf(h, 100, "%s", x->name);
		snprintf(h + 124, 12, "%s", x->size ? x->size : x->type == '5' ? "0" : "00000000007");
		memset(h + 148, ' ', 8);
		h[156] = x->type;
		memcpy(h + 257, x->magic ? x->magic : "ustar\0" "00", 8);
		for (int k = 0; k < 512; k++)
			sum += (unsigned char)h[k];
		snprintf(h + 148, 8, "%06o", sum + (unsigned)x->wrong_sum);
		ck_assert_uint_eq(fwrite(h, 1, 512, f), 512);
		if (x->type != '5')
			ck_assert_uint_eq(fwrite(data, 1, 512, f), 512);
	}
	for (int i = 0; i < blocks_at_end; i++)
		ck_assert_uint_eq(fwrite((char[512]){ 0 }, 1, 512, f), 512);
	fclose(f);
}

START_TEST(what_tar_itself_writes_is_read)
{
	static const struct entry entries[] = { { .name = "./", .type = '5' }, { .name = "./b/", .type = '5' },
		{ .name = "./b/1.png", .type = '0', .magic = "ustar  " }, { .name = "a/._1.png", .type = '0' },
		{ .name = "a/1.png", .type = '\0' }, { .name = "a/", .type = '5' } };
	put_archive(entries, 6, 20);
	ck_ok(read_archive("x.tar"));
	ck_assert(tree.count == 2 && tree.class_count == 2);
	ck_assert_str_eq(tree.files[0].name, "a/1.png");
	ck_assert_str_eq(tree.files[1].name, "b/1.png");
	tree_fini(&tree);
}
END_TEST

static const struct {
	struct entry entry;
	const char *message;
} wrong[] = {
	{ { .name = "../x/1.png", .type = '0' }, "x.tar: '../x/1.png' leads out of the folder" },
	{ { .name = "a/../../1.png", .type = '0' }, "'a/../../1.png' leads out of the folder" },
	{ { .name = "/etc/1.png", .type = '0' }, "'/etc/1.png' leads out of the folder" },
	{ { .name = "a//1.png", .type = '0' }, "'a//1.png' leads out of the folder" },
	{ { .name = "..", .type = '5' }, "'..' leads out of the folder" },
	{ { .name = "a/1.png", .type = '1' }, "'a/1.png' is a link" },
	{ { .name = "a/1.png", .type = '2' }, "'a/1.png' is a link" },
	{ { .name = "a/1.png", .type = '3' }, "'a/1.png' is an entry of type 0x33" },
	{ { .name = "x", .type = 'x' },
	"'x' is an entry of type 0x78, expected files and folders only (tar --format=ustar)" },
	{ { .name = "././@LongLink", .type = 'L' }, "is an entry of type 0x4c" }, { { .name = "a/\n.png", .type = '0' },
	"a name contains the control character 10" }, { { .name = "a/1.png", .type = '0', .size = "00000010000" },
	"'a/1.png' claims 4096 bytes, 1536 are left" }, { { .name = "a/1.png", .type = '0', .size = "77777777777" },
	"claims 8589934591 bytes" }, { { .name = "a/1.png", .type = '0', .size = "\x80" },
	"has a size that is no octal number" }, { { .name = "a/1.png", .type = '0', .size = "0000000000x" },
	"has a size that is no octal number" }, { { .name = "a/1.png", .type = '0', .size = "00000000000" },
	"'a/1.png' has 0 bytes" }, { { .name = "a/1.png", .type = '0', .wrong_sum = 1 },
	"has no tar header at byte 0" }, { { .name = "a/1.png", .type = '0', .magic = "pustara" },
	"has no tar header at byte 0" }, { { .name = "1.png", .type = '0' },
	"'1.png' lies beside the classes' folders" }, { { .name = "a/1.txt", .type = '0' },
	"'a/1.txt' is no picture by its name" }, { { .name = "a", .type = '5' }, "x.tar: has no pictures" },
};

START_TEST(a_wrong_entry_is_refused_by_its_name)
{
	put_archive(&wrong[_i].entry, 1, 2);
	e.msg[0] = '\0';
	ck_assert_int_eq(read_archive("x.tar"), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, wrong[_i].message), "%s; expected %s", e.msg, wrong[_i].message);
}
END_TEST

START_TEST(doubles_empty_classes_and_missing_ends_are_refused)
{
	static const struct entry twice[] = { { .name = "a/1.png", .type = '0' }, { .name = "./a/1.png",
	.type = '0' } };
	static const struct entry empty[] = { { .name = "a/1.png", .type = '0' }, { .name = "b/", .type = '5' } };
	put_archive(twice, 2, 2);
	ck_fails(ERR_INPUT, read_archive("x.tar"));
	ck_assert_str_eq(e.msg, "x.tar: has 'a/1.png' twice");
	put_archive(empty, 2, 2);
	ck_fails(ERR_INPUT, read_archive("x.tar"));
	ck_assert_str_eq(e.msg, "x.tar: the folder 'b' has no pictures, expected some of its class");
	put_archive(empty, 1, 0);
	ck_fails(ERR_INPUT, read_archive("x.tar"));
	ck_assert_str_eq(e.msg, "x.tar: ends at byte 1024 without a tar archive's end (truncated)");
	ck_assert(!truncate(in_folder("x.tar"), 600));
	ck_fails(ERR_INPUT, read_archive("x.tar"));
	ck_assert_str_eq(e.msg, "x.tar: ends within its last entry (truncated)");
	write_text(in_folder("x.tar"), "");
	ck_fails(ERR_INPUT, read_archive("x.tar"));
}
END_TEST

START_TEST(a_ring_of_links_ends)
{
	put("set/a/1.png", "x");
	ck_assert(!symlink("..", in_folder("set/a/up")));
	ck_assert_int_ne(tree_read(in_folder("set"), &tree, &e), ERR_OK);
	ck_assert_ptr_nonnull(strstr(e.msg, "set/a/up/a/up"));
}
END_TEST

Suite *suite_tar(void)
{
	Suite *s = suite_create("tar");
	TCase *t = scene_case(s, "tar");
	tcase_add_test(t, files_come_by_class_and_name_from_disk_and_archive);
	tcase_add_test(t, the_same_pictures_give_the_same_bytes);
	tcase_add_test(t, names_may_be_as_long_as_an_archive_holds);
	tcase_add_test(t, what_tar_itself_writes_is_read);
	tcase_add_loop_test(t, a_wrong_entry_is_refused_by_its_name, 0, sizeof wrong / sizeof *wrong);
	tcase_add_test(t, doubles_empty_classes_and_missing_ends_are_refused);
	tcase_add_test(t, a_ring_of_links_ends);
	return s;
}

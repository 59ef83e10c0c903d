/* test_decode.c -- decoded data in one file that processes share.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "evaluator/cache.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/decode.h"
#include "evaluator/data/loader.h"
#include "evaluator/data/source.h"
#include "tests/evaluator/archive.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/suites.h"

enum { IMAGES = 50, SIZE = 400, WORKERS = 6 };

static const uint64_t PLENTY = 1 << 30;

static struct cache *cache;
static struct shelf shelf;
static struct bytes x, y;
static struct dataspec spec = { .format = DATA_NPY,
	.sets = { [DATA_TRAIN] = { .file_count = 2, .files = { { "images", "one" }, { "labels", "two" } } } } };
static struct errinfo e;

static void open_cache(uint64_t most)
{
	ck_assert_msg(!cache_open("cache", "w", most, &cache, &e), "%s", e.msg);
	shelf = cache_shelf(cache);
}

static void setup(void)
{
	unsigned char pixels[IMAGES * SIZE], labels[IMAGES];
	folder_enter();
	for (int i = 0; i < IMAGES * SIZE; i++)
		pixels[i] = (unsigned char)(i * 7 + i / 256);
	for (int i = 0; i < IMAGES; i++)
		labels[i] = (unsigned char)(i % 9);
	npy_make(&x, "|u1", "50, 20, 20", pixels, sizeof pixels);
	npy_make(&y, "|u1", "50,", labels, sizeof labels);
	bytes_put(&x, "x.npy");
	bytes_put(&y, "y.npy");
	open_cache(PLENTY);
}

static void teardown(void)
{
	cache_close(cache);
	folder_leave();
}

static const struct recipe recipe = { .spec = &spec, .role = DATA_TRAIN, .paths = { "x.npy", "y.npy" } };

static char *key(void)
{
	static char text[DIGEST_HEX + 1];
	ck_assert(!decode_key(&spec, DATA_TRAIN, text, &e));
	return text;
}

static char *file_path(void)
{
	static char path[128];
	snprintf(path, sizeof path, "cache/%s.data", key());
	return path;
}

static struct dataset *open_data(void)
{
	struct dataset *d = NULL;
	ck_assert_msg(!decode_open(&recipe, key(), &shelf, NULL, &d, &e), "%s", e.msg);
	ck_assert_uint_eq(d->count, IMAGES);
	ck_assert_uint_eq(d->classes, 9);
	ck_assert_mem_eq(d->pixels, x.data + 128, IMAGES * SIZE);
	ck_assert_uint_eq(d->labels[13], 4);
	return d;
}

static ino_t inode(void)
{
	struct stat st;
	ck_assert(!stat(file_path(), &st));
	return st.st_ino;
}

START_TEST(data_is_decoded_once_and_found_again)
{
	struct dataset *a = open_data(), *found = NULL;
	ino_t first = inode();
	ck_assert(!unlink("x.npy") && !unlink("y.npy"));
	struct dataset *b = open_data();
	ck_assert_uint_eq(inode(), first);
	ck_assert(!decode_find(key(), &shelf, &found, &e) && found);
	dataset_free(a);
	ck_assert_mem_eq(b->pixels, x.data + 128, IMAGES * SIZE);
	dataset_free(b);
	dataset_free(found);
	ck_assert_int_eq(folder_count("cache", "tmp-"), 0);
}
END_TEST

/* All of them decode at the same moment, as workers of a daemon that has just started do. */
START_TEST(workers_that_start_at_once_share_one_file)
{
	int go[2];
	pid_t child[WORKERS];
	ck_assert(!pipe(go));
	for (int i = 0; i < WORKERS; i++) {
		child[i] = fork();
		if (child[i])
			continue;
		char c, name[16];
		close(go[1]);
		snprintf(name, sizeof name, "w-%d", i);
		_exit(cache_open("cache", name, PLENTY, &cache, &e) || read(go[0], &c, 1) ||
			(shelf = cache_shelf(cache), dataset_free(open_data()), 0));
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < WORKERS; i++) {
		int status;
		ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_int_eq(folder_count("cache", "tmp-"), 0);
	ck_assert_int_eq(folder_count("cache", key()), 1);
}
END_TEST

/* The one that has the lock died, or was killed. */
START_TEST(a_worker_that_dies_while_decoding_blocks_nobody)
{
	char c;
	int ready[2];
	ck_assert(!pipe(ready));
	ck_assert(!unlink("y.npy") && !mkfifo("y.npy", 0600));
	pid_t child = fork();
	if (!child) {
		struct shelf_place p;
		shelf.place(key(), &p, shelf.arg, &e);
		int fd = open(p.lock, O_RDWR | O_CREAT, 0600);
		struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		_exit(fcntl(fd, F_OFD_SETLK, &all) || write(ready[1], "r", 1) != 1 || pause());
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert(!kill(child, SIGKILL));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!unlink("y.npy"));
	bytes_put(&y, "y.npy");
	dataset_free(open_data());
}
END_TEST

START_TEST(waiting_for_another_worker_ends_when_stopped)
{
	struct shelf_place p;
	struct dataset *d = NULL;
	atomic_bool stop = true;
	ck_assert(!shelf.place(key(), &p, shelf.arg, &e));
	int fd = open(p.lock, O_RDWR | O_CREAT, 0600);
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	ck_assert(!fcntl(fd, F_OFD_SETLK, &all));
	ck_assert_int_eq(decode_open(&recipe, key(), &shelf, &stop, &d, &e), ERR_GONE);
	close(fd);
	ck_assert_int_eq(decode_open(&recipe, key(), &shelf, &stop, &d, &e), ERR_GONE);
	ck_assert_int_eq(folder_count("cache", "tmp-"), 0);
}
END_TEST

/* Each byte of the header but the number of classes, which may be more than there are labels; and the length. */
START_TEST(a_file_that_says_something_else_is_made_anew)
{
	dataset_free(open_data());
	for (off_t at = 0; at < 172; at++) {
		unsigned char byte;
		int fd = open(file_path(), O_RDWR);
		ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
		byte ^= 0x11;
		ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
		close(fd);
		dataset_free(open_data());
	}
	int fd = open(file_path(), O_RDWR);
	ck_assert_int_eq(pwrite(fd, "\3", 1, 172), 1); /* classes: fewer than the labels need */
	close(fd);
	dataset_free(open_data());
	ck_assert(!truncate(file_path(), 20000));
	dataset_free(open_data());
	ck_assert(!truncate(file_path(), 10));
	dataset_free(open_data());
}
END_TEST

START_TEST(data_that_cannot_be_decoded_leaves_nothing)
{
	struct dataset *d = NULL;
	folder_put("y.npy", "no", 2);
	ck_assert_int_eq(decode_open(&recipe, key(), &shelf, NULL, &d, &e), ERR_INPUT);
	npy_make(&y, "|i1", "50,", (signed char[50]){ [20] = -1 }, 50);
	bytes_put(&y, "y.npy");
	ck_assert_int_eq(decode_open(&recipe, key(), &shelf, NULL, &d, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "label 20 is -1"), "%s", e.msg);
	ck_assert(access(file_path(), F_OK));
	ck_assert_int_eq(folder_count("cache", "tmp-"), 0);
}
END_TEST

START_TEST(decoded_data_counts_in_the_bound_and_stays_while_in_use)
{
	struct dataset *a, *b;
	cache_close(cache);
	open_cache(30000); /* one file is 24,640 bytes */
	a = open_data();
	char *first = strdup(file_path());
	spec.channels_first = true;
	b = open_data();
	ck_assert(!access(first, F_OK) && !access(file_path(), F_OK));
	ck_assert_str_ne(first, file_path());
	dataset_free(a);
	dataset_free(b);
	spec.resize = 5;
	dataset_free(open_data());
	ck_assert(access(first, F_OK) && !access(file_path(), F_OK));
	ck_assert_int_eq(folder_count("cache", "") - !access("cache/decode.lock", F_OK), 1);
	spec.channels_first = false;
	spec.resize = 0;
	free(first);
}
END_TEST

/* Everything that changes the bytes changes the key. */
START_TEST(the_key_knows_what_decides_the_bytes)
{
	static const char *const sections[] = {
		"{'format': 'npz', 'train': {'file': 'a'}, 'test': {'file': 'b'}}",
		"{'format': 'npz', 'train': {'file': 'c'}, 'test': {'file': 'b'}}",
		"{'format': 'npz', 'layout': 'nchw', 'train': {'file': 'a'}, 'test': {'file': 'b'}}",
		"{'format': 'npz', 'train': {'file': 'a', 'images_key': 'x'}, 'test': {'file': 'b'}}",
		"{'format': 'npz', 'train': {'file': 'a', 'labels_key': 'x'}, 'test': {'file': 'b'}}",
		"{'format': 'npy', 'train': {'images': 'a', 'labels': 'b'}, 'test': {'images': 'a', 'labels': 'b'}}",
		"{'format': 'idx', 'train': {'images': 'a', 'labels': 'b'}, 'test': {'images': 'a', 'labels': 'b'}}",
		"{'format': 'cifar10', 'train': {'files': ['a']}, 'test': {'files': ['a']}}",
		"{'format': 'cifar100', 'train': {'files': ['a']}, 'test': {'files': ['a']}}",
		"{'format': 'cifar10', 'train': {'files': ['a', 'b']}, 'test': {'files': ['a']}}",
#define FOLDER(more) "{'format': 'folder', 'train': {'folder': 'a'}, 'test': {'folder': 'b'}, 'split': {" \
	"'validation': 3}, " more "}"
		FOLDER("'size': 9"), FOLDER("'size': 8"), FOLDER("'size': [9, 8]"), FOLDER("'size': 9, 'resize': 10"),
		FOLDER("'size': 9, 'channels': 1"),
	};
	enum { N = sizeof sections / sizeof *sections };
	char keys[N][DIGEST_HEX + 1], text[512];
	for (int i = 0; i < N; i++) {
		struct source s;
		cJSON *doc;
		snprintf(text, sizeof text, "%s", sections[i]);
		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		ck_assert(!json_parse("s", text, strlen(text), &doc, &e));
		ck_assert_msg(!source_read_paths(doc, &s, &e), "%s", e.msg);
		ck_assert(!decode_key(&s.spec, DATA_TRAIN, keys[i], &e));
		for (int k = 0; k < i; k++)
			ck_assert_msg(strcmp(keys[i], keys[k]), "%d and %d have one key", i, k);
		cJSON_Delete(doc);
	}
}
END_TEST

/* A test set's labels are numbered by the training set's classes. */
START_TEST(the_key_of_a_test_set_of_pictures_knows_the_training_set)
{
	struct dataspec s = { .format = DATA_FOLDER, .height = 4, .width = 4, .channels = 1 };
	char first[DIGEST_HEX + 1], second[DIGEST_HEX + 1];
	s.sets[DATA_TRAIN].file_count = s.sets[DATA_TEST].file_count = 1;
	s.sets[DATA_TRAIN].files[0].name = "a";
	s.sets[DATA_TEST].files[0].name = "b";
	ck_assert(!decode_key(&s, DATA_TEST, first, &e));
	s.sets[DATA_TRAIN].files[0].name = "c";
	ck_assert(!decode_key(&s, DATA_TEST, second, &e));
	ck_assert_str_ne(first, second);
}
END_TEST

Suite *decode_suite(void)
{
	Suite *s = suite_create("decode");
	TCase *t = tcase_create("decode");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, data_is_decoded_once_and_found_again);
	tcase_add_test(t, workers_that_start_at_once_share_one_file);
	tcase_add_test(t, a_worker_that_dies_while_decoding_blocks_nobody);
	tcase_add_test(t, waiting_for_another_worker_ends_when_stopped);
	tcase_add_test(t, a_file_that_says_something_else_is_made_anew);
	tcase_add_test(t, data_that_cannot_be_decoded_leaves_nothing);
	tcase_add_test(t, decoded_data_counts_in_the_bound_and_stays_while_in_use);
	tcase_add_test(t, the_key_knows_what_decides_the_bytes);
	tcase_add_test(t, the_key_of_a_test_set_of_pictures_knows_the_training_set);
	suite_add_tcase(s, t);
	return s;
}

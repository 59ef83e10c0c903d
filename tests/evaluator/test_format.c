/* test_format.c -- NPY files, NPZ archives and CIFAR's binary version, good and hostile.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/decode.h"
#include "evaluator/data/loader.h"
#include "tests/evaluator/archive.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/suites.h"

enum { IMAGES = 6, HEIGHT = 3, WIDTH = 4, CHANNELS = 2, SIZE = HEIGHT * WIDTH * CHANNELS };

static unsigned char pixels[IMAGES][HEIGHT][WIDTH][CHANNELS];
static const unsigned char labels[IMAGES] = { 3, 0, 2, 2, 1, 0 };
static struct bytes x, y, archive;
static struct dataset *d;
static struct errinfo e;

static void setup(void)
{
	struct rng r;
	folder_enter();
	rng_init(&r, 11, 0);
	for (int i = 0; i < IMAGES * SIZE; i++)
		(&pixels[0][0][0][0])[i] = (unsigned char)rng_u64(&r);
	npy_make(&x, "|u1", "6, 3, 4, 2", pixels, sizeof pixels);
	npy_make(&y, "|u1", "6,", labels, sizeof labels);
	bytes_put(&x, "x.npy");
	bytes_put(&y, "y.npy");
}

static void teardown(void)
{
	dataset_free(d);
	d = NULL;
	folder_leave();
}

/* The outcome must be a data set or an error with a message. */
static enum err open_set(const struct recipe *r)
{
	dataset_free(d);
	d = NULL;
	e = (struct errinfo){ 0 };
	enum err err = decode_open(r, "", NULL, NULL, &d, &e);
	ck_assert_int_eq(err, e.code);
	ck_assert_msg(err ? e.msg[0] && !d : !!d, "%s", e.msg);
	return err;
}

static enum err open_npy(bool channels_first)
{
	const struct dataspec spec = { .format = DATA_NPY, .channels_first = channels_first };
	return open_set(&(struct recipe){ .spec = &spec, .paths = { "x.npy", "y.npy" } });
}

static enum err open_npz(void)
{
	const struct dataspec spec = { .format = DATA_NPZ,
		.sets = { [DATA_TRAIN] = { .images_key = "x_train", .labels_key = "y_train" } } };
	return open_set(&(struct recipe){ .spec = &spec, .paths = { "a.npz" } });
}

static void holds_what_was_written(void)
{
	ck_assert_uint_eq(d->count, IMAGES);
	ck_assert(d->height == HEIGHT && d->width == WIDTH && d->channels == CHANNELS && d->classes == 4);
	ck_assert_mem_eq(d->pixels, pixels, sizeof pixels);
	for (int i = 0; i < IMAGES; i++)
		ck_assert_uint_eq(d->labels[i], labels[i]);
}

static void refused(enum err err, const char *text, const char *also)
{
	ck_assert_msg(err, "was accepted, expected: %s", text);
	ck_assert_msg(strstr(e.msg, text) && strstr(e.msg, also), "%s; expected '%s', '%s'", e.msg, text, also);
}

/* ---- NPY ---- */

START_TEST(bytes_are_taken_as_they_are)
{
	ck_assert_msg(!open_npy(false), "%s", e.msg);
	holds_what_was_written();
	npy_make(&x, "|u1", "6, 3, 8", pixels, sizeof pixels);
	bytes_put(&x, "x.npy");
	ck_assert_msg(!open_npy(true), "%s", e.msg);
	ck_assert(d->channels == 1 && d->height == 3 && d->width == 8);
	ck_assert_mem_eq(d->pixels, pixels, sizeof pixels);
}
END_TEST

START_TEST(channels_first_are_turned)
{
	unsigned char turned[IMAGES][CHANNELS][HEIGHT][WIDTH];
	for (int i = 0; i < IMAGES * SIZE; i++) {
		int c = i % CHANNELS, w = i / CHANNELS % WIDTH, h = i / CHANNELS / WIDTH % HEIGHT;
		turned[i / SIZE][c][h][w] = pixels[i / SIZE][h][w][c];
	}
	npy_make(&x, "|u1", "6, 2, 3, 4", turned, sizeof turned);
	bytes_put(&x, "x.npy");
	ck_assert_msg(!open_npy(true), "%s", e.msg);
	holds_what_was_written();
}
END_TEST

START_TEST(floats_are_normalised_without_being_scaled)
{
	float values[IMAGES][CHANNELS][HEIGHT][WIDTH], batch[SIZE];
	const struct normalisation norm = { 2, { 0.5f, -3 }, { 2, 0.25f } };
	struct split s;
	uint32_t label;
	for (int i = 0; i < IMAGES * SIZE; i++)
		(&values[0][0][0][0])[i] = (float)i * 0.37f - 11;
	npy_make(&x, "<f4", "6, 2, 3, 4", values, sizeof values);
	bytes_put(&x, "x.npy");
	ck_assert_msg(!open_npy(true), "%s", e.msg);
	ck_assert_ptr_null(d->pixels);
	ck_assert(!split_whole(d, &norm, &s, &e));
	split_batch(&s, NULL, 4, 1, batch, &label);
	ck_assert_uint_eq(label, labels[4]);
	for (int k = 0; k < SIZE; k++) {
		int c = k / (HEIGHT * WIDTH);
		ck_assert(batch[k] == ((&values[4][0][0][0])[k] - norm.mean[c]) / norm.std[c]);
	}
}
END_TEST

/* Laid out either way: the image is named by its place in the file. */
START_TEST(floats_that_are_not_finite_are_refused_by_image)
{
	static const float wrong[] = { NAN, INFINITY, -INFINITY };
	float values[IMAGES * SIZE] = { 0 };
	char value[16];
	values[4 * SIZE + 7] = wrong[_i % 3];
	snprintf(value, sizeof value, "%g", (double)wrong[_i % 3]);
	npy_make(&x, "<f4", _i < 3 ? "6, 3, 4, 2" : "6, 2, 3, 4", values, sizeof values);
	bytes_put(&x, "x.npy");
	refused(open_npy(_i >= 3), "x.npy: image 4", value);
}
END_TEST

START_TEST(labels_are_integers_of_any_width_and_order)
{
	static const char kinds[] = "ui", orders[] = "<>";
	for (int kind = 0; kind < 2; kind++)
		for (int order = 0; order < 2; order++)
			for (int width = 1; width <= 8; width *= 2) {
				char type[8];
				unsigned char raw[IMAGES * 8] = { 0 };
				for (int i = 0; i < IMAGES; i++)
					raw[i * width + (order ? width - 1 : 0)] = labels[i];
				snprintf(type, sizeof type, "%c%c%d", orders[order], kinds[kind], width);
				npy_make(&y, type, width == 2 ? "6, 1" : "6,", raw, (size_t)(IMAGES * width));
				bytes_put(&y, "y.npy");
				ck_assert_msg(!open_npy(false), "%s: %s", type, e.msg);
				holds_what_was_written();
			}
}
END_TEST

START_TEST(a_label_out_of_range_is_named_with_its_place)
{
	npy_make(&y, "<i4", "6,", (int32_t[]){ 0, 1, -3, 0, 0, 0 }, 24);
	bytes_put(&y, "y.npy");
	refused(open_npy(false), "y.npy: label 2 is -3, expected 0 to 999999", "");
	npy_make(&y, "<i8", "6,", (int64_t[]){ 0, 1, 0, 0, 0, INT64_MIN }, 48);
	bytes_put(&y, "y.npy");
	refused(open_npy(false), "label 5 is -9223372036854775808", "");
	npy_make(&y, "<u4", "6,", (uint32_t[]){ 0, 1000000, 0, 0, 0, 0 }, 24);
	bytes_put(&y, "y.npy");
	refused(open_npy(false), "label 1 is 1000000", "");
}
END_TEST

static const struct {
	const char *type, *shape, *text;
} wrong_headers[] = {
	{ "<f2", "6, 3, 4, 1", "images are float16, expected uint8 or float32" },
	{ "<f8", "6, 3, 1, 1", "images are float64, expected uint8 or float32" },
	{ ">f4", "6, 3, 2, 1", "big-endian" },
	{ "<u2", "6, 3, 4, 1", "images are uint16" },
	{ "|b1", "6, 3, 4, 2", "numpy's type '|b1', expected integers" },
	{ "<c8", "6, 3, 4, 2", "numpy's type '<c8'" },
	{ "<U1", "6, 3, 4, 2", "numpy's type '<U1'" },
	{ "|O", "6, 3, 4, 2", "numpy's type '|O'" },
	{ "|u3", "6, 3, 4, 2", "numpy's type '|u3'" },
	{ "|u1", "6, 24", "images are 6 x 24, expected 3 or 4 dimensions" },
	{ "|u1", "", "has 144 bytes after its header, expected  = 1" },
	{ "|u1", "6, 3, 4, 1, 2", "more than 4 dimensions" },
	{ "|u1", "6, 3, 4, 0", "dimension 3 is 0" },
	{ "|u1", "6, 3, 4, -2", "has '-2" },
	{ "|u1", "6, 3, 4, 2L", "has 'L" },
	{ "|u1", "6, 3, 4, 3", "expected 6 x 3 x 4 x 3 = 216 (truncated)" },
	{ "|u1", "6, 3, 4, 1", "expected 6 x 3 x 4 x 1 = 72 (trailing bytes)" },
	{ "|u1", "4294967296, 4294967296, 4294967296, 4294967296", "at most 8 GiB" },
	{ "|u1", "999999999999999999, 3, 4, 2", "at most 8 GiB" },
	{ "|u1", "9999999999999999999, 3, 4, 2", "1 to 18 digits" },
	{ "|u1", "1, 1, 8, 18", "is data.layout \"nchw\"?" },
	{ "|u1", "5, 3, 4, 2", "trailing" },
	{ "|u1", "2, 3, 4, 6", "expected 2, one for each image" },
};

START_TEST(a_wrong_header_is_refused_by_what_it_says)
{
	npy_make(&x, wrong_headers[_i].type, wrong_headers[_i].shape, pixels, sizeof pixels);
	bytes_put(&x, "x.npy");
	refused(open_npy(false), wrong_headers[_i].text, "x.npy");
}
END_TEST

static const struct {
	const char *header, *text;
} wrong_texts[] = {
	{ "{'descr': '|u1', 'fortran_order': True, 'shape': (6, 3, 4, 2), }", "Fortran's order, expected C's" },
	{ "{'descr': '|u1', 'fortran_order': 0, 'shape': (6, 3, 4, 2), }", "expected True or False" },
	{ "{'descr': '|u1', 'shape': (6, 3, 4, 2), }", "lacks one of" },
	{ "{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", "the key 'descr' twice" },
	{ "{'descr': '|u1', 'colour': 1}", "the key 'colour' which is unknown" },
	{ "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "not a structured type" },
	{ "{'descr': '|u1', 'fortran_order': False, 'shape': 6}", "expected a shape in brackets" },
	{ "{'descr': '|u1', 'fortran_order': False, 'shape': (6 3)}", "expected ',' or ')'" },
	{ "{'descr': '|u1' 'fortran_order': False}", "expected ',' or '}'" },
	{ "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 3, 4, 2)} import os", "expected nothing more" },
	{ "{'descr': '|u1", "expected a short string" },
	{ "{'descr", "expected a short string" },
	{ "[1]", "expected a dictionary" },
	{ "", "expected a dictionary" },
};

START_TEST(a_header_that_is_no_such_text_is_refused)
{
	x.len = 0;
	bytes_add(&x, "\x93NUMPY\x01\x00", 8);
	bytes_add_number(&x, strlen(wrong_texts[_i].header), 2);
	bytes_add(&x, wrong_texts[_i].header, strlen(wrong_texts[_i].header));
	bytes_add(&x, pixels, sizeof pixels);
	bytes_put(&x, "x.npy");
	refused(open_npy(false), wrong_texts[_i].text, "x.npy");
}
END_TEST

START_TEST(what_is_no_npy_file_is_refused)
{
	folder_put("x.npy", "PK\3\4 and so on", 14);
	refused(open_npy(false), "starts with 50 4b 03 04, expected 93 4e 55 4d", "x.npy");
	folder_put("x.npy", "\x93NUMPY\x09\x00\x10\x00", 10);
	refused(open_npy(false), "version 9.0", "x.npy");
	folder_put("x.npy", "\x93NUMPY\x02\x00\xff\xff\xff\x7f", 12);
	refused(open_npy(false), "claims an NPY header of 2147483647 bytes", "x.npy");
	npy_make(&y, "<f4", "6,", (float[6]){ 0 }, 24);
	bytes_put(&y, "y.npy");
	bytes_put(&x, "x.npy");
	refused(open_npy(false), "labels are float32, expected integers", "y.npy");
	npy_make(&y, "|u1", "3, 2", labels, 6);
	bytes_put(&y, "y.npy");
	refused(open_npy(false), "labels are 3 x 2, expected one dimension", "y.npy");
}
END_TEST

START_TEST(every_truncation_of_an_npy_file_is_refused)
{
	for (size_t len = 0; len < x.len; len++) {
		folder_put("x.npy", x.data, len);
		refused(open_npy(false), "x.npy", "");
	}
}
END_TEST

/* ---- NPZ ---- */

static void make_npz(bool deflated, bool zip64, const struct zip_lies *lies)
{
	struct zip_entry entries[] = { { "other.npy", &y, false, false, { 0 } },
		{ "x_train.npy", &x, deflated, zip64, lies ? *lies : (struct zip_lies){ 0 } },
		{ "y_train.npy", &y, deflated, zip64, { 0 } } };
	zip_make(&archive, entries, 3, "");
	bytes_put(&archive, "a.npz");
}

START_TEST(members_are_stored_or_deflated)
{
	for (int form = 0; form < 4; form++) {
		make_npz(form & 1, form & 2, NULL);
		ck_assert_msg(!open_npz(), "%d: %s", form, e.msg);
		holds_what_was_written();
	}
}
END_TEST

START_TEST(an_end_record_is_found_before_its_comment)
{
	const struct zip_entry entries[] = { { "x_train.npy", &x, true, false, { 0 } },
		{ "y_train.npy", &y, false, false, { 0 } } };
	zip_make(&archive, entries, 2, "a comment with PK\5\6 in it, and more than twenty-two bytes");
	bytes_put(&archive, "a.npz");
	ck_assert_msg(!open_npz(), "%s", e.msg);
	holds_what_was_written();
}
END_TEST

START_TEST(a_missing_array_is_named_with_those_that_there_are)
{
	const struct zip_entry entries[] = { { "x.npy", &x, true, false, { 0 } }, { "y_train.npy", &y, true, false,
	{ 0 } } };
	zip_make(&archive, entries, 2, "");
	bytes_put(&archive, "a.npz");
	refused(open_npz(), "has no 'x_train.npy'", "only: x.npy, y_train.npy");
}
END_TEST

static const struct {
	struct zip_lies lies;
	bool deflated, zip64;
	const char *text;
} wrong_members[] = {
	{ { .size = 1000 }, false, false, "claims 1000 bytes, which 272 stored ones can't hold" },
	{ { .size = 4000000 }, true, false, "stored ones can't hold" },
	{ { .size = 1ULL << 62 }, true, true, "stored ones can't hold" },
	{ { .size = 300 }, true, false, "expected 6 x 3 x 4 x 2 = 144 (trailing bytes)" },
	{ { .size = 200 }, true, false, "(truncated)" },
	{ { .size = 20 }, true, false, "it is damaged" },
	{ { .stored = 100000, .size = 100000 }, false, false, "would reach past the archive's directory" },
	{ { .stored = UINT64_MAX, .size = UINT64_MAX }, false, true, "would reach past the archive's directory" },
	{ { .stored = 10 }, true, false, "damaged" },
	{ { .offset = 7 }, false, false, "does not begin where the directory says" },
	{ { .offset = 0xfffffff0 }, false, false, "a record lies outside the file" },
	{ { .sum = 0x12345678 }, false, false, "directory says 12345678" },
	{ { .sum = 0x12345678 }, true, false, "directory says 12345678" },
	{ { .method = 12 }, true, false, "compressed by method 12, expected 0 (stored) or 8 (deflated)" },
	{ { .flags = 1 }, true, false, "is encrypted" },
};

START_TEST(an_archive_that_lies_about_a_member_is_refused)
{
	make_npz(wrong_members[_i].deflated, wrong_members[_i].zip64, &wrong_members[_i].lies);
	refused(open_npz(), wrong_members[_i].text, "x_train.npy");
}
END_TEST

START_TEST(a_member_that_ends_before_its_size_is_refused)
{
	const struct zip_lies lies = { .size = x.len };
	x.len -= 20;
	make_npz(true, false, &lies);
	refused(open_npz(), "x_train.npy: ends 20 bytes before the size that the archive's directory says", "a.npz");
}
END_TEST

START_TEST(a_name_that_stands_twice_is_refused)
{
	const struct zip_entry entries[] = { { "x_train.npy", &x, true, false, { 0 } },
		{ "x_train.npy", &y, true, false, { 0 } }, { "y_train.npy", &y, true, false, { 0 } } };
	zip_make(&archive, entries, 3, "");
	bytes_put(&archive, "a.npz");
	refused(open_npz(), "has two members named 'x_train.npy'", "a.npz");
}
END_TEST

START_TEST(every_truncation_of_an_archive_is_refused)
{
	make_npz(true, false, NULL);
	for (size_t len = 0; len < archive.len; len++) {
		folder_put("a.npz", archive.data, len);
		refused(open_npz(), "a.npz", "");
	}
	folder_put("a.npz", "not an archive at all, but long enough", 38);
	refused(open_npz(), "is no whole ZIP archive", "a.npz");
}
END_TEST

/* Which flips are harmless (times, versions, the member that isn't asked for) is not the claim: that a set which opens
 * holds the right bytes, is. */
START_TEST(a_flipped_bit_of_an_archive_is_found_or_harmless)
{
	int refusals = 0;
	make_npz(true, true, NULL);
	for (size_t bit = 0; bit < 8 * archive.len; bit++) {
		archive.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		bytes_put(&archive, "a.npz");
		if (open_npz())
			refusals++;
		else
			holds_what_was_written();
		archive.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	ck_assert_int_gt(refusals, (int)(4 * archive.len));
}
END_TEST

/* ---- CIFAR ---- */

enum { RECORDS = 5, PIXELS = 3072 };

/* Pixel k of channel c of record i. */
static unsigned char cifar_pixel(int i, int c, int k)
{
	return (unsigned char)(31 * i + 7 * c + k + k / 251);
}

static void put_cifar(const char *name, int first, int count, int label_bytes, int label)
{
	static unsigned char raw[RECORDS * (PIXELS + 2)];
	unsigned char *p = raw;
	for (int i = 0; i < count; i++) {
		if (label_bytes == 2)
			*p++ = 19;
		*p++ = (unsigned char)(label + first + i);
		for (int k = 0; k < PIXELS; k++)
			*p++ = cifar_pixel(first + i, k / 1024, k % 1024);
	}
	folder_put(name, raw, (size_t)(p - raw));
}

static enum err open_cifar(enum data_format format)
{
	const struct dataspec spec = { .format = format, .sets = { [DATA_TRAIN] = { .file_count = 2 } } };
	return open_set(&(struct recipe){ .spec = &spec, .paths = { "1.bin", "2.bin" } });
}

START_TEST(records_of_several_files_follow_each_other)
{
	for (int form = 0; form < 2; form++) {
		put_cifar("1.bin", 0, 3, 1 + form, 0);
		put_cifar("2.bin", 3, 2, 1 + form, 0);
		ck_assert_msg(!open_cifar(form ? DATA_CIFAR100 : DATA_CIFAR10), "%s", e.msg);
		ck_assert(d->count == 5 && d->channels == 3 && d->height == 32 && d->width == 32 && d->classes == 5);
		for (int i = 0; i < 5; i++) {
			ck_assert_uint_eq(d->labels[i], (unsigned)i);
			for (int k = 0; k < PIXELS; k++)
				ck_assert_uint_eq(d->pixels[i * PIXELS + k], cifar_pixel(i, k % 3, k / 3));
		}
	}
}
END_TEST

START_TEST(a_file_that_is_no_records_is_refused)
{
	put_cifar("1.bin", 0, 3, 1, 0);
	put_cifar("2.bin", 0, 3, 2, 0);
	refused(open_cifar(DATA_CIFAR10), "2.bin: has 9222 bytes, expected a multiple of 3073", "CIFAR-10");
	refused(open_cifar(DATA_CIFAR100), "1.bin: has 9219 bytes, expected a multiple of 3074", "CIFAR-100");
	put_cifar("2.bin", 3, 2, 1, 6);
	refused(open_cifar(DATA_CIFAR10), "2.bin: record 1 has the label 10, expected 0 to 9", "");
	put_cifar("2.bin", 3, 2, 2, 96);
	put_cifar("1.bin", 0, 3, 2, 0);
	refused(open_cifar(DATA_CIFAR100), "2.bin: record 1 has the label 100, expected 0 to 99", "");
	folder_put("2.bin", "", 0);
	refused(open_cifar(DATA_CIFAR10), "1.bin", "3073");
	ck_assert(!unlink("1.bin"));
	ck_assert_int_eq(open_cifar(DATA_CIFAR10), ERR_NOT_FOUND);
}
END_TEST

Suite *format_suite(void)
{
	Suite *s = suite_create("format");
	TCase *t = tcase_create("format");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, bytes_are_taken_as_they_are);
	tcase_add_test(t, channels_first_are_turned);
	tcase_add_test(t, floats_are_normalised_without_being_scaled);
	tcase_add_loop_test(t, floats_that_are_not_finite_are_refused_by_image, 0, 6);
	tcase_add_test(t, labels_are_integers_of_any_width_and_order);
	tcase_add_test(t, a_label_out_of_range_is_named_with_its_place);
	tcase_add_loop_test(t, a_wrong_header_is_refused_by_what_it_says, 0,
		sizeof wrong_headers / sizeof *wrong_headers);
	tcase_add_loop_test(t, a_header_that_is_no_such_text_is_refused, 0, sizeof wrong_texts / sizeof *wrong_texts);
	tcase_add_test(t, what_is_no_npy_file_is_refused);
	tcase_add_test(t, every_truncation_of_an_npy_file_is_refused);
	tcase_add_test(t, members_are_stored_or_deflated);
	tcase_add_test(t, an_end_record_is_found_before_its_comment);
	tcase_add_test(t, a_missing_array_is_named_with_those_that_there_are);
	tcase_add_loop_test(t, an_archive_that_lies_about_a_member_is_refused, 0,
		sizeof wrong_members / sizeof *wrong_members);
	tcase_add_test(t, a_member_that_ends_before_its_size_is_refused);
	tcase_add_test(t, a_name_that_stands_twice_is_refused);
	tcase_add_test(t, every_truncation_of_an_archive_is_refused);
	tcase_add_test(t, a_flipped_bit_of_an_archive_is_found_or_harmless);
	tcase_add_test(t, records_of_several_files_follow_each_other);
	tcase_add_test(t, a_file_that_is_no_records_is_refused);
	suite_add_tcase(s, t);
	return s;
}

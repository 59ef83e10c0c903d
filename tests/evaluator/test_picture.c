/* test_picture.c -- PNG and JPEG pictures, scaled and cut, in folders and archives, good and hostile.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <fcntl.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/tar.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/decode.h"
#include "evaluator/data/loader.h"
#include "evaluator/data/picture.h"
#include "evaluator/data/resample.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/painter.h"
#include "tests/evaluator/suites.h"

enum { SIDE = 8 };

static struct bytes b;
static struct picture p;
static struct dataset *d;
static struct errinfo e;

static void setup(void)
{
	folder_enter();
}

static void teardown(void)
{
	picture_fini(&p);
	dataset_free(d);
	d = NULL;
	folder_leave();
}

static enum err decode(int64_t channels)
{
	picture_fini(&p);
	e = (struct errinfo){ 0 };
	enum err err = picture_decode(b.data, b.len, channels, &p, &e);
	ck_assert_int_eq(err, e.code);
	ck_assert_msg(err ? !!e.msg[0] : p.channels == channels, "%s", e.msg);
	return err;
}

static void refused(enum err err, const char *text, const char *also)
{
	ck_assert_msg(err, "was accepted, expected: %s", text);
	ck_assert_msg(strstr(e.msg, text) && strstr(e.msg, also), "%s; expected '%s', '%s'", e.msg, text, also);
}

/* ---- PNG ---- */

/* The same four pixels in every form that PNG has for them, and what they are in grey and in RGB. */
static const struct {
	int type, depth;
	size_t stride;
	unsigned char rows[16], grey[4], rgb[12];
} forms[] = {
	{ PNG_COLOR_TYPE_GRAY, 8, 2, { 0, 10, 200, 255 }, { 0, 10, 200, 255 },
		{ 0, 0, 0, 10, 10, 10, 200, 200, 200, 255, 255, 255 } },
	{ PNG_COLOR_TYPE_GRAY, 1, 1, { 0x40, 0x80 }, { 0, 255, 255, 0 }, { 0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0,
	0 } }, { PNG_COLOR_TYPE_GRAY, 4, 1, { 0x0f, 0x3c }, { 0, 255, 51, 204 },
		{ 0, 0, 0, 255, 255, 255, 51, 51, 51, 204, 204, 204 } },
	{ PNG_COLOR_TYPE_GRAY, 16, 4, { 0, 0, 10, 10, 200, 200, 255, 255 }, { 0, 10, 200, 255 },
		{ 0, 0, 0, 10, 10, 10, 200, 200, 200, 255, 255, 255 } },
	{ PNG_COLOR_TYPE_GRAY_ALPHA, 8, 4, { 0, 9, 10, 0, 200, 255, 255, 1 }, { 0, 10, 200, 255 },
		{ 0, 0, 0, 10, 10, 10, 200, 200, 200, 255, 255, 255 } },
	{ PNG_COLOR_TYPE_RGB, 8, 6, { 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30 }, { 76, 150, 29, 18 },
		{ 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30 } },
	{ PNG_COLOR_TYPE_RGB_ALPHA, 8, 8, { 255, 0, 0, 0, 0, 255, 0, 7, 0, 0, 255, 255, 10, 20, 30, 99 },
		{ 76, 150, 29, 18 }, { 255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30 } },
	{ PNG_COLOR_TYPE_PALETTE, 2, 1, { 0x10, 0xb0 }, { 76, 150, 29, 255 },
		{ 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255 } },
	{ PNG_COLOR_TYPE_PALETTE, 8, 2, { 0, 1, 2, 3 }, { 76, 150, 29, 255 },
		{ 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255 } },
};

START_TEST(every_form_of_png_becomes_bytes_of_grey_or_rgb)
{
	for (int interlaced = 0; interlaced < 2; interlaced++) {
		png_make(&b, forms[_i].type, forms[_i].depth, 2, 2, forms[_i].rows, forms[_i].stride, interlaced);
		ck_assert_msg(!decode(1), "%s", e.msg);
		ck_assert(p.height == 2 && p.width == 2);
		ck_assert_mem_eq(p.pixels, forms[_i].grey, 4);
		ck_assert_msg(!decode(3), "%s", e.msg);
		ck_assert_mem_eq(p.pixels, forms[_i].rgb, 12);
	}
}
END_TEST

static void make_noise(unsigned char *pixels, size_t n, uint64_t seed)
{
	struct rng r;
	rng_init(&r, seed, 0);
	for (size_t i = 0; i < n; i++)
		pixels[i] = (unsigned char)rng_u64(&r);
}

START_TEST(every_truncation_of_a_png_is_refused)
{
	unsigned char pixels[SIDE * SIDE * 3];
	make_noise(pixels, sizeof pixels, 3);
	png_make(&b, PNG_COLOR_TYPE_RGB, 8, SIDE, SIDE, pixels, SIDE * 3, false);
	size_t whole = b.len;
	for (b.len = 0; b.len < whole; b.len++)
		refused(decode(3), "", "");
	ck_assert_msg(!decode(3), "%s", e.msg);
	ck_assert_mem_eq(p.pixels, pixels, sizeof pixels);
}
END_TEST

/* CRC-32, bit by bit, most significant byte first. */
static void put_sum(const unsigned char *from, size_t n, unsigned char *ret)
{
	unsigned sum = ~0u;
	for (size_t i = 0; i < n; i++) {
		sum ^= from[i];
		for (int k = 0; k < 8; k++)
			sum = sum >> 1 ^ (sum & 1 ? 0xedb88320u : 0);
	}
	for (int i = 0; i < 4; i++)
		ret[i] = (unsigned char)(~sum >> (24 - 8 * i));
}

/* IHDR with a right sum, and no pixels to speak of behind it. */
static void make_bomb(unsigned width, unsigned height, int depth, int type)
{
	unsigned char head[17] = "IHDR";
	png_make(&b, PNG_COLOR_TYPE_GRAY, 8, 1, 1, (unsigned char[]){ 0 }, 1, false);
	for (int i = 0; i < 4; i++) {
		head[4 + i] = (unsigned char)(width >> (24 - 8 * i));
		head[8 + i] = (unsigned char)(height >> (24 - 8 * i));
	}
	head[12] = (unsigned char)depth;
	head[13] = (unsigned char)type;
	memcpy(b.data + 12, head, sizeof head);
	put_sum(head, sizeof head, b.data + 29);
}

START_TEST(a_bomb_is_refused_by_its_header)
{
	make_bomb(30000, 30000, 8, PNG_COLOR_TYPE_RGB);
	refused(decode(3), "claims 2700000000 bytes of pixels, which", "can't hold");
	make_bomb(8000, 8000, 1, PNG_COLOR_TYPE_GRAY);
	refused(decode(3), "claims 8000000 bytes of pixels, which", "can't hold");
	make_bomb(1 << 30, 1, 8, PNG_COLOR_TYPE_GRAY);
	refused(decode(3), "Image width exceeds user limit", "damaged PNG");
	make_bomb(5, 0, 8, PNG_COLOR_TYPE_GRAY);
	refused(decode(3), "height", "damaged PNG");
}
END_TEST

/* Text of a few bytes may unpack to millions, a thousand times in a file. What libpng thinks of one that it unpacked it
 * would say in the message about the pixels that are missing. */
START_TEST(text_and_profiles_are_not_looked_at)
{
	enum { HEAD = 33, TAIL = 16 }; /* up to IHDR's end; of IEND and the pixels' last bytes */
	static const unsigned char packed[] = "zTXtkey\0\0this is not packed", profile[] = "iCCPkey\0\0nor is this";
	unsigned char pixels[SIDE * SIDE * 3], rest[SIDE * SIDE * 4], sum[4];
	make_noise(pixels, sizeof pixels, 11);
	png_make(&b, PNG_COLOR_TYPE_RGB, 8, SIDE, SIDE, pixels, SIDE * 3, false);
	size_t left = b.len - HEAD;
	ck_assert_uint_le(left, sizeof rest);
	memcpy(rest, b.data + HEAD, left);
	b.len = HEAD;
	for (int i = 0; i < 2; i++) {
		const unsigned char *chunk = i ? packed : profile;
		size_t n = (i ? sizeof packed : sizeof profile) - 1;
		put_sum(chunk, n, sum);
		bytes_add(&b, (unsigned char[]){ 0, 0, 0, (unsigned char)(n - 4) }, 4);
		bytes_add(&b, chunk, n);
		bytes_add(&b, sum, sizeof sum);
	}
	bytes_add(&b, rest, left);
	ck_assert_msg(!decode(3), "%s", e.msg);
	ck_assert_mem_eq(p.pixels, pixels, sizeof pixels);
	b.len -= TAIL;
	refused(decode(3), "truncated", "");
	ck_assert_msg(!strstr(e.msg, "zTXt") && !strstr(e.msg, "iCCP"), "%s", e.msg);
}
END_TEST

/* As small as deflate makes it, it may be held: then the limit of pixels counts. */
START_TEST(too_many_pixels_are_refused_however_well_compressed)
{
	enum { WIDE = 32768, HIGH = 2049 };
	static unsigned char row[WIDE / 8];
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	FILE *f = fopen("wide.png", "wb");
	png_init_io(png, f);
	png_set_IHDR(png, info, WIDE, HIGH, 1, PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (int i = 0; i < HIGH; i++)
		png_write_row(png, row);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	fclose(f);
	f = fopen("wide.png", "rb");
	b.len = fread(b.data, 1, sizeof b.data, f);
	fclose(f);
	refused(decode(1), "claims 32768 x 2049 pixels, expected at most 32768 a side and 67108864 in all", "");
}
END_TEST

/* ---- JPEG ---- */

/* Smooth, so that the quality hardly matters. */
static void make_ramp(unsigned char *pixels, int width, int height, int channels)
{
	for (int i = 0; i < width * height; i++)
		for (int c = 0; c < channels; c++)
			pixels[i * channels + c] = (unsigned char)(40 + 50 * c + 2 * (i % width) + i / width);
}

static void near(const unsigned char *got, const unsigned char *wanted, size_t n, int most)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(abs(got[i] - wanted[i]) <= most, "%zu: %d, expected %d", i, got[i], wanted[i]);
}

START_TEST(jpeg_is_grey_rgb_or_cmyk)
{
	enum { W = 24, H = 17 };
	unsigned char pixels[W * H * 4], wanted[W * H * 3];
	for (int progressive = 0; progressive < 2; progressive++) {
		make_ramp(pixels, W, H, 1);
		jpeg_make(&b, 1, W, H, pixels, progressive);
		ck_assert_msg(!decode(1), "%s", e.msg);
		ck_assert(p.width == W && p.height == H);
		near(p.pixels, pixels, W * H, 3);
		make_ramp(pixels, W, H, 3);
		jpeg_make(&b, 3, W, H, pixels, progressive);
		ck_assert_msg(!decode(3), "%s", e.msg);
		near(p.pixels, pixels, W * H * 3, 8);
		make_ramp(pixels, W, H, 4);
		for (int i = 0; i < W * H * 3; i++)
			wanted[i] = (unsigned char)(pixels[i / 3 * 4 + i % 3] * pixels[i / 3 * 4 + 3] / 255);
		jpeg_make(&b, 4, W, H, pixels, progressive);
		ck_assert_msg(!decode(3), "%s", e.msg);
		near(p.pixels, wanted, W * H * 3, 8);
	}
}
END_TEST

START_TEST(every_truncation_of_a_jpeg_is_refused)
{
	unsigned char pixels[SIDE * SIDE * 3 * 4];
	make_noise(pixels, sizeof pixels, 4);
	for (int progressive = 0; progressive < 2; progressive++) {
		jpeg_make(&b, 3, 2 * SIDE, 2 * SIDE, pixels, progressive);
		size_t whole = b.len;
		for (b.len = 0; b.len < whole; b.len++)
			refused(decode(3), "", "");
		ck_assert_msg(!decode(3), "%s", e.msg);
	}
}
END_TEST

START_TEST(a_jpeg_that_claims_too_much_is_refused_by_its_header)
{
	unsigned char pixels[SIDE * SIDE * 3] = { 0 };
	jpeg_make(&b, 3, SIDE, SIDE, pixels, false);
	unsigned char *frame = memmem(b.data, b.len, "\xff\xc0", 2);
	ck_assert_ptr_nonnull(frame);
	memcpy(frame + 5, "\xf0\x00\xf0\x00", 4);
	refused(decode(3), "claims 61440 x 61440 pixels, expected at most 32768 a side", "");
	memcpy(frame + 5, "\x40\x00\x40\x00", 4);
	refused(decode(3), "claims 16384 x 16384 pixels", "67108864 in all");
}
END_TEST

START_TEST(what_is_no_picture_is_refused)
{
	b.len = 0;
	bytes_add(&b, "GIF89a and so on", 16);
	refused(decode(3), "neither a PNG nor a JPEG", "");
	b.len = 0;
	refused(decode(3), "neither a PNG nor a JPEG", "");
}
END_TEST

/* That each outcome is a picture or a message, and memory is kept, is the claim. */
START_TEST(damaged_pictures_never_crash_the_reader)
{
	unsigned char pixels[SIDE * SIDE * 3];
	static struct bytes whole[3];
	struct rng r;
	make_noise(pixels, sizeof pixels, 5);
	png_make(&whole[0], PNG_COLOR_TYPE_RGB, 8, SIDE, SIDE, pixels, SIDE * 3, true);
	jpeg_make(&whole[1], 3, SIDE, SIDE, pixels, false);
	jpeg_make(&whole[2], 3, SIDE, SIDE, pixels, true);
	rng_init(&r, 6, 0);
	for (int round = 0; round < 900; round++) {
		b = whole[round % 3];
		for (uint64_t i = 0, n = 1 + rng_below(&r, 4); i < n; i++)
			b.data[rng_below(&r, b.len)] ^= (unsigned char)(1 << rng_below(&r, 8));
		if (decode(1 + 2 * (round % 2)))
			continue;
	}
}
END_TEST

/* ---- another size ---- */

static void scaled(const unsigned char *pixels, int height, int width, int resize, int to_height, int to_width,
	unsigned char *ret)
{
	struct picture from = { height, width, 1, (unsigned char *)pixels };
	ck_assert_msg(!resample(&from, resize, to_height, to_width, ret, &e), "%s", e.msg);
}

START_TEST(a_picture_of_the_right_size_stays)
{
	unsigned char pixels[SIDE * SIDE], got[SIDE * SIDE];
	make_noise(pixels, sizeof pixels, 7);
	scaled(pixels, SIDE, SIDE, 0, SIDE, SIDE, got);
	ck_assert_mem_eq(got, pixels, sizeof pixels);
	scaled(pixels, SIDE, SIDE, SIDE, SIDE, SIDE, got);
	ck_assert_mem_eq(got, pixels, sizeof pixels);
}
END_TEST

START_TEST(growing_interpolates_and_shrinking_averages)
{
	unsigned char got[16];
	scaled((unsigned char[]){ 0, 100, 0, 100 }, 2, 2, 0, 4, 4, got);
	for (int i = 0; i < 4; i++)
		ck_assert_mem_eq(got + 4 * i, ((unsigned char[]){ 0, 25, 75, 100 }), 4);
	/* To half its size: weights 1/8, 3/8, 3/8, 1/8; at the edge 3/7, 3/7, 1/7. */
	scaled((unsigned char[]){ 0, 0, 0, 0, 80, 80, 80, 80, 0, 0, 0, 0, 80, 80, 80, 80 }, 4, 4, 0, 2, 2, got);
	ck_assert_mem_eq(got, ((unsigned char[]){ 34, 34, 46, 46 }), 4);
}
END_TEST

START_TEST(the_middle_is_cut_out)
{
	unsigned char pixels[3 * 9], got[9];
	for (int i = 0; i < 27; i++)
		pixels[i] = (unsigned char)i;
	scaled(pixels, 3, 9, 3, 3, 3, got);
	ck_assert_mem_eq(got, ((unsigned char[]){ 3, 4, 5, 12, 13, 14, 21, 22, 23 }), 9);
	scaled(pixels, 9, 3, 0, 3, 3, got);
	ck_assert_mem_eq(got, pixels + 9, 9);
	scaled(pixels, 3, 9, 3, 2, 2, got); /* 7 / 2 and 1 / 2 to the even side */
	ck_assert_mem_eq(got, ((unsigned char[]){ 4, 5, 13, 14 }), 4);
}
END_TEST

START_TEST(one_colour_stays_one_colour_at_any_size)
{
	unsigned char pixels[1 * 300], got[32 * 32];
	memset(pixels, 173, sizeof pixels);
	for (int side = 1; side <= 32; side++) {
		scaled(pixels, 1, 300, 0, side, side, got);
		for (int i = 0; i < side * side; i++)
			ck_assert_uint_eq(got[i], 173);
		scaled(pixels, 20, 15, 32, side, 33 - side, got);
		for (int i = 0; i < side * (33 - side); i++)
			ck_assert_uint_eq(got[i], 173);
	}
}
END_TEST

/* ---- folders ---- */

static void put_grey(const char *name, unsigned char value)
{
	unsigned char pixels[SIDE * SIDE];
	memset(pixels, value, sizeof pixels);
	png_make(&b, PNG_COLOR_TYPE_GRAY, 8, SIDE, SIDE, pixels, SIDE, false);
	bytes_put(&b, name);
}

static void make_folders(void)
{
	static const char *const folders[] = { "train", "train/cat", "train/cat-like", "train/bird", "train/bird/deep",
		"test", "test/cat", "test/cat-like", "train/.hidden" };
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		ck_assert(!mkdir(folders[i], 0700));
	put_grey("train/cat/2.png", 2);
	put_grey("train/cat/10.PNG", 10);
	put_grey("train/cat-like/1.jpeg", 1); /* a PNG: the first bytes count */
	put_grey("train/bird/deep/7.png", 7);
	put_grey("train/bird/3.png", 3);
	put_grey("test/cat/5.png", 5);
	put_grey("test/cat-like/6.png", 6);
	folder_put("train/.hidden/x.txt", "x", 1);
	folder_put("train/cat/.DS_Store", "x", 1);
}

static enum err open_folder(const char *path, const char *classes)
{
	const struct dataspec spec = { .format = DATA_FOLDER, .height = 4, .width = 4, .channels = 1,
		.sets = { [DATA_TRAIN] = { .file_count = 1 } } };
	dataset_free(d);
	d = NULL;
	e = (struct errinfo){ 0 };
	return decode_open(&(struct recipe){ .spec = &spec, .paths = { path }, .classes = classes }, "", NULL, NULL, &d,
		&e);
}

static void holds(size_t n, const unsigned char *values, const unsigned char *labels)
{
	ck_assert_uint_eq(d->count, n);
	ck_assert_uint_eq(d->classes, 3);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_eq(d->pixels[16 * i], values[i]);
		ck_assert_uint_eq(d->labels[i], labels[i]);
	}
}

static void pack(const char *folder, const char *archive)
{
	struct tree t;
	int fd = open(archive, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert(fd >= 0);
	ck_assert_msg(!tree_read(folder, &t, &e), "%s", e.msg);
	ck_assert_msg(!tar_write(&t, folder, fd, &e), "%s", e.msg);
	tree_fini(&t);
	close(fd);
}

START_TEST(classes_are_numbered_by_the_training_set_in_a_folder_and_in_an_archive)
{
	make_folders();
	pack("train", "train.tar");
	pack("test", "test.tar");
	static const char *const forms_of[2][2] = { { "train", "test" }, { "train.tar", "test.tar" } };
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(!open_folder(forms_of[i][0], NULL), "%s", e.msg);
		holds(5, (unsigned char[]){ 3, 7, 10, 2, 1 }, (unsigned char[]){ 0, 0, 1, 1, 2 });
		ck_assert_msg(!open_folder(forms_of[i][1], forms_of[i][0]), "%s", e.msg);
		holds(2, (unsigned char[]){ 5, 6 }, (unsigned char[]){ 1, 2 });
	}
}
END_TEST

START_TEST(what_does_not_belong_into_a_folder_is_named)
{
	make_folders();
	ck_assert(!mkdir("train/dog", 0700));
	refused(open_folder("train", NULL), "train: the folder 'dog' has no pictures", "");
	put_grey("train/dog/1.png", 0);
	folder_put("train/dog/1.txt", "x", 1);
	refused(open_folder("train", NULL), "train: 'dog/1.txt' is no picture by its name", "");
	ck_assert(!unlink("train/dog/1.txt"));
	put_grey("train/0.png", 0);
	refused(open_folder("train", NULL), "train: '0.png' lies beside the classes' folders", "");
	ck_assert(!unlink("train/0.png") && !mkfifo("train/dog/fifo.png", 0600));
	refused(open_folder("train", NULL), "'dog/fifo.png' is neither a file nor a folder", "");
	ck_assert(!unlink("train/dog/fifo.png"));
	folder_put("train/dog/2.png", "", 0);
	refused(open_folder("train", NULL), "'dog/2.png' has 0 bytes", "");
	folder_put("train/dog/2.png", "hello", 5);
	refused(open_folder("train", NULL), "train: 'dog/2.png': is neither a PNG nor a JPEG", "");
	put_grey("train/dog/2.png", 0);
	folder_put("train/dog/2.png", b.data, b.len - 30);
	refused(open_folder("train", NULL), "train: 'dog/2.png': is a damaged PNG picture: it ends too early", "");
	pack("train", "train.tar");
	refused(open_folder("train.tar", NULL), "train.tar: 'dog/2.png': is a damaged PNG", "");
}
END_TEST

START_TEST(classes_that_the_training_set_does_not_have_are_refused)
{
	make_folders();
	ck_assert(!mkdir("test/dog", 0700));
	put_grey("test/dog/1.png", 0);
	refused(open_folder("test", "train"), "test: the class folder 'dog' is none of the training set's, train", "");
	refused(open_folder("train/cat", NULL), "lies beside the classes' folders", "");
	ck_assert(!mkdir("one", 0700) && !mkdir("one/train", 0700));
	put_grey("one/train/1.png", 0);
	refused(open_folder("one", NULL), "one: has one class folder only, 'train'", "");
	ck_assert(!mkdir("none", 0700));
	refused(open_folder("none", NULL), "none: has no pictures", "");
	ck_assert_int_eq(open_folder("absent", NULL), ERR_NOT_FOUND);
}
END_TEST

START_TEST(every_truncation_of_an_archive_is_refused)
{
	make_folders();
	pack("test", "test.tar");
	FILE *f = fopen("test.tar", "rb");
	b.len = fread(b.data, 1, sizeof b.data, f);
	fclose(f);
	for (size_t len = 0; len + 1024 < b.len; len += 1 + len % 7 * 13) {
		folder_put("cut.tar", b.data, len);
		refused(open_folder("cut.tar", NULL), "cut.tar: ", "");
	}
}
END_TEST

Suite *picture_suite(void)
{
	Suite *s = suite_create("picture");
	TCase *t = tcase_create("picture");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, every_form_of_png_becomes_bytes_of_grey_or_rgb, 0, sizeof forms / sizeof *forms);
	tcase_add_test(t, every_truncation_of_a_png_is_refused);
	tcase_add_test(t, a_bomb_is_refused_by_its_header);
	tcase_add_test(t, text_and_profiles_are_not_looked_at);
	tcase_add_test(t, too_many_pixels_are_refused_however_well_compressed);
	tcase_add_test(t, jpeg_is_grey_rgb_or_cmyk);
	tcase_add_test(t, every_truncation_of_a_jpeg_is_refused);
	tcase_add_test(t, a_jpeg_that_claims_too_much_is_refused_by_its_header);
	tcase_add_test(t, what_is_no_picture_is_refused);
	tcase_add_test(t, damaged_pictures_never_crash_the_reader);
	tcase_add_test(t, a_picture_of_the_right_size_stays);
	tcase_add_test(t, growing_interpolates_and_shrinking_averages);
	tcase_add_test(t, the_middle_is_cut_out);
	tcase_add_test(t, one_colour_stays_one_colour_at_any_size);
	tcase_add_test(t, classes_are_numbered_by_the_training_set_in_a_folder_and_in_an_archive);
	tcase_add_test(t, what_does_not_belong_into_a_folder_is_named);
	tcase_add_test(t, classes_that_the_training_set_does_not_have_are_refused);
	tcase_add_test(t, every_truncation_of_an_archive_is_refused);
	suite_add_tcase(s, t);
	return s;
}

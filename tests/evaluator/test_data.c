/* test_data.c -- IDX files, good and hostile; splits, batches and the "data" section of a job.
 * SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/json.h"
#include "base/rng.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/source.h"
#include "tests/evaluator/folder.h"
#include "tests/evaluator/suites.h"

enum { IMAGES = 12, HEIGHT = 5, WIDTH = 4, LARGEST = 4096 };

struct bytes {
	unsigned char data[LARGEST];
	size_t len;
};

static void append(struct bytes *b, const void *data, size_t len)
{
	ck_assert_uint_le(b->len + len, LARGEST);
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

/* The header of an IDX file of unsigned bytes. */
static struct bytes header(int n, const uint32_t *dims)
{
	struct bytes b = { .len = 0 };
	append(&b, (unsigned char[]){ 0, 0, 8, (unsigned char)n }, 4);
	for (int i = 0; i < n; i++)
		append(&b, (unsigned char[]){ (unsigned char)(dims[i] >> 24), (unsigned char)(dims[i] >> 16),
			(unsigned char)(dims[i] >> 8), (unsigned char)dims[i] }, 4);
	return b;
}

static struct bytes idx(int n, const uint32_t *dims, uint64_t seed, unsigned below)
{
	struct rng r;
	struct bytes b = header(n, dims);
	size_t count = 1;
	rng_init(&r, seed, 0);
	for (int i = 0; i < n; i++)
		count *= dims[i];
	for (size_t i = 0; i < count; i++)
		append(&b, &(unsigned char){ (unsigned char)rng_below(&r, below) }, 1);
	return b;
}

static struct bytes some_images(void)
{
	return idx(3, (uint32_t[]){ IMAGES, HEIGHT, WIDTH }, 1, 256);
}

static struct bytes some_labels(void)
{
	return idx(1, (uint32_t[]){ IMAGES }, 2, 10);
}

static struct bytes gzip(const struct bytes *plain)
{
	struct bytes b;
	z_stream z = { .next_in = (unsigned char *)plain->data, .avail_in = (unsigned)plain->len, .next_out = b.data,
		.avail_out = LARGEST };
	ck_assert_int_eq(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	b.len = z.total_out;
	deflateEnd(&z);
	return b;
}

static void put(const char *name, const struct bytes *b)
{
	folder_put(name, b->data, b->len);
}

/* Reads "images" and "labels"; the outcome must be a data set or an error with a message. */
static enum err read_pair(struct dataset **ret, struct errinfo *e)
{
	*e = (struct errinfo){ 0 };
	*ret = NULL;
	enum err err = dataset_read_idx("images", "labels", ret, e);
	ck_assert_int_eq(err, e->code);
	ck_assert_msg(err ? e->msg[0] && !*ret : !!*ret, "%s", e->msg);
	return err;
}

/* Puts b into `file` and claims that this is refused with both texts in the message. */
static void refused(const char *file, const struct bytes *b, const char *text, const char *also)
{
	struct dataset *d;
	struct errinfo e;
	put(file, b);
	ck_assert_msg(read_pair(&d, &e), "%s: was accepted, expected: %s", file, text);
	ck_assert_msg(strstr(e.msg, file) && strstr(e.msg, text) && strstr(e.msg, also), "%s", e.msg);
}

static void setup(void)
{
	folder_enter();
	struct bytes images = some_images(), labels = some_labels();
	put("images", &images);
	put("labels", &labels);
}

START_TEST(plain_and_gzip_files_give_the_same_images)
{
	struct dataset *a, *b;
	struct errinfo e;
	struct bytes images = some_images(), labels = some_labels();
	ck_assert_msg(!read_pair(&a, &e), "%s", e.msg);
	struct bytes zipped = gzip(&images);
	put("images", &zipped);
	ck_assert_msg(!read_pair(&b, &e), "%s", e.msg);
	ck_assert_uint_eq(b->count, IMAGES);
	ck_assert_int_eq(b->height, HEIGHT);
	ck_assert_int_eq(b->width, WIDTH);
	ck_assert_int_eq(b->channels, 1);
	ck_assert_mem_eq(a->pixels, images.data + 16, IMAGES * HEIGHT * WIDTH);
	ck_assert_mem_eq(b->pixels, images.data + 16, IMAGES * HEIGHT * WIDTH);
	uint32_t largest = 0;
	for (int i = 0; i < IMAGES; i++) {
		ck_assert_uint_eq(b->labels[i], labels.data[8 + i]);
		largest = b->labels[i] > largest ? b->labels[i] : largest;
	}
	ck_assert_uint_eq(b->classes, largest + 1);
	dataset_free(a);
	dataset_free(b);
}
END_TEST

START_TEST(fashion_mnist_has_its_published_shape)
{
#define T10K "/usr/share/datasets/fashion-mnist/t10k-"
	struct dataset *d;
	struct errinfo e = { 0 };
	ck_assert_msg(!dataset_read_idx(T10K "images-idx3-ubyte.gz", T10K "labels-idx1-ubyte.gz", &d, &e), "%s", e.msg);
	ck_assert_uint_eq(d->count, 10000);
	ck_assert_int_eq(d->height * d->width * d->channels, 784);
	ck_assert_uint_eq(d->classes, 10);
	size_t each[10] = { 0 };
	for (size_t i = 0; i < d->count; i++)
		each[d->labels[i]]++;
	for (int i = 0; i < 10; i++)
		ck_assert_uint_eq(each[i], 1000);
	dataset_free(d);
}
END_TEST

/* ---- hostile files ---- */

static void truncations_are_refused(const char *file, const struct bytes *whole)
{
	struct dataset *d;
	struct errinfo e;
	for (size_t len = 0; len < whole->len; len++) {
		folder_put(file, whole->data, len);
		ck_assert_msg(read_pair(&d, &e), "%s: %zu of %zu bytes were accepted", file, len, whole->len);
		ck_assert_msg(strstr(e.msg, file), "%s", e.msg);
	}
	put(file, whole);
	ck_assert_msg(!read_pair(&d, &e), "%s", e.msg);
	dataset_free(d);
}

START_TEST(every_truncation_is_refused)
{
	struct bytes images = some_images(), labels = some_labels();
	truncations_are_refused("images", &images);
	truncations_are_refused("labels", &labels);
	struct bytes zipped = gzip(&images), zipped_labels = gzip(&labels);
	truncations_are_refused("images", &zipped);
	truncations_are_refused("labels", &zipped_labels);
}
END_TEST

START_TEST(every_flipped_bit_of_a_header_is_refused)
{
	struct dataset *d;
	struct errinfo e;
	struct bytes images = some_images(), labels = some_labels();
	for (size_t bit = 0; bit < 8 * 16; bit++) {
		images.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		put("images", &images);
		ck_assert_msg(read_pair(&d, &e), "images: bit %zu was accepted", bit);
		images.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	put("images", &images);
	for (size_t bit = 0; bit < 8 * 8; bit++) {
		labels.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		put("labels", &labels);
		ck_assert_msg(read_pair(&d, &e), "labels: bit %zu was accepted", bit);
		labels.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}
END_TEST

/* Unused bits of gzip's header (time, system) and of deflate's padding change nothing; all others are found. */
START_TEST(every_flipped_bit_of_a_gzip_file_is_refused_or_harmless)
{
	struct dataset *d;
	struct errinfo e;
	struct bytes images = some_images(), zipped = gzip(&images);
	int refusals = 0;
	for (size_t bit = 0; bit < 8 * zipped.len; bit++) {
		zipped.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
		put("images", &zipped);
		if (read_pair(&d, &e))
			refusals++;
		else
			ck_assert_mem_eq(d->pixels, images.data + 16, IMAGES * HEIGHT * WIDTH);
		dataset_free(d);
		zipped.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	ck_assert_int_gt(refusals, (int)(8 * (zipped.len - 10)) - 8);
}
END_TEST

START_TEST(a_wrong_sum_at_the_end_of_gzip_is_refused)
{
	struct bytes images = some_images(), zipped = gzip(&images);
	zipped.data[zipped.len - 8] ^= 1;
	refused("images", &zipped, "damaged", "images");
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused)
{
	struct bytes images = some_images();
	append(&images, "x", 1);
	refused("images", &images, "trailing", "12 x 5 x 4 = 240");
	struct bytes zipped = gzip(&images);
	refused("images", &zipped, "trailing", "12 x 5 x 4 = 240");
}
END_TEST

START_TEST(a_claim_beyond_the_file_is_refused_before_memory_is_taken)
{
	/* 4 GB: fine by the limit, not by what 20 bytes can hold. */
	struct bytes big = header(3, (uint32_t[]){ 1000000, 64, 64 });
	refused("images", &big, "0 bytes", "1000000 x 64 x 64 = 4096000000");
	struct bytes zipped = gzip(&big);
	refused("images", &zipped, "bytes of gzip can hold", "4096000000");
	struct bytes labels = header(1, (uint32_t[]){ UINT32_MAX });
	refused("labels", &labels, "4294967295", "truncated");
}
END_TEST

START_TEST(a_claim_beyond_8_gib_is_refused)
{
	static const uint32_t claims[][4] = { { UINT32_MAX, UINT32_MAX, UINT32_MAX, 1 }, { 1 << 31, 1 << 31, 4, 1 },
		{ 1 << 16, 1 << 16, 3, 1 }, { 1 << 31, 1 << 31, 1 << 31, 1 << 31 } };
	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		struct bytes b = header(4, claims[i]);
		refused("images", &b, "at most 8 GiB", "claims");
		struct bytes zipped = gzip(&b);
		refused("images", &zipped, "at most 8 GiB", "claims");
	}
}
END_TEST

START_TEST(what_is_not_a_pair_of_image_and_label_files_is_refused)
{
	struct bytes images = some_images(), labels = some_labels(), wrong;
	wrong = images;
	wrong.data[2] = 0x0d;
	refused("images", &wrong, "type 0x0d", "0x08");
	wrong = idx(2, (uint32_t[]){ IMAGES, 4 }, 3, 256);
	refused("images", &wrong, "2 dimensions", "3 to 4");
	refused("images", &labels, "1 dimensions", "3 to 4");
	wrong = idx(3, (uint32_t[]){ 0, 4, 4 }, 3, 256);
	refused("images", &wrong, "dimension 0 is 0", "at least 1");
	wrong = idx(3, (uint32_t[]){ 3, 4, 0 }, 3, 256);
	refused("images", &wrong, "dimension 2 is 0", "at least 1");
	wrong = idx(4, (uint32_t[]){ IMAGES, 2, 2, 17 }, 3, 256);
	refused("images", &wrong, "17 channels", "at most 16");
	wrong = (struct bytes){ "\x89PNG\r\n\x1a\n and so on", 19 };
	refused("images", &wrong, "89 50 4e 47", "IDX");
	wrong.len = 0;
	refused("images", &wrong, "0 bytes", "IDX");
	put("images", &images);
	refused("labels", &images, "3 dimensions", "expected 1 for labels");
	wrong = idx(1, (uint32_t[]){ IMAGES + 1 }, 3, 10);
	refused("labels", &wrong, "13 labels", "expected 12");
}
END_TEST

START_TEST(what_is_not_a_file_is_refused)
{
	struct dataset *d;
	struct errinfo e;
	ck_assert(!unlink("images"));
	ck_assert_int_eq(read_pair(&d, &e), ERR_NOT_FOUND);
	ck_assert(!mkdir("images", 0700));
	ck_assert_int_eq(read_pair(&d, &e), ERR_INPUT);
	ck_assert(!rmdir("images") && !mkfifo("images", 0600));
	ck_assert_int_eq(read_pair(&d, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "regular file"), "%s", e.msg);
}
END_TEST

/* Random bytes behind a good beginning, plain and in gzip. Which are refused is not the claim: that each outcome is a
 * data set or a message, and memory is kept, is. */
START_TEST(random_files_never_crash_the_reader)
{
	struct dataset *d;
	struct errinfo e;
	struct rng r;
	int refusals = 0;
	rng_init(&r, 7, 0);
	for (int round = 0; round < 400; round++) {
		struct bytes b = some_images();
		size_t flips = 1 + rng_below(&r, 6);
		for (size_t i = 0; i < flips; i++)
			b.data[rng_below(&r, 24)] = (unsigned char)rng_u64(&r);
		b.len = 1 + rng_below(&r, b.len);
		struct bytes zipped = gzip(&b);
		if (round % 3 == 0)
			zipped.data[rng_below(&r, zipped.len)] = (unsigned char)rng_u64(&r);
		put("images", round % 2 ? &b : &zipped);
		refusals += read_pair(&d, &e) != ERR_OK;
		dataset_free(d);
	}
	ck_assert_int_gt(refusals, 350);
}
END_TEST

/* ---- batches ---- */

START_TEST(normalisation_is_exact_for_every_pixel_value)
{
	unsigned char pixels[256];
	uint32_t labels[1] = { 0 }, label;
	float x[256];
	struct normalisation norm = { .channels = 1, .mean = { 0.2860f }, .std = { 0.3530f } };
	struct dataset d = { .count = 1, .channels = 1, .height = 16, .width = 16, .pixels = pixels, .labels = labels };
	for (int i = 0; i < 256; i++)
		pixels[i] = (unsigned char)i;
	split_batch(&(struct split){ .data = &d, .count = 1, .norm = &norm }, NULL, 0, 1, x, &label);
	for (int i = 0; i < 256; i++)
		ck_assert(x[i] == ((float)i / 255.0f - 0.2860f) / 0.3530f);
	norm.channels = 0;
	split_batch(&(struct split){ .data = &d, .count = 1, .norm = &norm }, NULL, 0, 1, x, &label);
	for (int i = 0; i < 256; i++)
		ck_assert(x[i] == (float)i / 255.0f);
}
END_TEST

START_TEST(channels_last_in_the_file_is_channels_first_in_the_batch)
{
	struct dataset *d;
	struct errinfo e;
	enum { H = 3, W = 2, C = 3 };
	struct bytes images = idx(4, (uint32_t[]){ IMAGES, H, W, C }, 5, 256);
	struct normalisation norm = { .channels = C, .mean = { 0.1f, 0.2f, 0.3f }, .std = { 1, 2, 4 } };
	struct split s;
	float x[IMAGES][C][H][W];
	uint32_t labels[IMAGES];
	put("images", &images);
	ck_assert_msg(!read_pair(&d, &e), "%s", e.msg);
	ck_assert(!split_whole(d, &norm, &s, &e));
	split_batch(&s, NULL, 0, IMAGES, &x[0][0][0][0], labels);
	for (int i = 0; i < IMAGES; i++)
		for (int c = 0; c < C; c++)
			for (int k = 0; k < H * W; k++) {
				float pixel = images.data[20 + (i * H * W + k) * C + c];
				ck_assert(x[i][c][k / W][k % W] == (pixel / 255.0f - norm.mean[c]) / norm.std[c]);
			}
	dataset_free(d);
}
END_TEST

START_TEST(an_order_picks_images_and_their_labels)
{
	struct dataset *d;
	struct errinfo e;
	struct split s;
	float x[3][HEIGHT * WIDTH];
	uint32_t labels[3];
	static const uint32_t order[] = { 9, 0, 4, 2 };
	ck_assert_msg(!read_pair(&d, &e), "%s", e.msg);
	ck_assert(!split_whole(d, NULL, &s, &e));
	s.first = 2;
	s.count = IMAGES - 2;
	split_batch(&s, order, 1, 3, x[0], labels);
	for (int i = 0; i < 3; i++) {
		size_t image = 2 + order[1 + i];
		ck_assert_uint_eq(labels[i], d->labels[image]);
		for (int k = 0; k < HEIGHT * WIDTH; k++)
			ck_assert(x[i][k] == (float)d->pixels[image * HEIGHT * WIDTH + (size_t)k] / 255.0f);
	}
	split_batch(&s, NULL, 4, 2, x[0], labels);
	ck_assert_uint_eq(labels[0], d->labels[6]);
	ck_assert_uint_eq(labels[1], d->labels[7]);
	dataset_free(d);
}
END_TEST

START_TEST(holdout_is_the_end_of_the_training_images)
{
	struct dataset *d;
	struct errinfo e;
	struct split train, held;
	ck_assert_msg(!read_pair(&d, &e), "%s", e.msg);
	ck_assert(!split_holdout(d, NULL, 5, &train, &held, &e));
	ck_assert(train.first == 0 && train.count == IMAGES - 5);
	ck_assert(held.first == IMAGES - 5 && held.count == 5);
	ck_assert_int_eq(split_holdout(d, NULL, 0, &train, &held, &e), ERR_INPUT);
	ck_assert_int_eq(split_holdout(d, NULL, IMAGES, &train, &held, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "is 12, expected 1 to 11"), "%s", e.msg);
	struct normalisation three = { .channels = 3 };
	ck_assert_int_eq(split_holdout(d, &three, 5, &train, &held, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "have 3 entries, expected 1"), "%s", e.msg);
	dataset_free(d);
}
END_TEST

/* A data set of nothing but labels: 60 % class 0, 30 % class 1, 10 % class 2. */
static struct dataset labelled(uint32_t *labels, size_t n)
{
	for (size_t i = 0; i < n; i++)
		labels[i] = i % 10 < 6 ? 0 : i % 10 < 9 ? 1 : 2;
	return (struct dataset){ .count = n, .channels = 1, .height = 1, .width = 1, .labels = labels, .classes = 3 };
}

/* That the two parts are all images, each once. */
static void parts_are_whole(const struct split *train, const struct split *held, size_t n)
{
	bool seen[1000] = { false };
	ck_assert_uint_eq(train->count + held->count, n);
	for (size_t i = 0; i < n; i++) {
		const struct split *s = i < train->count ? train : held;
		uint32_t image = s->order[s->first + (i < train->count ? i : i - train->count)];
		ck_assert(image < n && !seen[image]);
		seen[image] = true;
	}
}

START_TEST(a_seed_parts_images_and_gives_each_class_its_share_when_asked)
{
	uint32_t labels[1000], *order;
	struct dataset d = labelled(labels, 1000);
	struct split train, held;
	struct errinfo e;
	for (uint64_t seed = 0; seed < 40; seed++)
		for (size_t count = 1; count < 1000; count += 37 + seed) {
			struct split_request r = { .count = count, .seed = seed, .stratified = seed % 2 };
			size_t each[3] = { 0 };
			ck_assert(!split_seeded(&d, NULL, &r, &train, &held, &order, &e));
			ck_assert_uint_eq(held.count, count);
			parts_are_whole(&train, &held, 1000);
			for (size_t i = 0; i < count; i++)
				each[labels[order[held.first + i]]]++;
			for (int c = 0; c < 3 && r.stratified; c++) {
				double share = (double)count * (c == 0 ? 0.6 : c == 1 ? 0.3 : 0.1);
				ck_assert_double_lt((double)each[c] - share, 1);
				ck_assert_double_gt((double)each[c] - share, -1);
			}
			free(order);
		}
}
END_TEST

/* These numbers are a promise: results of earlier jobs are looked up by a key that has the seed in it. */
START_TEST(the_same_seed_parts_alike_for_ever)
{
	uint32_t labels[20], *order;
	struct dataset d = labelled(labels, 20);
	struct split train, held;
	struct errinfo e;
	static const uint32_t plain[] = { 12, 7, 13, 14, 17, 1, 18, 4, 16, 6, 15, 0, 9, 3, 19, 2, 8, 11, 10, 5 };
	static const uint32_t stratified[] = { 1, 18, 4, 16, 6, 15, 0, 9, 3, 19, 2, 8, 11, 10, 5, 12, 7, 13, 14, 17 };
	struct split_request r = { .fraction = 0.25, .seed = 7 };
	ck_assert(!split_seeded(&d, NULL, &r, &train, &held, &order, &e));
	ck_assert_uint_eq(held.count, 5);
	ck_assert_mem_eq(order, plain, sizeof plain);
	free(order);
	r.stratified = true;
	ck_assert(!split_seeded(&d, NULL, &r, &train, &held, &order, &e));
	ck_assert_mem_eq(order, stratified, sizeof stratified);
	free(order);
}
END_TEST

START_TEST(a_split_that_leaves_nothing_is_refused)
{
	uint32_t labels[20], *order;
	struct dataset d = labelled(labels, 20);
	struct split train, held;
	struct errinfo e;
	static const struct split_request wrong[] = { { .count = 20 }, { .count = 100 }, { .fraction = 0.001 },
		{ .fraction = 0.999 } };
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		ck_assert_int_eq(split_seeded(&d, NULL, &wrong[i], &train, &held, &order, &e), ERR_INPUT);
		ck_assert_msg(!strncmp(e.msg, "data.split.validation: is ", 26), "%s", e.msg);
		ck_assert_msg(strstr(e.msg, "expected 1 to 19"), "%s", e.msg);
	}
}
END_TEST

START_TEST(shuffled_images_are_all_images_in_another_order)
{
	uint32_t labels[20], *order;
	struct dataset d = labelled(labels, 20);
	struct split all;
	struct errinfo e;
	ck_assert(!split_shuffled(&d, NULL, &all, &order, &e));
	struct split none = { .data = &d };
	ck_assert(all.order == order && all.first == 0);
	parts_are_whole(&all, &none, 20);
	free(order);
}
END_TEST

/* ---- the "data" section ---- */

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define TRAIN "'train': {'images': 'sha256:" A "', 'labels': '" B "'}"
#define TEST "'test': {'images': 'sha256:" B "', 'labels': 'sha256:" A "'}"

/* Parses text with ' for ". The caller deletes *ret_doc, from which the source borrows. */
static enum err read_section(const char *text, cJSON **ret_doc, struct source *ret, struct errinfo *e)
{
	char json[2048];
	snprintf(json, sizeof json, "%s", text);
	for (char *p = json; *p; p++)
		if (*p == '\'')
			*p = '"';
	ck_assert_msg(!json_parse("section", json, strlen(json), ret_doc, e), "%s", e->msg);
	return source_read(*ret_doc, ret, e);
}

START_TEST(a_section_names_blobs_and_normalisation)
{
	cJSON *doc;
	struct source s;
	struct errinfo e = { 0 };
	enum err err = read_section("{'format': 'idx', " TRAIN ", " TEST ", 'holdout': 7,"
		" 'mean': [0.5, 0.25], 'std': [2, 4]}", &doc, &s, &e);
	ck_assert_msg(!err, "%s", e.msg);
	ck_assert_str_eq(s.spec.sets[DATA_TRAIN].files[0].name, A);
	ck_assert_str_eq(s.spec.sets[DATA_TRAIN].files[1].name, B);
	ck_assert_str_eq(s.spec.sets[DATA_TEST].files[0].name, B);
	ck_assert_str_eq(s.spec.sets[DATA_TEST].files[1].name, A);
	ck_assert_int_eq(s.spec.held_count, 7);
	ck_assert_int_eq(s.norm.channels, 2);
	ck_assert(s.norm.mean[1] == 0.25f && s.norm.std[1] == 4);
	cJSON_Delete(doc);
	ck_assert(!read_section("{'format': 'idx', " TRAIN ", " TEST ", 'holdout': 7, 'std': [2]}", &doc, &s, &e));
	ck_assert(s.norm.channels == 1 && s.norm.mean[0] == 0 && s.norm.std[0] == 2);
	cJSON_Delete(doc);
	ck_assert(!read_section("{'format': 'idx', " TRAIN ", " TEST ", 'holdout': 7}", &doc, &s, &e));
	ck_assert_int_eq(s.norm.channels, 0);
	cJSON_Delete(doc);
}
END_TEST

/* What only a worker refuses; the rest is base/dataspec's. */
static const struct {
	const char *section, *message;
} wrong_sections[] = {
	{ "{'format': 'idx', " TRAIN ", " TEST ", 'holdout': 0}", "data.holdout: is 0" },
	{ "{'format': 'idx', 'train': {'images': '/etc/passwd', 'labels': '" A "'}, " TEST ", 'holdout': 7}",
		"data.train.images: is \"/etc/passwd\"" },
	{ "{'format': 'idx', " TRAIN ", 'test': {'images': 'sha256:" A "', 'labels': 'sha256:AB'}, 'holdout': 7}",
		"data.test.labels: is \"sha256:AB\"" },
	{ "{'format': 'cifar10', 'train': {'files': ['" A "', '../" A "']}, 'test': {'files': ['" A "']}}",
		"data.train.files[1]: is \"../" A "\"" },
};

START_TEST(a_wrong_section_is_refused_by_field_and_value)
{
	cJSON *doc;
	struct source s;
	struct errinfo e = { 0 };
	ck_assert_int_eq(read_section(wrong_sections[_i].section, &doc, &s, &e), ERR_INPUT);
	ck_assert_msg(!strncmp(e.msg, wrong_sections[_i].message, strlen(wrong_sections[_i].message)), "%s", e.msg);
	cJSON_Delete(doc);
}
END_TEST

Suite *data_suite(void)
{
	Suite *s = suite_create("data");
	TCase *t = tcase_create("data");
	tcase_add_checked_fixture(t, setup, folder_leave);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, plain_and_gzip_files_give_the_same_images);
	tcase_add_test(t, fashion_mnist_has_its_published_shape);
	tcase_add_test(t, every_truncation_is_refused);
	tcase_add_test(t, every_flipped_bit_of_a_header_is_refused);
	tcase_add_test(t, every_flipped_bit_of_a_gzip_file_is_refused_or_harmless);
	tcase_add_test(t, a_wrong_sum_at_the_end_of_gzip_is_refused);
	tcase_add_test(t, bytes_behind_the_end_are_refused);
	tcase_add_test(t, a_claim_beyond_the_file_is_refused_before_memory_is_taken);
	tcase_add_test(t, a_claim_beyond_8_gib_is_refused);
	tcase_add_test(t, what_is_not_a_pair_of_image_and_label_files_is_refused);
	tcase_add_test(t, what_is_not_a_file_is_refused);
	tcase_add_test(t, random_files_never_crash_the_reader);
	tcase_add_test(t, normalisation_is_exact_for_every_pixel_value);
	tcase_add_test(t, channels_last_in_the_file_is_channels_first_in_the_batch);
	tcase_add_test(t, an_order_picks_images_and_their_labels);
	tcase_add_test(t, holdout_is_the_end_of_the_training_images);
	tcase_add_test(t, a_seed_parts_images_and_gives_each_class_its_share_when_asked);
	tcase_add_test(t, the_same_seed_parts_alike_for_ever);
	tcase_add_test(t, a_split_that_leaves_nothing_is_refused);
	tcase_add_test(t, shuffled_images_are_all_images_in_another_order);
	tcase_add_test(t, a_section_names_blobs_and_normalisation);
	tcase_add_loop_test(t, a_wrong_section_is_refused_by_field_and_value, 0,
		sizeof wrong_sections / sizeof *wrong_sections);
	suite_add_tcase(s, t);
	return s;
}

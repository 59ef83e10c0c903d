/* pair.c -- images in one array, labels in another: IDX and NPY files, NPZ archives.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/data/array.h"
#include "evaluator/data/dataset.h"
#include "evaluator/data/idx.h"
#include "evaluator/data/loader.h"
#include "evaluator/data/npy.h"

enum { LABELS_AT_ONCE = 1024 };

struct pair {
	struct loader loader;
	struct array images, labels;
	bool channels_first;
};

static void pair_close(struct loader *l)
{
	struct pair *p = (struct pair *)l;
	array_close(&p->images);
	array_close(&p->labels);
	free(p);
}

/* Eight bytes at most, in the file's order. */
static uint64_t integer_at(const unsigned char *p, int width, bool big_endian)
{
	uint64_t x = 0;
	for (int i = 0; i < width; i++)
		x = x << 8 | p[big_endian ? i : width - 1 - i];
	return x;
}

static enum err take_label(const struct array *a, const unsigned char *p, size_t i, uint32_t *ret, struct errinfo *e)
{
	uint64_t x = integer_at(p, a->width, a->big_endian);
	bool negative = a->kind == ARRAY_SIGNED && x >> (8 * a->width - 1);
	if (negative && a->width < 8)
		x |= ~UINT64_C(0) << 8 * a->width;
	if (negative || x >= LOADER_MOST_LABELS)
		return err_set(e, ERR_INPUT, "%s: label %zu is %s%llu, expected 0 to %d", stream_name(a->stream), i,
			negative ? "-" : "", (unsigned long long)(negative ? -x : x), LOADER_MOST_LABELS - 1);
	*ret = (uint32_t)x;
	return ERR_OK;
}

static enum err fill_labels(struct array *a, size_t count, uint32_t *ret, struct errinfo *e)
{
	unsigned char raw[8 * LABELS_AT_ONCE];
	size_t width = (size_t)a->width;
	for (size_t from = 0; from < count; from += LABELS_AT_ONCE) {
		size_t n = count - from < LABELS_AT_ONCE ? count - from : LABELS_AT_ONCE;
		enum err err = array_take(a, raw, n * width, e);
		for (size_t i = 0; i < n && !err; i++)
			err = take_label(a, raw + i * width, from + i, &ret[from + i], e);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* A single NaN would make every statistic and every loss NaN, and say nothing about where it came from. */
static enum err check_finite(const struct array *a, const float *x, size_t n, size_t image, struct errinfo *e)
{
	for (size_t k = 0; k < n; k++)
		if (!isfinite(x[k]))
			return err_set(e, ERR_INPUT, "%s: image %zu has the value %g, expected finite numbers",
				stream_name(a->stream), image, (double)x[k]);
	return ERR_OK;
}

static enum err fill_images(struct pair *p, const struct filling *to, struct errinfo *e)
{
	const struct measure *is = &p->loader.is;
	size_t width = is->floats ? 4 : 1, area = (size_t)is->height * (size_t)is->width;
	size_t size = area * (size_t)is->channels * width;
	bool turn = p->channels_first && is->channels > 1;
	void *one = malloc(size);
	enum err err = one ? ERR_OK : err_set(e, ERR_MEMORY, "no memory for an image of %zu bytes", size);
	for (size_t i = 0; i < is->count && !err; i++) {
		char *place = (char *)to->elements + i * size;
		err = filling_stopped(to, e) ? ERR_GONE : array_take(&p->images, turn ? one : place, size, e);
		if (!err && turn)
			interleave(one, (size_t)is->channels, area, width, place);
		if (!err && is->floats)
			err = check_finite(&p->images, (const float *)(const void *)place, size / 4, i, e);
	}
	free(one);
	return err;
}

static enum err pair_fill(struct loader *l, const struct filling *to, struct errinfo *e)
{
	struct pair *p = (struct pair *)l;
	enum err err = fill_labels(&p->labels, l->is.count, to->labels, e);
	return err ? err : fill_images(p, to, e);
}

static enum err open_array(const struct recipe *r, bool images, struct array *ret, struct errinfo *e)
{
	const struct dataspec_set *s = &r->spec->sets[r->role];
	if (r->spec->format == DATA_IDX && images)
		return idx_open(r->paths[0], "images", 3, 4, ret, e);
	if (r->spec->format == DATA_IDX)
		return idx_open(r->paths[1], "labels", 1, 1, ret, e);
	if (r->spec->format == DATA_NPZ)
		return npy_open(r->paths[0], images ? s->images_key : s->labels_key, ret, e);
	return npy_open(r->paths[!images], NULL, ret, e);
}

/* Integers of any width, (n) or (n, 1). */
static enum err check_labels(const struct pair *p, struct errinfo *e)
{
	char text[96];
	const struct array *a = &p->labels;
	if (a->kind == ARRAY_FLOAT)
		return err_set(e, ERR_INPUT, "%s: labels are %s, expected integers", stream_name(a->stream),
			array_type(a, text));
	if (a->ndims != 1 && !(a->ndims == 2 && a->dims[1] == 1))
		return err_set(e, ERR_INPUT, "%s: labels are %s, expected one dimension, a number for each image",
			stream_name(a->stream), a->ndims ? array_shape(a, text) : "a single number");
	if (a->dims[0] != p->images.dims[0])
		return err_set(e, ERR_INPUT, "%s: has %zu labels, expected %zu, one for each image of %s",
			stream_name(a->stream), a->dims[0], p->images.dims[0], stream_name(p->images.stream));
	return ERR_OK;
}

static enum err measure_images(struct pair *p, struct errinfo *e)
{
	char text[96];
	const struct array *a = &p->images;
	struct measure *is = &p->loader.is;
	bool bytes = a->kind == ARRAY_UNSIGNED && a->width == 1;
	is->floats = a->kind == ARRAY_FLOAT && a->width == 4;
	if (!bytes && !is->floats)
		return err_set(e, ERR_INPUT, "%s: images are %s, expected uint8 or float32", stream_name(a->stream),
			array_type(a, text));
	if (is->floats && a->big_endian)
		return err_set(e, ERR_INPUT, "%s: images are big-endian floats, expected little-endian ones (<f4)",
			stream_name(a->stream));
	if (a->ndims < 3)
		return err_set(e, ERR_INPUT, "%s: images are %s, expected 3 or 4 dimensions", stream_name(a->stream),
			a->ndims ? array_shape(a, text) : "a single number");
	int channels = a->ndims == 3 ? -1 : p->channels_first ? 1 : 3, rows = channels == 1 ? 2 : 1;
	is->count = a->dims[0];
	is->channels = channels < 0 ? 1 : (int64_t)a->dims[channels];
	is->height = (int64_t)a->dims[rows];
	is->width = (int64_t)a->dims[rows + 1];
	bool turned = !p->channels_first && a->dims[1] <= DATASET_MAX_CHANNELS;
	if (is->channels > DATASET_MAX_CHANNELS)
		return err_set(e, ERR_INPUT, "%s: images have %lld channels, expected at most %d%s",
			stream_name(a->stream), (long long)is->channels, DATASET_MAX_CHANNELS,
			turned ? "; is data.layout \"nchw\"?" : "");
	return ERR_OK;
}

enum err pair_open(const struct recipe *r, struct loader **ret, struct errinfo *e)
{
	struct pair *p = calloc(1, sizeof *p);
	if (!p)
		return err_set(e, ERR_MEMORY, "out of memory");
	p->loader.fill = pair_fill;
	p->loader.close = pair_close;
	p->channels_first = r->spec->channels_first;
	enum err err = open_array(r, false, &p->labels, e);
	if (!err)
		err = open_array(r, true, &p->images, e);
	if (!err)
		err = measure_images(p, e);
	if (!err)
		err = check_labels(p, e);
	if (err)
		pair_close(&p->loader);
	else
		*ret = &p->loader;
	return err;
}

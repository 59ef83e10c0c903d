/* dataset.c -- labelled images in memory, and batches of them ready for a network.
 * SPDX-License-Identifier: MIT
 *
 * A pixel has 256 values, so a batch is normalised by a table a channel: the division by the standard
 * deviation happens 256 times, not once a pixel, and each float is exactly that of the formula. */
#include "evaluator/data/dataset.h"

#include <stdbool.h>
#include <stdlib.h>

#include "evaluator/data/idx.h"

static enum err check_pair(const char *images, const struct idx *pixels, const char *labels, const struct idx *classes,
	struct errinfo *e)
{
	size_t channels = pixels->ndims == 4 ? pixels->dims[3] : 1;
	if (channels > DATASET_MAX_CHANNELS)
		return err_set(e, ERR_INPUT, "%s: images have %zu channels, expected at most %d", images, channels,
			DATASET_MAX_CHANNELS);
	if (classes->dims[0] != pixels->dims[0])
		return err_set(e, ERR_INPUT, "%s: has %zu labels, expected %zu, one for each image of %s", labels,
			classes->dims[0], pixels->dims[0], images);
	return ERR_OK;
}

static enum err take_labels(struct dataset *d, const struct idx *classes, struct errinfo *e)
{
	d->labels = calloc(d->count, sizeof *d->labels);
	if (!d->labels)
		return err_set(e, ERR_MEMORY, "no memory for %zu labels", d->count);
	for (size_t i = 0; i < d->count; i++) {
		d->labels[i] = classes->data[i];
		if (d->labels[i] >= d->classes)
			d->classes = d->labels[i] + 1;
	}
	return ERR_OK;
}

enum err dataset_read_idx(const char *images, const char *labels, struct dataset **ret, struct errinfo *e)
{
	struct idx pixels = { 0 }, classes = { 0 };
	struct dataset *d = NULL;
	enum err err = idx_read(labels, "labels", 1, 1, &classes, e);
	if (!err)
		err = idx_read(images, "images", 3, 4, &pixels, e);
	if (!err)
		err = check_pair(images, &pixels, labels, &classes, e);
	if (err)
		goto out;
	d = calloc(1, sizeof *d);
	if (!d) {
		err = err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	d->count = pixels.dims[0];
	d->height = (int64_t)pixels.dims[1];
	d->width = (int64_t)pixels.dims[2];
	d->channels = pixels.ndims == 4 ? (int64_t)pixels.dims[3] : 1;
	err = take_labels(d, &classes, e);
	if (err)
		goto out;
	d->pixels = pixels.data;
	pixels.data = NULL;
	*ret = d;
out:
	if (err)
		dataset_free(d);
	idx_fini(&pixels);
	idx_fini(&classes);
	return err;
}

void dataset_free(struct dataset *d)
{
	if (!d)
		return;
	free(d->pixels);
	free(d->labels);
	free(d);
}

enum err split_whole(const struct dataset *d, const struct normalisation *norm, struct split *ret, struct errinfo *e)
{
	if (norm && norm->channels && norm->channels != d->channels)
		return err_set(e, ERR_INPUT, "data.mean, data.std: have %d entries, expected %lld, one a channel",
			norm->channels, (long long)d->channels);
	*ret = (struct split){ d, 0, d->count, norm };
	return ERR_OK;
}

enum err split_holdout(const struct dataset *d, const struct normalisation *norm, size_t holdout,
	struct split *ret_train, struct split *ret_held, struct errinfo *e)
{
	if (holdout == 0 || holdout >= d->count)
		return err_set(e, ERR_INPUT, "data.holdout: is %zu, expected 1 to %zu (there are %zu training images)",
			holdout, d->count - 1, d->count);
	struct split whole;
	enum err err = split_whole(d, norm, &whole, e);
	if (err)
		return err;
	*ret_train = (struct split){ d, 0, d->count - holdout, norm };
	*ret_held = (struct split){ d, d->count - holdout, holdout, norm };
	return ERR_OK;
}

/* table[v] is what pixel value v of channel c becomes. */
static void fill_table(const struct normalisation *norm, int64_t c, float table[256])
{
	bool given = norm && c < norm->channels;
	float mean = given ? norm->mean[c] : 0, std = given ? norm->std[c] : 1;
	for (int v = 0; v < 256; v++)
		table[v] = ((float)v / 255.0f - mean) / std;
}

static size_t image_at(const struct split *s, const uint32_t *order, size_t i)
{
	return s->first + (order ? order[i] : i);
}

void split_batch(const struct split *s, const uint32_t *order, size_t from, size_t n, float *ret_x,
	uint32_t *ret_labels)
{
	const struct dataset *d = s->data;
	size_t channels = (size_t)d->channels, area = (size_t)d->height * (size_t)d->width, size = area * channels;
	float table[256];
	for (size_t i = 0; i < n; i++)
		ret_labels[i] = d->labels[image_at(s, order, from + i)];
	for (size_t c = 0; c < channels; c++) {
		fill_table(s->norm, (int64_t)c, table);
		for (size_t i = 0; i < n; i++) {
			const unsigned char *p = d->pixels + image_at(s, order, from + i) * size + c;
			float *x = ret_x + i * size + c * area;
			for (size_t k = 0; k < area; k++)
				x[k] = table[p[k * channels]];
		}
	}
}

/* dataset.c -- labelled images in memory, and batches of them ready for a network.
 * SPDX-License-Identifier: MIT
 *
 * A pixel has 256 values, so a batch is normalised by a table a channel: the division by the standard
 * deviation happens 256 times, not once a pixel, and each float is exactly that of the formula. */
#include "evaluator/data/dataset.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void dataset_free(struct dataset *d)
{
	if (!d)
		return;
	if (d->memory)
		munmap(d->memory, d->memory_size);
	if (d->file >= 0)
		close(d->file);
	free(d);
}

/* table[v] is what pixel value v of a channel becomes. */
static void fill_table(float mean, float std, float table[256])
{
	for (int v = 0; v < 256; v++)
		table[v] = ((float)v / 255.0f - mean) / std;
}

static size_t image_at(const struct split *s, const uint32_t *order, size_t i)
{
	size_t at = s->first + (order ? order[i] : i);
	return s->order ? s->order[at] : at;
}

/* Channel c of one image, of which from points to the first element. */
static void put_pixels(const unsigned char *from, size_t channels, size_t area, const float table[256], float *ret)
{
	for (size_t k = 0; k < area; k++)
		ret[k] = table[from[k * channels]];
}

static void put_floats(const float *from, size_t channels, size_t area, float mean, float std, float *ret)
{
	for (size_t k = 0; k < area; k++)
		ret[k] = (from[k * channels] - mean) / std;
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
		bool given = s->norm && (int64_t)c < s->norm->channels;
		float mean = given ? s->norm->mean[c] : 0, std = given ? s->norm->std[c] : 1;
		fill_table(mean, std, table);
		for (size_t i = 0; i < n; i++) {
			size_t at = image_at(s, order, from + i) * size + c;
			float *x = ret_x + i * size + c * area;
			if (d->floats)
				put_floats(d->floats + at, channels, area, mean, std, x);
			else
				put_pixels(d->pixels + at, channels, area, table, x);
		}
	}
}

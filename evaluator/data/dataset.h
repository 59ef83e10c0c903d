/* dataset.h -- labelled images in memory, and batches of them ready for a network.
 * SPDX-License-Identifier: MIT
 *
 * Pixels are kept as the bytes of the file, (n, h, w, c), and become floats batch by batch:
 * (pixel / 255 - mean[c]) / std[c], laid out (batch, c, h, w) as the network's input says. */
#ifndef EVALUATOR_DATA_DATASET_H
#define EVALUATOR_DATA_DATASET_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { DATASET_MAX_CHANNELS = 16 };

/* One split of a data set: images with their labels. Immutable. */
struct dataset {
	size_t count;
	int64_t channels, height, width;
	unsigned char *pixels; /* count * height * width * channels */
	uint32_t *labels;      /* count, each < classes */
	uint32_t classes;      /* largest label + 1 */
};

/* Reads a pair of IDX files, gzip or plain: images (n, h, w) or (n, h, w, c) of unsigned bytes, labels (n) of
 * unsigned bytes. Errors name the file and say what was found and what was expected.
 * Sizes are checked against the header before allocation, and the file must end where the header says. */
enum err dataset_read_idx(const char *images, const char *labels, struct dataset **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void dataset_free(struct dataset *d);

/* How pixels become the network's input. */
struct normalisation {
	int channels; /* as the images have, or 0: mean 0, std 1 for all */
	float mean[DATASET_MAX_CHANNELS], std[DATASET_MAX_CHANNELS];
};

/* A range of one data set: the split that a trial works on. */
struct split {
	const struct dataset *data;
	size_t first, count;
	const struct normalisation *norm;
};

/* All images of a data set. ERR_INPUT when norm is not for as many channels as the images have. */
enum err split_whole(const struct dataset *d, const struct normalisation *norm, struct split *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Training images without the last `holdout`, and those. ERR_INPUT when holdout leaves nothing to train on
 * or is 0, or as split_whole. */
enum err split_holdout(const struct dataset *d, const struct normalisation *norm, size_t holdout,
	struct split *ret_train, struct split *ret_held, struct errinfo *e) __attribute__((warn_unused_result));

/* Writes n images of the split as floats (n, c, h, w), and their labels: those at from, from + 1, ... of the
 * split, or, when order is not NULL, those at order[from], order[from + 1], ... */
void split_batch(const struct split *s, const uint32_t *order, size_t from, size_t n, float *ret_x,
	uint32_t *ret_labels);

#endif

/* dataset.h -- labelled images in memory, and batches of them ready for a network.
 * SPDX-License-Identifier: MIT
 *
 * Images are kept as the file's bytes or floats, always in the order (n, h, w, c), and become the network's input batch
 * by batch, laid out (batch, c, h, w): bytes as (pixel / 255 - mean[c]) / std[c], floats as (x - mean[c]) / std[c]. */
#ifndef EVALUATOR_DATA_DATASET_H
#define EVALUATOR_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { DATASET_MAX_CHANNELS = 16 };

/* Images with their labels. Immutable; the memory may be a file that other processes have mapped too. */
struct dataset {
	size_t count;
	int64_t channels, height, width;
	const unsigned char *pixels; /* count * height * width * channels, or NULL: */
	const float *floats;         /* as many */
	const uint32_t *labels;      /* count, each < classes */
	uint32_t classes;
	void *memory;     /* what dataset_free gives back; the three above point into it */
	size_t memory_size;
	int file;         /* whose mapping it is, held by a shared lock; -1: none */
};

/* Reads a pair of IDX files, gzip or plain: images (n, h, w) or (n, h, w, c) of unsigned bytes, labels (n) of
 * unsigned bytes. Errors name the file and say what was found and what was expected.
 * Sizes are checked against the header before allocation, and the file must end where the header says. */
enum err dataset_read_idx(const char *images, const char *labels, struct dataset **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void dataset_free(struct dataset *d); /* accepts NULL */

/* How images become the network's input. */
struct normalisation {
	int channels; /* as the images have, or 0: mean 0, std 1 for all */
	float mean[DATASET_MAX_CHANNELS], std[DATASET_MAX_CHANNELS];
};

/* A part of one data set that a trial works on: image i is the data set's first + i, or its order[first + i]. */
struct split {
	const struct dataset *data;
	size_t first, count;
	const struct normalisation *norm;
	const uint32_t *order; /* NULL: as they stand */
};

/* All images of a data set. ERR_INPUT when norm is not for as many channels as the images have. */
enum err split_whole(const struct dataset *d, const struct normalisation *norm, struct split *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Training images without the last `holdout`, and those. ERR_INPUT when holdout leaves nothing to train on
 * or is 0, or as split_whole. */
enum err split_holdout(const struct dataset *d, const struct normalisation *norm, size_t holdout,
	struct split *ret_train, struct split *ret_held, struct errinfo *e) __attribute__((warn_unused_result));

/* How a seed parts a data set. The same request on the same labels gives the same images, in the same order, always. */
struct split_request {
	size_t count;    /* images held, or 0: */
	double fraction; /* of them, rounded */
	uint64_t seed;
	bool stratified; /* each class keeps its share in both parts, as nearly as whole images allow */
};

/* Parts the images at random; both parts are shuffled, so that the first of them are a sample too. The caller frees
 * *ret_order when both splits are done with. ERR_INPUT as split_holdout. */
enum err split_seeded(const struct dataset *d, const struct normalisation *norm, const struct split_request *r,
	struct split *ret_train, struct split *ret_held, uint32_t **ret_order, struct errinfo *e)
	__attribute__((warn_unused_result));

/* All images in an order of chance that depends on their number alone; *ret_order as above. */
enum err split_shuffled(const struct dataset *d, const struct normalisation *norm, struct split *ret,
	uint32_t **ret_order, struct errinfo *e) __attribute__((warn_unused_result));

/* Writes n images of the split as floats (n, c, h, w), and their labels: those at from, from + 1, ... of the
 * split, or, when order is not NULL, those at order[from], order[from + 1], ... */
void split_batch(const struct split *s, const uint32_t *order, size_t from, size_t n, float *ret_x,
	uint32_t *ret_labels);

#endif

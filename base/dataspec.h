/* dataspec.h -- the "data" section of a job document (docs/job-file.md).
 * SPDX-License-Identifier: MIT
 *
 * The daemon checks it when a job is submitted, a worker when it gets a lease: both read it here. What a file's name
 * may be is for them to say: the daemon knows "sha256:DIGEST" only. */
#ifndef BASE_DATASPEC_H
#define BASE_DATASPEC_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { DATASPEC_FILES = 16, DATASPEC_CHANNELS = 16 };

enum data_format { DATA_IDX, DATA_NPY, DATA_NPZ, DATA_CIFAR10, DATA_CIFAR100, DATA_FOLDER };
enum data_role { DATA_TRAIN, DATA_VALIDATION, DATA_TEST, DATA_ROLES };

/* Where the images come from that score candidates. */
enum data_held {
	DATA_HOLDOUT, /* the last of the training set */
	DATA_SPLIT,   /* some of the training set, chosen by a seed */
	DATA_OWN_SET, /* a set of their own, sets[DATA_VALIDATION] */
};

struct dataspec_file {
	char key[24];     /* within its set: "images", "files[3]" */
	const char *name; /* borrowed from the document */
};

struct dataspec_set {
	int file_count; /* 0: the set is not given */
	struct dataspec_file files[DATASPEC_FILES];
	const char *images_key, *labels_key; /* npz: the arrays' names; NULL otherwise */
};

struct dataspec {
	enum data_format format;
	struct dataspec_set sets[DATA_ROLES];
	enum data_held held;
	int64_t held_count; /* images that score; 0 when only their fraction is known, or the set is their own */
	double held_fraction;
	int64_t split_seed;
	bool stratified;
	bool channels_first;     /* npy, npz: (n, c, h, w) */
	int64_t height, width;   /* folder: what every picture becomes */
	int64_t resize;          /* folder: its shorter side before the crop; 0: as short as the crop allows */
	int64_t channels;        /* folder: 1 or 3 */
	double mean[DATASPEC_CHANNELS], std[DATASPEC_CHANNELS];
	size_t mean_count, std_count; /* 0: not given */
};

/* ERR_INPUT names the key, its value and what was expected. */
enum err dataspec_read(const cJSON *data, struct dataspec *ret, struct errinfo *e) __attribute__((warn_unused_result));

const char *data_format_name(enum data_format f);
const char *data_role_name(enum data_role r);

#endif

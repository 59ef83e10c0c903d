/* source.h -- the "data" section of a job: which files, which splits, which normalisation.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_DATA_SOURCE_H
#define EVALUATOR_DATA_SOURCE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "evaluator/data/dataset.h"

/* Strings are borrowed from the document that was read: digests, without the "sha256:" that they may have there. */
struct source {
	const char *train_images, *train_labels, *test_images, *test_labels;
	size_t holdout;
	struct normalisation norm;
};

/* Checks docs/protocol.md's "data" object, as a job has it or as a lease. */
enum err source_read(const cJSON *data, struct source *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The two files of one split in folder `dir` under MNIST's usual names, with or without .gz. */
struct source_paths {
	char images[4096], labels[4096];
};
enum err source_in_folder(const char *dir, bool test, struct source_paths *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

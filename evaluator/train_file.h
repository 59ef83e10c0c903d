/* train_file.h -- training by hand: one file in, the trained one out.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_TRAIN_FILE_H
#define EVALUATOR_TRAIN_FILE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/trainspec.h"

struct split;

struct train_request {
	const char *model, *out;
	const char *teacher; /* a model for distillation, or NULL */
	struct trainspec spec;
	const struct split *data;
	size_t recalibrate; /* images; 0: running statistics stay as training leaves them */
	uint64_t seed;
};

/* Reads the settings of a run from a JSON file, the "train" of a rung (docs/job-file.md); NULL: the defaults. */
enum err train_file_settings(const char *path, bool teacher, struct trainspec *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Trains model on the data into the file out. *ret_summary has "steps", "images", "loss", with early stop "kept_loss",
 * "seconds", "images_per_second" and the "settings"; the caller cJSON_Deletes it. */
enum err train_file(const struct train_request *r, cJSON **ret_summary, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

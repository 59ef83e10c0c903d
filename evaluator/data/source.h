/* source.h -- the data of a job as a worker uses it: which files, which roles, which normalisation.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_DATA_SOURCE_H
#define EVALUATOR_DATA_SOURCE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/dataspec.h"
#include "base/err.h"
#include "evaluator/data/dataset.h"

/* Names are borrowed from the document that was read. */
struct source {
	struct dataspec spec;
	struct normalisation norm;
};

/* Checks docs/protocol.md's "data" object, as a job has it or as a lease: files are digests, and keep no "sha256:" that
 * they may have there. */
enum err source_read(const cJSON *data, struct source *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The same with files named by paths, as in a job file. */
enum err source_read_paths(const cJSON *data, struct source *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Parts the training set as the job says, when no set of its own scores. The caller frees *ret_order, which may be
 * NULL, when the splits are done with. */
enum err source_split(const struct source *s, const struct dataset *train, struct split *ret_train,
	struct split *ret_held, uint32_t **ret_order, struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* prune_file.h -- pruning by hand: one file in, a smaller one out.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_FILE_H
#define EVALUATOR_PRUNE_FILE_H

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct split;

/* How much of each group goes: by exactly one of ratio, keep and target. */
struct prune_request {
	const char *model, *out, *criterion;
	double ratio;                  /* of each group's channels, 0 <= ratio < 1; below 0: not by this */
	const char *keep;              /* a JSON file, GROUP: CHANNELS KEPT or {"ratio": R}; NULL: not by this */
	const char *target;            /* "macs<=50%" */
	uint64_t seed;                 /* of criterion random */
	const struct split *data;      /* NULL: none, then neither criterion activation nor recalibration */
	size_t images;                 /* for recalibration; 0: batch-norm statistics stay as they are */
};

/* Prunes model into the file out. *ret_summary has what was "requested" and the ratios "achieved", the sizes "before"
 * and "after", "keep" by group, whether sizes are "incomplete", and a "note" of what may not be expected; the caller
 * cJSON_Deletes it. */
enum err prune_file(const struct prune_request *r, cJSON **ret_summary, struct errinfo *e)
	__attribute__((warn_unused_result));

/* ERR_INPUT when that is no target of any network. */
enum err prune_file_check_target(const char *target, struct errinfo *e) __attribute__((warn_unused_result));

#endif

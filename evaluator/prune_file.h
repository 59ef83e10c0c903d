/* prune_file.h -- pruning by hand: one file in, a smaller one out.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_FILE_H
#define EVALUATOR_PRUNE_FILE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/err.h"

struct split;

/* One ratio for all groups. */
struct prune_request {
	const char *model, *out, *criterion;
	double ratio; /* of each group's channels removed, 0 <= ratio < 1; at least one channel stays */
	const struct split *calibrate; /* NULL: batch-norm statistics stay as they are */
	size_t images;                 /* for recalibration */
};

/* Prunes model into the file out. *ret_summary has "requested" and "achieved" ratios of channels, params and MACs, and
 * the sizes "before" and "after"; the caller cJSON_Deletes it. */
enum err prune_file(const struct prune_request *r, cJSON **ret_summary, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* prune.h -- a network opened for pruning, and candidates made from it.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_PRUNE_H
#define EVALUATOR_PRUNE_PRUNE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

struct coupling;
struct graph;
struct split;

/* A network with its groups and the importance of every channel under one criterion. */
struct prunable {
	struct graph *graph;
	struct coupling *coupling;
	struct arena *arena;
	const double *importance; /* by class */
};

enum err prunable_open(const char *model, const char *criterion, struct prunable **ret, struct errinfo *e) __attribute__((warn_unused_result));
void prunable_close(struct prunable *p); /* accepts NULL */

/* The network with keep[g] channels left in group g, 1 <= keep[g] <= channels. It borrows from p, which must outlive it. */
enum err prunable_make(const struct prunable *p, const int *keep, struct graph **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* Pruning by hand: one ratio for all groups. */
struct prune_request {
	const char *model, *out, *criterion;
	double ratio;                  /* of each group's channels removed, 0 <= ratio < 1; at least one channel stays */
	const struct split *calibrate; /* NULL: batch-norm statistics stay as they are */
	size_t images;                 /* for recalibration */
};

/* Prunes model into the file out. *ret_summary has "requested" and "achieved" ratios of channels, params and MACs, and the sizes "before" and "after"; the caller
 * cJSON_Deletes it. */
enum err prune_file(const struct prune_request *r, cJSON **ret_summary, struct errinfo *e) __attribute__((warn_unused_result));

#endif

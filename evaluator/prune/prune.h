/* prune.h -- a network opened for pruning, and candidates made from it.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_PRUNE_H
#define EVALUATOR_PRUNE_PRUNE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "evaluator/prune/criterion.h"

struct coupling;
struct graph;

/* A network with its groups and the importance of every channel under one criterion. */
struct prunable {
	struct graph *graph;
	struct coupling *coupling;
	struct arena *arena;
	const double *importance; /* by class */
	const bool *by_l1;        /* by group: the criterion has nothing to say about it */
};

/* `criterion` is one that needs no data. */
enum err prunable_open(const char *model, const char *criterion, struct prunable **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err prunable_open_ranked(const char *model, const struct ranking *r, struct prunable **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void prunable_close(struct prunable *p); /* accepts NULL */

/* The network with keep[g] channels left in group g, 1 <= keep[g] <= channels. It borrows from p, which must outlive
 * it. */
enum err prunable_make(const struct prunable *p, const int *keep, struct graph **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* "conv1, conv2 and 3 more" of the groups that the criterion has nothing to say about; NULL when there is none. */
const char *prunable_by_l1(const struct prunable *p, char buf[256]);

#endif

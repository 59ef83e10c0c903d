/* prune.h -- a network opened for pruning, and candidates made from it.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_PRUNE_H
#define EVALUATOR_PRUNE_PRUNE_H

#include "base/arena.h"
#include "base/err.h"

struct coupling;
struct graph;

/* A network with its groups and the importance of every channel under one criterion. */
struct prunable {
	struct graph *graph;
	struct coupling *coupling;
	struct arena *arena;
	const double *importance; /* by class */
};

enum err prunable_open(const char *model, const char *criterion, struct prunable **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void prunable_close(struct prunable *p); /* accepts NULL */

/* The network with keep[g] channels left in group g, 1 <= keep[g] <= channels. It borrows from p, which must outlive
 * it. */
enum err prunable_make(const struct prunable *p, const int *keep, struct graph **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

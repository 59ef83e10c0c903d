/* criterion.h -- how much each channel of a group matters.
 * SPDX-License-Identifier: MIT
 *
 * A class's importance is combined over all the weights it occurs in, each normalised so that its group's mean is 1 (as
 * in DepGraph, Fang et al. CVPR 2023): a layer with large weights does not drown the others. Comparable within a group,
 * not between groups. */
#ifndef EVALUATOR_PRUNE_CRITERION_H
#define EVALUATOR_PRUNE_CRITERION_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

struct coupling;

/* "l1": the L1 norm of filter rows and of the slices that read them (Li et al. ICLR 2017, group-wise). ERR_INPUT for
 * another name. *ret is by class, in arena a. */
enum err criterion_importance(const char *name, const struct coupling *c, struct arena *a, const double **ret,
	struct errinfo *e) __attribute__((warn_unused_result));

/* Marks for removal, in each group, all but the keep[group] most important classes; of equals the earlier channel
 * stays. removed is by class. */
enum err criterion_select(const struct coupling *c, const double *importance, const int *keep, bool *ret_removed,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

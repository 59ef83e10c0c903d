/* coupling.h -- which channels must be removed together.
 * SPDX-License-Identifier: MIT
 *
 * Every index along every dimension of a computed value, and along those dimensions of stored tensors that go with
 * one, is an element; the batch counts as 1. Each operator's rule (rules.h) says which elements of its inputs, weights
 * and outputs are one and the same channel (a convolution's output i, row i of its filter, entry i of the batch-norm
 * behind it, slice i of every filter fed by it); union-find joins them into classes. A class is the smallest thing
 * that can be removed; it may hold many elements of one dimension (a flattened map) or of many tensors (a residual
 * stream). Classes that occur equally often in the same dimensions are interchangeable and form a group (DepGraph,
 * Fang et al. CVPR 2023, found here by propagation, never by name or position). A class is frozen, with the reason,
 * when an operator or the network's border says so, when no layer computes it, or when it is the only one of its
 * kind. */
#ifndef EVALUATOR_PRUNE_COUPLING_H
#define EVALUATOR_PRUNE_COUPLING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "evaluator/model/graph.h"

/* `multiple` elements for each channel of a group. */
struct term {
	int group;
	int64_t multiple;
};

/* A tracked dimension of a value. Its elements are first .. first + n - 1. Of them `constant` are frozen, the others
 * are the sum of the terms. */
struct axis {
	int value, dim;
	int first;
	int n;
	int constant;
	int term_count;
	const struct term *terms; /* by group, ascending */
};

struct group {
	const char *name;
	int *classes; /* in order of the channel index where they first occur */
	int channels; /* how many classes, at least 2 */
};

struct coupling {
	struct arena *arena;
	const struct graph *g;
	struct axis *axes;
	int axis_count;
	int (*axis_of)[SHAPE_MAX_RANK]; /* by value and dimension: index into axes, -1: not tracked */
	int *class_of;                  /* by element */
	int element_count;
	int *group_of;        /* by class, -1: frozen */
	const char **frozen;  /* by class: the reason, NULL when it is in a group */
	int class_count;
	struct group *groups; /* in the order in which the network computes them */
	int group_count;
};

/* Borrows names from g, which must outlive it. */
enum err coupling_new(const struct graph *g, struct coupling **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void coupling_free(struct coupling *c); /* accepts NULL */

/* The axis of a value's dimension, NULL when it is not tracked or there is none (-1). */
const struct axis *coupling_axis(const struct coupling *c, int value, int dim);

/* The group that an axis belongs to in part or whole at index i: -1 when frozen. */
int coupling_group_at(const struct coupling *c, const struct axis *a, int i);

/* Elements of the axis per channel of `group`, 0 when it has none there. */
int64_t coupling_multiple(const struct coupling *c, const struct axis *a, int group);

/* The first reason why something of the axis is frozen, and how much is; NULL when all of it can be pruned. */
const char *coupling_frozen(const struct coupling *c, const struct axis *a, int *ret_elements);

#endif

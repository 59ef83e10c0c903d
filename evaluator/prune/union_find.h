/* union_find.h -- elements that turn out to be the same channel (Tarjan 1975).
 * SPDX-License-Identifier: MIT
 *
 * An element is one index along one tracked dimension of one value; dimensions become tracked when a rule first names
 * them. */
#ifndef EVALUATOR_PRUNE_UNION_FIND_H
#define EVALUATOR_PRUNE_UNION_FIND_H

#include "evaluator/prune/coupling.h"

struct union_find {
	const struct graph *g;
	struct arena *arena;
	struct axis *axes;
	int axis_count, axis_room;
	int (*axis_of)[SHAPE_MAX_RANK];
	int *parent;         /* by element */
	const char **frozen; /* by element, meaningful at roots */
	int element_count, element_room;
	struct errinfo *e;
};

/* Arrays that grow are on the heap until union_find_fini; axis_of is in the arena. */
enum err union_find_init(struct union_find *u, const struct graph *g, struct arena *a, struct errinfo *e)
	__attribute__((warn_unused_result));
void union_find_fini(struct union_find *u);

/* The root that stands for an element's set. */
int union_find_root(struct union_find *u, int element);

/* What rules are made of; ERR_MEMORY is the only failure. Index i of one dimension is index i of the other, of equal
 * length. */
enum err union_find_tie(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b)
	__attribute__((warn_unused_result));

/* Index i of a is indices i * times .. (i + 1) * times - 1 of b. */
enum err union_find_tie_spread(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b, int64_t times)
	__attribute__((warn_unused_result));

/* Every channel of the dimension must stay. The reason outlives u. */
enum err union_find_freeze(struct union_find *u, int value, int dim, const char *reason)
	__attribute__((warn_unused_result));

#endif

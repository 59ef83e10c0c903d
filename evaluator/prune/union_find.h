/* union_find.h -- elements that turn out to be the same channel (Tarjan 1975).
 * SPDX-License-Identifier: MIT
 *
 * An element is one index along one tracked dimension of one value, or a helper that stands for an index which no value
 * has (a factor of a reshaped dimension). Dimensions become tracked when a rule first names them. The first failure is
 * kept in `err`; after it nothing is tied any more, so that rules need not look and the caller asks once. */
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
	const char **frozen; /* by element, meaningful at roots: why it must stay */
	bool *computed;      /* likewise: a layer computes it from weights of its own */
	int element_count, element_room;
	enum err err;
	struct errinfo *e;
};

/* Elements first .. first + n - 1. */
struct span {
	int first, n;
};

/* Arrays that grow are on the heap until union_find_fini; axis_of and reasons are in the arena. */
void union_find_init(struct union_find *u, const struct graph *g, struct arena *a, struct errinfo *e);
void union_find_fini(struct union_find *u);

/* The root that stands for an element's set: its smallest element. */
int union_find_root(struct union_find *u, int element);

/* The elements of a dimension, tracked from now on; of a value whose shape isn't known, or after a failure, none. */
struct span union_find_span(struct union_find *u, int value, int dim);
/* Elements that belong to no value. */
struct span union_find_helpers(struct union_find *u, int64_t n);

/* ---- what rules are made of ---- */

void union_find_join(struct union_find *u, int a, int b);

/* Index i of one is index i of the other. */
void union_find_tie(struct union_find *u, struct span a, struct span b);
void union_find_tie_dims(struct union_find *u, int value_a, int dim_a, int value_b, int dim_b);

/* Every dimension of one is the same dimension of the other; they have the same rank. */
void union_find_tie_all(struct union_find *u, int value_a, int value_b);

/* Every element must stay. A reason that is there already is kept. */
void union_find_freeze(struct union_find *u, struct span s, const char *reason);
void union_find_freeze_dim(struct union_find *u, int value, int dim, const char *reason);
void union_find_freeze_all(struct union_find *u, int value, const char *reason);

/* A layer computes these. */
void union_find_compute(struct union_find *u, struct span s);

/* A reason that lives as long as the coupling. */
const char *union_find_reason(struct union_find *u, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif

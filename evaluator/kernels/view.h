/* view.h -- numbers in memory, seen as a tensor.
 * SPDX-License-Identifier: MIT
 *
 * A view says where the number at an index is: data + sum of index[i] * stride[i]. Strides may be 0 (the same number
 * again and again) or negative (backwards), so that moving numbers about is mostly a matter of other strides over the
 * same memory. There is room for twice the dimensions of a value: each may have to be seen as two. */
#ifndef EVALUATOR_KERNELS_VIEW_H
#define EVALUATOR_KERNELS_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "evaluator/model/graph.h"

enum { VIEW_MAX_RANK = 2 * SHAPE_MAX_RANK };

struct view {
	int rank;
	int64_t dim[VIEW_MAX_RANK], stride[VIEW_MAX_RANK];
	float *data;
};

/* Which dimension is the outermost in memory, the next one, ... */
struct order {
	int at[VIEW_MAX_RANK];
};

struct order order_row_major(void);
/* (batch, spatial ..., channels) of a value that is (batch, channels, spatial ...). */
struct order order_channels_last(int rank);
/* That of a view, by its strides. Dimensions that say nothing, of size 1 or stride 0, stay where they are. */
struct order order_of(const struct view *v);

/* Numbers without gaps in that order. dims may be a shape's; negative ones are multiples of the batch. */
struct view view_dense(int rank, const int64_t *dims, int64_t batch, const struct order *o, float *data);
struct view view_row_major(const struct shape *s, int64_t batch, float *data);

int64_t view_count(const struct view *v);
/* Whether both have the same dimensions and the same place for every index. */
bool view_same(const struct view *a, const struct view *b);
/* Whether the view has no gaps and lies in that order. */
bool view_is_dense(const struct view *v, const struct order *o);

/* Dimension i of the result is dimension permutation[i] of v. */
struct view view_permuted(const struct view *v, const int *permutation);
/* Dimension `axis` as two, of which the inner has `inner` indices. */
struct view view_split(const struct view *v, int axis, int64_t inner);
/* With leading dimensions of size 1 up to a rank. */
struct view view_lifted(const struct view *v, int rank);
/* As dims, which have the same rank: dimensions of size 1 are repeated. */
struct view view_expanded(const struct view *v, const int64_t *dims);
/* The same numbers in row-major order as other dimensions, when strides can say that; false otherwise. */
bool view_reshaped(const struct view *v, int rank, const int64_t *dims, struct view *ret);

/* Views of the same dimensions are walked together: drops dimensions of size 1, brings the others into the memory order
 * of the first view and joins those that are one run in all views. At least one dimension is left. */
void view_collapse(struct view *views, int count);

/* Walks over the first `depth` dimensions of views alike; at[k] is where view k is. */
enum { WALK_MOST = 4 };
struct walk {
	const struct view *views;
	int count, depth;
	int64_t index[VIEW_MAX_RANK];
	float *at[WALK_MOST];
};
struct walk walk_start(const struct view *views, int count, int depth);
bool walk_next(struct walk *w);

#endif

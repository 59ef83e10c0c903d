/* filters.h -- the weights of a convolution as they will be used.
 * SPDX-License-Identifier: MIT
 *
 * A batch-norm folded in multiplies filter o by scale[o] / sqrt(var[o] + eps) and moves the bias accordingly. Weights
 * that are computed, as a training graph's are, come into the primitive's layout in each run, stored ones once. */
#ifndef EVALUATOR_KERNELS_FILTERS_H
#define EVALUATOR_KERNELS_FILTERS_H

#include "evaluator/kernels/builder.h"

struct filters {
	struct view view; /* (group, out, in, kernel ...), counted within the group; one group is left out */
	float *changed;   /* malloc'ed, until the step has what it needs; NULL: the view is of the graph's own tensor */
	float *bias;      /* the plan's, NULL when there is none */
	int64_t out;      /* channels */
	bool computed;    /* the view is of memory that each run fills */

	struct view residual; /* what is to be added to the output, without gaps as that; data NULL: nothing */
};

/* A weight's tensor as such a view. transposed: it is (in, out / group, kernel ...). */
struct view filters_view(const struct shape *w, bool transposed, int64_t group, float *data);

/* Those of the node being built, its input 1. */
enum err filters_open(struct builder *b, bool transposed, struct filters *ret) __attribute__((warn_unused_result));
void filters_close(struct filters *f);

/* Makes the kernel `by` larger along one of its dimensions, with zeros behind what is there. */
enum err filters_grow(struct builder *b, struct filters *f, int axis, int64_t by) __attribute__((warn_unused_result));

/* Gives them to a step in the layout that the primitive wants; a step that brings them there comes before it. */
enum err filters_bind(struct builder *b, const struct filters *f, const dnnl_memory_desc_t *want, struct step *s)
	__attribute__((warn_unused_result));

/* Appends a change of a weight's layout. */
enum err filters_reorder(struct builder *b, const dnnl_memory_desc_t *is, float *data, const dnnl_memory_desc_t *want,
	float *room) __attribute__((warn_unused_result));

/* Builds the node: x and y in that order, the weights opened, `add` to append the step, closed. y may be where the
 * residual is. */
typedef enum err filters_cb(struct builder *b, struct filters *f, const struct view *x, const struct view *y);
enum err filters_build(struct builder *b, bool transposed, const struct order *o, filters_cb *add)
	__attribute__((warn_unused_result));

/* The activation that is folded into the node being built, as bounds of its results; false when they can't say it. */
struct filters_bounds {
	float low, high;
};
bool filters_read_bounds(const struct builder *b, struct filters_bounds *ret);

/* Appends the step of an operation that makes y of x and them, ending with the sum and the activation that are folded
 * in. */
enum err filters_add(struct builder *b, const struct filters *f, const void *op_desc, const struct view *x,
	const struct view *y) __attribute__((warn_unused_result));

#endif

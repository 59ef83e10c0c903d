/* formula.h -- what each operator is by definition, one function an operator, for reference.c.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_FORMULA_H
#define TESTS_EVALUATOR_FORMULA_H

#include "tests/evaluator/reference.h"

/* Half a unit in the last place of a float; and roundings beyond those of a sum itself: a factor folded into the
 * weights, the bias, the activation. */
#define U 0x1p-24
enum { FEW = 8 };

/* How far off functions may be that aren't made of a few roundings (exp, tanh, sums of them), of the largest result.
 * */
#define LOOSE 1e-5

/* How far off a convolution by Winograd's method may be, of the largest sum of absolute products: test_winograd.c. */
#define WINOGRAD_ERROR 1e-5

struct run {
	const struct graph *g;
	struct reference *r;
	bool calibrate;
	int64_t batch;
};

/* Writes a node's outputs; ret is the first, the others follow it. */
typedef void formula(struct run *t, const struct node *n, struct numbers *ret);

/* Room for numbers of these dimensions. */
struct numbers formula_make(struct run *t, int rank, const int64_t *dims);
/* Of the shape that the graph gives for an output, for moves whose shapes have tests of their own. */
struct numbers formula_make_as(struct run *t, int value);
/* What an input is, computed or stored; NULL when it is left out. */
const struct numbers *formula_input(const struct run *t, const struct node *n, int i);
/* A stored operand's integers, NULL when it is left out. */
const int64_t *formula_ints(const struct run *t, const struct node *n, int i, int64_t *ret_count);

/* The index of number `at`, and back. In a tensor that is broadcast to more dimensions, the place that an index
 * meets. */
void formula_index(const struct shape *s, int64_t at, int64_t index[SHAPE_MAX_RANK]);
int64_t formula_at(const struct shape *s, const int64_t *index);
int64_t formula_at_broadcast(const struct shape *s, int rank, const int64_t *index);

/* Adds LOOSE of the largest number to all bounds. */
void formula_loosen(struct numbers *y);

/* formula_layer.c */
formula formula_conv, formula_conv_transpose, formula_contract, formula_batch_norm, formula_pool, formula_global_pool;
/* formula_map.c */
formula formula_unary, formula_broadcast, formula_softmax, formula_reduce, formula_norm, formula_lrn, formula_lp_norm;
/* formula_move.c */
formula formula_same, formula_transpose, formula_concat, formula_split, formula_slice, formula_gather, formula_expand,
	formula_tile, formula_pad, formula_depth_to_space, formula_space_to_depth, formula_resize;

#endif

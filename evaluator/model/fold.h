/* fold.h -- nodes evaluated while a file is read: the parts of fold.c.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MODEL_FOLD_H
#define EVALUATOR_MODEL_FOLD_H

#include "evaluator/model/reader.h"

/* What is known of a value. */
struct known {
	struct shape shape;
	enum dtype dtype;
	int file_type;        /* in a file: a truth stays a bool */
	void *data;	      /* shape_count elements of dtype */
	const int64_t *slope; /* whole numbers: multiples of the batch to be added, or NULL */
};

/* Whether there is a rule for the node; and the rule: its inputs are known, ret has room for each output.
 * ERR_UNSUPPORTED when the numbers are of a kind that the rule cannot take. */
bool fold_moves(const struct node *n);
enum err fold_move(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
	__attribute__((warn_unused_result));
bool fold_computes(const struct node *n);
enum err fold_compute(struct reader *r, const struct node *n, const struct known *in, struct known *ret)
	__attribute__((warn_unused_result));

/* Memory for the elements of ret, whose shape and dtype are set; `slope` too when asked for, zeroed. */
enum err fold_reserve(struct reader *r, struct known *ret, bool slope, int64_t **ret_slope)
	__attribute__((warn_unused_result));

enum err fold_refuse(struct reader *r, const struct node *n, const char *why);

#endif

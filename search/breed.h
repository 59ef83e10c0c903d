/* breed.h -- the candidate of which the most is expected, found by evolution inside the model.
 * SPDX-License-Identifier: MIT
 *
 * Costs no evaluation: candidates come from the front, from earlier jobs and from nothing, and a few generations follow
 * what acquire_gain says of them. */
#ifndef SEARCH_BREED_H
#define SEARCH_BREED_H

#include "base/rng.h"
#include "search/acquire.h"

struct seen;

struct breed {
	const struct problem *problem;
	const struct archive *archive;
	const struct belief *belief;
	struct acquire *acquire;
	const struct seen *seen; /* what is not proposed again */
	const double *most;      /* METRIC_COUNT upper bounds of exact costs (search/limit.h), kept by all */
	enum metric metric;      /* candidates from nothing are spread over low..high of this cost's share */
	double low, high;
};

/* Where everything found was seen before, the answer is one of those. */
enum err breed_best(const struct breed *b, struct rng *r, int *ret_keep, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

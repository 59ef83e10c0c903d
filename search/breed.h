/* breed.h -- the candidate of which the most is expected, found by evolution inside the model.
 * SPDX-License-Identifier: MIT
 *
 * Costs no evaluation: candidates come from the front, from earlier jobs and from nothing, and a few generations follow
 * what acquire_gain says of them. */
#ifndef SEARCH_BREED_H
#define SEARCH_BREED_H

#include "base/rng.h"
#include "search/acquire.h"

struct cover;

struct breed {
	const struct problem *problem;
	const struct archive *archive;
	const struct belief *belief;
	struct acquire *acquire;
	bool known_only;           /* no others than those of earlier jobs */
	const struct cover *cover; /* what is not proposed again, the bounds, and where candidates from nothing lie */
};

/* Where everything found was seen before, the answer is one of those. */
enum err breed_best(const struct breed *b, struct rng *r, int *ret_keep, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

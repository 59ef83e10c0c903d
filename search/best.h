/* best.h -- the best result under bounds that come later than the search.
 * SPDX-License-Identifier: MIT
 *
 * Best is: the first objective, then the second and so on, then the lower number. While none meets all bounds, the
 * nearest is known: the one whose violations add up to the least (search/constraint.h). Pure. */
#ifndef SEARCH_BEST_H
#define SEARCH_BEST_H

#include "search/strategy.h"

/* One result; number 0: none. */
struct best_result {
	int64_t number;
	double metrics[METRIC_COUNT];
	double violation;
};

struct best {
	const struct problem *problem; /* its objectives and baseline */
	struct constraint where[CONSTRAINT_MAX];
	int where_count;
	struct best_result best, nearest;
	int64_t offered;
};

void best_offer(struct best *b, int64_t number, const double metrics[METRIC_COUNT]);

/* The bound that the nearest misses most. NULL when there is none. */
const struct constraint *best_missed(const struct best *b);

#endif

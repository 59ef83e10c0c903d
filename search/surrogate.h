/* surrogate.h -- what pruning does to one metric, learned from results, with honest uncertainty.
 * SPDX-License-Identifier: MIT
 *
 * An effect (search/link.h) is what every group does by itself (search/additive.h) plus what they do together, a
 * Gaussian process (search/process.h) over log 1 / (1 - x), in which groups that hurt more count for more. Results at
 * the floor say "at least this bad". The sum of what groups do by themselves is learned without them, or it would be
 * flattened; the process is told that they lie a little beyond the floor, so that nobody need look there again and what
 * lies between is not expected to be as bad as the sum alone would have it. A pure function of its data. */
#ifndef SEARCH_SURROGATE_H
#define SEARCH_SURROGATE_H

#include "base/err.h"

struct surrogate;

struct surrogate_data {
	int groups, n;          /* n may be 0 */
	const double *x;        /* n x groups, row by row: the share of each group that is removed, 0..1 */
	const double *effect;   /* n */
	const double *variance; /* n: of what was measured */
	double censored;        /* effects from here on are censored; INFINITY: none */
};

enum err surrogate_fit(const struct surrogate_data *d, struct surrogate **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void surrogate_free(struct surrogate *s); /* accepts NULL */

/* Mean and standard deviation of the effect at m rows of x. */
enum err surrogate_predict(const struct surrogate *s, const double *x, int m, double *ret_mean, double *ret_deviation,
	struct errinfo *e) __attribute__((warn_unused_result));

/* What removing the share x of group g does by itself, by the additive part. */
double surrogate_of_group(const struct surrogate *s, int g, double x);

#endif

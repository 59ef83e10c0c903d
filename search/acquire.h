/* acquire.h -- how much an evaluation is expected to bring: expected hypervolume improvement (Emmerich 2006).
 * SPDX-License-Identifier: MIT
 *
 * Objectives are scaled as the service reports hypervolume: an accuracy counts from 0, anything else as its share of
 * the unpruned network's; but a loss, to which pruning knows no upper end, as 1 - exp(-loss), what the right class's
 * probability lacks. Exact costs are certain; a measured metric is a normal distribution of its effect, of which some
 * quantiles, equally likely, stand for the whole; an accuracy at the floor (search/link.h) is worth nothing. Times the
 * square of the probability that the measured bounds are met: the best lie at the bound itself, and with the
 * probability alone most evaluations would just miss it. Zero where an exact cost misses one. */
#ifndef SEARCH_ACQUIRE_H
#define SEARCH_ACQUIRE_H

#include "search/archive.h"
#include "search/belief.h"

struct acquire;
struct cost;

/* Candidates under way that there is room for. */
enum { ACQUIRE_EXPECTED = 256 };

/* All are borrowed. The front is that of the archive's feasible results. */
enum err acquire_open(const struct problem *p, const struct archive *a, const struct belief *b,
	struct acquire **ret, struct errinfo *e) __attribute__((warn_unused_result));
void acquire_close(struct acquire *a); /* accepts NULL */

/* Takes it that a candidate which is being evaluated will do as expected, so that the next one is worth something
 * beside it. Before the first acquire_gain. */
void acquire_expect(struct acquire *a, const struct cost *cost, const struct estimate *estimate);

/* thorough: with all quantiles rather than some, where they cost much. */
enum err acquire_gain(struct acquire *a, const struct cost *cost, const struct estimate *estimate, bool thorough,
	double *ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

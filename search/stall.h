/* stall.h -- whether results still improve the Pareto set.
 * SPDX-License-Identifier: MIT
 *
 * The volume is the hypervolume of all results so far (search/front.h). A gain is a result by which it exceeds what it
 * was at the last gain by a thousandth: improvements that are smaller add up until they count. The first volume above 0
 * is a gain. Failed and infeasible results are none. */
#ifndef SEARCH_STALL_H
#define SEARCH_STALL_H

#include "search/strategy.h"

struct stall;

/* p->stall results in a row without a gain are a stall, at least 1. p is copied. */
enum err stall_open(const struct problem *p, struct stall **ret, struct errinfo *e) __attribute__((warn_unused_result));
void stall_close(struct stall *s); /* accepts NULL */

/* The next result; o->keep is not used. Costs little unless it improves the set. */
enum err stall_tell(struct stall *s, const struct outcome *o, struct errinfo *e) __attribute__((warn_unused_result));

bool stall_is(const struct stall *s);

#endif

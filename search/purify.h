/* purify.h -- what is almost redundant in a pruned network is removed too (AutoCompress, Liu et al. 2020, phase two).
 * SPDX-License-Identifier: MIT
 *
 * From a winner on, one group at a time loses a tenth of the channels that it has left; the one whose cuts were refused
 * least often, then the one that looks cheapest, by importance lost per cost freed, is tried first. A cut stays when
 * the energy is not worse than the winner's by more than a tolerance, so losses don't add up; a group whose cut is
 * refused is tried with half of it, down to one step. */
#ifndef SEARCH_PURIFY_H
#define SEARCH_PURIFY_H

#include <stdbool.h>

#include "base/err.h"
#include "search/metric.h"

struct energy;
struct purify;
struct seen;
struct space;

/* metric: the cost to be freed. tolerance: in the unit of energies. */
enum err purify_new(const struct space *s, enum metric metric, double tolerance, struct purify **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void purify_free(struct purify *p);

/* Starts, or starts again, from a winner. */
enum err purify_start(struct purify *p, const int *keep, const struct energy *energy, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Whether it has started, and from what energy. */
bool purify_started(const struct purify *p);
const struct energy *purify_level(const struct purify *p);

/* The next candidate that was not seen: ret_keep, and the group that is cut in it. -1: there is none at present. */
int purify_choose(struct purify *p, const struct seen *seen, int *ret_keep);

/* The result of a candidate in which `group` was cut. */
void purify_tell(struct purify *p, int group, const int *keep, const struct energy *energy);

#endif

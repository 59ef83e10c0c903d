/* candidate.h -- a candidate from outside, checked.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_CANDIDATE_H
#define SEARCH_CANDIDATE_H

#include "search/strategy.h"

/* Whether the problem allows keep, group_count ints: ERR_INPUT names path and index of a group that may not keep so
 * many and what it may keep, or the constraint on an exact cost that is not met. */
enum err candidate_check(const struct problem *p, const int *keep, const char *path, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

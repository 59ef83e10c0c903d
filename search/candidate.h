/* candidate.h -- a candidate from outside, checked.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_CANDIDATE_H
#define SEARCH_CANDIDATE_H

#include "base/err.h"
#include "search/metric.h"

struct space;

/* Whether the space allows keep, group_count ints, and so does `most` of each exact cost (limit_read): ERR_INPUT names
 * path and index of a group that may not keep so many and what it may keep, or the constraint that is not met. */
enum err candidate_check(const struct space *s, const double most[METRIC_COUNT], const int *keep, const char *path,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

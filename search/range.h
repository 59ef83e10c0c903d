/* range.h -- how many channels each group may keep, by the limits of the job's "prune".
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_RANGE_H
#define SEARCH_RANGE_H

#include "base/err.h"

struct space_group;
struct space_limits;

/* Ratios and steps as such. */
enum err range_check(const struct space_limits *limits, struct errinfo *e) __attribute__((warn_unused_result));

/* Sets step, min_keep and max_keep of each group from its name and its channels. ERR_UNSUPPORTED when a pattern matches
 * no group (with some of those that there are), or a group must lose more than it may. */
enum err range_set(struct space_group *groups, int count, const struct space_limits *limits, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* limits.h -- the job's limits by group: "include", "exclude" and "groups" of its "prune".
 * SPDX-License-Identifier: MIT
 *
 * Whether a pattern matches any group is known when the baseline has reported (search/range.h). */
#ifndef DAEMON_LIMITS_H
#define DAEMON_LIMITS_H

#include <cjson/cJSON.h>

#include "base/err.h"
#include "search/space.h"

enum { LIMITS_PATTERNS = 256, LIMITS_PATTERN_BYTES = 200 };

struct limits {
	const char *patterns[LIMITS_PATTERNS]; /* of all lists, in the document's order; they live in it */
	int pattern_count;
	struct space_rule rules[LIMITS_PATTERNS];
	struct space_patterns include, exclude;
	int rule_count;
};

/* Each of the three may be NULL. *ret is zero before, and must stay where it is. */
enum err limits_read(const cJSON *include, const cJSON *exclude, const cJSON *groups, struct limits *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* keep.h -- the candidate of a stored trial, as integers.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_KEEP_H
#define DAEMON_KEEP_H

#include "base/err.h"

struct space;
struct trial_row;

/* Writes group_count ints. ERR_INTERNAL when the row's candidate is not one of that many groups. */
enum err keep_read(const struct trial_row *r, const struct space *s, int *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

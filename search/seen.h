/* seen.h -- the set of candidates that were proposed before.
 * SPDX-License-Identifier: MIT
 *
 * Keeps 64-bit hashes, not candidates: two different ones are taken for the same with a chance of n / 2^64, and
 * then one is merely not proposed. */
#ifndef SEARCH_SEEN_H
#define SEARCH_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct seen {
	uint64_t *slots; /* 0: empty; open addressing, a power of two */
	size_t size, count;
};

/* A zeroed struct is an empty set. */
void seen_fini(struct seen *s);

bool seen_has(const struct seen *s, const int *keep, int n);

/* Adds; fine when it is there. */
enum err seen_add(struct seen *s, const int *keep, int n, struct errinfo *e) __attribute__((warn_unused_result));

#endif

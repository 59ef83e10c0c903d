/* backoff.h -- waiting before the next attempt, longer each time.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_BACKOFF_H
#define EVALUATOR_BACKOFF_H

#include <stdatomic.h>
#include <stdbool.h>

struct backoff {
	int waits; /* since the last success */
};

/* Sleeps 0.1 s, 0.2 s, ... up to 5 s; ends early, with false, when *stop is true. */
bool backoff_wait(struct backoff *b, const atomic_bool *stop);

/* The attempt succeeded. */
void backoff_reset(struct backoff *b);

#endif

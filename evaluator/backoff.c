/* backoff.c -- waiting before the next attempt, longer each time.
 * SPDX-License-Identifier: MIT */
#include "evaluator/backoff.h"

#include <time.h>

enum { SLICE_MS = 100, MOST_SLICES = 50, MOST_DOUBLINGS = 6 };

bool backoff_wait(struct backoff *b, const atomic_bool *stop)
{
	const struct timespec slice = { .tv_nsec = SLICE_MS * 1000000L };
	int slices = 1 << b->waits;
	if (b->waits < MOST_DOUBLINGS)
		b->waits++;
	for (int i = 0; i < slices && i < MOST_SLICES && !atomic_load(stop); i++)
		nanosleep(&slice, NULL);
	return !atomic_load(stop);
}

void backoff_reset(struct backoff *b)
{
	b->waits = 0;
}

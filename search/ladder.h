/* ladder.h -- the rungs of a job: how closely candidates are looked at, from the quickest way to the real thing.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_LADDER_H
#define SEARCH_LADDER_H

#include <stdbool.h>

struct problem;

enum { LADDER_RUNGS = 8 };

struct ladder {
	int count; /* of rungs; 0 is taken for 1 */
	int eta;   /* one in eta is promoted to the next rung, at least 2 when there is one */
	bool latency[LADDER_RUNGS]; /* whether the rung measures it; all else is measured everywhere */
};

int ladder_last(const struct ladder *l);

/* The problem as results of a rung below the last can answer it: without the objective and the constraints on a latency
 * that is not measured there. Where fewer than two objectives would remain, the first exact cost that is none yet (MACs
 * before params before bytes) stands in. At the last rung it is p itself. */
void ladder_problem(const struct problem *p, int rung, struct problem *ret);

#endif

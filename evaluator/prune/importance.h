/* importance.h -- how the importance of each group is spread over its channels, told to the daemon.
 * SPDX-License-Identifier: MIT
 *
 * Always by l1, whatever a job ranks channels by: it needs no data, and jobs of different criteria share a baseline. */
#ifndef EVALUATOR_PRUNE_IMPORTANCE_H
#define EVALUATOR_PRUNE_IMPORTANCE_H

#include <cjson/cJSON.h>

#include "base/err.h"

struct coupling;

enum { IMPORTANCE_POINTS = 33 };

/* The share of the summed importance that is lost with the fraction i / (n - 1) of the channels, least important first,
 * for i = 0 .. n - 1; returns n, which is channels + 1 or IMPORTANCE_POINTS, whichever is less. Sorts importance.
 * Weights that are all zero, or not finite, matter alike. */
int importance_shares(double *importance, int channels, double ret[IMPORTANCE_POINTS]);

/* Adds "importance" to each group of an inventory of c (docs/protocol.md, "The inventory"). */
enum err importance_add(const struct coupling *c, cJSON *inventory, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

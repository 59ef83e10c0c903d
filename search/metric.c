/* metric.c -- what a trial is measured by, and which way is better.
 * SPDX-License-Identifier: MIT */
#include "search/metric.h"

#include <string.h>

static const char *const names[METRIC_COUNT] = {
	[METRIC_ACCURACY] = "accuracy",
	[METRIC_LOSS] = "loss",
	[METRIC_PARAMS] = "params",
	[METRIC_MACS] = "macs",
	[METRIC_BYTES] = "bytes",
	[METRIC_MEMORY] = "memory",
	[METRIC_LATENCY] = "latency",
};

const char *metric_name(enum metric m)
{
	return (unsigned)m < METRIC_COUNT ? names[m] : "nothing";
}

enum metric metric_named(const char *name)
{
	for (int m = 0; m < METRIC_COUNT; m++)
		if (!strcmp(names[m], name))
			return (enum metric)m;
	return METRIC_COUNT;
}

bool metric_larger_is_better(enum metric m)
{
	return m == METRIC_ACCURACY;
}

bool metric_is_exact_cost(enum metric m)
{
	return m == METRIC_PARAMS || m == METRIC_MACS || m == METRIC_BYTES;
}

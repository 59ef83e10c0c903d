/* metric.h -- what a trial is measured by, and which way is better.
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_METRIC_H
#define SEARCH_METRIC_H

#include <stdbool.h>

enum metric {
	METRIC_ACCURACY, /* fraction of held-out images, the only one that is better when larger */
	METRIC_LOSS,
	METRIC_PARAMS,
	METRIC_MACS,
	METRIC_BYTES,
	METRIC_MEMORY,  /* peak bytes of activations, batch 1 */
	METRIC_LATENCY, /* median ratio to the baseline timed in turn; the baseline's is 1 */
	METRIC_COUNT,
};

const char *metric_name(enum metric m);
/* METRIC_COUNT when there is none of that name. */
enum metric metric_named(const char *name);
bool metric_larger_is_better(enum metric m);
/* Known from the cost model before evaluation: params, MACs, bytes. */
bool metric_is_exact_cost(enum metric m);

#endif

/* latency.h -- how long the pruned network takes, beside the unpruned one.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_LATENCY_H
#define EVALUATOR_MEASURE_LATENCY_H

#include <stdatomic.h>

#include "base/err.h"

struct plan;

struct latency {
	double median_ms, p10_ms, p90_ms;          /* of the pruned network, one run of the plan's batch */
	double ratio, ratio_p10, ratio_p90; /* of its time to the baseline's in the same round: median, p10, p90 */
};

/* Times both plans in turn: after a warm-up, `rounds` rounds (at least 3) of a short burst each, whose median run
 * counts, the order alternating. *stop (may be NULL) becoming true is ERR_GONE. */
enum err latency_measure(struct plan *baseline, struct plan *pruned, int rounds, const atomic_bool *stop,
	struct latency *ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

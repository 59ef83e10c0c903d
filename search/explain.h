/* explain.h -- what a search learned: how much each group matters, and why a candidate keeps what it keeps.
 * SPDX-License-Identifier: MIT
 *
 * From results alone, so it serves every strategy and jobs that are long over. The surrogate is the one of `guided`
 * (search/surrogate.h), fitted to the first objective that takes an evaluation, as a rule the accuracy. */
#ifndef SEARCH_EXPLAIN_H
#define SEARCH_EXPLAIN_H

#include <cjson/cJSON.h>

#include "search/strategy.h"

/* outcomes: n results of one rung, in order of number, keep set. chosen: the index of the one to be explained, -1: the
 * feasible one of the Pareto set that is best in that metric among those with at most half of the cost, or without one
 * the best. *ret is the caller's:
 *
 *   {"metric": "accuracy", "cost": "macs", "results": n, "front": members,
 *    "groups": [{"name", "channels",
 *       "sensitivity": effect on the metric of removing half of it alone, by the model (in the metric's unit, signed),
 *       "freed": share of the unpruned network's cost that this frees,
 *       "front": {"least", "mean", "most": share of its channels kept in the Pareto set, "whole": share of members that
 *       leave it whole}}, ...],
 *    "chosen": {"number", "value", "cost", "predicted",
 *       "groups": [{"name", "kept", "channels", "share": of its importance removed,
 *          "restore": {"keep", "value", "cost"} what one notch more would give and cost, null where it is whole,
 *          "prune": likewise one notch less, null where nothing more may go,
 *          "reason": a line for people}, ...]} or null}
 *
 * A notch is a twentieth of the group's channels, one step at least; costs are shares of the unpruned network's.
 * ERR_NOT_FOUND when there is nothing to explain: no complete result. */
enum err explain_json(const struct problem *p, const struct outcome *outcomes, int n, int chosen, cJSON **ret,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

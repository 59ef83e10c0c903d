/* explain.h -- what a search learned: how much each group matters, and why a candidate keeps what it keeps.
 * SPDX-License-Identifier: MIT
 *
 * From results alone, so it serves every strategy and jobs that are long over. The surrogate is the one of `guided`
 * (search/surrogate.h), fitted to the first objective that takes an evaluation, as a rule the accuracy. */
#ifndef SEARCH_EXPLAIN_H
#define SEARCH_EXPLAIN_H

#include <cjson/cJSON.h>

#include "search/strategy.h"

struct explain;

/* More would take too long for a question. */
enum { EXPLAIN_GROUPS = 2000 };

/* p is borrowed. number: the result to be explained, 0: the one of the Pareto set that is best in that metric among
 * those with at most half of the cost, or without one the best. ERR_LIMIT when there are too many groups. */
enum err explain_open(const struct problem *p, int number, struct explain **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void explain_close(struct explain *x); /* accepts NULL */

/* The next result, in order of number, all of one rung. member: what was measured in the end of a member of the Pareto
 * set, METRIC_COUNT numbers (with several rungs at the last one); NULL: it is none. */
enum err explain_add(struct explain *x, const struct outcome *o, const double *member, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Once. *ret is the caller's:
 *
 *   {"metric": "accuracy", "cost": "macs", "results": complete ones, "front": members,
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
 * ERR_NOT_FOUND when there is nothing to explain: no complete result, or none of that number. */
enum err explain_write(struct explain *x, cJSON **ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* ladder.c -- the rungs of a job.
 * SPDX-License-Identifier: MIT */
#include "search/ladder.h"

#include "search/strategy.h"

int ladder_last(const struct ladder *l)
{
	return l->count > 1 ? l->count - 1 : 0;
}

static bool has_objective(const struct problem *p, enum metric m)
{
	for (int i = 0; i < p->objective_count; i++)
		if (p->objectives[i] == m)
			return true;
	return false;
}

/* With one objective left, the best would be a single candidate, as a rule the unpruned network. */
static void stand_in(struct problem *p)
{
	static const enum metric costs[] = { METRIC_MACS, METRIC_PARAMS, METRIC_BYTES };
	for (int i = 0; p->objective_count < 2; i++)
		if (!has_objective(p, costs[i]))
			p->objectives[p->objective_count++] = costs[i];
}

void ladder_problem(const struct problem *p, int rung, struct problem *ret)
{
	struct problem at = *p;
	if (rung < ladder_last(&p->ladder) && !p->ladder.latency[rung]) {
		at.objective_count = at.constraint_count = 0;
		for (int i = 0; i < p->objective_count; i++)
			if (p->objectives[i] != METRIC_LATENCY)
				at.objectives[at.objective_count++] = p->objectives[i];
		for (int i = 0; i < p->constraint_count; i++)
			if (p->constraints[i].metric != METRIC_LATENCY)
				at.constraints[at.constraint_count++] = p->constraints[i];
		stand_in(&at);
	}
	*ret = at;
}

/* candidate.c -- a candidate from outside, checked.
 * SPDX-License-Identifier: MIT */
#include "search/candidate.h"

#include <limits.h>
#include <stdio.h>

#include "search/cost.h"
#include "search/space.h"

static enum err check_group(const struct space_group *g, int keep, const char *path, int index, struct errinfo *e)
{
	char multiple[64] = "";
	int least = space_round_keep(g, 0), most = space_round_keep(g, INT_MAX);
	if (space_round_keep(g, keep) == keep)
		return ERR_OK;
	if (g->step > 1)
		snprintf(multiple, sizeof multiple, ", a multiple of %d or %d itself", g->step, most);
	return err_set(e, ERR_INPUT, "%s[%d]: is %d, expected %d to %d%s (group %.100s)", path, index, keep, least,
		most, multiple, g->name);
}

enum err candidate_check(const struct space *s, const double most[METRIC_COUNT], const int *keep, const char *path,
	struct errinfo *e)
{
	for (int g = 0; g < s->group_count; g++) {
		enum err err = check_group(&s->groups[g], keep[g], path, g, e);
		if (err)
			return err;
	}
	struct cost cost = cost_of(s, keep);
	for (int m = 0; m < METRIC_COUNT; m++) {
		enum metric metric = (enum metric)m;
		if (metric_is_exact_cost(metric) && cost_metric(&cost, metric) > most[m])
			return err_set(e, ERR_INPUT, "%s: has %.15g %s, constraints.%s allows at most %.15g", path,
				cost_metric(&cost, metric), metric_name(metric), metric_name(metric), most[m]);
	}
	return ERR_OK;
}

/* importance.c -- how the importance of each group is spread over its channels.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/importance.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/json.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/criterion.h"

/* Shares are told to so many parts of one: enough for 33 points, and short in an inventory of many groups. */
static const double PARTS = 1e5;

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Of those in ascending order, the sum of the first `many`; of the last one a fraction. */
static double sum_of_first(const double *importance, int channels, double many)
{
	double sum = 0;
	int whole = (int)many;
	for (int i = 0; i < whole; i++)
		sum += importance[i];
	return whole < channels ? sum + (many - whole) * importance[whole] : sum;
}

int importance_shares(double *importance, int channels, double ret[IMPORTANCE_POINTS])
{
	int last = channels + 1 < IMPORTANCE_POINTS ? channels : IMPORTANCE_POINTS - 1;
	double all = sum_of_first(importance, channels, channels);
	bool known = all > 0 && isfinite(all);
	if (known)
		qsort(importance, (size_t)channels, sizeof *importance, ascending);
	for (int i = 0; i <= last; i++) {
		double many = (double)i * channels / last;
		double share = known ? sum_of_first(importance, channels, many) / all : (double)i / last;
		ret[i] = i < last ? fmin(round(share * PARTS) / PARTS, 1) : 1;
	}
	return last + 1;
}

static void add_shares(const struct group *g, const double *of_class, double *buffer, cJSON *group, bool *failed)
{
	double shares[IMPORTANCE_POINTS];
	for (int i = 0; i < g->channels; i++)
		buffer[i] = of_class[g->classes[i]];
	int n = importance_shares(buffer, g->channels, shares);
	json_put(group, "importance", cJSON_CreateDoubleArray(shares, n), failed);
}

enum err importance_add(const struct coupling *c, cJSON *inventory, struct errinfo *e)
{
	static const struct ranking l1 = { .criterion = "l1" };
	const double *importance;
	const bool *by_l1;
	bool failed = false;
	struct arena *a = arena_new();
	double *buffer = a ? ARENA_ARRAY(a, double, (size_t)c->class_count) : NULL;
	enum err err = buffer ? criterion_importance(&l1, c, a, &importance, &by_l1, e)
			      : err_set(e, ERR_MEMORY, "out of memory for importances");
	cJSON *group = cJSON_GetObjectItem(inventory, "groups")->child;
	for (int i = 0; i < c->group_count && !err; i++, group = group->next)
		add_shares(&c->groups[i], importance, buffer, group, &failed);
	arena_free(a);
	return failed ? err_set(e, ERR_MEMORY, "out of memory for the inventory") : err;
}

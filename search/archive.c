/* archive.c -- the results that a model is fitted to.
 * SPDX-License-Identifier: MIT */
#include "search/archive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/order.h"
#include "search/score.h"
#include "search/space.h"

/* Of the few that stay, the latest; the others are the best. */
enum { LATEST = ARCHIVE_FEW / 4 };

enum err archive_new(const struct problem *p, struct archive **ret, struct errinfo *e)
{
	struct archive *a = calloc(1, sizeof *a);
	size_t groups = (size_t)p->space->group_count, objectives = (size_t)p->objective_count;
	if (a) {
		a->problem = p;
		a->keep = calloc(ARCHIVE_MOST * groups, sizeof *a->keep);
		a->x = calloc(ARCHIVE_MOST * groups, sizeof *a->x);
		a->point = calloc(ARCHIVE_MOST * objectives, sizeof *a->point);
		a->violation = calloc(ARCHIVE_MOST, sizeof *a->violation);
		a->metrics = calloc(ARCHIVE_MOST, sizeof *a->metrics);
	}
	if (!a || !a->keep || !a->x || !a->point || !a->violation || !a->metrics) {
		archive_free(a);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = a;
	return ERR_OK;
}

void archive_free(struct archive *a)
{
	if (!a)
		return;
	free(a->keep);
	free(a->x);
	free(a->point);
	free(a->violation);
	free(a->metrics);
	free(a);
}

static void move(struct archive *a, int from, int to)
{
	size_t groups = (size_t)a->problem->space->group_count, objectives = (size_t)a->problem->objective_count;
	size_t f = (size_t)from, t = (size_t)to;
	memmove(a->keep + t * groups, a->keep + f * groups, groups * sizeof *a->keep);
	memmove(a->x + t * groups, a->x + f * groups, groups * sizeof *a->x);
	memmove(a->point + t * objectives, a->point + f * objectives, objectives * sizeof *a->point);
	memmove(a->metrics[t], a->metrics[f], sizeof *a->metrics);
	a->violation[t] = a->violation[f];
}

static enum err thin(struct archive *a, struct errinfo *e)
{
	int order[ARCHIVE_MOST], stayed = 0;
	bool stays[ARCHIVE_MOST] = { false };
	enum err err = order_points(a->point, a->violation, a->count, a->problem->objective_count, order, e);
	if (err)
		return err;
	for (int i = a->count - LATEST; i < a->count; i++)
		stays[i] = true;
	for (int i = 0, best = ARCHIVE_FEW - LATEST; i < a->count && best > 0; i++) {
		best -= !stays[order[i]];
		stays[order[i]] = true;
	}
	for (int i = 0; i < a->count; i++)
		if (stays[i])
			move(a, i, stayed++);
	a->count = stayed;
	a->thinned = true;
	return ERR_OK;
}

enum err archive_add(struct archive *a, const struct outcome *o, struct errinfo *e)
{
	const struct problem *p = a->problem;
	size_t groups = (size_t)p->space->group_count, at = (size_t)a->count;
	double point[PARETO_MAX_OBJECTIVES], violation;
	score_outcome(p, o, point, &violation);
	if (!isfinite(point[0]))
		return ERR_OK;
	memcpy(a->keep + at * groups, o->keep, groups * sizeof *a->keep);
	space_shares(p->space, o->keep, a->x + at * groups);
	memcpy(a->point + at * (size_t)p->objective_count, point, (size_t)p->objective_count * sizeof *point);
	memcpy(a->metrics[at], o->metrics, sizeof *a->metrics);
	a->violation[at] = violation;
	return ++a->count == ARCHIVE_MOST ? thin(a, e) : ERR_OK;
}

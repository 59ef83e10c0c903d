/* front.c -- the Pareto set as results come in.
 * SPDX-License-Identifier: MIT
 *
 * A plain list: a result is compared with every member. Domination is transitive, so what a member drove out can never
 * come back and the list is all that needs to be remembered. */
#include "search/front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/score.h"

struct member {
	int number;
	double point[PARETO_MAX_OBJECTIVES];
};

struct front {
	struct problem problem;
	struct member *members;
	int *left; /* as large as members */
	int count, capacity;
};

enum err front_open(const struct problem *p, struct front **ret, struct errinfo *e)
{
	struct front *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(e, ERR_MEMORY, "out of memory");
	f->problem = *p;
	f->problem.space = NULL;
	*ret = f;
	return ERR_OK;
}

void front_close(struct front *f)
{
	if (!f)
		return;
	free(f->members);
	free(f->left);
	free(f);
}

int front_size(const struct front *f)
{
	return f->count;
}

static enum err make_room(struct front *f, struct errinfo *e)
{
	if (f->count < f->capacity)
		return ERR_OK;
	int capacity = f->capacity ? 2 * f->capacity : 64;
	struct member *members = realloc(f->members, (size_t)capacity * sizeof *members);
	if (members)
		f->members = members;
	int *left = realloc(f->left, (size_t)capacity * sizeof *left);
	if (left)
		f->left = left;
	if (!members || !left)
		return err_set(e, ERR_MEMORY, "out of memory");
	f->capacity = capacity;
	return ERR_OK;
}

static bool equal(const struct member *a, const struct member *b, int m)
{
	for (int i = 0; i < m; i++)
		if (a->point[i] != b->point[i])
			return false;
	return true;
}

/* Whether a keeps b out: it dominates b, or came first among equals. */
static bool keeps_out(const struct member *a, const struct member *b, int m)
{
	return equal(a, b, m) ? a->number < b->number : pareto_dominates(a->point, 0, b->point, 0, m);
}

static bool may_join(const struct front *f, const struct member *candidate, const double metrics[METRIC_COUNT])
{
	int m = f->problem.objective_count;
	for (int i = 0; i < m; i++)
		if (!isfinite(candidate->point[i]))
			return false;
	if (score_violation(&f->problem, metrics) > 0)
		return false;
	for (int i = 0; i < f->count; i++)
		if (keeps_out(&f->members[i], candidate, m))
			return false;
	return true;
}

enum err front_offer(struct front *f, int number, const double metrics[METRIC_COUNT], bool *ret_joined,
	const int **ret_left, int *ret_left_count, struct errinfo *e)
{
	struct member candidate = { .number = number };
	enum err err = make_room(f, e);
	if (err)
		return err;
	score_point(&f->problem, metrics, candidate.point);
	bool joins = may_join(f, &candidate, metrics);
	int stayed = 0, left = 0;
	for (int i = 0; joins && i < f->count; i++) {
		if (keeps_out(&candidate, &f->members[i], f->problem.objective_count))
			f->left[left++] = f->members[i].number;
		else
			f->members[stayed++] = f->members[i];
	}
	if (joins) {
		f->members[stayed++] = candidate;
		f->count = stayed;
	}
	*ret_joined = joins;
	*ret_left = f->left;
	*ret_left_count = left;
	return ERR_OK;
}

/* One objective scaled to the baseline, still to be minimised. */
static double scaled(const struct problem *p, int objective, double value)
{
	enum metric m = p->objectives[objective];
	if (metric_larger_is_better(m))
		return value;
	return p->baseline[m] > 0 ? value / p->baseline[m] : NAN;
}

static void scale(const struct problem *p, const double *point, double *ret)
{
	for (int k = 0; k < p->objective_count; k++)
		ret[k] = scaled(p, k, point[k]);
}

static void reference_of(const struct problem *p, double ret[PARETO_MAX_OBJECTIVES])
{
	for (int k = 0; k < p->objective_count; k++)
		ret[k] = metric_larger_is_better(p->objectives[k]) ? 0 : 1;
}

enum err front_hypervolume(const struct front *f, double *ret, struct errinfo *e)
{
	int m = f->problem.objective_count;
	double reference[PARETO_MAX_OBJECTIVES];
	double *points = calloc((size_t)f->count + 1, (size_t)m * sizeof *points);
	if (!points)
		return err_set(e, ERR_MEMORY, "out of memory");
	reference_of(&f->problem, reference);
	for (int i = 0; i < f->count; i++)
		scale(&f->problem, f->members[i].point, points + i * m);
	enum err err = pareto_hypervolume(points, f->count, m, reference, ret, e);
	free(points);
	return err;
}

/* Adds a point to n of which none dominates another, and drops those that it dominates; answers how many there are. */
static int add_undominated(double *points, int n, const double *point, int m)
{
	int stayed = 0;
	for (int i = 0; i < n; i++) {
		const double *other = points + i * m;
		bool same = !memcmp(other, point, (size_t)m * sizeof *point);
		if (same || pareto_dominates(other, 0, point, 0, m))
			return n;
	}
	for (int i = 0; i < n; i++)
		if (!pareto_dominates(point, 0, points + i * m, 0, m))
			memmove(points + stayed++ * m, points + i * m, (size_t)m * sizeof *points);
	memcpy(points + stayed * m, point, (size_t)m * sizeof *point);
	return stayed + 1;
}

/* The volume of the box between point and reference, less that of the others clipped to it (While et al. 2012, the
 * exclusive hypervolume of WFG): few of the clipped ones are not dominated. */
static enum err exclusive(const struct front *f, const double *point, double *points, double *ret, struct errinfo *e)
{
	int m = f->problem.objective_count, n = 0;
	double reference[PARETO_MAX_OBJECTIVES], clipped[PARETO_MAX_OBJECTIVES], box = 1, shared = 0;
	reference_of(&f->problem, reference);
	for (int k = 0; k < m; k++)
		box *= fmax(reference[k] - point[k], 0);
	if (!(box > 0)) {
		*ret = 0;
		return ERR_OK;
	}
	for (int i = 0; i < f->count; i++) {
		scale(&f->problem, f->members[i].point, clipped);
		for (int k = 0; k < m; k++)
			clipped[k] = fmax(clipped[k], point[k]);
		n = add_undominated(points, n, clipped, m);
	}
	enum err err = pareto_hypervolume(points, n, m, reference, &shared, e);
	if (!err)
		*ret = fmax(box - shared, 0);
	return err;
}

enum err front_gain(const struct front *f, int number, const double metrics[METRIC_COUNT], double *ret,
	struct errinfo *e)
{
	int m = f->problem.objective_count;
	struct member candidate = { .number = number };
	double point[PARETO_MAX_OBJECTIVES];
	score_point(&f->problem, metrics, candidate.point);
	if (!may_join(f, &candidate, metrics)) {
		*ret = 0;
		return ERR_OK;
	}
	double *points = calloc((size_t)f->count + 1, (size_t)m * sizeof *points);
	if (!points)
		return err_set(e, ERR_MEMORY, "out of memory");
	scale(&f->problem, candidate.point, point);
	enum err err = exclusive(f, point, points, ret, e);
	free(points);
	return err;
}

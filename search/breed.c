/* breed.c -- the candidate of which the most is expected.
 * SPDX-License-Identifier: MIT */
#include "search/breed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/cover.h"
#include "search/order.h"
#include "search/sample.h"
#include "search/space.h"

enum { FROM_FRONT = 144, FROM_NOTHING = 48, CHILDREN = 112, ELITE = 32, MOST = 320 };
enum { PARENTS = 64, KNOWN = 96 };
/* Beyond two objectives a gain costs more to compute. */
enum { GENERATIONS = 6, GENERATIONS_OF_MANY = 3 };

/* Candidates under consideration. */
struct pool {
	const struct breed *b;
	size_t groups;
	int count;
	int *keep;   /* MOST x groups */
	double *x;   /* MOST x groups */
	struct cost *cost;
	struct estimate *estimate;
	double *gain;
	int parents[PARENTS], parent_count; /* of the archive */
};

/* ---- the pool ---- */

static void pool_fini(struct pool *p)
{
	free(p->keep);
	free(p->x);
	free(p->cost);
	free(p->estimate);
	free(p->gain);
}

static enum err pool_init(struct pool *p, const struct breed *b, struct errinfo *e)
{
	size_t groups = (size_t)b->problem->space->group_count;
	*p = (struct pool){ .b = b, .groups = groups };
	p->keep = calloc(MOST * groups, sizeof *p->keep);
	p->x = calloc(MOST * groups, sizeof *p->x);
	p->cost = calloc(MOST, sizeof *p->cost);
	p->estimate = calloc(MOST, sizeof *p->estimate);
	p->gain = calloc(MOST, sizeof *p->gain);
	if (p->keep && p->x && p->cost && p->estimate && p->gain)
		return ERR_OK;
	pool_fini(p);
	return err_set(e, ERR_MEMORY, "out of memory");
}

static int *keep_of(const struct pool *p, int i)
{
	return p->keep + (size_t)i * p->groups;
}

static const struct space *space_of(const struct pool *p)
{
	return p->b->problem->space;
}

/* What is expected of those from `first` on. */
static enum err weigh(struct pool *p, int first, bool thorough, struct errinfo *e)
{
	for (int i = first; i < p->count; i++) {
		p->cost[i] = cost_of(space_of(p), keep_of(p, i));
		space_shares(space_of(p), keep_of(p, i), p->x + (size_t)i * p->groups);
	}
	enum err err = belief_predict(p->b->belief, p->x + (size_t)first * p->groups, p->count - first,
		p->estimate + first, e);
	for (int i = first; i < p->count && !err; i++)
		err = acquire_gain(p->b->acquire, &p->cost[i], &p->estimate[i], thorough, &p->gain[i], e);
	return err;
}

/* ---- where candidates come from ---- */

static enum err find_parents(struct pool *p, struct errinfo *e)
{
	int order[ARCHIVE_MOST], front;
	const struct archive *a = p->b->archive;
	enum err err = order_front(a->point, a->violation, a->count, p->b->problem->objective_count, order, &front, e);
	if (err)
		return err;
	p->parent_count = front < PARENTS ? front : PARENTS;
	memcpy(p->parents, order, (size_t)p->parent_count * sizeof *order);
	return ERR_OK;
}

static const int *any_parent(const struct pool *p, struct rng *r)
{
	size_t i = (size_t)p->parents[rng_below(r, (uint64_t)p->parent_count)];
	return p->b->archive->keep + i * p->groups;
}

static void cross(struct pool *p, struct rng *r, const int *other, int *keep)
{
	for (size_t g = 0; g < p->groups; g++)
		if (rng_uniform(r) < 0.5)
			keep[g] = other[g];
}

/* Changes one to three groups, or with a share of them all of it. */
static int genes_to_change(const struct pool *p, struct rng *r, double all)
{
	if (rng_uniform(r) < all)
		return (int)p->groups;
	return 1 + (int)rng_below(r, 3);
}

static size_t any_gene(const struct pool *p, struct rng *r, int i, int genes)
{
	return genes == (int)p->groups ? (size_t)i : (size_t)rng_below(r, p->groups);
}

/* Normal steps, now small, now wide; now and then anywhere between the group's limits. */
static void shake(struct pool *p, struct rng *r, int *keep)
{
	static const double widths[] = { 0.05, 0.1, 0.25 };
	double width = widths[rng_below(r, 3)];
	bool anywhere = rng_uniform(r) < 0.25;
	int genes = anywhere ? genes_to_change(p, r, 0) : genes_to_change(p, r, 0.2);
	for (int i = 0; i < genes; i++) {
		size_t g = any_gene(p, r, i, genes);
		const struct space_group *group = &space_of(p)->groups[g];
		double step = width * rng_normal(r) * group->channels + group->step * ((double)rng_below(r, 3) - 1);
		double place = group->min_keep + rng_uniform(r) * (group->max_keep - group->min_keep);
		keep[g] = space_round_keep(group, anywhere ? place : keep[g] + step);
	}
}

/* Steps of at least one, mostly small. */
static void nudge(struct pool *p, struct rng *r, int *keep)
{
	int genes = genes_to_change(p, r, 0);
	for (int i = 0; i < genes; i++) {
		size_t g = any_gene(p, r, i, genes);
		const struct space_group *group = &space_of(p)->groups[g];
		double step = ceil(-log(1 - rng_uniform(r)) * 0.06 * group->channels / group->step) * group->step;
		keep[g] = space_round_keep(group, rng_uniform(r) < 0.5 ? keep[g] + step : keep[g] - step);
	}
}

static enum err add_from_front(struct pool *p, struct rng *r, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (int i = 0; i < FROM_FRONT && p->parent_count && !err; i++) {
		int *keep = keep_of(p, p->count++);
		memcpy(keep, any_parent(p, r), p->groups * sizeof *keep);
		if (rng_uniform(r) < 1 / 3.0)
			cross(p, r, any_parent(p, r), keep);
		shake(p, r, keep);
		err = cover_repair(p->b->cover, keep, e);
	}
	return err;
}

static enum err add_from_nothing(struct pool *p, struct rng *r, struct errinfo *e)
{
	const struct cover *c = p->b->cover;
	enum err err = ERR_OK;
	for (int i = 0; i < FROM_NOTHING && !err; i++) {
		double share = cover_share(c, rng_uniform(r));
		sample_shape(r, space_of(p)->group_count, c->ratio);
		err = cover_fit(c, share, keep_of(p, p->count++), e);
	}
	return err;
}

/* The best of earlier jobs, as this space allows them. */
static enum err add_known(struct pool *p, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (int i = 0; i < KNOWN && i < belief_known(p->b->belief) && !err; i++) {
		int *keep = keep_of(p, p->count++);
		for (size_t g = 0; g < p->groups; g++)
			keep[g] = space_round_keep(&space_of(p)->groups[g], belief_known_keep(p->b->belief, i)[g]);
		err = cover_repair(p->b->cover, keep, e);
	}
	return err;
}

/* ---- generations ---- */

static int by_gain(const void *a, const void *b, void *gain)
{
	int i = *(const int *)a, k = *(const int *)b;
	const double *gains = gain;
	return gains[i] != gains[k] ? (gains[i] < gains[k] ? 1 : -1) : i - k;
}

/* The best stay, in order; what else is known of them is computed anew when it is needed. */
static enum err select_best(struct pool *p, struct errinfo *e)
{
	int order[MOST], n = p->count < ELITE ? p->count : ELITE;
	int *keep = malloc((size_t)n * p->groups * sizeof *keep);
	double gain[ELITE];
	if (!keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (int i = 0; i < p->count; i++)
		order[i] = i;
	qsort_r(order, (size_t)p->count, sizeof *order, by_gain, p->gain);
	for (int i = 0; i < n; i++) {
		memcpy(keep + (size_t)i * p->groups, keep_of(p, order[i]), p->groups * sizeof *keep);
		gain[i] = p->gain[order[i]];
	}
	memcpy(p->keep, keep, (size_t)n * p->groups * sizeof *keep);
	memcpy(p->gain, gain, (size_t)n * sizeof *gain);
	p->count = n;
	free(keep);
	return ERR_OK;
}

static enum err next_generation(struct pool *p, struct rng *r, struct errinfo *e)
{
	enum err err = select_best(p, e);
	int parents = p->count;
	for (int i = 0; i < CHILDREN && !err; i++) {
		int *keep = keep_of(p, p->count++);
		memcpy(keep, keep_of(p, (int)rng_below(r, (uint64_t)parents)), p->groups * sizeof *keep);
		if (rng_uniform(r) < 0.3)
			cross(p, r, keep_of(p, (int)rng_below(r, (uint64_t)parents)), keep);
		nudge(p, r, keep);
		err = cover_repair(p->b->cover, keep, e);
	}
	return err ? err : weigh(p, parents, false, e);
}

static enum err first_generation(struct pool *p, struct rng *r, struct errinfo *e)
{
	enum err err = find_parents(p, e);
	if (!err && !p->b->known_only)
		err = add_from_front(p, r, e);
	if (!err)
		err = add_known(p, e);
	if (!err && !p->b->known_only)
		err = add_from_nothing(p, r, e);
	return err ? err : weigh(p, 0, false, e);
}

static enum err evolve(struct pool *p, struct rng *r, struct errinfo *e)
{
	int generations = p->b->problem->objective_count == 2 ? GENERATIONS : GENERATIONS_OF_MANY;
	enum err err = first_generation(p, r, e);
	for (int i = 0; i < generations && !p->b->known_only && !err; i++)
		err = next_generation(p, r, e);
	if (!err)
		err = select_best(p, e);
	if (!err)
		err = weigh(p, 0, true, e);
	return err ? err : select_best(p, e);
}

enum err breed_best(const struct breed *b, struct rng *r, int *ret_keep, struct errinfo *e)
{
	struct pool p;
	enum err err = pool_init(&p, b, e);
	if (err)
		return err;
	err = evolve(&p, r, e);
	int best = 0;
	while (!err && best < p.count - 1 && seen_has(&b->cover->seen, keep_of(&p, best), (int)p.groups))
		best++;
	if (!err)
		memcpy(ret_keep, keep_of(&p, best), p.groups * sizeof *ret_keep);
	pool_fini(&p);
	return err;
}

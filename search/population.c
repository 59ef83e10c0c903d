/* population.c -- parents and the children that will compete with them.
 * SPDX-License-Identifier: MIT
 *
 * 2 * size rows of genes and scores that never move; order[] lists the rows of the parents, then those of the children,
 * then the free ones. Ranks are computed when a generation turns, and on demand before the first has. */
#include "search/population.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "search/pareto.h"

struct standing {
	int row, rank;
	double crowding;
};

struct population {
	struct arena *arena;
	int size, groups, m;
	int parents, children;
	bool ranked; /* the standings of those that may be chosen are up to date */
	int *genes;
	double *points, *violations;      /* by row */
	struct standing *standings;       /* of the parents (or of the first children), best first */
	int *order;
	double *gathered, *missed, *crowding; /* the ranked ones' points and violations side by side */
	int *ranks, *members;
};

static bool allocate(struct population *p)
{
	size_t rows = 2 * (size_t)p->size, m = (size_t)p->m;
	p->genes = ARENA_ARRAY(p->arena, int, rows * (size_t)p->groups);
	p->points = ARENA_ARRAY(p->arena, double, rows * m);
	p->violations = ARENA_ARRAY(p->arena, double, rows);
	p->standings = ARENA_ARRAY(p->arena, struct standing, rows);
	p->order = ARENA_ARRAY(p->arena, int, rows);
	p->gathered = ARENA_ARRAY(p->arena, double, rows * m);
	p->missed = ARENA_ARRAY(p->arena, double, rows);
	p->crowding = ARENA_ARRAY(p->arena, double, rows);
	p->ranks = ARENA_ARRAY(p->arena, int, rows);
	p->members = ARENA_ARRAY(p->arena, int, rows);
	return p->genes && p->points && p->violations && p->standings && p->order && p->gathered && p->missed &&
		p->crowding && p->ranks && p->members;
}

enum err population_new(int size, int groups, int m, struct population **ret, struct errinfo *e)
{
	struct arena *arena = arena_new();
	struct population *p = arena ? ARENA_NEW(arena, struct population) : NULL;
	if (p)
		*p = (struct population){ .arena = arena, .size = size, .groups = groups, .m = m };
	if (!p || !allocate(p)) {
		arena_free(arena);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	for (int i = 0; i < 2 * size; i++)
		p->order[i] = i;
	*ret = p;
	return ERR_OK;
}

void population_free(struct population *p)
{
	if (p)
		arena_free(p->arena); /* p itself lives there */
}

int population_count(const struct population *p)
{
	return p->parents ? p->parents : p->children;
}

static int better_first(const void *a, const void *b)
{
	const struct standing *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->crowding != y->crowding)
		return x->crowding > y->crowding ? -1 : 1;
	return (x->row > y->row) - (x->row < y->row);
}

/* Standings hold the n first of order[], by rank; their crowding is filled in, a front at a time. */
static enum err crowd_fronts(struct population *p, int n, struct errinfo *e)
{
	for (int start = 0, end; start < n; start = end) {
		for (end = start; end < n && p->standings[end].rank == p->standings[start].rank; end++)
			p->members[end - start] = p->standings[end].row;
		enum err err = pareto_crowding(p->gathered, p->m, p->members, end - start, p->crowding, e);
		if (err)
			return err;
		for (int i = start; i < end; i++)
			p->standings[i].crowding = p->crowding[p->standings[i].row];
	}
	return ERR_OK;
}

/* Ranks the n first of order[]. */
static enum err rank(struct population *p, int n, struct errinfo *e)
{
	size_t m = (size_t)p->m;
	for (int i = 0; i < n; i++) {
		memcpy(p->gathered + (size_t)i * m, p->points + (size_t)p->order[i] * m, m * sizeof *p->points);
		p->missed[i] = p->violations[p->order[i]];
	}
	enum err err = pareto_sort(p->gathered, p->missed, n, p->m, p->ranks, e);
	if (err)
		return err;
	for (int i = 0; i < n; i++)
		p->standings[i] = (struct standing){ .row = i, .rank = p->ranks[i] };
	qsort(p->standings, (size_t)n, sizeof *p->standings, better_first);
	err = crowd_fronts(p, n, e);
	if (err)
		return err;
	qsort(p->standings, (size_t)n, sizeof *p->standings, better_first);
	for (int i = 0; i < n; i++)
		p->standings[i].row = p->order[p->standings[i].row]; /* from place in order[] to row */
	p->ranked = true;
	return ERR_OK;
}

/* The best of parents and children become the parents. */
static enum err turn(struct population *p, struct errinfo *e)
{
	int n = p->parents + p->children;
	enum err err = rank(p, n, e);
	if (err)
		return err;
	for (int i = 0; i < n; i++)
		p->order[i] = p->standings[i].row;
	p->parents = p->size;
	p->children = 0;
	return ERR_OK;
}

enum err population_add(struct population *p, const int *genes, const double *point, double violation,
	struct errinfo *e)
{
	size_t row = (size_t)p->order[p->parents + p->children++];
	memcpy(p->genes + row * (size_t)p->groups, genes, (size_t)p->groups * sizeof *genes);
	memcpy(p->points + row * (size_t)p->m, point, (size_t)p->m * sizeof *point);
	p->violations[row] = violation;
	if (!p->parents)
		p->ranked = false;
	return p->children == p->size ? turn(p, e) : ERR_OK;
}

enum err population_choose(struct population *p, struct rng *r, const int **ret_genes, struct errinfo *e)
{
	int n = population_count(p);
	if (!p->ranked) {
		enum err err = rank(p, n, e);
		if (err)
			return err;
	}
	/* Standings are sorted, so the better of two is the one further ahead. */
	uint64_t a = rng_below(r, (uint64_t)n), b = rng_below(r, (uint64_t)n);
	*ret_genes = p->genes + (size_t)p->standings[a < b ? a : b].row * (size_t)p->groups;
	return ERR_OK;
}

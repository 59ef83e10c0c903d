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
#include "search/order.h"

struct population {
	struct arena *arena;
	int size, groups, m;
	int parents, children;
	bool ranked; /* best[] is up to date for those that may be chosen */
	int *genes;
	double *points, *violations;      /* by row */
	int *best;                        /* rows of the parents (or of the first children), best first */
	int *order;
	double *gathered, *missed; /* the ranked ones' points and violations side by side */
};

static bool allocate(struct population *p)
{
	size_t rows = 2 * (size_t)p->size, m = (size_t)p->m;
	p->genes = ARENA_ARRAY(p->arena, int, rows * (size_t)p->groups);
	p->points = ARENA_ARRAY(p->arena, double, rows * m);
	p->violations = ARENA_ARRAY(p->arena, double, rows);
	p->best = ARENA_ARRAY(p->arena, int, rows);
	p->order = ARENA_ARRAY(p->arena, int, rows);
	p->gathered = ARENA_ARRAY(p->arena, double, rows * m);
	p->missed = ARENA_ARRAY(p->arena, double, rows);
	return p->genes && p->points && p->violations && p->best && p->order && p->gathered && p->missed;
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

/* Ranks the n first of order[]. */
static enum err rank(struct population *p, int n, struct errinfo *e)
{
	size_t m = (size_t)p->m;
	for (int i = 0; i < n; i++) {
		memcpy(p->gathered + (size_t)i * m, p->points + (size_t)p->order[i] * m, m * sizeof *p->points);
		p->missed[i] = p->violations[p->order[i]];
	}
	enum err err = order_points(p->gathered, p->missed, n, p->m, p->best, e);
	if (err)
		return err;
	for (int i = 0; i < n; i++)
		p->best[i] = p->order[p->best[i]]; /* from place in order[] to row */
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
		p->order[i] = p->best[i];
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
	/* best[] is sorted, so the better of two is the one further ahead. */
	uint64_t a = rng_below(r, (uint64_t)n), b = rng_below(r, (uint64_t)n);
	*ret_genes = p->genes + (size_t)p->best[a < b ? a : b] * (size_t)p->groups;
	return ERR_OK;
}

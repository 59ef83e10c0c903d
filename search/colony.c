/* colony.c -- the food sources of a bee colony.
 * SPDX-License-Identifier: MIT */
#include "search/colony.h"

#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "search/order.h"
#include "search/pareto.h"

/* A result may become the candidate of so many sources. With one it spreads too slowly for budgets of some hundreds;
 * with all, every source soon has the same. */
enum { PLACES = 3 };

static const double RHO = 0.05;

struct colony {
	struct arena *arena;
	int sources, groups, m;
	int count;
	bool *full;
	int *genes, *failures;
	double *weights, *points, *violations;
	double least[PARETO_MAX_OBJECTIVES], most[PARETO_MAX_OBJECTIVES]; /* of all results */
	bool ranked;  /* ranking is up to date */
	int *ranking; /* sources that are full, the best first */
	int *rows;
	double *gathered, *missed; /* the full ones' points and violations side by side, of sources rows[] */
};

/* ---- making ---- */

static bool allocate(struct colony *c)
{
	size_t n = (size_t)c->sources, m = (size_t)c->m;
	c->full = ARENA_ARRAY(c->arena, bool, n);
	c->genes = ARENA_ARRAY(c->arena, int, n * (size_t)c->groups);
	c->failures = ARENA_ARRAY(c->arena, int, n);
	c->weights = ARENA_ARRAY(c->arena, double, n * m);
	c->points = ARENA_ARRAY(c->arena, double, n * m);
	c->violations = ARENA_ARRAY(c->arena, double, n);
	c->ranking = ARENA_ARRAY(c->arena, int, n);
	c->rows = ARENA_ARRAY(c->arena, int, n);
	c->gathered = ARENA_ARRAY(c->arena, double, n * m);
	c->missed = ARENA_ARRAY(c->arena, double, n);
	return c->full && c->genes && c->failures && c->weights && c->points && c->violations && c->ranking &&
		c->rows && c->gathered && c->missed;
}

/* Two objectives: spread evenly. More: uniform on the simplex, by exponential numbers divided by their sum. */
static void weigh(struct colony *c, int source, struct rng *r)
{
	double *w = c->weights + (size_t)source * (size_t)c->m, sum = 0;
	if (c->m == 2) {
		w[0] = (source + 0.5) / c->sources;
		w[1] = 1 - w[0];
		return;
	}
	for (int k = 0; k < c->m; k++)
		sum += w[k] = -log(1 - rng_uniform(r));
	for (int k = 0; k < c->m; k++)
		w[k] /= sum;
}

enum err colony_new(int sources, int groups, int m, struct rng *r, struct colony **ret, struct errinfo *e)
{
	struct arena *arena = arena_new();
	struct colony *c = arena ? ARENA_NEW(arena, struct colony) : NULL;
	if (c)
		*c = (struct colony){ .arena = arena, .sources = sources, .groups = groups, .m = m };
	if (!c || !allocate(c)) {
		arena_free(arena);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	for (int i = 0; i < sources; i++)
		weigh(c, i, r);
	for (int k = 0; k < m; k++) {
		c->least[k] = INFINITY;
		c->most[k] = -INFINITY;
	}
	*ret = c;
	return ERR_OK;
}

void colony_free(struct colony *c)
{
	if (c)
		arena_free(c->arena); /* c itself lives there */
}

int colony_count(const struct colony *c)
{
	return c->count;
}

const int *colony_genes(const struct colony *c, int source)
{
	return c->full[source] ? c->genes + (size_t)source * (size_t)c->groups : NULL;
}

/* ---- results ---- */

static double distance(const struct colony *c, int source, const double *point)
{
	const double *w = c->weights + (size_t)source * (size_t)c->m;
	double worst = 0, sum = 0;
	for (int k = 0; k < c->m; k++) {
		double range = c->most[k] - c->least[k];
		double z = range > 0 ? w[k] * (point[k] - c->least[k]) / range : 0;
		worst = fmax(worst, z);
		sum += z;
	}
	return worst + RHO * sum;
}

/* What the source gains by the candidate, 0 when it prefers its own. Less violation is worth more than any distance. */
static double gain(const struct colony *c, int source, const double *point, double violation)
{
	if (!c->full[source])
		return INFINITY;
	double less = c->violations[source] - violation;
	if (less > 0)
		return 1 / RHO + less;
	const double *own = c->points + (size_t)source * (size_t)c->m;
	return less < 0 ? 0 : fmax(distance(c, source, own) - distance(c, source, point), 0);
}

static void settle(struct colony *c, int source, const int *genes, const double *point, double violation)
{
	memcpy(c->genes + (size_t)source * (size_t)c->groups, genes, (size_t)c->groups * sizeof *genes);
	memcpy(c->points + (size_t)source * (size_t)c->m, point, (size_t)c->m * sizeof *point);
	c->violations[source] = violation;
	c->failures[source] = 0;
	c->count += !c->full[source];
	c->full[source] = true;
	c->ranked = false;
}

/* The source that gains most, -1: none gains. */
static int most_in_need(const struct colony *c, const double *point, double violation)
{
	int best = -1;
	double most = 0;
	for (int i = 0; i < c->sources; i++) {
		double g = gain(c, i, point, violation);
		if (g > most) {
			best = i;
			most = g;
		}
	}
	return best;
}

static bool is_usable(const struct colony *c, const double *point)
{
	for (int k = 0; k < c->m; k++)
		if (!isfinite(point[k]))
			return false;
	return true;
}

void colony_offer(struct colony *c, int source, const int *genes, const double *point, double violation)
{
	if (!is_usable(c, point)) {
		c->failures[source]++;
		return;
	}
	for (int k = 0; k < c->m; k++) {
		c->least[k] = fmin(c->least[k], point[k]);
		c->most[k] = fmax(c->most[k], point[k]);
	}
	int places = PLACES;
	if (gain(c, source, point, violation) > 0) {
		settle(c, source, genes, point, violation);
		places--;
	} else {
		c->failures[source]++;
	}
	for (int other; places-- > 0 && (other = most_in_need(c, point, violation)) >= 0;)
		settle(c, other, genes, point, violation);
}

int colony_failures(const struct colony *c, int source)
{
	return c->failures[source];
}

void colony_forget(struct colony *c, int source)
{
	c->failures[source] = 0;
}

/* ---- drawing ---- */

static enum err rank(struct colony *c, struct errinfo *e)
{
	size_t m = (size_t)c->m;
	int n = 0;
	for (int i = 0; i < c->sources; i++) {
		if (!c->full[i])
			continue;
		memcpy(c->gathered + (size_t)n * m, c->points + (size_t)i * m, m * sizeof *c->points);
		c->missed[n] = c->violations[i];
		c->rows[n++] = i;
	}
	enum err err = order_points(c->gathered, c->missed, n, c->m, c->ranking, e);
	for (int i = 0; !err && i < n; i++)
		c->ranking[i] = c->rows[c->ranking[i]];
	c->ranked = !err;
	return err;
}

enum err colony_draw(struct colony *c, struct rng *r, int *ret_source, struct errinfo *e)
{
	enum err err = c->ranked ? ERR_OK : rank(c, e);
	if (err)
		return err;
	uint64_t n = (uint64_t)c->count, ticket = rng_below(r, n * (n + 1) / 2), place = 0;
	while (ticket >= n - place)
		ticket -= n - place++;
	*ret_source = c->ranking[place];
	return ERR_OK;
}

int colony_partner(const struct colony *c, struct rng *r, int source)
{
	int others = c->count - c->full[source];
	uint64_t ticket = others ? rng_below(r, (uint64_t)others) : 0;
	for (int i = 0; others && i < c->sources; i++)
		if (i != source && c->full[i] && ticket-- == 0)
			return i;
	return source;
}

/* variation.c -- crossover and mutation of candidates.
 * SPDX-License-Identifier: MIT */
#include "search/variation.h"

#include <math.h>
#include <string.h>

#include "search/space.h"

/* The spread factor for a uniform u: its density is polynomial with index eta, cut off where the child would pass a
 * bound that lies `room` spans beyond the nearer parent. */
static double spread_factor(double u, double eta, double room)
{
	double alpha = 2 - pow(1 + 2 * room, -(eta + 1));
	double x = u * alpha;
	return pow(x <= 1 ? x : 1 / (2 - x), 1 / (eta + 1));
}

static void cross_gene(const struct variation *v, const struct space_group *g, struct rng *r, int a, int b, int *ret_a,
	int *ret_b)
{
	double low = a < b ? a : b, high = a < b ? b : a;
	double span = high - low, u = rng_uniform(r);
	double down = spread_factor(u, v->eta_crossover, (low - g->min_keep) / span);
	double up = spread_factor(u, v->eta_crossover, (g->max_keep - high) / span);
	int lower = space_round_keep(g, 0.5 * (low + high - down * span));
	int upper = space_round_keep(g, 0.5 * (low + high + up * span));
	bool swap = rng_uniform(r) < 0.5;
	*ret_a = swap ? upper : lower;
	*ret_b = swap ? lower : upper;
}

void variation_cross(const struct variation *v, const struct space *s, struct rng *r, const int *a, const int *b,
	int *ret_first, int *ret_second)
{
	size_t size = (size_t)s->group_count * sizeof *a;
	memcpy(ret_first, a, size);
	memcpy(ret_second, b, size);
	if (rng_uniform(r) >= v->crossover)
		return;
	for (int i = 0; i < s->group_count; i++)
		if (a[i] != b[i] && rng_uniform(r) < 0.5)
			cross_gene(v, &s->groups[i], r, a[i], b[i], &ret_first[i], &ret_second[i]);
}

/* A shift in -1..1 of the gene's range; at and below are how far the value lies from its upper and lower limit. */
static double polynomial(double u, double eta, double below, double above)
{
	double power = 1 / (eta + 1);
	if (u < 0.5)
		return pow(2 * u + (1 - 2 * u) * pow(1 - below, eta + 1), power) - 1;
	return 1 - pow(2 * (1 - u) + (2 * u - 1) * pow(1 - above, eta + 1), power);
}

static void mutate_gene(const struct variation *v, const struct space_group *g, struct rng *r, int *keep)
{
	double range = g->max_keep - g->min_keep;
	if (range <= 0)
		return;
	double u = rng_uniform(r);
	double shift = polynomial(u, v->eta_mutation, (*keep - g->min_keep) / range, (g->max_keep - *keep) / range);
	int wanted = space_round_keep(g, *keep + shift * range);
	if (wanted == *keep)
		wanted = u < 0.5 ? space_less(g, *keep) : space_more(g, *keep);
	if (wanted == *keep) /* it stands at the limit on that side */
		wanted = u < 0.5 ? space_more(g, *keep) : space_less(g, *keep);
	*keep = wanted;
}

void variation_mutate(const struct variation *v, const struct space *s, struct rng *r, int *keep)
{
	for (int i = 0; i < s->group_count; i++)
		if (rng_uniform(r) < v->mutation)
			mutate_gene(v, &s->groups[i], r, &keep[i]);
}

static bool can_change(const struct space_group *g)
{
	return g->min_keep < g->max_keep;
}

void variation_mutate_one(const struct variation *v, const struct space *s, struct rng *r, int *keep)
{
	int free = 0;
	for (int g = 0; g < s->group_count; g++)
		free += can_change(&s->groups[g]);
	if (!free)
		return;
	int left = (int)rng_below(r, (uint64_t)free), g = 0;
	while (!can_change(&s->groups[g]) || left--)
		g++;
	mutate_gene(v, &s->groups[g], r, &keep[g]);
}

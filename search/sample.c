/* sample.c -- random candidates, and where in the cost range they should lie.
 * SPDX-License-Identifier: MIT */
#include "search/sample.h"

#include <math.h>

#include "search/space.h"

static const double GOLDEN = 0.6180339887498949;

void sample_rng(struct rng *r, uint64_t seed, uint64_t stream, int k)
{
	rng_init(r, seed, stream << 32 | ((uint32_t)k + 1)); /* apart from all streams of small numbers */
}

void sample_shape(struct rng *r, int n, double *ret_ratio)
{
	double power = exp2(4 * rng_uniform(r) - 2);
	for (int i = 0; i < n; i++)
		ret_ratio[i] = pow(rng_uniform(r), power);
}

void sample_uniform(struct rng *r, const struct space *s, int *ret_keep)
{
	for (int i = 0; i < s->group_count; i++) {
		const struct space_group *g = &s->groups[i];
		/* Half a step beyond both ends, so that the ends are as likely as the rest. */
		double width = g->max_keep - g->min_keep + g->step;
		ret_keep[i] = space_round_keep(g, g->min_keep - 0.5 * g->step + rng_uniform(r) * width);
	}
}

double sample_spread(double start, int k)
{
	double x = start + k * GOLDEN;
	return x - floor(x);
}

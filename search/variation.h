/* variation.h -- crossover and mutation of candidates (Deb & Agrawal 1995, Deb & Goyal 1996).
 * SPDX-License-Identifier: MIT
 *
 * Both work on the channels kept as real numbers between the group's limits, then round to what the group allows. */
#ifndef SEARCH_VARIATION_H
#define SEARCH_VARIATION_H

#include "base/rng.h"

struct space;

struct variation {
	double crossover;     /* probability that a pair is crossed at all */
	double eta_crossover; /* distribution index: the larger, the closer children stay to their parents */
	double mutation;      /* probability a gene */
	double eta_mutation;
};

/* Simulated binary crossover: two children of a and b. */
void variation_cross(const struct variation *v, const struct space *s, struct rng *r, const int *a, const int *b,
	int *ret_first, int *ret_second);

/* Polynomial mutation of each gene with probability v->mutation. A gene that mutates changes, by a step at least. */
void variation_mutate(const struct variation *v, const struct space *s, struct rng *r, int *keep);

/* Mutates one gene drawn at random among those that can change, if there are any. */
void variation_mutate_one(const struct variation *v, const struct space *s, struct rng *r, int *keep);

#endif

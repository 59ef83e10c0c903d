/* population.h -- parents and the children that will compete with them (NSGA-II, Deb et al. 2002).
 * SPDX-License-Identifier: MIT
 *
 * A generation: children are added as their results come; when there are as many as parents are wanted, the best
 * of both by rank and crowding become the parents. Before the first generation is full, its members so far serve
 * as parents. */
#ifndef SEARCH_POPULATION_H
#define SEARCH_POPULATION_H

#include "base/err.h"
#include "base/rng.h"

struct population;

/* Up to `size` parents of `groups` genes and m objectives. */
enum err population_new(int size, int groups, int m, struct population **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void population_free(struct population *p);

/* Adds an evaluated child (copied): a point of m objectives to be minimised and its violation. */
enum err population_add(struct population *p, const int *genes, const double *point, double violation,
	struct errinfo *e) __attribute__((warn_unused_result));

/* How many may be chosen from now. */
int population_count(const struct population *p);

/* The genes of the better of two drawn at random, by rank, then crowding; population_count must not be 0. They
 * stay valid until the next population_add. */
enum err population_choose(struct population *p, struct rng *r, const int **ret_genes, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

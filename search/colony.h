/* colony.h -- the food sources of a bee colony (Karaboga 2005), each after another compromise between the objectives.
 * SPDX-License-Identifier: MIT
 *
 * Source i has weights w, and of two candidates it prefers the one that violates less, then the one with the lesser
 * augmented Chebyshev distance max_k w_k z_k + RHO sum_k w_k z_k from the best of all results, z being objectives
 * scaled to the spread of all results (Steuer & Choo 1983; weights as in MOEA/D, Zhang & Li 2007). So the sources
 * together hold the front, and no cost is left without one. */
#ifndef SEARCH_COLONY_H
#define SEARCH_COLONY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/rng.h"

struct colony;

/* `sources` of `groups` genes and m objectives, all empty. r: for the weights, with more than two objectives. */
enum err colony_new(int sources, int groups, int m, struct rng *r, struct colony **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void colony_free(struct colony *c);

/* How many are not empty, and the candidate of one, NULL for an empty one. */
int colony_count(const struct colony *c);
const int *colony_genes(const struct colony *c, int source);

/* An evaluated candidate (copied) that was looked for at `source`: a point of m objectives to be minimised, and its
 * violation. It goes to that source when that one is empty or prefers it, and to those others that gain most by it, to
 * three in all. Otherwise, as when a point isn't finite, the source has failed once more. */
void colony_offer(struct colony *c, int source, const int *genes, const double *point, double violation);

/* How often in a row the search at a source has failed; to be forgotten when a scout is sent out for it. */
int colony_failures(const struct colony *c, int source);
void colony_forget(struct colony *c, int source);

/* A source drawn in proportion to its fitness: n for the best of n by front, then by crowding, down to 1 for the last.
 * colony_count must not be 0. */
enum err colony_draw(struct colony *c, struct rng *r, int *ret_source, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Another source that is not empty, each as likely; `source` itself when there is none. */
int colony_partner(const struct colony *c, struct rng *r, int source);

#endif

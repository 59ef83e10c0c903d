/* pareto.h -- dominance, non-dominated sorting, crowding, hypervolume (Deb et al. 2002; While et al. 2006).
 * SPDX-License-Identifier: MIT
 *
 * Points are rows of m objectives, all to be minimised (an accuracy enters negated). A violation > 0 means infeasible;
 * constrained domination: feasible beats infeasible, less violation beats more, otherwise plain domination. NaN in a
 * point, or as a violation, counts as +infinity. */
#ifndef SEARCH_PARETO_H
#define SEARCH_PARETO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum { PARETO_MAX_OBJECTIVES = 4 };

/* Whether a dominates b. Violations 0 for unconstrained problems. */
bool pareto_dominates(const double *a, double a_violation, const double *b, double b_violation, int m);

/* rank[i] = front of point i (0: non-dominated). points is n x m, violation may be NULL. */
enum err pareto_sort(const double *points, const double *violation, int n, int m, int *ret_rank, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Crowding distance of the k points listed in members, written to ret_distance[members[i]]; boundary points get
 * INFINITY. An objective in which neighbours are infinite adds nothing. */
enum err pareto_crowding(const double *points, int m, const int *members, int k, double *ret_distance,
	struct errinfo *e)
	__attribute__((warn_unused_result));

/* Exact hypervolume that n points dominate below the reference point, m from 2 to 4. Points that don't dominate the
 * reference in every objective, or aren't finite, count nothing. */
enum err pareto_hypervolume(const double *points, int n, int m, const double *reference, double *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* improvement.h -- how much hypervolume a point would add to a front.
 * SPDX-License-Identifier: MIT
 *
 * Objectives are to be minimised, m from 2 to 4; only what lies below the reference in every objective counts. With two
 * objectives a walk along the staircase; with more the volume of the point's own box less what the front, clipped to
 * that box, dominates of it (While et al. 2012, the exclusive hypervolume). */
#ifndef SEARCH_IMPROVEMENT_H
#define SEARCH_IMPROVEMENT_H

#include "base/err.h"

struct improvement;

/* points is n x m, of any kind: only the non-dominated ones below the reference are kept, and at most `most` of them,
 * those with the most room around them. */
enum err improvement_new(const double *points, int n, int m, const double *reference, int most,
	struct improvement **ret, struct errinfo *e) __attribute__((warn_unused_result));
void improvement_free(struct improvement *s); /* accepts NULL */

enum err improvement_of(struct improvement *s, const double *point, double *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* additive.h -- the sum of what every group does by itself: least squares with coefficients that can't be negative.
 * SPDX-License-Identifier: MIT
 *
 *     effect(x) = sum over groups g of a[g][0] x[g] + a[g][1] x[g]^2,  a >= 0
 *
 * x[g] in 0..1 is the share of group g that is removed. Pruning more never has less effect, and the squares let a
 * group's first channels be cheaper than its last ones. Fitted by coordinate descent on
 *
 *     sum over rows i of (y[i] - effect(x[i]))^2 / variance[i] + ridge * sum of (a - prior)^2
 *
 * where all priors add up to what removing everything does as a rule, so that a group nobody has touched yet counts as
 * middling however many there are, and a few results suffice. */
#ifndef SEARCH_ADDITIVE_H
#define SEARCH_ADDITIVE_H

#include "base/err.h"

enum { ADDITIVE_BASES = 2 };

/* x is n x groups, row by row. A row of infinite variance says nothing. ret_a has groups x ADDITIVE_BASES numbers. */
enum err additive_fit(int groups, const double *x, const double *y, const double *variance, int n, double *ret_a,
	struct errinfo *e) __attribute__((warn_unused_result));

/* What group g alone does at x. */
double additive_of_group(const double *a, int g, double x);

/* The effect of one row of x. */
double additive_at(const double *a, int groups, const double *x);

#endif

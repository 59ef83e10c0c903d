/* process.h -- a Gaussian process: what is left when the simple part of a model is taken off, with its uncertainty.
 * SPDX-License-Identifier: MIT
 *
 * Covariance of two points, each with coordinates u and features phi:
 *
 *     sigma^2 (1 + q) exp(-q),  q = sqrt(3) |u - u'| / length     (Matern 3/2)
 *     + tau^2 phi . phi'                                          (linear)
 *     + rho^2 sum over i of max(0, 1 - |u_i - u'_i| / reach)      (rugged: each coordinate by itself)
 *
 * The rugged part is for steps within a coordinate that no smooth function follows, and that points with nearly the
 * same value there have in common. length and sigma are those of a small grid under which the observations are the
 * likeliest (marginal likelihood, Rasmussen & Williams 2006, chapter 5), judged on at most some hundred of them, evenly
 * chosen. Everything is computed anew from what is given, so the same observations give the same bits. O(n^3). */
#ifndef SEARCH_PROCESS_H
#define SEARCH_PROCESS_H

#include "base/err.h"

struct process;

/* n points, row by row: u is n x u_size, phi n x phi_size. y has mean 0 a priori; variance[i] > 0 is that of its noise.
 * n may be 0. Everything is copied. */
struct process_data {
	const double *u, *phi, *y, *variance;
	int n, u_size, phi_size;
};

enum err process_fit(const struct process_data *d, struct process **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void process_free(struct process *p); /* accepts NULL */

/* Mean and standard deviation, without noise, at m points. */
enum err process_predict(const struct process *p, const double *u, const double *phi, int m, double *ret_mean,
	double *ret_deviation, struct errinfo *e) __attribute__((warn_unused_result));

#endif

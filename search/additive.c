/* additive.c -- the sum of what every group does by itself.
 * SPDX-License-Identifier: MIT */
#include "search/additive.h"

#include <math.h>
#include <stdlib.h>

enum { SWEEPS = 60 };
/* The effect of removing all that a network has, before anything is known: divided evenly. The samples' are 12 and 13.
 * RIDGE: in units of one over the square of a coefficient's share of it. */
static const double ALL_REMOVED = 13, RIDGE = 0.3, CONVERGED = 1e-4;

/* Beyond the variance of the results: additive effects explain them only so far. */
static const double UNEXPLAINED = 0.1;

static double basis(int b, double x)
{
	return b ? x * x : x;
}

double additive_of_group(const double *a, int g, double x)
{
	double sum = 0;
	for (int b = 0; b < ADDITIVE_BASES; b++)
		sum += a[g * ADDITIVE_BASES + b] * basis(b, x);
	return sum;
}

double additive_at(const double *a, int groups, const double *x)
{
	double sum = 0;
	for (int g = 0; g < groups; g++)
		sum += additive_of_group(a, g, x[g]);
	return sum;
}

/* One row a coefficient, so that a sweep reads memory in order. */
static void transpose(int groups, const double *x, int n, double *ret)
{
	for (int g = 0; g < groups; g++)
		for (int b = 0; b < ADDITIVE_BASES; b++)
			for (int i = 0; i < n; i++)
				*ret++ = basis(b, x[(size_t)i * (size_t)groups + (size_t)g]);
}

/* The best value of one coefficient while the others stay; keeps the residuals up to date. Returns its change. */
static double descend(const double *column, const double *precision, int n, double prior, double *residual, double *a)
{
	double curve = RIDGE / (prior * prior), slope = curve * prior;
	for (int i = 0; i < n; i++) {
		double weighted = precision[i] * column[i];
		slope += weighted * (residual[i] + column[i] * *a);
		curve += weighted * column[i];
	}
	double change = fmax(slope / curve, 0) - *a;
	for (int i = 0; i < n; i++)
		residual[i] -= change * column[i];
	*a += change;
	return fabs(change);
}

enum err additive_fit(int groups, const double *x, const double *y, const double *variance, int n, double *ret_a,
	struct errinfo *e)
{
	size_t count = (size_t)groups * ADDITIVE_BASES, rows = (size_t)n;
	double *column = malloc((count * rows + 1) * sizeof *column);
	double *residual = malloc((2 * rows + 1) * sizeof *residual), *precision = residual ? residual + rows : NULL;
	if (!column || !residual) {
		free(column);
		free(residual);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	transpose(groups, x, n, column);
	for (size_t i = 0; i < rows; i++) {
		residual[i] = y[i];
		precision[i] = 1 / (variance[i] + UNEXPLAINED);
	}
	for (size_t j = 0; j < count; j++)
		ret_a[j] = 0;
	double moved = INFINITY, prior = ALL_REMOVED / (double)count;
	for (int sweep = 0; sweep < SWEEPS && moved > CONVERGED; sweep++) {
		moved = 0;
		for (size_t j = 0; j < count; j++)
			moved = fmax(moved, descend(column + j * rows, precision, n, prior, residual, &ret_a[j]));
	}
	free(column);
	free(residual);
	return ERR_OK;
}

/* process.c -- a Gaussian process.
 * SPDX-License-Identifier: MIT
 *
 * Matrices are column by column, as LAPACK wants them; a point's row of u or phi is then a column. */
#include "search/process.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Points on which length and sigma are judged. */
enum { JUDGES = 96 };

static const double LENGTHS[] = { 0.5, 1, 2, 4 };
static const double SIGMAS[] = { 0.15, 0.3, 0.6, 1.2 };
static const double USUAL_SIGMA = 0.3, TAU = 0.5, JITTER = 1e-8;

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct process {
	int n, u_size, phi_size;
	double length, sigma;
	double *u, *phi;
	double *factor; /* Cholesky's, n x n, the lower half */
	double *alpha;  /* covariance^-1 y */
};

static double matern(double distance, double length)
{
	double q = sqrt(3) * distance / length;
	return (1 + q) * exp(-q);
}

/* ret (m x n) = a's m columns times b's n columns, scale * dot products. */
static void dots(const double *a, int m, const double *b, int n, int size, double scale, double *ret)
{
	cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, m, n, size, scale, a, size, b, size, 0, ret, m);
}

/* Squared lengths of columns. */
static void squares(const double *a, int n, int size, double *ret)
{
	for (int i = 0; i < n; i++)
		ret[i] = cblas_ddot(size, a + (size_t)i * (size_t)size, 1, a + (size_t)i * (size_t)size, 1);
}

/* ret (m x n): distances between two sets of points. norms has room for m + n numbers. */
static void distances(const double *a, int m, const double *b, int n, int size, double *norms, double *ret)
{
	squares(a, m, size, norms);
	squares(b, n, size, norms + m);
	dots(a, m, b, n, size, -2, ret);
	for (int j = 0; j < n; j++)
		for (int i = 0; i < m; i++) {
			double *at = &ret[(size_t)j * (size_t)m + (size_t)i];
			*at = sqrt(fmax(*at + norms[i] + norms[m + j], 0));
		}
}

/* ---- the likelihood of length and sigma ---- */

/* What stays the same while they are tried: some of the observations. */
struct trial {
	int n;
	double *distance, *linear, *y, *variance; /* n x n, n x n, n, n */
	double *work, *alpha;
};

static void trial_free(struct trial *t)
{
	free(t->distance);
}

static enum err trial_new(const struct process_data *d, struct trial *t, struct errinfo *e)
{
	int n = t->n = d->n < JUDGES ? d->n : JUDGES;
	size_t square = (size_t)n * (size_t)n, rows = (size_t)n;
	size_t points = rows * (size_t)(d->u_size + d->phi_size);
	t->distance = malloc((3 * square + 5 * rows + points + 1) * sizeof *t->distance);
	if (!t->distance)
		return err_set(e, ERR_MEMORY, "out of memory");
	t->linear = t->distance + square;
	t->work = t->linear + square;
	t->y = t->work + square;
	t->variance = t->y + rows;
	t->alpha = t->variance + rows;
	double *norms = t->alpha + rows, *u = norms + 2 * rows, *phi = u + rows * (size_t)d->u_size;
	for (int i = 0; i < n; i++) {
		size_t from = (size_t)((int64_t)i * d->n / n), to = (size_t)i;
		t->y[i] = d->y[from];
		t->variance[i] = d->variance[from];
		memcpy(u + to * (size_t)d->u_size, d->u + from * (size_t)d->u_size, (size_t)d->u_size * sizeof *u);
		memcpy(phi + to * (size_t)d->phi_size, d->phi + from * (size_t)d->phi_size,
			(size_t)d->phi_size * sizeof *phi);
	}
	distances(u, n, u, n, d->u_size, norms, t->distance);
	dots(phi, n, phi, n, d->phi_size, TAU * TAU, t->linear);
	return ERR_OK;
}

/* -INFINITY when the matrix can't be factored. A sigma far from the usual one must earn it. */
static double log_likelihood(struct trial *t, double length, double sigma)
{
	int n = t->n;
	size_t square = (size_t)n * (size_t)n;
	for (size_t i = 0; i < square; i++)
		t->work[i] = sigma * sigma * matern(t->distance[i], length) + t->linear[i];
	for (int i = 0; i < n; i++)
		t->work[(size_t)i * (size_t)(n + 1)] += t->variance[i] + JITTER;
	if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', n, t->work, n))
		return -INFINITY;
	memcpy(t->alpha, t->y, (size_t)n * sizeof *t->y);
	cblas_dtrsv(CblasColMajor, CblasLower, CblasNoTrans, CblasNonUnit, n, t->work, n, t->alpha, 1);
	double log_determinant = 0, away = log(sigma / USUAL_SIGMA);
	for (int i = 0; i < n; i++)
		log_determinant += log(t->work[(size_t)i * (size_t)(n + 1)]);
	return -cblas_ddot(n, t->alpha, 1, t->alpha, 1) / 2 - log_determinant - away * away / 2;
}

static enum err choose(struct process *p, const struct process_data *d, struct errinfo *e)
{
	struct trial t = { 0 };
	p->length = LENGTHS[1];
	p->sigma = USUAL_SIGMA;
	if (!d->n)
		return ERR_OK;
	enum err err = trial_new(d, &t, e);
	if (err)
		return err;
	double best = -INFINITY;
	for (size_t i = 0; i < COUNT(LENGTHS); i++)
		for (size_t k = 0; k < COUNT(SIGMAS); k++) {
			double likelihood = log_likelihood(&t, LENGTHS[i], SIGMAS[k]);
			if (likelihood > best) {
				best = likelihood;
				p->length = LENGTHS[i];
				p->sigma = SIGMAS[k];
			}
		}
	trial_free(&t);
	return ERR_OK;
}

/* ---- fitting ---- */

/* ret (m x n): covariances of m points with those of p. */
static void covariances(const struct process *p, const double *u, const double *phi, int m, double *norms, double *ret)
{
	distances(u, m, p->u, p->n, p->u_size, norms, ret);
	for (size_t i = 0; i < (size_t)m * (size_t)p->n; i++)
		ret[i] = p->sigma * p->sigma * matern(ret[i], p->length);
	cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, m, p->n, p->phi_size, TAU * TAU, phi, p->phi_size, p->phi,
		p->phi_size, 1, ret, m);
}

static enum err factor(struct process *p, const struct process_data *d, struct errinfo *e)
{
	double *norms = malloc((2 * (size_t)p->n + 1) * sizeof *norms);
	if (!norms)
		return err_set(e, ERR_MEMORY, "out of memory");
	covariances(p, p->u, p->phi, p->n, norms, p->factor);
	free(norms);
	for (int i = 0; i < p->n; i++)
		p->factor[(size_t)i * (size_t)(p->n + 1)] += d->variance[i] + JITTER;
	memcpy(p->alpha, d->y, (size_t)p->n * sizeof *p->alpha);
	if (LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'L', p->n, p->factor, p->n) ||
		LAPACKE_dpotrs(LAPACK_COL_MAJOR, 'L', p->n, 1, p->factor, p->n, p->alpha, p->n))
		return err_set(e, ERR_INTERNAL, "the covariances of %d results can't be factored", p->n);
	return ERR_OK;
}

static enum err process_new(const struct process_data *d, struct process **ret, struct errinfo *e)
{
	size_t n = (size_t)d->n, u = n * (size_t)d->u_size, phi = n * (size_t)d->phi_size;
	struct process *p = calloc(1, sizeof *p);
	if (p)
		p->u = malloc((u + phi + n * n + n + 1) * sizeof *p->u);
	if (!p || !p->u) {
		process_free(p);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	p->n = d->n;
	p->u_size = d->u_size;
	p->phi_size = d->phi_size;
	p->phi = p->u + u;
	p->factor = p->phi + phi;
	p->alpha = p->factor + n * n;
	memcpy(p->u, d->u, u * sizeof *p->u);
	memcpy(p->phi, d->phi, phi * sizeof *p->phi);
	*ret = p;
	return ERR_OK;
}

enum err process_fit(const struct process_data *d, const struct process *like, struct process **ret, struct errinfo *e)
{
	struct process *p = NULL;
	enum err err = process_new(d, &p, e);
	if (err)
		return err;
	openblas_set_num_threads(1); /* the same bits everywhere; there is nothing to gain at this size */
	if (like) {
		p->length = like->length;
		p->sigma = like->sigma;
	} else {
		err = choose(p, d, e);
	}
	if (!err && p->n)
		err = factor(p, d, e);
	if (err)
		process_free(p);
	else
		*ret = p;
	return err;
}

void process_free(struct process *p)
{
	if (!p)
		return;
	free(p->u);
	free(p);
}

/* ---- prediction ---- */

/* Before anything was observed. */
static void predict_prior(const struct process *p, int m, const double *norms, double *ret_mean, double *ret_deviation)
{
	for (int i = 0; i < m; i++) {
		ret_mean[i] = 0;
		ret_deviation[i] = sqrt(p->sigma * p->sigma + TAU * TAU * norms[i]);
	}
}

static void predict(const struct process *p, int m, double *known, const double *norms, double *ret_mean,
	double *ret_deviation)
{
	cblas_dgemv(CblasColMajor, CblasNoTrans, m, p->n, 1, known, m, p->alpha, 1, 0, ret_mean, 1);
	cblas_dtrsm(CblasColMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, m, p->n, 1, p->factor, p->n,
		known, m);
	for (int i = 0; i < m; i++) {
		double explained = cblas_ddot(p->n, known + i, m, known + i, m);
		double variance = p->sigma * p->sigma + TAU * TAU * norms[i] - explained;
		ret_deviation[i] = sqrt(fmax(variance, 1e-6));
	}
}

enum err process_predict(const struct process *p, const double *u, const double *phi, int m, double *ret_mean,
	double *ret_deviation, struct errinfo *e)
{
	size_t n = (size_t)p->n, rows = (size_t)m;
	if (!m)
		return ERR_OK;
	double *known = malloc((n * rows + n + rows + 1) * sizeof *known);
	if (!known)
		return err_set(e, ERR_MEMORY, "out of memory");
	double *norms = known + n * rows;
	if (n)
		covariances(p, u, phi, m, norms, known);
	squares(phi, m, p->phi_size, norms);
	if (n)
		predict(p, m, known, norms, ret_mean, ret_deviation);
	else
		predict_prior(p, m, norms, ret_mean, ret_deviation);
	free(known);
	return ERR_OK;
}

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

#include "base/simd.h"

/* Points on which length and sigma are judged. */
enum { JUDGES = 96 };

static const double LENGTHS[] = { 0.5, 1, 2, 4 };
static const double SIGMAS[] = { 0.15, 0.3, 0.6, 1.2 };
static const double USUAL_SIGMA = 0.3, TAU = 0.5, RUGGED = 0.1, REACH = 0.2, JITTER = 1e-8;

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Columns of coordinates and of features. */
struct points {
	const double *u, *phi;
	int n, u_size, phi_size;
};

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

/* Squared lengths of columns. */
static void squares(const double *a, int n, int size, double *ret)
{
	for (int i = 0; i < n; i++)
		ret[i] = cblas_ddot(size, a + (size_t)i * (size_t)size, 1, a + (size_t)i * (size_t)size, 1);
}

/* ret (a->n x b->n): distances of coordinates. room: a->n + b->n numbers. */
static void distances(const struct points *a, const struct points *b, double *room, double *ret)
{
	int m = a->n, n = b->n, size = a->u_size;
	squares(a->u, m, size, room);
	squares(b->u, n, size, room + m);
	cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, m, n, size, -2, a->u, size, b->u, size, 0, ret, m);
	for (int j = 0; j < n; j++)
		for (int i = 0; i < m; i++) {
			double *at = &ret[(size_t)j * (size_t)m + (size_t)i];
			*at = sqrt(fmax(*at + room[i] + room[m + j], 0));
		}
}

/* Adds to ret (a->n x b->n) the linear part. */
static void add_linear(const struct points *a, const struct points *b, double *ret)
{
	cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, a->n, b->n, a->phi_size, TAU * TAU, a->phi, a->phi_size,
		b->phi, b->phi_size, 1, ret, a->n);
}

/* Adds to ret (a->n x b->n) the rugged part. room: a->n numbers, one coordinate of all of a, so that the innermost loop
 * runs along memory. */
SIMD static void add_rugged(const struct points *a, const struct points *b, double *restrict room, double *restrict ret)
{
	size_t m = (size_t)a->n, size = (size_t)a->u_size;
	for (size_t g = 0; g < size; g++) {
		for (size_t i = 0; i < m; i++)
			room[i] = a->u[i * size + g];
		for (size_t j = 0; j < (size_t)b->n; j++) {
			double *restrict at = ret + j * m, from = b->u[j * size + g];
			for (size_t i = 0; i < m; i++) {
				double near = REACH - fabs(room[i] - from);
				at[i] += RUGGED * RUGGED / REACH * (near > 0 ? near : 0);
			}
		}
	}
}

/* Of a point itself, given the square of its features' length. */
static double prior_variance(const struct process *p, double square)
{
	return p->sigma * p->sigma + TAU * TAU * square + RUGGED * RUGGED * p->u_size;
}

/* ---- the likelihood of length and sigma ---- */

/* What stays the same while they are tried: some of the observations. */
struct trial {
	int n;
	double *distance, *fixed, *y, *variance; /* n x n, n x n (the parts without length and sigma), n, n */
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
	t->distance = calloc(3 * square + 5 * rows + points + 1, sizeof *t->distance);
	if (!t->distance)
		return err_set(e, ERR_MEMORY, "out of memory");
	t->fixed = t->distance + square;
	t->work = t->fixed + square;
	t->y = t->work + square;
	t->variance = t->y + rows;
	t->alpha = t->variance + rows;
	double *room = t->alpha + rows, *u = room + 2 * rows, *phi = u + rows * (size_t)d->u_size;
	for (int i = 0; i < n; i++) {
		size_t from = (size_t)((int64_t)i * d->n / n), to = (size_t)i;
		t->y[i] = d->y[from];
		t->variance[i] = d->variance[from];
		memcpy(u + to * (size_t)d->u_size, d->u + from * (size_t)d->u_size, (size_t)d->u_size * sizeof *u);
		memcpy(phi + to * (size_t)d->phi_size, d->phi + from * (size_t)d->phi_size,
			(size_t)d->phi_size * sizeof *phi);
	}
	struct points p = { u, phi, n, d->u_size, d->phi_size };
	distances(&p, &p, room, t->distance);
	add_linear(&p, &p, t->fixed);
	add_rugged(&p, &p, room, t->fixed);
	return ERR_OK;
}

/* -INFINITY when the matrix can't be factored. A sigma far from the usual one must earn it. */
static double log_likelihood(struct trial *t, double length, double sigma)
{
	int n = t->n;
	size_t square = (size_t)n * (size_t)n;
	for (size_t i = 0; i < square; i++)
		t->work[i] = sigma * sigma * matern(t->distance[i], length) + t->fixed[i];
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

/* ret (a->n x p->n): covariances with the points of p. room: a->n + p->n numbers. */
static void covariances(const struct process *p, const struct points *a, double *room, double *ret)
{
	struct points b = { p->u, p->phi, p->n, p->u_size, p->phi_size };
	distances(a, &b, room, ret);
	for (size_t i = 0; i < (size_t)a->n * (size_t)p->n; i++)
		ret[i] = p->sigma * p->sigma * matern(ret[i], p->length);
	add_linear(a, &b, ret);
	add_rugged(a, &b, room, ret);
}

static enum err factor(struct process *p, const struct process_data *d, struct errinfo *e)
{
	struct points own = { p->u, p->phi, p->n, p->u_size, p->phi_size };
	double *room = malloc((2 * (size_t)p->n + 1) * sizeof *room);
	if (!room)
		return err_set(e, ERR_MEMORY, "out of memory");
	covariances(p, &own, room, p->factor);
	free(room);
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

enum err process_fit(const struct process_data *d, struct process **ret, struct errinfo *e)
{
	struct process *p = NULL;
	enum err err = process_new(d, &p, e);
	if (err)
		return err;
	openblas_set_num_threads(1); /* the same bits everywhere; there is nothing to gain at this size */
	err = choose(p, d, e);
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
		ret_deviation[i] = sqrt(prior_variance(p, norms[i]));
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
		ret_deviation[i] = sqrt(fmax(prior_variance(p, norms[i]) - explained, 1e-6));
	}
}

enum err process_predict(const struct process *p, const double *u, const double *phi, int m, double *ret_mean,
	double *ret_deviation, struct errinfo *e)
{
	struct points asked = { u, phi, m, p->u_size, p->phi_size };
	size_t n = (size_t)p->n, rows = (size_t)m;
	if (!m)
		return ERR_OK;
	double *known = malloc((n * rows + n + rows + 1) * sizeof *known);
	if (!known)
		return err_set(e, ERR_MEMORY, "out of memory");
	double *norms = known + n * rows;
	if (n)
		covariances(p, &asked, norms, known);
	squares(phi, m, p->phi_size, norms);
	if (n)
		predict(p, m, known, norms, ret_mean, ret_deviation);
	else
		predict_prior(p, m, norms, ret_mean, ret_deviation);
	free(known);
	return ERR_OK;
}

/* surrogate.c -- what pruning does to one metric, learned from results.
 * SPDX-License-Identifier: MIT */
#include "search/surrogate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "search/additive.h"
#include "search/process.h"

static const double EDGE = 0.1;             /* keeps the logarithm finite where a group is all but gone */
static const double LEAST_WEIGHT = 0.2;     /* of a group that seems to do nothing: it may matter with others */

/* To the additive part a censored result says nothing; to the process, that the effect is a little beyond the edge. */
static const double BEYOND = 0.5, BEYOND_VARIANCE = 1;

struct surrogate {
	int groups;
	double *a;      /* groups x ADDITIVE_BASES */
	double *weight; /* of each group's coordinate */
	struct process *process;
};

/* What is fitted, one row a result. */
struct rows {
	double *y, *variance, *u, *phi;
};

/* ---- rows ---- */

/* y and variance as the additive part is to take them: of what is censored nothing. */
static enum err rows_new(const struct surrogate_data *d, struct rows *r, struct errinfo *e)
{
	size_t n = (size_t)d->n, groups = (size_t)d->groups;
	r->y = malloc((n * (groups * (1 + ADDITIVE_BASES) + 2) + 1) * sizeof *r->y);
	if (!r->y)
		return err_set(e, ERR_MEMORY, "out of memory");
	r->variance = r->y + n;
	r->u = r->variance + n;
	r->phi = r->u + n * groups;
	for (size_t i = 0; i < n; i++) {
		bool censored = d->effect[i] >= d->censored;
		r->y[i] = censored ? d->censored + BEYOND : d->effect[i];
		r->variance[i] = censored ? INFINITY : d->variance[i];
	}
	return ERR_OK;
}

/* ---- what the process sees ---- */

static void set_weights(struct surrogate *s)
{
	double mean = 0;
	for (int g = 0; g < s->groups; g++) {
		s->weight[g] = fmax(additive_of_group(s->a, g, 1), LEAST_WEIGHT);
		mean += s->weight[g] / s->groups;
	}
	for (int g = 0; g < s->groups; g++)
		s->weight[g] = sqrt(s->weight[g] / mean);
}

static void map_row(const struct surrogate *s, const double *x, double *ret_u, double *ret_phi)
{
	for (int g = 0; g < s->groups; g++) {
		ret_u[g] = s->weight[g] * -log(1 - x[g] + EDGE);
		ret_phi[g * ADDITIVE_BASES] = x[g];
		ret_phi[g * ADDITIVE_BASES + 1] = x[g] * x[g];
	}
}

static void map_rows(const struct surrogate *s, const double *x, int n, double *ret_u, double *ret_phi)
{
	size_t groups = (size_t)s->groups;
	for (size_t i = 0; i < (size_t)n; i++)
		map_row(s, x + i * groups, ret_u + i * groups, ret_phi + i * groups * ADDITIVE_BASES);
}

/* ---- fitting ---- */

static enum err fit(struct surrogate *s, const struct surrogate_data *d, struct rows *r, struct errinfo *e)
{
	enum err err = additive_fit(s->groups, d->x, r->y, r->variance, d->n, s->a, e);
	if (err)
		return err;
	set_weights(s);
	map_rows(s, d->x, d->n, r->u, r->phi);
	for (int i = 0; i < d->n; i++) { /* what is left for the process, which hears of what is censored too */
		r->y[i] -= additive_at(s->a, s->groups, d->x + (size_t)i * (size_t)s->groups);
		if (isinf(r->variance[i]))
			r->variance[i] = d->variance[i] + BEYOND_VARIANCE;
	}
	struct process_data data = { .u = r->u, .phi = r->phi, .y = r->y, .variance = r->variance, .n = d->n,
		.u_size = s->groups, .phi_size = s->groups * ADDITIVE_BASES };
	return process_fit(&data, &s->process, e);
}

enum err surrogate_fit(const struct surrogate_data *d, struct surrogate **ret, struct errinfo *e)
{
	struct rows r = { 0 };
	struct surrogate *s = calloc(1, sizeof *s);
	if (s)
		s->a = calloc((size_t)d->groups * (ADDITIVE_BASES + 1), sizeof *s->a);
	if (!s || !s->a) {
		surrogate_free(s);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	s->groups = d->groups;
	s->weight = s->a + (size_t)d->groups * ADDITIVE_BASES;
	enum err err = rows_new(d, &r, e);
	if (!err) {
		err = fit(s, d, &r, e);
		free(r.y);
	}
	if (err)
		surrogate_free(s);
	else
		*ret = s;
	return err;
}

void surrogate_free(struct surrogate *s)
{
	if (!s)
		return;
	process_free(s->process);
	free(s->a);
	free(s);
}

/* ---- prediction ---- */

enum err surrogate_predict(const struct surrogate *s, const double *x, int m, double *ret_mean, double *ret_deviation,
	struct errinfo *e)
{
	size_t groups = (size_t)s->groups, rows = (size_t)m;
	double *u = calloc(rows * groups * (1 + ADDITIVE_BASES) + 1, sizeof *u);
	if (!u)
		return err_set(e, ERR_MEMORY, "out of memory");
	double *phi = u + rows * groups;
	map_rows(s, x, m, u, phi);
	enum err err = process_predict(s->process, u, phi, m, ret_mean, ret_deviation, e);
	for (size_t i = 0; i < rows && !err; i++)
		ret_mean[i] += additive_at(s->a, s->groups, x + i * groups);
	free(u);
	return err;
}

double surrogate_of_group(const struct surrogate *s, int g, double x)
{
	return additive_of_group(s->a, g, x);
}

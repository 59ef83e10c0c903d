/* improvement.c -- how much hypervolume a point would add to a front.
 * SPDX-License-Identifier: MIT */
#include "search/improvement.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "search/order.h"
#include "search/pareto.h"

struct improvement {
	int m, count;
	double reference[PARETO_MAX_OBJECTIVES];
	double *points;  /* count x m; with two objectives by the first one, ascending */
	double *clipped; /* as large */
};

static bool counts(const double *point, const double *reference, int m)
{
	for (int i = 0; i < m; i++)
		if (!(point[i] < reference[i]))
			return false;
	return true;
}

static int by_first(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Takes the first points in `order` that count. */
static void take(struct improvement *s, const double *points, int n, const int *order, int most)
{
	size_t m = (size_t)s->m;
	for (int i = 0; i < n && s->count < most; i++) {
		const double *point = points + (size_t)order[i] * m;
		if (counts(point, s->reference, s->m))
			memcpy(s->points + (size_t)s->count++ * m, point, m * sizeof *point);
	}
	if (m == 2)
		qsort(s->points, (size_t)s->count, 2 * sizeof *s->points, by_first);
}

enum err improvement_new(const double *points, int n, int m, const double *reference, int most,
	struct improvement **ret, struct errinfo *e)
{
	struct improvement *s = calloc(1, sizeof *s);
	size_t rows = (size_t)(n < most ? n : most);
	int *order = calloc((size_t)n + 1, sizeof *order);
	if (s)
		s->points = malloc((2 * rows * (size_t)m + 1) * sizeof *s->points);
	if (!s || !s->points || !order) {
		improvement_free(s);
		free(order);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	s->m = m;
	s->clipped = s->points + rows * (size_t)m;
	memcpy(s->reference, reference, (size_t)m * sizeof *reference);
	int front;
	enum err err = order_front(points, NULL, n, m, order, &front, e);
	if (err) {
		improvement_free(s);
	} else {
		take(s, points, front, order, most);
		*ret = s;
	}
	free(order);
	return err;
}

void improvement_free(struct improvement *s)
{
	if (!s)
		return;
	free(s->points);
	free(s);
}

/* Column by column of the staircase: between the first objective of one point and the next, the height that is still
 * free is that of the points so far. */
static double area(const struct improvement *s, const double *point)
{
	double sum = 0, height = s->reference[1], from = point[0];
	for (int i = 0; i < s->count && height > point[1]; i++) {
		const double *step = s->points + 2 * i;
		if (step[0] > from) {
			sum += (step[0] - from) * (height - point[1]);
			from = step[0];
		}
		height = fmin(height, step[1]);
	}
	return height > point[1] ? sum + (s->reference[0] - from) * (height - point[1]) : sum;
}

static enum err volume(struct improvement *s, const double *point, double *ret, struct errinfo *e)
{
	double box = 1, covered;
	for (int i = 0; i < s->m; i++)
		box *= s->reference[i] - point[i];
	for (int k = 0; k < s->count; k++)
		for (int i = 0; i < s->m; i++)
			s->clipped[k * s->m + i] = fmax(s->points[k * s->m + i], point[i]);
	enum err err = pareto_hypervolume(s->clipped, s->count, s->m, s->reference, &covered, e);
	*ret = err ? 0 : fmax(box - covered, 0);
	return err;
}

enum err improvement_of(struct improvement *s, const double *point, double *ret, struct errinfo *e)
{
	*ret = 0;
	if (!counts(point, s->reference, s->m))
		return ERR_OK;
	if (s->m > 2)
		return volume(s, point, ret, e);
	*ret = area(s, point);
	return ERR_OK;
}

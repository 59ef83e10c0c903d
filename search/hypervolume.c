/* hypervolume.c -- the exact volume that points dominate, by slicing objectives (HSO, While et al. 2006).
 * SPDX-License-Identifier: MIT
 *
 * Two objectives: a staircase that grows point by point and knows its area. Three: points in order of the third
 * objective; between two of them the cross-section is the staircase of those before. Four: the same with a
 * three-dimensional cross-section, whose points are kept sorted. O(n log n) steps for two (besides moving memory),
 * O(n^2) for three at worst, O(n^3) for four. */
#include "search/pareto.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct point {
	double v[PARETO_MAX_OBJECTIVES];
};

struct step {
	double x, y;
};

/* Steps by ascending x and descending y, none dominated. Room for all points. */
struct stairs {
	struct step *steps;
	int count;
	double area;
	double x_end, y_end; /* the reference */
};

static int stairs_find(const struct stairs *s, double x)
{
	int low = 0, high = s->count;
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (s->steps[middle].x < x)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void stairs_add(struct stairs *s, double x, double y)
{
	int at = stairs_find(s, x);
	double height = at > 0 ? s->steps[at - 1].y : s->y_end;
	if (height <= y || (at < s->count && s->steps[at].x == x && s->steps[at].y <= y))
		return;
	double from = x;
	int end = at;
	for (; end < s->count && s->steps[end].y >= y; end++) {
		s->area += (s->steps[end].x - from) * (height - y);
		from = s->steps[end].x;
		height = s->steps[end].y;
	}
	s->area += ((end < s->count ? s->steps[end].x : s->x_end) - from) * (height - y);
	memmove(s->steps + at + 1, s->steps + end, (size_t)(s->count - end) * sizeof *s->steps);
	s->steps[at] = (struct step){ x, y };
	s->count += 1 - (end - at);
}

static double area(struct stairs *s, const struct point *points, int n)
{
	s->count = 0;
	s->area = 0;
	for (int i = 0; i < n; i++)
		stairs_add(s, points[i].v[0], points[i].v[1]);
	return s->area;
}

/* Points in ascending order of their third objective. */
static double volume(struct stairs *s, const struct point *points, int n, double z_end)
{
	double sum = 0;
	s->count = 0;
	s->area = 0;
	for (int i = 0; i < n; i++) {
		stairs_add(s, points[i].v[0], points[i].v[1]);
		sum += s->area * ((i + 1 < n ? points[i + 1].v[2] : z_end) - points[i].v[2]);
	}
	return sum;
}

/* Points in ascending order of their fourth objective; `sorted` has room for them. */
static double volume4(struct stairs *s, const struct point *points, int n, const double *reference,
	struct point *sorted)
{
	double sum = 0;
	for (int i = 0; i < n; i++) {
		int at = i;
		while (at > 0 && sorted[at - 1].v[2] > points[i].v[2])
			at--;
		memmove(sorted + at + 1, sorted + at, (size_t)(i - at) * sizeof *sorted);
		sorted[at] = points[i];
		double thickness = (i + 1 < n ? points[i + 1].v[3] : reference[3]) - points[i].v[3];
		if (thickness > 0)
			sum += thickness * volume(s, sorted, i + 1, reference[2]);
	}
	return sum;
}

static bool counts(const double *p, const double *reference, int m)
{
	for (int i = 0; i < m; i++)
		if (!isfinite(p[i]) || !(p[i] < reference[i]))
			return false;
	return true;
}

static int select_points(const double *points, int n, int m, const double *reference, struct point *ret)
{
	int count = 0;
	for (int i = 0; i < n; i++) {
		const double *p = points + (size_t)i * (size_t)m;
		if (!counts(p, reference, m))
			continue;
		ret[count] = (struct point){ 0 };
		memcpy(ret[count++].v, p, (size_t)m * sizeof *p);
	}
	return count;
}

static int by_last(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	for (int i = PARETO_MAX_OBJECTIVES - 1; i >= 0; i--)
		if (x->v[i] != y->v[i])
			return x->v[i] < y->v[i] ? -1 : 1;
	return 0;
}

enum err pareto_hypervolume(const double *points, int n, int m, const double *reference, double *ret, struct errinfo *e)
{
	assert(m >= 2 && m <= PARETO_MAX_OBJECTIVES);
	size_t room = n > 0 ? (size_t)n : 1;
	enum err err = ERR_OK;
	struct point *selected = calloc(room, sizeof *selected);
	struct point *sorted = calloc(room, sizeof *sorted);
	struct stairs s = { .x_end = reference[0], .y_end = reference[1] };
	s.steps = calloc(room + 1, sizeof *s.steps);
	if (!selected || !sorted || !s.steps) {
		err = err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	int count = select_points(points, n, m, reference, selected);
	qsort(selected, (size_t)count, sizeof *selected, by_last);
	*ret = m == 2 ? area(&s, selected, count)
		: m == 3 ? volume(&s, selected, count, reference[2])
		: volume4(&s, selected, count, reference, sorted);
out:
	free(s.steps);
	free(sorted);
	free(selected);
	return err;
}

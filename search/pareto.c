/* pareto.c -- dominance, non-dominated sorting and crowding.
 * SPDX-License-Identifier: MIT
 *
 * The sort is ENS-BS (Zhang et al. 2015): in lexicographic order no later point dominates an earlier one, so a
 * point only has to be compared with the fronts built so far, and as a front that doesn't dominate it is followed
 * by none that does, the first such front is found by bisection. O(n log n) for two objectives, where the point
 * last added to a front decides; O(n^2 m) at worst for more. Constrained domination orders classes of equal
 * violation: a class starts where the one before ended, since its members dominate all of the next. */
#include "search/pareto.h"

#include <math.h>
#include <stdlib.h>

/* NaN as +infinity. */
static double value_of(double x)
{
	return isnan(x) ? INFINITY : x;
}

static double violation_of(double x)
{
	return isnan(x) ? INFINITY : x > 0 ? x : 0;
}

static bool dominates_plain(const double *a, const double *b, int m)
{
	bool better = false;
	for (int i = 0; i < m; i++) {
		double x = value_of(a[i]), y = value_of(b[i]);
		if (x > y)
			return false;
		better = better || x < y;
	}
	return better;
}

bool pareto_dominates(const double *a, double a_violation, const double *b, double b_violation, int m)
{
	double x = violation_of(a_violation), y = violation_of(b_violation);
	return x != y ? x < y : dominates_plain(a, b, m);
}

/* ---- sorting ---- */

struct row {
	double value[PARETO_MAX_OBJECTIVES]; /* without NaN, padded with 0 */
	double violation;
	int index;
	int below; /* in `rows`: the member added to the same front before, -1: none */
};

struct fronts {
	struct row *rows;
	int *last; /* per front of the class: the member added last */
	int count;
	int m;
};

static int by_violation_then_values(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->violation != y->violation)
		return x->violation < y->violation ? -1 : 1;
	for (int i = 0; i < PARETO_MAX_OBJECTIVES; i++)
		if (x->value[i] != y->value[i])
			return x->value[i] < y->value[i] ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

static bool front_dominates(const struct fronts *f, int front, const struct row *p)
{
	int member = f->last[front];
	if (f->m == 2) /* it has the front's least second objective */
		return dominates_plain(f->rows[member].value, p->value, 2);
	for (; member >= 0; member = f->rows[member].below)
		if (dominates_plain(f->rows[member].value, p->value, f->m))
			return true;
	return false;
}

static int first_front_not_dominating(const struct fronts *f, const struct row *p)
{
	int low = 0, high = f->count;
	while (low < high) {
		int middle = low + (high - low) / 2;
		if (front_dominates(f, middle, p))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void place(struct fronts *f, int at, int base, int *ret_rank)
{
	struct row *p = &f->rows[at];
	int front = first_front_not_dominating(f, p);
	p->below = front < f->count ? f->last[front] : -1;
	if (front == f->count)
		f->count++;
	f->last[front] = at;
	ret_rank[p->index] = base + front;
}

static void fill_rows(struct row *rows, const double *points, const double *violation, int n, int m)
{
	for (int i = 0; i < n; i++) {
		rows[i] = (struct row){ .index = i, .violation = violation ? violation_of(violation[i]) : 0 };
		for (int k = 0; k < m; k++)
			rows[i].value[k] = value_of(points[(size_t)i * (size_t)m + (size_t)k]);
	}
}

enum err pareto_sort(const double *points, const double *violation, int n, int m, int *ret_rank, struct errinfo *e)
{
	if (n <= 0)
		return ERR_OK;
	enum err err = ERR_OK;
	struct fronts f = { .m = m };
	f.rows = calloc((size_t)n, sizeof *f.rows);
	f.last = calloc((size_t)n, sizeof *f.last);
	if (!f.rows || !f.last) {
		err = err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	fill_rows(f.rows, points, violation, n, m);
	qsort(f.rows, (size_t)n, sizeof *f.rows, by_violation_then_values);
	int base = 0;
	for (int i = 0; i < n; i++) {
		if (i > 0 && f.rows[i].violation != f.rows[i - 1].violation) {
			base += f.count;
			f.count = 0;
		}
		place(&f, i, base, ret_rank);
	}
out:
	free(f.last);
	free(f.rows);
	return err;
}

/* ---- crowding ---- */

struct entry {
	double value;
	int member;
};

static int by_value(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->member > y->member) - (x->member < y->member);
}

/* Greatest difference between finite values of sorted entries; 0 when there is none. */
static double spread(const struct entry *entries, int k)
{
	int first = 0, last = k - 1;
	while (first < k && !isfinite(entries[first].value))
		first++;
	while (last > first && !isfinite(entries[last].value))
		last--;
	return first < last ? entries[last].value - entries[first].value : 0;
}

enum err pareto_crowding(const double *points, int m, const int *members, int k, double *ret_distance,
	struct errinfo *e)
{
	if (k <= 0)
		return ERR_OK;
	struct entry *entries = calloc((size_t)k, sizeof *entries);
	if (!entries)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (int i = 0; i < k; i++)
		ret_distance[members[i]] = 0;
	for (int objective = 0; objective < m; objective++) {
		for (int i = 0; i < k; i++) {
			size_t at = (size_t)members[i] * (size_t)m + (size_t)objective;
			entries[i] = (struct entry){ .value = value_of(points[at]), .member = members[i] };
		}
		qsort(entries, (size_t)k, sizeof *entries, by_value);
		double range = spread(entries, k);
		ret_distance[entries[0].member] = INFINITY;
		ret_distance[entries[k - 1].member] = INFINITY;
		for (int i = 1; i < k - 1; i++) {
			double gap = entries[i + 1].value - entries[i - 1].value;
			if (range > 0 && isfinite(gap))
				ret_distance[entries[i].member] += gap / range;
		}
	}
	free(entries);
	return ERR_OK;
}

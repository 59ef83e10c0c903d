/* order.c -- points from the best to the worst.
 * SPDX-License-Identifier: MIT */
#include "search/order.h"

#include <stdlib.h>

#include "search/pareto.h"

struct standing {
	int index, rank;
	double crowding;
};

static int better_first(const void *a, const void *b)
{
	const struct standing *x = a, *y = b;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	if (x->crowding != y->crowding)
		return x->crowding > y->crowding ? -1 : 1;
	return (x->index > y->index) - (x->index < y->index);
}

/* Standings are sorted by rank; their crowding is filled in, a front at a time. crowding and members are scratch. */
static enum err crowd_fronts(const double *points, int n, int m, struct standing *s, double *crowding, int *members,
	struct errinfo *e)
{
	for (int start = 0, end; start < n; start = end) {
		for (end = start; end < n && s[end].rank == s[start].rank; end++)
			members[end - start] = s[end].index;
		enum err err = pareto_crowding(points, m, members, end - start, crowding, e);
		if (err)
			return err;
		for (int i = start; i < end; i++)
			s[i].crowding = crowding[s[i].index];
	}
	return ERR_OK;
}

enum err order_front(const double *points, const double *violation, int n, int m, int *ret_order, int *ret_front,
	struct errinfo *e)
{
	*ret_front = 0;
	if (n <= 0)
		return ERR_OK;
	struct standing *s = calloc((size_t)n, sizeof *s);
	double *crowding = calloc((size_t)n, sizeof *crowding);
	int *ranks = calloc((size_t)n, sizeof *ranks);
	enum err err = s && crowding && ranks ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = pareto_sort(points, violation, n, m, ranks, e);
	if (err)
		goto out;
	for (int i = 0; i < n; i++)
		s[i] = (struct standing){ .index = i, .rank = ranks[i] };
	qsort(s, (size_t)n, sizeof *s, better_first);
	err = crowd_fronts(points, n, m, s, crowding, ranks, e);
	if (err)
		goto out;
	qsort(s, (size_t)n, sizeof *s, better_first);
	for (int i = 0; i < n; i++) {
		ret_order[i] = s[i].index;
		*ret_front += s[i].rank == 0;
	}
out:
	free(s);
	free(crowding);
	free(ranks);
	return err;
}

enum err order_points(const double *points, const double *violation, int n, int m, int *ret_order, struct errinfo *e)
{
	int front;
	return order_front(points, violation, n, m, ret_order, &front, e);
}

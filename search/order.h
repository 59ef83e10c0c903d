/* order.h -- points from the best to the worst: by front, then by crowding, then as they stand (Deb et al. 2002).
 * SPDX-License-Identifier: MIT */
#ifndef SEARCH_ORDER_H
#define SEARCH_ORDER_H

#include "base/err.h"

/* The indices of n points (n x m, as in search/pareto.h), the best first. violation may be NULL. */
enum err order_points(const double *points, const double *violation, int n, int m, int *ret_order, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The same, and how many of them nothing dominates: the first ones. */
enum err order_front(const double *points, const double *violation, int n, int m, int *ret_order, int *ret_front,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

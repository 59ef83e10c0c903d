/* front.h -- the Pareto set as results come in.
 * SPDX-License-Identifier: MIT
 *
 * Members are feasible and not dominated; of several with equal objectives the lowest number stays. The set after all
 * results is independent of their order. A result with an objective that is not finite is no member. */
#ifndef SEARCH_FRONT_H
#define SEARCH_FRONT_H

#include "search/strategy.h"

struct front;

/* p is copied; its space is not used. */
enum err front_open(const struct problem *p, struct front **ret, struct errinfo *e) __attribute__((warn_unused_result));
void front_close(struct front *f);

/* Offers trial `number`, each once. *ret_joined says whether it is a member now; *ret_left (an array owned by the
 * front, valid until the next call) lists the *ret_left_count members that it drove out. */
enum err front_offer(struct front *f, int number, const double metrics[METRIC_COUNT], bool *ret_joined,
	const int **ret_left, int *ret_left_count, struct errinfo *e) __attribute__((warn_unused_result));

/* By how much the hypervolume (below) would grow if trial `number` were offered: 0 when it would not join. */
enum err front_gain(const struct front *f, int number, const double metrics[METRIC_COUNT], double *ret,
	struct errinfo *e) __attribute__((warn_unused_result));

int front_size(const struct front *f);

/* Hypervolume of the members in objectives scaled to the baseline: accuracy as it is against reference 0, a cost as its
 * share of the baseline's against reference 1. In 0..1. A cost whose baseline is 0 or unknown makes it 0. */
enum err front_hypervolume(const struct front *f, double *ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

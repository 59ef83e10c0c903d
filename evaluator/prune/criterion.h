/* criterion.h -- how much each channel of a group matters.
 * SPDX-License-Identifier: MIT
 *
 * A class's importance is combined over all the dimensions it occurs in that the criterion looks at, each normalised so
 * that its group's mean is 1 (as in DepGraph, Fang et al. CVPR 2023): a layer with large weights does not drown the
 * others. Comparable within a group, not between groups.
 *
 *   l1          L1 norm of filter rows, and of the slices of the filters that read them (Li et al. ICLR 2017)
 *   l2          L2 norm of the same
 *   fpgm        sum of the distances of a filter to the other filters of its tensor (He et al. CVPR 2019)
 *   bn          absolute batch-norm scale (Liu et al. ICCV 2017); groups without batch-norm by l1
 *   activation  mean absolute value of what the following layers read, over sample data; groups that none reads by l1
 *   taylor      first-order change of the loss, (gradient * weight)^2, where l1 looks at weights, and of batch-norm
 *               scales (Molchanov et al. CVPR 2019)
 *   obd         second-order change, h w^2 / 2 with h the diagonal of the Hessian, of the same (LeCun et al. 1989)
 *   random      by lot */
#ifndef EVALUATOR_PRUNE_CRITERION_H
#define EVALUATOR_PRUNE_CRITERION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct coupling;
struct graph;

/* Fills ret_means[i][k], the mean absolute value at index k along dimension dims[i] of computed value values[i], for
 * `count` of them, over some sample data. */
typedef enum err criterion_observe_cb(const struct graph *g, int count, const int *values, const int *dims,
	double *const *ret_means, void *arg, struct errinfo *e);

/* Fills ret[v] with the saliency of each number of stored tensor v over some sample data, NULL where nothing is known;
 * the arrays live in a (train/saliency.h). */
typedef enum err criterion_saliency_cb(const struct graph *g, bool second_order, uint64_t seed, struct arena *a,
	const float **ret, void *arg, struct errinfo *e);

struct ranking {
	const char *criterion;
	uint64_t seed;                   /* random, obd */
	criterion_observe_cb *observe;   /* activation; NULL: there is no data */
	criterion_saliency_cb *saliency; /* taylor, obd; likewise */
	void *arg;                       /* of both */
};

/* Whether the criterion looks at sample data. */
bool criterion_samples(const char *name);

/* ERR_INPUT when there is no criterion of that name: says which there are. */
enum err criterion_check(const char *name, struct errinfo *e) __attribute__((warn_unused_result));

/* *ret_importance is by class; *ret_by_l1 is by group: which were ranked by l1 because the criterion has nothing to say
 * about them. Both in arena a. ERR_INPUT for an unknown name, or without the data that it looks at. */
enum err criterion_importance(const struct ranking *r, const struct coupling *c, struct arena *a,
	const double **ret_importance, const bool **ret_by_l1, struct errinfo *e) __attribute__((warn_unused_result));

/* Marks for removal, in each group, all but the keep[group] most important classes; of equals the earlier channel
 * stays. removed is by class. */
enum err criterion_select(const struct coupling *c, const double *importance, const int *keep, bool *ret_removed,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

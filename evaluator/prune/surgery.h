/* surgery.h -- channels removed for good.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_SURGERY_H
#define EVALUATOR_PRUNE_SURGERY_H

#include <stdbool.h>

#include "base/err.h"

struct coupling;
struct graph;

/* A smaller network: from every stored tensor the elements of removed classes are cut, along every dimension, and the shapes are inferred afresh. The result has its own copy of every tensor; names and
 * attributes are borrowed from c->g, which must outlive it. A group that would lose its last channel is ERR_INPUT. */
enum err surgery_remove(const struct coupling *c, const bool *removed, struct graph **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The same network with what produces the removed channels set to zero (filter rows, biases, batch-norm scales and shifts): each removed channel is
 * then zero wherever it flows, and whatever reads it adds nothing. The result equals surgery_remove's up to the order of
 * summation. With `shifts` false biases and batch-norm shifts stay: then channels with a shift are not zero, and the results differ. */
enum err surgery_mask(const struct coupling *c, const bool *removed, bool shifts, struct graph **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

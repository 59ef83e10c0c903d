/* surgery.h -- channels removed for good.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_SURGERY_H
#define EVALUATOR_PRUNE_SURGERY_H

#include <stdbool.h>

#include "base/err.h"

struct coupling;
struct graph;

/* A smaller network: from every stored tensor the elements of removed classes are cut, along every dimension, and the
 * shapes are inferred afresh. The result has its own copy of every tensor; names and attributes are borrowed from c->g,
 * which must outlive it. A group that would lose its last channel is ERR_INPUT. */
enum err surgery_remove(const struct coupling *c, const bool *removed, struct graph **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

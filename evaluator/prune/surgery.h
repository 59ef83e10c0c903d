/* surgery.h -- channels removed for good.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_PRUNE_SURGERY_H
#define EVALUATOR_PRUNE_SURGERY_H

#include <stdbool.h>

#include "base/err.h"

struct coupling;
struct graph;

/* A smaller network: from every stored tensor the elements of removed classes are cut, along every dimension, operands
 * that name sizes or places are rewritten, and the shapes are inferred afresh and held against those that the coupling
 * predicts. What isn't changed is borrowed from c->g, which must outlive the result; batch-norm's running statistics
 * are always its own, for they are measured afresh. */
enum err surgery_remove(const struct coupling *c, const bool *removed, struct graph **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

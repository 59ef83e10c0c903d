/* agree.h -- a plan and the reference agree about a network.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_AGREE_H
#define TESTS_EVALUATOR_AGREE_H

#include <stdint.h>

#include "base/rng.h"
#include "evaluator/kernels/plan.h"

struct graph;
struct reference;
struct sketch;

/* The batch sizes that are tried. */
extern const int64_t agree_batches[2];

/* A plan that must be possible; what is for messages. */
struct plan *agree_plan(const struct graph *g, int64_t batch, enum plan_mode mode, const char *what);

/* Numbers of all inputs, one input after the other, of a whole batch. */
int64_t agree_size(const struct plan *p);

/* Copies x to the plan's inputs, one after the other, and runs it; gives the first output. */
const float *agree_run(struct plan *p, const float *x);

/* Standard normal numbers; the caller frees. */
float *agree_input(struct rng *r, int64_t count);

/* Claims that each batch-norm's statistics of the last run lie within the reference's bounds. */
void agree_moments(const struct sketch *s, const struct reference *r, const struct plan *p);

/* Declares the output, runs the sketch both ways on a random batch, claims that all numbers lie within the reference's
 * bounds and closes it. */
void agree_sketch(struct sketch *s, int output, enum plan_mode mode);

#endif

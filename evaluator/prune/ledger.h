/* ledger.h -- what a network costs, in terms of the channels that its groups keep.
 * SPDX-License-Identifier: MIT
 *
 * The rows of the inventory (docs/protocol.md): one for each node that multiplies and for each learned tensor, every
 * tensor once. */
#ifndef EVALUATOR_PRUNE_LEDGER_H
#define EVALUATOR_PRUNE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct arena;
struct coupling;
struct term;

/* A dimension: the constant and the sum of multiple * keep[group]. Terms are borrowed from the coupling. */
struct ledger_dim {
	int64_t constant;
	const struct term *terms;
	int term_count;
};

struct ledger_row {
	const char *name, *op;
	struct ledger_dim out, in;
	int64_t kernel, positions, vectors, buffers;
	bool stored; /* out * in * kernel numbers are learned; else they are computed, or were counted before */
};

struct ledger {
	struct ledger_row *rows;
	int count;
	int64_t fixed_params, fixed_buffers;
};

struct ledger_cost {
	int64_t params, macs, bytes;
};

/* In arena a, borrowing from c. */
enum err ledger_new(const struct coupling *c, struct arena *a, struct ledger **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Of a candidate: keep[g] channels stay in group g. */
struct ledger_cost ledger_cost(const struct ledger *l, const int *keep);

#endif

/* nets.h -- small networks, one a kind of coupling, and what is expected of each.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_EVALUATOR_NETS_H
#define TESTS_EVALUATOR_NETS_H

#include "tests/evaluator/sketch.h"

/* When the pruned network computes what the whole one does with the removed channels silenced. */
enum due {
	/* Zero in all that produces a removed channel is zero wherever it flows. */
	DUE_PRODUCERS,
	/* Something makes of zero another number, so the readers' weights for it are zero, too. */
	DUE_READERS,
	/* Likewise, but for groups that a normalisation or a mean runs over: those must be whole. */
	DUE_OUTSIDE,
};

enum { NET_MOST_GROUPS = 8 };

struct net {
	const char *name;
	void (*draw)(struct sketch *s);
	int rank; /* of the first input, (batch, dims...) */
	int64_t dims[3];
	enum due due;
	int channels[NET_MOST_GROUPS]; /* of the groups, in order; negative: normalised over */
};

extern const struct net nets[];
extern const int net_count;

/* The network with random weights, which all count as learned. */
struct sketch net_draw(const struct net *n, uint64_t seed);

/* A network of pieces by lot, none of which normalises over channels. */
struct sketch net_draw_any(uint64_t seed);

#endif

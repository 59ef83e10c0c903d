/* landscape.h -- what pruning does to a made-up network of which all is known.
 * SPDX-License-Identifier: MIT
 *
 * Twelve groups of 40 channels (fixture_wide). The logit of the accuracy above chance falls by what every group does
 * itself, a few of them much, and by what neighbours do together; below a twentieth the accuracy is that of guessing:
 *
 *     damage = sum over g of weight[g] (x[g] + 2 x[g]^2) / 3 + sum over g of 2 x[g] x[g + 1]^2
 *
 * where x is the share that is removed. */
#ifndef TESTS_SEARCH_LANDSCAPE_H
#define TESTS_SEARCH_LANDSCAPE_H

#include "base/rng.h"
#include "tests/search/fixture.h"

enum { LANDSCAPE_GROUPS = 12 };

extern const double landscape_weight[LANDSCAPE_GROUPS];

/* fixture_wide with a chance of 0.1, and its problem with a baseline of 0.92. */
struct space *landscape_space(void);
struct problem landscape_problem(const struct space *s);

/* Without noise. */
double landscape_damage(const struct space *s, const int *keep);
double landscape_accuracy(const struct space *s, const int *keep);

/* Everything measured, with a little noise that depends on keep alone. */
struct outcome landscape_evaluate(const struct problem *p, int number, const int *keep);

/* Any candidate with about this share of the MACs. */
void landscape_draw(const struct space *s, struct rng *r, double share, int *ret_keep);

/* Runs a strategy through a table to the end of the budget: the results, to be freed with landscape_free. */
typedef struct outcome landscape_fn(const struct problem *p, int number, const int *keep);
struct outcome *landscape_run(const struct problem *p, const char *strategy, landscape_fn *evaluate);
void landscape_free(struct outcome *outcomes);

/* The hypervolume of n results: an accuracy as it is against 0, anything else as its share of the baseline's against 1,
 * a loss against 5. */
double landscape_volume(const struct problem *p, const struct outcome *outcomes, int n);

#endif

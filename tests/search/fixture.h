/* fixture.h -- spaces, problems and made-up evaluations that the tests of search/ share.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SEARCH_FIXTURE_H
#define TESTS_SEARCH_FIXTURE_H

#include <check.h>

#include "base/rng.h"
#include "search/strategy.h"
#include "search/table.h"

struct space;

/* Fails the test with e's message unless expr is ERR_OK; or unless it is the code that is named. */
#define ok(expr) fixture_expect(ERR_OK, (expr), &e, #expr, __LINE__)
#define fails(code, expr) fixture_expect((code), (expr), &e, #expr, __LINE__)
void fixture_expect(enum err wanted, enum err got, const struct errinfo *e, const char *what, int line);

/* Fails unless e's message contains text. */
#define says(text) ck_assert_msg(strstr(e.msg, (text)), "\"%s\" doesn't say \"%s\"", e.msg, (text))

cJSON *fixture_json(const char *text);

/* A plain network: `groups` convolutions in a row with batch-norms, then a linear layer of 10 outputs. Group g has
 * 8 * (1 + g % 8) channels; images shrink every third layer. */
struct space *fixture_chain(int groups, double max_ratio, int round_to);
/* Likewise, with the same number of channels everywhere. */
struct space *fixture_wide(int groups, int channels);
/* Residual sums, a concatenation, a depthwise convolution and a constant dimension. */
struct space *fixture_coupled(double max_ratio, int round_to);
/* fixture_coupled where group 0 keeps 4 to 12 of 16, group 1 always 13 of 24, group 2 12 to 32 of 32, in steps of 4,
 * and group 3 all of its 7. */
struct space *fixture_narrowed(void);
/* Groups of 10001 channels whose layers have no cost worth mentioning. */
struct space *fixture_flat(int groups);

/* Objectives accuracy and MACs, no constraints, the baseline's costs, budget 60, window 0, seed 1. */
struct problem fixture_problem(const struct space *s);
/* Adds a constraint; the text as people write it. */
void fixture_constrain(struct problem *p, const char *metric, const char *text);

/* Metrics of a candidate by a formula: exact costs as the cost model says, an accuracy that falls with the squares
 * of the ratios, loss, memory and latency to match, all with a little noise of its own. Every seventh candidate or
 * so fails when `flaky`. */
struct outcome fixture_evaluate(const struct problem *p, int number, const int *keep, bool flaky);

/* Runs a strategy through a table, evaluating in order; returns the proposals, problem.budget x groups ints, to be
 * freed. *ret_count of them were made. */
int *fixture_run(const struct problem *p, const char *strategy, bool flaky, int *ret_count);

#endif

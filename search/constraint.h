/* constraint.h -- bounds on metrics: "accuracy": ">= baseline - 0.01", "macs": "<= 50%".
 * SPDX-License-Identifier: MIT
 *
 * Grammar: OP NUMBER | OP NUMBER% | OP baseline | OP baseline + NUMBER | OP baseline - NUMBER, OP is <= or >=,
 * NUMBER is decimal without a sign. NUMBER% is of the baseline's value. */
#ifndef SEARCH_CONSTRAINT_H
#define SEARCH_CONSTRAINT_H

#include <cjson/cJSON.h>
#include <stdbool.h>

#include "base/err.h"
#include "search/metric.h"

struct constraint {
	enum metric metric;
	bool at_least;        /* >=, otherwise <= */
	double of_baseline;   /* bound = of_baseline * baseline + offset */
	double offset;
};

enum { CONSTRAINT_MAX = 16 };

/* Reads the job's "constraints" object (NULL: none): METRIC: TEXT, or METRIC: [TEXT, TEXT] for a lower and an upper
 * bound. Refuses also what no network meets whatever its baseline: an accuracy above 1, a lower bound above the upper
 * one, a cost above the baseline's. */
enum err constraint_read(const cJSON *object, struct constraint ret[CONSTRAINT_MAX], int *ret_count, struct errinfo *e)
	__attribute__((warn_unused_result));

/* One bound as "METRIC OP BOUND", with or without blanks: "macs<=30%". ERR_INPUT quotes the text. */
enum err constraint_parse(const char *text, struct constraint *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* NaN when it is relative to a baseline that is. */
double constraint_bound(const struct constraint *c, const double baseline[METRIC_COUNT]);

/* How far value misses the bound, 0 when it is met (within 1e-12 of it, for rounding), scaled by |bound| (by 1 when the
 * bound is 0) so that violations add up. A NaN value, or bound, misses by infinity. */
double constraint_violation(const struct constraint *c, const double baseline[METRIC_COUNT], double value);

/* The sum over all constraints: 0 means feasible (Deb 2002). Metrics that were not measured are NaN. */
double constraint_total(const struct constraint *c, int count, const double baseline[METRIC_COUNT],
	const double metrics[METRIC_COUNT]);

#endif

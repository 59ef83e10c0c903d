/* report.h -- what a worker says about its lease, checked: reports are hostile.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_REPORT_H
#define DAEMON_REPORT_H

#include <cjson/cJSON.h>

#include "search/cost.h"
#include "store/lease.h"
#include "store/trial.h"

struct spec;

struct report {
	struct trial_metrics metrics;
	const char *model;      /* digest of the ONNX file: candidate: pruned; baseline: trained, NULL: as submitted */
	const cJSON *inventory; /* baseline */
	double test_accuracy, test_loss; /* test */
};

/* Of a lease of that kind for a trial at that rung. Strings and documents stay those of doc. ERR_INPUT names the field.
 * That the model blob exists is checked too. */
enum err report_read(const cJSON *doc, enum lease_kind kind, const struct spec *spec, int rung, struct store *s,
	struct report *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* Whether params, MACs and bytes are those of the cost model: ERR_INPUT naming both numbers when not. */
enum err report_check_cost(const struct trial_metrics *m, const struct cost *cost, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

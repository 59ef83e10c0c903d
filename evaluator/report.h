/* report.h -- what a worker tells the daemon about a lease, repeated until the daemon has heard it.
 * SPDX-License-Identifier: MIT
 *
 * While the daemon is away (a restart) a report is tried again for `patience_s`, unless *stop becomes true: then
 * only the attempt under way is finished. */
#ifndef EVALUATOR_REPORT_H
#define EVALUATOR_REPORT_H

#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "base/http.h"

struct reporter {
	struct http *http;
	int64_t lease;
	double patience_s;
	const atomic_bool *stop;
};

/* Uploads the file `model` (NULL: there is none), adds its digest to the report as "model" and posts `complete`. */
enum err report_complete(const struct reporter *r, cJSON *report, const char *model, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Posts `fail`. What is not printable ASCII in the reason becomes '?': it may quote a hostile file. */
enum err report_fail(const struct reporter *r, const char *reason, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Posts `release`. */
enum err report_release(const struct reporter *r, struct errinfo *e) __attribute__((warn_unused_result));

#endif

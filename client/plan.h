/* plan.h -- how many trials a job makes at each rung, as the daemon foresees it.
 * SPDX-License-Identifier: MIT */
#ifndef CLIENT_PLAN_H
#define CLIENT_PLAN_H

#include <cjson/cJSON.h>

enum { PLAN_RUNGS = 8, PLAN_TEXT = 192 };

struct plan {
	int rungs; /* at least 1 */
	double trials[PLAN_RUNGS]; /* NaN: unknown */
};

/* Of a job's document; without a plan all of the budget is at one rung. */
void plan_read(const cJSON *job, struct plan *ret);

double plan_total(const struct plan *p);

/* "60 candidates, then 20 at rung 1, then 6 at rung 2". */
const char *plan_text(const struct plan *p, char buf[PLAN_TEXT]);

#endif

/* plan.c -- how many trials a job makes at each rung.
 * SPDX-License-Identifier: MIT */
#include "client/plan.h"

#include <math.h>
#include <stdio.h>

#include "client/view.h"

void plan_read(const cJSON *job, struct plan *ret)
{
	const cJSON *n;
	struct plan p = { 0 };
	cJSON_ArrayForEach(n, view_member(job, "plan"))
		if (p.rungs < PLAN_RUNGS)
			p.trials[p.rungs++] = view_number(n, "");
	if (!p.rungs)
		p.trials[p.rungs++] = view_number(job, "budget");
	*ret = p;
}

double plan_total(const struct plan *p)
{
	double total = 0;
	for (int i = 0; i < p->rungs; i++)
		total += p->trials[i];
	return total;
}

const char *plan_text(const struct plan *p, char buf[PLAN_TEXT])
{
	int used = snprintf(buf, PLAN_TEXT, "%.0f candidates", p->trials[0]);
	for (int i = 1; i < p->rungs && used < PLAN_TEXT; i++)
		used += snprintf(buf + used, (size_t)(PLAN_TEXT - used), ", then %.0f at rung %d", p->trials[i], i);
	return buf;
}

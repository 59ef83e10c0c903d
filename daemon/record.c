/* record.c -- a job as the store knows it, live or over.
 * SPDX-License-Identifier: MIT */
#include "daemon/record.h"

#include "daemon/baseline.h"
#include "daemon/daemon.h"
#include "daemon/spec.h"
#include "search/space.h"
#include "store/trial.h"

void record_fini(struct record *r)
{
	space_free(r->space);
	spec_free(r->spec);
	job_row_fini(&r->row);
}

static enum err read_space(struct record *r, struct errinfo *e)
{
	struct space_limits limits = spec_limits(r->spec);
	return space_parse(r->row.inventory, &limits, &r->space, e);
}

static enum err read_problem(struct daemon *d, struct record *r, struct errinfo *e)
{
	struct trial_row baseline;
	enum err err = trial_load(d->store, r->row.id, 0, &baseline, e);
	if (err)
		return err;
	if (baseline.state == TRIAL_COMPLETE)
		baseline_problem(r->spec, r->space, &baseline.metrics, &r->problem);
	else
		err = err_set(e, ERR_CONFLICT, "job %lld: trial 0 is not complete", (long long)r->row.id);
	trial_row_fini(&baseline);
	return err;
}

static enum err fill(struct daemon *d, struct record *r, struct errinfo *e)
{
	if (!r->row.inventory)
		return err_set(e, ERR_CONFLICT, "job %lld: is %s, and has no results", (long long)r->row.id,
			job_state_name(r->row.state));
	enum err err = spec_parse(r->row.spec, &r->spec, e);
	if (!err)
		err = read_space(r, e);
	if (err && err != ERR_MEMORY) /* it was read once before: not the request's fault */
		err = e->code = ERR_INTERNAL;
	return err ? err : read_problem(d, r, e);
}

enum err record_load(struct daemon *d, int64_t job, struct record *ret, struct errinfo *e)
{
	struct record r = { 0 };
	enum err err = job_load(d->store, job, &r.row, e);
	if (err)
		return err;
	err = fill(d, &r, e);
	if (err)
		record_fini(&r);
	else
		*ret = r;
	return err;
}

/* warm.c -- what a job knows from earlier ones.
 * SPDX-License-Identifier: MIT */
#include "daemon/warm.h"

#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/job.h"
#include "daemon/keep.h"
#include "daemon/result.h"
#include "daemon/spec.h"
#include "search/prior.h"
#include "search/space.h"
#include "store/trial.h"

/* ---- at submission ---- */

static enum err check_row(const struct job_row *r, struct errinfo *e)
{
	if (r->state != JOB_DONE && r->state != JOB_FAILED && r->state != JOB_CANCELLED)
		return err_set(e, ERR_INPUT, "warm_start: job %lld is %s, expected one that is over", (long long)r->id,
			job_state_name(r->state));
	if (!r->inventory)
		return err_set(e, ERR_INPUT, "warm_start: job %lld ended before its network was known, expected one "
			"that has searched", (long long)r->id);
	return ERR_OK;
}

enum err warm_check(const struct spec *s, struct store *store, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (int i = 0; i < s->warm_count && !err; i++) {
		struct job_row row;
		err = job_load(store, s->warm_start[i], &row, e);
		if (err == ERR_NOT_FOUND)
			return err_set(e, ERR_INPUT, "warm_start: is %lld, and there is no such job, expected the "
				"id of one that is over", (long long)s->warm_start[i]);
		if (err)
			return err;
		err = check_row(&row, e);
		job_row_fini(&row);
	}
	return err;
}

/* ---- when the search opens ---- */

/* An earlier job that is being read. */
struct earlier {
	struct prior *prior;
	struct spec *spec;
	struct space *space;
	int *keep;
};

static void earlier_fini(struct earlier *x)
{
	spec_free(x->spec);
	space_free(x->space);
	free(x->keep);
}

/* Its space with all that its candidates can have kept, whatever it allowed and whatever this job does. */
static enum err read_space(const char *inventory, struct space **ret, struct errinfo *e)
{
	static const struct space_limits all = { .max_ratio = 1, .round_to = 1 };
	return space_parse(inventory, &all, ret, e);
}

static enum err read_earlier(struct store *store, int64_t id, struct earlier *x, struct errinfo *e)
{
	struct job_row row;
	enum err err = job_load(store, id, &row, e);
	if (err)
		return err;
	err = spec_parse(row.spec, &x->spec, e);
	if (!err)
		err = read_space(row.inventory ? row.inventory : "null", &x->space, e);
	job_row_fini(&row);
	if (err)
		return err;
	x->keep = calloc((size_t)x->space->group_count, sizeof *x->keep);
	return x->keep ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

/* The baseline's own latency was measured too; what candidates' are relative to is 1 (baseline_problem). */
static enum err take_baseline(struct store *store, int64_t id, const struct earlier *x, struct errinfo *e)
{
	double metrics[METRIC_COUNT];
	struct trial_row r;
	enum err err = trial_load(store, id, 0, &r, e);
	if (err)
		return err;
	result_metrics(&r.metrics, metrics);
	if (!isnan(metrics[METRIC_LATENCY]))
		metrics[METRIC_LATENCY] = 1;
	err = r.state == TRIAL_COMPLETE ? prior_job(x->prior, x->space, metrics, e)
		: err_set(e, ERR_INTERNAL, "trial %lld.0: is %s, yet the job has searched", (long long)id,
			trial_state_name(r.state));
	trial_row_fini(&r);
	return err;
}

static enum err take_trial(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct earlier *x = arg;
	double metrics[METRIC_COUNT];
	enum err err = keep_read(r, x->space, x->keep, e);
	if (!err && !space_allows(x->space, x->keep))
		err = err_set(e, ERR_INTERNAL, "trial %lld.%lld: its candidate is not one of the job's space",
			(long long)r->job, (long long)r->number);
	if (err)
		return err;
	result_metrics(&r->metrics, metrics);
	return prior_add(x->prior, x->keep, metrics, e);
}

/* Strategies learn from rung 0, and so do they from earlier jobs. What pruning alone does to a network and what is left
 * of that after training have little to do with each other. */
static enum err take_job(const struct job *j, int64_t id, struct prior *prior, struct errinfo *e)
{
	struct store *store = j->daemon->store;
	struct earlier x = { .prior = prior };
	enum err err = read_earlier(store, id, &x, e);
	bool trains = !err && x.spec->rungs[0].trains;
	if (!err && trains != j->spec->rungs[0].trains) {
		log_info("job %lld: takes no results of job %lld, whose first rung %s", (long long)j->row.id,
			(long long)id, trains ? "trains, unlike this one's" : "doesn't train, unlike this one's");
	} else if (!err) {
		err = take_baseline(store, id, &x, e);
		if (!err)
			err = trial_each_latest(store, id, 0, PRIOR_MOST, take_trial, &x, e);
	}
	earlier_fini(&x);
	return err;
}

enum err warm_open(const struct job *j, struct prior **ret, struct errinfo *e)
{
	struct prior *prior = NULL;
	const struct spec *s = j->spec;
	enum err err = s->warm_count ? prior_new(j->space, &prior, e) : ERR_OK;
	for (int i = 0; i < s->warm_count && !err; i++)
		err = take_job(j, s->warm_start[i], prior, e);
	if (err) {
		prior_free(prior);
		return err;
	}
	if (prior)
		log_info("job %lld: starts from %d results of earlier jobs", (long long)j->row.id, prior_count(prior));
	*ret = prior;
	return ERR_OK;
}

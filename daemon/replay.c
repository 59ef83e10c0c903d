/* replay.c -- a restart: every live job becomes again what it was.
 * SPDX-License-Identifier: MIT
 *
 * The table is asked again for each stored trial in order of number and told the stored results, as it was the first
 * time; it holds back what a proposal must not know. Flags and figures need no writing: they were committed together
 * with the results. */
#include "daemon/replay.h"

#include <math.h>
#include <stdlib.h>

#include "base/log.h"
#include "daemon/baseline.h"
#include "daemon/daemon.h"
#include "daemon/drive.h"
#include "daemon/hold.h"
#include "daemon/job.h"
#include "daemon/keep.h"
#include "daemon/result.h"
#include "daemon/spec.h"
#include "search/space.h"
#include "search/table.h"

static enum err replay_baseline(struct job *j, const struct trial_row *r, struct errinfo *e)
{
	struct flight *f;
	if (r->rung != spec_last(j->spec))
		return err_set(e, ERR_INTERNAL, "trial %lld.0: is stored at rung %d, expected rung %d",
			(long long)r->job, r->rung, spec_last(j->spec));
	if (r->state == TRIAL_WAITING || r->state == TRIAL_RUNNING) {
		enum err err = flight_add(j, r, LEASE_BASELINE, NULL, &f, e);
		if (!err)
			f->attempts = r->attempts;
		return err;
	}
	if (r->state != TRIAL_COMPLETE || !j->row.inventory || !r->model)
		return err_set(e, ERR_INTERNAL, "trial %lld.0: is %s, yet the job goes on", (long long)r->job,
			trial_state_name(r->state));
	return baseline_replay(j, j->row.inventory, r, e);
}

static enum err replay_open(struct job *j, const struct trial_row *r, const int *keep, struct errinfo *e)
{
	struct flight *f;
	const struct flight *leader = flight_like(j, r->digest);
	int64_t follows = leader ? leader->leader >= 0 ? leader->leader : leader->number : -1;
	enum err err = flight_add(j, r, LEASE_CANDIDATE, keep, &f, e);
	if (err)
		return err;
	f->leader = follows;
	f->attempts = r->attempts;
	return ERR_OK;
}

static enum err expect(struct job *j, const struct trial_row *r, const int *keep, struct errinfo *e)
{
	int number = (int)r->number;
	enum err err = r->parent ? table_expect_promotion(j->table, number, (int)r->parent, keep, e)
				 : table_expect(j->table, number, keep, e);
	if (!err && table_rung(j->table, number) != r->rung)
		err = err_set(e, ERR_INTERNAL, "trial %lld.%d: is stored at rung %d, expected rung %d",
			(long long)r->job, number, r->rung, table_rung(j->table, number));
	return err;
}

static enum err replay_candidate(struct job *j, const struct trial_row *r, struct errinfo *e)
{
	if (!j->space)
		return err_set(e, ERR_INTERNAL, "trial %lld.%lld: was proposed before the baseline was known",
			(long long)r->job, (long long)r->number);
	int *keep = calloc((size_t)j->space->group_count, sizeof *keep);
	if (!keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = keep_read(r, j->space, keep, e);
	if (!err)
		err = expect(j, r, keep, e);
	if (!err && (r->state == TRIAL_COMPLETE || r->state == TRIAL_FAILED))
		err = result_tell(j, r, true, e);
	else if (!err)
		err = replay_open(j, r, keep, e);
	free(keep);
	return err;
}

static enum err replay_trial(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct job *j = arg;
	job_count_trial(j, r);
	return r->number == 0 ? replay_baseline(j, r, e) : replay_candidate(j, r, e);
}

static enum err replay_job(struct daemon *d, int64_t id, struct errinfo *e)
{
	struct job_row row;
	struct job *j;
	struct spec *spec = NULL;
	enum err err = job_load(d->store, id, &row, e);
	if (err)
		return err;
	enum err trouble = spec_parse(row.spec, &spec, e);
	struct errinfo why = *e;
	err = job_adopt(d, &row, trouble ? NULL : spec, &j, e);
	if (err)
		return err;
	if (!trouble) {
		trouble = trial_each(d->store, id, false, replay_trial, j, &why);
		if (!trouble && j->row.ended && j->table)
			table_stop(j->table);
		if (!trouble && job_phase(j) == JOB_FINISHING)
			trouble = drive_tests(j, &why);
	}
	if (trouble == ERR_MEMORY || trouble == ERR_IO) {
		*e = why;
		return trouble;
	}
	if (!trouble)
		return ERR_OK;
	log_error("job %lld can't be taken up: %s", (long long)id, why.msg);
	return job_fail(j, why.msg, e);
}

/* Ids and leases are collected first: nothing is written during a walk. */
struct list {
	int64_t *ids;
	size_t count, capacity;
};

static enum err list_add(struct list *l, int64_t id, struct errinfo *e)
{
	if (l->count == l->capacity) {
		size_t capacity = 2 * l->capacity + 16;
		int64_t *grown = realloc(l->ids, capacity * sizeof *grown);
		if (!grown)
			return err_set(e, ERR_MEMORY, "out of memory");
		l->ids = grown;
		l->capacity = capacity;
	}
	l->ids[l->count++] = id;
	return ERR_OK;
}

static enum err list_job(const struct job_row *r, void *arg, struct errinfo *e)
{
	return list_add(arg, r->id, e);
}

static enum err list_lease(const struct lease_row *r, void *arg, struct errinfo *e)
{
	return list_add(arg, r->id, e);
}

static enum err replay_lease(struct daemon *d, int64_t id, struct errinfo *e)
{
	struct lease_row row;
	enum err err = lease_load(d->store, id, &row, e);
	if (err)
		return err;
	struct job *j = job_find(d, row.job);
	struct flight *f = j && !job_over(j) ? flight_find(j, row.number) : NULL;
	if (!f || f->kind != row.kind) {
		lease_row_fini(&row);
		return lease_end(d->store, id, e);
	}
	bool supervised = row.supervised;
	struct hold *h;
	err = hold_adopt(d, j, f, &row, &h, e);
	return err || !supervised ? err : hold_release(d, h, e);
}

/* A trial that runs without a lease, which only a damaged store can have, would wait for ever. */
static enum err mend_running(struct job *j, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (const struct flight *f = j->flights; f && !err; f = f->next) {
		struct trial_row r;
		if (f->lease || f->kind == LEASE_TEST)
			continue;
		err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
		if (err)
			return err;
		if (r.state == TRIAL_RUNNING) {
			r.state = TRIAL_WAITING;
			err = job_put_trial(j, &r, TRIAL_RUNNING, e);
		}
		trial_row_fini(&r);
	}
	return err;
}

enum err replay_jobs(struct daemon *d, struct errinfo *e)
{
	struct list jobs = { 0 }, leases = { 0 };
	enum err err = job_each(d->store, true, list_job, &jobs, e);
	for (size_t i = 0; i < jobs.count && !err; i++)
		err = replay_job(d, jobs.ids[i], e);
	if (!err)
		err = lease_each(d->store, 0, list_lease, &leases, e);
	for (size_t i = 0; i < leases.count && !err; i++)
		err = replay_lease(d, leases.ids[i], e);
	for (struct job *j = d->jobs; j && !err; j = j->next)
		if (!job_over(j))
			err = mend_running(j, e);
	if (!err && jobs.count)
		log_info("%zu live job%s taken up", jobs.count, jobs.count == 1 ? "" : "s");
	free(jobs.ids);
	free(leases.ids);
	return err;
}

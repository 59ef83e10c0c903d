/* result.c -- what becomes of a result.
 * SPDX-License-Identifier: MIT
 *
 * Results are written as they arrive. The front does not depend on their order, so the flags follow at once; the table
 * holds back what a proposal must not know yet. An error that comes out of here after a write leaves the turn half
 * done: the caller ends the process (daemon.h), and the restart replays. A strategy that fails is not that: it fails
 * its job. */
#include "daemon/result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/baseline.h"
#include "daemon/daemon.h"
#include "daemon/event.h"
#include "daemon/job.h"
#include "daemon/report.h"
#include "search/cost.h"
#include "search/front.h"
#include "search/table.h"

enum { TRIAL_ID = 48 };

void result_metrics(const struct trial_metrics *m, double ret[METRIC_COUNT])
{
	ret[METRIC_ACCURACY] = m->accuracy;
	ret[METRIC_LOSS] = m->loss;
	ret[METRIC_PARAMS] = m->params;
	ret[METRIC_MACS] = m->macs;
	ret[METRIC_BYTES] = m->bytes;
	ret[METRIC_MEMORY] = m->memory;
	ret[METRIC_LATENCY] = m->latency;
}

enum err result_blame(struct job *j, enum err err, struct errinfo *e)
{
	char reason[sizeof e->msg];
	if (err == ERR_OK || err == ERR_MEMORY || err == ERR_IO)
		return err;
	memcpy(reason, e->msg, sizeof reason);
	return job_fail(j, reason, e);
}

/* Writes the flags of one that joined the front and of those that it drove out. */
static enum err write_flags(struct job *j, int64_t number, const int *left, int left_count, struct errinfo *e)
{
	struct store *s = j->daemon->store;
	enum err err = trial_set_pareto(s, j->row.id, number, true, e);
	if (!err)
		err = event_trial(j->daemon, j->row.id, number, e);
	for (int i = 0; i < left_count && !err; i++) {
		err = trial_set_pareto(s, j->row.id, left[i], false, e);
		if (!err)
			err = event_trial(j->daemon, j->row.id, left[i], e);
	}
	j->moved = j->changed = true;
	return err;
}

enum err result_offer(struct job *j, int64_t number, const double metrics[METRIC_COUNT], bool replay, struct errinfo *e)
{
	bool joined = false;
	const int *left = NULL;
	int left_count = 0;
	enum err err = front_offer(j->front, (int)number, metrics, &joined, &left, &left_count, e);
	return err || !joined || replay ? err : write_flags(j, number, left, left_count, e);
}

enum err result_tell(struct job *j, const struct trial_row *r, bool replay, struct errinfo *e)
{
	struct outcome o = { .number = (int)r->number, .ok = r->state == TRIAL_COMPLETE };
	result_metrics(&r->metrics, o.metrics);
	enum err err = table_tell(j->table, &o, e);
	if (!err && o.ok && r->rung == ladder_last(&j->problem.ladder))
		err = result_offer(j, r->number, o.metrics, replay, e);
	j->stirred = true;
	return err;
}

bool result_feasible(const struct job *j, int rung, const struct trial_metrics *m)
{
	double metrics[METRIC_COUNT];
	struct problem p;
	ladder_problem(&j->problem, rung, &p);
	result_metrics(m, metrics);
	return constraint_total(p.constraints, p.constraint_count, p.baseline, metrics) == 0;
}

enum err result_share(const struct job *j, const struct trial_row *from, struct trial_row *r, struct errinfo *e)
{
	char id[TRIAL_ID];
	snprintf(id, sizeof id, "%lld.%lld", (long long)from->job, (long long)from->number);
	r->state = from->state;
	r->metrics = from->metrics;
	r->test_accuracy = from->test_accuracy;
	r->test_loss = from->test_loss;
	r->finished = clock_wall_ms();
	r->feasible = r->state == TRIAL_COMPLETE && result_feasible(j, r->rung, &r->metrics);
	enum err err = job_set_text(&r->source, id, e);
	if (!err)
		err = job_set_text(&r->model, from->model, e);
	return err ? err : job_set_text(&r->reason, from->reason, e);
}

/* Trials that wait for this one's result get it. */
static enum err serve_followers(struct job *j, const struct trial_row *leader, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (struct flight *f = j->flights, *next; f && !err && !job_over(j); f = next) {
		struct trial_row r;
		next = f->next;
		if (f->leader != leader->number)
			continue;
		err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
		if (err)
			return err;
		enum trial_state from = r.state;
		err = result_share(j, leader, &r, e);
		if (!err)
			err = job_put_trial(j, &r, from, e);
		if (!err) {
			flight_remove(j, f);
			err = result_blame(j, result_tell(j, &r, false, e), e);
			next = j->flights; /* the job may have failed, and its flights be gone */
		}
		trial_row_fini(&r);
	}
	return err;
}

/* The row of a flight that is over is written; its result is told. */
static enum err settle(struct job *j, struct flight *f, struct trial_row *r, enum trial_state from, struct errinfo *e)
{
	r->finished = clock_wall_ms();
	enum err err = job_put_trial(j, r, from, e);
	if (err)
		return err;
	flight_remove(j, f);
	err = result_blame(j, result_tell(j, r, false, e), e);
	return err || job_over(j) ? err : serve_followers(j, r, e);
}

static enum err take_candidate(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
{
	struct cost cost = cost_of(j->space, f->keep);
	struct trial_row r;
	enum err err = report_check_cost(&report->metrics, &cost, e);
	if (!err)
		err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
	if (err)
		return err;
	enum trial_state from = r.state;
	r.state = TRIAL_COMPLETE;
	r.metrics = report->metrics;
	r.feasible = result_feasible(j, r.rung, &r.metrics);
	err = job_set_text(&r.model, report->model, e);
	if (!err)
		err = settle(j, f, &r, from, e);
	trial_row_fini(&r);
	return err;
}

enum err result_test(struct job *j, struct flight *f, double accuracy, double loss, struct errinfo *e)
{
	struct trial_row r;
	enum err err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
	if (err)
		return err;
	r.test_accuracy = accuracy;
	r.test_loss = loss;
	err = job_put_trial(j, &r, r.state, e);
	trial_row_fini(&r);
	flight_remove(j, f);
	j->stirred = true;
	return err;
}

/* ---- what a report or a failure does ---------------------------------------------------------------------------- */

enum err result_report(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
{
	switch (f->kind) {
	case LEASE_BASELINE:
		return baseline_take(j, f, report, e);
	case LEASE_CANDIDATE:
		return take_candidate(j, f, report, e);
	case LEASE_TEST:
		return result_test(j, f, report->test_accuracy, report->test_loss, e);
	}
	return err_set(e, ERR_INTERNAL, "a lease of kind %d", (int)f->kind);
}

/* A test score that can't be had costs the job nothing but the score. */
static enum err give_up_test(struct job *j, struct flight *f, const char *reason, struct errinfo *e)
{
	struct errinfo text;
	err_set(&text, ERR_NOT_FOUND, "trial %lld.%lld has no test score: %.500s", (long long)j->row.id,
		(long long)f->number, reason);
	flight_remove(j, f);
	j->changed = j->stirred = true;
	return j->row.reason ? ERR_OK : job_set_text(&j->row.reason, text.msg, e);
}

enum err result_failed(struct job *j, struct flight *f, const char *reason, struct errinfo *e)
{
	char kept[sizeof e->msg]; /* reason may be e's own text */
	struct trial_row r;
	snprintf(kept, sizeof kept, "%s", reason);
	if (f->kind == LEASE_TEST)
		return give_up_test(j, f, kept, e);
	enum err err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
	if (err)
		return err;
	enum trial_state from = r.state;
	r.state = TRIAL_FAILED;
	err = job_set_text(&r.reason, kept, e);
	if (!err && f->kind == LEASE_CANDIDATE) {
		err = settle(j, f, &r, from, e);
	} else if (!err) {
		char whole[sizeof kept + 32];
		snprintf(whole, sizeof whole, "the baseline failed: %s", kept);
		r.finished = clock_wall_ms();
		err = job_put_trial(j, &r, from, e);
		if (!err)
			err = job_fail(j, whole, e);
	}
	trial_row_fini(&r);
	return err;
}


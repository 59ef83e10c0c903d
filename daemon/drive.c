/* drive.c -- ask and tell: what a job does next, and what becomes of a result.
 * SPDX-License-Identifier: MIT
 *
 * Proposals come from the table only, in its canonical order; results are written as they arrive. The front does not
 * depend on the order, so flags follow at once. An error that comes out of here after a write leaves the turn half
 * done: the caller ends the process (daemon.h), and the restart replays. A strategy that fails is not that: it fails
 * its job. */
#include "daemon/drive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/daemon.h"
#include "daemon/event.h"
#include "daemon/job.h"
#include "daemon/report.h"
#include "daemon/spec.h"
#include "daemon/text.h"
#include "search/cost.h"
#include "search/front.h"
#include "search/space.h"
#include "search/table.h"

enum { PROPOSALS_A_TURN = 32, TRIAL_ID = 48 };

static enum err set_string(char **member, const char *s, struct errinfo *e)
{
	char *copy = s ? strdup(s) : NULL;
	if (s && !copy)
		return err_set(e, ERR_MEMORY, "out of memory");
	free(*member);
	*member = copy;
	return ERR_OK;
}

static void metrics_array(const struct trial_metrics *m, double ret[METRIC_COUNT])
{
	ret[METRIC_ACCURACY] = m->accuracy;
	ret[METRIC_LOSS] = m->loss;
	ret[METRIC_PARAMS] = m->params;
	ret[METRIC_MACS] = m->macs;
	ret[METRIC_BYTES] = m->bytes;
	ret[METRIC_MEMORY] = m->memory;
	ret[METRIC_LATENCY] = m->latency;
}

/* A search that can't go on fails its job; no memory and a disk that fails are the daemon's trouble, not the job's. */
static enum err blame(struct job *j, enum err err, struct errinfo *e)
{
	char reason[sizeof e->msg];
	if (err == ERR_OK || err == ERR_MEMORY || err == ERR_IO)
		return err;
	memcpy(reason, e->msg, sizeof reason);
	return job_fail(j, reason, e);
}

/* ---- results -------------------------------------------------------------------------------------------------- */

static enum err offer(struct job *j, int64_t number, const double metrics[METRIC_COUNT], struct errinfo *e)
{
	struct store *s = j->daemon->store;
	bool joined = false;
	const int *left = NULL;
	int left_count = 0;
	enum err err = front_offer(j->front, (int)number, metrics, &joined, &left, &left_count, e);
	if (!err && joined)
		err = trial_set_pareto(s, j->row.id, number, true, e);
	if (!err && joined)
		err = event_trial(j->daemon, j->row.id, number, e);
	for (int i = 0; i < left_count && !err; i++) {
		err = trial_set_pareto(s, j->row.id, left[i], false, e);
		if (!err)
			err = event_trial(j->daemon, j->row.id, left[i], e);
	}
	if (err || !joined)
		return err;
	j->changed = true;
	return front_hypervolume(j->front, &j->row.hypervolume, e);
}

enum err drive_tell(struct job *j, const struct trial_row *r, struct errinfo *e)
{
	struct outcome o = { .number = (int)r->number, .ok = r->state == TRIAL_COMPLETE };
	metrics_array(&r->metrics, o.metrics);
	enum err err = table_tell(j->table, &o, e);
	if (!err && o.ok)
		err = offer(j, r->number, o.metrics, e);
	j->stirred = true;
	return err;
}

static bool feasible(const struct job *j, const struct trial_metrics *m)
{
	double metrics[METRIC_COUNT];
	metrics_array(m, metrics);
	return constraint_total(j->problem.constraints, j->problem.constraint_count, j->problem.baseline, metrics) == 0;
}

/* What a trial takes over from the one whose result it shares. */
static enum err share_result(const struct job *j, const struct trial_row *from, struct trial_row *r, struct errinfo *e)
{
	char id[TRIAL_ID];
	snprintf(id, sizeof id, "%lld.%lld", (long long)from->job, (long long)from->number);
	r->state = from->state;
	r->metrics = from->metrics;
	r->test_accuracy = from->test_accuracy;
	r->test_loss = from->test_loss;
	r->finished = clock_wall_ms();
	r->feasible = r->state == TRIAL_COMPLETE && feasible(j, &r->metrics);
	enum err err = set_string(&r->source, id, e);
	if (!err)
		err = set_string(&r->model, from->model, e);
	return err ? err : set_string(&r->reason, from->reason, e);
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
		err = share_result(j, leader, &r, e);
		if (!err)
			err = job_put_trial(j, &r, from, e);
		if (!err) {
			flight_remove(j, f);
			err = blame(j, drive_tell(j, &r, e), e);
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
	err = blame(j, drive_tell(j, r, e), e);
	return err || job_over(j) ? err : serve_followers(j, r, e);
}

static enum err take_candidate(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
{
	struct cost cost = cost_of(j->space, f->keep);
	struct trial_row r;
	if (report_check_cost(&report->metrics, &cost, e))
		return drive_failed(j, f, e->msg, e);
	enum err err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
	if (err)
		return err;
	enum trial_state from = r.state;
	r.state = TRIAL_COMPLETE;
	r.metrics = report->metrics;
	r.feasible = feasible(j, &r.metrics);
	err = set_string(&r.model, report->model, e);
	if (!err)
		err = settle(j, f, &r, from, e);
	trial_row_fini(&r);
	return err;
}

static enum err take_test(struct job *j, struct flight *f, double accuracy, double loss, struct errinfo *e)
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

/* ---- the baseline --------------------------------------------------------------------------------------------- */

static void fill_problem(struct job *j, const struct trial_metrics *baseline)
{
	struct problem *p = &j->problem;
	const struct spec *s = j->spec;
	*p = (struct problem){ .space = j->space, .objective_count = s->objective_count,
		.constraint_count = s->constraint_count, .budget = (int)s->trials, .window = (int)s->window,
		.seed = (uint64_t)s->seed };
	memcpy(p->objectives, s->objectives, sizeof p->objectives);
	memcpy(p->constraints, s->constraints, sizeof p->constraints);
	metrics_array(baseline, p->baseline);
	p->baseline[METRIC_LATENCY] = s->rung.latency ? 1 : NAN; /* by definition: latency is relative to it */
	j->baseline = *baseline;
}

static enum err open_search(struct job *j, struct space *space, const struct trial_metrics *baseline, struct errinfo *e)
{
	j->space = space;
	fill_problem(j, baseline);
	enum err err = table_open(&j->problem, j->spec->strategy, &j->table, e);
	return err ? err : front_open(&j->problem, &j->front, e);
}

static enum err read_space(const struct job *j, const cJSON *inventory, struct space **ret, struct errinfo *e)
{
	struct space_limits limits = { .max_ratio = j->spec->max_ratio, .round_to = (int)j->spec->round_to };
	return space_read(inventory, &limits, ret, e);
}

enum err drive_open_search(struct job *j, const char *inventory, const struct trial_row *baseline, struct errinfo *e)
{
	cJSON *doc;
	struct space *space;
	enum err err = json_parse("inventory", inventory, strlen(inventory), &doc, e);
	if (err)
		return err;
	err = read_space(j, doc, &space, e);
	cJSON_Delete(doc);
	if (!err)
		err = open_search(j, space, &baseline->metrics, e);
	return err ? err : offer(j, 0, j->problem.baseline, e);
}

/* r is the row with the result in; the baseline competes for the Pareto set too: what it dominates is no gain. */
static enum err begin_search(struct job *j, struct flight *f, struct space *space, const cJSON *inventory,
	struct trial_row *r, enum trial_state from, struct errinfo *e)
{
	r->state = TRIAL_COMPLETE;
	r->finished = clock_wall_ms();
	enum err err = set_string(&r->model, j->spec->model, e);
	char *text = cJSON_PrintUnformatted(inventory);
	if (err || !text) {
		free(text);
		space_free(space);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	free(j->row.inventory);
	j->row.inventory = text;
	flight_remove(j, f);
	enum err trouble = open_search(j, space, &r->metrics, e);
	r->feasible = !trouble && feasible(j, &r->metrics);
	struct errinfo why = *e;
	err = job_put_trial(j, r, from, e);
	if (!err)
		err = job_move(j, JOB_SEARCHING, e);
	if (!err && !trouble)
		trouble = offer(j, 0, j->problem.baseline, e);
	else if (!err)
		*e = why;
	return err ? err : blame(j, trouble, e);
}

static enum err take_baseline(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
{
	struct space *space;
	struct trial_row r;
	enum err err = read_space(j, report->inventory, &space, e);
	if (err == ERR_UNSUPPORTED)
		return drive_failed(j, f, e->msg, e);
	if (err)
		return err;
	struct cost cost = cost_of_intact(space);
	if (report_check_cost(&report->metrics, &cost, e)) {
		space_free(space);
		return drive_failed(j, f, e->msg, e);
	}
	err = trial_load(j->daemon->store, j->row.id, 0, &r, e);
	if (err) {
		space_free(space);
		return err;
	}
	r.metrics = report->metrics;
	err = begin_search(j, f, space, report->inventory, &r, r.state, e);
	trial_row_fini(&r);
	return err;
}

/* The space of an earlier job's inventory, under this job's limits. */
static enum err known_space(struct job *j, int64_t job, cJSON **ret_doc, struct space **ret, struct errinfo *e)
{
	struct job_row row;
	enum err err = job_load(j->daemon->store, job, &row, e);
	if (err)
		return err;
	err = row.inventory ? json_parse("inventory", row.inventory, strlen(row.inventory), ret_doc, e)
			    : err_set(e, ERR_NOT_FOUND, "job %lld: has no inventory", (long long)job);
	job_row_fini(&row);
	if (err)
		return err;
	err = read_space(j, *ret_doc, ret, e);
	if (err)
		cJSON_Delete(*ret_doc);
	return err;
}

static enum err share_baseline(struct job *j, struct flight *f, const struct trial_row *known, struct errinfo *e)
{
	cJSON *inventory;
	struct space *space;
	struct trial_row r;
	enum err err = known_space(j, known->job, &inventory, &space, e);
	if (err)
		return err == ERR_MEMORY || err == ERR_IO ? err : ERR_OK; /* let a worker look at it again */
	err = trial_load(j->daemon->store, j->row.id, 0, &r, e);
	if (err) {
		space_free(space);
		cJSON_Delete(inventory);
		return err;
	}
	err = share_result(j, known, &r, e);
	if (err)
		space_free(space);
	else
		err = begin_search(j, f, space, inventory, &r, TRIAL_WAITING, e);
	trial_row_fini(&r);
	cJSON_Delete(inventory);
	return err;
}

enum err drive_known_baseline(struct job *j, struct flight *f, struct errinfo *e)
{
	struct trial_row known;
	enum err err = trial_find(j->daemon->store, f->digest, &known, e);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	err = share_baseline(j, f, &known, e);
	trial_row_fini(&known);
	return err;
}

/* ---- what a report or a failure does ---------------------------------------------------------------------------- */

enum err drive_report(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
{
	switch (f->kind) {
	case LEASE_BASELINE:
		return take_baseline(j, f, report, e);
	case LEASE_CANDIDATE:
		return take_candidate(j, f, report, e);
	case LEASE_TEST:
		return take_test(j, f, report->test_accuracy, report->test_loss, e);
	}
	return err_set(e, ERR_INTERNAL, "a lease of kind %d", (int)f->kind);
}

/* A test score that can't be had costs the job nothing but the score. */
static enum err give_up_test(struct job *j, struct flight *f, const char *reason, struct errinfo *e)
{
	char text[sizeof e->msg];
	snprintf(text, sizeof text, "trial %lld.%lld has no test score: %.500s", (long long)j->row.id,
		(long long)f->number, reason);
	flight_remove(j, f);
	j->changed = j->stirred = true;
	return j->row.reason ? ERR_OK : set_string(&j->row.reason, text, e);
}

enum err drive_failed(struct job *j, struct flight *f, const char *reason, struct errinfo *e)
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
	err = set_string(&r.reason, kept, e);
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

/* ---- proposals ------------------------------------------------------------------------------------------------ */

static enum err write_candidate(const struct job *j, const int *keep, char **ret, struct errinfo *e)
{
	struct text t;
	text_init(&t);
	text_open(&t, '[');
	for (int g = 0; g < j->space->group_count; g++)
		text_int(&t, keep[g]);
	text_close(&t, ']');
	return text_take(&t, ret, NULL, e);
}

static double removed(double now, double before)
{
	return before > 0 ? 1 - now / before : 0;
}

static enum err write_achieved(const struct job *j, const int *keep, char **ret, struct errinfo *e)
{
	const struct space *s = j->space;
	struct cost cost = cost_of(s, keep), intact = cost_of_intact(s);
	double kept = 0, channels = 0;
	for (int g = 0; g < s->group_count; g++) {
		kept += keep[g];
		channels += s->groups[g].channels;
	}
	struct text t;
	text_init(&t);
	text_open(&t, '{');
	text_put_number(&t, "params", removed((double)cost.params, (double)intact.params));
	text_put_number(&t, "macs", removed((double)cost.macs, (double)intact.macs));
	text_put_number(&t, "channels", removed(kept, channels));
	text_close(&t, '}');
	return text_take(&t, ret, NULL, e);
}

static enum err write_requested(const struct request *q, char **ret, struct errinfo *e)
{
	struct text t;
	if (q->metric == METRIC_COUNT)
		return ERR_OK;
	text_init(&t);
	text_open(&t, '{');
	text_put_number(&t, metric_name(q->metric), q->ratio);
	text_close(&t, '}');
	return text_take(&t, ret, NULL, e);
}

static enum err fill_proposal(const struct job *j, int number, const int *keep, const struct request *q,
	struct trial_row *r, struct errinfo *e)
{
	char digest[DIGEST_HEX + 1];
	r->job = j->row.id;
	r->number = number;
	r->created = clock_wall_ms();
	enum err err = write_candidate(j, keep, &r->candidate, e);
	if (!err)
		err = write_achieved(j, keep, &r->achieved, e);
	if (!err)
		err = write_requested(q, &r->requested, e);
	if (!err)
		err = spec_digest(j->spec, r->candidate, digest, e);
	return err ? err : set_string(&r->digest, digest, e);
}

/* A known candidate is complete at once; one under way is followed; any other waits for a worker. */
static enum err place(struct job *j, struct trial_row *r, const int *keep, struct errinfo *e)
{
	struct trial_row known;
	struct flight *f;
	const struct flight *leader = flight_like(j, r->digest);
	enum err err = trial_find(j->daemon->store, r->digest, &known, e);
	if (!err) {
		err = share_result(j, &known, r, e);
		trial_row_fini(&known);
		if (!err)
			err = job_add_trial(j, r, e);
		if (!err)
			err = event_trial(j->daemon, j->row.id, r->number, e);
		return err ? err : blame(j, drive_tell(j, r, e), e);
	}
	if (err != ERR_NOT_FOUND)
		return err;
	int64_t follows = leader ? leader->leader >= 0 ? leader->leader : leader->number : -1;
	err = job_add_trial(j, r, e);
	if (!err)
		err = flight_add(j, r->number, LEASE_CANDIDATE, r->digest, keep, &f, e);
	if (!err)
		f->leader = follows;
	return err;
}

static enum err propose(struct job *j, int number, const int *keep, const struct request *q, struct errinfo *e)
{
	struct trial_row r;
	trial_row_init(&r);
	enum err err = fill_proposal(j, number, keep, q, &r, e);
	if (!err)
		err = place(j, &r, keep, e);
	trial_row_fini(&r);
	return err;
}

/* ---- the end --------------------------------------------------------------------------------------------------- */

static enum err miss_test(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct flight *f;
	return isnan(r->test_accuracy) ? flight_add(arg, r->number, LEASE_TEST, r->digest, NULL, &f, e) : ERR_OK;
}

enum err drive_miss_tests(struct job *j, struct errinfo *e)
{
	return trial_each(j->daemon->store, j->row.id, true, miss_test, j, e);
}

/* A score that another trial with this digest has is taken over. */
static enum err share_tests(struct job *j, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (struct flight *f = j->flights, *next; f && !err; f = next) {
		struct trial_row known;
		next = f->next;
		err = trial_find(j->daemon->store, f->digest, &known, e);
		if (err == ERR_NOT_FOUND) {
			err = ERR_OK;
			continue;
		}
		if (err)
			return err;
		if (!isnan(known.test_accuracy))
			err = take_test(j, f, known.test_accuracy, known.test_loss, e);
		trial_row_fini(&known);
	}
	return err;
}

static enum err finish_search(struct job *j, struct errinfo *e)
{
	enum err err = job_move(j, JOB_FINISHING, e);
	if (!err)
		err = drive_miss_tests(j, e);
	return err ? err : share_tests(j, e);
}

static enum err search(struct job *j, bool *ret_more, struct errinfo *e)
{
	enum table_answer answer = TABLE_PROPOSAL;
	int *keep = calloc((size_t)j->space->group_count, sizeof *keep);
	enum err err = keep ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	int asked = 0;
	for (; !err && !job_over(j) && asked < PROPOSALS_A_TURN; asked++) {
		struct request q = { .metric = METRIC_COUNT };
		int number = 0;
		err = table_ask(j->table, &answer, &number, keep, &q, e);
		if (err) {
			err = blame(j, err, e);
			break;
		}
		if (answer != TABLE_PROPOSAL)
			break;
		err = propose(j, number, keep, &q, e);
	}
	free(keep);
	if (err || job_over(j))
		return err;
	*ret_more = asked == PROPOSALS_A_TURN;
	if (answer == TABLE_DONE && table_outstanding(j->table) == 0)
		err = finish_search(j, e);
	return err;
}

static enum err drive_job(struct job *j, bool *ret_more, struct errinfo *e)
{
	enum err err = ERR_OK;
	j->stirred = false;
	if (j->row.state == JOB_SEARCHING)
		err = search(j, ret_more, e);
	if (!err && j->row.state == JOB_FINISHING && !j->flights)
		err = job_move(j, JOB_DONE, e);
	if (*ret_more)
		j->stirred = true;
	return err;
}

enum err drive_jobs(struct daemon *d, bool *ret_more, struct errinfo *e)
{
	*ret_more = false;
	for (struct job *j = d->jobs; j; j = j->next) {
		bool more = false;
		if (!j->stirred || job_over(j))
			continue;
		enum err err = drive_job(j, &more, e);
		if (err)
			return err;
		*ret_more = *ret_more || more;
	}
	return ERR_OK;
}

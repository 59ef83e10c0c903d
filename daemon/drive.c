/* drive.c -- ask and tell: what a job does next.
 * SPDX-License-Identifier: MIT
 *
 * Proposals come from the table only, in its canonical order. */
#include "daemon/drive.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/job.h"
#include "daemon/proposal.h"
#include "daemon/result.h"
#include "daemon/spec.h"
#include "search/space.h"
#include "search/table.h"

/* What a turn may take for proposals, and what for asking strategies: others want answers meanwhile. When they are
 * asked decides nothing. */
enum { PROPOSALS_A_TURN = 32, ASKING_NS = 10000000 };

/* How much of budget.seconds a crash may forget. */
enum { SAVE_MS = 10000 };

/* ---- the end --------------------------------------------------------------------------------------------------- */

static enum err miss_test(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct flight *f;
	return isnan(r->test_accuracy) ? flight_add(arg, r, LEASE_TEST, NULL, &f, e) : ERR_OK;
}

/* The members are scored, and the baseline, whether or not it is one: theirs are compared with its score. */
enum err drive_tests(struct job *j, struct errinfo *e)
{
	struct trial_row baseline;
	enum err err = trial_load(j->daemon->store, j->row.id, 0, &baseline, e);
	if (err)
		return err;
	if (!baseline.pareto)
		err = miss_test(&baseline, j, e);
	trial_row_fini(&baseline);
	return err ? err : trial_each(j->daemon->store, j->row.id, true, miss_test, j, e);
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
			err = result_test(j, f, known.test_accuracy, known.test_loss, e);
		trial_row_fini(&known);
	}
	return err;
}

/* The first one of the highest rung at which any failed. */
struct failure {
	char *reason;
	int rung;
};

static enum err note_failure(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct failure *f = arg;
	if (r->state != TRIAL_FAILED || (f->reason && r->rung <= f->rung))
		return ERR_OK;
	f->rung = r->rung;
	return job_set_text(&f->reason, r->reason ? r->reason : "without a reason", e);
}

/* A search that evaluated nothing found nothing: the baseline alone is no result. */
static enum err fail_search(struct job *j, struct errinfo *e)
{
	struct failure f = { 0 };
	char *reason = NULL;
	const char *what = j->counts[TRIAL_COMPLETE] > 1 ? "no candidate completed the last rung"
							 : "no candidate could be evaluated"; /* besides the baseline */
	enum err err = trial_each(j->daemon->store, j->row.id, false, note_failure, &f, e);
	if (!err && asprintf(&reason, "%s: %s", what, f.reason ? f.reason : "") < 0) {
		reason = NULL;
		err = err_set(e, ERR_MEMORY, "out of memory");
	}
	if (!err)
		err = job_fail(j, reason, e);
	free(f.reason);
	free(reason);
	return err;
}

static enum err finish_search(struct job *j, struct errinfo *e)
{
	if (j->counts[TRIAL_FAILED] > 0 && isnan(j->best))
		return fail_search(j, e);
	enum err err = job_move(j, JOB_FINISHING, e);
	if (!err)
		err = drive_tests(j, e);
	return err ? err : share_tests(j, e);
}

static enum job_ended end_of(const struct table *t)
{
	switch (table_end(t)) {
	case TABLE_END_TRIALS:
		return JOB_ENDED_TRIALS;
	case TABLE_END_STALL:
		return JOB_ENDED_STALL;
	case TABLE_END_EXHAUSTED:
		return JOB_ENDED_STRATEGY;
	case TABLE_OPEN:
	case TABLE_END_STOPPED: /* by job_end_search */
		break;
	}
	return JOB_NOT_ENDED;
}

static enum err note_end(struct job *j, struct errinfo *e)
{
	enum job_ended why = end_of(j->table);
	return why ? job_end_search(j, why, e) : ERR_OK;
}

/* Asks for one trial after the other until there is none, or the turn's share is spent; the time that it took is added
 * to *asking_ns. */
static enum err ask(struct job *j, int *keep, int64_t *asking_ns, enum table_answer *ret, struct errinfo *e)
{
	*ret = TABLE_PROPOSAL;
	for (int asked = 0; asked < PROPOSALS_A_TURN && *asking_ns < ASKING_NS && !job_over(j); asked++) {
		struct request q = { .metric = METRIC_COUNT };
		int number = 0;
		int64_t began = clock_ns();
		enum err err = table_ask(j->table, ret, &number, keep, &q, e);
		*asking_ns += clock_ns() - began;
		if (err)
			return result_blame(j, err, e);
		if (*ret != TABLE_PROPOSAL)
			return ERR_OK;
		err = proposal_add(j, number, keep, &q, e);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err search(struct job *j, int64_t *asking_ns, bool *ret_more, struct errinfo *e)
{
	enum table_answer answer = TABLE_PROPOSAL;
	int *keep = calloc((size_t)j->space->group_count, sizeof *keep);
	enum err err = keep ? ask(j, keep, asking_ns, &answer, e) : err_set(e, ERR_MEMORY, "out of memory");
	free(keep);
	if (err || job_over(j))
		return err;
	err = note_end(j, e);
	*ret_more = answer == TABLE_PROPOSAL;
	if (!err && answer == TABLE_DONE && table_outstanding(j->table) == 0)
		err = finish_search(j, e);
	return err;
}

static enum err drive_job(struct job *j, int64_t *asking_ns, bool *ret_more, struct errinfo *e)
{
	enum err err = ERR_OK;
	j->stirred = false;
	if (j->row.state == JOB_SEARCHING)
		err = search(j, asking_ns, ret_more, e);
	if (!err && j->row.state == JOB_FINISHING && !j->flights)
		err = job_move(j, JOB_DONE, e);
	if (*ret_more)
		j->stirred = true;
	return err;
}

/* Jobs take turns at being the first: once the time for asking is over the others wait for the next turn. */
enum err drive_jobs(struct daemon *d, bool *ret_more, struct errinfo *e)
{
	int64_t asking_ns = 0, before = d->driven;
	*ret_more = false;
	for (int part = 0; part < 2; part++) {
		for (struct job *j = d->jobs; j; j = j->next) {
			bool more = false;
			if ((j->row.id <= before) != part || !j->stirred || job_over(j))
				continue;
			if (asking_ns >= ASKING_NS) {
				*ret_more = true;
				return ERR_OK;
			}
			enum err err = drive_job(j, &asking_ns, &more, e);
			if (err)
				return err;
			d->driven = j->row.id;
			*ret_more = *ret_more || more;
		}
	}
	return ERR_OK;
}

static bool time_is_up(const struct job *j)
{
	return j->spec->seconds && j->row.searched >= j->spec->seconds * 1000;
}

enum err drive_clocks(struct daemon *d, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (struct job *j = d->jobs; j && !err; j = j->next) {
		if (j->row.state != JOB_SEARCHING || j->row.ended)
			continue;
		job_account(j);
		if (time_is_up(j))
			err = job_end_search(j, JOB_ENDED_SECONDS, e);
		else if (j->spec->seconds && j->row.searched - j->saved >= SAVE_MS)
			j->changed = true;
	}
	return err;
}

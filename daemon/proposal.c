/* proposal.c -- a candidate that was proposed becomes a trial.
 * SPDX-License-Identifier: MIT */
#include "daemon/proposal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/event.h"
#include "daemon/job.h"
#include "daemon/result.h"
#include "daemon/spec.h"
#include "daemon/text.h"
#include "search/cost.h"
#include "search/space.h"
#include "search/table.h"

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
	r->job = j->row.id;
	r->number = number;
	r->created = clock_wall_ms();
	enum err err = write_candidate(j, keep, &r->candidate, e);
	if (!err)
		err = write_achieved(j, keep, &r->achieved, e);
	return err ? err : write_requested(q, &r->requested, e);
}

/* A promoted candidate is the same one rung further up. */
static enum err fill_promotion(const struct job *j, int number, struct trial_row *r, struct errinfo *e)
{
	struct trial_row parent;
	enum err err = trial_load(j->daemon->store, j->row.id, table_parent(j->table, number), &parent, e);
	if (err)
		return err;
	r->job = j->row.id;
	r->number = number;
	r->created = clock_wall_ms();
	r->rung = table_rung(j->table, number);
	r->parent = parent.number;
	err = job_set_text(&r->candidate, parent.candidate, e);
	if (!err)
		err = job_set_text(&r->achieved, parent.achieved, e);
	if (!err)
		err = job_set_text(&r->requested, parent.requested, e);
	trial_row_fini(&parent);
	return err;
}

static enum err fill(const struct job *j, int number, const int *keep, const struct request *q, struct trial_row *r,
	struct errinfo *e)
{
	char digest[DIGEST_HEX + 1];
	enum err err = table_parent(j->table, number) ? fill_promotion(j, number, r, e)
		: fill_proposal(j, number, keep, q, r, e);
	if (!err)
		err = spec_digest(j->spec, j->model, r->rung, r->candidate, digest, e);
	return err ? err : job_set_text(&r->digest, digest, e);
}

/* A known candidate is complete at once; one under way is followed; any other waits for a worker. */
static enum err place(struct job *j, struct trial_row *r, const int *keep, struct errinfo *e)
{
	struct trial_row known;
	struct flight *f;
	const struct flight *leader = flight_like(j, r->digest);
	enum err err = trial_find(j->daemon->store, r->digest, &known, e);
	if (!err) {
		err = result_share(j, &known, r, e);
		trial_row_fini(&known);
		if (!err)
			err = job_add_trial(j, r, e);
		if (!err)
			err = event_trial(j->daemon, j->row.id, r->number, e);
		return err ? err : result_blame(j, result_tell(j, r, false, e), e);
	}
	if (err != ERR_NOT_FOUND)
		return err;
	int64_t follows = leader ? leader->leader >= 0 ? leader->leader : leader->number : -1;
	err = job_add_trial(j, r, e);
	if (!err)
		err = flight_add(j, r, LEASE_CANDIDATE, keep, &f, e);
	if (!err)
		f->leader = follows;
	return err;
}

enum err proposal_add(struct job *j, int number, const int *keep, const struct request *q, struct errinfo *e)
{
	struct trial_row r;
	trial_row_init(&r);
	enum err err = fill(j, number, keep, q, &r, e);
	if (!err)
		err = place(j, &r, keep, e);
	trial_row_fini(&r);
	return err;
}

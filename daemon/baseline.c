/* baseline.c -- trial 0: what its result opens.
 * SPDX-License-Identifier: MIT */
#include "daemon/baseline.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "daemon/daemon.h"
#include "daemon/job.h"
#include "daemon/report.h"
#include "daemon/result.h"
#include "daemon/spec.h"
#include "daemon/warm.h"
#include "search/cost.h"
#include "search/front.h"
#include "search/space.h"
#include "search/table.h"

void baseline_problem(const struct spec *s, const struct space *space, const struct trial_metrics *baseline,
	struct problem *p)
{
	*p = (struct problem){ .space = space, .objective_count = s->objective_count,
		.constraint_count = s->constraint_count, .budget = (int)s->trials, .stall = (int)s->stall,
		.window = (int)s->window, .seed = (uint64_t)s->seed,
		.ladder = { .count = s->rung_count, .eta = (int)s->eta } };
	for (int r = 0; r < s->rung_count; r++)
		p->ladder.latency[r] = s->rungs[r].latency;
	memcpy(p->objectives, s->objectives, sizeof p->objectives);
	memcpy(p->constraints, s->constraints, sizeof p->constraints);
	result_metrics(baseline, p->baseline);
	/* By definition: latency is relative to it. */
	p->baseline[METRIC_LATENCY] = s->rungs[spec_last(s)].latency ? 1 : NAN;
}

static enum err open_search(struct job *j, struct space *space, const struct trial_row *baseline, struct errinfo *e)
{
	j->space = space;
	snprintf(j->model, sizeof j->model, "%s", baseline->model);
	j->baseline = baseline->metrics;
	baseline_problem(j->spec, space, &baseline->metrics, &j->problem);
	enum err err = warm_open(j, &j->prior, e);
	j->problem.prior = j->prior;
	if (!err)
		err = table_open(&j->problem, j->spec->strategy, &j->table, e);
	return err ? err : front_open(&j->problem, &j->front, e);
}

static enum err read_space(const struct job *j, const cJSON *inventory, struct space **ret, struct errinfo *e)
{
	struct space_limits limits = spec_limits(j->spec);
	return space_read(inventory, &limits, ret, e);
}

enum err baseline_replay(struct job *j, const char *inventory, const struct trial_row *baseline, struct errinfo *e)
{
	struct space *space;
	struct space_limits limits = spec_limits(j->spec);
	enum err err = space_parse(inventory, &limits, &space, e);
	if (!err)
		err = open_search(j, space, baseline, e);
	return err ? err : result_offer(j, 0, j->problem.baseline, true, e);
}

/* r is the row with the result in; the baseline competes for the Pareto set too: what it dominates is no gain. */
static enum err begin_search(struct job *j, struct flight *f, struct space *space, const cJSON *inventory,
	struct trial_row *r, enum trial_state from, struct errinfo *e)
{
	r->state = TRIAL_COMPLETE;
	r->finished = clock_wall_ms();
	char *text = cJSON_PrintUnformatted(inventory);
	if (!text) {
		space_free(space);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	free(j->row.inventory);
	j->row.inventory = text;
	flight_remove(j, f);
	enum err trouble = open_search(j, space, r, e);
	r->feasible = !trouble && result_feasible(j, r->rung, &r->metrics);
	struct errinfo why = *e;
	enum err err = job_put_trial(j, r, from, e);
	if (!err)
		err = job_move(j, JOB_SEARCHING, e);
	if (!err && !trouble)
		trouble = result_offer(j, 0, j->problem.baseline, false, e);
	else if (!err)
		*e = why;
	return err ? err : result_blame(j, trouble, e);
}

enum err baseline_take(struct job *j, struct flight *f, const struct report *report, struct errinfo *e)
{
	struct space *space;
	struct trial_row r;
	enum err err = read_space(j, report->inventory, &space, e);
	if (err == ERR_UNSUPPORTED)
		return result_failed(j, f, e->msg, e);
	if (err)
		return err;
	struct cost cost = cost_of_intact(space);
	err = report_check_cost(&report->metrics, &cost, e);
	if (!err)
		err = trial_load(j->daemon->store, j->row.id, 0, &r, e);
	if (err) {
		space_free(space);
		return err;
	}
	r.metrics = report->metrics;
	if (report->model)
		err = job_set_text(&r.model, report->model, e);
	if (err)
		space_free(space);
	else
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
	err = result_share(j, known, &r, e);
	if (err)
		space_free(space);
	else
		err = begin_search(j, f, space, inventory, &r, TRIAL_WAITING, e);
	trial_row_fini(&r);
	cJSON_Delete(inventory);
	return err;
}

enum err baseline_known(struct job *j, struct flight *f, struct errinfo *e)
{
	struct trial_row known;
	enum err err = trial_find(j->daemon->store, f->digest, &known, e);
	if (err)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	err = share_baseline(j, f, &known, e);
	trial_row_fini(&known);
	return err;
}

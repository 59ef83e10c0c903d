/* view.c -- jobs, trials and workers as the protocol shows them.
 * SPDX-License-Identifier: MIT
 *
 * A live job's figures are at hand in memory; those of one that is over are asked of the store. */
#include "daemon/view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/job.h"
#include "daemon/pool.h"
#include "daemon/text.h"
#include "daemon/worker.h"
#include "search/front.h"
#include "search/space.h"

struct figures {
	int64_t counts[TRIAL_STATE_COUNT];
	double best;
	int64_t pareto;
	bool has_baseline;
	struct trial_metrics baseline;
};

static void put_time(struct text *t, const char *key, int64_t ms)
{
	text_key(t, key);
	if (ms)
		text_int(t, ms);
	else
		text_json(t, NULL);
}

static void put_metrics(struct text *t, const char *key, const struct trial_metrics *m)
{
	text_key(t, key);
	if (!m) {
		text_json(t, NULL);
		return;
	}
	text_open(t, '{');
	text_put_number(t, "accuracy", m->accuracy);
	text_put_number(t, "loss", m->loss);
	text_put_number(t, "params", m->params);
	text_put_number(t, "macs", m->macs);
	text_put_number(t, "bytes", m->bytes);
	text_put_number(t, "memory", m->memory);
	text_put_number(t, "latency", m->latency);
	text_put_number(t, "latency_ms", m->latency_ms);
	text_put_number(t, "latency_p10_ms", m->latency_p10_ms);
	text_put_number(t, "latency_p90_ms", m->latency_p90_ms);
	text_put_number(t, "latency_ratio_p10", m->latency_ratio_p10);
	text_put_number(t, "latency_ratio_p90", m->latency_ratio_p90);
	text_close(t, '}');
}

void view_trial(const struct trial_row *r, struct text *t)
{
	char id[48];
	snprintf(id, sizeof id, "%lld.%lld", (long long)r->job, (long long)r->number);
	text_open(t, '{');
	text_put_string(t, "id", id);
	text_put_int(t, "job", r->job);
	text_put_int(t, "number", r->number);
	text_put_int(t, "rung", r->rung);
	text_put_string(t, "state", trial_state_name(r->state));
	text_put_string(t, "reason", r->reason);
	text_put_string(t, "source", r->source);
	snprintf(id, sizeof id, "%lld.%lld", (long long)r->job, (long long)r->parent);
	text_put_string(t, "parent", r->parent ? id : NULL);
	text_put_json(t, "candidate", r->candidate);
	text_put_json(t, "requested", r->requested);
	text_put_json(t, "achieved", r->achieved);
	put_metrics(t, "metrics", r->state == TRIAL_COMPLETE ? &r->metrics : NULL);
	text_key(t, "test");
	if (isnan(r->test_accuracy)) {
		text_json(t, NULL);
	} else {
		text_open(t, '{');
		text_put_number(t, "accuracy", r->test_accuracy);
		text_put_number(t, "loss", r->test_loss);
		text_close(t, '}');
	}
	text_key(t, "feasible");
	if (r->state == TRIAL_COMPLETE)
		text_bool(t, r->feasible);
	else
		text_json(t, NULL); /* nobody knows yet, or ever will */
	text_put_bool(t, "pareto", r->pareto);
	text_put_string(t, "model", r->model);
	text_put_string(t, "worker", r->worker);
	text_put_int(t, "attempts", r->attempts);
	put_time(t, "created", r->created);
	put_time(t, "started", r->started);
	put_time(t, "finished", r->finished);
	text_close(t, '}');
}

static enum err view_one(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct text *t = arg;
	view_trial(r, t);
	return t->failed ? err_set(e, ERR_MEMORY, "out of memory") : ERR_OK;
}

enum err view_trials(struct daemon *d, int64_t job, bool only_pareto, struct text *t, struct errinfo *e)
{
	return trial_each(d->store, job, only_pareto, view_one, t, e);
}

static enum err count_one(const struct trial_row *r, void *arg, struct errinfo *e)
{
	(void)r, (void)e;
	++*(int64_t *)arg;
	return ERR_OK;
}

static enum err stored_figures(struct daemon *d, int64_t job, struct figures *f, struct errinfo *e)
{
	struct trial_row baseline;
	enum err err = trial_count(d->store, job, f->counts, e);
	if (!err)
		err = trial_best_accuracy(d->store, job, &f->best, e);
	if (!err)
		err = trial_each(d->store, job, true, count_one, &f->pareto, e);
	if (!err)
		err = trial_load(d->store, job, 0, &baseline, e);
	if (err)
		return err;
	f->has_baseline = baseline.state == TRIAL_COMPLETE;
	f->baseline = baseline.metrics;
	trial_row_fini(&baseline);
	return ERR_OK;
}

static void live_figures(const struct job *j, struct figures *f)
{
	memcpy(f->counts, j->counts, sizeof f->counts);
	f->best = j->best;
	f->pareto = j->front ? front_size(j->front) : 0;
	f->has_baseline = j->space;
	f->baseline = j->baseline;
}

static void put_counts(struct text *t, const int64_t counts[TRIAL_STATE_COUNT])
{
	text_key(t, "trials");
	text_open(t, '{');
	for (int s = 0; s < TRIAL_STATE_COUNT; s++)
		text_put_int(t, trial_state_name((enum trial_state)s), counts[s]);
	text_close(t, '}');
}

static void put_plan(struct text *t, const struct job_row *r)
{
	if (r->plan) {
		text_put_json(t, "plan", r->plan);
		return;
	}
	text_key(t, "plan");
	text_open(t, '[');
	text_int(t, r->budget);
	text_close(t, ']');
}

static void put_row(struct text *t, const struct job_row *r, const struct figures *f)
{
	text_put_int(t, "id", r->id);
	text_put_string(t, "name", r->name);
	text_put_string(t, "state", job_state_name(r->state));
	text_put_string(t, "reason", r->reason);
	put_time(t, "created", r->created);
	put_time(t, "started", r->started);
	put_time(t, "finished", r->finished);
	text_put_int(t, "budget", r->budget);
	put_plan(t, r);
	text_put_string(t, "ended", job_ended_name(r->ended));
	put_counts(t, f->counts);
	put_metrics(t, "baseline", f->has_baseline ? &f->baseline : NULL);
	text_key(t, "best");
	text_open(t, '{');
	text_put_number(t, "accuracy", f->best);
	text_close(t, '}');
	text_put_int(t, "pareto", f->pareto);
	text_put_number(t, "hypervolume", r->hypervolume);
}

static void put_group(struct text *t, const cJSON *group)
{
	text_open(t, '{');
	text_put_string(t, "name", cJSON_GetStringValue(cJSON_GetObjectItem(group, "name")));
	text_put_int(t, "channels", (int64_t)cJSON_GetNumberValue(cJSON_GetObjectItem(group, "channels")));
	const char *reason = cJSON_GetStringValue(cJSON_GetObjectItem(group, "reason"));
	if (reason)
		text_put_string(t, "reason", reason);
	text_close(t, '}');
}

/* Those entries of a part of the inventory that have a name and channels; the others nobody vouches for. */
static void put_part(struct text *t, const cJSON *inventory, const char *name)
{
	const cJSON *entry;
	text_key(t, name);
	text_open(t, '[');
	cJSON_ArrayForEach(entry, cJSON_GetObjectItem(inventory, name))
		if (cJSON_IsString(cJSON_GetObjectItem(entry, "name")) &&
			cJSON_IsNumber(cJSON_GetObjectItem(entry, "channels")))
			put_group(t, entry);
	text_close(t, ']');
}

/* What can be pruned, and what can't be and why, once the baseline's worker has said so. */
static enum err put_inventory(struct text *t, const char *inventory, struct errinfo *e)
{
	cJSON *doc = NULL;
	if (!inventory) {
		text_put_json(t, "groups", NULL);
		text_put_json(t, "frozen", NULL);
		return ERR_OK;
	}
	enum err err = json_parse("inventory", inventory, strlen(inventory), &doc, e);
	if (err)
		return err;
	put_part(t, doc, "groups");
	put_part(t, doc, "frozen");
	cJSON_Delete(doc);
	return ERR_OK;
}

static enum err put_job(struct daemon *d, const struct job_row *r, bool full, struct text *t, struct errinfo *e)
{
	const struct job *j = job_find(d, r->id);
	struct figures f = { .best = NAN };
	enum err err = ERR_OK;
	if (j)
		live_figures(j, &f);
	else
		err = stored_figures(d, r->id, &f, e);
	if (err)
		return err;
	text_open(t, '{');
	put_row(t, j ? &j->row : r, &f);
	if (full) {
		err = put_inventory(t, j ? j->row.inventory : r->inventory, e);
		text_put_json(t, "spec", r->spec);
	}
	text_close(t, '}');
	return err;
}

enum err view_job(struct daemon *d, int64_t id, struct text *t, enum job_state *ret_state, struct errinfo *e)
{
	const struct job *j = job_find(d, id);
	struct job_row row;
	if (j) {
		*ret_state = j->row.state;
		return put_job(d, &j->row, true, t, e);
	}
	enum err err = job_load(d->store, id, &row, e);
	if (err)
		return err;
	*ret_state = row.state;
	err = put_job(d, &row, true, t, e);
	job_row_fini(&row);
	return err;
}

struct listing {
	struct daemon *daemon;
	struct text *text;
};

static enum err list_job(const struct job_row *r, void *arg, struct errinfo *e)
{
	struct listing *l = arg;
	return put_job(l->daemon, r, false, l->text, e);
}

enum err view_jobs(struct daemon *d, struct text *t, struct errinfo *e)
{
	struct listing l = { d, t };
	text_open(t, '{');
	text_key(t, "jobs");
	text_open(t, '[');
	enum err err = job_each(d->store, false, list_job, &l, e);
	text_close(t, ']');
	text_close(t, '}');
	return err;
}

static void put_id(struct text *t, const char *key, int64_t x)
{
	text_key(t, key);
	if (x)
		text_int(t, x);
	else
		text_json(t, NULL);
}

static void put_worker(struct daemon *d, const struct worker *w, struct text *t)
{
	const struct hold *h = hold_of_worker(d, w->name);
	int pid = w->supervised ? pool_pid(d->pool, w->name) : 0;
	char trial[48];
	if (h)
		snprintf(trial, sizeof trial, "%lld.%lld", (long long)h->row.job, (long long)h->row.number);
	text_open(t, '{');
	text_put_string(t, "name", w->name);
	text_put_string(t, "state", worker_state(d, w));
	text_put_bool(t, "supervised", w->supervised);
	put_id(t, "pid", pid);
	put_id(t, "lease", h ? h->row.id : 0);
	text_put_string(t, "trial", h ? trial : NULL);
	put_time(t, "seen", w->seen);
	text_put_int(t, "completed", w->completed);
	text_put_int(t, "failed", w->failed);
	text_put_int(t, "restarts", w->restarts);
	text_close(t, '}');
}

void view_workers(struct daemon *d, struct text *t)
{
	text_open(t, '{');
	text_key(t, "workers");
	text_open(t, '[');
	for (const struct worker *w = d->workers; w; w = w->next)
		put_worker(d, w, t);
	text_close(t, ']');
	text_close(t, '}');
}

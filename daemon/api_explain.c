/* api_explain.c -- what a search learned, from its stored results.
 * SPDX-License-Identifier: MIT
 *
 * Those of rung 0: all candidates were there, and were measured alike. */
#include <limits.h>
#include <stdlib.h>

#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/keep.h"
#include "daemon/record.h"
#include "daemon/result.h"
#include "daemon/text.h"
#include "search/explain.h"
#include "search/space.h"
#include "store/trial.h"

struct results {
	const struct space *space;
	struct outcome *outcomes;
	int *keep; /* one candidate after the other */
	int count, capacity;
};

static void results_fini(struct results *all)
{
	free(all->outcomes);
	free(all->keep);
}

static enum err make_room(struct results *all, struct errinfo *e)
{
	if (all->count < all->capacity)
		return ERR_OK;
	size_t capacity = 2 * (size_t)all->capacity + 64, groups = (size_t)all->space->group_count;
	struct outcome *outcomes = reallocarray(all->outcomes, capacity, sizeof *outcomes);
	if (outcomes)
		all->outcomes = outcomes;
	int *keep = reallocarray(all->keep, capacity, groups * sizeof *keep);
	if (keep)
		all->keep = keep;
	if (!outcomes || !keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	all->capacity = (int)capacity;
	return ERR_OK;
}

static int *keep_of(const struct results *all, int i)
{
	return all->keep + (size_t)i * (size_t)all->space->group_count;
}

static enum err take(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct results *all = arg;
	enum err err = make_room(all, e);
	if (!err)
		err = keep_read(r, all->space, keep_of(all, all->count), e);
	if (err || !space_allows(all->space, keep_of(all, all->count)))
		return err;
	struct outcome *o = &all->outcomes[all->count++];
	*o = (struct outcome){ .number = (int)r->number, .ok = r->state == TRIAL_COMPLETE };
	result_metrics(&r->metrics, o->metrics);
	return ERR_OK;
}

static enum err read_results(struct daemon *d, const struct record *record, struct results *ret, struct errinfo *e)
{
	struct results all = { .space = record->space };
	enum err err = trial_each_result(d->store, record->row.id, 0, take, &all, e);
	for (int i = 0; i < all.count; i++)
		all.outcomes[i].keep = keep_of(&all, i);
	if (err)
		results_fini(&all);
	else
		*ret = all;
	return err;
}

/* ---- the trial that is asked about ------------------------------------------------------------------------------- */

/* Its number at rung 0, from where its candidate came. */
static enum err origin_of(struct daemon *d, int64_t job, int64_t number, int64_t *ret, struct errinfo *e)
{
	struct trial_row r;
	for (int rung = 1; rung > 0;) {
		enum err err = trial_load(d->store, job, number, &r, e);
		if (err)
			return err;
		if (r.state != TRIAL_COMPLETE)
			err = err_set(e, ERR_CONFLICT, "trial %lld.%lld: is %s, only a complete one can be explained",
				(long long)job, (long long)number, trial_state_name(r.state));
		rung = r.rung;
		*ret = number;
		number = r.parent;
		trial_row_fini(&r);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err find_chosen(struct daemon *d, int64_t job, int64_t number, const struct results *all, int *ret,
	struct errinfo *e)
{
	int64_t origin = 0;
	*ret = -1;
	if (!number)
		return ERR_OK;
	enum err err = origin_of(d, job, number, &origin, e);
	for (int i = 0; i < all->count && !err; i++)
		if (all->outcomes[i].number == origin)
			*ret = i;
	if (!err && *ret < 0)
		err = err_set(e, ERR_INTERNAL, "trial %lld.%lld: its candidate is not one of the job's space",
			(long long)job, (long long)number);
	return err;
}

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static enum err answer(struct exchange *r, const cJSON *doc, struct errinfo *e)
{
	struct text t;
	char *text = cJSON_PrintUnformatted(doc);
	if (!text)
		return err_set(e, ERR_MEMORY, "out of memory");
	text_init(&t);
	text_json(&t, text);
	cJSON_free(text);
	return exchange_answer_json(r, 200, &t, e);
}

static enum err explain(struct exchange *r, const struct record *record, int64_t number, struct errinfo *e)
{
	struct results all;
	struct problem p;
	cJSON *doc;
	int chosen;
	ladder_problem(&record->problem, 0, &p);
	enum err err = read_results(r->daemon, record, &all, e);
	if (err)
		return err;
	err = find_chosen(r->daemon, r->args.id, number, &all, &chosen, e);
	if (!err)
		err = explain_json(&p, all.outcomes, all.count, chosen, &doc, e);
	results_fini(&all);
	if (err)
		return err;
	err = answer(r, doc, e);
	cJSON_Delete(doc);
	return err;
}

enum err api_job_explain(struct exchange *r, struct errinfo *e)
{
	struct record record;
	int64_t number = 0;
	enum err err = exchange_query_int(r, "trial", 1, INT_MAX, &number, e);
	if (!err)
		err = record_load(r->daemon, r->args.id, &record, e);
	if (err)
		return err;
	err = explain(r, &record, number, e);
	record_fini(&record);
	return err;
}

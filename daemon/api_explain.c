/* api_explain.c -- what a search learned, from its stored results.
 * SPDX-License-Identifier: MIT
 *
 * Those of rung 0: all candidates were there, and were measured alike. The Pareto set is the job's: its members are
 * followed down to where they came from. */
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

/* ---- where a candidate came from --------------------------------------------------------------------------------- */

/* Its number at rung 0. A rung above without a parent, which only a damaged store can have, is its own origin. */
static enum err origin_of(struct store *s, int64_t job, int64_t number, int64_t *ret, struct errinfo *e)
{
	struct trial_row r;
	while (number) {
		enum err err = trial_load(s, job, number, &r, e);
		if (err)
			return err;
		if (r.state != TRIAL_COMPLETE)
			err = err_set(e, ERR_CONFLICT, "trial %lld.%lld: is %s, only a complete one can be explained",
				(long long)job, (long long)number, trial_state_name(r.state));
		*ret = number;
		number = r.parent < number ? r.parent : 0;
		trial_row_fini(&r);
		if (err)
			return err;
	}
	return ERR_OK;
}

struct member {
	int64_t origin;
	double metrics[METRIC_COUNT];
};

/* The Pareto set, by origin. */
struct members {
	struct store *store;
	struct member *list;
	size_t count, capacity;
};

static enum err take_member(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct members *all = arg;
	if (!r->number)
		return ERR_OK;
	if (all->count == all->capacity) {
		size_t capacity = 2 * all->capacity + 64;
		struct member *list = reallocarray(all->list, capacity, sizeof *list);
		if (!list)
			return err_set(e, ERR_MEMORY, "out of memory");
		all->list = list;
		all->capacity = capacity;
	}
	struct member *m = &all->list[all->count++];
	result_metrics(&r->metrics, m->metrics);
	return origin_of(all->store, r->job, r->number, &m->origin, e);
}

static int by_origin(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	return (x->origin > y->origin) - (x->origin < y->origin);
}

static enum err read_members(struct store *s, int64_t job, struct members *all, struct errinfo *e)
{
	all->store = s;
	enum err err = trial_each(s, job, true, take_member, all, e);
	if (all->count)
		qsort(all->list, all->count, sizeof *all->list, by_origin);
	return err;
}

static const double *member_of(const struct members *all, int64_t number)
{
	const struct member key = { .origin = number };
	const struct member *m = NULL;
	if (all->count)
		m = bsearch(&key, all->list, all->count, sizeof *all->list, by_origin);
	return m ? m->metrics : NULL;
}

/* ---- the results ------------------------------------------------------------------------------------------------- */

struct reading {
	const struct space *space;
	struct members members;
	struct explain *explain;
	int *keep; /* room for a candidate */
};

static enum err take(const struct trial_row *r, void *arg, struct errinfo *e)
{
	struct reading *x = arg;
	struct outcome o = { .number = (int)r->number, .keep = x->keep, .ok = true };
	enum err err = keep_read(r, x->space, x->keep, e);
	if (err || !space_allows(x->space, x->keep))
		return err;
	result_metrics(&r->metrics, o.metrics);
	return explain_add(x->explain, &o, member_of(&x->members, r->number), e);
}

static enum err read_all(struct store *s, const struct record *record, struct reading *x, struct errinfo *e)
{
	x->keep = calloc((size_t)x->space->group_count, sizeof *x->keep);
	if (!x->keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = read_members(s, record->row.id, &x->members, e);
	return err ? err : trial_each_result(s, record->row.id, 0, take, x, e);
}

static enum err learn(struct store *s, const struct record *record, int number, cJSON **ret, struct errinfo *e)
{
	struct problem p;
	struct reading x = { .space = record->space };
	ladder_problem(&record->problem, 0, &p);
	enum err err = explain_open(&p, number, &x.explain, e);
	if (!err)
		err = read_all(s, record, &x, e);
	if (!err)
		err = explain_write(x.explain, ret, e);
	explain_close(x.explain);
	free(x.members.list);
	free(x.keep);
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
	cJSON *doc;
	int64_t origin = 0;
	enum err err = origin_of(r->daemon->store, r->args.id, number, &origin, e);
	if (!err)
		err = learn(r->daemon->store, record, (int)origin, &doc, e);
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

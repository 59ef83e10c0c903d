/* api_candidate.c -- candidates from outside, for a manual job.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/job.h"
#include "daemon/proposal.h"
#include "daemon/spec.h"
#include "daemon/text.h"
#include "daemon/view.h"
#include "search/space.h"
#include "search/table.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* The second bounds what one posting costs the loop. */
enum { MOST_CANDIDATES = 1000, MOST_UNDER_WAY = 10000, LONGEST_PATH = 32 };

struct posting {
	const cJSON *candidate, *candidates;
};

static const struct json_field posting_fields[] = {
	JSON_FIELD(struct posting, candidate, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct posting, candidates, JSON_ARRAY, false, 0, 0),
};

static bool searches_by_hand(const struct job *j)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(j->spec->strategy, "name");
	return strategy_named(cJSON_GetStringValue(name))->posted;
}

static enum err check_state(const struct job *j, struct errinfo *e)
{
	const char *state = job_state_name(j->row.state), *advice = "it takes no more candidates";
	if (!searches_by_hand(j))
		return err_set(e, ERR_CONFLICT, "job %lld: searches by itself, candidates are for jobs whose strategy "
			"is manual", (long long)j->row.id);
	if (j->row.state == JOB_SEARCHING)
		return ERR_OK;
	if (j->row.state == JOB_QUEUED || j->row.state == JOB_PREPARING)
		advice = "wait until it is searching";
	else if (j->row.state == JOB_PAUSED)
		advice = "resume it first";
	return err_set(e, ERR_CONFLICT, "job %lld: is %s, %s", (long long)j->row.id, state, advice);
}

static enum err check_room(const struct job *j, int count, struct errinfo *e)
{
	int under_way = table_outstanding(j->table);
	enum err err = table_may_post(j->table, count, e);
	if (!err && under_way + count > MOST_UNDER_WAY)
		err = err_set(e, ERR_CONFLICT, "job %lld: waits for %d results, expected at most %d with what is "
			"posted", (long long)j->row.id, under_way, MOST_UNDER_WAY);
	return err;
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static enum err check_length(const struct job *j, const cJSON *array, const char *path, struct errinfo *e)
{
	char brief[64];
	int groups = j->space->group_count;
	if (!cJSON_IsArray(array))
		return err_set(e, ERR_INPUT, "%s: is %s, expected an array", path, json_brief(array, brief));
	if (cJSON_GetArraySize(array) != groups)
		return err_set(e, ERR_INPUT, "%s: has %d entries, expected %d, one a group", path,
			cJSON_GetArraySize(array), groups);
	return ERR_OK;
}

static enum err read_one(const struct job *j, const cJSON *array, const char *path, int *keep, struct errinfo *e)
{
	char brief[64];
	int i = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, array) {
		if (!cJSON_IsNumber(item) || item->valuedouble != item->valueint)
			return err_set(e, ERR_INPUT, "%s[%d]: is %s, expected an integer", path, i,
				json_brief(item, brief));
		keep[i++] = item->valueint;
	}
	return table_check(j->table, keep, path, e);
}

/* All or none: whatever is wrong is found before anything is written. */
struct batch {
	int count;
	int *keep; /* one candidate after the other */
};

static void path_of(const struct posting *p, int i, char ret[LONGEST_PATH])
{
	if (p->candidate)
		snprintf(ret, LONGEST_PATH, "candidate");
	else
		snprintf(ret, LONGEST_PATH, "candidates[%d]", i);
}

static int count_of(const struct posting *p)
{
	return p->candidate ? 1 : cJSON_GetArraySize(p->candidates);
}

static enum err check_count(const struct posting *p, struct errinfo *e)
{
	if (!p->candidate == !p->candidates)
		return err_set(e, ERR_INPUT, "body: has %s, expected one of candidate and candidates",
			p->candidate ? "both" : "neither");
	int n = count_of(p);
	if (n < 1 || n > MOST_CANDIDATES)
		return err_set(e, ERR_INPUT, "candidates: has %d entries, expected 1 to %d", n, MOST_CANDIDATES);
	return ERR_OK;
}

/* Lengths come first: memory is for what was really sent. */
static enum err check_lengths(const struct job *j, const struct posting *p, struct errinfo *e)
{
	char path[LONGEST_PATH];
	int n = count_of(p);
	const cJSON *item = p->candidate ? p->candidate : p->candidates->child;
	for (int i = 0; i < n; i++, item = item->next) {
		path_of(p, i, path);
		enum err err = check_length(j, item, path, e);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err read_all(const struct job *j, const struct posting *p, struct batch *ret, struct errinfo *e)
{
	char path[LONGEST_PATH];
	size_t groups = (size_t)j->space->group_count;
	struct batch b = { .count = count_of(p) };
	b.keep = calloc((size_t)b.count * groups, sizeof *b.keep);
	enum err err = b.keep ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	const cJSON *item = p->candidate ? p->candidate : p->candidates->child;
	for (int i = 0; i < b.count && !err; i++, item = item->next) {
		path_of(p, i, path);
		err = read_one(j, item, path, b.keep + (size_t)i * groups, e);
	}
	if (err)
		free(b.keep);
	else
		*ret = b;
	return err;
}

static enum err read_batch(const struct job *j, const cJSON *doc, struct batch *ret, struct errinfo *e)
{
	struct posting p = { 0 };
	enum err err = json_read(doc, "", posting_fields, COUNT(posting_fields), &p, e);
	if (!err)
		err = check_count(&p, e);
	if (!err)
		err = check_room(j, count_of(&p), e);
	if (!err)
		err = check_lengths(j, &p, e);
	if (!err)
		err = read_all(j, &p, ret, e);
	return err;
}

/* ---- posting ---------------------------------------------------------------------------------------------------- */

static enum err view_number(const struct job *j, int number, struct text *t, struct errinfo *e)
{
	struct trial_row row;
	enum err err = trial_load(j->daemon->store, j->row.id, number, &row, e);
	if (err)
		return err;
	view_trial(&row, t);
	trial_row_fini(&row);
	return ERR_OK;
}

/* A result from the store may end the job in the middle. */
static enum err post(struct job *j, const struct batch *b, struct text *t, struct errinfo *e)
{
	const struct request nothing = { .metric = METRIC_COUNT };
	enum err err = ERR_OK;
	for (int i = 0; i < b->count && !err && !job_over(j); i++) {
		int number = 0;
		const int *keep = b->keep + (size_t)i * (size_t)j->space->group_count;
		err = table_post(j->table, keep, &number, e);
		if (!err)
			err = proposal_add(j, number, keep, &nothing, e);
		if (!err)
			err = view_number(j, number, t, e);
	}
	j->stirred = true;
	return err;
}

static enum err answer_posted(struct exchange *r, struct job *j, const struct batch *b, struct errinfo *e)
{
	struct text t;
	text_init(&t);
	text_open(&t, '{');
	text_key(&t, "trials");
	text_open(&t, '[');
	enum err err = post(j, b, &t, e);
	text_close(&t, ']');
	text_close(&t, '}');
	if (!err)
		return exchange_answer_json(r, 201, &t, e);
	text_fini(&t);
	return err;
}

static enum err take(struct exchange *r, const cJSON *doc, struct errinfo *e)
{
	struct job *j;
	struct batch b;
	enum err err = job_require(r->daemon, r->args.id, "post candidates to", &j, e);
	if (!err)
		err = check_state(j, e);
	if (!err)
		err = read_batch(j, doc, &b, e);
	if (err)
		return err;
	err = answer_posted(r, j, &b, e);
	free(b.keep);
	return err;
}

enum err api_job_post(struct exchange *r, struct errinfo *e)
{
	cJSON *doc;
	enum err err = exchange_json(r, &doc, e);
	if (err)
		return err;
	err = take(r, doc, e);
	cJSON_Delete(doc);
	return err;
}

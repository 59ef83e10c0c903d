/* table.c -- the ask/tell table of one job.
 * SPDX-License-Identifier: MIT
 *
 * Entries are numbered from 1. told <= contiguous results <= proposed: results up to `told` have been passed on to
 * the strategy; table_ask passes on those that proposal k may know, numbers up to k - window - 1, all of which
 * must be here.
 *
 *     proposed --table_tell--> arrived --table_ask of a later one--> told */
#include "search/table.h"

#include <stdlib.h>
#include <string.h>

#include "search/space.h"

struct entry {
	bool arrived, ok;
	double metrics[METRIC_COUNT];
};

struct table {
	struct problem problem;
	const struct strategy_ops *ops;
	struct strategy *strategy;
	size_t groups;
	struct entry *entries; /* of number i at i - 1 */
	int *keep;             /* candidates, likewise */
	int capacity, proposed, arrived, told;
	bool done;
};

/* ---- opening ---- */

static enum err check_problem(const struct problem *p, struct errinfo *e)
{
	if (p->objective_count < 2 || p->objective_count > PARETO_MAX_OBJECTIVES)
		return err_set(e, ERR_INPUT, "objectives: has %d entries, expected 2 to %d", p->objective_count,
			PARETO_MAX_OBJECTIVES);
	if (p->budget < 1)
		return err_set(e, ERR_INPUT, "budget.trials: is %d, expected an integer from 1", p->budget);
	if (p->window < 0)
		return err_set(e, ERR_INPUT, "window: is %d, expected an integer from 0", p->window);
	return ERR_OK;
}

enum err table_open(const struct problem *p, const cJSON *object, struct table **ret, struct errinfo *e)
{
	enum err err = check_problem(p, e);
	if (!err)
		err = strategy_check(object, e);
	if (err)
		return err;
	struct table *t = calloc(1, sizeof *t);
	if (!t)
		return err_set(e, ERR_MEMORY, "out of memory");
	t->problem = *p;
	t->groups = (size_t)p->space->group_count;
	t->ops = strategy_named(cJSON_GetObjectItemCaseSensitive(object, "name")->valuestring);
	err = t->ops->open(&t->problem, object, &t->strategy, e);
	if (err) {
		table_close(t);
		return err;
	}
	*ret = t;
	return ERR_OK;
}

void table_close(struct table *t)
{
	if (!t)
		return;
	t->ops->free(t->strategy);
	free(t->entries);
	free(t->keep);
	free(t);
}

/* ---- asking ---- */

static enum err make_room(struct table *t, struct errinfo *e)
{
	if (t->proposed < t->capacity)
		return ERR_OK;
	size_t capacity = t->capacity ? 2 * (size_t)t->capacity : 64, size;
	if (__builtin_mul_overflow(capacity, t->groups * sizeof *t->keep, &size))
		return err_set(e, ERR_MEMORY, "out of memory");
	struct entry *entries = realloc(t->entries, capacity * sizeof *entries);
	if (entries)
		t->entries = entries;
	int *keep = realloc(t->keep, size);
	if (keep)
		t->keep = keep;
	if (!entries || !keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	t->capacity = (int)capacity;
	return ERR_OK;
}

static int *keep_of(const struct table *t, int number)
{
	return t->keep + (size_t)(number - 1) * t->groups;
}

/* Tells the strategy of the results up to number `last`; *ret_all is false when one of them is missing. */
static enum err pass_on(struct table *t, int last, bool *ret_all, struct errinfo *e)
{
	for (int i = t->told + 1; i <= last; i++)
		if (!t->entries[i - 1].arrived) {
			*ret_all = false;
			return ERR_OK;
		}
	while (t->told < last) {
		const struct entry *entry = &t->entries[t->told];
		struct outcome o = { .number = t->told + 1, .keep = keep_of(t, t->told + 1), .ok = entry->ok };
		memcpy(o.metrics, entry->metrics, sizeof o.metrics);
		enum err err = t->ops->tell(t->strategy, &o, e);
		if (err)
			return err;
		t->told++;
	}
	*ret_all = true;
	return ERR_OK;
}

/* The proposal, when there is one, is the last entry. */
static enum err propose(struct table *t, enum table_answer *ret, struct request *ret_request, struct errinfo *e)
{
	if (t->done || t->proposed >= t->problem.budget) {
		*ret = TABLE_DONE;
		return ERR_OK;
	}
	bool all;
	int number = t->proposed + 1;
	enum err err = make_room(t, e);
	if (!err)
		err = pass_on(t, number - 1 - t->problem.window, &all, e);
	if (err)
		return err;
	if (!all) {
		*ret = TABLE_WAIT;
		return ERR_OK;
	}
	err = t->ops->ask(t->strategy, keep_of(t, number), ret_request, &t->done, e);
	if (err)
		return err;
	*ret = t->done ? TABLE_DONE : TABLE_PROPOSAL;
	if (t->done)
		return ERR_OK;
	t->entries[t->proposed++] = (struct entry){ 0 };
	return ERR_OK;
}

enum err table_ask(struct table *t, enum table_answer *ret, int *ret_number, int *ret_keep, struct request *ret_request,
	struct errinfo *e)
{
	enum err err = propose(t, ret, ret_request, e);
	if (err || *ret != TABLE_PROPOSAL)
		return err;
	*ret_number = t->proposed;
	memcpy(ret_keep, keep_of(t, t->proposed), t->groups * sizeof *ret_keep);
	return ERR_OK;
}

enum err table_expect(struct table *t, int number, const int *keep, struct errinfo *e)
{
	if (number != t->proposed + 1)
		return err_set(e, ERR_INTERNAL, "replay: trial %d is stored where trial %d comes next", number,
			t->proposed + 1);
	enum table_answer answer;
	struct request request;
	enum err err = propose(t, &answer, &request, e);
	if (err)
		return err;
	if (answer != TABLE_PROPOSAL)
		return err_set(e, ERR_INTERNAL, "replay: trial %d is stored, but the strategy %s", number,
			answer == TABLE_WAIT ? "needs earlier results that are not" : "proposes nothing more");
	if (memcmp(keep_of(t, number), keep, t->groups * sizeof *keep))
		return err_set(e, ERR_INTERNAL, "replay: trial %d is not what the strategy proposes: "
			"the job was searched by another version of this program", number);
	return ERR_OK;
}

/* ---- telling ---- */

enum err table_tell(struct table *t, const struct outcome *o, struct errinfo *e)
{
	if (o->number < 1 || o->number > t->proposed)
		return err_set(e, ERR_NOT_FOUND, "trial %d: was not proposed, expected a number from 1 to %d",
			o->number, t->proposed);
	struct entry *entry = &t->entries[o->number - 1];
	if (entry->arrived)
		return err_set(e, ERR_CONFLICT, "trial %d: its result was told before", o->number);
	entry->arrived = true;
	entry->ok = o->ok;
	memcpy(entry->metrics, o->metrics, sizeof entry->metrics);
	t->arrived++;
	return ERR_OK;
}

int table_proposed(const struct table *t)
{
	return t->proposed;
}

int table_outstanding(const struct table *t)
{
	return t->proposed - t->arrived;
}

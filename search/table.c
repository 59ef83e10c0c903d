/* table.c -- the ask/tell table of one job.
 * SPDX-License-Identifier: MIT
 *
 * Entries are numbered from 1. told <= contiguous results <= proposed: results up to `told` have been passed on, to
 * the halving and those of rung 0 to the strategy, which counts its own proposals; table_ask passes on those that
 * trial k may know, numbers up to k - window - 1, all of which must be here.
 *
 *     proposed --table_tell--> arrived --table_ask of a later one--> told */
#include "search/table.h"

#include <stdlib.h>
#include <string.h>

#include "search/candidate.h"
#include "search/halving.h"
#include "search/limit.h"
#include "search/space.h"
#include "search/stall.h"

struct entry {
	bool arrived, ok;
	int rung, parent;
	int proposal; /* as the strategy counts, 0: a promotion */
	double metrics[METRIC_COUNT];
};

struct table {
	struct problem problem; /* as it is seen from rung 0 */
	const struct strategy_ops *ops;
	struct strategy *strategy;
	double most[METRIC_COUNT]; /* what posted candidates may cost */
	struct halving *halving;
	size_t groups;
	struct entry *entries; /* of number i at i - 1 */
	int *keep;             /* candidates, likewise */
	int capacity, proposed, arrived, told;
	int asked;             /* the strategy's proposals */
	struct stall *stall;   /* NULL: they don't end that way */
	enum table_end end;    /* TABLE_OPEN also when they are all made */
};

/* ---- opening ---- */

static enum err check_problem(const struct problem *p, struct errinfo *e)
{
	if (p->objective_count < 2 || p->objective_count > PARETO_MAX_OBJECTIVES)
		return err_set(e, ERR_INPUT, "objectives: has %d entries, expected 2 to %d", p->objective_count,
			PARETO_MAX_OBJECTIVES);
	if (p->budget < 1)
		return err_set(e, ERR_INPUT, "budget.trials: is %d, expected an integer from 1", p->budget);
	if (p->stall < 0)
		return err_set(e, ERR_INPUT, "budget.stall: is %d, expected an integer from 1", p->stall);
	if (p->window < 0)
		return err_set(e, ERR_INPUT, "window: is %d, expected an integer from 0", p->window);
	if (ladder_last(&p->ladder) > 0 && p->ladder.eta < 2)
		return err_set(e, ERR_INPUT, "eta: is %d, expected an integer from 2", p->ladder.eta);
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
	ladder_problem(p, 0, &t->problem);
	t->groups = (size_t)p->space->group_count;
	t->ops = strategy_named(cJSON_GetObjectItemCaseSensitive(object, "name")->valuestring);
	err = halving_open(p, &t->halving, e);
	if (!err && p->stall)
		err = stall_open(&t->problem, &t->stall, e);
	if (!err)
		err = t->ops->open(&t->problem, object, &t->strategy, e);
	if (!err && t->ops->posted) /* bounds that no candidate can keep are found out now, not at every posting */
		err = limit_read(&t->problem, t->most, e);
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
	halving_close(t->halving);
	stall_close(t->stall);
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

enum table_end table_end(const struct table *t)
{
	return !t->end && t->asked >= t->problem.budget ? TABLE_END_TRIALS : t->end;
}

static bool used_up(const struct table *t)
{
	return table_end(t) != TABLE_OPEN;
}

void table_stop(struct table *t)
{
	if (!used_up(t))
		t->end = TABLE_END_STOPPED;
}

static enum err tell_strategy(struct table *t, const struct outcome *o, struct errinfo *e)
{
	enum err err = t->ops->tell(t->strategy, o, e);
	if (err || !t->stall)
		return err;
	err = stall_tell(t->stall, o, e);
	if (!err && stall_is(t->stall))
		t->end = TABLE_END_STALL;
	return err;
}

static enum err pass_on_one(struct table *t, int number, struct errinfo *e)
{
	const struct entry *entry = &t->entries[number - 1];
	struct outcome o = { .number = number, .keep = keep_of(t, number), .ok = entry->ok };
	memcpy(o.metrics, entry->metrics, sizeof o.metrics);
	enum err err = halving_tell(t->halving, entry->rung, &o, e);
	o.number = entry->proposal;
	if (!err && o.number && !used_up(t))
		err = tell_strategy(t, &o, e);
	return err;
}

/* Passes on the results up to number `last`; *ret_all is false when one of them is missing. */
static enum err pass_on(struct table *t, int last, bool *ret_all, struct errinfo *e)
{
	for (int i = t->told + 1; i <= last; i++)
		if (!t->entries[i - 1].arrived) {
			*ret_all = false;
			return ERR_OK;
		}
	while (t->told < last) {
		enum err err = pass_on_one(t, t->told + 1, e);
		if (err)
			return err;
		t->told++;
	}
	*ret_all = true;
	return ERR_OK;
}

static int arrived_without_a_gap(const struct table *t)
{
	int last = t->told;
	while (last < t->proposed && t->entries[last].arrived)
		last++;
	return last;
}

/* What trial `number` may know in any case. */
static enum err pass_on_for(struct table *t, int number, bool *ret_all, struct errinfo *e)
{
	if (t->ops->posted)
		return pass_on(t, arrived_without_a_gap(t), ret_all, e);
	return pass_on(t, number - 1 - t->problem.window, ret_all, e);
}

/* Trial `parent` goes up from its rung. */
static enum err promote(struct table *t, int parent, int rung, enum table_answer *ret, struct errinfo *e)
{
	enum err err = halving_promote(t->halving, rung, parent, e);
	if (err)
		return err;
	t->entries[t->proposed++] = (struct entry){ .rung = rung + 1, .parent = parent };
	memcpy(keep_of(t, t->proposed), keep_of(t, parent), t->groups * sizeof *t->keep);
	*ret = TABLE_PROPOSAL;
	return ERR_OK;
}

static enum err propose(struct table *t, enum table_answer *ret, struct request *ret_request, struct errinfo *e)
{
	bool done = false;
	enum err err = t->ops->ask(t->strategy, keep_of(t, t->proposed + 1), ret_request, &done, e);
	if (done)
		t->end = TABLE_END_EXHAUSTED;
	if (err || done)
		return err;
	t->entries[t->proposed++] = (struct entry){ .proposal = ++t->asked };
	*ret = TABLE_PROPOSAL;
	return ERR_OK;
}

/* The strategy has no more: what the remaining results allow. */
static enum err wind_up(struct table *t, enum table_answer *ret, struct errinfo *e)
{
	int parent, rung = 0;
	while (t->told < t->proposed) {
		bool all;
		enum err err = pass_on(t, t->told + 1, &all, e);
		if (!err && !all)
			*ret = TABLE_WAIT;
		if (err || !all)
			return err;
		err = halving_next(t->halving, &parent, &rung, e);
		if (err || parent)
			return err ? err : promote(t, parent, rung, ret, e);
	}
	enum err err = halving_last(t->halving, &parent, &rung, e);
	if (err || parent)
		return err ? err : promote(t, parent, rung, ret, e);
	*ret = TABLE_DONE;
	return ERR_OK;
}

/* The next trial, when there is one, is the last entry. */
static enum err next(struct table *t, enum table_answer *ret, struct request *ret_request, struct errinfo *e)
{
	bool all;
	int parent, rung = 0;
	*ret = TABLE_DONE;
	if (used_up(t) && !ladder_last(&t->problem.ladder))
		return ERR_OK;
	*ret = TABLE_WAIT;
	enum err err = make_room(t, e);
	if (!err)
		err = pass_on_for(t, t->proposed + 1, &all, e);
	if (err || !all)
		return err;
	err = halving_next(t->halving, &parent, &rung, e);
	if (err || parent)
		return err ? err : promote(t, parent, rung, ret, e);
	if (!used_up(t) && t->ops->posted)
		return ERR_OK;
	if (!used_up(t))
		err = propose(t, ret, ret_request, e);
	return err || *ret == TABLE_PROPOSAL ? err : wind_up(t, ret, e);
}

enum err table_ask(struct table *t, enum table_answer *ret, int *ret_number, int *ret_keep, struct request *ret_request,
	struct errinfo *e)
{
	enum err err = next(t, ret, ret_request, e);
	if (err || *ret != TABLE_PROPOSAL)
		return err;
	*ret_number = t->proposed;
	memcpy(ret_keep, keep_of(t, t->proposed), t->groups * sizeof *ret_keep);
	return ERR_OK;
}

/* ---- posting ---- */

enum err table_may_post(const struct table *t, int count, struct errinfo *e)
{
	int left = t->problem.budget - t->asked;
	if (!t->ops->posted)
		return err_set(e, ERR_CONFLICT, "strategy: is %s, expected manual for candidates to be posted",
			t->ops->name);
	if (table_end(t) == TABLE_END_TRIALS)
		return err_set(e, ERR_CONFLICT, "budget: all %d trials have been posted", t->asked);
	if (used_up(t))
		return err_set(e, ERR_CONFLICT, "budget: the search has ended after %d trials", t->asked);
	if (count > left)
		return err_set(e, ERR_CONFLICT, "budget: %d of %d trials are left, expected at most so many candidates",
			left, t->problem.budget);
	return ERR_OK;
}

static void add_proposal(struct table *t, const int *keep)
{
	t->entries[t->proposed++] = (struct entry){ .proposal = ++t->asked };
	memcpy(keep_of(t, t->proposed), keep, t->groups * sizeof *keep);
}

enum err table_check(const struct table *t, const int *keep, const char *path, struct errinfo *e)
{
	return candidate_check(t->problem.space, t->most, keep, path, e);
}

enum err table_post(struct table *t, const int *keep, int *ret_number, struct errinfo *e)
{
	enum err err = table_may_post(t, 1, e);
	if (!err)
		err = make_room(t, e);
	if (err)
		return err;
	add_proposal(t, keep);
	*ret_number = t->proposed;
	return ERR_OK;
}

int table_rung(const struct table *t, int number)
{
	return t->entries[number - 1].rung;
}

int table_parent(const struct table *t, int number)
{
	return t->entries[number - 1].parent;
}

/* ---- replay ---- */

static enum err check_next(const struct table *t, int number, struct errinfo *e)
{
	if (number == t->proposed + 1)
		return ERR_OK;
	return err_set(e, ERR_INTERNAL, "replay: trial %d is stored where trial %d comes next", number,
		t->proposed + 1);
}

static enum err lacks_results(int number, struct errinfo *e)
{
	return err_set(e, ERR_INTERNAL, "replay: trial %d is stored, but the strategy needs earlier results that "
		"are not", number);
}

static enum err another(int number, struct errinfo *e)
{
	return err_set(e, ERR_INTERNAL, "replay: trial %d is not what the strategy proposes: "
		"the job was searched by another version of this program", number);
}

static enum err nothing_more(int number, struct errinfo *e)
{
	return err_set(e, ERR_INTERNAL, "replay: trial %d is stored, but the strategy proposes nothing more", number);
}

static bool same_keep(const struct table *t, int number, const int *keep)
{
	return !memcmp(keep_of(t, number), keep, t->groups * sizeof *keep);
}

/* Asked again and compared, or told what it proposed where asking is costly. */
static enum err expect_asked(struct table *t, int number, const int *keep, struct errinfo *e)
{
	bool all = true;
	enum table_answer answer = TABLE_WAIT;
	struct request request;
	enum err err = pass_on_for(t, number, &all, e);
	if (!err && !all)
		return lacks_results(number, e);
	if (err || used_up(t))
		return err ? err : nothing_more(number, e);
	if (t->ops->skip) {
		err = t->ops->skip(t->strategy, keep, e);
		if (!err)
			add_proposal(t, keep);
		return err;
	}
	err = propose(t, &answer, &request, e);
	if (err)
		return err;
	if (answer != TABLE_PROPOSAL)
		return nothing_more(number, e);
	return same_keep(t, number, keep) ? ERR_OK : another(number, e);
}

/* What was posted came before a stall that the replay, which has all results at hand, may see sooner. */
enum err table_expect(struct table *t, int number, const int *keep, struct errinfo *e)
{
	enum err err = check_next(t, number, e);
	if (!err)
		err = make_room(t, e);
	if (err)
		return err;
	if (t->ops->posted ? t->asked >= t->problem.budget : used_up(t))
		return nothing_more(number, e);
	if (!space_allows(t->problem.space, keep))
		return another(number, e);
	if (!t->ops->posted)
		return expect_asked(t, number, keep, e);
	add_proposal(t, keep);
	return ERR_OK;
}

enum err table_expect_promotion(struct table *t, int number, int parent, const int *keep, struct errinfo *e)
{
	bool all = true;
	enum table_answer answer;
	enum err err = check_next(t, number, e);
	if (!err && (parent < 1 || parent >= number || t->entries[parent - 1].rung >= ladder_last(&t->problem.ladder)))
		err = err_set(e, ERR_INTERNAL, "replay: trial %d is stored as a promotion of trial %d, which can't go "
			"up", number, parent);
	if (!err)
		err = make_room(t, e);
	if (!err)
		err = pass_on_for(t, number, &all, e);
	if (!err && all)
		err = pass_on(t, parent, &all, e); /* known in any case, for it went up */
	if (!err && !all)
		return lacks_results(number, e);
	if (!err)
		err = promote(t, parent, t->entries[parent - 1].rung, &answer, e);
	return err || same_keep(t, number, keep) ? err : another(number, e);
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

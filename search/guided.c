/* guided.c -- the search that knows what pruning is.
 * SPDX-License-Identifier: MIT
 *
 * The first proposals span the cost range: the least candidate, which shows where the floor lies, then all groups
 * pruned nearly alike. From then on each proposal is the one of which the most is expected:
 *
 *  1. belief.h learns from all results so far (and from earlier jobs) what each group's pruning does, and what groups
 *     do together, with its uncertainty; costs are known exactly.
 *  2. Candidates are bred: from the front's members by small changes and crossing, and from nothing at any cost. Some
 *     generations follow the expected hypervolume improvement (acquire.h), which costs no evaluation.
 *  3. The best one that was never proposed is the answer. Candidates that are being evaluated count as if they had come
 *     out as expected, so that proposals of one window differ.
 *
 * Expected improvement spends nothing where the floor is certain, goes where the front has gaps, and looks at the
 * unknown as long as it may hold something. Proposal k draws from random numbers of its own, so a restart need not ask
 * for proposals that are known (skip).
 *
 * With known results of earlier jobs the first proposals but one are left out: where the range is worth a look
 * is known. Options: "profile", how many ratios of each group are tried alone first. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "search/acquire.h"
#include "search/archive.h"
#include "search/belief.h"
#include "search/breed.h"
#include "search/budget.h"
#include "search/cost.h"
#include "search/limit.h"
#include "search/sample.h"
#include "search/seen.h"
#include "search/space.h"
#include "search/strategy.h"

enum { STREAM = 8, INITIAL = 6, KNOWN_ENOUGH = 16, TRIES = 32 };

struct options {
	const char *name;
	int64_t profile;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct options, name, JSON_STRING, .required = false),
	JSON_FIELD(struct options, profile, JSON_INT, .min = 0, .max = 16),
};

/* Candidates that were proposed and not told yet, the oldest first. */
struct pending {
	int *keep;
	int count, capacity;
};

struct strategy {
	const struct problem *problem;
	const struct space *space;
	enum metric metric; /* whose range the first proposals cover */
	double low, high;
	double most[METRIC_COUNT];
	int profile, initial;
	int asked;
	bool learned; /* the belief knows all of the archive */
	struct archive *archive;
	struct belief *belief;
	struct seen seen;
	struct pending pending;
	double *ratio;
};

/* ---- opening ---- */

static enum err read_options(const cJSON *object, struct options *ret, struct errinfo *e)
{
	*ret = (struct options){ 0 };
	return json_read(object, "strategy", fields, sizeof fields / sizeof *fields, ret, e);
}

static enum err check(const cJSON *object, struct errinfo *e)
{
	struct options o;
	return read_options(object, &o, e);
}

static void release(struct strategy *s)
{
	if (!s)
		return;
	archive_free(s->archive);
	belief_close(s->belief);
	seen_fini(&s->seen);
	free(s->pending.keep);
	free(s->ratio);
	free(s);
}

static enum err prepare(struct strategy *s, const struct problem *p, struct errinfo *e)
{
	s->problem = p;
	s->space = p->space;
	s->metric = METRIC_MACS;
	for (int i = p->objective_count - 1; i >= 0; i--)
		if (metric_is_exact_cost(p->objectives[i]))
			s->metric = p->objectives[i];
	s->high = 1;
	limit_window(p, s->metric, &s->low, &s->high);
	s->ratio = calloc((size_t)p->space->group_count, sizeof *s->ratio);
	if (!s->ratio)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = limit_read(p, s->most, e);
	if (!err)
		err = archive_new(p, &s->archive, e);
	return err ? err : belief_open(p, &s->belief, e);
}

static enum err open_guided(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct options o;
	enum err err = read_options(object, &o, e);
	if (err)
		return err;
	struct strategy *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	err = prepare(s, p, e);
	if (err) {
		release(s);
		return err;
	}
	s->profile = (int)o.profile * p->space->group_count;
	s->initial = belief_known(s->belief) >= KNOWN_ENOUGH ? 1 : INITIAL;
	*ret = s;
	return ERR_OK;
}

/* ---- what is under way ---- */

static size_t groups_of(const struct strategy *s)
{
	return (size_t)s->space->group_count;
}

static enum err pending_add(struct strategy *s, const int *keep, struct errinfo *e)
{
	struct pending *p = &s->pending;
	if (p->count == p->capacity) {
		int capacity = p->capacity ? 2 * p->capacity : 8;
		int *grown = reallocarray(p->keep, (size_t)capacity * groups_of(s), sizeof *grown);
		if (!grown)
			return err_set(e, ERR_MEMORY, "out of memory");
		p->keep = grown;
		p->capacity = capacity;
	}
	memcpy(p->keep + (size_t)p->count++ * groups_of(s), keep, groups_of(s) * sizeof *keep);
	return ERR_OK;
}

static void pending_remove(struct strategy *s)
{
	struct pending *p = &s->pending;
	if (p->count)
		memmove(p->keep, p->keep + groups_of(s), (size_t)--p->count * groups_of(s) * sizeof *p->keep);
}

static enum err skip(struct strategy *s, const int *keep, struct errinfo *e)
{
	enum err err = seen_add(&s->seen, keep, s->space->group_count, e);
	if (!err)
		err = pending_add(s, keep, e);
	s->asked += !err;
	return err;
}

/* ---- the first proposals ---- */

static enum err fit_share(struct strategy *s, double share, int *ret_keep, struct errinfo *e)
{
	double most[METRIC_COUNT];
	memcpy(most, s->most, sizeof most);
	limit_share(s->space, s->metric, share, most);
	return budget_fit_all(s->space, most, s->ratio, ret_keep, e);
}

/* Group after group alone, the first ratio of each before the second. */
static enum err profile(struct strategy *s, int k, int *ret_keep, struct errinfo *e)
{
	int groups = s->space->group_count, ratios = s->profile / groups, g = k % groups;
	const struct space_group *group = &s->space->groups[g];
	double kept = 1 - (double)(k / groups + 1) / (ratios + 1);
	space_most(s->space, ret_keep);
	ret_keep[g] = space_round_keep(group, group->min_keep + kept * (group->max_keep - group->min_keep));
	for (int i = 0; i < groups; i++)
		s->ratio[i] = i == g;
	struct cost cost = cost_of(s->space, ret_keep);
	return budget_keeps(s->most, &cost) ? ERR_OK : budget_fit_all(s->space, s->most, s->ratio, ret_keep, e);
}

/* The least candidate, then all groups pruned nearly alike at shares from the top of the range downwards. */
static enum err initial(struct strategy *s, int k, struct rng *r, int *ret_keep, struct errinfo *e)
{
	double share = s->high - (s->high - s->low) * 0.6 * k / INITIAL;
	if (k == 0)
		share = s->low;
	else if (k >= INITIAL)
		share = s->low + (s->high - s->low) * rng_uniform(r);
	for (size_t g = 0; g < groups_of(s); g++)
		s->ratio[g] = 0.3 + 0.7 * rng_uniform(r);
	return fit_share(s, share, ret_keep, e);
}

/* ---- what is expected ---- */

static enum err expect_pending(struct strategy *s, struct acquire *a, struct errinfo *e)
{
	double *x = malloc(groups_of(s) * sizeof *x);
	enum err err = x ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	for (int i = 0; i < s->pending.count && !err; i++) {
		const int *keep = s->pending.keep + (size_t)i * groups_of(s);
		struct cost cost = cost_of(s->space, keep);
		struct estimate estimate;
		archive_shares(s->space, keep, x);
		err = belief_predict(s->belief, x, 1, &estimate, e);
		if (!err)
			acquire_expect(a, &cost, &estimate);
	}
	free(x);
	return err;
}

static enum err best_of(struct strategy *s, struct rng *r, int *ret_keep, struct errinfo *e)
{
	struct acquire *a;
	if (!s->learned) {
		enum err err = belief_learn(s->belief, s->archive, e);
		if (err)
			return err;
		s->learned = true;
	}
	enum err err = acquire_open(s->problem, s->archive, s->belief, &a, e);
	if (err)
		return err;
	err = expect_pending(s, a, e);
	if (!err) {
		struct breed b = { .problem = s->problem, .archive = s->archive, .belief = s->belief, .acquire = a,
			.seen = &s->seen, .most = s->most, .metric = s->metric, .low = s->low, .high = s->high };
		err = breed_best(&b, r, ret_keep, e);
	}
	acquire_close(a);
	return err;
}

/* ---- ask and tell ---- */

/* Anything new, where all else was proposed before. */
static enum err renew(struct strategy *s, struct rng *r, int *keep, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (int i = 0; !err && i < TRIES && seen_has(&s->seen, keep, s->space->group_count); i++) {
		sample_shape(r, s->space->group_count, s->ratio);
		err = fit_share(s, s->low + (s->high - s->low) * rng_uniform(r), keep, e);
	}
	return err;
}

static enum err propose(struct strategy *s, struct rng *r, int *ret_keep, struct errinfo *e)
{
	int k = s->asked;
	if (k < s->profile)
		return profile(s, k, ret_keep, e);
	k -= s->profile;
	if (k < s->initial || (!s->archive->count && !belief_known(s->belief)))
		return initial(s, k, r, ret_keep, e);
	return best_of(s, r, ret_keep, e);
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	struct rng r;
	rng_init(&r, s->problem->seed, ((uint64_t)s->asked << 8) + STREAM);
	enum err err = propose(s, &r, ret_keep, e);
	if (!err)
		err = renew(s, &r, ret_keep, e);
	if (!err)
		err = skip(s, ret_keep, e);
	if (err)
		return err;
	*ret_request = (struct request){ .metric = METRIC_COUNT };
	*ret_done = false;
	return ERR_OK;
}

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	pending_remove(s);
	s->learned = false;
	enum err err = belief_judge(s->belief, o, e);
	return err ? err : archive_add(s->archive, o, e);
}

const struct strategy_ops strategy_guided = {
	.name = "guided",
	.summary = "learns what each group's pruning does, and proposes what promises most",
	.check = check,
	.open = open_guided,
	.ask = ask,
	.tell = tell,
	.skip = skip,
	.free = release,
};

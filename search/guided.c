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
 * Networks of more than MOST_GROUPS groups get proposals like the first ones throughout.
 *
 * With known results of earlier jobs the first proposals but one are left out: where the range is worth a look is
 * known. Instead the next CHECKS are the most promising ones of the earlier candidates themselves, which tell how far
 * to trust the others. Options: "profile", how many ratios of each group are tried alone first. */
#include <limits.h>
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
#include "search/cover.h"
#include "search/sample.h"
#include "search/space.h"
#include "search/strategy.h"

enum { STREAM = 8, INITIAL = 6, KNOWN_ENOUGH = 16, CHECKS = 8, TRIES = 32 };

/* An inventory of 65536 groups must cost the service neither gigabytes nor seconds: beyond these it stays with
 * proposals like the first ones. */
enum { MOST_GROUPS = 1000 };

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

/* One group alone: a step of the sensitivity profile. */
struct alone {
	int group, keep;
};

struct strategy {
	const struct problem *problem;
	const struct space *space;
	struct cover cover; /* of the range that the first proposals span; what was proposed */
	struct alone *profile;
	int profile_count, initial;
	int checks; /* proposals after the initial ones that check earlier results */
	bool learned; /* the belief knows all of the archive */
	struct archive *archive; /* NULL: too many groups to learn from */
	struct belief *belief;
	struct pending pending;
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
	cover_fini(&s->cover);
	free(s->profile);
	free(s->pending.keep);
	free(s);
}

/* Group after group, the first ratio of each before the second; what a group can't do, or did at the ratio before, is
 * left out. */
static enum err plan_profile(struct strategy *s, int ratios, struct errinfo *e)
{
	int groups = s->space->group_count;
	s->profile = calloc((size_t)groups * (size_t)ratios + 1, sizeof *s->profile);
	if (!s->profile)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (int k = 0; k < ratios * groups; k++) {
		const struct space_group *g = &s->space->groups[k % groups];
		double span = g->max_keep - g->min_keep, ratio = (double)(k / groups) / (ratios + 1);
		double next = (double)(k / groups + 1) / (ratios + 1);
		int before = space_round_keep(g, g->min_keep + (1 - ratio) * span);
		int keep = space_round_keep(g, g->min_keep + (1 - next) * span);
		if (keep != before)
			s->profile[s->profile_count++] = (struct alone){ k % groups, keep };
	}
	return ERR_OK;
}

static enum err prepare(struct strategy *s, const struct problem *p, int ratios, struct errinfo *e)
{
	s->problem = p;
	s->space = p->space;
	s->initial = INT_MAX;
	enum err err = cover_objective(&s->cover, p, STREAM, e);
	if (!err)
		err = plan_profile(s, ratios, e);
	if (err || p->space->group_count > MOST_GROUPS)
		return err;
	err = archive_new(p, &s->archive, e);
	if (!err)
		err = belief_open(p, &s->belief, e);
	bool known = !err && belief_known(s->belief) >= KNOWN_ENOUGH;
	s->initial = known ? 1 : INITIAL;
	s->checks = known ? CHECKS : 0;
	return err;
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
	err = prepare(s, p, (int)o.profile, e);
	if (err)
		release(s);
	else
		*ret = s;
	return err;
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
	enum err err = pending_add(s, keep, e);
	return err ? err : cover_add(&s->cover, keep, e);
}

/* ---- the first proposals ---- */

static enum err try_alone(struct strategy *s, const struct alone *alone, int *ret_keep, struct errinfo *e)
{
	space_most(s->space, ret_keep);
	ret_keep[alone->group] = alone->keep;
	return cover_repair(&s->cover, ret_keep, e);
}

/* The least candidate, then all groups pruned nearly alike at shares from the top of the range downwards, then anywhere
 * in it. */
static enum err initial(struct strategy *s, int k, struct rng *r, int *ret_keep, struct errinfo *e)
{
	double x = k == 0 ? 0 : k < INITIAL ? 1 - 0.6 * k / INITIAL : rng_uniform(r);
	for (size_t g = 0; g < groups_of(s); g++)
		s->cover.ratio[g] = 0.3 + 0.7 * rng_uniform(r);
	return cover_fit(&s->cover, cover_share(&s->cover, x), ret_keep, e);
}

/* ---- what is expected ---- */

/* Of those under way the latest: as many as the acquisition has room for. */
static enum err expect_pending(struct strategy *s, struct acquire *a, struct errinfo *e)
{
	int n = s->pending.count < ACQUIRE_EXPECTED ? s->pending.count : ACQUIRE_EXPECTED;
	const int *first = s->pending.keep + (size_t)(s->pending.count - n) * groups_of(s);
	double *x = malloc(((size_t)n * groups_of(s) + 1) * sizeof *x);
	struct estimate *estimates = malloc(((size_t)n + 1) * sizeof *estimates);
	enum err err = x && estimates ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	for (int i = 0; i < n && !err; i++)
		space_shares(s->space, first + (size_t)i * groups_of(s), x + (size_t)i * groups_of(s));
	if (!err)
		err = belief_predict(s->belief, x, n, estimates, e);
	for (int i = 0; i < n && !err; i++) {
		struct cost cost = cost_of(s->space, first + (size_t)i * groups_of(s));
		acquire_expect(a, &cost, &estimates[i]);
	}
	free(x);
	free(estimates);
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
			.cover = &s->cover, .known_only = s->cover.asked < s->profile_count + s->initial + s->checks };
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
	for (int i = 0; !err && i < TRIES && seen_has(&s->cover.seen, keep, s->space->group_count); i++) {
		sample_shape(r, s->space->group_count, s->cover.ratio);
		err = cover_fit(&s->cover, cover_share(&s->cover, rng_uniform(r)), keep, e);
	}
	return err;
}

static enum err propose(struct strategy *s, struct rng *r, int *ret_keep, struct errinfo *e)
{
	int k = s->cover.asked;
	if (k < s->profile_count)
		return try_alone(s, &s->profile[k], ret_keep, e);
	k -= s->profile_count;
	if (k < s->initial || (!s->archive->count && !belief_known(s->belief)))
		return initial(s, k, r, ret_keep, e);
	return best_of(s, r, ret_keep, e);
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	struct rng r;
	rng_init(&r, s->problem->seed, ((uint64_t)s->cover.asked << 8) + STREAM);
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
	if (!s->archive)
		return ERR_OK;
	s->learned = false;
	belief_judge(s->belief, o);
	return archive_add(s->archive, o, e);
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

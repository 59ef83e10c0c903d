/* nsga2.c -- NSGA-II (Deb et al. 2002) on channel counts: constrained domination, no duplicates.
 * SPDX-License-Identifier: MIT
 *
 * The first `population` proposals cover the whole cost range: seven of eight are random shapes at costs spread
 * evenly from the cheapest candidate to the intact network, the eighth has every gene uniform, which in many
 * groups is heavy pruning but the only way to start in spaces where cost says little. Then children come in pairs
 * from binary tournaments, simulated binary crossover and polynomial mutation. With window 0 it is generational
 * NSGA-II to the letter; with a window the first children of a generation come from the parents of the one before.
 *
 * A child past a limit on an exact cost is pruned further in its own proportions; one that was proposed before is
 * mutated until it is new.
 *
 * Options: "population" (even), "crossover", "eta_crossover", "mutation" (null: 1 / groups), "eta_mutation". */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "search/cover.h"
#include "search/population.h"
#include "search/sample.h"
#include "search/score.h"
#include "search/space.h"
#include "search/strategy.h"
#include "search/variation.h"

enum { STREAM = 3, MUTATIONS = 16, TRIES = 32, UNIFORM_EVERY = 8 };

/* Of the parents: an inventory of 65536 groups must not cost the service gigabytes. */
enum { MOST_GENES = 1 << 24 };

struct options {
	const char *name;
	int64_t population;
	double crossover, eta_crossover, eta_mutation;
	const cJSON *mutation;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct options, name, JSON_STRING, .required = false),
	JSON_FIELD(struct options, population, JSON_INT, .min = 4, .max = 4000),
	JSON_FIELD(struct options, crossover, JSON_NUMBER, .max = 1),
	JSON_FIELD(struct options, eta_crossover, JSON_NUMBER, .max = 1000),
	JSON_FIELD(struct options, eta_mutation, JSON_NUMBER, .max = 1000),
	JSON_FIELD(struct options, mutation, JSON_ANY, .required = false),
};

struct strategy {
	const struct problem *problem;
	const struct space *space;
	struct population *population;
	struct variation variation;
	int size;
	struct cover cover; /* of the first proposals; it counts all */
	bool has_spare;     /* the second child of the last pair waits in spare */
	int *spare, *bred;  /* bred: scratch */
	struct rng rng;     /* of parents and their children */
	uint64_t seed;
};

/* ---- opening ---- */

static enum err read_mutation(const cJSON *value, double *ret, struct errinfo *e)
{
	char brief[64];
	if (!value || cJSON_IsNull(value))
		return ERR_OK;
	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0 && value->valuedouble <= 1))
		return err_set(e, ERR_INPUT, "strategy.mutation: is %s, expected null or a number from 0 to 1",
			json_brief(value, brief));
	*ret = value->valuedouble;
	return ERR_OK;
}

/* *ret_mutation stays as it is when none is given. */
static enum err read_options(const cJSON *object, struct options *ret, double *ret_mutation, struct errinfo *e)
{
	*ret = (struct options){ .population = 20, .crossover = 0.9, .eta_crossover = 15, .eta_mutation = 20 };
	enum err err = json_read(object, "strategy", fields, sizeof fields / sizeof *fields, ret, e);
	if (!err && ret->population % 2)
		err = err_set(e, ERR_INPUT, "strategy.population: is %lld, expected an even number from 4 to 4000",
			(long long)ret->population);
	return err ? err : read_mutation(ret->mutation, ret_mutation, e);
}

static enum err check(const cJSON *object, struct errinfo *e)
{
	struct options o;
	double mutation;
	return read_options(object, &o, &mutation, e);
}

static void release(struct strategy *s)
{
	if (!s)
		return;
	population_free(s->population);
	cover_fini(&s->cover);
	free(s->spare);
	free(s->bred);
	free(s);
}

static enum err check_size(int64_t population, int groups, struct errinfo *e)
{
	int most = MOST_GENES / groups;
	if (population > most)
		return err_set(e, ERR_LIMIT, "strategy.population: is %lld, expected at most %d "
			"with the network's %d groups", (long long)population, most, groups);
	return ERR_OK;
}

static enum err prepare(struct strategy *s, const struct problem *p, const struct options *o, struct errinfo *e)
{
	s->problem = p;
	s->space = p->space;
	s->size = (int)o->population;
	s->variation.crossover = o->crossover;
	s->variation.eta_crossover = o->eta_crossover;
	s->variation.eta_mutation = o->eta_mutation;
	s->seed = p->seed;
	rng_init(&s->rng, p->seed, STREAM);
	s->spare = calloc((size_t)p->space->group_count, sizeof *s->spare);
	s->bred = calloc((size_t)p->space->group_count, sizeof *s->bred);
	if (!s->spare || !s->bred)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = cover_objective(&s->cover, p, STREAM, e);
	return err ? err : population_new(s->size, p->space->group_count, p->objective_count, &s->population, e);
}

static enum err open_nsga2(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct options o;
	struct strategy *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->variation.mutation = 1.0 / p->space->group_count;
	enum err err = read_options(object, &o, &s->variation.mutation, e);
	if (!err)
		err = check_size(o.population, p->space->group_count, e);
	if (!err)
		err = prepare(s, p, &o, e);
	if (err) {
		release(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

/* ---- asking ---- */

/* A random shape at a share of the cost. */
static enum err sample_at(struct strategy *s, struct rng *rng, double share, int *ret_keep, struct errinfo *e)
{
	sample_shape(rng, s->space->group_count, s->cover.ratio);
	return cover_fit(&s->cover, share, ret_keep, e);
}

/* One of the first proposals, or a child while nobody can be its parent. */
static enum err first(struct strategy *s, struct rng *rng, int *ret_keep, struct request *ret_request,
	struct errinfo *e)
{
	if (s->cover.asked % UNIFORM_EVERY == UNIFORM_EVERY - 1) {
		sample_uniform(rng, s->space, ret_keep);
		return ERR_OK;
	}
	double share = cover_target(&s->cover, s->cover.asked);
	*ret_request = cover_request(&s->cover, share);
	return sample_at(s, rng, share, ret_keep, e);
}

static enum err breed(struct strategy *s, int *ret_keep, struct errinfo *e)
{
	const int *a, *b;
	if (s->has_spare) {
		s->has_spare = false;
		memcpy(ret_keep, s->spare, (size_t)s->space->group_count * sizeof *ret_keep);
		return ERR_OK;
	}
	enum err err = population_choose(s->population, &s->rng, &a, e);
	if (!err)
		err = population_choose(s->population, &s->rng, &b, e);
	if (err)
		return err;
	variation_cross(&s->variation, s->space, &s->rng, a, b, ret_keep, s->spare);
	variation_mutate(&s->variation, s->space, &s->rng, ret_keep);
	variation_mutate(&s->variation, s->space, &s->rng, s->spare);
	s->has_spare = true;
	return ERR_OK;
}

static bool beginning(const struct strategy *s)
{
	return s->cover.asked < s->size || population_count(s->population) < 2;
}

/* Changes a candidate that was proposed before until it is new: mutations first, then anything at all. A space that has
 * nothing new left gets a repetition. */
static enum err renew(struct strategy *s, struct rng *rng, int *keep, struct errinfo *e)
{
	enum err err = cover_repair(&s->cover, keep, e);
	for (int i = 0; !err && i < TRIES && seen_has(&s->cover.seen, keep, s->space->group_count); i++) {
		if (i < MUTATIONS) {
			variation_mutate_one(&s->variation, s->space, rng, keep);
			err = cover_repair(&s->cover, keep, e);
		} else {
			err = sample_at(s, rng, cover_share(&s->cover, rng_uniform(rng)), keep, e);
		}
	}
	return err;
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	struct request request = { .metric = METRIC_COUNT };
	struct rng rng;
	sample_rng(&rng, s->seed, STREAM, s->cover.asked);
	enum err err = beginning(s) ? first(s, &rng, ret_keep, &request, e) : breed(s, ret_keep, e);
	if (!err)
		err = renew(s, &rng, ret_keep, e);
	if (!err)
		err = cover_add(&s->cover, ret_keep, e);
	if (err)
		return err;
	*ret_request = request;
	*ret_done = false;
	return ERR_OK;
}

/* A pair of children is bred as it was, for the sake of its random numbers; what it took to make the first one new and
 * to keep it within limits is in the answer. */
static enum err skip(struct strategy *s, const int *keep, struct errinfo *e)
{
	enum err err = beginning(s) ? ERR_OK : breed(s, s->bred, e);
	return err ? err : cover_add(&s->cover, keep, e);
}

/* ---- telling ---- */

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	double point[PARETO_MAX_OBJECTIVES], violation;
	score_outcome(s->problem, o, point, &violation);
	return population_add(s->population, o->keep, point, violation, e);
}

const struct strategy_ops strategy_nsga2 = {
	.name = "nsga2",
	.summary = "NSGA-II: an evolving population, the whole front at once",
	.check = check,
	.open = open_nsga2,
	.ask = ask,
	.tell = tell,
	.skip = skip,
	.free = release,
};

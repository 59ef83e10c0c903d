/* abc.c -- artificial bee colony (Karaboga 2005) on channel counts, as in ABCPruner (Lin et al. 2020), for fronts.
 * SPDX-License-Identifier: MIT
 *
 * ABCPruner maximises an accuracy under fixed limits. Here every source (search/colony.h) has a compromise between the
 * objectives of its own to look after, and a result goes to the sources that gain by it: at equal budgets that gave
 * more hypervolume than sources which are replaced by what dominates them.
 *
 * The first proposals, one a source, are random shapes at costs spread evenly over the whole range. Then, in turn: each
 * source's employed bee, and as many onlookers, at sources drawn in proportion to their fitness. A bee tries
 * v = x_i + U(-1, 1) (x_i - x_k) on some of the groups in which its source i and another one, k, differ. When `limit`
 * bees in a row brought nothing to a source, a scout looks anywhere instead; unlike Karaboga's it replaces the source
 * only where it is better, for the source holds its part of the front.
 *
 * A bee past a limit on an exact cost is pruned further in its own proportions; nothing is proposed twice. Results come
 * late when the window is open: they are compared with what the source holds by then.
 *
 * Options: "sources", "limit", "genes": groups that a bee changes. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "search/colony.h"
#include "search/cover.h"
#include "search/sample.h"
#include "search/score.h"
#include "search/space.h"
#include "search/strategy.h"
#include "search/variation.h"

enum { STREAM = 5, BEES = 16, TRIES = 32 };

/* Of the sources: an inventory of 65536 groups must not cost the service gigabytes. */
enum { MOST_GENES = 1 << 24 };

/* Where two sources agree on everything, a gene is mutated. */
static const struct variation mutation = { .eta_mutation = 20 };

struct options {
	const char *name;
	int64_t sources, limit, genes;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct options, name, JSON_STRING, .required = false),
	JSON_FIELD(struct options, sources, JSON_INT, .min = 2, .max = 1000),
	JSON_FIELD(struct options, limit, JSON_INT, .min = 1, .max = 1000000),
	JSON_FIELD(struct options, genes, JSON_INT, .min = 1, .max = 65536),
};

struct strategy {
	const struct problem *problem;
	const struct space *space;
	struct colony *colony;
	struct cover cover; /* of the first proposals and the scouts; it counts all */
	int sources, limit, genes;
	uint64_t seed;
	int *source_of;     /* of proposal i at i - 1 */
	int capacity;
};

/* ---- opening ---- */

static enum err read_options(const cJSON *object, struct options *ret, struct errinfo *e)
{
	*ret = (struct options){ .sources = 10, .limit = 5, .genes = 2 };
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
	colony_free(s->colony);
	cover_fini(&s->cover);
	free(s->source_of);
	free(s);
}

static enum err prepare(struct strategy *s, struct errinfo *e)
{
	const struct problem *p = s->problem;
	struct rng weights;
	int most = MOST_GENES / p->space->group_count;
	if (s->sources > most)
		return err_set(e, ERR_LIMIT, "strategy.sources: is %d, expected at most %d with the network's "
			"%d groups", s->sources, most, p->space->group_count);
	enum err err = cover_objective(&s->cover, p, STREAM, e);
	rng_init(&weights, p->seed, STREAM);
	return err ? err : colony_new(s->sources, p->space->group_count, p->objective_count, &weights, &s->colony, e);
}

static enum err open_abc(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct options o;
	enum err err = read_options(object, &o, e);
	if (err)
		return err;
	struct strategy *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->problem = p;
	s->space = p->space;
	s->sources = (int)o.sources;
	s->limit = (int)o.limit;
	s->genes = (int)o.genes;
	s->seed = p->seed;
	err = prepare(s, e);
	if (err) {
		release(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

/* ---- asking ---- */

/* What a proposal is: a bee at a source, or anything at all on behalf of one. */
struct errand {
	int source;
	bool bee;
};

/* Depends on results only through the colony, and costs little: a replay repeats it. */
static enum err choose(struct strategy *s, struct rng *rng, struct errand *ret, struct errinfo *e)
{
	int turn = s->cover.asked % (2 * s->sources);
	*ret = (struct errand){ .source = turn % s->sources };
	if (s->cover.asked < s->sources || !colony_count(s->colony))
		return ERR_OK;
	bool employed = turn < s->sources && colony_genes(s->colony, turn);
	enum err err = employed ? ERR_OK : colony_draw(s->colony, rng, &ret->source, e);
	if (err)
		return err;
	ret->bee = colony_failures(s->colony, ret->source) < s->limit;
	if (!ret->bee)
		colony_forget(s->colony, ret->source);
	return ERR_OK;
}

static enum err sample_at(struct strategy *s, struct rng *rng, double share, int *ret_keep, struct errinfo *e)
{
	sample_shape(rng, s->space->group_count, s->cover.ratio);
	return cover_fit(&s->cover, share, ret_keep, e);
}

static enum err fly(struct strategy *s, struct rng *rng, int source, int *ret_keep, struct errinfo *e)
{
	int groups = s->space->group_count, differing = 0, wanted = s->genes;
	const int *x = colony_genes(s->colony, source);
	const int *other = colony_genes(s->colony, colony_partner(s->colony, rng, source));
	memcpy(ret_keep, x, (size_t)groups * sizeof *x);
	for (int g = 0; g < groups; g++)
		differing += x[g] != other[g];
	if (!differing)
		variation_mutate_one(&mutation, s->space, rng, ret_keep);
	for (int g = 0; wanted > 0 && differing > 0; g++) {
		if (x[g] == other[g])
			continue;
		if (rng_below(rng, (uint64_t)differing--) >= (uint64_t)wanted)
			continue;
		double step = (2 * rng_uniform(rng) - 1) * (x[g] - other[g]);
		ret_keep[g] = space_round_keep(&s->space->groups[g], x[g] + step);
		wanted--;
	}
	return cover_repair(&s->cover, ret_keep, e);
}

static enum err make(struct strategy *s, struct rng *rng, const struct errand *errand, int try, int *ret_keep,
	struct errinfo *e)
{
	if (errand->bee && try < BEES)
		return fly(s, rng, errand->source, ret_keep, e);
	double share = try ? cover_share(&s->cover, rng_uniform(rng)) : cover_target(&s->cover, s->cover.asked);
	return sample_at(s, rng, share, ret_keep, e);
}

static enum err note(struct strategy *s, int source, const int *keep, struct errinfo *e)
{
	if (s->cover.asked == s->capacity) {
		int capacity = s->capacity ? 2 * s->capacity : 64;
		int *source_of = realloc(s->source_of, (size_t)capacity * sizeof *source_of);
		if (!source_of)
			return err_set(e, ERR_MEMORY, "out of memory");
		s->source_of = source_of;
		s->capacity = capacity;
	}
	s->source_of[s->cover.asked] = source;
	return cover_add(&s->cover, keep, e);
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	struct rng rng;
	struct errand errand;
	sample_rng(&rng, s->seed, STREAM, s->cover.asked);
	enum err err = choose(s, &rng, &errand, e);
	if (!err)
		err = make(s, &rng, &errand, 0, ret_keep, e);
	for (int i = 1; !err && i < TRIES && seen_has(&s->cover.seen, ret_keep, s->space->group_count); i++)
		err = make(s, &rng, &errand, i, ret_keep, e);
	if (!err)
		err = note(s, errand.source, ret_keep, e);
	if (err)
		return err;
	*ret_request = (struct request){ .metric = METRIC_COUNT };
	*ret_done = false;
	return ERR_OK;
}

static enum err skip(struct strategy *s, const int *keep, struct errinfo *e)
{
	struct rng rng;
	struct errand errand;
	sample_rng(&rng, s->seed, STREAM, s->cover.asked);
	enum err err = choose(s, &rng, &errand, e);
	return err ? err : note(s, errand.source, keep, e);
}

/* ---- telling ---- */

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	(void)e;
	double point[PARETO_MAX_OBJECTIVES], violation;
	score_outcome(s->problem, o, point, &violation);
	colony_offer(s->colony, s->source_of[o->number - 1], o->keep, point, violation);
	return ERR_OK;
}

const struct strategy_ops strategy_abc = {
	.name = "abc",
	.summary = "artificial bee colony (ABCPruner): sources along the front, neighbours, scouts",
	.check = check,
	.open = open_abc,
	.ask = ask,
	.tell = tell,
	.skip = skip,
	.free = release,
};

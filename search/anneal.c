/* anneal.c -- AutoCompress (Liu et al. 2020): simulated annealing in rounds of growing pruning.
 * SPDX-License-Identifier: MIT
 *
 * The budget of proposals is cut into rounds. Round k of N (from 1) removes 1 - (1 - S)^(k/N) of the cost, S being
 * the target; every proposal of a round keeps that budget to a channel's worth (budget_fit). The first actions are
 * random ratios, the largest for the largest group; that is a start only, later actions go where the results lead.
 * They also tell how much results differ, which the temperature needs to know. From then on an action is the current
 * state perturbed by U(-m, m), m falling with the root of the temperature (with the temperature itself it is under a
 * channel for half of a round). The best action of a round, scaled to the next target as it is, opens the next round.
 *
 * Results come late when the window is open: proposals then perturb the state as known. A round's late results
 * still compete for its best action until the first result of the next round is told; from then on that one is the
 * state.
 *
 * What is left of the budget purifies (search/purify.h), phase two: from the best of the last round on, or from a late
 * result that is better, cuts that lose next to nothing are made as well. With nothing left to cut, the last round goes
 * on. What follows in AutoCompress, pruning for real, is the business of whoever takes the candidate.
 *
 * Options: "metric", "target" S, "rounds" N, "acceptance" (temperature.h), "cooling": the temperature at the end
 * of a round as a share of that at its start, "perturbation": m at its start; "purify": share of the budget,
 * "tolerance": how much worse than the winner purification may end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "search/budget.h"
#include "search/cost.h"
#include "search/limit.h"
#include "search/purify.h"
#include "search/sample.h"
#include "search/score.h"
#include "search/seen.h"
#include "search/space.h"
#include "search/strategy.h"
#include "search/tally.h"
#include "search/temperature.h"

enum { STREAM = 2, PERTURBATIONS = 16, TRIES = 64, MOST_STARTS = 10 };

/* Every group's cut is looked at for each that is made: beyond these groups that takes too long. */
enum { MOST_PURIFIED = 4000 };

/* Part of the first round that is random. */
static const double STARTS = 0.25;

/* A try that only found what was proposed before is followed by a wider one, and in the end by any shape at all. */
static const double WIDEN = 1.5, LEAST_WIDTH = 0.02;

struct options {
	const char *name, *metric;
	double target, acceptance, cooling, perturbation, purify, tolerance;
	int64_t rounds;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct options, name, JSON_STRING, .required = false),
	JSON_FIELD(struct options, metric, JSON_STRING, .required = false),
	JSON_FIELD(struct options, target, JSON_NUMBER, .min = 0.01, .max = 0.999),
	JSON_FIELD(struct options, rounds, JSON_INT, .min = 1, .max = 1000),
	JSON_FIELD(struct options, acceptance, JSON_NUMBER, .min = 0.01, .max = 0.99),
	JSON_FIELD(struct options, cooling, JSON_NUMBER, .min = 0.0001, .max = 1),
	JSON_FIELD(struct options, perturbation, JSON_NUMBER, .min = 0.001, .max = 1),
	JSON_FIELD(struct options, purify, JSON_NUMBER, .max = 0.9),
	JSON_FIELD(struct options, tolerance, JSON_NUMBER, .max = 1000),
};

struct rank {
	int group;
	double freed; /* cost that the group alone can save */
};

struct state {
	struct energy energy;
	int *keep;
};

struct strategy {
	const struct problem *problem;
	struct options options; /* its strings are not kept */
	enum metric metric;
	int objective; /* index of the one that the energy is */
	double most[METRIC_COUNT];
	int asked, rounds, starts;
	int annealed; /* proposals of the rounds; those after them purify */
	int round;  /* that `current` belongs to */
	bool known; /* some result was usable: current and best are candidates */
	struct state current, best;
	struct temperature temperature;
	struct rng rng; /* for acceptance; proposals have numbers of their own */
	struct seen seen;
	struct rank *by_size;   /* groups, smallest first */
	double *ratio, *sorted; /* of the action being made, by group and by size */
	struct purify *purify;
	int *cut_in;  /* of proposal annealed + i at i - 1: the group that is cut, -1: it goes on annealing */
	int *scratch; /* a candidate */
};

/* ---- opening ---- */

static enum err read_options(const cJSON *object, struct options *ret, enum metric *ret_metric, struct errinfo *e)
{
	*ret = (struct options){
		.metric = "macs", .target = 0.5, .rounds = 4, .acceptance = 0.5, .cooling = 0.02, .perturbation = 0.35,
		.purify = 0.1, .tolerance = 0.002,
	};
	enum err err = json_read(object, "strategy", fields, sizeof fields / sizeof *fields, ret, e);
	return err ? err : strategy_read_cost(ret->metric, ret_metric, e);
}

static enum err check(const cJSON *object, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	return read_options(object, &o, &metric, e);
}

static void release(struct strategy *s)
{
	if (!s)
		return;
	seen_fini(&s->seen);
	free(s->current.keep);
	free(s->best.keep);
	purify_free(s->purify);
	free(s->cut_in);
	free(s->scratch);
	free(s->by_size);
	free(s->ratio);
	free(s->sorted);
	free(s);
}

static enum err check_target(const struct problem *p, enum metric metric, double target, struct errinfo *e)
{
	double floor_share = budget_floor(p->space, metric);
	if (1 - target < floor_share)
		return err_set(e, ERR_LIMIT, "strategy.target: is %g, expected at most %g: "
			"no candidate can lose more %s", target, 1 - floor_share, metric_name(metric));
	return ERR_OK;
}

static int smaller_first(const void *a, const void *b)
{
	const struct rank *x = a, *y = b;
	if (x->freed != y->freed)
		return x->freed < y->freed ? -1 : 1;
	return (x->group > y->group) - (x->group < y->group);
}

static enum err rank_groups(struct strategy *s, struct errinfo *e)
{
	const struct space *space = s->problem->space;
	space_most(space, s->best.keep);
	struct tally *t;
	enum err err = tally_open(space, s->best.keep, &t, e);
	if (err)
		return err;
	for (int g = 0; g < space->group_count; g++) {
		struct cost without = tally_if(t, g, space->groups[g].min_keep);
		s->by_size[g] = (struct rank){ .group = g, .freed = -cost_metric(&without, s->metric) };
	}
	tally_close(t);
	qsort(s->by_size, (size_t)space->group_count, sizeof *s->by_size, smaller_first);
	return ERR_OK;
}

static struct strategy *allocate(size_t groups)
{
	struct strategy *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->current.keep = calloc(groups, sizeof *s->current.keep);
	s->best.keep = calloc(groups, sizeof *s->best.keep);
	s->by_size = calloc(groups, sizeof *s->by_size);
	s->ratio = calloc(groups, sizeof *s->ratio);
	s->sorted = calloc(groups, sizeof *s->sorted);
	s->scratch = calloc(groups, sizeof *s->scratch);
	if (s->current.keep && s->best.keep && s->by_size && s->ratio && s->sorted && s->scratch)
		return s;
	release(s);
	return NULL;
}

static enum err set_phases(struct strategy *s, struct errinfo *e)
{
	bool many = s->problem->space->group_count > MOST_PURIFIED;
	int purifying = many ? 0 : (int)(s->options.purify * s->problem->budget);
	s->annealed = s->problem->budget - purifying;
	s->rounds = s->options.rounds < s->annealed ? (int)s->options.rounds : s->annealed;
	int starts = (int)(STARTS * s->annealed / s->rounds);
	s->starts = starts < 1 ? 1 : starts > MOST_STARTS ? MOST_STARTS : starts;
	s->cut_in = calloc((size_t)purifying + 1, sizeof *s->cut_in);
	if (!s->cut_in)
		return err_set(e, ERR_MEMORY, "out of memory");
	return purify_new(s->problem->space, s->metric, s->options.tolerance, &s->purify, e);
}

static enum err open_anneal(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	enum err err = read_options(object, &o, &metric, e);
	if (!err)
		err = check_target(p, metric, o.target, e);
	if (err)
		return err;
	struct strategy *s = allocate((size_t)p->space->group_count);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->problem = p;
	s->options = o;
	s->metric = metric;
	s->objective = score_measured(p, metric);
	s->current.energy = s->best.energy = (struct energy){ INFINITY, INFINITY };
	temperature_reset(&s->temperature, o.acceptance);
	rng_init(&s->rng, p->seed, STREAM);
	err = set_phases(s, e);
	if (!err)
		err = limit_read(p, s->most, e);
	if (!err)
		err = rank_groups(s, e);
	if (err) {
		release(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

/* ---- rounds ---- */

/* Proposals 1..annealed fall into rounds 0..rounds - 1, none empty; later ones belong to the last. */
static int round_of(const struct strategy *s, int number)
{
	int64_t round = (int64_t)(number - 1) * s->rounds / s->annealed;
	return round < s->rounds ? (int)round : s->rounds - 1;
}

/* Number of the first proposal of a round. */
static int first_of(const struct strategy *s, int round)
{
	return (int)(((int64_t)round * s->annealed + s->rounds - 1) / s->rounds) + 1;
}

/* Temperature of a proposal as a share of its round's first: geometric, `cooling` at the last. */
static double cold_at(const struct strategy *s, int number)
{
	int round = round_of(s, number);
	int first = first_of(s, round), last = first_of(s, round + 1) - 1;
	double passed = number < last ? number - first : last - first;
	return last > first ? pow(s->options.cooling, passed / (last - first)) : 1;
}

static double share_of(const struct strategy *s, int round)
{
	return pow(1 - s->options.target, (round + 1.0) / s->rounds);
}

/* ---- asking ---- */

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Random ratios, the largest for the group that can save most. */
static void first_action(struct strategy *s, struct rng *rng)
{
	int n = s->problem->space->group_count;
	for (int i = 0; i < n; i++)
		s->sorted[i] = rng_uniform(rng);
	qsort(s->sorted, (size_t)n, sizeof *s->sorted, ascending);
	for (int i = 0; i < n; i++)
		s->ratio[s->by_size[i].group] = s->sorted[i];
}

static void perturb(struct strategy *s, struct rng *rng, const int *keep, double m)
{
	for (int g = 0; g < s->problem->space->group_count; g++) {
		double ratio = 1 - (double)keep[g] / s->problem->space->groups[g].channels;
		ratio += m * (2 * rng_uniform(rng) - 1);
		s->ratio[g] = fmin(fmax(ratio, 0), 1);
	}
}

static enum err propose(struct strategy *s, struct rng *rng, int round, int try, double m, int *ret_keep,
	struct errinfo *e)
{
	const struct space *space = s->problem->space;
	double most[METRIC_COUNT];
	memcpy(most, s->most, sizeof most);
	limit_share(space, s->metric, share_of(s, round), most);
	if (try >= PERTURBATIONS)
		sample_shape(rng, space->group_count, s->ratio);
	else if (s->asked < s->starts || !s->known)
		first_action(s, rng);
	else
		perturb(s, rng, s->round == round ? s->current.keep : s->best.keep, m);
	return budget_fit_all(space, most, s->ratio, ret_keep, e);
}

/* The next action of a round. */
static enum err act(struct strategy *s, int *ret_keep, struct request *ret_request, struct errinfo *e)
{
	int groups = s->problem->space->group_count, number = s->asked + 1, round = round_of(s, number);
	double m = number == first_of(s, round) ? 0 : s->options.perturbation * sqrt(cold_at(s, number));
	struct rng rng;
	sample_rng(&rng, s->problem->seed, STREAM, s->asked);
	enum err err = propose(s, &rng, round, 0, m, ret_keep, e);
	for (int i = 1; !err && i < TRIES && seen_has(&s->seen, ret_keep, groups); i++) {
		m = fmin(fmax(m * WIDEN, LEAST_WIDTH), 1);
		err = propose(s, &rng, round, i, m, ret_keep, e);
	}
	*ret_request = (struct request){ .metric = s->metric, .ratio = 1 - share_of(s, round) };
	return err;
}

/* *ret_cut: whether the next proposal is one of purification, ret_keep then. */
static enum err cut(struct strategy *s, int *ret_keep, bool *ret_cut, struct errinfo *e)
{
	enum err err = ERR_OK;
	bool over = s->round == s->rounds - 1 && isfinite(s->best.energy.value);
	*ret_cut = false;
	if (s->asked < s->annealed)
		return ERR_OK;
	if (over && !purify_started(s->purify))
		err = purify_start(s->purify, s->best.keep, &s->best.energy, e);
	if (err)
		return err;
	int group = purify_started(s->purify) ? purify_choose(s->purify, &s->seen, ret_keep) : -1;
	s->cut_in[s->asked - s->annealed] = group;
	*ret_cut = group >= 0;
	return ERR_OK;
}

static enum err add(struct strategy *s, const int *keep, struct errinfo *e)
{
	s->asked++;
	return seen_add(&s->seen, keep, s->problem->space->group_count, e);
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	bool purifies;
	enum err err = cut(s, ret_keep, &purifies, e);
	*ret_request = (struct request){ .metric = METRIC_COUNT };
	*ret_done = false;
	if (!err && !purifies)
		err = act(s, ret_keep, ret_request, e);
	return err ? err : add(s, ret_keep, e);
}

static enum err skip(struct strategy *s, const int *keep, struct errinfo *e)
{
	bool purifies;
	enum err err = cut(s, s->scratch, &purifies, e);
	return err ? err : add(s, keep, e);
}

/* ---- telling ---- */

static void become(struct strategy *s, struct state *state, const struct energy *energy, const int *keep)
{
	state->energy = *energy;
	memcpy(state->keep, keep, (size_t)s->problem->space->group_count * sizeof *keep);
}

/* Energies of other rounds say nothing here: they were reached with more channels. */
static void enter_round(struct strategy *s, int round)
{
	struct energy none = { INFINITY, INFINITY };
	s->round = round;
	become(s, &s->current, &none, s->best.keep);
	s->best.energy = none;
	temperature_reset(&s->temperature, s->options.acceptance);
}

static void take(struct strategy *s, const struct outcome *o, const struct energy *energy)
{
	if (round_of(s, o->number) > s->round)
		enter_round(s, round_of(s, o->number));
	temperature_note(&s->temperature, energy);
	double cold = cold_at(s, o->number);
	if (temperature_accepts(&s->temperature, &s->current.energy, energy, cold, &s->rng))
		become(s, &s->current, energy, o->keep);
	if (energy_better(energy, &s->best.energy))
		become(s, &s->best, energy, o->keep);
	s->known = s->known || isfinite(energy->value);
}

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	double point[PARETO_MAX_OBJECTIVES];
	struct energy energy;
	score_outcome(s->problem, o, point, &energy.violation);
	energy.value = point[s->objective];
	int group = o->number > s->annealed ? s->cut_in[o->number - s->annealed - 1] : -1;
	if (group >= 0) {
		purify_tell(s->purify, group, o->keep, &energy);
		return ERR_OK;
	}
	take(s, o, &energy);
	if (purify_started(s->purify) && energy_better(&energy, purify_level(s->purify)))
		return purify_start(s->purify, o->keep, &energy, e);
	return ERR_OK;
}

const struct strategy_ops strategy_anneal = {
	.name = "anneal",
	.summary = "AutoCompress: simulated annealing in rounds of growing pruning",
	.check = check,
	.open = open_anneal,
	.ask = ask,
	.tell = tell,
	.skip = skip,
	.free = release,
};

/* netadapt.c -- NetAdapt (Yang et al. 2018): a walk from the whole network, each step by the group that loses least.
 * SPDX-License-Identifier: MIT
 *
 * A step must free a quota of the cost. For each group there is one candidate, the current network with the fewest
 * channels of that group removed that free the quota; the one with the least loss per cost freed becomes the current
 * network. A group that cannot free the quota alone gives half of what it has, if that is worth half of the quota; when
 * there is none, whatever frees anything.
 *
 * With "step" given, quotas are that share of the unpruned network's cost times decay^i, and every group is tried in
 * every step, as in the paper. By default both follow from the budget: the walk shall reach the cheapest candidate with
 * the last proposal. So that there are about STEPS steps, only the most promising groups are tried in each: those with
 * the least loss per cost freed when they were tried last (before that, by the share of importance that is lost). What
 * a group costs rarely falls while others are pruned, so the best is among those that looked best (lazy greedy, Minoux
 * 1978).
 *
 * Results come late when the window is open. A step is decided as soon as half of its candidates are known; they are
 * proposed in the order of their promise, so that it is the better half. Until then further proposals take two quotas
 * from its groups, then three and so on, which are points of the front too. With nothing left to propose meanwhile, the
 * most promising is taken unseen.
 *
 * Options: "metric" macs, params or bytes; "step" (null: by the budget); "decay". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "search/budget.h"
#include "search/cost.h"
#include "search/limit.h"
#include "search/score.h"
#include "search/seen.h"
#include "search/space.h"
#include "search/strategy.h"
#include "search/tally.h"
#include "search/temperature.h"

enum { STEPS = 24, LEAST_TRIED = 3, MOST_QUOTAS = 6, NOBODY = -1, MOST_GROUPS = 4000 };

/* The first step tries all groups, to know them, unless that takes more than this part of the budget. */
static const double SURVEY = 0.25;

static const double WORTHWHILE = 0.5, PART_OF_SMALL = 0.5, RESERVE = 0.1;

struct options {
	const char *name, *metric;
	double decay;
	const cJSON *step;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct options, name, JSON_STRING, .required = false),
	JSON_FIELD(struct options, metric, JSON_STRING, .required = false),
	JSON_FIELD(struct options, decay, JSON_NUMBER, .min = 0.5, .max = 1),
	JSON_FIELD(struct options, step, JSON_ANY, .required = false),
};

/* The candidate of one group in the step that is under way. */
struct cut {
	int group, keep;
	bool tried;     /* before: promise is what was found then */
	double promise; /* loss per cost freed that is expected, the less the better */
	double freed;   /* share of the unpruned network's cost */
	int number;     /* of its proposal, 0: none yet */
	bool known;
	struct energy energy;
};

/* What a proposal was made for. */
struct errand {
	int group;          /* NOBODY: not for a step */
	double freed, from; /* from: energy of the network that was cut, NaN: not known */
};

struct strategy {
	const struct problem *problem;
	const struct space *space;
	enum metric metric;
	int objective;      /* index of the one that is lost */
	double step, decay; /* step 0: by the budget */
	double whole, low;  /* the unpruned network's cost, and the share of it where the walk ends */
	int width;          /* groups tried in a step */
	int asked, steps;
	struct tally *tally;    /* of the current network */
	int current;            /* its proposal, 0: the unpruned network */
	double level;           /* its energy, NaN: not known (yet) */
	struct cut *cuts;       /* of the step under way, the most promising first */
	int cut_count, next, extra;
	double quota;
	double *rate;           /* by group: loss per cost freed when it was tried last, NaN: never */
	int *keep;              /* scratch */
	struct errand *errands; /* of proposal i at i - 1 */
	int capacity;
	struct seen seen;
};

/* ---- opening ---- */

static enum err read_step(const cJSON *value, double *ret, struct errinfo *e)
{
	char brief[64];
	if (!value || cJSON_IsNull(value))
		return ERR_OK;
	if (!cJSON_IsNumber(value) || !(value->valuedouble >= 0.0001 && value->valuedouble <= 0.5))
		return err_set(e, ERR_INPUT, "strategy.step: is %s, expected null or a number from 0.0001 to 0.5",
			json_brief(value, brief));
	*ret = value->valuedouble;
	return ERR_OK;
}

static enum err read_options(const cJSON *object, struct options *ret, enum metric *ret_metric, double *ret_step,
	struct errinfo *e)
{
	*ret = (struct options){ .metric = "macs", .decay = 0.96 };
	*ret_step = 0;
	enum err err = json_read(object, "strategy", fields, sizeof fields / sizeof *fields, ret, e);
	if (!err)
		err = strategy_read_cost(ret->metric, ret_metric, e);
	return err ? err : read_step(ret->step, ret_step, e);
}

static enum err check(const cJSON *object, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	double step;
	return read_options(object, &o, &metric, &step, e);
}

static void release(struct strategy *s)
{
	if (!s)
		return;
	tally_close(s->tally);
	seen_fini(&s->seen);
	free(s->cuts);
	free(s->rate);
	free(s->keep);
	free(s->errands);
	free(s);
}

/* Where the walk starts: whole, or by one ratio within the job's bounds. Fills rate[]. */
static enum err start(struct strategy *s, struct errinfo *e)
{
	double most[METRIC_COUNT];
	bool unpruned = true;
	enum err err = limit_read(s->problem, most, e);
	for (int g = 0; g < s->space->group_count; g++)
		s->rate[g] = 1;
	if (!err)
		err = budget_fit_all(s->space, most, s->rate, s->keep, e);
	for (int g = 0; !err && g < s->space->group_count; g++) {
		unpruned = unpruned && s->keep[g] == s->space->groups[g].channels;
		s->rate[g] = NAN;
	}
	enum metric objective = s->problem->objectives[s->objective];
	double level = score_value(objective, s->problem->baseline[objective]);
	s->level = unpruned && isfinite(level) ? level : NAN;
	return err ? err : tally_open(s->space, s->keep, &s->tally, e);
}

static enum err prepare(struct strategy *s, struct errinfo *e)
{
	size_t groups = (size_t)s->space->group_count;
	struct cost intact = cost_of_intact(s->space);
	double high = 1;
	if (s->space->group_count > MOST_GROUPS)
		return err_set(e, ERR_LIMIT, "strategy.name: is \"netadapt\", which tries every group in turn, "
			"expected another one for the network's %d groups", s->space->group_count);
	int width = s->problem->budget / STEPS;
	s->width = s->step > 0 ? s->space->group_count : width < LEAST_TRIED ? LEAST_TRIED : width;
	s->objective = score_measured(s->problem, s->metric);
	s->whole = fmax(cost_metric(&intact, s->metric), 1);
	limit_window(s->problem, s->metric, &s->low, &high);
	s->cuts = calloc(groups, sizeof *s->cuts);
	s->rate = calloc(groups, sizeof *s->rate);
	s->keep = calloc(groups, sizeof *s->keep);
	if (!s->cuts || !s->rate || !s->keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	return start(s, e);
}

static enum err open_netadapt(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	double step;
	enum err err = read_options(object, &o, &metric, &step, e);
	if (err)
		return err;
	struct strategy *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->problem = p;
	s->space = p->space;
	s->metric = metric;
	s->step = step;
	s->decay = o.decay;
	err = prepare(s, e);
	if (err) {
		release(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

/* ---- a step ---- */

static double share_if(const struct strategy *s, int g, int keep)
{
	struct cost c = tally_if(s->tally, g, keep);
	return cost_metric(&c, s->metric) / s->whole;
}

static double share_now(const struct strategy *s)
{
	return share_if(s, 0, tally_keep(s->tally, 0));
}

/* By default so much that as many steps as the budget has left, each decay times the one before, reach the end. Some
 * free less than they should, which those after can't always make good: a part of them is kept in reserve. */
static double next_quota(const struct strategy *s)
{
	double range = share_now(s) - s->low, left = (double)(s->problem->budget - s->asked) / s->width;
	double n = fmax(left * (1 - RESERVE), 1);
	if (s->step > 0)
		return s->step * pow(s->decay, s->steps);
	return range * (s->decay < 1 ? (1 - s->decay) / (1 - pow(s->decay, n)) : 1 / n);
}

/* The most channels of group g below those it has with which `wanted` of the cost is freed; min_keep when none does. */
static int keep_freeing(const struct strategy *s, int g, double wanted)
{
	const struct space_group *group = &s->space->groups[g];
	double limit = share_now(s) - wanted;
	int fits = group->min_keep, beyond = tally_keep(s->tally, g);
	while (space_less(group, beyond) > fits) {
		int middle = space_round_keep(group, fits + (beyond - fits) / 2.0);
		if (middle == beyond || middle == fits)
			middle = space_less(group, beyond);
		if (share_if(s, g, middle) <= limit)
			fits = middle;
		else
			beyond = middle;
	}
	return fits;
}

static bool is_new(struct strategy *s, int g, int keep)
{
	for (int i = 0; i < s->space->group_count; i++)
		s->keep[i] = i == g ? keep : tally_keep(s->tally, i);
	return !seen_has(&s->seen, s->keep, s->space->group_count);
}

/* What group g can give towards `wanted`: its *ret_keep, new, not past the end of the walk. */
static bool find_cut(struct strategy *s, int g, double wanted, int *ret_keep)
{
	const struct space_group *group = &s->space->groups[g];
	int keep = keep_freeing(s, g, wanted);
	while (keep > group->min_keep && !is_new(s, g, keep))
		keep = space_less(group, keep);
	*ret_keep = keep;
	return keep < tally_keep(s->tally, g) && share_if(s, g, keep) < share_now(s) &&
		share_if(s, g, keep) >= s->low * (1 - 1e-12) && is_new(s, g, keep);
}

/* Unknown groups first, those that lose little importance before others. */
static int more_promising_first(const void *a, const void *b)
{
	const struct cut *x = a, *y = b;
	if (x->tried != y->tried)
		return x->tried - y->tried;
	if (x->promise != y->promise)
		return x->promise < y->promise ? -1 : 1;
	return x->group - y->group;
}

static void add_cut(struct strategy *s, int g, double least)
{
	const struct space_group *group = &s->space->groups[g];
	double all = share_now(s) - share_if(s, g, group->min_keep);
	double wanted = all < s->quota ? all * PART_OF_SMALL : s->quota;
	struct cut cut = { .group = g, .tried = !isnan(s->rate[g]), .promise = s->rate[g] };
	if (wanted < least || !find_cut(s, g, wanted, &cut.keep))
		return;
	cut.freed = share_now(s) - share_if(s, g, cut.keep);
	if (!cut.tried) {
		double now = space_share(group, tally_keep(s->tally, g)), then = space_share(group, cut.keep);
		cut.promise = (then * then - now * now) / cut.freed;
	}
	s->cuts[s->cut_count++] = cut;
}

static void plan(struct strategy *s)
{
	int groups = s->space->group_count;
	s->quota = next_quota(s);
	s->next = s->extra = s->cut_count = 0;
	for (int g = 0; g < groups; g++)
		add_cut(s, g, s->quota * WORTHWHILE);
	for (int g = 0; s->cut_count == 0 && g < groups; g++)
		add_cut(s, g, 0);
	qsort(s->cuts, (size_t)s->cut_count, sizeof *s->cuts, more_promising_first);
	bool survey = s->steps == 0 && s->cut_count <= SURVEY * s->problem->budget;
	if (s->cut_count > s->width && !survey)
		s->cut_count = s->width;
}

static bool decidable(const struct strategy *s)
{
	int known = 0;
	for (int i = 0; i < s->cut_count; i++)
		known += s->cuts[i].known;
	return 2 * known >= s->cut_count;
}

/* Loss per cost freed, against `from`. */
static double rate_of(const struct cut *cut, double from)
{
	return (cut->energy.value - from) / cut->freed;
}

static const struct cut *best_cut(const struct strategy *s)
{
	const struct cut *best = NULL;
	double from = INFINITY;
	for (int i = 0; i < s->cut_count; i++)
		if (s->cuts[i].known)
			from = fmin(from, s->cuts[i].energy.value);
	from = isnan(s->level) ? from : s->level;
	for (int i = 0; i < s->cut_count; i++) {
		const struct cut *cut = &s->cuts[i];
		if (!cut->known || !isfinite(cut->energy.value))
			continue;
		double violation = best ? best->energy.violation : INFINITY;
		if (cut->energy.violation < violation ||
			(cut->energy.violation == violation && (!best || rate_of(cut, from) < rate_of(best, from))))
			best = cut;
	}
	for (int i = 0; !best && i < s->cut_count; i++)
		best = s->cuts[i].known ? NULL : &s->cuts[i];
	return best ? best : &s->cuts[0];
}

static void decide(struct strategy *s)
{
	const struct cut *best = best_cut(s);
	tally_set(s->tally, best->group, best->keep);
	s->current = best->number;
	s->level = best->known && isfinite(best->energy.value) ? best->energy.value : NAN;
	s->steps++;
	s->cut_count = 0;
}

/* ---- asking ---- */

static enum err note(struct strategy *s, const struct errand *errand, struct errinfo *e)
{
	if (s->asked == s->capacity) {
		int capacity = s->capacity ? 2 * s->capacity : 64;
		struct errand *errands = realloc(s->errands, (size_t)capacity * sizeof *errands);
		if (!errands)
			return err_set(e, ERR_MEMORY, "out of memory");
		s->errands = errands;
		s->capacity = capacity;
	}
	s->errands[s->asked++] = *errand;
	return ERR_OK;
}

/* Proposes the current network with group g cut to keep. */
static enum err propose(struct strategy *s, int g, int keep, const struct errand *errand, int *ret_keep,
	struct errinfo *e)
{
	for (int i = 0; i < s->space->group_count; i++)
		ret_keep[i] = i == g ? keep : tally_keep(s->tally, i);
	enum err err = seen_add(&s->seen, ret_keep, s->space->group_count, e);
	return err ? err : note(s, errand, e);
}

/* More than a quota from one of the step's groups, while its results are awaited. */
static bool find_extra(struct strategy *s, int *ret_group, int *ret_keep)
{
	for (; s->extra < s->cut_count * MOST_QUOTAS; s->extra++) {
		int g = s->cuts[s->extra % s->cut_count].group;
		if (find_cut(s, g, s->quota * (2 + s->extra / s->cut_count), ret_keep)) {
			*ret_group = g;
			return true;
		}
	}
	return false;
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	struct errand errand = { .group = NOBODY, .from = s->level };
	int g = 0, keep = tally_keep(s->tally, 0);
	*ret_done = false;
	*ret_request = (struct request){ .metric = METRIC_COUNT };
	if (s->asked == 0 && isnan(s->level)) {
		s->current = 1;
		return propose(s, g, keep, &errand, ret_keep, e);
	}
	for (;;) {
		if (!s->cut_count)
			plan(s);
		*ret_done = !s->cut_count;
		if (*ret_done)
			return ERR_OK;
		if (s->next < s->cut_count)
			break;
		if (!decidable(s) && find_extra(s, &g, &keep))
			return propose(s, g, keep, &errand, ret_keep, e);
		decide(s);
		errand.from = s->level;
	}
	struct cut *cut = &s->cuts[s->next++];
	cut->number = s->asked + 1;
	errand.group = cut->group;
	errand.freed = cut->freed;
	*ret_request = (struct request){ .metric = s->metric, .ratio = 1 - share_now(s) + s->quota };
	return propose(s, cut->group, cut->keep, &errand, ret_keep, e);
}

/* ---- telling ---- */

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	(void)e;
	double point[PARETO_MAX_OBJECTIVES];
	struct energy energy;
	const struct errand *errand = &s->errands[o->number - 1];
	score_outcome(s->problem, o, point, &energy.violation);
	energy.value = point[s->objective];
	if (o->number == s->current && isfinite(energy.value))
		s->level = energy.value;
	if (errand->group == NOBODY)
		return ERR_OK;
	if (!isfinite(energy.value) || !isnan(errand->from))
		s->rate[errand->group] = (energy.value - errand->from) / errand->freed;
	for (int i = 0; i < s->cut_count; i++)
		if (s->cuts[i].number == o->number) {
			s->cuts[i].energy = energy;
			s->cuts[i].known = true;
		}
	return ERR_OK;
}

const struct strategy_ops strategy_netadapt = {
	.name = "netadapt",
	.summary = "NetAdapt: step by step, always the group that loses least per cost freed",
	.check = check,
	.open = open_netadapt,
	.ask = ask,
	.tell = tell,
	.free = release,
};

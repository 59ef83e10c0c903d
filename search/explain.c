/* explain.c -- what a search learned.
 * SPDX-License-Identifier: MIT */
#include "search/explain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/archive.h"
#include "search/belief.h"
#include "search/cost.h"
#include "search/score.h"
#include "search/space.h"

static const double NOTCH = 0.05, HALF = 0.5;

struct explanation {
	const struct problem *p;
	const struct space *space;
	enum metric metric, cost;
	double whole; /* the unpruned network's cost */
	struct archive *archive;
	struct belief *belief;
	int *front, front_count; /* indices of outcomes */
	int *keep;               /* room for a candidate */
	double *x;
};

/* ---- opening ---- */

/* The exact cost among the objectives; MACs where there is none. */
static enum metric cost_metric_of(const struct problem *p)
{
	for (int i = 0; i < p->objective_count; i++)
		if (metric_is_exact_cost(p->objectives[i]))
			return p->objectives[i];
	return METRIC_MACS;
}

static void explanation_close(struct explanation *s)
{
	archive_free(s->archive);
	belief_close(s->belief);
	free(s->front);
	free(s->keep);
	free(s->x);
}

static enum err explanation_open(const struct problem *p, int n, struct explanation *s, struct errinfo *e)
{
	struct cost intact = cost_of_intact(p->space);
	size_t groups = (size_t)p->space->group_count;
	*s = (struct explanation){ .p = p, .space = p->space, .cost = cost_metric_of(p) };
	s->metric = p->objectives[score_measured(p, s->cost)];
	s->whole = fmax(cost_metric(&intact, s->cost), 1);
	s->front = calloc((size_t)n + 1, sizeof *s->front);
	s->keep = calloc(groups, sizeof *s->keep);
	s->x = calloc(groups, sizeof *s->x);
	if (!s->front || !s->keep || !s->x)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = archive_new(p, &s->archive, e);
	return err ? err : belief_open(p, &s->belief, e);
}

static enum err learn(struct explanation *s, const struct outcome *outcomes, int n, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (int i = 0; i < n && !err; i++)
		err = archive_add(s->archive, &outcomes[i], e);
	if (!err && !s->archive->count)
		return err_set(e, ERR_NOT_FOUND, "nothing to explain yet: no result is complete");
	return err ? err : belief_learn(s->belief, s->archive, e);
}

/* ---- the front ---- */

/* Members of a front one by one, as results come: what joins drives out what it dominates. */
static void offer(struct explanation *s, const struct outcome *outcomes, int i)
{
	double point[PARETO_MAX_OBJECTIVES], other[PARETO_MAX_OBJECTIVES], violation;
	int m = s->p->objective_count, stayed = 0;
	score_outcome(s->p, &outcomes[i], point, &violation);
	if (violation > 0 || !isfinite(point[0]))
		return;
	for (int k = 0; k < s->front_count; k++) {
		score_point(s->p, outcomes[s->front[k]].metrics, other);
		if (pareto_dominates(other, 0, point, 0, m) || !memcmp(other, point, (size_t)m * sizeof *other))
			return;
	}
	for (int k = 0; k < s->front_count; k++) {
		score_point(s->p, outcomes[s->front[k]].metrics, other);
		if (!pareto_dominates(point, 0, other, 0, m))
			s->front[stayed++] = s->front[k];
	}
	s->front_count = stayed;
	s->front[s->front_count++] = i;
}

static double cost_share(const struct explanation *s, const int *keep)
{
	struct cost cost = cost_of(s->space, keep);
	return cost_metric(&cost, s->cost) / s->whole;
}

static int choose(const struct explanation *s, const struct outcome *outcomes)
{
	int best = -1;
	bool best_small = false;
	for (int k = 0; k < s->front_count; k++) {
		const struct outcome *o = &outcomes[s->front[k]];
		bool small = cost_share(s, o->keep) <= HALF;
		double value = score_value(s->metric, o->metrics[s->metric]);
		bool better = best < 0 || (small && !best_small);
		if (!better && small == best_small)
			better = value < score_value(s->metric, outcomes[best].metrics[s->metric]);
		if (better) {
			best = s->front[k];
			best_small = small;
		}
	}
	return best;
}

/* ---- writing ---- */

static double rounded(double x)
{
	return round(x * 1e6) / 1e6;
}

static bool put_number(cJSON *object, const char *key, double x)
{
	return isfinite(x) ? cJSON_AddNumberToObject(object, key, rounded(x)) : cJSON_AddNullToObject(object, key);
}

/* The metric's change when one group alone loses the share x of its importance. */
static double alone(const struct explanation *s, int g, double x)
{
	struct link link = belief_link(s->belief, s->metric);
	double effect = belief_of_group(s->belief, s->metric, g, x);
	return isfinite(effect) ? link_value(&link, effect) - link_value(&link, 0) : NAN;
}

static bool put_front(cJSON *object, const struct explanation *s, const struct outcome *outcomes, int g)
{
	double least = 1, most = 0, sum = 0, whole = 0, channels = s->space->groups[g].channels;
	for (int k = 0; k < s->front_count; k++) {
		double kept = outcomes[s->front[k]].keep[g] / channels;
		least = fmin(least, kept);
		most = fmax(most, kept);
		sum += kept;
		whole += kept == 1;
	}
	if (!s->front_count)
		return cJSON_AddNullToObject(object, "front");
	cJSON *front = cJSON_AddObjectToObject(object, "front");
	return front && put_number(front, "least", least) && put_number(front, "mean", sum / s->front_count) &&
		put_number(front, "most", most) && put_number(front, "whole", whole / s->front_count);
}

static bool put_group(cJSON *array, struct explanation *s, const struct outcome *outcomes, int g)
{
	const struct space_group *group = &s->space->groups[g];
	cJSON *object = cJSON_CreateObject();
	if (!cJSON_AddItemToArray(array, object)) {
		cJSON_Delete(object);
		return false;
	}
	for (int i = 0; i < s->space->group_count; i++)
		s->keep[i] = s->space->groups[i].channels;
	s->keep[g] = (group->channels + 1) / 2;
	return cJSON_AddStringToObject(object, "name", group->name) &&
		cJSON_AddNumberToObject(object, "channels", group->channels) &&
		put_number(object, "sensitivity", alone(s, g, space_share(group, s->keep[g]))) &&
		put_number(object, "freed", 1 - cost_share(s, s->keep)) && put_front(object, s, outcomes, g);
}

static bool put_groups(cJSON *doc, struct explanation *s, const struct outcome *outcomes)
{
	cJSON *array = cJSON_AddArrayToObject(doc, "groups");
	bool good = array;
	for (int g = 0; g < s->space->group_count && good; g++)
		good = put_group(array, s, outcomes, g);
	return good;
}

/* ---- the chosen one ---- */

/* The metric that the model expects of s->keep; NaN where nothing is believed of it. */
static enum err expected(struct explanation *s, double *ret, struct errinfo *e)
{
	struct estimate estimate;
	struct link link = belief_link(s->belief, s->metric);
	archive_shares(s->space, s->keep, s->x);
	enum err err = belief_predict(s->belief, s->x, 1, &estimate, e);
	bool believed = !isnan(belief_of_group(s->belief, s->metric, 0, 0));
	*ret = err || !believed ? NAN : link_value(&link, estimate.mean[s->metric]);
	return err;
}

/* What changes when group g of the chosen one kept `keep` channels. */
struct change {
	int keep;
	double value, cost;
};

static enum err change_of(struct explanation *s, const struct outcome *o, int g, double notches, double before,
	struct change *ret, struct errinfo *e)
{
	const struct space_group *group = &s->space->groups[g];
	double step = fmax(NOTCH * group->channels, group->step);
	memcpy(s->keep, o->keep, (size_t)s->space->group_count * sizeof *s->keep);
	ret->keep = s->keep[g] = space_round_keep(group, o->keep[g] + notches * step);
	enum err err = expected(s, &ret->value, e);
	ret->value -= before;
	ret->cost = cost_share(s, s->keep) - cost_share(s, o->keep);
	return err;
}

static bool put_change(cJSON *object, const char *key, const struct change *c, int now)
{
	if (c->keep == now)
		return cJSON_AddNullToObject(object, key);
	cJSON *change = cJSON_AddObjectToObject(object, key);
	return change && cJSON_AddNumberToObject(change, "keep", c->keep) && put_number(change, "value", c->value) &&
		put_number(change, "cost", c->cost);
}

/* "accuracy by +0.0100 and ", nothing where nothing is predicted. */
static const char *write_value(const char *before, double value, const char *after, char ret[80])
{
	ret[0] = '\0';
	if (isfinite(value))
		snprintf(ret, 80, "%s%+.4f%s", before, value, after);
	return ret;
}

/* At one end of what the job allows there is one way to go. */
static void write_way(const struct explanation *s, const char *here, int channels, const char *which,
	const struct change *c, char *ret, size_t size)
{
	char before[40], value[80];
	snprintf(before, sizeof before, "%s by ", metric_name(s->metric));
	snprintf(ret, size, "%s; %d %s would change %s%s by %+.2f %%", here, channels, which,
		write_value(before, c->value, " and ", value), metric_name(s->cost), 100 * c->cost);
}

static void write_ways(const struct explanation *s, int kept, const struct change *restore, const struct change *prune,
	char *ret, size_t size)
{
	char before[40], more[80], fewer[80];
	snprintf(before, sizeof before, "%s ", metric_name(s->metric));
	snprintf(ret, size, "%d more: %s%s %+.2f %%; %d fewer: %s%+.2f %%", restore->keep - kept,
		write_value(before, restore->value, " for ", more), metric_name(s->cost), 100 * restore->cost,
		kept - prune->keep, write_value("", prune->value, " for ", fewer), 100 * prune->cost);
}

static void write_reason(const struct explanation *s, const struct space_group *group, int kept,
	const struct change *restore, const struct change *prune, char *ret, size_t size)
{
	const char *top = kept == group->channels ? "whole" : "as large as the job allows";
	if (group->min_keep == group->max_keep)
		snprintf(ret, size, "the job leaves no choice");
	else if (prune->keep == kept)
		write_way(s, "as small as the job allows", restore->keep - kept, "more", restore, ret, size);
	else if (restore->keep == kept)
		write_way(s, top, kept - prune->keep, "fewer", prune, ret, size);
	else
		write_ways(s, kept, restore, prune, ret, size);
}

static enum err put_chosen_group(cJSON *array, struct explanation *s, const struct outcome *o, int g, double before,
	struct errinfo *e)
{
	char reason[200];
	struct change restore, prune;
	const struct space_group *group = &s->space->groups[g];
	int kept = o->keep[g];
	enum err err = change_of(s, o, g, 1, before, &restore, e);
	if (!err)
		err = change_of(s, o, g, -1, before, &prune, e);
	if (err)
		return err;
	write_reason(s, group, kept, &restore, &prune, reason, sizeof reason);
	cJSON *object = cJSON_CreateObject();
	if (!cJSON_AddItemToArray(array, object)) {
		cJSON_Delete(object);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	bool good = cJSON_AddStringToObject(object, "name", group->name) &&
		cJSON_AddNumberToObject(object, "kept", kept) &&
		cJSON_AddNumberToObject(object, "channels", group->channels) &&
		put_number(object, "share", space_share(group, kept)) &&
		put_change(object, "restore", &restore, kept) && put_change(object, "prune", &prune, kept) &&
		cJSON_AddStringToObject(object, "reason", reason);
	return good ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

static enum err put_chosen(cJSON *doc, struct explanation *s, const struct outcome *o, struct errinfo *e)
{
	double predicted;
	cJSON *object = cJSON_AddObjectToObject(doc, "chosen");
	memcpy(s->keep, o->keep, (size_t)s->space->group_count * sizeof *s->keep);
	enum err err = expected(s, &predicted, e);
	if (err)
		return err;
	bool good = object && cJSON_AddNumberToObject(object, "number", o->number) &&
		put_number(object, "value", o->metrics[s->metric]) &&
		put_number(object, "cost", cost_share(s, o->keep)) && put_number(object, "predicted", predicted);
	cJSON *array = good ? cJSON_AddArrayToObject(object, "groups") : NULL;
	if (!array)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (int g = 0; g < s->space->group_count && !err; g++)
		err = put_chosen_group(array, s, o, g, predicted, e);
	return err;
}

static enum err write(struct explanation *s, const struct outcome *outcomes, int n, int chosen, cJSON *doc,
	struct errinfo *e)
{
	bool good = cJSON_AddStringToObject(doc, "metric", metric_name(s->metric)) &&
		cJSON_AddStringToObject(doc, "cost", metric_name(s->cost)) &&
		cJSON_AddNumberToObject(doc, "results", n) &&
		cJSON_AddNumberToObject(doc, "front", s->front_count) && put_groups(doc, s, outcomes);
	if (chosen < 0)
		chosen = choose(s, outcomes);
	if (good && chosen < 0)
		good = cJSON_AddNullToObject(doc, "chosen");
	if (!good)
		return err_set(e, ERR_MEMORY, "out of memory");
	return chosen < 0 ? ERR_OK : put_chosen(doc, s, &outcomes[chosen], e);
}

enum err explain_json(const struct problem *p, const struct outcome *outcomes, int n, int chosen, cJSON **ret,
	struct errinfo *e)
{
	struct explanation s;
	cJSON *doc = cJSON_CreateObject();
	enum err err = explanation_open(p, n, &s, e);
	if (!err && !doc)
		err = err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = learn(&s, outcomes, n, e);
	for (int i = 0; i < n && !err; i++)
		offer(&s, outcomes, i);
	if (!err)
		err = write(&s, outcomes, n, chosen, doc, e);
	explanation_close(&s);
	if (err)
		cJSON_Delete(doc);
	else
		*ret = doc;
	return err;
}

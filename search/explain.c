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
#include "search/tally.h"

enum { BATCH = 256 };

static const double NOTCH = 0.05, HALF = 0.5;

/* A result that is kept: a member of the Pareto set, the chosen one, or both. */
struct pick {
	int number;
	bool member;
	double value, cost; /* the metric, and the share of the whole cost */
	double last;        /* of members: the metric in the end, to be minimised */
};

struct explain {
	const struct problem *p;
	const struct space *space;
	struct problem believed; /* in that metric alone */
	enum metric metric, cost;
	double whole; /* the unpruned network's cost */
	struct archive *archive;
	struct belief *belief;
	int wanted; /* the number of the result to be explained, 0: the best by itself */
	int results;
	struct pick *picks;
	int *keep; /* of each pick, one after the other */
	int count, capacity, members;
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

void explain_close(struct explain *x)
{
	if (!x)
		return;
	archive_free(x->archive);
	belief_close(x->belief);
	free(x->picks);
	free(x->keep);
	free(x);
}

static void look(struct explain *x, const struct problem *p)
{
	struct cost intact = cost_of_intact(p->space);
	x->p = p;
	x->space = p->space;
	x->cost = cost_metric_of(p);
	x->metric = p->objectives[score_measured(p, x->cost)];
	x->whole = fmax(cost_metric(&intact, x->cost), 1);
	x->believed = *p;
	x->believed.objectives[0] = x->metric;
	x->believed.objective_count = 1;
	x->believed.constraint_count = 0;
}

enum err explain_open(const struct problem *p, int number, struct explain **ret, struct errinfo *e)
{
	if (p->space->group_count > EXPLAIN_GROUPS)
		return err_set(e, ERR_LIMIT, "the network has %d groups, expected at most %d for an explanation",
			p->space->group_count, EXPLAIN_GROUPS);
	struct explain *x = calloc(1, sizeof *x);
	if (!x)
		return err_set(e, ERR_MEMORY, "out of memory");
	look(x, p);
	x->wanted = number;
	enum err err = archive_new(p, &x->archive, e);
	if (!err)
		err = belief_open(&x->believed, &x->belief, e);
	if (err)
		explain_close(x);
	else
		*ret = x;
	return err;
}

/* ---- results ---- */

static int *keep_of(const struct explain *x, const struct pick *pick)
{
	return x->keep + (size_t)(pick - x->picks) * (size_t)x->space->group_count;
}

static enum err make_room(struct explain *x, struct errinfo *e)
{
	if (x->count < x->capacity)
		return ERR_OK;
	size_t capacity = 2 * (size_t)x->capacity + 64, groups = (size_t)x->space->group_count;
	struct pick *picks = reallocarray(x->picks, capacity, sizeof *picks);
	if (picks)
		x->picks = picks;
	int *keep = reallocarray(x->keep, capacity, groups * sizeof *keep);
	if (keep)
		x->keep = keep;
	if (!picks || !keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	x->capacity = (int)capacity;
	return ERR_OK;
}

static double share_of_whole(const struct explain *x, struct cost cost)
{
	return cost_metric(&cost, x->cost) / x->whole;
}

static enum err pick(struct explain *x, const struct outcome *o, const double *member, struct errinfo *e)
{
	enum err err = make_room(x, e);
	if (err)
		return err;
	struct pick *new = &x->picks[x->count++];
	*new = (struct pick){ .number = o->number, .member = member, .value = o->metrics[x->metric],
		.cost = share_of_whole(x, cost_of(x->space, o->keep)),
		.last = member ? score_value(x->metric, member[x->metric]) : INFINITY };
	memcpy(keep_of(x, new), o->keep, (size_t)x->space->group_count * sizeof *x->keep);
	x->members += new->member;
	return ERR_OK;
}

enum err explain_add(struct explain *x, const struct outcome *o, const double *member, struct errinfo *e)
{
	x->results += o->ok;
	enum err err = archive_add(x->archive, o, e);
	bool kept = member || (x->wanted && o->number == x->wanted);
	return err || !kept ? err : pick(x, o, member, e);
}

/* The one that is asked for; or else the member that is best in the metric, among the small ones when there are any. */
static const struct pick *chosen(const struct explain *x)
{
	const struct pick *best = NULL;
	for (const struct pick *k = x->picks; k < x->picks + x->count; k++) {
		bool small = k->cost <= HALF, best_small = best && best->cost <= HALF;
		if (x->wanted ? k->number == x->wanted : !best || (small == best_small ? k->last < best->last : small))
			best = k;
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

/* The metric's change when one group alone loses this share of its importance. */
static double alone(const struct explain *x, int g, double share)
{
	struct link link = belief_link(x->belief, x->metric);
	double effect = belief_of_group(x->belief, x->metric, g, share);
	return isfinite(effect) ? link_value(&link, effect) - link_value(&link, 0) : NAN;
}

static bool put_front(cJSON *object, const struct explain *x, int g)
{
	double least = 1, most = 0, sum = 0, whole = 0, channels = x->space->groups[g].channels;
	for (const struct pick *k = x->picks; k < x->picks + x->count; k++) {
		double kept = keep_of(x, k)[g] / channels;
		if (!k->member)
			continue;
		least = fmin(least, kept);
		most = fmax(most, kept);
		sum += kept;
		whole += kept == 1;
	}
	if (!x->members)
		return cJSON_AddNullToObject(object, "front");
	cJSON *front = cJSON_AddObjectToObject(object, "front");
	return front && put_number(front, "least", least) && put_number(front, "mean", sum / x->members) &&
		put_number(front, "most", most) && put_number(front, "whole", whole / x->members);
}

static cJSON *add_object(cJSON *array)
{
	cJSON *object = cJSON_CreateObject();
	if (cJSON_AddItemToArray(array, object))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool put_group(cJSON *array, const struct explain *x, const struct tally *intact, int g)
{
	const struct space_group *group = &x->space->groups[g];
	int half = (group->channels + 1) / 2;
	cJSON *object = add_object(array);
	return object && cJSON_AddStringToObject(object, "name", group->name) &&
		cJSON_AddNumberToObject(object, "channels", group->channels) &&
		put_number(object, "sensitivity", alone(x, g, space_share(group, half))) &&
		put_number(object, "freed", 1 - share_of_whole(x, tally_if(intact, g, half))) &&
		put_front(object, x, g);
}

static enum err open_intact(const struct space *s, struct tally **ret, struct errinfo *e)
{
	int *keep = calloc((size_t)s->group_count, sizeof *keep);
	if (!keep)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (int g = 0; g < s->group_count; g++)
		keep[g] = s->groups[g].channels;
	enum err err = tally_open(s, keep, ret, e);
	free(keep);
	return err;
}

static enum err put_groups(cJSON *doc, const struct explain *x, struct errinfo *e)
{
	struct tally *intact;
	cJSON *array = cJSON_AddArrayToObject(doc, "groups");
	bool good = array;
	enum err err = open_intact(x->space, &intact, e);
	if (err)
		return err;
	for (int g = 0; g < x->space->group_count && good; g++)
		good = put_group(array, x, intact, g);
	tally_close(intact);
	return good ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

/* ---- what a notch more and a notch less would change ---- */

/* When a group of the chosen one kept `keep` channels. */
struct change {
	int keep;
	double value, cost;
};

/* Twice as many changes as there are groups: group after group, the one that restores before the one that prunes. */
struct outlook {
	const int *keep; /* the chosen one's */
	double predicted;
	struct change *changes;
	double *rows; /* BATCH candidates as shares removed, all the chosen one's but while they are changed */
	struct estimate *estimates;
};

static void outlook_fini(struct outlook *o)
{
	free(o->changes);
	free(o->rows);
	free(o->estimates);
}

/* The metric that is expected of `count` rows, NaN where nothing is believed of it. */
static enum err expected(const struct explain *x, struct outlook *o, int count, double *ret, struct errinfo *e)
{
	struct link link = belief_link(x->belief, x->metric);
	bool believed = !isnan(belief_of_group(x->belief, x->metric, 0, 0));
	enum err err = belief_predict(x->belief, o->rows, count, o->estimates, e);
	for (int i = 0; i < count && !err; i++)
		ret[i] = believed ? link_value(&link, o->estimates[i].mean[x->metric]) : NAN;
	return err;
}

/* Changes first .. first + count - 1. */
static enum err foresee_batch(const struct explain *x, struct outlook *o, int first, int count, struct errinfo *e)
{
	double value[BATCH];
	size_t groups = (size_t)x->space->group_count;
	for (int i = 0; i < count; i++) {
		int g = (first + i) / 2;
		o->rows[(size_t)i * groups + (size_t)g] = space_share(&x->space->groups[g], o->changes[first + i].keep);
	}
	enum err err = expected(x, o, count, value, e);
	for (int i = 0; i < count; i++) {
		int g = (first + i) / 2;
		o->rows[(size_t)i * groups + (size_t)g] = space_share(&x->space->groups[g], o->keep[g]);
		o->changes[first + i].value = err ? NAN : value[i] - o->predicted;
	}
	return err;
}

static enum err set_changes(const struct explain *x, struct outlook *o, struct errinfo *e)
{
	struct tally *now;
	enum err err = tally_open(x->space, o->keep, &now, e);
	if (err)
		return err;
	double cost = share_of_whole(x, cost_of(x->space, o->keep));
	for (int i = 0; i < 2 * x->space->group_count; i++) {
		const struct space_group *group = &x->space->groups[i / 2];
		double notch = fmax(NOTCH * group->channels, group->step);
		struct change *c = &o->changes[i];
		c->keep = space_round_keep(group, o->keep[i / 2] + (i % 2 ? -notch : notch));
		c->cost = share_of_whole(x, tally_if(now, i / 2, c->keep)) - cost;
	}
	tally_close(now);
	return ERR_OK;
}

static enum err outlook_init(const struct explain *x, const int *keep, struct outlook *ret, struct errinfo *e)
{
	size_t groups = (size_t)x->space->group_count;
	struct outlook o = { .keep = keep };
	o.changes = calloc(2 * groups, sizeof *o.changes);
	o.rows = calloc(BATCH * groups, sizeof *o.rows);
	o.estimates = calloc(BATCH, sizeof *o.estimates);
	*ret = o;
	if (!o.changes || !o.rows || !o.estimates)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (size_t i = 0; i < BATCH; i++)
		space_shares(x->space, keep, o.rows + i * groups);
	return ERR_OK;
}

/* outlook_fini is due whatever is returned. */
static enum err foresee(const struct explain *x, const int *keep, struct outlook *o, struct errinfo *e)
{
	int count = 2 * x->space->group_count;
	enum err err = outlook_init(x, keep, o, e);
	if (!err)
		err = expected(x, o, 1, &o->predicted, e);
	if (!err)
		err = set_changes(x, o, e);
	for (int first = 0; first < count && !err; first += BATCH)
		err = foresee_batch(x, o, first, count - first < BATCH ? count - first : BATCH, e);
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
static void write_way(const struct explain *x, const char *here, int channels, const char *which,
	const struct change *c, char *ret, size_t size)
{
	char before[40], value[80];
	snprintf(before, sizeof before, "%s by ", metric_name(x->metric));
	snprintf(ret, size, "%s; %d %s would change %s%s by %+.2f %%", here, channels, which,
		write_value(before, c->value, " and ", value), metric_name(x->cost), 100 * c->cost);
}

static void write_ways(const struct explain *x, int kept, const struct change *restore, const struct change *prune,
	char *ret, size_t size)
{
	char before[40], more[80], fewer[80];
	snprintf(before, sizeof before, "%s ", metric_name(x->metric));
	snprintf(ret, size, "%d more: %s%s %+.2f %%; %d fewer: %s%+.2f %%", restore->keep - kept,
		write_value(before, restore->value, " for ", more), metric_name(x->cost), 100 * restore->cost,
		kept - prune->keep, write_value("", prune->value, " for ", fewer), 100 * prune->cost);
}

static void write_reason(const struct explain *x, const struct space_group *group, int kept,
	const struct change *restore, const struct change *prune, char *ret, size_t size)
{
	const char *top = kept == group->channels ? "whole" : "as large as the job allows";
	if (group->min_keep == group->max_keep)
		snprintf(ret, size, "the job leaves no choice");
	else if (prune->keep == kept)
		write_way(x, "as small as the job allows", restore->keep - kept, "more", restore, ret, size);
	else if (restore->keep == kept)
		write_way(x, top, kept - prune->keep, "fewer", prune, ret, size);
	else
		write_ways(x, kept, restore, prune, ret, size);
}

static bool put_chosen_group(cJSON *array, const struct explain *x, const struct outlook *o, int g)
{
	char reason[200];
	const struct space_group *group = &x->space->groups[g];
	const struct change *restore = &o->changes[2 * g], *prune = restore + 1;
	int kept = o->keep[g];
	cJSON *object = add_object(array);
	write_reason(x, group, kept, restore, prune, reason, sizeof reason);
	return object && cJSON_AddStringToObject(object, "name", group->name) &&
		cJSON_AddNumberToObject(object, "kept", kept) &&
		cJSON_AddNumberToObject(object, "channels", group->channels) &&
		put_number(object, "share", space_share(group, kept)) &&
		put_change(object, "restore", restore, kept) && put_change(object, "prune", prune, kept) &&
		cJSON_AddStringToObject(object, "reason", reason);
}

static bool put_outlook(cJSON *doc, const struct explain *x, const struct pick *k, const struct outlook *o)
{
	cJSON *object = cJSON_AddObjectToObject(doc, "chosen");
	bool good = object && cJSON_AddNumberToObject(object, "number", k->number) &&
		put_number(object, "value", k->value) && put_number(object, "cost", k->cost) &&
		put_number(object, "predicted", o->predicted);
	cJSON *array = good ? cJSON_AddArrayToObject(object, "groups") : NULL;
	good = array;
	for (int g = 0; g < x->space->group_count && good; g++)
		good = put_chosen_group(array, x, o, g);
	return good;
}

static enum err put_chosen(cJSON *doc, const struct explain *x, struct errinfo *e)
{
	struct outlook o;
	const struct pick *k = chosen(x);
	if (!k && x->wanted)
		return err_set(e, ERR_NOT_FOUND, "trial %d is not among the results", x->wanted);
	if (!k)
		return cJSON_AddNullToObject(doc, "chosen") ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
	enum err err = foresee(x, keep_of(x, k), &o, e);
	if (!err && !put_outlook(doc, x, k, &o))
		err = err_set(e, ERR_MEMORY, "out of memory");
	outlook_fini(&o);
	return err;
}

static enum err write(const struct explain *x, cJSON *doc, struct errinfo *e)
{
	bool good = cJSON_AddStringToObject(doc, "metric", metric_name(x->metric)) &&
		cJSON_AddStringToObject(doc, "cost", metric_name(x->cost)) &&
		cJSON_AddNumberToObject(doc, "results", x->results) &&
		cJSON_AddNumberToObject(doc, "front", x->members);
	if (!good)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = put_groups(doc, x, e);
	return err ? err : put_chosen(doc, x, e);
}

enum err explain_write(struct explain *x, cJSON **ret, struct errinfo *e)
{
	if (!x->archive->count)
		return err_set(e, ERR_NOT_FOUND, "nothing to explain yet: no result is complete");
	cJSON *doc = cJSON_CreateObject();
	if (!doc)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = belief_learn(x->belief, x->archive, e);
	if (!err)
		err = write(x, doc, e);
	if (err)
		cJSON_Delete(doc);
	else
		*ret = doc;
	return err;
}

/* choice.c -- how many channels each group keeps, as a person asks for it.
 * SPDX-License-Identifier: MIT */
#include "evaluator/prune/choice.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/ledger.h"

enum { MOST_ROUNDS = 64 };

static int keep_at(const struct group *g, double ratio)
{
	long kept = lround(g->channels * (1.0 - ratio));
	return kept < 1 ? 1 : (int)kept;
}

void choice_by_ratio(const struct coupling *c, double ratio, int *ret_keep)
{
	for (int g = 0; g < c->group_count; g++)
		ret_keep[g] = keep_at(&c->groups[g], ratio);
}

/* ---- a list ---- */

static int group_named(const struct coupling *c, const char *name)
{
	for (int g = 0; g < c->group_count; g++)
		if (!strcmp(c->groups[g].name, name))
			return g;
	return -1;
}

static enum err read_keep(const struct group *g, const cJSON *item, int *ret, struct errinfo *e)
{
	struct {
		double ratio;
	} row = { 0 };
	static const struct json_field fields[] = { { "ratio", JSON_NUMBER, 0, true, 0, 0.999 } };
	char brief[64];
	if (cJSON_IsObject(item)) {
		enum err err = json_read(item, g->name, fields, 1, &row, e);
		if (!err)
			*ret = keep_at(g, row.ratio);
		return err;
	}
	double x = cJSON_IsNumber(item) ? item->valuedouble : 0;
	if (!(x >= 1 && x <= g->channels) || x != floor(x))
		return err_set(e, ERR_INPUT, "%.200s: is %s, expected an integer from 1 to %d or {\"ratio\": R}",
			g->name, json_brief(item, brief), g->channels);
	*ret = (int)x;
	return ERR_OK;
}

enum err choice_by_list(const struct coupling *c, const cJSON *list, int *ret_keep, struct errinfo *e)
{
	char brief[64];
	if (!cJSON_IsObject(list))
		return err_set(e, ERR_INPUT, "is %s, expected an object", json_brief(list, brief));
	choice_by_ratio(c, 0, ret_keep);
	for (const cJSON *item = list->child; item; item = item->next) {
		int g = group_named(c, item->string);
		if (g < 0)
			return err_set(e, ERR_INPUT,
				"%.200s: is no group of the model (pare-worker inspect lists them)", item->string);
		enum err err = read_keep(&c->groups[g], item, &ret_keep[g], e);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- a target ---- */

enum target_metric { TARGET_PARAMS, TARGET_MACS, TARGET_BYTES, TARGET_METRICS };
static const char *const metric_names[] = { "params", "macs", "bytes" };

struct target {
	enum target_metric metric;
	double bound; /* the most that may be left */
	double before;
};

static double figure(const struct target *t, const struct ledger *l, const int *keep)
{
	struct ledger_cost cost = ledger_cost(l, keep);
	return (double)(t->metric == TARGET_PARAMS ? cost.params : t->metric == TARGET_MACS ? cost.macs : cost.bytes);
}

/* "NAME <= NUMBER" or "NAME <= NUMBER%", blanks as one likes. */
static enum err read_target(const char *text, struct target *ret, bool *ret_percent, struct errinfo *e)
{
	char name[16] = "", percent[2] = "", more;
	double bound = 0;
	int end = 0, found = sscanf(text, " %15[a-z] <= %lf %1[%] %c", name, &bound, percent, &more);
	bool plain = sscanf(text, " %15[a-z] <= %lf %n", name, &bound, &end) == 2 && end && !text[end];
	for (int m = 0; m < TARGET_METRICS; m++) {
		if ((!plain && found != 3) || strcmp(name, metric_names[m]) || !isfinite(bound) || bound < 0)
			continue;
		ret->metric = (enum target_metric)m;
		ret->bound = bound;
		*ret_percent = !plain;
		return ERR_OK;
	}
	return err_set(e, ERR_INPUT, "is '%.60s', expected like macs<=50%% or params<=100000 (params, macs or bytes)",
		text);
}

/* The smallest ratio that meets the bound, to as fine a step as matters. */
static void bisect(const struct coupling *c, const struct ledger *l, const struct target *t, int *keep)
{
	double low = 0, high = 1;
	for (int i = 0; i < 50; i++) {
		double middle = (low + high) / 2;
		choice_by_ratio(c, middle, keep);
		if (figure(t, l, keep) <= t->bound)
			high = middle;
		else
			low = middle;
	}
	choice_by_ratio(c, high, keep);
}

/* The group of which one channel more comes nearest to the bound, of those that aren't done; -1 when none fits. */
static int best_group(
	const struct coupling *c, const struct ledger *l, const struct target *t, int *keep, const bool *done)
{
	int best = -1;
	double nearest = -1;
	for (int g = 0; g < c->group_count; g++) {
		if (done[g] || keep[g] == c->groups[g].channels)
			continue;
		keep[g]++;
		double now = figure(t, l, keep);
		keep[g]--;
		if (now <= t->bound && now > nearest) {
			nearest = now;
			best = g;
		}
	}
	return best;
}

/* Channels are given back in rounds, one a group and round, so that ratios stay close to each other. */
static void fill_up(const struct coupling *c, const struct ledger *l, const struct target *t, int *keep, bool *done)
{
	bool any = true;
	for (int round = 0; round < MOST_ROUNDS && any; round++) {
		any = false;
		memset(done, 0, (size_t)c->group_count * sizeof *done);
		for (int g = best_group(c, l, t, keep, done); g >= 0; g = best_group(c, l, t, keep, done)) {
			keep[g]++;
			done[g] = any = true;
		}
	}
}

static enum err meet(const struct coupling *c, const struct ledger *l, struct target *t, bool percent, int *keep,
	bool *done, struct errinfo *e)
{
	choice_by_ratio(c, 0, keep);
	t->before = figure(t, l, keep);
	t->bound = percent ? t->before * t->bound / 100 : t->bound;
	if (t->before <= t->bound)
		return ERR_OK;
	choice_by_ratio(c, 1, keep);
	double least = figure(t, l, keep);
	if (least > t->bound)
		return err_set(e, ERR_INPUT,
			"%s <= %.15g can't be met: with one channel in every group %.15g of %.15g are left",
			metric_names[t->metric], t->bound, least, t->before);
	bisect(c, l, t, keep);
	fill_up(c, l, t, keep, done);
	return ERR_OK;
}

enum err choice_check_target(const char *target, struct errinfo *e)
{
	struct target ignored = { .bound = 0 };
	bool percent;
	return read_target(target, &ignored, &percent, e);
}

enum err choice_by_target(const struct coupling *c, const char *target, int *ret_keep, double *ret_ratio,
	struct errinfo *e)
{
	struct target t = { .bound = 0 };
	struct ledger *l;
	bool percent = false;
	enum err err = read_target(target, &t, &percent, e);
	if (err)
		return err;
	struct arena *a = arena_new();
	bool *done = a ? ARENA_ARRAY(a, bool, (size_t)c->group_count) : NULL;
	err = done ? ledger_new(c, a, &l, e) : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = meet(c, l, &t, percent, ret_keep, done, e);
	if (!err)
		*ret_ratio = t.before > 0 ? 1 - t.bound / t.before : 0;
	arena_free(a);
	return err;
}

/* range.c -- how many channels each group may keep.
 * SPDX-License-Identifier: MIT */
#include "search/range.h"

#include <fnmatch.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "search/space.h"

enum { MOST_NAMED = 8, MOST_TEXT = 300 };

/* What holds for one group. */
struct range {
	double min_ratio, max_ratio;
	int round_to;
};

/* A name with brackets in it is matched as such, too. */
static bool matches(const char *pattern, const char *name)
{
	return !strcmp(pattern, name) || !fnmatch(pattern, name, 0);
}

static bool matches_any(const struct space_patterns *p, const char *name)
{
	for (int i = 0; i < p->count; i++)
		if (matches(p->text[i], name))
			return true;
	return false;
}

/* ---- checking ---- */

enum err range_check(const struct space_limits *limits, struct errinfo *e)
{
	if (!(limits->max_ratio >= 0 && limits->max_ratio <= 1))
		return err_set(e, ERR_INPUT, "prune.max_ratio: is %g, expected a number from 0 to 1",
			limits->max_ratio);
	if (limits->round_to < 1)
		return err_set(e, ERR_INPUT, "prune.round_to: is %d, expected an integer from 1", limits->round_to);
	return ERR_OK;
}

/* "a, b, c and 9 more": the first few names, as far as there is room. */
static void name_some(const struct space_group *groups, int count, char text[MOST_TEXT])
{
	const size_t tail = 32; /* room for how many more there are */
	size_t len = 0;
	int i = 0;
	for (; i < count && i < MOST_NAMED && (!i || len + strlen(groups[i].name) + tail < MOST_TEXT); i++)
		len += (size_t)snprintf(text + len, MOST_TEXT - len, "%s%.200s", i ? ", " : "", groups[i].name);
	if (i < count)
		snprintf(text + len, MOST_TEXT - len, " and %d more", count - i);
}

static enum err check_patterns(const struct space_patterns *p, const char *path, const struct space_group *groups,
	int count, struct errinfo *e)
{
	char some[MOST_TEXT];
	for (int i = 0; i < p->count; i++) {
		int g = 0;
		while (g < count && !matches(p->text[i], groups[g].name))
			g++;
		if (g < count)
			continue;
		name_some(groups, count, some);
		return err_set(e, ERR_UNSUPPORTED, "%s: \"%.200s\" matches none of the network's groups: %s", path,
			p->text[i], some);
	}
	return ERR_OK;
}

static enum err check_all_patterns(const struct space_group *groups, int count, const struct space_limits *limits,
	struct errinfo *e)
{
	char path[48];
	enum err err = check_patterns(&limits->include, "prune.include", groups, count, e);
	if (!err)
		err = check_patterns(&limits->exclude, "prune.exclude", groups, count, e);
	for (int i = 0; i < limits->rule_count && !err; i++) {
		snprintf(path, sizeof path, "prune.groups[%d].match", i);
		err = check_patterns(&limits->rules[i].match, path, groups, count, e);
	}
	return err;
}

/* ---- setting ---- */

static struct range range_of(const char *name, const struct space_limits *limits)
{
	struct range r = { .max_ratio = limits->max_ratio, .round_to = limits->round_to };
	for (int i = 0; i < limits->rule_count; i++) {
		const struct space_rule *rule = &limits->rules[i];
		if (!matches_any(&rule->match, name))
			continue;
		r.min_ratio = isnan(rule->min_ratio) ? r.min_ratio : rule->min_ratio;
		r.max_ratio = isnan(rule->max_ratio) ? r.max_ratio : rule->max_ratio;
		r.round_to = rule->round_to ? rule->round_to : r.round_to;
	}
	bool included = !limits->include.count || matches_any(&limits->include, name);
	if (!included || matches_any(&limits->exclude, name))
		r.min_ratio = r.max_ratio = 0;
	return r;
}

/* What must be removed is rounded up and what may be down, with room for 20 * 0.95 being a hair under 19. Where no
 * multiple of the step lies between, the least that must be removed is. */
static void set(struct space_group *g, const struct range *r)
{
	int least = g->channels - (int)floor(g->channels * r->max_ratio + 1e-9);
	int most = g->channels - (int)ceil(g->channels * r->min_ratio - 1e-9);
	least = least < 1 ? 1 : least;
	most = most < 1 ? 1 : most;
	int64_t step = r->round_to, low = (least + step - 1) / step * step;
	int64_t high = most == g->channels ? most : most / step * step;
	g->step = r->round_to;
	g->min_keep = low <= high ? (int)low : most;
	g->max_keep = low <= high ? (int)high : most;
}

enum err range_set(struct space_group *groups, int count, const struct space_limits *limits, struct errinfo *e)
{
	enum err err = check_all_patterns(groups, count, limits, e);
	for (int i = 0; i < count && !err; i++) {
		struct range r = range_of(groups[i].name, limits);
		if (r.min_ratio > r.max_ratio)
			return err_set(e, ERR_UNSUPPORTED, "prune.groups: group %.200s must lose at least %g of its "
				"channels (min_ratio) and may lose at most %g (max_ratio)", groups[i].name, r.min_ratio,
				r.max_ratio);
		set(&groups[i], &r);
	}
	return err;
}

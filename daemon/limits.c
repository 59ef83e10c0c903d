/* limits.c -- the job's limits by group.
 * SPDX-License-Identifier: MIT */
#include "daemon/limits.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

struct raw_rule {
	const cJSON *match;
	double min_ratio, max_ratio;
	int64_t round_to;
};

static const struct json_field rule_fields[] = {
	JSON_FIELD(struct raw_rule, match, JSON_ANY, true, 0, 0),
	JSON_FIELD(struct raw_rule, min_ratio, JSON_NUMBER, false, 0, 1),
	JSON_FIELD(struct raw_rule, max_ratio, JSON_NUMBER, false, 0, 1),
	JSON_FIELD(struct raw_rule, round_to, JSON_INT, false, 1, 65536),
};

static enum err add_pattern(struct limits *l, const cJSON *item, const char *path, struct errinfo *e)
{
	char brief[64];
	const char *text = cJSON_GetStringValue(item);
	if (!text)
		return err_set(e, ERR_INPUT, "%s: is %s, expected the name of a group or a pattern", path,
			json_brief(item, brief));
	size_t len = strlen(text);
	if (len == 0 || len > LIMITS_PATTERN_BYTES)
		return err_set(e, ERR_INPUT, "%s: has %zu bytes, expected 1 to %d", path, len, LIMITS_PATTERN_BYTES);
	if (l->pattern_count == LIMITS_PATTERNS)
		return err_set(e, ERR_INPUT, "%s: is pattern %d, expected at most %d in all of prune", path,
			LIMITS_PATTERNS + 1, LIMITS_PATTERNS);
	l->patterns[l->pattern_count++] = text;
	return ERR_OK;
}

static enum err read_list(struct limits *l, const cJSON *array, const char *path, struct space_patterns *ret,
	struct errinfo *e)
{
	char at[64];
	int first = l->pattern_count, index = 0;
	if (!array->child)
		return err_set(e, ERR_INPUT, "%s: has 0 entries, expected at least one name or pattern", path);
	for (const cJSON *item = array->child; item; item = item->next, index++) {
		snprintf(at, sizeof at, "%s[%d]", path, index);
		enum err err = add_pattern(l, item, at, e);
		if (err)
			return err;
	}
	*ret = (struct space_patterns){ .text = l->patterns + first, .count = l->pattern_count - first };
	return ERR_OK;
}

/* One pattern or an array of them. */
static enum err read_match(struct limits *l, const cJSON *match, const char *path, struct space_patterns *ret,
	struct errinfo *e)
{
	if (cJSON_IsArray(match))
		return read_list(l, match, path, ret, e);
	enum err err = add_pattern(l, match, path, e);
	if (!err)
		*ret = (struct space_patterns){ .text = l->patterns + l->pattern_count - 1, .count = 1 };
	return err;
}

static enum err read_rule(struct limits *l, const cJSON *item, int index, struct space_rule *ret, struct errinfo *e)
{
	char path[48], match[64];
	struct raw_rule raw = { .min_ratio = NAN, .max_ratio = NAN };
	snprintf(path, sizeof path, "prune.groups[%d]", index);
	snprintf(match, sizeof match, "%s.match", path);
	enum err err = json_read(item, path, rule_fields, sizeof rule_fields / sizeof *rule_fields, &raw, e);
	if (err)
		return err;
	if (isnan(raw.min_ratio) && isnan(raw.max_ratio) && !raw.round_to)
		return err_set(e, ERR_INPUT, "%s: limits nothing, expected min_ratio, max_ratio or round_to", path);
	if (raw.min_ratio > raw.max_ratio)
		return err_set(e, ERR_INPUT, "%s.min_ratio: is %g, expected at most max_ratio, which is %g", path,
			raw.min_ratio, raw.max_ratio);
	*ret = (struct space_rule){ .min_ratio = raw.min_ratio, .max_ratio = raw.max_ratio,
		.round_to = (int)raw.round_to };
	return read_match(l, raw.match, match, &ret->match, e);
}

enum err limits_read(const cJSON *include, const cJSON *exclude, const cJSON *groups, struct limits *ret,
	struct errinfo *e)
{
	enum err err = include ? read_list(ret, include, "prune.include", &ret->include, e) : ERR_OK;
	if (!err && exclude && exclude->child)
		err = read_list(ret, exclude, "prune.exclude", &ret->exclude, e);
	int count = cJSON_GetArraySize(groups);
	if (!err && count > LIMITS_PATTERNS)
		err = err_set(e, ERR_INPUT, "prune.groups: has %d entries, expected at most %d", count,
			LIMITS_PATTERNS);
	for (const cJSON *item = groups ? groups->child : NULL; item && !err; item = item->next, ret->rule_count++)
		err = read_rule(ret, item, ret->rule_count, &ret->rules[ret->rule_count], e);
	return err;
}

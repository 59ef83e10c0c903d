/* space.c -- what can be pruned, read from a hostile inventory.
 * SPDX-License-Identifier: MIT
 *
 * Every number is bounded when it is read, and every product and sum of the intact network's cost is computed once here
 * with overflow checks. All terms are non-negative, so no candidate can cost more than the intact network does and
 * cost.c may use plain arithmetic. */
#include "search/space.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "search/range.h"

enum { MOST_GROUPS = 65536, MOST_LAYERS = 1048576, MOST_CHANNELS = 1 << 24, MOST_SHARES = 33 };

#define MOST 0x1p53
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

struct document {
	const cJSON *groups, *frozen, *layers, *fixed;
	double chance;
};

struct group_row {
	const char *name;
	int64_t channels;
	const cJSON *members, *importance;
};

struct layer_row {
	const char *name, *op;
	const cJSON *out, *in;
	int64_t kernel, positions, vectors, buffers, stored;
};

struct fixed_row {
	int64_t params, buffers;
};

static const struct json_field document_fields[] = {
	JSON_FIELD(struct document, groups, JSON_ARRAY, .required = true),
	JSON_FIELD(struct document, frozen, JSON_ARRAY, .required = false),
	JSON_FIELD(struct document, layers, JSON_ARRAY, .required = true),
	JSON_FIELD(struct document, fixed, JSON_OBJECT, .required = true),
	JSON_FIELD(struct document, chance, JSON_NUMBER, .required = false, .max = 1),
};

static const struct json_field group_fields[] = {
	JSON_FIELD(struct group_row, name, JSON_STRING, .required = true),
	JSON_FIELD(struct group_row, channels, JSON_INT, .required = true, .min = 1, .max = MOST_CHANNELS),
	JSON_FIELD(struct group_row, members, JSON_ARRAY, .required = false),
	JSON_FIELD(struct group_row, importance, JSON_ARRAY, .required = false),
};

static const struct json_field layer_fields[] = {
	JSON_FIELD(struct layer_row, name, JSON_STRING, .required = true),
	JSON_FIELD(struct layer_row, op, JSON_STRING, .required = true),
	JSON_FIELD(struct layer_row, out, JSON_ARRAY, .required = true),
	JSON_FIELD(struct layer_row, in, JSON_ARRAY, .required = true),
	JSON_FIELD(struct layer_row, kernel, JSON_INT, .required = true, .max = MOST),
	JSON_FIELD(struct layer_row, positions, JSON_INT, .required = true, .max = MOST),
	JSON_FIELD(struct layer_row, vectors, JSON_INT, .required = true, .max = MOST),
	JSON_FIELD(struct layer_row, buffers, JSON_INT, .required = true, .max = MOST),
	JSON_FIELD(struct layer_row, stored, JSON_INT, .required = false, .max = 1),
};

static const struct json_field fixed_fields[] = {
	JSON_FIELD(struct fixed_row, params, JSON_INT, .required = true, .max = MOST),
	JSON_FIELD(struct fixed_row, buffers, JSON_INT, .required = true, .max = MOST),
};

static enum err no_memory(struct errinfo *e)
{
	return err_set(e, ERR_MEMORY, "out of memory");
}

/* ---- groups ---- */

static enum err read_share(const cJSON *item, double before, bool last, const char *path, int index, float *ret,
	struct errinfo *e)
{
	char brief[64];
	double least = last ? 1 : before, most = index ? 1 : 0, share = cJSON_IsNumber(item) ? item->valuedouble : NAN;
	if (share >= least && share <= most) {
		*ret = (float)share;
		return ERR_OK;
	}
	return err_set(e, ERR_INPUT, "%s.importance[%d]: is %s, expected a number from %g to %g: "
		"shares begin with 0, never decrease and end with 1",
		path, index, json_brief(item, brief), least, most);
}

static enum err read_shares(struct space *s, const cJSON *array, const char *path, struct space_group *g,
	struct errinfo *e)
{
	int count = cJSON_GetArraySize(array), index = 0;
	if (count < 2 || count > MOST_SHARES)
		return err_set(e, ERR_INPUT, "%s.importance: has %d entries, expected 2 to %d numbers", path, count,
			MOST_SHARES);
	float *share = ARENA_ARRAY(s->arena, float, (size_t)count);
	if (!share)
		return no_memory(e);
	double before = 0;
	for (const cJSON *item = array->child; item; item = item->next, index++) {
		enum err err = read_share(item, before, index == count - 1, path, index, &share[index], e);
		if (err)
			return err;
		before = item->valuedouble;
	}
	g->share = share;
	g->share_count = count;
	return ERR_OK;
}

static enum err read_group(struct space *s, const cJSON *item, int index, struct errinfo *e)
{
	char path[32];
	struct group_row row = { 0 };
	snprintf(path, sizeof path, "groups[%d]", index);
	enum err err = json_read(item, path, group_fields, COUNT_OF(group_fields), &row, e);
	if (err)
		return err;
	struct space_group *g = &s->groups[index];
	g->name = arena_strdup(s->arena, row.name);
	if (!g->name)
		return no_memory(e);
	g->channels = (int)row.channels;
	return row.importance ? read_shares(s, row.importance, path, g, e) : ERR_OK;
}

static enum err check_prunable(const struct space *s, const struct space_limits *limits, struct errinfo *e)
{
	bool named = limits->include.count || limits->exclude.count || limits->rule_count;
	for (int i = 0; i < s->group_count; i++)
		if (s->groups[i].min_keep < s->groups[i].channels)
			return ERR_OK;
	return err_set(e, ERR_UNSUPPORTED,
		"nothing can be pruned: no group may lose a channel with max_ratio %g and round_to %d%s",
		limits->max_ratio, limits->round_to, named ? " and prune's limits by name" : "");
}

static enum err read_groups(struct space *s, const cJSON *array, const struct space_limits *limits, struct errinfo *e)
{
	int count = cJSON_GetArraySize(array), index = 0;
	if (count > MOST_GROUPS)
		return err_set(e, ERR_LIMIT, "groups: has %d entries, expected at most %d", count, MOST_GROUPS);
	if (count == 0)
		return err_set(e, ERR_UNSUPPORTED, "nothing can be pruned: the network has no free group of channels");
	s->groups = ARENA_ARRAY(s->arena, struct space_group, (size_t)count);
	if (!s->groups)
		return no_memory(e);
	s->group_count = count;
	for (const cJSON *item = array->child; item; item = item->next, index++) {
		enum err err = read_group(s, item, index, e);
		if (err)
			return err;
	}
	enum err err = range_set(s->groups, count, limits, e);
	return err ? err : check_prunable(s, limits, e);
}

/* ---- layers ---- */

static bool integer_within(const cJSON *v, double min, double max)
{
	return cJSON_IsNumber(v) && v->valuedouble >= min && v->valuedouble <= max &&
		v->valuedouble == floor(v->valuedouble);
}

static enum err read_term(const cJSON *item, int group_count, const char *path, int index, struct space_term *ret,
	struct errinfo *e)
{
	char brief[64];
	const cJSON *group = cJSON_IsArray(item) ? item->child : NULL;
	const cJSON *multiple = group ? group->next : NULL;
	if (!multiple || multiple->next)
		return err_set(e, ERR_INPUT, "%s[%d]: is %s, expected [group, multiple]", path, index,
			json_brief(item, brief));
	if (!integer_within(group, -1, group_count - 1))
		return err_set(e, ERR_INPUT, "%s[%d]: group is %s, expected an integer from -1 to %d", path, index,
			json_brief(group, brief), group_count - 1);
	if (!integer_within(multiple, 0, MOST))
		return err_set(e, ERR_INPUT, "%s[%d]: multiple is %s, expected an integer from 0 to %.15g", path, index,
			json_brief(multiple, brief), MOST);
	ret->group = (int)group->valuedouble;
	ret->multiple = (int64_t)multiple->valuedouble;
	return ERR_OK;
}

/* *sum += a * b, false beyond 2^53. */
static bool add_product(int64_t *sum, int64_t a, int64_t b)
{
	int64_t product, total;
	if (__builtin_mul_overflow(a, b, &product) || __builtin_add_overflow(*sum, product, &total))
		return false;
	*sum = total;
	return total <= (int64_t)MOST;
}

/* Reads the terms, and *ret_size: the dimension in the intact network. */
static enum err read_dim(struct space *s, const cJSON *array, const char *layer, const char *side,
	struct space_dim *ret, int64_t *ret_size, struct errinfo *e)
{
	char path[64];
	snprintf(path, sizeof path, "%s.%s", layer, side);
	ret->terms = ARENA_ARRAY(s->arena, struct space_term, (size_t)cJSON_GetArraySize(array));
	if (!ret->terms)
		return no_memory(e);
	int64_t size = 0;
	int index = 0;
	for (const cJSON *item = array->child; item; item = item->next, index++) {
		struct space_term term;
		enum err err = read_term(item, s->group_count, path, index, &term, e);
		if (err)
			return err;
		if (!add_product(&size, term.multiple, term.group < 0 ? 1 : s->groups[term.group].channels))
			return err_set(e, ERR_INPUT, "%s: exceeds 2^53 channels", path);
		if (term.group < 0)
			ret->constant += term.multiple;
		else
			ret->terms[ret->term_count++] = term;
	}
	*ret_size = size;
	return ERR_OK;
}

struct intact {
	int64_t params, buffers, macs;
};

/* Every intermediate of cost_of_layer for the intact network stays within 2^53. */
static bool add_layer(struct intact *sum, const struct space_layer *l, int64_t out, int64_t in)
{
	int64_t pairs = 0, weights = 0, bytes = 0;
	return add_product(&pairs, out, in) && add_product(&weights, pairs, l->kernel) &&
		add_product(&sum->params, weights, l->stored) && add_product(&sum->params, out, l->vectors) &&
		add_product(&sum->macs, weights, l->positions) && add_product(&sum->buffers, out, l->buffers) &&
		add_product(&bytes, 4, sum->params) && add_product(&bytes, 4, sum->buffers);
}

static enum err read_layer(struct space *s, const cJSON *item, int index, struct intact *sum, struct errinfo *e)
{
	char path[32];
	struct layer_row row = { .stored = 1 };
	snprintf(path, sizeof path, "layers[%d]", index);
	enum err err = json_read(item, path, layer_fields, COUNT_OF(layer_fields), &row, e);
	if (err)
		return err;
	struct space_layer *l = &s->layers[index];
	*l = (struct space_layer){
		.name = arena_strdup(s->arena, row.name), .op = arena_strdup(s->arena, row.op),
		.kernel = row.kernel, .positions = row.positions, .vectors = row.vectors, .buffers = row.buffers,
		.stored = row.stored,
	};
	if (!l->name || !l->op)
		return no_memory(e);
	int64_t out, in;
	err = read_dim(s, row.out, path, "out", &l->out, &out, e);
	if (!err)
		err = read_dim(s, row.in, path, "in", &l->in, &in, e);
	if (!err && !add_layer(sum, l, out, in))
		err = err_set(e, ERR_INPUT, "%s: the cost of the network up to here exceeds 2^53", path);
	return err;
}

static enum err read_layers(struct space *s, const cJSON *array, struct intact *sum, struct errinfo *e)
{
	int count = cJSON_GetArraySize(array), index = 0;
	if (count > MOST_LAYERS)
		return err_set(e, ERR_LIMIT, "layers: has %d entries, expected at most %d", count, MOST_LAYERS);
	s->layers = ARENA_ARRAY(s->arena, struct space_layer, (size_t)count);
	if (!s->layers)
		return no_memory(e);
	s->layer_count = count;
	for (const cJSON *item = array->child; item; item = item->next, index++) {
		enum err err = read_layer(s, item, index, sum, e);
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- the whole ---- */

static enum err read_fixed(struct space *s, const cJSON *object, struct intact *sum, struct errinfo *e)
{
	struct fixed_row row = { 0 };
	enum err err = json_read(object, "fixed", fixed_fields, COUNT_OF(fixed_fields), &row, e);
	if (err)
		return err;
	int64_t bytes = 0;
	if (!add_product(&bytes, 4, row.params) || !add_product(&bytes, 4, row.buffers))
		return err_set(e, ERR_INPUT, "fixed: exceeds 2^53 bytes");
	s->fixed_params = sum->params = row.params;
	s->fixed_buffers = sum->buffers = row.buffers;
	return ERR_OK;
}

static enum err read_document(struct space *s, const struct document *doc, const struct space_limits *limits,
	struct errinfo *e)
{
	struct intact sum = { 0 };
	if (doc->chance == 1)
		return err_set(e, ERR_INPUT, "chance: is 1, expected a number from 0 to below 1");
	s->chance = doc->chance;
	enum err err = read_groups(s, doc->groups, limits, e);
	if (!err)
		err = read_fixed(s, doc->fixed, &sum, e);
	if (!err)
		err = read_layers(s, doc->layers, &sum, e);
	return err;
}

static struct space *space_new(void)
{
	struct arena *arena = arena_new();
	struct space *s = arena ? ARENA_NEW(arena, struct space) : NULL;
	if (!s) {
		arena_free(arena);
		return NULL;
	}
	s->arena = arena;
	return s;
}

enum err space_read(const cJSON *inventory, const struct space_limits *limits, struct space **ret, struct errinfo *e)
{
	struct document doc = { 0 };
	enum err err = range_check(limits, e);
	if (!err)
		err = json_read(inventory, "", document_fields, COUNT_OF(document_fields), &doc, e);
	if (err)
		return err;
	struct space *s = space_new();
	if (!s)
		return no_memory(e);
	err = read_document(s, &doc, limits, e);
	if (err) {
		space_free(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

enum err space_parse(const char *inventory, const struct space_limits *limits, struct space **ret, struct errinfo *e)
{
	cJSON *doc;
	enum err err = json_parse("inventory", inventory, strlen(inventory), &doc, e);
	if (err)
		return err;
	err = space_read(doc, limits, ret, e);
	cJSON_Delete(doc);
	return err;
}

void space_free(struct space *s)
{
	if (s)
		arena_free(s->arena); /* s itself lives there */
}

/* ---- candidates ---- */

int space_more(const struct space_group *g, int keep)
{
	return keep <= g->max_keep - g->step ? keep + g->step : g->max_keep;
}

int space_less(const struct space_group *g, int keep)
{
	int less = (keep - 1) / g->step * g->step;
	return less < g->min_keep ? g->min_keep : less;
}

int space_round_keep(const struct space_group *g, double wanted)
{
	if (!(wanted < g->max_keep))
		return g->max_keep;
	if (wanted <= g->min_keep)
		return g->min_keep;
	int below = (int)(wanted / g->step) * g->step;
	int above = space_more(g, below);
	return wanted - below < above - wanted ? below : above;
}

bool space_allows(const struct space *s, const int *keep)
{
	for (int i = 0; i < s->group_count; i++) {
		const struct space_group *g = &s->groups[i];
		if (keep[i] == g->max_keep)
			continue;
		if (keep[i] < g->min_keep || keep[i] > g->max_keep || keep[i] % g->step)
			return false;
	}
	return true;
}

void space_most(const struct space *s, int *ret_keep)
{
	for (int i = 0; i < s->group_count; i++)
		ret_keep[i] = s->groups[i].max_keep;
}

double space_share(const struct space_group *g, int keep)
{
	double removed = 1 - (double)keep / g->channels;
	if (!g->share)
		return removed;
	double at = removed * (g->share_count - 1);
	int below = at < g->share_count - 1 ? (int)at : g->share_count - 2;
	return g->share[below] + (at - below) * ((double)g->share[below + 1] - g->share[below]);
}

void space_shares(const struct space *s, const int *keep, double *ret)
{
	for (int g = 0; g < s->group_count; g++)
		ret[g] = space_share(&s->groups[g], keep[g]);
}

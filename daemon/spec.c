/* spec.c -- the job document, checked.
 * SPDX-License-Identifier: MIT */
#include "daemon/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "daemon/text.h"
#include "search/strategy.h"
#include "store/blob.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct raw {
	const char *name, *model;
	const cJSON *data, *prune, *objectives, *constraints, *strategy, *budget, *rungs, *limits;
	int64_t seed, window;
};

static const struct json_field raw_fields[] = {
	JSON_FIELD(struct raw, name, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw, model, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw, data, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, prune, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, objectives, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw, constraints, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, strategy, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, budget, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, rungs, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw, seed, JSON_INT, false, 0, 0x1p53),
	JSON_FIELD(struct raw, window, JSON_INT, false, 0, 1024),
	JSON_FIELD(struct raw, limits, JSON_OBJECT, false, 0, 0),
};

struct raw_data {
	const char *format;
	const cJSON *train, *test, *mean, *std;
	int64_t holdout;
};

static const struct json_field data_fields[] = {
	JSON_FIELD(struct raw_data, format, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw_data, train, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw_data, test, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw_data, holdout, JSON_INT, false, 1, 1e9),
	JSON_FIELD(struct raw_data, mean, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw_data, std, JSON_ARRAY, false, 0, 0),
};

struct raw_pair {
	const char *images, *labels;
};

static const struct json_field pair_fields[] = {
	JSON_FIELD(struct raw_pair, images, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw_pair, labels, JSON_STRING, true, 0, 0),
};

static const struct json_field prune_fields[] = {
	JSON_FIELD(struct spec, criterion, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct spec, max_ratio, JSON_NUMBER, false, 0, 1),
	JSON_FIELD(struct spec, round_to, JSON_INT, false, 1, 65536),
};

static const struct json_field budget_fields[] = {
	JSON_FIELD(struct spec, trials, JSON_INT, true, 1, 1e6),
};

static const struct json_field limits_fields[] = {
	JSON_FIELD(struct spec, trial_seconds, JSON_INT, false, 1, 604800),
	JSON_FIELD(struct spec, trial_memory_mb, JSON_INT, false, 16, 1048576),
};

struct raw_rung {
	int64_t recalibrate, images;
	const cJSON *latency;
};

static const struct json_field rung_fields[] = {
	JSON_FIELD(struct raw_rung, recalibrate, JSON_INT, false, 0, 1e9),
	JSON_FIELD(struct raw_rung, images, JSON_INT, false, 1, 1e9),
	JSON_FIELD(struct raw_rung, latency, JSON_ANY, false, 0, 0),
};

static const struct json_field latency_fields[] = {
	{ "batch", JSON_INT, offsetof(struct spec_rung, latency_batch), false, 1, 65536 },
	{ "rounds", JSON_INT, offsetof(struct spec_rung, latency_rounds), false, 3, 10000 },
	{ "exclusive", JSON_BOOL, offsetof(struct spec_rung, exclusive), false, 0, 0 },
};

static enum err read_blob(const char *path, const char *text, char ret[DIGEST_HEX + 1], struct errinfo *e)
{
	static const char prefix[] = "sha256:";
	size_t len = sizeof prefix - 1;
	if (strncmp(text, prefix, len))
		return err_set(e, ERR_INPUT,
			"%s: is \"%.100s\", expected \"sha256:DIGEST\" of an uploaded blob; files are uploaded "
			"by `pare submit`, the daemon reads none", path, text);
	if (!digest_valid(text + len))
		return err_set(e, ERR_INPUT, "%s: is \"%.100s\", expected sha256: and 64 lower-case hexadecimal digits",
			path, text);
	memcpy(ret, text + len, DIGEST_HEX + 1);
	return ERR_OK;
}

static enum err read_pair(const cJSON *obj, const char *path, char ret_images[DIGEST_HEX + 1],
	char ret_labels[DIGEST_HEX + 1], struct errinfo *e)
{
	struct raw_pair raw = { 0 };
	char full[64];
	enum err err = json_read(obj, path, pair_fields, COUNT(pair_fields), &raw, e);
	if (err)
		return err;
	snprintf(full, sizeof full, "%s.images", path);
	err = read_blob(full, raw.images, ret_images, e);
	if (err)
		return err;
	snprintf(full, sizeof full, "%s.labels", path);
	return read_blob(full, raw.labels, ret_labels, e);
}

static enum err read_normalisation(const struct raw_data *raw, struct spec_data *d, struct errinfo *e)
{
	enum err err = ERR_OK;
	if (raw->mean)
		err = json_read_numbers(raw->mean, "data.mean", d->mean, SPEC_CHANNELS, &d->mean_count, e);
	if (!err && raw->std)
		err = json_read_numbers(raw->std, "data.std", d->std, SPEC_CHANNELS, &d->std_count, e);
	if (err)
		return err;
	for (size_t i = 0; i < d->std_count; i++)
		if (d->std[i] <= 0)
			return err_set(e, ERR_INPUT, "data.std[%zu]: is %g, expected a number above 0", i, d->std[i]);
	if (d->mean_count && d->std_count && d->mean_count != d->std_count)
		return err_set(e, ERR_INPUT, "data.std: has %zu entries, expected %zu as data.mean has", d->std_count,
			d->mean_count);
	return ERR_OK;
}

static enum err read_data(const cJSON *obj, struct spec_data *d, struct errinfo *e)
{
	struct raw_data raw = { .holdout = 5000 };
	enum err err = json_read(obj, "data", data_fields, COUNT(data_fields), &raw, e);
	if (err)
		return err;
	if (strcmp(raw.format, "idx"))
		return err_set(e, ERR_INPUT, "data.format: is \"%.40s\", expected \"idx\"", raw.format);
	d->format = raw.format;
	d->holdout = raw.holdout;
	err = read_pair(raw.train, "data.train", d->train_images, d->train_labels, e);
	if (!err)
		err = read_pair(raw.test, "data.test", d->test_images, d->test_labels, e);
	return err ? err : read_normalisation(&raw, d, e);
}

static enum err read_prune(const cJSON *obj, struct spec *s, struct errinfo *e)
{
	enum err err = obj ? json_read(obj, "prune", prune_fields, COUNT(prune_fields), s, e) : ERR_OK;
	if (!err && strcmp(s->criterion, "l1"))
		err = err_set(e, ERR_INPUT, "prune.criterion: is \"%.40s\", expected \"l1\"", s->criterion);
	if (!err && s->max_ratio == 0)
		err = err_set(e, ERR_INPUT, "prune.max_ratio: is 0, expected a number above 0 and at most 1");
	return err;
}

static enum err read_objectives(const cJSON *array, struct spec *s, struct errinfo *e)
{
	char brief[64];
	int n = cJSON_GetArraySize(array);
	if (n < 2 || n > PARETO_MAX_OBJECTIVES)
		return err_set(e, ERR_INPUT, "objectives: has %d entries, expected 2 to %d", n, PARETO_MAX_OBJECTIVES);
	s->objective_count = 0;
	for (const cJSON *item = array->child; item; item = item->next) {
		const char *name = cJSON_GetStringValue(item);
		enum metric m = name ? metric_named(name) : METRIC_COUNT;
		int at = s->objective_count;
		if (m == METRIC_COUNT)
			return err_set(e, ERR_INPUT,
				"objectives[%d]: is %s, expected accuracy loss params macs bytes memory latency",
				at, json_brief(item, brief));
		for (int i = 0; i < at; i++)
			if (s->objectives[i] == m)
				return err_set(e, ERR_INPUT,
					"objectives[%d]: is \"%s\", expected each metric only once", at, name);
		s->objectives[s->objective_count++] = m;
	}
	return ERR_OK;
}

static enum err read_latency(const cJSON *obj, struct spec_rung *r, struct errinfo *e)
{
	char brief[64];
	if (!obj || cJSON_IsNull(obj))
		return ERR_OK;
	if (!cJSON_IsObject(obj))
		return err_set(e, ERR_INPUT, "rungs[0].latency: is %s, expected an object or null", json_brief(obj,
			brief));
	r->latency = true;
	return json_read(obj, "rungs[0].latency", latency_fields, COUNT(latency_fields), r, e);
}

/* One rung so far: the search has no second fidelity yet. */
static enum err read_rungs(const cJSON *array, struct spec *s, struct errinfo *e)
{
	struct raw_rung raw = { .recalibrate = 2048, .images = s->data.holdout };
	if (array && cJSON_GetArraySize(array) != 1)
		return err_set(e, ERR_INPUT, "rungs: has %d entries, expected 1", cJSON_GetArraySize(array));
	enum err err = array ? json_read(array->child, "rungs[0]", rung_fields, COUNT(rung_fields), &raw, e) : ERR_OK;
	if (err)
		return err;
	if (raw.images > s->data.holdout)
		return err_set(e, ERR_INPUT, "rungs[0].images: is %lld, expected at most data.holdout, %lld",
			(long long)raw.images, (long long)s->data.holdout);
	s->rung = (struct spec_rung){ .recalibrate = raw.recalibrate, .images = raw.images, .latency_batch = 1,
		.latency_rounds = 15 };
	return read_latency(raw.latency, &s->rung, e);
}

/* A latency that nobody measures can be neither an objective nor a limit. */
static enum err check_latency(const struct spec *s, struct errinfo *e)
{
	static const char why[] = "expected rungs[0].latency to say how it is measured";
	if (s->rung.latency)
		return ERR_OK;
	for (int i = 0; i < s->objective_count; i++)
		if (s->objectives[i] == METRIC_LATENCY)
			return err_set(e, ERR_INPUT, "objectives[%d]: is \"latency\", %s", i, why);
	for (int i = 0; i < s->constraint_count; i++)
		if (s->constraints[i].metric == METRIC_LATENCY)
			return err_set(e, ERR_INPUT, "constraints.latency: bounds the latency, %s", why);
	return ERR_OK;
}

static enum err read_name(const char *name, struct spec *s, struct errinfo *e)
{
	size_t len = strlen(name);
	if (len == 0 || len > 200)
		return err_set(e, ERR_INPUT, "name: has %zu bytes, expected 1 to 200", len);
	for (const char *p = name; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(e, ERR_INPUT, "name: contains the control character %d, expected printable text",
				*p);
	s->name = name;
	return ERR_OK;
}

static enum err read_search(const struct raw *raw, struct spec *s, struct errinfo *e)
{
	s->seed = raw->seed;
	s->window = raw->window;
	s->strategy = raw->strategy;
	enum err err = ERR_OK;
	if (raw->objectives)
		err = read_objectives(raw->objectives, s, e);
	if (!err)
		err = constraint_read(raw->constraints, s->constraints, &s->constraint_count, e);
	if (!err)
		err = strategy_check(s->strategy, e);
	if (!err && raw->budget)
		err = json_read(raw->budget, "budget", budget_fields, COUNT(budget_fields), s, e);
	return err ? err : check_latency(s, e);
}

static enum err read_all(struct spec *s, struct errinfo *e)
{
	struct raw raw = { .seed = 1, .window = 4 };
	enum err err = json_read(s->doc, "", raw_fields, COUNT(raw_fields), &raw, e);
	if (err)
		return err;
	if (!raw.strategy) {
		cJSON *strategy = cJSON_AddObjectToObject(s->doc, "strategy");
		if (!strategy || !cJSON_AddStringToObject(strategy, "name", "nsga2"))
			return err_set(e, ERR_MEMORY, "out of memory");
		raw.strategy = strategy;
	}
	err = read_name(raw.name, s, e);
	if (!err)
		err = read_blob("model", raw.model, s->model, e);
	if (!err)
		err = read_data(raw.data, &s->data, e);
	if (!err)
		err = read_prune(raw.prune, s, e);
	if (!err)
		err = read_rungs(raw.rungs, s, e);
	if (!err && raw.limits)
		err = json_read(raw.limits, "limits", limits_fields, COUNT(limits_fields), s, e);
	return err ? err : read_search(&raw, s, e);
}

enum err spec_read(cJSON *doc, struct spec **ret, struct errinfo *e)
{
	struct spec *s = calloc(1, sizeof *s);
	if (!s) {
		cJSON_Delete(doc);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*s = (struct spec){ .doc = doc, .criterion = "l1", .max_ratio = 0.95, .round_to = 1,
		.objectives = { METRIC_ACCURACY, METRIC_PARAMS }, .objective_count = 2, .trials = 60,
		.trial_seconds = 600, .trial_memory_mb = 4096 };
	enum err err = read_all(s, e);
	if (err) {
		spec_free(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

enum err spec_parse(const char *json, struct spec **ret, struct errinfo *e)
{
	cJSON *doc;
	enum err err = json_parse("job document", json, strlen(json), &doc, e);
	return err ? err : spec_read(doc, ret, e);
}

void spec_free(struct spec *s)
{
	if (!s)
		return;
	cJSON_Delete(s->doc);
	free(s);
}

enum err spec_blobs(const struct spec *s, struct store *store, struct errinfo *e)
{
	const struct {
		const char *field, *digest;
	} blobs[] = {
		{ "model", s->model },
		{ "data.train.images", s->data.train_images },
		{ "data.train.labels", s->data.train_labels },
		{ "data.test.images", s->data.test_images },
		{ "data.test.labels", s->data.test_labels },
	};
	for (size_t i = 0; i < COUNT(blobs); i++) {
		bool exists;
		enum err err = blob_exists(store, blobs[i].digest, &exists, e);
		if (err)
			return err;
		if (!exists)
			return err_set(e, ERR_INPUT,
				"%s: is \"sha256:%s\", which was never uploaded, expected a known blob",
				blobs[i].field, blobs[i].digest);
	}
	return ERR_OK;
}

static void write_pair(struct text *t, const char *key, const char *images, const char *labels)
{
	text_key(t, key);
	text_open(t, '{');
	text_put_string(t, "images", images);
	text_put_string(t, "labels", labels);
	text_close(t, '}');
}

static void write_numbers(struct text *t, const char *key, const double *x, size_t n)
{
	if (!n)
		return;
	text_key(t, key);
	text_open(t, '[');
	for (size_t i = 0; i < n; i++)
		text_number(t, x[i]);
	text_close(t, ']');
}

void spec_write_data(const struct spec *s, struct text *t)
{
	const struct spec_data *d = &s->data;
	text_open(t, '{');
	text_put_string(t, "format", d->format);
	write_pair(t, "train", d->train_images, d->train_labels);
	write_pair(t, "test", d->test_images, d->test_labels);
	text_put_int(t, "holdout", d->holdout);
	write_numbers(t, "mean", d->mean, d->mean_count);
	write_numbers(t, "std", d->std, d->std_count);
	text_close(t, '}');
}

void spec_write_prune(const struct spec *s, struct text *t)
{
	text_open(t, '{');
	text_put_string(t, "criterion", s->criterion);
	text_put_number(t, "max_ratio", s->max_ratio);
	text_put_int(t, "round_to", s->round_to);
	text_close(t, '}');
}

void spec_write_rung(const struct spec *s, struct text *t)
{
	const struct spec_rung *r = &s->rung;
	text_open(t, '{');
	text_put_int(t, "recalibrate", r->recalibrate);
	text_put_int(t, "images", r->images);
	text_key(t, "latency");
	if (r->latency) {
		text_open(t, '{');
		text_put_int(t, "batch", r->latency_batch);
		text_put_int(t, "rounds", r->latency_rounds);
		text_put_bool(t, "exclusive", r->exclusive);
		text_close(t, '}');
	} else {
		text_json(t, NULL);
	}
	text_close(t, '}');
}

void spec_write_limits(const struct spec *s, struct text *t)
{
	text_open(t, '{');
	text_put_int(t, "trial_seconds", s->trial_seconds);
	text_put_int(t, "trial_memory_mb", s->trial_memory_mb);
	text_close(t, '}');
}

enum err spec_digest(const struct spec *s, const char *candidate, char ret[DIGEST_HEX + 1], struct errinfo *e)
{
	struct text t;
	char *canonical;
	size_t len;
	text_init(&t);
	text_open(&t, '[');
	text_string(&t, s->model);
	spec_write_data(s, &t);
	spec_write_prune(s, &t);
	spec_write_rung(s, &t);
	text_int(&t, s->seed);
	text_json(&t, candidate);
	text_close(&t, ']');
	enum err err = text_take(&t, &canonical, &len, e);
	if (err)
		return err;
	err = digest_bytes(canonical, len, ret, e);
	free(canonical);
	return err;
}

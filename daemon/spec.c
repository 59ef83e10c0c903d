/* spec.c -- the job document, checked.
 * SPDX-License-Identifier: MIT */
#include "daemon/spec.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "daemon/text.h"
#include "search/strategy.h"
#include "store/blob.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Grows with what an inventory tells: a search must not depend on how old the baseline is that it takes over. */
enum { INVENTORY = 2 };

enum { MOST_IMAGES = 1000000000, SCORING_SECONDS = 600, TRAINING_SECONDS = 86400 };

struct raw {
	const char *name, *model;
	const cJSON *data, *pretrain, *prune, *objectives, *constraints, *strategy, *warm_start, *budget, *rungs;
	const cJSON *limits;
	int64_t eta, seed, window;
};

static const struct json_field raw_fields[] = {
	JSON_FIELD(struct raw, name, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw, model, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw, data, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, pretrain, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, prune, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, objectives, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw, constraints, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, strategy, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, warm_start, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, budget, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, rungs, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw, eta, JSON_INT, false, 2, 100),
	JSON_FIELD(struct raw, seed, JSON_INT, false, 0, 0x1p53),
	JSON_FIELD(struct raw, window, JSON_INT, false, 0, 1024),
	JSON_FIELD(struct raw, limits, JSON_OBJECT, false, 0, 0),
};

struct raw_prune {
	const char *criterion;
	double max_ratio;
	int64_t round_to;
	const cJSON *include, *exclude, *groups;
};

static const struct json_field prune_fields[] = {
	JSON_FIELD(struct raw_prune, criterion, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw_prune, max_ratio, JSON_NUMBER, false, 0, 1),
	JSON_FIELD(struct raw_prune, round_to, JSON_INT, false, 1, 65536),
	JSON_FIELD(struct raw_prune, include, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw_prune, exclude, JSON_ARRAY, false, 0, 0),
	JSON_FIELD(struct raw_prune, groups, JSON_ARRAY, false, 0, 0),
};

static const struct json_field budget_fields[] = {
	JSON_FIELD(struct spec, trials, JSON_INT, false, 1, 1e6),
	JSON_FIELD(struct spec, seconds, JSON_INT, false, 1, 1e9),
	JSON_FIELD(struct spec, stall, JSON_INT, false, 1, 1e6),
};

static const struct json_field limits_fields[] = {
	JSON_FIELD(struct spec, trial_seconds, JSON_INT, false, 1, 604800),
	JSON_FIELD(struct spec, trial_memory_mb, JSON_INT, false, 16, 1048576),
};

struct raw_rung {
	int64_t recalibrate, images;
	const cJSON *train, *latency;
};

static const struct json_field rung_fields[] = {
	JSON_FIELD(struct raw_rung, recalibrate, JSON_INT, false, 0, MOST_IMAGES),
	JSON_FIELD(struct raw_rung, images, JSON_INT, false, 1, MOST_IMAGES),
	JSON_FIELD(struct raw_rung, train, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw_rung, latency, JSON_ANY, false, 0, 0),
};

static const struct json_field latency_fields[] = {
	{ "batch", JSON_INT, offsetof(struct spec_rung, latency_batch), false, 1, 65536 },
	{ "rounds", JSON_INT, offsetof(struct spec_rung, latency_rounds), false, 3, 10000 },
	{ "exclusive", JSON_BOOL, offsetof(struct spec_rung, exclusive), false, 0, 0 },
};

static const char sha256[] = "sha256:";
enum { SHA256 = sizeof sha256 - 1 };

static enum err check_blob(const char *path, const char *text, struct errinfo *e)
{
	if (strncmp(text, sha256, SHA256))
		return err_set(e, ERR_INPUT,
			"%s: is \"%.100s\", expected \"sha256:DIGEST\" of an uploaded blob; files are uploaded "
			"by `pare submit`, the daemon reads none", path, text);
	if (!digest_valid(text + SHA256))
		return err_set(e, ERR_INPUT, "%s: is \"%.100s\", expected sha256: and 64 lower-case hexadecimal digits",
			path, text);
	return ERR_OK;
}

/* Calls visit for each file of the data with the path of its key. */
typedef enum err file_cb(const char *path, const char *name, void *arg, struct errinfo *e);

static enum err each_file(const struct dataspec *d, file_cb *visit, void *arg, struct errinfo *e)
{
	char path[64];
	for (int r = 0; r < DATA_ROLES; r++)
		for (int i = 0; i < d->sets[r].file_count; i++) {
			const struct dataspec_file *f = &d->sets[r].files[i];
			snprintf(path, sizeof path, "data.%s.%s", data_role_name((enum data_role)r), f->key);
			enum err err = visit(path, f->name, arg, e);
			if (err)
				return err;
		}
	return ERR_OK;
}

static enum err check_name(const char *path, const char *name, void *arg, struct errinfo *e)
{
	(void)arg;
	return check_blob(path, name, e);
}

static enum err read_data(const cJSON *obj, struct dataspec *d, struct errinfo *e)
{
	enum err err = dataspec_read(obj, d, e);
	return err ? err : each_file(d, check_name, NULL, e);
}

/* Those that a worker knows (evaluator/prune/criterion.h). */
static enum err check_criterion(const char *name, struct errinfo *e)
{
	static const char *const known[] = { "l1", "l2", "fpgm", "bn", "activation", "taylor", "obd", "random" };
	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(name, known[i]))
			return ERR_OK;
	return err_set(e, ERR_INPUT, "prune.criterion: is \"%.40s\", expected l1, l2, fpgm, bn, activation, taylor, "
		"obd or random", name);
}

static enum err read_prune(const cJSON *obj, struct spec *s, struct errinfo *e)
{
	struct raw_prune raw = { .criterion = "l1", .max_ratio = 0.95, .round_to = 1 };
	enum err err = obj ? json_read(obj, "prune", prune_fields, COUNT(prune_fields), &raw, e) : ERR_OK;
	if (!err)
		err = check_criterion(raw.criterion, e);
	if (!err && raw.max_ratio == 0)
		err = err_set(e, ERR_INPUT, "prune.max_ratio: is 0, expected a number above 0 and at most 1");
	s->criterion = raw.criterion;
	s->max_ratio = raw.max_ratio;
	s->round_to = raw.round_to;
	return err ? err : limits_read(raw.include, raw.exclude, raw.groups, &s->limits, e);
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

static bool given(const cJSON *value)
{
	return value && !cJSON_IsNull(value);
}

static enum err read_latency(const cJSON *obj, const char *rung, struct spec_rung *r, struct errinfo *e)
{
	char path[32], brief[64];
	if (!given(obj))
		return ERR_OK;
	snprintf(path, sizeof path, "%s.latency", rung);
	if (!cJSON_IsObject(obj))
		return err_set(e, ERR_INPUT, "%s: is %s, expected an object or null", path, json_brief(obj, brief));
	r->latency = true;
	return json_read(obj, path, latency_fields, COUNT(latency_fields), r, e);
}

/* An object, or null for no training. */
static enum err read_train(const cJSON *obj, const char *path, bool teacher, bool *ret_trains, struct trainspec *ret,
	struct errinfo *e)
{
	char brief[64];
	*ret_trains = given(obj);
	if (!*ret_trains)
		return ERR_OK;
	if (!cJSON_IsObject(obj))
		return err_set(e, ERR_INPUT, "%s: is %s, expected an object or null", path, json_brief(obj, brief));
	return trainspec_read(obj, path, teacher, ret, e);
}

/* How many images there are to score is known here only when the job says so in a number; a worker takes all when there
 * are fewer than asked for. obj may be NULL: all defaults. */
static enum err read_rung(const cJSON *obj, int index, const struct dataspec *d, struct spec_rung *ret,
	struct errinfo *e)
{
	char path[24], train[32];
	int64_t held = d->held_count;
	struct raw_rung raw = { .recalibrate = 2048, .images = held ? held : MOST_IMAGES };
	snprintf(path, sizeof path, "rungs[%d]", index);
	snprintf(train, sizeof train, "%s.train", path);
	enum err err = obj ? json_read(obj, path, rung_fields, COUNT(rung_fields), &raw, e) : ERR_OK;
	if (err)
		return err;
	if (held && raw.images > held)
		return err_set(e, ERR_INPUT, "%s.images: is %lld, expected at most data.%s, %lld", path,
			(long long)raw.images, d->held == DATA_SPLIT ? "split.validation" : "holdout", (long long)held);
	*ret = (struct spec_rung){ .recalibrate = raw.recalibrate, .images = raw.images, .latency_batch = 1,
		.latency_rounds = 15 };
	err = read_train(raw.train, train, true, &ret->trains, &ret->train, e);
	return err ? err : read_latency(raw.latency, path, ret, e);
}

static enum err read_rungs(const cJSON *array, struct spec *s, struct errinfo *e)
{
	int n = array ? cJSON_GetArraySize(array) : 1;
	if (n < 1 || n > LADDER_RUNGS)
		return err_set(e, ERR_INPUT, "rungs: has %d entries, expected 1 to %d", n, LADDER_RUNGS);
	const cJSON *item = array ? array->child : NULL;
	for (int i = 0; i < n; i++, item = item ? item->next : NULL) {
		enum err err = read_rung(item, i, &s->data, &s->rungs[i], e);
		if (err)
			return err;
	}
	s->rung_count = n;
	return ERR_OK;
}

struct space_limits spec_limits(const struct spec *s)
{
	const struct limits *l = &s->limits;
	return (struct space_limits){ .max_ratio = s->max_ratio, .round_to = (int)s->round_to, .include = l->include,
		.exclude = l->exclude, .rules = l->rules, .rule_count = l->rule_count };
}

int spec_last(const struct spec *s)
{
	return s->rung_count - 1;
}

/* A latency that nobody measures can be neither an objective nor a limit. */
static enum err check_latency(const struct spec *s, struct errinfo *e)
{
	int last = spec_last(s);
	if (s->rungs[last].latency)
		return ERR_OK;
	for (int i = 0; i < s->objective_count; i++)
		if (s->objectives[i] == METRIC_LATENCY)
			return err_set(e, ERR_INPUT, "objectives[%d]: is \"latency\", expected rungs[%d].latency to "
				"say how it is measured", i, last);
	for (int i = 0; i < s->constraint_count; i++)
		if (s->constraints[i].metric == METRIC_LATENCY)
			return err_set(e, ERR_INPUT, "constraints.latency: bounds the latency, expected "
				"rungs[%d].latency to say how it is measured", last);
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

static enum err add_warm_start(const cJSON *item, const char *path, struct spec *s, struct errinfo *e)
{
	char brief[64];
	double id = cJSON_IsNumber(item) ? item->valuedouble : 0;
	if (!(id >= 1 && id <= 0x1p53) || id != floor(id))
		return err_set(e, ERR_INPUT, "%s: is %s, expected the id of a job", path, json_brief(item, brief));
	for (int i = 0; i < s->warm_count; i++)
		if (s->warm_start[i] == (int64_t)id)
			return err_set(e, ERR_INPUT, "%s: is %.0f, expected each job only once", path, id);
	s->warm_start[s->warm_count++] = (int64_t)id;
	return ERR_OK;
}

/* One job, or several; which of them there are is asked later (warm_check). */
static enum err read_warm_start(const cJSON *value, struct spec *s, struct errinfo *e)
{
	char path[32];
	int n = cJSON_GetArraySize(value), index = 0;
	if (!given(value))
		return ERR_OK;
	if (!cJSON_IsArray(value))
		return add_warm_start(value, "warm_start", s, e);
	if (n < 1 || n > SPEC_WARM_STARTS)
		return err_set(e, ERR_INPUT, "warm_start: has %d entries, expected 1 to %d", n, SPEC_WARM_STARTS);
	for (const cJSON *item = value->child; item; item = item->next, index++) {
		snprintf(path, sizeof path, "warm_start[%d]", index);
		enum err err = add_warm_start(item, path, s, e);
		if (err)
			return err;
	}
	return ERR_OK;
}

static enum err read_search(const struct raw *raw, struct spec *s, struct errinfo *e)
{
	s->eta = raw->eta;
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
	if (!err)
		err = read_warm_start(raw->warm_start, s, e);
	if (!err && raw->budget)
		err = json_read(raw->budget, "budget", budget_fields, COUNT(budget_fields), s, e);
	return err ? err : check_latency(s, e);
}

static enum err read_all(struct spec *s, struct errinfo *e)
{
	struct raw raw = { .eta = 3, .seed = 1, .window = 4 };
	enum err err = json_read(s->doc, "", raw_fields, COUNT(raw_fields), &raw, e);
	if (err)
		return err;
	if (!raw.strategy) {
		cJSON *strategy = cJSON_AddObjectToObject(s->doc, "strategy");
		if (!strategy || !cJSON_AddStringToObject(strategy, "name", "guided"))
			return err_set(e, ERR_MEMORY, "out of memory");
		raw.strategy = strategy;
	}
	err = read_name(raw.name, s, e);
	if (!err)
		err = check_blob("model", raw.model, e);
	if (!err)
		memcpy(s->model, raw.model + SHA256, DIGEST_HEX + 1);
	if (!err)
		err = read_data(raw.data, &s->data, e);
	if (!err)
		err = read_train(raw.pretrain, "pretrain", false, &s->pretrains, &s->pretrain, e);
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
	*s = (struct spec){ .doc = doc,
		.objectives = { METRIC_ACCURACY, METRIC_PARAMS }, .objective_count = 2, .trials = 60,
		.trial_memory_mb = 4096 };
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

static enum err check_known(const char *path, const char *name, void *arg, struct errinfo *e)
{
	bool exists;
	enum err err = blob_exists(arg, name + SHA256, &exists, e);
	if (!err && !exists)
		err = err_set(e, ERR_INPUT, "%s: is \"%s\", which was never uploaded, expected a known blob", path,
			name);
	return err;
}

enum err spec_blobs(const struct spec *s, struct store *store, struct errinfo *e)
{
	char model[SHA256 + DIGEST_HEX + 1];
	snprintf(model, sizeof model, "%s%s", sha256, s->model);
	enum err err = check_known("model", model, store, e);
	return err ? err : each_file(&s->data, check_known, store, e);
}

static void write_set(struct text *t, enum data_format format, enum data_role role, const struct dataspec_set *s)
{
	bool list = format == DATA_CIFAR10 || format == DATA_CIFAR100;
	text_key(t, data_role_name(role));
	text_open(t, '{');
	if (list) {
		text_key(t, "files");
		text_open(t, '[');
	}
	for (int i = 0; i < s->file_count; i++) {
		if (!list)
			text_key(t, s->files[i].key);
		text_string(t, s->files[i].name + SHA256);
	}
	if (list)
		text_close(t, ']');
	if (s->images_key) {
		text_put_string(t, "images_key", s->images_key);
		text_put_string(t, "labels_key", s->labels_key);
	}
	text_close(t, '}');
}

static void write_held(struct text *t, const struct dataspec *d)
{
	if (d->held == DATA_HOLDOUT)
		text_put_int(t, "holdout", d->held_count);
	if (d->held != DATA_SPLIT)
		return;
	text_key(t, "split");
	text_open(t, '{');
	text_put_number(t, "validation", d->held_count ? (double)d->held_count : d->held_fraction);
	text_put_int(t, "seed", d->split_seed);
	text_put_bool(t, "stratified", d->stratified);
	text_close(t, '}');
}

static void write_pictures(struct text *t, const struct dataspec *d)
{
	text_key(t, "size");
	text_open(t, '[');
	text_int(t, d->height);
	text_int(t, d->width);
	text_close(t, ']');
	if (d->resize)
		text_put_int(t, "resize", d->resize);
	text_put_int(t, "channels", d->channels);
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

void spec_write_plan(const struct spec *s, struct text *t)
{
	int64_t trials = s->trials;
	text_open(t, '[');
	for (int i = 0; i < s->rung_count; i++) {
		text_int(t, trials);
		trials = trials / s->eta > 1 ? trials / s->eta : 1;
	}
	text_close(t, ']');
}

void spec_write_data(const struct spec *s, struct text *t)
{
	const struct dataspec *d = &s->data;
	text_open(t, '{');
	text_put_string(t, "format", data_format_name(d->format));
	write_set(t, d->format, DATA_TRAIN, &d->sets[DATA_TRAIN]);
	if (d->sets[DATA_VALIDATION].file_count)
		write_set(t, d->format, DATA_VALIDATION, &d->sets[DATA_VALIDATION]);
	write_set(t, d->format, DATA_TEST, &d->sets[DATA_TEST]);
	write_held(t, d);
	if (d->channels_first)
		text_put_string(t, "layout", "nchw");
	if (d->format == DATA_FOLDER)
		write_pictures(t, d);
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

static void write_train(const struct trainspec *train, struct text *t)
{
	cJSON *object = trainspec_write(train);
	char *text = object ? cJSON_PrintUnformatted(object) : NULL;
	if (text)
		text_json(t, text);
	else
		t->failed = true;
	cJSON_free(text);
	cJSON_Delete(object);
}

void spec_write_rung(const struct spec_rung *r, bool train, struct text *t)
{
	text_open(t, '{');
	text_put_int(t, "recalibrate", r->recalibrate);
	text_put_int(t, "images", r->images);
	if (train && r->trains) {
		text_key(t, "train");
		write_train(&r->train, t);
	}
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

void spec_write_pretrain(const struct spec *s, struct text *t)
{
	write_train(&s->pretrain, t);
}

int64_t spec_trial_seconds(const struct spec *s, bool trains)
{
	return s->trial_seconds ? s->trial_seconds : trains ? TRAINING_SECONDS : SCORING_SECONDS;
}

void spec_write_limits(const struct spec *s, bool trains, struct text *t)
{
	text_open(t, '{');
	text_put_int(t, "trial_seconds", spec_trial_seconds(s, trains));
	text_put_int(t, "trial_memory_mb", s->trial_memory_mb);
	text_close(t, '}');
}

static enum err digest_text(struct text *t, char ret[DIGEST_HEX + 1], struct errinfo *e)
{
	char *canonical;
	size_t len;
	enum err err = text_take(t, &canonical, &len, e);
	if (err)
		return err;
	err = digest_bytes(canonical, len, ret, e);
	free(canonical);
	return err;
}

static void begin_digest(const struct spec *s, const char *model, struct text *t)
{
	text_init(t);
	text_open(t, '[');
	text_string(t, model);
	spec_write_data(s, t);
}

enum err spec_digest(const struct spec *s, const char *model, int rung, const char *candidate, char ret[DIGEST_HEX + 1],
	struct errinfo *e)
{
	struct text t;
	begin_digest(s, model, &t);
	text_string(&t, s->criterion);
	for (int i = 0; i <= rung; i++)
		spec_write_rung(&s->rungs[i], true, &t);
	text_int(&t, s->seed);
	text_json(&t, candidate);
	text_close(&t, ']');
	return digest_text(&t, ret, e);
}

enum err spec_digest_baseline(const struct spec *s, char ret[DIGEST_HEX + 1], struct errinfo *e)
{
	struct text t;
	struct spec_rung measured = s->rungs[spec_last(s)];
	measured.recalibrate = 0; /* it is not, whatever the rung says */
	begin_digest(s, s->model, &t);
	text_int(&t, INVENTORY);
	spec_write_rung(&measured, false, &t);
	text_int(&t, s->seed);
	text_json(&t, NULL);
	if (s->pretrains)
		spec_write_pretrain(s, &t);
	text_close(&t, ']');
	return digest_text(&t, ret, e);
}

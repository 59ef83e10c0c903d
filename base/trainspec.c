/* trainspec.c -- how a network is trained, read and written.
 * SPDX-License-Identifier: MIT */
#include "base/trainspec.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { PLACE = 128 };

static const double MOST_CLIP = 1e9;
static const double NOT_GIVEN = -1; /* outside of every range */

static const struct trainspec defaults = {
	.epochs = NOT_GIVEN, .batch = 128, .optimizer = TRAIN_SGD, .rate = NOT_GIVEN, .momentum = 0.9, .nesterov = true,
	.beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .weight_decay = NOT_GIVEN, .schedule = TRAIN_COSINE,
	.clip = 2, .distil_weight = 0.5, .distil_temperature = 4, .crop = 1, .patience_images = 2000,
};

static const char *const optimizers[] = { "sgd", "adamw" };
static const char *const schedules[] = { "constant", "cosine", "one-cycle" };

const char *train_optimizer_name(enum train_optimizer o)
{
	return optimizers[o];
}

const char *train_schedule_name(enum train_schedule s)
{
	return schedules[s];
}

struct raw {
	struct trainspec spec;
	const char *optimizer, *schedule;
	const cJSON *clip, *distil, *augment, *early_stop;
};

#define MEMBER(name_, kind_, low, high) \
	{ .name = #name_, .kind = kind_, .offset = offsetof(struct raw, spec.name_), .min = low, .max = high }

/* Those without bounds are checked by check_open. */
static const struct json_field raw_fields[] = {
	MEMBER(epochs, JSON_NUMBER, 0, 0),
	MEMBER(steps, JSON_INT, 1, 1e9),
	MEMBER(batch, JSON_INT, 2, 65536),
	JSON_FIELD(struct raw, optimizer, JSON_STRING, false, 0, 0),
	MEMBER(rate, JSON_NUMBER, 0, 0),
	MEMBER(momentum, JSON_NUMBER, 0, 0),
	MEMBER(nesterov, JSON_BOOL, 0, 0),
	MEMBER(beta1, JSON_NUMBER, 0, 0),
	MEMBER(beta2, JSON_NUMBER, 0, 0),
	MEMBER(epsilon, JSON_NUMBER, 0, 0),
	MEMBER(weight_decay, JSON_NUMBER, 0, 1),
	MEMBER(decay_norms, JSON_BOOL, 0, 0),
	JSON_FIELD(struct raw, schedule, JSON_STRING, false, 0, 0),
	MEMBER(warmup, JSON_NUMBER, 0, 0.9),
	JSON_FIELD(struct raw, clip, JSON_ANY, false, 0, 0),
	MEMBER(smoothing, JSON_NUMBER, 0, 0.9),
	JSON_FIELD(struct raw, distil, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, augment, JSON_OBJECT, false, 0, 0),
	JSON_FIELD(struct raw, early_stop, JSON_OBJECT, false, 0, 0),
};

static const struct json_field distil_fields[] = {
	{ "weight", JSON_NUMBER, offsetof(struct trainspec, distil_weight), false, 0, 1 },
	{ "temperature", JSON_NUMBER, offsetof(struct trainspec, distil_temperature), false, 0.1, 100 },
};

static const struct json_field augment_fields[] = {
	JSON_FIELD(struct trainspec, flip, JSON_BOOL, false, 0, 0),
	JSON_FIELD(struct trainspec, shift, JSON_INT, false, 0, 64),
	JSON_FIELD(struct trainspec, crop, JSON_NUMBER, false, 0.1, 1),
};

static const struct json_field early_stop_fields[] = {
	JSON_FIELD(struct trainspec, patience, JSON_INT, false, 0, 1000),
	{ "images", JSON_INT, offsetof(struct trainspec, patience_images), false, 1, 1e9 },
};

static const cJSON *given(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* Where a setting stands, as json_read has it in its messages. */
static const char *place(char buf[PLACE], const char *path, const char *key)
{
	snprintf(buf, PLACE, "%s%s%s", path, *path ? "." : "", key);
	return buf;
}

static enum err refuse(const char *path, const char *key, const cJSON *value, const char *expected, struct errinfo *e)
{
	char at[PLACE], brief[64];
	return err_set(e, ERR_INPUT, "%s: is %s, expected %s", place(at, path, key), json_brief(value, brief),
		expected);
}

/* Ranges that an end does not belong to: the next number does. */
static enum err check_open(const cJSON *object, const char *path, struct errinfo *e)
{
	static const struct {
		const char *key;
		double low, high;
		const char *expected;
	} open[] = {
		{ "epochs", DBL_TRUE_MIN, 10000, "a number above 0 and at most 10000" },
		{ "rate", DBL_TRUE_MIN, 1000, "a number above 0 and at most 1000" },
		{ "epsilon", DBL_TRUE_MIN, 1, "a number above 0 and at most 1" },
		{ "momentum", 0, 1 - DBL_EPSILON / 2, "a number from 0 to below 1" },
		{ "beta1", 0, 1 - DBL_EPSILON / 2, "a number from 0 to below 1" },
		{ "beta2", 0, 1 - DBL_EPSILON / 2, "a number from 0 to below 1" },
	};
	for (size_t i = 0; i < COUNT(open); i++) {
		const cJSON *v = given(object, open[i].key);
		double x = cJSON_IsNumber(v) ? v->valuedouble : NAN;
		if (v && !(x >= open[i].low && x <= open[i].high))
			return refuse(path, open[i].key, v, open[i].expected, e);
	}
	return ERR_OK;
}

static enum err read_word(const char *path, const char *key, const char *word, const char *const *known, int n,
	int *ret, struct errinfo *e)
{
	char at[PLACE], expected[64] = "";
	for (int i = 0; i < n; i++) {
		if (!strcmp(word, known[i])) {
			*ret = i;
			return ERR_OK;
		}
		size_t used = strlen(expected);
		snprintf(expected + used, sizeof expected - used, "%s\"%s\"", !i ? "" : i + 1 < n ? ", " : " or ",
			known[i]);
	}
	return err_set(e, ERR_INPUT, "%s: is \"%.40s\", expected %s", place(at, path, key), word, expected);
}

static enum err read_words(const struct raw *raw, const char *path, struct trainspec *s, struct errinfo *e)
{
	int word;
	if (raw->optimizer) {
		if (read_word(path, "optimizer", raw->optimizer, optimizers, COUNT(optimizers), &word, e))
			return ERR_INPUT;
		s->optimizer = (enum train_optimizer)word;
	}
	if (raw->schedule) {
		if (read_word(path, "schedule", raw->schedule, schedules, COUNT(schedules), &word, e))
			return ERR_INPUT;
		s->schedule = (enum train_schedule)word;
	}
	return ERR_OK;
}

/* A setting that would have no effect is a misunderstanding. */
static enum err check_effect(const cJSON *object, const char *path, const struct trainspec *s, struct errinfo *e)
{
	static const char sgd[] = "only with the optimizer sgd", adamw[] = "only with the optimizer adamw";
	char at[PLACE];
	bool adaptive = s->optimizer == TRAIN_ADAMW;
	const struct {
		const char *key;
		bool effective;
		const char *expected;
	} settings[] = {
		{ "momentum", !adaptive, sgd },
		{ "nesterov", !adaptive, sgd },
		{ "beta1", adaptive, adamw },
		{ "beta2", adaptive, adamw },
		{ "epsilon", adaptive, adamw },
		{ "warmup", s->schedule != TRAIN_ONE_CYCLE, "only with the schedules constant and cosine" },
		{ "epochs", !s->steps, "either epochs or steps" },
	};
	for (size_t i = 0; i < COUNT(settings); i++)
		if (!settings[i].effective && given(object, settings[i].key))
			return err_set(e, ERR_INPUT, "%s: is given, expected %s", place(at, path, settings[i].key),
				settings[i].expected);
	return ERR_OK;
}

static enum err read_clip(const cJSON *clip, const char *path, struct trainspec *s, struct errinfo *e)
{
	if (cJSON_IsNull(clip))
		s->clip = 0;
	if (!clip || cJSON_IsNull(clip))
		return ERR_OK;
	double norm = cJSON_IsNumber(clip) ? clip->valuedouble : NAN;
	if (!(norm > 0 && norm <= MOST_CLIP))
		return refuse(path, "clip", clip, "a number above 0 and at most 1000000000, or null", e);
	s->clip = norm;
	return ERR_OK;
}

static enum err read_distil(const cJSON *distil, const char *path, bool teacher, struct trainspec *s,
	struct errinfo *e)
{
	char at[PLACE];
	bool none = cJSON_IsNull(distil) || (!distil && !teacher);
	place(at, path, "distil");
	if (!none && !teacher)
		return err_set(e, ERR_INPUT, "%s: is given, expected nothing: there is no teacher", at);
	if (!none && distil && !cJSON_IsObject(distil))
		return refuse(path, "distil", distil, "an object or null", e);
	if (!none && distil && json_read(distil, at, distil_fields, COUNT(distil_fields), s, e))
		return ERR_INPUT;
	if (none || s->distil_weight == 0) {
		s->distil_weight = 0;
		s->distil_temperature = defaults.distil_temperature;
	}
	return ERR_OK;
}

static enum err read_parts(const struct raw *raw, const char *path, struct trainspec *s, struct errinfo *e)
{
	char at[PLACE];
	place(at, path, "augment");
	if (raw->augment && json_read(raw->augment, at, augment_fields, COUNT(augment_fields), s, e))
		return ERR_INPUT;
	place(at, path, "early_stop");
	if (raw->early_stop && json_read(raw->early_stop, at, early_stop_fields, COUNT(early_stop_fields), s, e))
		return ERR_INPUT;
	if (!s->patience)
		s->patience_images = defaults.patience_images;
	return ERR_OK;
}

/* What depends on other settings. */
static void fill_in(struct trainspec *s)
{
	bool sgd = s->optimizer == TRAIN_SGD;
	if (s->epochs == NOT_GIVEN)
		s->epochs = s->steps ? 0 : 1;
	if (s->rate == NOT_GIVEN)
		s->rate = sgd ? 0.05 : 0.001;
	if (s->weight_decay == NOT_GIVEN)
		s->weight_decay = sgd ? 5e-4 : 0.01;
}

enum err trainspec_read(const cJSON *object, const char *path, bool teacher, struct trainspec *ret, struct errinfo *e)
{
	struct raw raw = { .spec = defaults };
	enum err err = check_open(object, path, e);
	if (!err)
		err = json_read(object, path, raw_fields, COUNT(raw_fields), &raw, e);
	if (!err)
		err = read_words(&raw, path, &raw.spec, e);
	if (!err)
		err = check_effect(object, path, &raw.spec, e);
	if (!err)
		err = read_clip(raw.clip, path, &raw.spec, e);
	if (!err)
		err = read_distil(raw.distil, path, teacher, &raw.spec, e);
	if (!err)
		err = read_parts(&raw, path, &raw.spec, e);
	if (err)
		return err;
	fill_in(&raw.spec);
	*ret = raw.spec;
	return ERR_OK;
}

static void put_bool(cJSON *object, const char *name, bool b, bool *failed)
{
	json_put(object, name, cJSON_CreateBool(b), failed);
}

static void write_optimizer(cJSON *object, const struct trainspec *s, bool *failed)
{
	json_put_string(object, "optimizer", train_optimizer_name(s->optimizer), failed);
	json_put_number(object, "rate", s->rate, failed);
	if (s->optimizer == TRAIN_SGD) {
		json_put_number(object, "momentum", s->momentum, failed);
		put_bool(object, "nesterov", s->nesterov, failed);
	} else {
		json_put_number(object, "beta1", s->beta1, failed);
		json_put_number(object, "beta2", s->beta2, failed);
		json_put_number(object, "epsilon", s->epsilon, failed);
	}
	json_put_number(object, "weight_decay", s->weight_decay, failed);
	put_bool(object, "decay_norms", s->decay_norms, failed);
	json_put(object, "clip", s->clip > 0 ? cJSON_CreateNumber(s->clip) : cJSON_CreateNull(), failed);
}

static void write_distil(cJSON *object, const struct trainspec *s, bool *failed)
{
	if (s->distil_weight == 0) {
		json_put(object, "distil", cJSON_CreateNull(), failed);
		return;
	}
	cJSON *distil = json_put(object, "distil", cJSON_CreateObject(), failed);
	json_put_number(distil, "weight", s->distil_weight, failed);
	json_put_number(distil, "temperature", s->distil_temperature, failed);
}

static void write_parts(cJSON *object, const struct trainspec *s, bool *failed)
{
	cJSON *augment = json_put(object, "augment", cJSON_CreateObject(), failed);
	put_bool(augment, "flip", s->flip, failed);
	json_put_number(augment, "shift", (double)s->shift, failed);
	json_put_number(augment, "crop", s->crop, failed);
	cJSON *early_stop = json_put(object, "early_stop", cJSON_CreateObject(), failed);
	json_put_number(early_stop, "patience", (double)s->patience, failed);
	json_put_number(early_stop, "images", (double)s->patience_images, failed);
}

cJSON *trainspec_write(const struct trainspec *s)
{
	bool failed = false;
	cJSON *object = cJSON_CreateObject();
	if (!object)
		return NULL;
	if (s->steps)
		json_put_number(object, "steps", (double)s->steps, &failed);
	else
		json_put_number(object, "epochs", s->epochs, &failed);
	json_put_number(object, "batch", (double)s->batch, &failed);
	write_optimizer(object, s, &failed);
	json_put_string(object, "schedule", train_schedule_name(s->schedule), &failed);
	if (s->schedule != TRAIN_ONE_CYCLE)
		json_put_number(object, "warmup", s->warmup, &failed);
	json_put_number(object, "smoothing", s->smoothing, &failed);
	write_distil(object, s, &failed);
	write_parts(object, s, &failed);
	if (!failed)
		return object;
	cJSON_Delete(object);
	return NULL;
}

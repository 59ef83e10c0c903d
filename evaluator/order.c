/* order.c -- what a lease orders done, checked.
 * SPDX-License-Identifier: MIT */
#include "evaluator/order.h"

#include <string.h>

#include "base/digest.h"
#include "base/json.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

struct raw {
	const char *kind, *model;
	const char *from;
	const cJSON *data, *prune, *rung, *candidate, *pretrain;
	const cJSON *id, *trial, *heartbeat, *expires, *limits; /* the worker's loop has read them */
	int64_t seed;
};

static const struct json_field raw_fields[] = {
	JSON_FIELD(struct raw, id, JSON_ANY, true, 0, 0),
	JSON_FIELD(struct raw, trial, JSON_ANY, true, 0, 0),
	JSON_FIELD(struct raw, kind, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw, heartbeat, JSON_ANY, true, 0, 0),
	JSON_FIELD(struct raw, expires, JSON_ANY, true, 0, 0),
	JSON_FIELD(struct raw, model, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw, data, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, prune, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, rung, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, limits, JSON_ANY, true, 0, 0),
	JSON_FIELD(struct raw, seed, JSON_INT, true, 0, 0x1p53),
	JSON_FIELD(struct raw, candidate, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw, from, JSON_STRING, false, 0, 0),
	JSON_FIELD(struct raw, pretrain, JSON_OBJECT, false, 0, 0),
};

struct raw_prune {
	const char *criterion;
	double max_ratio;
	int64_t round_to;
};

static const struct json_field prune_fields[] = {
	JSON_FIELD(struct raw_prune, criterion, JSON_STRING, true, 0, 0),
	JSON_FIELD(struct raw_prune, max_ratio, JSON_NUMBER, false, 0, 1),
	JSON_FIELD(struct raw_prune, round_to, JSON_INT, false, 1, 1e9),
};

struct raw_rung {
	int64_t recalibrate, images;
	const cJSON *latency, *train;
};

static const struct json_field rung_fields[] = {
	JSON_FIELD(struct raw_rung, recalibrate, JSON_INT, true, 0, 1e9),
	JSON_FIELD(struct raw_rung, images, JSON_INT, true, 1, 1e9),
	JSON_FIELD(struct raw_rung, latency, JSON_ANY, false, 0, 0),
	JSON_FIELD(struct raw_rung, train, JSON_ANY, false, 0, 0),
};

struct raw_latency {
	int64_t batch, rounds;
	bool exclusive;
};

static const struct json_field latency_fields[] = {
	JSON_FIELD(struct raw_latency, batch, JSON_INT, true, 1, 4096),
	JSON_FIELD(struct raw_latency, rounds, JSON_INT, true, 3, 10000),
	JSON_FIELD(struct raw_latency, exclusive, JSON_BOOL, false, 0, 0),
};

static enum err read_kind(const struct raw *raw, struct order *o, struct errinfo *e)
{
	static const char *const names[] = { "baseline", "candidate", "test" };
	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(raw->kind, names[i]))
			continue;
		o->kind = (enum order_kind)i;
		if (o->kind != ORDER_CANDIDATE)
			return ERR_OK;
		if (!cJSON_IsArray(raw->candidate))
			return err_set(e, ERR_INPUT, "candidate: missing, expected an array");
		o->candidate = raw->candidate;
		return ERR_OK;
	}
	return err_set(e, ERR_INPUT, "kind: is '%.40s', expected baseline, candidate or test", raw->kind);
}

static enum err read_rung(const cJSON *rung, struct order *o, struct errinfo *e)
{
	struct raw_rung r = { 0 };
	struct raw_latency l = { 0 };
	enum err err = json_read(rung, "rung", rung_fields, COUNT(rung_fields), &r, e);
	if (err)
		return err;
	o->recalibrate = r.recalibrate;
	o->images = r.images;
	o->trains = r.train && !cJSON_IsNull(r.train);
	if (o->trains)
		err = trainspec_read(r.train, "rung.train", true, &o->train, e);
	o->timed = r.latency && !cJSON_IsNull(r.latency);
	if (err || !o->timed)
		return err;
	err = json_read(r.latency, "rung.latency", latency_fields, COUNT(latency_fields), &l, e);
	o->latency_batch = l.batch;
	o->latency_rounds = l.rounds;
	return err;
}

/* What only a baseline or only a candidate may have. */
static enum err read_training(const struct raw *raw, struct order *o, struct errinfo *e)
{
	if (raw->from && o->kind != ORDER_CANDIDATE)
		return err_set(e, ERR_INPUT, "from: is given, expected for a candidate alone");
	if (raw->from && !digest_valid(raw->from))
		return err_set(e, ERR_INPUT, "from: is '%.80s', expected a SHA-256", raw->from);
	if (raw->pretrain && o->kind != ORDER_BASELINE)
		return err_set(e, ERR_INPUT, "pretrain: is given, expected for the baseline alone");
	o->from = raw->from;
	o->pretrains = raw->pretrain;
	return raw->pretrain ? trainspec_read(raw->pretrain, "pretrain", false, &o->pretrain, e) : ERR_OK;
}

enum err order_read(const cJSON *lease, struct order *ret, struct errinfo *e)
{
	struct raw raw = { 0 };
	struct raw_prune prune = { 0 };
	struct order o = { 0 };
	enum err err = json_read(lease, "", raw_fields, COUNT(raw_fields), &raw, e);
	if (!err)
		err = read_kind(&raw, &o, e);
	if (!err)
		err = json_read(raw.prune, "prune", prune_fields, COUNT(prune_fields), &prune, e);
	if (!err)
		err = read_rung(raw.rung, &o, e);
	if (!err)
		err = read_training(&raw, &o, e);
	if (!err)
		err = source_read(raw.data, &o.source, e);
	if (!err && !digest_valid(raw.model))
		err = err_set(e, ERR_INPUT, "model: is '%.80s', expected a SHA-256", raw.model);
	if (err)
		return err_wrap(e, "lease");
	o.model = raw.model;
	o.data = raw.data;
	o.criterion = prune.criterion;
	o.seed = (uint64_t)raw.seed;
	*ret = o;
	return ERR_OK;
}

enum err order_data_digest(const struct order *o, char ret[65], struct errinfo *e)
{
	char *text = cJSON_PrintUnformatted(o->data);
	if (!text)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = digest_bytes(text, strlen(text), ret, e);
	cJSON_free(text);
	return err;
}

/* report.c -- what a worker says about its lease, checked.
 * SPDX-License-Identifier: MIT */
#include "daemon/report.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "daemon/spec.h"
#include "store/blob.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define COST(member, required) JSON_FIELD(struct trial_metrics, member, JSON_NUMBER, required, 0, 0x1p53)
#define TIME(member) JSON_FIELD(struct trial_metrics, member, JSON_NUMBER, false, 0, 1e12)

static const struct json_field metric_fields[] = {
	JSON_FIELD(struct trial_metrics, accuracy, JSON_NUMBER, true, 0, 1),
	JSON_FIELD(struct trial_metrics, loss, JSON_NUMBER, true, 0, DBL_MAX),
	COST(params, true),
	COST(macs, true),
	COST(bytes, true),
	COST(memory, true),
	TIME(latency),
	TIME(latency_ratio_p10),
	TIME(latency_ratio_p90),
	TIME(latency_ms),
	TIME(latency_p10_ms),
	TIME(latency_p90_ms),
};

static const struct json_field test_fields[] = {
	{ "accuracy", JSON_NUMBER, offsetof(struct report, test_accuracy), true, 0, 1 },
	{ "loss", JSON_NUMBER, offsetof(struct report, test_loss), true, 0, DBL_MAX },
};

struct raw {
	const cJSON *metrics, *inventory, *test;
	const char *model;
};

static const struct json_field candidate_report[] = {
	JSON_FIELD(struct raw, metrics, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, model, JSON_STRING, true, 0, 0),
};
static const struct json_field baseline_report[] = {
	JSON_FIELD(struct raw, metrics, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, inventory, JSON_OBJECT, true, 0, 0),
};
static const struct json_field pretrained_report[] = {
	JSON_FIELD(struct raw, metrics, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, inventory, JSON_OBJECT, true, 0, 0),
	JSON_FIELD(struct raw, model, JSON_STRING, true, 0, 0),
};
static const struct json_field test_report[] = {
	JSON_FIELD(struct raw, test, JSON_OBJECT, true, 0, 0),
};

/* null says "no value": such keys are as good as absent. */
static void drop_nulls(cJSON *obj)
{
	for (cJSON *item = obj->child, *next; item; item = next) {
		next = item->next;
		if (cJSON_IsNull(item))
			cJSON_Delete(cJSON_DetachItemViaPointer(obj, item));
	}
}

/* Latencies are there when the rung says how to measure them, and only then: they would mean nothing. */
static enum err check_latency(const struct spec_rung *rung, const struct trial_metrics *m, struct errinfo *e)
{
	const struct {
		const char *name;
		double value;
	} latencies[] = {
		{ "latency", m->latency },
		{ "latency_ratio_p10", m->latency_ratio_p10 },
		{ "latency_ratio_p90", m->latency_ratio_p90 },
		{ "latency_ms", m->latency_ms },
		{ "latency_p10_ms", m->latency_p10_ms },
		{ "latency_p90_ms", m->latency_p90_ms },
	};
	if (rung->latency)
		return isnan(m->latency)
			? err_set(e, ERR_INPUT, "metrics.latency: missing, and required by the lease's rung") : ERR_OK;
	for (size_t i = 0; i < COUNT(latencies); i++)
		if (!isnan(latencies[i].value))
			return err_set(e, ERR_INPUT, "metrics.%s: is %.15g, expected none: the lease's rung has no "
				"latency", latencies[i].name, latencies[i].value);
	return ERR_OK;
}

static enum err read_metrics(const cJSON *given, const struct spec_rung *rung, struct trial_metrics *m,
	struct errinfo *e)
{
	cJSON *obj = cJSON_Duplicate(given, true);
	if (!obj)
		return err_set(e, ERR_MEMORY, "out of memory");
	drop_nulls(obj);
	*m = (struct trial_metrics){ .latency = NAN, .latency_ratio_p10 = NAN, .latency_ratio_p90 = NAN,
		.latency_ms = NAN, .latency_p10_ms = NAN, .latency_p90_ms = NAN };
	enum err err = json_read(obj, "metrics", metric_fields, COUNT(metric_fields), m, e);
	cJSON_Delete(obj);
	return err ? err : check_latency(rung, m, e);
}

static enum err check_model(const char *model, struct store *s, struct errinfo *e)
{
	bool exists = false;
	if (!digest_valid(model))
		return err_set(e, ERR_INPUT, "model: is \"%.100s\", expected the 64 hexadecimal digits of a SHA-256",
			model);
	enum err err = blob_exists(s, model, &exists, e);
	if (!err && !exists)
		err = err_set(e, ERR_INPUT, "model: is \"%s\", which was never uploaded, expected a known blob", model);
	return err;
}

struct form {
	const struct json_field *fields;
	size_t count;
};

static struct form form_of(enum lease_kind kind, bool pretrains)
{
	static const struct form forms[] = {
		[LEASE_BASELINE] = { baseline_report, COUNT(baseline_report) },
		[LEASE_CANDIDATE] = { candidate_report, COUNT(candidate_report) },
		[LEASE_TEST] = { test_report, COUNT(test_report) },
	};
	static const struct form pretrained = { pretrained_report, COUNT(pretrained_report) };
	return kind == LEASE_BASELINE && pretrains ? pretrained : forms[kind];
}

enum err report_read(const cJSON *doc, enum lease_kind kind, const struct spec *spec, int rung, struct store *s,
	struct report *ret, struct errinfo *e)
{
	struct form form = form_of(kind, spec->pretrains);
	struct raw raw = { 0 };
	struct report r = { 0 };
	enum err err = json_read(doc, "", form.fields, form.count, &raw, e);
	if (!err && raw.metrics)
		err = read_metrics(raw.metrics, &spec->rungs[rung], &r.metrics, e);
	if (!err && raw.model)
		err = check_model(raw.model, s, e);
	if (!err && raw.test)
		err = json_read(raw.test, "test", test_fields, COUNT(test_fields), &r, e);
	if (err)
		return err;
	r.model = raw.model;
	r.inventory = raw.inventory;
	*ret = r;
	return ERR_OK;
}

enum err report_check_cost(const struct trial_metrics *m, const struct cost *cost, struct errinfo *e)
{
	const struct {
		const char *name;
		double reported;
		int64_t computed;
	} pairs[] = {
		{ "params", m->params, cost->params },
		{ "macs", m->macs, cost->macs },
		{ "bytes", m->bytes, cost->bytes },
	};
	for (size_t i = 0; i < COUNT(pairs); i++)
		if (pairs[i].reported != (double)pairs[i].computed)
			return err_set(e, ERR_INPUT, "metrics.%s: is %.15g, expected %lld, the cost model's",
				pairs[i].name, pairs[i].reported, (long long)pairs[i].computed);
	return ERR_OK;
}

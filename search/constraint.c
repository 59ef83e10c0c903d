/* constraint.c -- bounds on metrics, as people write them.
 * SPDX-License-Identifier: MIT */
#include "search/constraint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

static const double SLACK = 1e-12;

/* ---- reading ---- */

static const char *skip_space(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static const char *skip_digits(const char *p)
{
	while (*p >= '0' && *p <= '9')
		p++;
	return p;
}

/* digits [. digits] [e [sign] digits]; NULL when there is none at *p. strtod alone would take "inf" and "0x1p3". */
static const char *read_number(const char *p, double *ret)
{
	const char *end = skip_digits(p);
	if (end == p)
		return NULL;
	if (*end == '.') {
		const char *fraction = skip_digits(end + 1);
		if (fraction == end + 1)
			return NULL;
		end = fraction;
	}
	if (*end == 'e' || *end == 'E') {
		const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');
		end = skip_digits(exponent);
		if (end == exponent)
			return NULL;
	}
	*ret = strtod(p, NULL);
	return isfinite(*ret) ? end : NULL;
}

/* Behind the word baseline: nothing, + NUMBER or - NUMBER. Answers what was expected instead, NULL when all is well. */
static const char *read_offset(const char *p, struct constraint *c)
{
	c->of_baseline = 1;
	p = skip_space(p);
	if (!*p)
		return NULL;
	if (*p != '+' && *p != '-')
		return "nothing, + NUMBER or - NUMBER behind baseline";
	double sign = *p == '-' ? -1 : 1;
	p = read_number(skip_space(p + 1), &c->offset);
	if (!p)
		return "a decimal number behind the sign";
	c->offset *= sign;
	return *skip_space(p) ? "nothing behind the number" : NULL;
}

static const char *read_bound(const char *p, struct constraint *c)
{
	p = skip_space(p);
	if (!strncmp(p, "baseline", 8))
		return read_offset(p + 8, c);
	double x;
	p = read_number(p, &x);
	if (!p)
		return "NUMBER, NUMBER% or baseline behind the comparison";
	if (*p == '%') {
		c->of_baseline = x / 100;
		p++;
	} else {
		c->offset = x;
	}
	return *skip_space(p) ? "nothing behind the bound" : NULL;
}

/* What no network can meet, whatever the baseline; NULL when some may. */
static const char *impossible(const struct constraint *c)
{
	bool absolute = c->of_baseline == 0;
	if (c->metric == METRIC_ACCURACY && absolute && c->offset > 1)
		return "a fraction from 0 to 1";
	bool beyond = c->of_baseline >= 1 && c->offset >= 0 && c->of_baseline + c->offset > 1;
	if (metric_is_exact_cost(c->metric) && c->at_least && beyond)
		return "at most 100%: pruning adds nothing";
	return NULL;
}

/* OP BOUND. Answers what was expected instead, NULL when all is well. */
static const char *read_comparison(const char *p, struct constraint *c)
{
	p = skip_space(p);
	c->at_least = p[0] == '>';
	if ((p[0] != '<' && p[0] != '>') || p[1] != '=')
		return "<= or >=";
	const char *expected = read_bound(p + 2, c);
	return expected ? expected : impossible(c);
}

static enum err read_text(const char *name, enum metric metric, const cJSON *value, struct constraint *ret,
	struct errinfo *e)
{
	char brief[64];
	struct constraint c = { .metric = metric };
	const char *expected = cJSON_IsString(value) ? read_comparison(value->valuestring, &c)
		: "text like \"<= 50%\" or \">= baseline - 0.01\"";
	if (expected)
		return err_set(e, ERR_INPUT, "constraints.%s: is %s, expected %s", name, json_brief(value, brief),
			expected);
	*ret = c;
	return ERR_OK;
}

/* Whether the lower bound is above the upper one for any positive baseline. */
static bool contradictory(const struct constraint *low, const struct constraint *high)
{
	double share = low->of_baseline - high->of_baseline, offset = low->offset - high->offset;
	return share >= 0 && offset >= 0 && share + offset > 0;
}

static enum err read_pair(const char *name, enum metric metric, const cJSON *array, struct constraint ret[2],
	struct errinfo *e)
{
	int n = cJSON_GetArraySize(array);
	if (n != 2)
		return err_set(e, ERR_INPUT, "constraints.%s: is an array of %d, expected a lower and an upper bound",
			name, n);
	enum err err = read_text(name, metric, array->child, &ret[0], e);
	if (!err)
		err = read_text(name, metric, array->child->next, &ret[1], e);
	if (!err && ret[0].at_least == ret[1].at_least)
		err = err_set(e, ERR_INPUT, "constraints.%s: is two %s bounds, expected a lower and an upper one", name,
			ret[0].at_least ? "lower" : "upper");
	if (!err && contradictory(&ret[!ret[0].at_least], &ret[ret[0].at_least])) {
		char low[64], high[64];
		const cJSON *items[] = { array->child, array->child->next };
		err = err_set(e, ERR_INPUT, "constraints.%s: is %s and %s, which nothing can meet, expected a lower "
			"bound that is not above the upper one", name, json_brief(items[!ret[0].at_least], low),
			json_brief(items[ret[0].at_least], high));
	}
	return err;
}

static enum err named(const cJSON *object, const cJSON *item, enum metric *ret, struct errinfo *e)
{
	*ret = metric_named(item->string);
	if (*ret == METRIC_COUNT)
		return err_set(e, ERR_INPUT, "constraints.%.60s: is not a metric, expected one of: "
			"accuracy, loss, params, macs, bytes, memory, latency", item->string);
	for (const cJSON *earlier = object->child; earlier != item; earlier = earlier->next)
		if (!strcmp(earlier->string, item->string))
			return err_set(e, ERR_INPUT, "constraints.%s: is there twice, expected an array of two bounds",
				item->string);
	return ERR_OK;
}

enum err constraint_read(const cJSON *object, struct constraint ret[CONSTRAINT_MAX], int *ret_count, struct errinfo *e)
{
	_Static_assert(2 * METRIC_COUNT <= CONSTRAINT_MAX, "two bounds on every metric must fit");
	char brief[64];
	int count = 0;
	if (object && !cJSON_IsObject(object))
		return err_set(e, ERR_INPUT, "constraints: is %s, expected an object", json_brief(object, brief));
	for (const cJSON *item = object ? object->child : NULL; item; item = item->next) {
		enum metric metric;
		enum err err = named(object, item, &metric, e);
		if (err)
			return err;
		bool pair = cJSON_IsArray(item);
		err = pair ? read_pair(item->string, metric, item, ret + count, e)
			: read_text(item->string, metric, item, ret + count, e);
		if (err)
			return err;
		count += pair ? 2 : 1;
	}
	*ret_count = count;
	return ERR_OK;
}

enum err constraint_parse(const char *text, struct constraint *ret, struct errinfo *e)
{
	char name[16] = "";
	const char *p = skip_space(text);
	size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyz_");
	if (len < sizeof name)
		memcpy(name, p, len);
	struct constraint c = { .metric = metric_named(name) };
	if (c.metric == METRIC_COUNT)
		return err_set(e, ERR_INPUT, "\"%.80s\": expected METRIC OP BOUND with one of the metrics "
			"accuracy, loss, params, macs, bytes, memory, latency", text);
	const char *expected = read_comparison(p + len, &c);
	if (expected)
		return err_set(e, ERR_INPUT, "\"%.80s\": expected %s behind %s", text, expected, name);
	*ret = c;
	return ERR_OK;
}

/* ---- measuring ---- */

double constraint_bound(const struct constraint *c, const double baseline[METRIC_COUNT])
{
	if (c->of_baseline == 0)
		return c->offset; /* also when the baseline was not measured */
	return c->of_baseline * baseline[c->metric] + c->offset;
}

double constraint_violation(const struct constraint *c, const double baseline[METRIC_COUNT], double value)
{
	double bound = constraint_bound(c, baseline);
	double missed = c->at_least ? bound - value : value - bound;
	if (isnan(missed))
		return INFINITY;
	double scale = bound == 0 ? 1 : fabs(bound);
	return missed <= SLACK * scale ? 0 : missed / scale;
}

double constraint_total(const struct constraint *c, int count, const double baseline[METRIC_COUNT],
	const double metrics[METRIC_COUNT])
{
	double total = 0;
	for (int i = 0; i < count; i++)
		total += constraint_violation(&c[i], baseline, metrics[c[i].metric]);
	return total;
}

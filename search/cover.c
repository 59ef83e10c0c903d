/* cover.c -- costs that cover a window evenly, and candidates that just keep them.
 * SPDX-License-Identifier: MIT */
#include "search/cover.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "search/budget.h"
#include "search/cost.h"
#include "search/limit.h"
#include "search/sample.h"
#include "search/space.h"
#include "search/strategy.h"

struct options {
	const char *name, *metric;
	double low, high;
};

static const struct json_field fields[] = {
	JSON_FIELD(struct options, name, JSON_STRING, .required = false),
	JSON_FIELD(struct options, metric, JSON_STRING, .required = false),
	JSON_FIELD(struct options, low, JSON_NUMBER, .max = 1),
	JSON_FIELD(struct options, high, JSON_NUMBER, .max = 1),
};

static enum err read_options(const cJSON *object, struct options *ret, enum metric *ret_metric, struct errinfo *e)
{
	*ret = (struct options){ .metric = "macs", .low = 0.05, .high = 0.95 };
	enum err err = json_read(object, "strategy", fields, sizeof fields / sizeof *fields, ret, e);
	if (!err)
		err = strategy_read_cost(ret->metric, ret_metric, e);
	if (!err && ret->low > ret->high)
		err = err_set(e, ERR_INPUT, "strategy.low: is %g, expected at most strategy.high, which is %g",
			ret->low, ret->high);
	return err;
}

enum err cover_check(const cJSON *options, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	return read_options(options, &o, &metric, e);
}

enum err cover_init(struct cover *c, const struct problem *p, enum metric metric, double low, double high,
	uint64_t stream, struct errinfo *e)
{
	struct rng rng;
	*c = (struct cover){ .space = p->space, .metric = metric, .low = low, .high = high };
	enum err err = limit_read(p, c->most, e);
	if (err)
		return err;
	for (int m = 0; m < METRIC_COUNT; m++)
		c->limited = c->limited || isfinite(c->most[m]);
	limit_window(p, metric, &c->low, &c->high);
	rng_init(&rng, p->seed, stream);
	c->start = rng_uniform(&rng);
	c->ratio = calloc((size_t)p->space->group_count, sizeof *c->ratio);
	return c->ratio ? ERR_OK : err_set(e, ERR_MEMORY, "out of memory");
}

enum err cover_read(struct cover *c, const struct problem *p, const cJSON *options, uint64_t stream, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	*c = (struct cover){ 0 };
	enum err err = read_options(options, &o, &metric, e);
	return err ? err : cover_init(c, p, metric, o.low, o.high, stream, e);
}

enum err cover_objective(struct cover *c, const struct problem *p, uint64_t stream, struct errinfo *e)
{
	for (int i = 0; i < p->objective_count; i++)
		if (metric_is_exact_cost(p->objectives[i]))
			return cover_init(c, p, p->objectives[i], 0, 1, stream, e);
	return cover_init(c, p, METRIC_MACS, 0, 1, stream, e);
}

void cover_fini(struct cover *c)
{
	seen_fini(&c->seen);
	free(c->ratio);
	c->ratio = NULL;
}

double cover_share(const struct cover *c, double x)
{
	return c->low + (c->high - c->low) * x;
}

double cover_target(const struct cover *c, int k)
{
	return cover_share(c, sample_spread(c->start, k));
}

enum err cover_fit(const struct cover *c, double target, int *ret_keep, struct errinfo *e)
{
	double most[METRIC_COUNT];
	memcpy(most, c->most, sizeof most);
	limit_share(c->space, c->metric, target, most);
	return budget_fit_all(c->space, most, c->ratio, ret_keep, e);
}

enum err cover_repair(const struct cover *c, int *keep, struct errinfo *e)
{
	if (!c->limited)
		return ERR_OK;
	struct cost cost = cost_of(c->space, keep);
	if (budget_keeps(c->most, &cost))
		return ERR_OK;
	for (int g = 0; g < c->space->group_count; g++)
		c->ratio[g] = 1 - (double)keep[g] / c->space->groups[g].channels;
	return budget_fit_all(c->space, c->most, c->ratio, keep, e);
}

enum err cover_add(struct cover *c, const int *keep, struct errinfo *e)
{
	c->asked++;
	return seen_add(&c->seen, keep, c->space->group_count, e);
}

struct request cover_request(const struct cover *c, double target)
{
	return (struct request){ .metric = c->metric, .ratio = 1 - target };
}

/* random.c -- random candidates that cover the whole cost range evenly.
 * SPDX-License-Identifier: MIT
 *
 * Each proposal has a target, a share of the baseline's cost, and a random shape that budget_fit scales to it.
 * Targets follow the golden-ratio sequence from a random start, so that however early a job ends, no part of the
 * range was left out. Options: "metric" macs, params or bytes; the window "low".."high" of the targets. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/rng.h"
#include "search/budget.h"
#include "search/limit.h"
#include "search/sample.h"
#include "search/seen.h"
#include "search/space.h"
#include "search/strategy.h"

enum { STREAM = 1, TRIES_AT_TARGET = 16, TRIES = 32 };

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

struct strategy {
	const struct space *space;
	enum metric metric;
	double low, high; /* the window, narrowed to what is allowed */
	double most[METRIC_COUNT];
	double start; /* of the sequence of targets */
	int asked;
	struct rng rng;
	struct seen seen;
	double *ratio;
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

static enum err check(const cJSON *object, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	return read_options(object, &o, &metric, e);
}

static void release(struct strategy *s)
{
	if (!s)
		return;
	seen_fini(&s->seen);
	free(s->ratio);
	free(s);
}

static enum err open_random(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct options o;
	enum metric metric;
	enum err err = read_options(object, &o, &metric, e);
	if (err)
		return err;
	struct strategy *s = calloc(1, sizeof *s);
	if (s)
		s->ratio = calloc((size_t)p->space->group_count, sizeof *s->ratio);
	if (!s || !s->ratio) {
		release(s);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	err = limit_read(p, s->most, e);
	if (err) {
		release(s);
		return err;
	}
	s->space = p->space;
	s->metric = metric;
	s->low = o.low;
	s->high = o.high;
	limit_window(p, metric, &s->low, &s->high);
	rng_init(&s->rng, p->seed, STREAM);
	s->start = rng_uniform(&s->rng);
	*ret = s;
	return ERR_OK;
}

static enum err propose(struct strategy *s, double target, int *ret_keep, struct errinfo *e)
{
	double most[METRIC_COUNT];
	memcpy(most, s->most, sizeof most);
	limit_share(s->space, s->metric, target, most);
	sample_shape(&s->rng, s->space->group_count, s->ratio);
	return budget_fit_all(s->space, most, s->ratio, ret_keep, e);
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	int groups = s->space->group_count;
	double target = s->low + (s->high - s->low) * sample_spread(s->start, s->asked);
	enum err err = propose(s, target, ret_keep, e);
	for (int i = 1; !err && i < TRIES && seen_has(&s->seen, ret_keep, groups); i++) {
		if (i >= TRIES_AT_TARGET)
			target = s->low + (s->high - s->low) * rng_uniform(&s->rng);
		err = propose(s, target, ret_keep, e);
	}
	if (!err)
		err = seen_add(&s->seen, ret_keep, groups, e);
	if (err)
		return err;
	s->asked++;
	*ret_request = (struct request){ .metric = s->metric, .ratio = 1 - target };
	*ret_done = false;
	return ERR_OK;
}

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	(void)s, (void)o, (void)e;
	return ERR_OK; /* chance has no memory */
}

const struct strategy_ops strategy_random = {
	.name = "random",
	.summary = "random shapes at costs spread evenly over a window",
	.check = check,
	.open = open_random,
	.ask = ask,
	.tell = tell,
	.free = release,
};

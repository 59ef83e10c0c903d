/* strategy.h -- ask for the next candidate, tell how one did.
 * SPDX-License-Identifier: MIT
 *
 * A strategy is a pure function of (problem, options, seed, results so far): no clock, no socket, no file, its own
 * random numbers. The same calls give the same candidates. The caller numbers proposals 1, 2, 3 ... and, to be
 * independent of the number of workers, calls in the canonical order: before ask(k), tell of all trials numbered
 * below k - window, in order of number, and of no others. search/table.h does just that.
 *
 * Every proposal is allowed by the space and keeps the constraints' upper bounds on exact costs. */
#ifndef SEARCH_STRATEGY_H
#define SEARCH_STRATEGY_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "search/constraint.h"
#include "search/ladder.h"
#include "search/metric.h"
#include "search/pareto.h"

struct prior;
struct space;
struct strategy;

/* What is searched; outlives the strategy. */
struct problem {
	const struct space *space;
	enum metric objectives[PARETO_MAX_OBJECTIVES];
	int objective_count; /* 2..4 */
	struct constraint constraints[CONSTRAINT_MAX];
	int constraint_count;
	double baseline[METRIC_COUNT]; /* of trial 0; NaN where not measured */
	int budget;                    /* proposals in all */
	int stall;                     /* results in a row without a gain (search/stall.h) end them; 0: they don't */
	int window;                    /* how many proposals may be under way beyond the one told last */
	uint64_t seed;
	struct ladder ladder;          /* the strategy is asked for rung 0 and told of its results */
	const struct prior *prior;     /* what earlier jobs learned (search/prior.h), NULL: nothing; outlives it too */
};

/* One result. metrics are NaN where not measured; a failed trial has ok = false and no metrics. */
struct outcome {
	int number;      /* as counted by ask, from 1 */
	const int *keep; /* the candidate, group_count ints, valid during the call */
	bool ok;
	double metrics[METRIC_COUNT];
};

/* What the strategy aimed at, kept beside the candidate. */
struct request {
	enum metric metric; /* METRIC_COUNT: it aimed at nothing in particular */
	double ratio;       /* fraction of the baseline's to be removed */
};

struct strategy_ops {
	const char *name;
	const char *summary; /* one line for people */
	bool posted;         /* proposals come from outside, by table_post; ask is NULL */
	/* Checks options as far as that goes without a problem: the job's whole "strategy" object, unknown keys
	 * are errors. */
	enum err (*check)(const cJSON *options, struct errinfo *e);
	/* Reads the same options. ERR_LIMIT when no candidate of the space can keep what is asked. */
	enum err (*open)(const struct problem *p, const cJSON *options, struct strategy **ret, struct errinfo *e);
	/* Writes group_count ints; *ret_done = true instead when the strategy has nothing more to propose, now and
	 * whatever it is told later. */
	enum err (*ask)(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done,
		struct errinfo *e);
	enum err (*tell)(struct strategy *s, const struct outcome *o, struct errinfo *e);
	/* Replay: the next proposal is known to have been keep; leaves s as if ask had answered that. NULL where ask
	 * costs so little that it is called and compared. */
	enum err (*skip)(struct strategy *s, const int *keep, struct errinfo *e);
	void (*free)(struct strategy *s); /* accepts NULL */
};

/* NULL when there is none of that name; strategy_names gives "random, anneal, nsga2, ..." for messages. */
const struct strategy_ops *strategy_named(const char *name);
const char *strategy_names(void);

/* Checks a job's "strategy" object {"name": ..., options} without a space, as far as that goes: name, keys, kinds,
 * ranges. */
enum err strategy_check(const cJSON *object, struct errinfo *e) __attribute__((warn_unused_result));

/* For strategies: their option "metric", which must be an exact cost. */
enum err strategy_read_cost(const char *name, enum metric *ret, struct errinfo *e) __attribute__((warn_unused_result));

extern const struct strategy_ops strategy_uniform, strategy_random, strategy_anneal, strategy_netadapt,
	strategy_nsga2, strategy_abc, strategy_guided;
extern const struct strategy_ops strategy_manual;

#endif

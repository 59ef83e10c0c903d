/* spec.h -- the job document, checked.
 * SPDX-License-Identifier: MIT
 *
 * Everything that a person can get wrong without a worker's help is refused here, at submission, by name. The struct
 * is complete (defaults filled in) and immutable; the pieces that a worker needs are written from it, so they are in
 * one canonical form whatever the author's spelling, and the digest of a trial covers exactly them. */
#ifndef DAEMON_SPEC_H
#define DAEMON_SPEC_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/dataspec.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/trainspec.h"
#include "daemon/limits.h"
#include "search/constraint.h"
#include "search/ladder.h"
#include "search/metric.h"
#include "search/pareto.h"

struct store;
struct text;

struct spec_rung {
	int64_t recalibrate, images;
	bool latency; /* measured? */
	int64_t latency_batch, latency_rounds;
	bool exclusive;
	bool trains;
	struct trainspec train;
};

enum { SPEC_WARM_STARTS = 8 };

struct spec {
	cJSON *doc; /* the strings below live in it */
	const char *name;
	char model[DIGEST_HEX + 1];
	struct dataspec data; /* every file is a "sha256:DIGEST" */
	const char *criterion;
	double max_ratio;
	int64_t round_to;
	struct limits limits;
	enum metric objectives[PARETO_MAX_OBJECTIVES];
	int objective_count;
	struct constraint constraints[CONSTRAINT_MAX];
	int constraint_count;
	const cJSON *strategy;
	int64_t trials, seconds, stall; /* the budget; the last two 0: unlimited */
	struct spec_rung rungs[LADDER_RUNGS];
	int rung_count;
	int64_t eta;
	bool pretrains;
	struct trainspec pretrain;
	int64_t seed, window;
	int64_t warm_start[SPEC_WARM_STARTS]; /* ids of jobs */
	int warm_count;
	int64_t trial_seconds; /* 0: by what the evaluation does, spec_trial_seconds */
	int64_t trial_memory_mb;
};

/* Takes over doc, on failure too. ERR_INPUT names field, value and what was expected. */
enum err spec_read(cJSON *doc, struct spec **ret, struct errinfo *e) __attribute__((warn_unused_result));
enum err spec_parse(const char *json, struct spec **ret, struct errinfo *e) __attribute__((warn_unused_result));
void spec_free(struct spec *s);

/* That all blobs are there: ERR_INPUT naming the field that refers to a missing one. */
enum err spec_blobs(const struct spec *s, struct store *store, struct errinfo *e) __attribute__((warn_unused_result));

/* What of the network may be pruned; points into s. */
struct space_limits spec_limits(const struct spec *s);

/* The rung whose results count; the baseline is measured as it says, without training. */
int spec_last(const struct spec *s);

/* How long an evaluation may take. */
int64_t spec_trial_seconds(const struct spec *s, bool trains);

/* How many trials the budget makes at each rung, a JSON array: one in eta goes up, at least one. The baseline is not
 * counted. */
void spec_write_plan(const struct spec *s, struct text *t);

/* The parts of a lease, each one JSON object. */
void spec_write_data(const struct spec *s, struct text *t);
void spec_write_prune(const struct spec *s, struct text *t);
/* train: with what it says of training, if anything. */
void spec_write_rung(const struct spec_rung *r, bool train, struct text *t);
void spec_write_pretrain(const struct spec *s, struct text *t);
/* Of an evaluation that trains, or of one that doesn't. */
void spec_write_limits(const struct spec *s, bool trains, struct text *t);

/* Names all that decides a trial's result: the model that is pruned, data, the criterion, the rungs up to its own, for
 * it continues what was trained below, seed and candidate (JSON text). Which others the limits allow is no matter. */
enum err spec_digest(const struct spec *s, const char *model, int rung, const char *candidate, char ret[DIGEST_HEX + 1],
	struct errinfo *e) __attribute__((warn_unused_result));
/* The same of the baseline: the submitted model, data, how it is trained before, seed, and what the last rung measures.
 * How others are pruned and trained does not matter, so jobs that differ in that train it once. */
enum err spec_digest_baseline(const struct spec *s, char ret[DIGEST_HEX + 1], struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

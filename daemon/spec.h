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
#include "search/constraint.h"
#include "search/metric.h"
#include "search/pareto.h"

struct store;
struct text;

struct spec_rung {
	int64_t recalibrate, images;
	bool latency; /* measured? */
	int64_t latency_batch, latency_rounds;
	bool exclusive;
};

struct spec {
	cJSON *doc; /* the strings below live in it */
	const char *name;
	char model[DIGEST_HEX + 1];
	struct dataspec data; /* every file is a "sha256:DIGEST" */
	const char *criterion;
	double max_ratio;
	int64_t round_to;
	enum metric objectives[PARETO_MAX_OBJECTIVES];
	int objective_count;
	struct constraint constraints[CONSTRAINT_MAX];
	int constraint_count;
	const cJSON *strategy;
	int64_t trials;
	struct spec_rung rung;
	int64_t seed, window;
	int64_t trial_seconds, trial_memory_mb;
};

/* Takes over doc, on failure too. ERR_INPUT names field, value and what was expected. */
enum err spec_read(cJSON *doc, struct spec **ret, struct errinfo *e) __attribute__((warn_unused_result));
enum err spec_parse(const char *json, struct spec **ret, struct errinfo *e) __attribute__((warn_unused_result));
void spec_free(struct spec *s);

/* That all blobs are there: ERR_INPUT naming the field that refers to a missing one. */
enum err spec_blobs(const struct spec *s, struct store *store, struct errinfo *e) __attribute__((warn_unused_result));

/* The parts of a lease, each one JSON object. */
void spec_write_data(const struct spec *s, struct text *t);
void spec_write_prune(const struct spec *s, struct text *t);
void spec_write_rung(const struct spec *s, struct text *t);
void spec_write_limits(const struct spec *s, struct text *t);

/* Names all that decides a trial's result: model, data, prune, rung, seed and candidate (JSON text; NULL: the
 * baseline). */
enum err spec_digest(const struct spec *s, const char *candidate, char ret[DIGEST_HEX + 1], struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* order.h -- what a lease orders done, checked (docs/protocol.md, "Workers").
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_ORDER_H
#define EVALUATOR_ORDER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/trainspec.h"
#include "evaluator/data/source.h"

enum order_kind { ORDER_BASELINE, ORDER_CANDIDATE, ORDER_TEST };

/* Strings are borrowed from the lease. */
struct order {
	enum order_kind kind;
	const char *model; /* digest */
	const char *criterion;
	struct source source;
	const cJSON *data; /* what source was read from */
	int64_t recalibrate, images;
	bool trains; /* a candidate, by train */
	struct trainspec train;
	bool pretrains; /* the baseline, by pretrain */
	struct trainspec pretrain;
	const char *from; /* digest of the candidate's network as it came out of the rung below; NULL: none */
	bool timed;                  /* latency is wanted */
	int64_t latency_batch, latency_rounds;
	uint64_t seed;
	const cJSON *candidate; /* array of ints; NULL unless kind is ORDER_CANDIDATE */
};

enum err order_read(const cJSON *lease, struct order *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The same for orders about the same data, read and divided alike. */
enum err order_data_digest(const struct order *o, char ret[65], struct errinfo *e) __attribute__((warn_unused_result));

#endif

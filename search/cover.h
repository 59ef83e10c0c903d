/* cover.h -- costs that cover a window evenly, however early a job ends, and candidates that just keep them.
 * SPDX-License-Identifier: MIT
 *
 * Target k, a share of the intact network's cost, is point k of the golden-ratio sequence from a random start. "random"
 * and "uniform" are little more than this, populations begin with it. */
#ifndef SEARCH_COVER_H
#define SEARCH_COVER_H

#include <cjson/cJSON.h>

#include "base/err.h"
#include "search/metric.h"
#include "search/seen.h"

struct problem;
struct request;
struct space;

struct cover {
	const struct space *space;
	enum metric metric;
	double low, high; /* the window, narrowed to what is allowed */
	double most[METRIC_COUNT];
	bool limited;     /* some of `most` is finite */
	double start;     /* of the sequence */
	int asked;
	struct seen seen; /* all that was proposed */
	double *ratio;    /* the shape, group_count numbers; cover_repair writes it */
};

/* Of `metric` between two shares of the intact cost. stream: of the problem's seed, for the start. After an error c is
 * to be given to cover_fini all the same. */
enum err cover_init(struct cover *c, const struct problem *p, enum metric metric, double low, double high,
	uint64_t stream, struct errinfo *e) __attribute__((warn_unused_result));

/* As the options say: "metric" macs, params or bytes; the window "low".."high". */
enum err cover_check(const cJSON *options, struct errinfo *e) __attribute__((warn_unused_result));
enum err cover_read(struct cover *c, const struct problem *p, const cJSON *options, uint64_t stream, struct errinfo *e)
	__attribute__((warn_unused_result));

/* All of the first exact cost among the objectives, so that it is the front that is covered; otherwise of MACs. */
enum err cover_objective(struct cover *c, const struct problem *p, uint64_t stream, struct errinfo *e)
	__attribute__((warn_unused_result));
void cover_fini(struct cover *c);

/* x in [0, 1) as a share of the intact cost within the window. */
double cover_share(const struct cover *c, double x);
/* Target k = 0, 1, 2 ... */
double cover_target(const struct cover *c, int k);

/* The candidate in the proportions of c->ratio that just keeps the target. */
enum err cover_fit(const struct cover *c, double target, int *ret_keep, struct errinfo *e)
	__attribute__((warn_unused_result));

/* A candidate past one of the job's bounds is pruned further, in its own proportions. */
enum err cover_repair(const struct cover *c, int *keep, struct errinfo *e) __attribute__((warn_unused_result));

/* Candidate `keep` is proposed. */
enum err cover_add(struct cover *c, const int *keep, struct errinfo *e) __attribute__((warn_unused_result));
struct request cover_request(const struct cover *c, double target);

#endif

/* belief.h -- what is believed of the metrics that only an evaluation tells: a surrogate of each, and what it was
 * learned from.
 * SPDX-License-Identifier: MIT
 *
 * Learns from this job's results and, as long as they are few, from earlier jobs' (search/prior.h). How far those are
 * to be trusted is itself learned: by how far off they are for candidates that this job evaluated too. */
#ifndef SEARCH_BELIEF_H
#define SEARCH_BELIEF_H

#include "search/archive.h"
#include "search/link.h"
#include "search/strategy.h"

struct belief;

/* Effects (search/link.h) of one candidate, of the metrics that are believed in. */
struct estimate {
	double mean[METRIC_COUNT], deviation[METRIC_COUNT];
};

/* Of the measured metrics among p's objectives and constraints. p is borrowed, its prior too. */
enum err belief_open(const struct problem *p, struct belief **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void belief_close(struct belief *b); /* accepts NULL */

/* A result of this job, each once: judges the earlier ones. */
void belief_judge(struct belief *b, const struct outcome *o);

/* Learns anew from all that is in the archive, and from earlier results. */
enum err belief_learn(struct belief *b, const struct archive *a, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Of m candidates as rows of removed shares (space_shares); after belief_learn. */
enum err belief_predict(const struct belief *b, const double *x, int m, struct estimate *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* How the metric is linked to its effects. */
struct link belief_link(const struct belief *b, enum metric m);

/* Earlier results that are learned from, the best first. */
int belief_known(const struct belief *b);
const int *belief_known_keep(const struct belief *b, int i);

/* The effect on the metric of removing the share x of group g alone, by the additive part; NaN before anything was
 * learned, or when the metric is not among those believed in. */
double belief_of_group(const struct belief *b, enum metric m, int g, double x);

#endif

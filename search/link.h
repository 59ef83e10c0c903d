/* link.h -- metrics in the scale in which the effects of pruning several groups add up.
 * SPDX-License-Identifier: MIT
 *
 * An effect is 0 for the unpruned network and grows with what is removed:
 *
 *     accuracy         logit p(baseline) - logit p, p = (accuracy - chance) / (1 - chance)
 *     loss             log loss - log loss(baseline)
 *     memory, latency  log baseline - log value
 *
 * chance is the accuracy of a network that always gives the commonest answer. In the logit of the accuracy above chance
 * the damages of single groups nearly add up; in the accuracy itself they don't. At the floor nothing can be read off
 * any more: such an effect is censored, the true one is at least that. */
#ifndef SEARCH_LINK_H
#define SEARCH_LINK_H

#include <stdbool.h>

#include "search/metric.h"

/* Of one metric in one job. */
struct link {
	enum metric metric;
	double baseline, chance;
};

/* Whether the metric is measured rather than computed, so that there is anything to learn. */
bool link_applies(enum metric m);

/* Never NaN for a finite value; accuracies outside of what a logit can take count as the nearest inside. */
double link_effect(const struct link *l, double value);
/* The other way round. */
double link_value(const struct link *l, double effect);

/* The effect from which on a result is censored; INFINITY: never. */
double link_censored(const struct link *l);

/* The variance of the effect of a value, by the binomial law for an accuracy of some thousand images. */
double link_variance(const struct link *l, double value);

#endif

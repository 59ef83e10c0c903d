/* link.c -- metrics in the scale in which the effects of pruning several groups add up.
 * SPDX-License-Identifier: MIT */
#include "search/link.h"

#include <math.h>

/* Of the accuracy above chance: below, it is the luck of the draw; above, the logit of a few images. */
static const double LEAST = 0.05, MOST = 0.97, CLOSEST = 0.999;

/* Of the scored images; how many there were is not told, and matters little beside what the model doesn't explain. */
static const double IMAGES = 2000;
/* What repeated measurements of other metrics scatter by, and what no measurement is more exact than. */
static const double SCATTER = 0.01;

bool link_applies(enum metric m)
{
	return !metric_is_exact_cost(m);
}

static double logit(double p)
{
	return log(p / (1 - p));
}

static double above_chance(const struct link *l, double accuracy)
{
	return (accuracy - l->chance) / (1 - l->chance);
}

static double clamp(double x, double low, double high)
{
	return fmin(fmax(x, low), high);
}

static double reference(const struct link *l)
{
	return logit(clamp(above_chance(l, l->baseline), LEAST, CLOSEST));
}

static double positive(double x)
{
	return fmax(x, 1e-12);
}

double link_effect(const struct link *l, double value)
{
	switch (l->metric) {
	case METRIC_ACCURACY:
		return reference(l) - logit(clamp(above_chance(l, value), LEAST, CLOSEST));
	case METRIC_LOSS:
		return log(positive(value)) - log(positive(l->baseline));
	case METRIC_MEMORY:
	case METRIC_LATENCY:
	case METRIC_PARAMS:
	case METRIC_MACS:
	case METRIC_BYTES:
	case METRIC_COUNT:
		break;
	}
	return log(positive(l->baseline)) - log(positive(value));
}

double link_value(const struct link *l, double effect)
{
	switch (l->metric) {
	case METRIC_ACCURACY:
		return l->chance + (1 - l->chance) / (1 + exp(effect - reference(l)));
	case METRIC_LOSS:
		return positive(l->baseline) * exp(effect);
	case METRIC_MEMORY:
	case METRIC_LATENCY:
	case METRIC_PARAMS:
	case METRIC_MACS:
	case METRIC_BYTES:
	case METRIC_COUNT:
		break;
	}
	return positive(l->baseline) * exp(-effect);
}

double link_censored(const struct link *l)
{
	return l->metric == METRIC_ACCURACY ? reference(l) - logit(LEAST) - 1e-9 : INFINITY;
}

double link_variance(const struct link *l, double value)
{
	if (l->metric != METRIC_ACCURACY)
		return SCATTER;
	double p = clamp(above_chance(l, value), LEAST, MOST);
	return 1 / (IMAGES * p * (1 - p)) + SCATTER;
}

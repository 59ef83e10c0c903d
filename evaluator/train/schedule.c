/* schedule.c -- the learning rate over the steps of a training run.
 * SPDX-License-Identifier: MIT */
#include "evaluator/train/schedule.h"

#include <math.h>

#include "base/trainspec.h"

static const double PI = 3.14159265358979323846;

/* From `from` to `to` along half a cosine, t from 0 to 1. */
static double ease(double from, double to, double t)
{
	return to + (from - to) / 2 * (1 + cos(PI * t));
}

static double given_momentum(const struct trainspec *t)
{
	return t->optimizer == TRAIN_SGD ? t->momentum : t->beta1;
}

static struct pace one_cycle(const struct trainspec *t, double step, double steps)
{
	const double first = t->rate / 25, last = first / 1e4, share = 0.3, swing = 0.05;
	double middle = given_momentum(t), low = fmax(0, middle - swing), high = fmin(0.999, middle + swing);
	double top = share * steps - 1, end = steps - 1;
	if (middle == 0)
		low = high = 0;
	if (step <= top) {
		double at = top > 0 ? step / top : 1;
		return (struct pace){ ease(first, t->rate, at), ease(high, low, at) };
	}
	double at = end > top ? (step - top) / (end - top) : 1;
	return (struct pace){ ease(t->rate, last, at), ease(low, high, at) };
}

struct pace schedule_at(const struct trainspec *t, int64_t step, int64_t steps)
{
	if (t->schedule == TRAIN_ONE_CYCLE)
		return one_cycle(t, (double)step, (double)steps);
	double warm = floor(t->warmup * (double)steps), rate = t->rate;
	if ((double)step < warm)
		rate *= ((double)step + 1) / (warm + 1);
	else if (t->schedule == TRAIN_COSINE)
		rate = ease(rate, 0, ((double)step - warm) / ((double)steps - warm));
	return (struct pace){ rate, given_momentum(t) };
}

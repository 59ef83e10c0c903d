/* temperature.c -- how willing annealing is to take a worse state.
 * SPDX-License-Identifier: MIT */
#include "search/temperature.h"

#include <math.h>

enum { BISECTIONS = 50 };

/* Until changes were seen, half the spread is taken for a typical one. */
static const double USUAL_CHANGE = 0.5;

void temperature_reset(struct temperature *t, double acceptance)
{
	*t = (struct temperature){ .acceptance = acceptance };
}

void temperature_note(struct temperature *t, const struct energy *energy)
{
	double value = energy->value;
	if (!isfinite(value))
		return;
	if (t->seen++ == 0) {
		t->least = t->most = value;
	} else {
		t->least = fmin(t->least, value);
		t->most = fmax(t->most, value);
		if (value != t->last)
			t->changes[t->change_count++ % TEMPERATURE_CHANGES] = fabs(value - t->last);
	}
	t->last = value;
}

static double mean_acceptance(const struct temperature *t, int n, double spread, double temperature)
{
	double sum = 0;
	for (int i = 0; i < n; i++)
		sum += exp(-t->changes[i] / (spread * temperature));
	return sum / n;
}

/* How many changes say something: none without a spread. */
static int changes_kept(const struct temperature *t)
{
	int n = t->change_count < TEMPERATURE_CHANGES ? t->change_count : TEMPERATURE_CHANGES;
	return t->most > t->least ? n : 0;
}

/* Takes a change of the whole spread as often as wanted. */
static double hottest(const struct temperature *t)
{
	return 1 / -log(t->acceptance);
}

double temperature_start(const struct temperature *t)
{
	int n = changes_kept(t);
	if (n == 0)
		return USUAL_CHANGE * hottest(t);
	double low = 0, high = hottest(t);
	for (int i = 0; i < BISECTIONS; i++) {
		double middle = low + (high - low) / 2;
		if (mean_acceptance(t, n, t->most - t->least, middle) < t->acceptance)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Whether temperature_start is above `wanted`: one step of its bisection. */
static bool starts_above(const struct temperature *t, double wanted)
{
	int n = changes_kept(t);
	if (n == 0)
		return USUAL_CHANGE * hottest(t) > wanted;
	return wanted < hottest(t) && mean_acceptance(t, n, t->most - t->least, wanted) < t->acceptance;
}

/* 0..1 for a feasible state, 1 to 3 for an infeasible one. */
static double height(const struct temperature *t, const struct energy *energy)
{
	double spread = t->most - t->least;
	double level = spread > 0 ? (energy->value - t->least) / spread : 0;
	level = level < 0 ? 0 : level > 1 ? 1 : level;
	return energy->violation > 0 ? level + 1 + fmin(energy->violation, 1) : level;
}

bool temperature_accepts(const struct temperature *t, const struct energy *from, const struct energy *to, double cold,
	struct rng *r)
{
	if (!isfinite(to->value))
		return false;
	if (!isfinite(from->value))
		return true;
	double rise = height(t, to) - height(t, from);
	if (rise <= 0)
		return true;
	/* u < exp(-rise / (cold * start)), for start */
	return starts_above(t, rise / (cold * -log(rng_uniform(r))));
}

bool energy_better(const struct energy *a, const struct energy *b)
{
	if (isfinite(a->value) != isfinite(b->value))
		return isfinite(a->value);
	if (a->violation != b->violation)
		return a->violation < b->violation;
	return a->value < b->value;
}

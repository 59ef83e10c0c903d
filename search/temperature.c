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

double temperature_start(const struct temperature *t)
{
	double spread = t->most - t->least;
	double hottest = 1 / -log(t->acceptance); /* takes a change of the whole spread as often as wanted */
	int n = t->change_count < TEMPERATURE_CHANGES ? t->change_count : TEMPERATURE_CHANGES;
	if (n == 0 || !(spread > 0))
		return USUAL_CHANGE * hottest;
	double low = 0, high = hottest;
	for (int i = 0; i < BISECTIONS; i++) {
		double middle = low + (high - low) / 2;
		if (mean_acceptance(t, n, spread, middle) < t->acceptance)
			low = middle;
		else
			high = middle;
	}
	return high;
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
	return rise <= 0 || rng_uniform(r) < exp(-rise / (cold * temperature_start(t)));
}

bool energy_better(const struct energy *a, const struct energy *b)
{
	if (isfinite(a->value) != isfinite(b->value))
		return isfinite(a->value);
	if (a->violation != b->violation)
		return a->violation < b->violation;
	return a->value < b->value;
}

/* temperature.h -- how willing annealing is to take a worse state.
 * SPDX-License-Identifier: MIT
 *
 * Raw accuracies differ by hundredths and losses by anything, so a fixed temperature is either a random walk or
 * greedy. Here a difference counts as a share of the spread of the values seen in the round, and the starting
 * temperature is the one at which the changes seen so far would be taken with the wanted mean probability
 * (Ben-Ameur 2004). */
#ifndef SEARCH_TEMPERATURE_H
#define SEARCH_TEMPERATURE_H

#include <stdbool.h>

#include "base/rng.h"

enum { TEMPERATURE_CHANGES = 64 };

/* One evaluated state. Less is better; value +infinity: it could not be evaluated. */
struct energy {
	double value, violation;
};

struct temperature {
	double acceptance;  /* mean probability of taking a worse state at the start, in (0, 1) */
	double least, most; /* of the finite values seen */
	int seen;
	double last;        /* value seen last */
	double changes[TEMPERATURE_CHANGES]; /* the latest differences between successive values, none 0 */
	int change_count;
};

/* Forgets all that was seen. */
void temperature_reset(struct temperature *t, double acceptance);

/* Takes notice of a state's value. */
void temperature_note(struct temperature *t, const struct energy *energy);

/* The starting temperature, in shares of the spread. */
double temperature_start(const struct temperature *t);

/* Whether to go from one state to another at `cold` times the starting temperature, 0 < cold <= 1. Always when it is no
 * worse, never to one that could not be evaluated. A violation weighs more than the whole spread. */
bool temperature_accepts(const struct temperature *t, const struct energy *from, const struct energy *to, double cold,
	struct rng *r);

/* Order without chance: evaluated before failed, feasible before infeasible, then by violation, then by value. */
bool energy_better(const struct energy *a, const struct energy *b);

#endif

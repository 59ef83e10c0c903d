/* problems.h -- problems whose fronts are known, as searches in a space of channels.
 * SPDX-License-Identifier: MIT
 *
 * Variable i is (keep[i] - 1) / 10000 of a group of 10001 channels that cost next to nothing (fixture_flat), scaled to
 * the variable's range. Objectives are loss, latency and memory; a violation v is the accuracy 0.5 - v, of which at
 * least 0.5 is asked. ZDT: Zitzler, Deb & Thiele 2000; DTLZ2: Deb et al. 2002; C2-DTLZ2: Jain & Deb 2014; BNH: Binh &
 * Korn 1997. */
#ifndef TESTS_SEARCH_PROBLEMS_H
#define TESTS_SEARCH_PROBLEMS_H

#include <stdbool.h>
#include <stdint.h>

struct known_problem {
	const char *name;
	int variables, objectives;
	bool constrained;
	double most[4];      /* ranges of the first variables from 0, 0: up to 1 */
	double reference[4]; /* of the hypervolume */
	/* x: the variables; a violation of 0: feasible. */
	void (*evaluate)(const double *x, double *ret_point, double *ret_violation);
	/* The hypervolume of the true front. */
	double (*volume)(void);
};

/* "zdt1", "zdt2", "zdt3" (30 variables), "dtlz2", "c2dtlz2" (12, three objectives), "bnh" (2). Fails the test for
 * another name. */
const struct known_problem *known_problem(const char *name);

/* Runs a strategy, results told as late as the window allows: the hypervolume of what it found (and was feasible) as a
 * share of the true front's. */
double known_share(const struct known_problem *k, const char *strategy, int evaluations, int window, uint64_t seed);

#endif

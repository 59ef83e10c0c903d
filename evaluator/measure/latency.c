/* latency.c -- how long the pruned network takes, beside the unpruned one.
 * SPDX-License-Identifier: MIT
 *
 * What else the machine does hits both networks of a round alike, so the ratio is far steadier than the times. Within a
 * burst each run is timed alone and the median counts: a run that was interrupted by another process does not. */
#include "evaluator/measure/latency.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "evaluator/kernels/plan.h"

static const int64_t BURST_NS =
	2000000; /* long against the clock and the scheduler, short against a change of the machine's speed */
enum { LEAST_RUNS = 3, MOST_RUNS = 1000, MOST_ROUNDS = 10000 };

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Linear interpolation between the closest ranks of sorted x. */
static double quantile(const double *x, int n, double q)
{
	double at = q * (n - 1);
	int low = (int)at;
	return low + 1 < n ? x[low] + (at - low) * (x[low + 1] - x[low]) : x[n - 1];
}

/* The median nanoseconds of `runs` runs, at most MOST_RUNS. */
static enum err burst(struct plan *p, int runs, double *ret, struct errinfo *e)
{
	double ns[MOST_RUNS];
	for (int i = 0; i < runs; i++) {
		int64_t start = clock_ns();
		enum err err = plan_run(p, e);
		if (err)
			return err;
		ns[i] = (double)(clock_ns() - start);
	}
	qsort(ns, (size_t)runs, sizeof *ns, by_size);
	*ret = quantile(ns, runs, 0.5);
	return ERR_OK;
}

/* Warms up and says how many runs make a burst. */
static enum err warm_up(struct plan *p, int *ret_runs, struct errinfo *e)
{
	double ns = 1;
	enum err err = burst(p, LEAST_RUNS, &ns, e);
	if (err)
		return err;
	double runs = (double)BURST_NS / ns;
	*ret_runs = runs < LEAST_RUNS ? LEAST_RUNS : runs > MOST_RUNS ? MOST_RUNS : (int)runs;
	return ERR_OK;
}

static enum err time_rounds(struct plan *baseline, struct plan *pruned, int rounds, const atomic_bool *stop, double *ns,
	double *ratio, struct errinfo *e)
{
	int runs_baseline = 1, runs_pruned = 1;
	enum err err = warm_up(baseline, &runs_baseline, e);
	if (!err)
		err = warm_up(pruned, &runs_pruned, e);
	for (int i = 0; i < rounds && !err; i++) {
		double before = 1;
		if (stop && atomic_load(stop))
			return err_set(e, ERR_GONE, "stopped");
		if (i % 2)
			err = burst(pruned, runs_pruned, &ns[i], e);
		if (!err)
			err = burst(baseline, runs_baseline, &before, e);
		if (!err && i % 2 == 0)
			err = burst(pruned, runs_pruned, &ns[i], e);
		ratio[i] = ns[i] / before;
	}
	return err;
}

/* Both networks see the same numbers, as a normalised image has: what a plan was left with could be subnormal and slow.
 */
static void fill_input(struct plan *p)
{
	struct rng rng;
	rng_init(&rng, 1, 0);
	for (int k = 0; k < plan_input_count(p); k++)
		for (int64_t i = 0; i < plan_batch(p) * plan_input_size(p, k); i++)
			plan_input(p, k)[i] = (float)rng_normal(&rng);
}

enum err latency_measure(struct plan *baseline, struct plan *pruned, int rounds, const atomic_bool *stop,
	struct latency *ret, struct errinfo *e)
{
	if (rounds < 3 || rounds > MOST_ROUNDS)
		return err_set(
			e, ERR_INPUT, "latency.rounds: is %d, expected an integer from 3 to %d", rounds, MOST_ROUNDS);
	double *ns = calloc(2 * (size_t)rounds, sizeof *ns);
	if (!ns)
		return err_set(e, ERR_MEMORY, "out of memory");
	double *ratio = ns + rounds;
	fill_input(baseline);
	fill_input(pruned);
	enum err err = time_rounds(baseline, pruned, rounds, stop, ns, ratio, e);
	if (!err) {
		qsort(ns, (size_t)rounds, sizeof *ns, by_size);
		qsort(ratio, (size_t)rounds, sizeof *ratio, by_size);
		*ret = (struct latency){ .median_ms = quantile(ns, rounds, 0.5) / 1e6,
			.p10_ms = quantile(ns, rounds, 0.1) / 1e6,
			.p90_ms = quantile(ns, rounds, 0.9) / 1e6,
			.ratio = quantile(ratio, rounds, 0.5),
			.ratio_p10 = quantile(ratio, rounds, 0.1),
			.ratio_p90 = quantile(ratio, rounds, 0.9) };
	}
	free(ns);
	return err;
}

/* problems.c -- problems whose fronts are known.
 * SPDX-License-Identifier: MIT */
#include "tests/search/problems.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/pareto.h"
#include "search/space.h"
#include "tests/search/fixture.h"

enum { VARIABLES = 30, MOST_VARIABLES = 30, SAMPLES = 100000, GRID = 300 };

static const double PI = 3.14159265358979323846;

/* ---- two objectives ---- */

static double zdt_distance(const double *x)
{
	double sum = 0;
	for (int i = 1; i < VARIABLES; i++)
		sum += x[i];
	return 1 + 9 * sum / (VARIABLES - 1);
}

static void zdt1(const double *x, double *ret_point, double *ret_violation)
{
	double g = zdt_distance(x);
	ret_point[0] = x[0];
	ret_point[1] = g * (1 - sqrt(x[0] / g));
	*ret_violation = 0;
}

static void zdt2(const double *x, double *ret_point, double *ret_violation)
{
	double g = zdt_distance(x);
	ret_point[0] = x[0];
	ret_point[1] = g * (1 - (x[0] / g) * (x[0] / g));
	*ret_violation = 0;
}

static void zdt3(const double *x, double *ret_point, double *ret_violation)
{
	double g = zdt_distance(x);
	ret_point[0] = x[0];
	ret_point[1] = g * (1 - sqrt(x[0] / g) - x[0] / g * sin(10 * PI * x[0]));
	*ret_violation = 0;
}

static void bnh(const double *x, double *ret_point, double *ret_violation)
{
	double inside = (x[0] - 5) * (x[0] - 5) + x[1] * x[1] - 25;
	double outside = 7.7 - (x[0] - 8) * (x[0] - 8) - (x[1] + 3) * (x[1] + 3);
	ret_point[0] = 4 * x[0] * x[0] + 4 * x[1] * x[1];
	ret_point[1] = (x[0] - 5) * (x[0] - 5) + (x[1] - 5) * (x[1] - 5);
	*ret_violation = fmax(inside, 0) + fmax(outside, 0);
}

static double hypervolume(const double *points, int n, int m, const double *reference)
{
	struct errinfo e = { 0 };
	double volume = 0;
	ok(pareto_hypervolume(points, n, m, reference, &volume, &e));
	return volume;
}

static double zdt1_volume(void)
{
	return 0.1 + 2.0 / 3 + 0.11;
}

static double zdt2_volume(void)
{
	return 0.1 + 1.0 / 3 + 0.11;
}

/* Of a curve that holds the front, sampled densely. */
static double sampled(void (*evaluate)(const double *, double *, double *), void (*curve)(double t, double *ret_x),
	const double *reference)
{
	double *points = calloc(SAMPLES + 1, 2 * sizeof *points), violation, volume;
	for (int i = 0; i <= SAMPLES; i++) {
		double x[MOST_VARIABLES] = { 0 };
		curve((double)i / SAMPLES, x);
		evaluate(x, points + 2 * i, &violation);
		ck_assert_double_eq(violation, 0);
	}
	volume = hypervolume(points, SAMPLES + 1, 2, reference);
	free(points);
	return volume;
}

static void first_variable(double t, double *ret_x)
{
	ret_x[0] = t;
}

static double zdt3_volume(void)
{
	return sampled(zdt3, first_variable, (double[]){ 1.1, 1.1 });
}

/* x1 = x2 up to 3, where x2 ends. */
static void bnh_curve(double t, double *ret_x)
{
	ret_x[0] = 5 * t;
	ret_x[1] = fmin(5 * t, 3);
}

static double bnh_volume(void)
{
	return sampled(bnh, bnh_curve, (double[]){ 140, 55 });
}

/* ---- three objectives ---- */

static void dtlz2(const double *x, double *ret_point, double *ret_violation)
{
	double g = 0;
	for (int i = 2; i < 12; i++)
		g += (x[i] - 0.5) * (x[i] - 0.5);
	ret_point[0] = (1 + g) * cos(x[0] * PI / 2) * cos(x[1] * PI / 2);
	ret_point[1] = (1 + g) * cos(x[0] * PI / 2) * sin(x[1] * PI / 2);
	ret_point[2] = (1 + g) * sin(x[0] * PI / 2);
	*ret_violation = 0;
}

/* Only near the corners and the middle of the front, within a radius of 0.4. */
static void c2dtlz2(const double *x, double *ret_point, double *ret_violation)
{
	dtlz2(x, ret_point, ret_violation);
	double least = -0.16;
	for (int k = 0; k < 3; k++)
		least += (ret_point[k] - 1 / sqrt(3)) * (ret_point[k] - 1 / sqrt(3));
	for (int i = 0; i < 3; i++) {
		double corner = -0.16;
		for (int k = 0; k < 3; k++)
			corner += (ret_point[k] - (k == i)) * (ret_point[k] - (k == i));
		least = fmin(least, corner);
	}
	*ret_violation = fmax(least, 0);
}

/* What the eighth of a ball leaves of the cube. */
static double dtlz2_volume(void)
{
	return 1.1 * 1.1 * 1.1 - PI / 6;
}

static double c2dtlz2_volume(void)
{
	double *points = calloc((GRID + 1) * (GRID + 1), 3 * sizeof *points), violation, volume;
	int n = 0;
	for (int i = 0; i <= GRID; i++)
		for (int k = 0; k <= GRID; k++) {
			double x[MOST_VARIABLES] = { (double)i / GRID, (double)k / GRID };
			for (int j = 2; j < 12; j++)
				x[j] = 0.5;
			c2dtlz2(x, points + 3 * n, &violation);
			n += violation == 0;
		}
	volume = hypervolume(points, n, 3, (double[]){ 1.1, 1.1, 1.1 });
	free(points);
	return volume;
}

/* ---- running ---- */

static const struct known_problem problems[] = {
	{ "zdt1", VARIABLES, 2, false, { 0 }, { 1.1, 1.1 }, zdt1, zdt1_volume },
	{ "zdt2", VARIABLES, 2, false, { 0 }, { 1.1, 1.1 }, zdt2, zdt2_volume },
	{ "zdt3", VARIABLES, 2, false, { 0 }, { 1.1, 1.1 }, zdt3, zdt3_volume },
	{ "dtlz2", 12, 3, false, { 0 }, { 1.1, 1.1, 1.1 }, dtlz2, dtlz2_volume },
	{ "c2dtlz2", 12, 3, true, { 0 }, { 1.1, 1.1, 1.1 }, c2dtlz2, c2dtlz2_volume },
	{ "bnh", 2, 2, true, { 5, 3 }, { 140, 55 }, bnh, bnh_volume },
};

const struct known_problem *known_problem(const char *name)
{
	for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
		if (!strcmp(problems[i].name, name))
			return &problems[i];
	ck_abort_msg("no problem \"%s\"", name);
	return NULL;
}

static const enum metric objectives[] = { METRIC_LOSS, METRIC_LATENCY, METRIC_MEMORY };

static struct problem as_search(const struct known_problem *k, const struct space *s)
{
	struct problem p = fixture_problem(s);
	p.objective_count = k->objectives;
	memcpy(p.objectives, objectives, (size_t)k->objectives * sizeof *objectives);
	if (k->constrained)
		fixture_constrain(&p, "accuracy", ">= 0.5");
	return p;
}

/* *ret_point is what the hypervolume counts: nothing where it isn't feasible. */
static struct outcome evaluate(const struct known_problem *k, int number, const int *keep, double *ret_point)
{
	double x[MOST_VARIABLES], violation;
	struct outcome o = { .number = number, .ok = true };
	for (int i = 0; i < k->variables; i++)
		x[i] = (keep[i] - 1) / 10000.0 * (i < 4 && k->most[i] > 0 ? k->most[i] : 1);
	k->evaluate(x, ret_point, &violation);
	for (int i = 0; i < k->objectives; i++) {
		o.metrics[objectives[i]] = ret_point[i];
		ret_point[i] = violation > 0 ? INFINITY : ret_point[i];
	}
	o.metrics[METRIC_ACCURACY] = 0.5 - violation;
	return o;
}

double known_share(const struct known_problem *k, const char *strategy, int evaluations, int window, uint64_t seed)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_flat(k->variables);
	struct problem p = as_search(k, s);
	struct table *t = NULL;
	cJSON *object = fixture_json(strategy);
	double *points = calloc((size_t)evaluations, 4 * sizeof *points), volume;
	struct outcome *outcomes = calloc((size_t)evaluations, sizeof *outcomes);
	int n = 0, told = 0;
	p.budget = evaluations;
	p.window = window;
	p.seed = seed;
	ok(table_open(&p, object, &t, &e));
	for (;;) {
		enum table_answer answer;
		struct request request;
		int number, keep[MOST_VARIABLES];
		ok(table_ask(t, &answer, &number, keep, &request, &e));
		if (answer == TABLE_DONE)
			break;
		if (answer == TABLE_PROPOSAL) {
			outcomes[n] = evaluate(k, number, keep, points + (size_t)n * (size_t)k->objectives);
			n++;
		} else {
			ok(table_tell(t, &outcomes[told++], &e));
		}
	}
	volume = hypervolume(points, n, k->objectives, k->reference);
	free(points);
	free(outcomes);
	table_close(t);
	cJSON_Delete(object);
	space_free(s);
	return volume / k->volume();
}

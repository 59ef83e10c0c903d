/* pareto.c -- dominance, sorting, crowding and hypervolume against their definitions.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "search/order.h"
#include "search/pareto.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

enum { MOST = 60, GRID = 7 };

/* Coarse values, so that ties and equal points abound; sometimes not a number or infinite. */
static double coarse(struct rng *r)
{
	uint64_t x = rng_below(r, 40);
	return x == 0 ? NAN : x == 1 ? INFINITY : x == 2 ? -INFINITY : (double)(x % 6);
}

static bool dominates_by_definition(const double *a, double av, const double *b, double bv, int m)
{
	av = isnan(av) ? INFINITY : fmax(av, 0);
	bv = isnan(bv) ? INFINITY : fmax(bv, 0);
	if (av != bv)
		return av < bv;
	int worse = 0, better = 0;
	for (int i = 0; i < m; i++) {
		double x = isnan(a[i]) ? INFINITY : a[i], y = isnan(b[i]) ? INFINITY : b[i];
		worse += x > y;
		better += x < y;
	}
	return !worse && better;
}

/* Peels fronts off, straight from the definition. */
static void rank_by_definition(const double *points, const double *violation, int n, int m, int *rank)
{
	for (int i = 0; i < n; i++)
		rank[i] = -1;
	for (int front = 0, left = n; left > 0; front++) {
		bool first[MOST] = { false };
		for (int i = 0; i < n; i++) {
			first[i] = rank[i] < 0;
			for (int j = 0; j < n && first[i]; j++)
				if (rank[j] < 0 && dominates_by_definition(points + j * m, violation ? violation[j] : 0,
						points + i * m, violation ? violation[i] : 0, m))
					first[i] = false;
		}
		for (int i = 0; i < n; i++)
			if (first[i]) {
				rank[i] = front;
				left--;
			}
	}
}

START_TEST(the_sort_agrees_with_brute_force_on_1000_random_sets)
{
	struct errinfo e = { 0 };
	struct rng r;
	rng_init(&r, 1, 0);
	for (int set = 0; set < 1000; set++) {
		int n = (int)rng_below(&r, MOST + 1), m = 2 + set % 3, rank[MOST], wanted[MOST];
		double points[MOST * PARETO_MAX_OBJECTIVES], violation[MOST];
		for (int i = 0; i < n * m; i++)
			points[i] = set % 2 ? rng_uniform(&r) : coarse(&r);
		for (int i = 0; i < n; i++)
			violation[i] = set % 5 == 0 ? coarse(&r) : rng_uniform(&r) < 0.7 ? 0 : (double)rng_below(&r, 3);
		const double *v = set % 4 ? violation : NULL;
		ok(pareto_sort(points, v, n, m, rank, &e));
		rank_by_definition(points, v, n, m, wanted);
		ck_assert_mem_eq(rank, wanted, (size_t)n * sizeof *rank);
	}
}
END_TEST

START_TEST(dominance_is_that_of_the_definition)
{
	struct rng r;
	int dominated = 0;
	rng_init(&r, 2, 0);
	for (int i = 0; i < 20000; i++) {
		int m = 2 + i % 3;
		double a[4], b[4], av = i % 2 ? 0 : coarse(&r), bv = i % 2 ? 0 : coarse(&r);
		for (int k = 0; k < m; k++) {
			a[k] = coarse(&r);
			b[k] = i % 7 ? coarse(&r) : a[k];
		}
		bool wanted = dominates_by_definition(a, av, b, bv, m);
		ck_assert_int_eq(pareto_dominates(a, av, b, bv, m), wanted);
		dominated += wanted;
	}
	ck_assert_int_gt(dominated, 1000);
}
END_TEST

START_TEST(crowding_is_the_sum_of_the_neighbours_distances)
{
	struct errinfo e = { 0 };
	double points[] = { 0, 10, 100, 100, 1, 6, 3, 5, 4, 0 }, distance[5] = { 0 };
	int members[] = { 0, 2, 3, 4 };
	distance[1] = -5;
	ok(pareto_crowding(points, 2, members, 4, distance, &e));
	ck_assert_double_eq(distance[0], INFINITY);
	ck_assert_double_eq(distance[4], INFINITY);
	ck_assert_double_eq_tol(distance[2], 3.0 / 4 + 5.0 / 10, 1e-12);
	ck_assert_double_eq_tol(distance[3], 3.0 / 4 + 6.0 / 10, 1e-12);
	ck_assert_double_eq(distance[1], -5); /* not a member */
}
END_TEST

START_TEST(crowding_is_never_nan)
{
	struct errinfo e = { 0 };
	struct rng r;
	rng_init(&r, 3, 0);
	for (int set = 0; set < 500; set++) {
		int n = 1 + (int)rng_below(&r, 12), m = 2 + set % 3, members[12];
		double points[12 * 4], distance[12];
		for (int i = 0; i < n * m; i++)
			points[i] = coarse(&r);
		for (int i = 0; i < n; i++)
			members[i] = i;
		ok(pareto_crowding(points, m, members, n, distance, &e));
		for (int i = 0; i < n; i++)
			ck_assert(distance[i] >= 0);
	}
}
END_TEST

/* Unit cells of the grid that some point dominates. */
static int cells_dominated(const double *points, int n, int m)
{
	int count = 0, cells = 1;
	for (int k = 0; k < m; k++)
		cells *= GRID;
	for (int cell = 0; cell < cells; cell++) {
		bool dominated = false;
		for (int i = 0; i < n && !dominated; i++) {
			dominated = true;
			for (int k = 0, rest = cell; k < m; k++, rest /= GRID)
				dominated = dominated && points[i * m + k] <= rest % GRID;
		}
		count += dominated;
	}
	return count;
}

START_TEST(the_hypervolume_counts_the_cells_of_an_integer_grid)
{
	struct errinfo e = { 0 };
	struct rng r;
	double reference[] = { GRID, GRID, GRID, GRID };
	rng_init(&r, 4, 0);
	for (int set = 0; set < 600; set++) {
		int n = (int)rng_below(&r, 16), m = 2 + set % 3;
		double points[16 * 4], got = -1;
		for (int i = 0; i < n * m; i++)
			points[i] = (double)rng_below(&r, GRID + 2); /* some lie beyond the reference */
		ok(pareto_hypervolume(points, n, m, reference, &got, &e));
		ck_assert_double_eq_tol(got, cells_dominated(points, n, m), 1e-9);
	}
}
END_TEST

/* Of the union of boxes from each point to the reference 1, by inclusion and exclusion of all intersections. */
static double volume_by_definition(const double *points, int n, int m)
{
	double sum = 0;
	for (unsigned subset = 1; subset < 1u << n; subset++) {
		double box = -1;
		for (int i = 0; i < n; i++)
			box *= subset >> i & 1 ? -1 : 1;
		for (int k = 0; k < m; k++) {
			double corner = 0;
			for (int i = 0; i < n; i++)
				corner = subset >> i & 1 ? fmax(corner, points[i * m + k]) : corner;
			box *= fmax(1 - corner, 0);
		}
		sum += box;
	}
	return sum;
}

START_TEST(the_hypervolume_is_that_of_the_union_of_boxes_in_any_order)
{
	enum { N = 10 };
	struct errinfo e = { 0 };
	struct rng r;
	double reference[] = { 1, 1, 1, 1 };
	rng_init(&r, 5, 0);
	for (int set = 0; set < 300; set++) {
		int n = 1 + (int)rng_below(&r, N), m = 2 + set % 3;
		double points[N * 4], shuffled[N * 4], volume, again;
		uint32_t order[N];
		for (int i = 0; i < n * m; i++) /* a third of the coordinates is another point's: ties */
			points[i] = i >= m && rng_below(&r, 3) == 0 ? points[i % m] : 1.1 * rng_uniform(&r);
		rng_permutation(&r, order, (size_t)n);
		for (int i = 0; i < n; i++)
			memcpy(shuffled + i * m, points + (int)order[i] * m, (size_t)m * sizeof *points);
		ok(pareto_hypervolume(points, n, m, reference, &volume, &e));
		ok(pareto_hypervolume(shuffled, n, m, reference, &again, &e));
		ck_assert_double_eq_tol(volume, volume_by_definition(points, n, m), 1e-12);
		ck_assert_double_eq_tol(again, volume, 1e-12);
	}
}
END_TEST

START_TEST(the_hypervolume_ignores_what_is_not_finite)
{
	struct errinfo e = { 0 };
	double points[] = { NAN, 0, 0, INFINITY, -INFINITY, 0, 0.5, 0.5 }, got = -1;
	ok(pareto_hypervolume(points, 4, 2, (double[]){ 1, 1 }, &got, &e));
	ck_assert_double_eq_tol(got, 0.25, 1e-15);
	ok(pareto_hypervolume(points, 0, 2, (double[]){ 1, 1 }, &got, &e));
	ck_assert_double_eq(got, 0);
}
END_TEST

START_TEST(a_three_dimensional_front_in_four_dimensions_has_its_volume_times_the_depth)
{
	struct errinfo e = { 0 };
	struct rng r;
	double flat[50 * 3], deep[50 * 4], reference[] = { 1, 1, 1, 1 }, three, four;
	rng_init(&r, 6, 0);
	for (int i = 0; i < 50; i++) {
		for (int k = 0; k < 3; k++)
			flat[i * 3 + k] = deep[i * 4 + k] = rng_uniform(&r);
		deep[i * 4 + 3] = 0.25;
	}
	ok(pareto_hypervolume(flat, 50, 3, reference, &three, &e));
	ok(pareto_hypervolume(deep, 50, 4, reference, &four, &e));
	ck_assert_double_eq_tol(four, 0.75 * three, 1e-12);
	ck_assert_double_gt(three, 0.1);
}
END_TEST

START_TEST(points_are_ordered_by_violation_front_crowding_and_place)
{
	struct errinfo e = { 0 };
	static const double points[][2] = {
		{ 6, 7 },   /* second front */
		{ 0, 10 },  /* first front, an end */
		{ 2, 6 },   /* between, crowded */
		{ 3, 5.5 }, /* likewise, less so */
		{ 10, 0 },  /* the other end */
		{ 1, 1 },   /* would beat nearly all, but misses a bound */
		{ 0, 10 },  /* the same as the second: an end of the other objective */
	};
	static const double violation[] = { 0, 0, 0, 0, 0, 0.1, 0 };
	static const int wanted[] = { 1, 4, 6, 3, 2, 0, 5 };
	int order[7], front;
	ok(order_points(&points[0][0], violation, 7, 2, order, &e));
	ck_assert_mem_eq(order, wanted, sizeof wanted);
	ok(order_front(&points[0][0], violation, 7, 2, order, &front, &e));
	ck_assert_mem_eq(order, wanted, sizeof wanted);
	ck_assert_int_eq(front, 5); /* the equal ones too */
	ok(order_points(&points[0][0], NULL, 7, 2, order, &e));
	ck_assert(order[4] == 2 && order[5] == 3 && order[6] == 0); /* now all beaten by the sixth */
}
END_TEST

Suite *pareto_suite(void)
{
	Suite *suite = suite_create("pareto");
	TCase *c = tcase_create("pareto");
	tcase_add_test(c, the_sort_agrees_with_brute_force_on_1000_random_sets);
	tcase_add_test(c, dominance_is_that_of_the_definition);
	tcase_add_test(c, crowding_is_the_sum_of_the_neighbours_distances);
	tcase_add_test(c, crowding_is_never_nan);
	tcase_add_test(c, the_hypervolume_counts_the_cells_of_an_integer_grid);
	tcase_add_test(c, the_hypervolume_is_that_of_the_union_of_boxes_in_any_order);
	tcase_add_test(c, the_hypervolume_ignores_what_is_not_finite);
	tcase_add_test(c, a_three_dimensional_front_in_four_dimensions_has_its_volume_times_the_depth);
	tcase_add_test(c, points_are_ordered_by_violation_front_crowding_and_place);
	suite_add_tcase(suite, c);
	return suite;
}

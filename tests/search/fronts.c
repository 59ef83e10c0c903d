/* fronts.c -- strategies that look for whole fronts, on problems whose fronts are known.
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "tests/search/fixture.h"
#include "tests/search/problems.h"
#include "tests/search/suites.h"

static const struct {
	const char *problem, *strategy;
	int evaluations, window;
	double share; /* of the true front's hypervolume */
} cases[] = {
	{ "zdt1", "{\"name\": \"nsga2\", \"population\": 100}", 25000, 0, 0.995 },
	{ "zdt1", "{\"name\": \"nsga2\", \"population\": 50}", 25000, 4, 0.995 },
	{ "zdt2", "{\"name\": \"nsga2\", \"population\": 100}", 25000, 0, 0.995 },
	{ "zdt3", "{\"name\": \"nsga2\", \"population\": 100}", 25000, 0, 0.995 },
	{ "dtlz2", "{\"name\": \"nsga2\", \"population\": 100}", 25000, 0, 0.97 },
	{ "c2dtlz2", "{\"name\": \"nsga2\", \"population\": 100}", 25000, 0, 0.98 },
	{ "bnh", "{\"name\": \"nsga2\", \"population\": 100}", 5000, 0, 0.995 },
	{ "zdt1", "{\"name\": \"abc\", \"sources\": 50}", 25000, 0, 0.995 },
	{ "zdt2", "{\"name\": \"abc\", \"sources\": 50}", 25000, 0, 0.995 },
	{ "zdt3", "{\"name\": \"abc\", \"sources\": 50}", 25000, 4, 0.995 },
	{ "dtlz2", "{\"name\": \"abc\", \"sources\": 50}", 25000, 0, 0.98 },
	{ "c2dtlz2", "{\"name\": \"abc\", \"sources\": 50}", 25000, 0, 0.98 },
	{ "bnh", "{\"name\": \"abc\", \"sources\": 50}", 5000, 0, 0.995 },
};
enum { CASES = sizeof cases / sizeof *cases, SEEDS = 2 };

START_TEST(the_front_is_reached)
{
	int which = _i / SEEDS, seed = 1 + _i % SEEDS;
	double share = known_share(known_problem(cases[which].problem), cases[which].strategy,
		cases[which].evaluations, cases[which].window, (uint64_t)seed);
	printf("%s, seed %d, %s: %.4f of the hypervolume\n", cases[which].problem, seed, cases[which].strategy, share);
	ck_assert_double_le(share, 1.001); /* the true volume is of samples, where there is no formula */
	ck_assert_double_ge(share, cases[which].share);
}
END_TEST

Suite *fronts_suite(void)
{
	Suite *suite = suite_create("fronts");
	TCase *c = tcase_create("fronts");
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, the_front_is_reached, 0, CASES * SEEDS);
	suite_add_tcase(suite, c);
	return suite;
}

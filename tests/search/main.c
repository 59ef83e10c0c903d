/* main.c -- runs the tests of search/.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tests/search/suites.h"

int main(void)
{
	Suite *(*const suites[])(void) = {
		space_suite, cost_suite, budget_suite, constraint_suite, pareto_suite, front_suite, halving_suite,
		stall_suite, best_suite,
		table_suite, strategy_suite, uniform_suite, random_suite, anneal_suite, netadapt_suite,
		nsga2_suite, abc_suite, fronts_suite,
		link_suite, additive_suite, process_suite, improvement_suite,
		surrogate_suite, archive_suite, prior_suite, belief_suite, guided_suite, explain_suite,
	};
	SRunner *runner = srunner_create(NULL);
	for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
		srunner_add_suite(runner, suites[i]());
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* main.c -- runs all suites of the evaluator.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/evaluator/suites.h"

int main(int argc, char **argv)
{
	/* What test_worker.c lets a worker execute in its own place. */
	if (argc == 2 && !strcmp(argv[1], RESTARTED))
		return RESTARTED_STATUS;
	SRunner *runner = srunner_create(data_suite());
	srunner_add_suite(runner, format_suite());
	srunner_add_suite(runner, picture_suite());
	srunner_add_suite(runner, decode_suite());
	srunner_add_suite(runner, supply_suite());
	srunner_add_suite(runner, model_suite());
	srunner_add_suite(runner, names_suite());
	srunner_add_suite(runner, refusal_suite());
	srunner_add_suite(runner, topology_suite());
	srunner_add_suite(runner, hostile_suite());
	srunner_add_suite(runner, fold_suite());
	srunner_add_suite(runner, kernel_suite());
	srunner_add_suite(runner, conv_suite());
	srunner_add_suite(runner, winograd_suite());
	srunner_add_suite(runner, planar_suite());
	srunner_add_suite(runner, choice_suite());
	srunner_add_suite(runner, operator_suite());
	srunner_add_suite(runner, function_suite());
	srunner_add_suite(runner, training_kernel_suite());
	srunner_add_suite(runner, training_move_suite());
	srunner_add_suite(runner, move_suite());
	srunner_add_suite(runner, plan_suite());
	srunner_add_suite(runner, option_suite());
	srunner_add_suite(runner, cache_suite());
	srunner_add_suite(runner, prune_suite());
	srunner_add_suite(runner, coupling_suite());
	srunner_add_suite(runner, criterion_suite());
	srunner_add_suite(runner, sound_suite());
	srunner_add_suite(runner, gradient_suite());
	srunner_add_suite(runner, measure_suite());
	srunner_add_suite(runner, train_suite());
	srunner_add_suite(runner, fit_suite());
	srunner_add_suite(runner, trial_suite());
	srunner_add_suite(runner, worker_suite());
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* main.c -- runs the tests of daemon/.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "tests/daemon/scene.h"

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "work"))
		return fake_worker(argc, argv);
	SRunner *r = srunner_create(suite_config());
	srunner_add_suite(r, suite_spec());
	srunner_add_suite(r, suite_route());
	srunner_add_suite(r, suite_text());
	srunner_add_suite(r, suite_keep());
	srunner_add_suite(r, suite_life());
	srunner_add_suite(r, suite_replay());
	srunner_add_suite(r, suite_warm());
	srunner_add_suite(r, suite_rung());
	srunner_add_suite(r, suite_manual());
	srunner_add_suite(r, suite_ending());
	srunner_add_suite(r, suite_best());
	srunner_add_suite(r, suite_explain());
	srunner_add_suite(r, suite_lease());
	srunner_add_suite(r, suite_poll());
	srunner_add_suite(r, suite_event());
	srunner_add_suite(r, suite_http());
	srunner_add_suite(r, suite_pool());
	srunner_add_suite(r, suite_stop());
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* main.c -- runs the tests of client/.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tests/client/scene.h"

int main(void)
{
	SRunner *r = srunner_create(suite_args());
	srunner_add_suite(r, suite_format());
	srunner_add_suite(r, suite_table());
	srunner_add_suite(r, suite_view());
	srunner_add_suite(r, suite_jobfile());
	srunner_add_suite(r, suite_progress());
	srunner_add_suite(r, suite_plot());
	srunner_add_suite(r, suite_pare());
	srunner_add_suite(r, suite_watch());
	srunner_add_suite(r, suite_export());
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

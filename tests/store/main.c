/* main.c -- runs the tests of store/.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tests/store/scene.h"

int main(void)
{
	SRunner *r = srunner_create(suite_store());
	srunner_add_suite(r, suite_job());
	srunner_add_suite(r, suite_trial());
	srunner_add_suite(r, suite_lease());
	srunner_add_suite(r, suite_view());
	srunner_add_suite(r, suite_blob());
	srunner_add_suite(r, suite_crash());
	srunner_add_suite(r, suite_memory());
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

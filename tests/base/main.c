/* main.c -- runs the tests of base/.
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "tests/base/scene.h"

int main(void)
{
	SRunner *r = srunner_create(suite_err());
	srunner_add_suite(r, suite_arena());
	srunner_add_suite(r, suite_rng());
	srunner_add_suite(r, suite_digest());
	srunner_add_suite(r, suite_file());
	srunner_add_suite(r, suite_json());
	srunner_add_suite(r, suite_dataspec());
	srunner_add_suite(r, suite_trainspec());
	srunner_add_suite(r, suite_tar());
	srunner_add_suite(r, suite_http());
	srunner_add_suite(r, suite_stream());
	srunner_add_suite(r, suite_log());
	srunner_run_all(r, CK_NORMAL);
	int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

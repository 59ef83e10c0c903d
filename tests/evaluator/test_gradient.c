/* test_gradient.c -- the backward pass of every operator, of every coupling, and of the samples.
 * SPDX-License-Identifier: MIT */
#include <check.h>

#include "evaluator/model/graph.h"
#include "tests/evaluator/nets.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/slope.h"
#include "tests/evaluator/suites.h"

START_TEST(a_networks_gradients_are_its_slopes)
{
	struct sketch s = net_draw(&nets[_i], 1);
	slope_agree(&s, 2);
	sketch_close(&s);
}
END_TEST

Suite *gradient_suite(void)
{
	Suite *s = suite_create("gradient");
	TCase *t = tcase_create("gradient");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_networks_gradients_are_its_slopes, 0, net_count);
	suite_add_tcase(s, t);
	return s;
}

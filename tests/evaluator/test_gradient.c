/* test_gradient.c -- the backward pass of every operator and of every coupling.
 * SPDX-License-Identifier: MIT */
#include <check.h>

#include "evaluator/model/graph.h"
#include "evaluator/train/gradient.h"
#include "tests/evaluator/nets.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/slope.h"
#include "tests/evaluator/specimen.h"
#include "tests/evaluator/suites.h"

/* By operator. What is flat stops the flow: nothing before it is a parameter. A bias before a normalisation may cancel,
 * all others must not. */
START_TEST(an_operators_gradients_are_its_slopes)
{
	enum op op = (enum op)_i;
	ck_assert_msg(specimen_forms(op), "%s has no specimen", op_table[op].name);
	for (int i = 0; i < specimen_forms(op); i++) {
		struct sketch s = specimen_draw(op, i);
		struct slope_count c = slope_agree(&s, 3);
		if (specimen_is_flat(op))
			ck_assert_msg(!c.parameters, "%s: a parameter lies before it", s.what);
		else
			ck_assert_msg(c.moving && c.moving + 1 >= c.parameters, "%s: %d of %d gradients are zero",
				s.what, c.parameters - c.moving, c.parameters);
		sketch_close(&s);
	}
}
END_TEST

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
	tcase_add_loop_test(t, an_operators_gradients_are_its_slopes, 0, OP_IDENTITY);
	tcase_add_loop_test(t, a_networks_gradients_are_its_slopes, 0, net_count);
	suite_add_tcase(s, t);
	return s;
}

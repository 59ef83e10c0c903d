/* test_function.c -- exp and erf of our own, against the C library's in double.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/kernels/function.h"
#include "evaluator/model/graph.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { STEP = 4099, NUMBERS = 1 << 20 }; /* a prime: all exponents, and all kinds of fractions */

static float number(uint32_t i)
{
	float x;
	uint32_t bits = i * STEP;
	memcpy(&x, &bits, sizeof x);
	return x;
}

/* In units of the last place, of floats and of what is smaller than they are. */
static double units_off(float is, double expected)
{
	float size = fabsf((float)expected);
	return isinf(size) ? !(is == (float)expected)
			   : fabs(is - expected) / ((double)nextafterf(size, INFINITY) - size);
}

START_TEST(exponentials_are_right_to_two_units)
{
	for (uint32_t i = 0; i < NUMBERS; i++) {
		float x = number(i);
		if (isnan(x))
			continue;
		double exp_x = exp(x);
		ck_assert_msg(units_off(function_exp(x), exp_x) <= 2, "exp(%.9g) is %.9g, expected %.9g", x,
			function_exp(x), exp_x);
		ck_assert_msg(x > 0 || units_off(function_expm1(x), expm1(x)) <= 2,
			"expm1(%.9g) is %.9g, expected %.9g", x, function_expm1(x), expm1(x));
	}
	ck_assert(isnan(function_exp(NAN)) && isnan(function_expm1(NAN)) && isnan(function_erf(NAN)));
}
END_TEST

/* As a plan computes it, in vectors. */
START_TEST(the_error_function_is_right_to_two_units)
{
	int64_t dims[] = { NUMBERS };
	struct sketch s = sketch_open("erf", 0, 1, dims);
	sketch_finish(&s, sketch_one(&s, OP_ERF, 0));
	struct plan *p = agree_plan(s.g, 1, PLAN_INFER, s.what);
	float *x = malloc(NUMBERS * sizeof *x);
	ck_assert_ptr_nonnull(x);
	for (uint32_t i = 0; i < NUMBERS; i++)
		x[i] = number(i);
	const float *y = agree_run(p, x);
	for (int i = 0; i < NUMBERS; i++)
		ck_assert_msg(isnan(x[i]) ? isnan(y[i]) : units_off(y[i], erf(x[i])) <= 2,
			"erf(%.9g) is %.9g, expected %.9g", x[i], y[i], erf(x[i]));
	plan_free(p);
	free(x);
	sketch_close(&s);
}
END_TEST

Suite *function_suite(void)
{
	Suite *suite = suite_create("function");
	TCase *tc = tcase_create("function");
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, exponentials_are_right_to_two_units);
	tcase_add_test(tc, the_error_function_is_right_to_two_units);
	suite_add_tcase(suite, tc);
	return suite;
}

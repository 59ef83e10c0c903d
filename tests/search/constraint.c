/* constraint.c -- bounds as people write them, and metrics by name.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <string.h>

#include "tests/search/fixture.h"
#include "tests/search/suites.h"

static enum err read_text(const char *text, struct constraint *ret, int *ret_count, struct errinfo *e)
{
	cJSON *doc = fixture_json(text);
	enum err err = constraint_read(doc, ret, ret_count, e);
	cJSON_Delete(doc);
	return err;
}

static const double baseline[METRIC_COUNT] = { [METRIC_ACCURACY] = 0.9, [METRIC_MACS] = 1000, [METRIC_LATENCY] = NAN };

START_TEST(every_form_of_the_grammar_gives_its_bound)
{
	static const struct {
		const char *text;
		bool at_least;
		double bound;
	} cases[] = {
		{ "{\"macs\": \"<= 500\"}", false, 500 },
		{ "{\"macs\": \">=1.5e2\"}", true, 150 },
		{ "{\"macs\": \"<= 50%\"}", false, 500 },
		{ "{\"macs\": \" <=  12.5% \"}", false, 125 },
		{ "{\"macs\": \"<= baseline\"}", false, 1000 },
		{ "{\"macs\": \">= baseline - 10\"}", true, 990 },
		{ "{\"macs\": \"<=baseline+10.25\"}", false, 1010.25 },
		{ "{\"latency\": \"<= 0.5\"}", false, 0.5 },
		{ "{\"macs\": \">= 100%\"}", true, 1000 },
		{ "{\"accuracy\": \">= 110%\"}", true, 0.99 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct errinfo e = { 0 };
		struct constraint c[CONSTRAINT_MAX];
		int n = 0;
		ok(read_text(cases[i].text, c, &n, &e));
		ck_assert_int_eq(n, 1);
		ck_assert_int_eq(c[0].at_least, cases[i].at_least);
		ck_assert_double_eq_tol(constraint_bound(&c[0], baseline), cases[i].bound, 1e-12);
	}
}
END_TEST

START_TEST(a_bound_may_stand_with_its_metric_in_one_text)
{
	struct errinfo e = { 0 };
	struct constraint c;
	static const char *const same[] = { "macs<=50%", " macs  <= 50% ", "macs <=50%" };
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		ok(constraint_parse(same[i], &c, &e));
		ck_assert_int_eq(c.metric, METRIC_MACS);
		ck_assert_double_eq(constraint_bound(&c, baseline), 500);
	}
	ok(constraint_parse("accuracy>=baseline - 0.1", &c, &e));
	ck_assert_double_eq_tol(constraint_bound(&c, baseline), 0.8, 1e-12);
	fails(ERR_INPUT, constraint_parse("flops<=50%", &c, &e));
	says("\"flops<=50%\": expected METRIC OP BOUND with one of the metrics accuracy");
	fails(ERR_INPUT, constraint_parse("abcdefghijklmnopqrstuvwxyz<=5", &c, &e));
	says("expected METRIC OP BOUND");
	fails(ERR_INPUT, constraint_parse("", &c, &e));
	fails(ERR_INPUT, constraint_parse("<=5", &c, &e));
	fails(ERR_INPUT, constraint_parse("macs=5", &c, &e));
	says("expected <= or >= behind macs");
	fails(ERR_INPUT, constraint_parse("macs<=5 6", &c, &e));
	says("expected nothing behind the bound behind macs");
}
END_TEST

static const struct {
	const char *text, *message;
} refused[] = {
	{ "{\"macs\": \"< 500\"}", "constraints.macs: is \"< 500\", expected <= or >=" },
	{ "{\"macs\": \"500\"}", "expected <= or >=" },
	{ "{\"macs\": \"\"}", "constraints.macs: is \"\"" },
	{ "{\"macs\": \"<=\"}", "expected NUMBER" },
	{ "{\"macs\": \"<= inf\"}", "expected NUMBER" },
	{ "{\"macs\": \"<= nan\"}", "expected NUMBER" },
	{ "{\"macs\": \"<= -5\"}", "expected NUMBER" },
	{ "{\"macs\": \"<= 0x10\"}", "expected nothing behind the bound" },
	{ "{\"macs\": \"<= 1.\"}", "expected NUMBER" },
	{ "{\"macs\": \"<= 1e\"}", "expected NUMBER" },
	{ "{\"macs\": \"<= 1e999\"}", "expected NUMBER" },
	{ "{\"macs\": \"<= 50% of it\"}", "expected nothing behind the bound" },
	{ "{\"macs\": \"<= 5 0\"}", "expected nothing behind the bound" },
	{ "{\"macs\": \"<= baseline * 2\"}", "expected nothing, + NUMBER or - NUMBER" },
	{ "{\"macs\": \"<= baselines\"}", "expected nothing, + NUMBER or - NUMBER" },
	{ "{\"macs\": \"<= baseline -\"}", "expected a decimal number behind the sign" },
	{ "{\"macs\": \"<= baseline - 5%\"}", "expected nothing behind the number" },
	{ "{\"macs\": 500}", "constraints.macs: is 500, expected text" },
	{ "{\"macs\": []}", "array of 0" },
	{ "{\"macs\": [\"<= 5\"]}", "array of 1" },
	{ "{\"macs\": [\"<= 5\", \"<= 6\"]}", "two upper bounds" },
	{ "{\"macs\": [\">= 5\", \"<= x\"]}", "is \"<= x\"" },
	{ "{\"accuracy\": \">= 97\"}", "constraints.accuracy: is \">= 97\", expected a fraction from 0 to 1" },
	{ "{\"accuracy\": \"<= 1.01\"}", "expected a fraction from 0 to 1" },
	{ "{\"macs\": \">= 120%\"}", "constraints.macs: is \">= 120%\", expected at most 100%" },
	{ "{\"params\": \">= baseline + 1\"}", "expected at most 100%" },
	{ "{\"macs\": [\">= 50%\", \"<= 40%\"]}",
	  "constraints.macs: is \">= 50%\" and \"<= 40%\", which nothing can meet" },
	{ "{\"macs\": [\"<= 40%\", \">= 50%\"]}", "is \">= 50%\" and \"<= 40%\"" },
	{ "{\"latency\": [\">= 0.5\", \"<= 0.4\"]}", "is \">= 0.5\" and \"<= 0.4\"" },
	{ "{\"loss\": [\">= baseline\", \"<= baseline - 0.1\"]}", "which nothing can meet" },
	{ "{\"flops\": \"<= 5\"}", "constraints.flops: is not a metric, expected one of: accuracy" },
	{ "{\"macs\": \"<= 5\", \"macs\": \">= 1\"}", "constraints.macs: is there twice" },
	{ "[\"macs\"]", "constraints: is an array of 1, expected an object" },
};

START_TEST(a_wrong_bound_is_refused_with_its_text)
{
	struct errinfo e = { 0 };
	struct constraint c[CONSTRAINT_MAX];
	int n = -1;
	fails(ERR_INPUT, read_text(refused[_i].text, c, &n, &e));
	says(refused[_i].message);
	ck_assert_int_eq(n, -1);
}
END_TEST

START_TEST(no_constraints_are_fine_and_two_bounds_on_all_metrics_fit)
{
	struct errinfo e = { 0 };
	struct constraint c[CONSTRAINT_MAX];
	int n = -1;
	ok(constraint_read(NULL, c, &n, &e));
	ck_assert_int_eq(n, 0);
	cJSON *doc = cJSON_CreateObject();
	for (int m = 0; m < METRIC_COUNT; m++)
		cJSON_AddItemToObject(doc, metric_name((enum metric)m), fixture_json("[\">= 0.5\", \"<= 0.5\"]"));
	ok(constraint_read(doc, c, &n, &e));
	ck_assert_int_eq(n, 2 * METRIC_COUNT);
	for (int i = 0; i < n; i++) {
		ck_assert_int_eq(c[i].metric, i / 2);
		ck_assert_int_eq(c[i].at_least, i % 2 == 0);
	}
	cJSON_Delete(doc);
}
END_TEST

START_TEST(violations_are_relative_and_add_up)
{
	struct constraint c[] = {
		{ .metric = METRIC_ACCURACY, .at_least = true, .of_baseline = 1, .offset = -0.1 },
		{ .metric = METRIC_MACS, .of_baseline = 0.5 },
		{ .metric = METRIC_LOSS, .offset = 0 },
	};
	double metrics[METRIC_COUNT] = { [METRIC_ACCURACY] = 0.6, [METRIC_MACS] = 750, [METRIC_LOSS] = 0.25 };
	ck_assert_double_eq_tol(constraint_violation(&c[0], baseline, 0.6), 0.25, 1e-12);
	ck_assert_double_eq_tol(constraint_violation(&c[1], baseline, 750), 0.5, 1e-12);
	ck_assert_double_eq_tol(constraint_violation(&c[2], baseline, 0.25), 0.25, 1e-12);
	ck_assert_double_eq_tol(constraint_total(c, 3, baseline, metrics), 1, 1e-12);
	ck_assert_double_eq(constraint_violation(&c[1], baseline, 500), 0);
	ck_assert_double_eq(constraint_violation(&c[1], baseline, 10), 0);
	ck_assert_double_eq(constraint_violation(&c[0], baseline, 0.9 - 0.1), 0);
	double rounded[METRIC_COUNT] = { [METRIC_ACCURACY] = 0.8 };
	c[0].offset = -0.08;
	ck_assert_double_lt(0.72, 0.8 - 0.08);
	ck_assert_double_eq(constraint_violation(&c[0], rounded, 0.72), 0);
	ck_assert_double_gt(constraint_violation(&c[1], baseline, 501), 0);
}
END_TEST

START_TEST(what_was_not_measured_misses_by_infinity)
{
	struct constraint c = { .metric = METRIC_MACS, .offset = 10 };
	struct constraint relative = { .metric = METRIC_LATENCY, .of_baseline = 0.5 };
	struct constraint absolute = { .metric = METRIC_LATENCY, .offset = 0.5 };
	ck_assert_double_eq(constraint_violation(&c, baseline, NAN), INFINITY);
	ck_assert_double_eq(constraint_violation(&relative, baseline, 0.1), INFINITY);
	ck_assert_double_eq(constraint_violation(&absolute, baseline, 0.1), 0);
}
END_TEST

START_TEST(metrics_are_found_by_their_names)
{
	for (int m = 0; m < METRIC_COUNT; m++)
		ck_assert_int_eq(metric_named(metric_name((enum metric)m)), m);
	ck_assert_int_eq(metric_named("flops"), METRIC_COUNT);
	ck_assert(metric_larger_is_better(METRIC_ACCURACY));
	ck_assert(!metric_larger_is_better(METRIC_LOSS));
	ck_assert(metric_is_exact_cost(METRIC_BYTES));
	ck_assert(!metric_is_exact_cost(METRIC_MEMORY));
}
END_TEST

Suite *constraint_suite(void)
{
	Suite *suite = suite_create("constraint");
	TCase *c = tcase_create("constraint");
	tcase_add_test(c, every_form_of_the_grammar_gives_its_bound);
	tcase_add_test(c, a_bound_may_stand_with_its_metric_in_one_text);
	tcase_add_loop_test(c, a_wrong_bound_is_refused_with_its_text, 0, sizeof refused / sizeof *refused);
	tcase_add_test(c, no_constraints_are_fine_and_two_bounds_on_all_metrics_fit);
	tcase_add_test(c, violations_are_relative_and_add_up);
	tcase_add_test(c, what_was_not_measured_misses_by_infinity);
	tcase_add_test(c, metrics_are_found_by_their_names);
	suite_add_tcase(suite, c);
	return suite;
}

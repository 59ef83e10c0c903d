/* strategy.c -- what every strategy promises, and the check of a job's choice.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/score.h"
#include "search/space.h"
#include "tests/search/job.h"
#include "tests/search/suites.h"

/* Beside each with its defaults. */
static const char *const variants[] = {
	"{\"name\": \"uniform\", \"metric\": \"bytes\", \"low\": 0.2, \"high\": 0.9}",
	"{\"name\": \"random\", \"metric\": \"params\", \"low\": 0, \"high\": 1}",
	"{\"name\": \"anneal\", \"metric\": \"bytes\", \"target\": 0.5, \"rounds\": 7, \"perturbation\": 1,"
	" \"purify\": 0.5}",
	"{\"name\": \"netadapt\", \"metric\": \"params\", \"step\": 0.05, \"decay\": 1}",
	"{\"name\": \"nsga2\", \"population\": 4, \"crossover\": 1, \"eta_crossover\": 2, \"mutation\": 0.5}",
	"{\"name\": \"abc\", \"sources\": 2, \"limit\": 1, \"genes\": 100}",
	"{\"name\": \"guided\", \"profile\": 2}",
};
enum { VARIANTS = sizeof variants / sizeof *variants, MOST = 32, TEXT = 160 };

/* Every strategy that proposes by itself, then the variants. */
static char strategies[MOST][TEXT];
static int strategy_count;

static void list_strategies(void)
{
	char names[TEXT];
	strategy_count = 0;
	snprintf(names, sizeof names, "%s", strategy_names());
	for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", "))
		if (!strategy_named(name)->posted)
			snprintf(strategies[strategy_count++], TEXT, "{\"name\": \"%s\"}", name);
	for (int i = 0; i < VARIANTS; i++)
		snprintf(strategies[strategy_count++], TEXT, "%s", variants[i]);
}

static bool is(const char *strategy, const char *name)
{
	char start[TEXT];
	snprintf(start, sizeof start, "{\"name\": \"%s\"", name);
	return !strncmp(strategy, start, strlen(start));
}

/* Those that have an end of their own, before the budget's. */
static bool may_end(const char *strategy)
{
	return is(strategy, "uniform") || is(strategy, "netadapt");
}

/* Those that leave nothing to chance. */
static bool ignores_the_seed(const char *strategy)
{
	return is(strategy, "netadapt");
}

static struct strategy *open_strategy(const struct problem *p, const char *text, const struct strategy_ops **ret_ops)
{
	struct errinfo e = { 0 };
	struct strategy *s = NULL;
	cJSON *object = fixture_json(text);
	*ret_ops = strategy_named(cJSON_GetObjectItem(object, "name")->valuestring);
	ok((*ret_ops)->open(p, object, &s, &e));
	cJSON_Delete(object);
	return s;
}

static bool keeps_constraints(const struct problem *p, const int *keep)
{
	struct cost c = cost_of(p->space, keep);
	for (int i = 0; i < p->constraint_count; i++) {
		enum metric m = p->constraints[i].metric;
		bool upper = !p->constraints[i].at_least && metric_is_exact_cost(m);
		if (upper && cost_metric(&c, m) > constraint_bound(&p->constraints[i], p->baseline))
			return false;
	}
	return true;
}

/* Number of different candidates among n. */
static int different(const int *keep, int n, int groups)
{
	int count = 0;
	for (int i = 0; i < n; i++) {
		bool repeated = false;
		for (int j = 0; j < i && !repeated; j++)
			repeated = !memcmp(keep + i * groups, keep + j * groups, (size_t)groups * sizeof *keep);
		count += !repeated;
	}
	return count;
}

static void check_run(const struct problem *p, const char *strategy)
{
	int n, groups = p->space->group_count;
	int *keep = fixture_run(p, strategy, true, &n);
	ck_assert(n == p->budget || (n > 0 && may_end(strategy)));
	for (int i = 0; i < n; i++) {
		const int *mine = keep + i * groups;
		ck_assert_msg(space_allows(p->space, mine), "proposal %d of %s is not allowed", i + 1, strategy);
		ck_assert_msg(keeps_constraints(p, mine), "proposal %d of %s costs too much", i + 1, strategy);
	}
	ck_assert_int_eq(different(keep, n, groups), n);
	free(keep);
}

START_TEST(proposals_are_allowed_new_and_within_the_limits)
{
	struct space *spaces[] = { fixture_chain(10, 0.98, 1), fixture_chain(12, 0.95, 8), fixture_coupled(0.96, 1) };
	for (int i = 0; i < 3; i++)
		for (int constraints = 0; constraints < 3; constraints++) {
			struct problem p = fixture_problem(spaces[i]);
			p.window = i;
			p.seed = (uint64_t)i;
			if (constraints > 0) {
				fixture_constrain(&p, "macs", "<= 60%");
				fixture_constrain(&p, "accuracy", ">= baseline - 0.2");
			}
			if (constraints > 1) {
				fixture_constrain(&p, "bytes", "<= 45%");
				fixture_constrain(&p, "params", "<= 50%");
			}
			check_run(&p, strategies[_i]);
			space_free(constraints == 2 ? spaces[i] : NULL);
		}
}
END_TEST

START_TEST(groups_are_left_alone_where_there_is_nothing_to_choose)
{
	struct space *s = fixture_narrowed();
	for (int window = 0; window < 8; window += 7) {
		struct problem p = fixture_problem(s);
		p.window = window;
		fixture_constrain(&p, "macs", "<= 70%");
		int n, *keep = fixture_run(&p, strategies[_i], true, &n);
		ck_assert_int_ge(different(keep, n, 4), 5); /* of 18 */
		for (int i = 0; i < n; i++) {
			ck_assert(space_allows(s, keep + 4 * i));
			ck_assert(keeps_constraints(&p, keep + 4 * i));
		}
		free(keep);
	}
	space_free(s);
}
END_TEST

START_TEST(workers_and_the_order_of_results_do_not_change_the_proposals)
{
	struct space *s = fixture_chain(JOB_GROUPS, 0.95, 1);
	struct rng luck;
	rng_init(&luck, 7, 0);
	for (int window = 0; window < 10; window += 3) {
		struct problem p = fixture_problem(s);
		struct job one = { 0 }, other = { 0 };
		p.window = window;
		fixture_constrain(&p, "params", "<= 80%");
		job_open(&one, &p, strategies[_i], true);
		job_work(&one, 1, &luck, p.budget);
		ck_assert(one.count == p.budget || may_end(strategies[_i]));
		for (int workers = 2; workers <= JOB_WORKERS; workers += 2) {
			job_open(&other, &p, strategies[_i], true);
			job_work(&other, workers, &luck, p.budget);
			job_same(&one, &other);
		}
		job_close(&one);
		job_close(&other);
	}
	space_free(s);
}
END_TEST

/* What an evaluation may come back with at worst. */
static struct outcome odd_outcome(const struct problem *p, int number, const int *keep)
{
	struct outcome o = fixture_evaluate(p, number, keep, false);
	static const double values[] = { NAN, INFINITY, -INFINITY, 1e308, -1e308, 0 };
	enum metric m = (enum metric)(number / 2 % METRIC_COUNT);
	o.ok = number % 5 != 0;
	if (number % 3 == 0)
		o.metrics[m] = values[number / 3 % 6];
	for (int i = 0; i < METRIC_COUNT && !o.ok; i++)
		o.metrics[i] = NAN;
	return o;
}

/* Runs with odd results; with each told again, which is refused, when `twice`. */
static int run_odd(const struct problem *p, const char *strategy, bool twice, int *ret_keep)
{
	struct errinfo e = { 0 };
	struct table *t = NULL;
	int groups = p->space->group_count, n = 0;
	cJSON *object = fixture_json(strategy);
	ok(table_open(p, object, &t, &e));
	cJSON_Delete(object);
	for (;;) {
		enum table_answer answer;
		struct request request;
		int number;
		ok(table_ask(t, &answer, &number, ret_keep + (n < p->budget ? n : 0) * groups, &request, &e));
		if (answer == TABLE_DONE)
			break;
		struct outcome o = odd_outcome(p, number, ret_keep + n++ * groups), better = o;
		ok(table_tell(t, &o, &e));
		better.ok = true;
		better.metrics[METRIC_ACCURACY] = 1;
		if (twice)
			fails(ERR_CONFLICT, table_tell(t, &better, &e));
	}
	table_close(t);
	return n;
}

START_TEST(odd_and_failed_results_are_taken_and_a_second_one_of_a_trial_changes_nothing)
{
	enum { GROUPS = 8, BUDGET = 100 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = fixture_problem(s);
	static int once[(BUDGET + 1) * GROUPS], twice[(BUDGET + 1) * GROUPS];
	p.budget = BUDGET;
	fixture_constrain(&p, "accuracy", ">= 0.3");
	fixture_constrain(&p, "latency", "<= 0.9");
	int n = run_odd(&p, strategies[_i], false, once);
	ck_assert(n == BUDGET || (n > 0 && may_end(strategies[_i])));
	ck_assert_int_eq(run_odd(&p, strategies[_i], true, twice), n);
	ck_assert_mem_eq(once, twice, (size_t)(n * GROUPS) * sizeof *once);
	for (int i = 0; i < n; i++)
		ck_assert(space_allows(s, once + i * GROUPS));
	space_free(s);
}
END_TEST

START_TEST(a_run_of_nothing_but_failures_goes_on)
{
	enum { GROUPS = 8, BUDGET = 60 };
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.95, 1);
	struct problem p = fixture_problem(s);
	static int keep[BUDGET * GROUPS];
	const struct strategy_ops *ops;
	struct strategy *strategy = open_strategy(&p, strategies[_i], &ops);
	for (int i = 0; i < BUDGET; i++) {
		struct request request;
		bool done;
		ok(ops->ask(strategy, keep + i * GROUPS, &request, &done, &e));
		if (done) {
			ck_assert(may_end(strategies[_i]));
			break;
		}
		ck_assert(space_allows(s, keep + i * GROUPS));
		struct outcome o = { .number = i + 1, .keep = keep + i * GROUPS };
		for (int m = 0; m < METRIC_COUNT; m++)
			o.metrics[m] = NAN;
		ok(ops->tell(strategy, &o, &e));
	}
	ops->free(strategy);
	space_free(s);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_run_and_another_a_different_one)
{
	struct space *s = fixture_chain(10, 0.98, 1);
	struct problem p = fixture_problem(s);
	size_t size = (size_t)p.budget * 10 * sizeof(int);
	int n;
	int *one = fixture_run(&p, strategies[_i], true, &n), *same = fixture_run(&p, strategies[_i], true, &n);
	ck_assert_mem_eq(one, same, size);
	p.seed++;
	int *other = fixture_run(&p, strategies[_i], true, &n);
	ck_assert(ignores_the_seed(strategies[_i]) == !memcmp(one, other, size));
	free(one);
	free(same);
	free(other);
	space_free(s);
}
END_TEST

START_TEST(what_was_skipped_is_as_if_it_had_been_asked_for)
{
	enum { GROUPS = 10, WINDOW = 3, BUDGET = 80 };
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(GROUPS, 0.98, 1);
	struct problem p = fixture_problem(s);
	const struct strategy_ops *ops;
	static int keep[BUDGET][GROUPS];
	int again[GROUPS];
	bool done = false;
	fixture_constrain(&p, "bytes", "<= 70%");
	p.budget = BUDGET;
	p.window = WINDOW;
	struct strategy *asked = open_strategy(&p, strategies[_i], &ops);
	struct strategy *skipped = open_strategy(&p, strategies[_i], &ops);
	for (int i = 0; ops->skip && i < BUDGET; i++) {
		struct request request;
		if (i > WINDOW) {
			struct outcome o = fixture_evaluate(&p, i - WINDOW, keep[i - WINDOW - 1], true);
			ok(ops->tell(asked, &o, &e));
			ok(ops->tell(skipped, &o, &e));
		}
		ok(ops->ask(asked, keep[i], &request, &done, &e));
		ck_assert(!done);
		if (i % 13 < 9) {
			ok(ops->skip(skipped, keep[i], &e));
			continue;
		}
		ok(ops->ask(skipped, again, &request, &done, &e));
		ck_assert_mem_eq(keep[i], again, sizeof again);
	}
	ops->free(asked);
	ops->free(skipped);
	space_free(s);
}
END_TEST

START_TEST(a_space_with_fewer_candidates_than_the_budget_is_repeated)
{
	struct errinfo e = { 0 };
	struct space_limits limits = { .max_ratio = 1, .round_to = 1 };
	struct space *s = NULL;
	cJSON *doc = fixture_json(
		"{\"groups\": [{\"name\": \"a\", \"channels\": 3}, {\"name\": \"b\", \"channels\": 2}],"
		" \"layers\": [{\"name\": \"l\", \"op\": \"Conv\", \"out\": [[0, 1]], \"in\": [[1, 1]], \"kernel\": 1,"
		" \"positions\": 1, \"vectors\": 1, \"buffers\": 0}], \"fixed\": {\"params\": 0, \"buffers\": 0}}");
	ok(space_read(doc, &limits, &s, &e));
	cJSON_Delete(doc);
	struct problem p = fixture_problem(s);
	int n, *keep = fixture_run(&p, strategies[_i], false, &n);
	ck_assert(n == p.budget || (n > 0 && may_end(strategies[_i])));
	for (int i = 0; i < n; i++)
		ck_assert(space_allows(s, keep + 2 * i));
	free(keep);
	space_free(s);
}
END_TEST

START_TEST(one_proposal_is_enough_of_a_budget)
{
	struct space *s = fixture_chain(10, 0.98, 1);
	struct problem p = fixture_problem(s);
	p.budget = 1;
	p.window = 50;
	check_run(&p, strategies[_i]);
	space_free(s);
}
END_TEST

START_TEST(a_constraint_that_no_candidate_keeps_is_refused_by_name)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(10, 0.6, 1);
	struct problem p = fixture_problem(s);
	struct table *t = NULL;
	cJSON *object = fixture_json(strategies[_i]);
	fixture_constrain(&p, "bytes", "<= 1%");
	fails(ERR_LIMIT, table_open(&p, object, &t, &e));
	says("constraints.bytes");
	ck_assert_ptr_null(t);
	cJSON_Delete(object);
	space_free(s);
}
END_TEST

START_TEST(what_failed_or_was_not_measured_is_worse_than_all_others)
{
	struct problem p = { .objectives = { METRIC_ACCURACY, METRIC_MACS }, .objective_count = 2 };
	struct outcome o = { .ok = true, .metrics = { [METRIC_ACCURACY] = 0.75, [METRIC_MACS] = 5 } };
	double point[PARETO_MAX_OBJECTIVES], violation;
	score_outcome(&p, &o, point, &violation);
	ck_assert_double_eq(point[0], -0.75);
	ck_assert_double_eq(point[1], 5);
	ck_assert_double_eq(violation, 0);
	fixture_constrain(&p, "macs", "<= 4");
	score_outcome(&p, &o, point, &violation);
	ck_assert_double_eq(violation, 0.25);
	for (int i = 0; i < 3; i++) {
		o.ok = i > 0;
		o.metrics[METRIC_ACCURACY] = i == 1 ? NAN : 0.75;
		o.metrics[METRIC_MACS] = i == 2 ? INFINITY : 1;
		score_outcome(&p, &o, point, &violation);
		ck_assert_double_eq(point[0], INFINITY);
		ck_assert_double_eq(point[1], INFINITY);
		ck_assert_double_eq(violation, INFINITY);
	}
}
END_TEST

START_TEST(every_name_is_that_of_a_strategy)
{
	char names[128];
	int count = 0;
	snprintf(names, sizeof names, "%s", strategy_names());
	for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", "), count++) {
		const struct strategy_ops *ops = strategy_named(name);
		ck_assert_msg(ops != NULL, "%s", name);
		ck_assert_str_eq(ops->name, name);
		ops->free(NULL);
	}
	ck_assert_int_ge(count, 4);
	ck_assert_ptr_null(strategy_named("gradient"));
}
END_TEST

START_TEST(good_choices_pass_the_check)
{
	struct errinfo e = { 0 };
	cJSON *object = fixture_json(strategies[_i]);
	ok(strategy_check(object, &e));
	cJSON_Delete(object);
	object = fixture_json("{\"name\": \"nsga2\", \"mutation\": null}");
	ok(strategy_check(object, &e));
	cJSON_Delete(object);
}
END_TEST

static const struct {
	const char *object, *message;
} refused[] = {
	{ "[]", "strategy: is an array of 0, expected an object" },
	{ "{}", "strategy.name: is missing, expected one of: uniform, random" },
	{ "{\"name\": \"gradient\"}", "strategy.name: is \"gradient\", expected one of: uniform" },
	{ "{\"name\": 5}", "strategy.name: is 5" },
	{ "{\"name\": \"uniform\", \"ratio\": 0.5}", "strategy.ratio: unknown key" },
	{ "{\"name\": \"random\", \"colour\": 1}", "strategy.colour: unknown key" },
	{ "{\"name\": \"random\", \"metric\": \"latency\"}",
		"strategy.metric: is \"latency\", expected macs, params or bytes" },
	{ "{\"name\": \"random\", \"metric\": \"flops\"}", "strategy.metric: is \"flops\"" },
	{ "{\"name\": \"random\", \"low\": -0.1}", "strategy.low: is -0.1, expected a number from 0 to 1" },
	{ "{\"name\": \"random\", \"high\": 1.1}", "strategy.high: is 1.1" },
	{ "{\"name\": \"random\", \"low\": 0.6, \"high\": 0.5}", "strategy.low: is 0.6" },
	{ "{\"name\": \"anneal\", \"population\": 20}", "strategy.population: unknown key" },
	{ "{\"name\": \"anneal\", \"target\": 1}", "strategy.target: is 1" },
	{ "{\"name\": \"anneal\", \"target\": \"half\"}", "strategy.target: is \"half\"" },
	{ "{\"name\": \"anneal\", \"rounds\": 0}", "strategy.rounds: is 0" },
	{ "{\"name\": \"anneal\", \"rounds\": 2.5}", "strategy.rounds: is 2.5" },
	{ "{\"name\": \"anneal\", \"acceptance\": 1}", "strategy.acceptance: is 1" },
	{ "{\"name\": \"anneal\", \"cooling\": 0}", "strategy.cooling: is 0" },
	{ "{\"name\": \"anneal\", \"perturbation\": 2}", "strategy.perturbation: is 2" },
	{ "{\"name\": \"anneal\", \"purify\": 1}", "strategy.purify: is 1" },
	{ "{\"name\": \"anneal\", \"tolerance\": -1}", "strategy.tolerance: is -1" },
	{ "{\"name\": \"anneal\", \"metric\": \"accuracy\"}", "strategy.metric: is \"accuracy\"" },
	{ "{\"name\": \"netadapt\", \"step\": 0}",
		"strategy.step: is 0, expected null or a number from 0.0001 to 0.5" },
	{ "{\"name\": \"netadapt\", \"step\": \"small\"}", "strategy.step: is \"small\"" },
	{ "{\"name\": \"netadapt\", \"decay\": 1.1}", "strategy.decay: is 1.1" },
	{ "{\"name\": \"netadapt\", \"metric\": \"memory\"}", "strategy.metric: is \"memory\"" },
	{ "{\"name\": \"nsga2\", \"target\": 0.5}", "strategy.target: unknown key" },
	{ "{\"name\": \"nsga2\", \"population\": 21}", "strategy.population: is 21, expected an even number" },
	{ "{\"name\": \"nsga2\", \"population\": 2}", "strategy.population: is 2" },
	{ "{\"name\": \"nsga2\", \"population\": 4002}", "strategy.population: is 4002" },
	{ "{\"name\": \"nsga2\", \"crossover\": 1.5}", "strategy.crossover: is 1.5" },
	{ "{\"name\": \"nsga2\", \"eta_crossover\": -1}", "strategy.eta_crossover: is -1" },
	{ "{\"name\": \"nsga2\", \"eta_mutation\": -1}", "strategy.eta_mutation: is -1" },
	{ "{\"name\": \"nsga2\", \"mutation\": 1.5}",
		"strategy.mutation: is 1.5, expected null or a number from 0 to 1" },
	{ "{\"name\": \"abc\", \"sources\": 1}", "strategy.sources: is 1, expected an integer from 2 to 1000" },
	{ "{\"name\": \"abc\", \"limit\": 0}", "strategy.limit: is 0" },
	{ "{\"name\": \"abc\", \"genes\": 1.5}", "strategy.genes: is 1.5" },
	{ "{\"name\": \"abc\", \"population\": 20}", "strategy.population: unknown key" },
	{ "{\"name\": \"nsga2\", \"mutation\": \"low\"}", "strategy.mutation: is \"low\"" },
};

START_TEST(wrong_choices_are_refused_with_the_field_by_check_and_by_open)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_chain(3, 0.9, 1);
	struct problem p = fixture_problem(s);
	struct table *t = NULL;
	cJSON *object = fixture_json(refused[_i].object);
	fails(ERR_INPUT, strategy_check(object, &e));
	says(refused[_i].message);
	e.msg[0] = '\0';
	fails(ERR_INPUT, table_open(&p, object, &t, &e));
	says(refused[_i].message);
	cJSON_Delete(object);
	space_free(s);
}
END_TEST

START_TEST(a_missing_choice_is_refused)
{
	struct errinfo e = { 0 };
	fails(ERR_INPUT, strategy_check(NULL, &e));
	says("strategy: is missing");
}
END_TEST

Suite *strategy_suite(void)
{
	list_strategies();
	Suite *suite = suite_create("strategy");
	TCase *c = tcase_create("strategy");
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, proposals_are_allowed_new_and_within_the_limits, 0, strategy_count);
	tcase_add_loop_test(c, groups_are_left_alone_where_there_is_nothing_to_choose, 0, strategy_count);
	tcase_add_loop_test(c, workers_and_the_order_of_results_do_not_change_the_proposals, 0, strategy_count);
	tcase_add_loop_test(c, odd_and_failed_results_are_taken_and_a_second_one_of_a_trial_changes_nothing, 0,
		strategy_count);
	tcase_add_loop_test(c, a_run_of_nothing_but_failures_goes_on, 0, strategy_count);
	tcase_add_loop_test(c, the_same_seed_gives_the_same_run_and_another_a_different_one, 0, strategy_count);
	tcase_add_loop_test(c, what_was_skipped_is_as_if_it_had_been_asked_for, 0, strategy_count);
	tcase_add_loop_test(c, a_space_with_fewer_candidates_than_the_budget_is_repeated, 0, strategy_count);
	tcase_add_loop_test(c, one_proposal_is_enough_of_a_budget, 0, strategy_count);
	tcase_add_loop_test(c, a_constraint_that_no_candidate_keeps_is_refused_by_name, 0, strategy_count);
	tcase_add_test(c, what_failed_or_was_not_measured_is_worse_than_all_others);
	tcase_add_test(c, every_name_is_that_of_a_strategy);
	tcase_add_loop_test(c, good_choices_pass_the_check, 0, strategy_count);
	tcase_add_loop_test(c, wrong_choices_are_refused_with_the_field_by_check_and_by_open, 0,
		sizeof refused / sizeof *refused);
	tcase_add_test(c, a_missing_choice_is_refused);
	suite_add_tcase(suite, c);
	return suite;
}

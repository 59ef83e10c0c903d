/* halving.c -- who goes up: against a simple version, in any order of arrival, after restarts, with small budgets.
 * SPDX-License-Identifier: MIT */
#include "search/halving.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/order.h"
#include "search/score.h"
#include "search/space.h"
#include "search/table.h"
#include "tests/search/job.h"
#include "tests/search/suites.h"

enum { GROUPS = 4, MOST = JOB_TRIALS };

static struct space *s;
static struct rng luck;
static struct job *jobs; /* enough for every test, closed after it */
enum { JOBS = 3 };

static void open_jobs(void)
{
	s = fixture_chain(GROUPS, 0.95, 1);
	rng_init(&luck, 3, 0);
	jobs = calloc(JOBS, sizeof *jobs);
	ck_assert_ptr_nonnull(jobs);
}

static void close_jobs(void)
{
	for (int i = 0; i < JOBS; i++)
		job_close(&jobs[i]);
	free(jobs);
	space_free(s);
}

static struct problem problem_of(int budget, int window, int rungs, int eta)
{
	struct problem p = fixture_problem(s);
	p.budget = budget;
	p.window = window;
	p.ladder = (struct ladder){ .count = rungs, .eta = eta };
	fixture_constrain(&p, "params", "<= 90%");
	fixture_constrain(&p, "accuracy", ">= 0.3");
	return p;
}

static int count_at(const struct job *j, int rung, bool complete)
{
	int n = 0;
	for (int i = 1; i <= j->count; i++)
		n += j->trials[i].rung == rung && (!complete || j->trials[i].outcome.ok);
	return n;
}

/* ---- the simple version: the rule of table.h, read afresh from all results for every trial ---- */

/* Fronts are peeled one after the other; crowding is pareto.c's, which has tests of its own. */
static int simple_best(const struct job *j, int rung, int known)
{
	struct errinfo e = { 0 };
	struct problem at;
	double points[MOST][2], violations[MOST], crowding[MOST];
	int numbers[MOST], rank[MOST], members[MOST], n = 0, best = -1;
	ladder_problem(&j->problem, rung, &at);
	for (int i = 1; i <= known; i++)
		if (j->trials[i].rung == rung && j->trials[i].outcome.ok) {
			const double *m = j->trials[i].outcome.metrics;
			bool sound = isfinite(m[METRIC_ACCURACY]);
			points[n][0] = sound ? -m[METRIC_ACCURACY] : INFINITY;
			points[n][1] = sound ? m[METRIC_MACS] : INFINITY;
			violations[n] = sound ? constraint_total(at.constraints, at.constraint_count, at.baseline, m)
				: INFINITY;
			rank[n] = -1;
			numbers[n++] = i;
		}
	for (int left = n, front = 0; left > 0; front++) {
		int k = 0;
		for (int a = 0; a < n; a++) {
			bool beaten = rank[a] >= 0;
			for (int b = 0; b < n && !beaten; b++)
				beaten = rank[b] < 0 && pareto_dominates(points[b], violations[b], points[a],
					violations[a], 2);
			if (!beaten)
				members[k++] = a;
		}
		for (int i = 0; i < k; i++)
			rank[members[i]] = front;
		ok(pareto_crowding(&points[0][0], 2, members, k, crowding, &e));
		left -= k;
	}
	for (int i = 0; i < n; i++) {
		if (j->trials[numbers[i]].promoted)
			continue;
		if (best < 0 || rank[i] < rank[best] || (rank[i] == rank[best] && crowding[i] > crowding[best]))
			best = i;
	}
	return best < 0 ? 0 : numbers[best];
}

static int simple_next(const struct job *j, int known)
{
	for (int rung = j->problem.ladder.count - 2; rung >= 0; rung--) {
		int n = 0, promoted = 0;
		for (int i = 1; i <= known; i++)
			if (j->trials[i].rung == rung) {
				n++;
				promoted += j->trials[i].promoted;
			}
		int best = simple_best(j, rung, known);
		if (n / j->problem.ladder.eta > promoted && best)
			return best;
	}
	return 0;
}

/* Every trial of a finished job is what the rule says; the last promotions, when all is known, excepted. */
static void check_rule(struct job *j)
{
	int proposals = 0;
	for (int k = 1; k <= j->count; k++) {
		int known = k - 1 - j->problem.window, parent = simple_next(j, known);
		for (known = known < 0 ? 0 : known; !parent && proposals == j->problem.budget && known < k - 1; )
			parent = simple_next(j, ++known);
		if (parent || proposals < j->problem.budget)
			ck_assert_msg(j->trials[k].parent == parent, "trial %d continues %d, expected %d", k,
				j->trials[k].parent, parent);
		proposals += j->trials[k].rung == 0;
		if (j->trials[k].parent)
			j->trials[j->trials[k].parent].promoted = true;
	}
	ck_assert_int_eq(proposals, j->problem.budget);
}

/* ---- claims ---- */

static const char *const strategies[] = {
	"{\"name\": \"random\"}",
	"{\"name\": \"nsga2\", \"population\": 8}",
	"{\"name\": \"anneal\", \"target\": 0.6}",
};

static const struct {
	int budget, window, rungs, eta;
} shapes[] = {
	{ 40, 0, 2, 2 }, { 40, 4, 3, 3 }, { 60, 7, 3, 3 }, { 70, 3, 4, 2 }, { 9, 2, 3, 3 }, { 30, 5, 8, 2 },
	{ 50, 12, 2, 5 },
};
enum { STRATEGIES = sizeof strategies / sizeof *strategies, SHAPES = sizeof shapes / sizeof *shapes };

static struct problem shape_of(int i)
{
	return problem_of(shapes[i].budget, shapes[i].window, shapes[i].rungs, shapes[i].eta);
}

START_TEST(every_trial_is_what_a_simple_version_of_the_rule_says)
{
	struct problem p = shape_of(_i % SHAPES);
	struct job *j = jobs;
	job_open(j, &p, strategies[_i / SHAPES], true);
	job_work(j, 4, &luck, MOST);
	check_rule(j);
}
END_TEST

START_TEST(workers_and_the_order_of_results_do_not_change_who_goes_up)
{
	struct problem p = shape_of(_i % SHAPES);
	struct job *one = jobs, *other = one + 1;
	job_open(one, &p, strategies[_i / SHAPES], true);
	job_work(one, 1, &luck, MOST);
	for (int repeat = 0; repeat < 9; repeat++) {
		job_open(other, &p, strategies[_i / SHAPES], true);
		job_work(other, (int[]){ 2, 5, 8 }[repeat % 3], &luck, MOST);
		job_same(one, other);
	}
}
END_TEST

/* The store has the trials, and the results that were acknowledged; they are told as the replay meets them. */
static void replay(struct job *j, const struct job *stored, const char *strategy)
{
	struct errinfo e = { 0 };
	job_open(j, &stored->problem, strategy, stored->flaky);
	for (int number = 1; number <= stored->count; number++) {
		const struct job_trial *t = &stored->trials[number];
		if (t->parent)
			ok(table_expect_promotion(j->table, number, t->parent, t->keep, &e));
		else
			ok(table_expect(j->table, number, t->keep, &e));
		j->trials[number] = *t;
		ck_assert_int_eq(table_rung(j->table, number), t->rung);
		if (t->back)
			ok(table_tell(j->table, &t->outcome, &e));
		else
			j->busy[j->busy_count++] = number;
		j->count++;
	}
}

START_TEST(a_restart_at_any_trial_continues_identically)
{
	struct problem p = shape_of(_i);
	struct job *whole = jobs, *before = whole + 1, *after = whole + 2;
	job_open(whole, &p, strategies[1], true);
	job_work(whole, 3, &luck, MOST);
	for (int stop = 1; stop < whole->count; stop++) {
		job_open(before, &p, strategies[1], true);
		job_work(before, 5, &luck, stop);
		replay(after, before, strategies[1]);
		job_work(after, 4, &luck, MOST);
		job_same(whole, after);
	}
}
END_TEST

START_TEST(one_in_eta_goes_up)
{
	struct problem p = problem_of(60, 4, 3, 3);
	struct job *j = jobs;
	job_open(j, &p, strategies[1], false);
	job_work(j, 4, &luck, MOST);
	ck_assert_int_eq(count_at(j, 0, false), 60);
	ck_assert_int_eq(count_at(j, 1, false), 20);
	ck_assert_int_eq(count_at(j, 2, false), 6);
	for (int i = 1; i <= j->count; i++)
		if (j->trials[i].parent) {
			const struct job_trial *parent = &j->trials[j->trials[i].parent];
			ck_assert_int_eq(parent->rung + 1, j->trials[i].rung);
			ck_assert_mem_eq(parent->keep, j->trials[i].keep, sizeof parent->keep);
		}
}
END_TEST

START_TEST(however_small_the_budget_one_trial_reaches_the_last_rung)
{
	struct job *j = jobs;
	for (int budget = 1; budget <= 30; budget++) {
		struct problem p = problem_of(budget, _i, 4, 3);
		job_open(j, &p, strategies[0], false);
		job_work(j, 3, &luck, MOST);
		ck_assert_int_eq(count_at(j, 0, false), budget);
		ck_assert_int_ge(count_at(j, 3, true), 1);
		for (int rung = 1; rung < 4; rung++) /* and no more than that is forced */
			ck_assert_int_le(count_at(j, rung, false), budget / 3 > 1 ? budget / 3 : 1);
	}
}
END_TEST

START_TEST(where_all_fail_a_few_more_are_tried_and_then_it_ends)
{
	struct problem p = problem_of(30, 4, 3, 3);
	struct job *j = jobs;
	job_open(j, &p, strategies[0], false);
	j->fail_from = _i;
	job_work(j, 3, &luck, MOST);
	ck_assert_int_eq(count_at(j, 0, false), 30);
	ck_assert_int_eq(count_at(j, _i, true), 0);
	ck_assert_int_eq(count_at(j, 1, false), _i == 0 ? 0 : 10 + 3);
	ck_assert_int_eq(count_at(j, 2, false), _i < 2 ? 0 : 4 + 3);
}
END_TEST

/* With eta out of reach nothing goes up before the end. */
START_TEST(strategies_propose_what_they_would_without_rungs)
{
	struct problem flat = problem_of(40, 3, 1, 0), tall = problem_of(40, 3, 3, 100);
	struct job *a = jobs, *b = a + 1;
	job_open(a, &flat, strategies[_i], false);
	job_open(b, &tall, strategies[_i], false);
	job_work(a, 1, &luck, MOST);
	job_work(b, 4, &luck, MOST);
	ck_assert_int_eq(a->count, 40);
	ck_assert_int_eq(b->count, 42);
	for (int i = 1; i <= 40; i++)
		ck_assert_mem_eq(a->trials[i].keep, b->trials[i].keep, sizeof a->trials[i].keep);
}
END_TEST

START_TEST(a_latency_that_is_not_measured_does_not_count)
{
	struct problem p = fixture_problem(s), at;
	p.ladder = (struct ladder){ .count = 3, .eta = 2, .latency = { false, true, true } };
	p.objectives[1] = METRIC_LATENCY;
	fixture_constrain(&p, "latency", "<= 0.5");
	fixture_constrain(&p, "accuracy", ">= 0.5");
	ladder_problem(&p, 0, &at);
	ck_assert_int_eq(at.objective_count, 2);
	ck_assert(at.objectives[0] == METRIC_ACCURACY && at.objectives[1] == METRIC_MACS);
	ck_assert_int_eq(at.constraint_count, 1);
	ck_assert_int_eq(at.constraints[0].metric, METRIC_ACCURACY);
	for (int rung = 1; rung < 3; rung++) {
		ladder_problem(&p, rung, &at);
		ck_assert(at.objective_count == 2 && at.objectives[1] == METRIC_LATENCY && at.constraint_count == 2);
	}
	p.objectives[0] = METRIC_MACS;
	ladder_problem(&p, 0, &at);
	ck_assert(at.objectives[0] == METRIC_MACS && at.objectives[1] == METRIC_PARAMS);
	p.objectives[2] = METRIC_ACCURACY;
	p.objective_count = 3;
	ladder_problem(&p, 0, &at);
	ck_assert(at.objective_count == 2 && at.objectives[1] == METRIC_ACCURACY);
}
END_TEST

START_TEST(a_promotion_that_cannot_have_been_is_an_internal_error)
{
	struct errinfo e = { 0 };
	struct problem p = problem_of(9, 2, 2, 3);
	struct job *j = jobs, *again = j + 1;
	int first = 0;
	job_open(j, &p, strategies[0], false);
	job_work(j, 1, &luck, MOST);
	while (!j->trials[++first].parent)
		;
	j->count = first - 1;
	int parent = j->trials[first].parent;
	replay(again, j, strategies[0]);
	fails(ERR_INTERNAL, table_expect_promotion(again->table, first + 1, parent, j->trials[first].keep, &e));
	fails(ERR_INTERNAL, table_expect_promotion(again->table, first, first, j->trials[first].keep, &e));
	says("can't go up");
	j->trials[first].keep[0]++;
	fails(ERR_INTERNAL, table_expect_promotion(again->table, first, parent, j->trials[first].keep, &e));
	says("another version");
	j->trials[first].keep[0]--;
	replay(again, j, strategies[0]);
	ok(table_expect_promotion(again->table, first, parent, j->trials[first].keep, &e));
	fails(ERR_INTERNAL, table_expect_promotion(again->table, first + 1, parent, j->trials[first].keep, &e));
	says("promoted before");
}
END_TEST

/* ---- more results than are ranked ---- */

enum { CROWD = 4 * HALVING_FIELD };

/* Results of rung 0, without a table: all complete ones so far, as points. */
struct crowd {
	struct problem problem;
	struct halving *halving;
	struct rng luck;
	double points[CROWD][2], violations[CROWD];
	int numbers[CROWD], complete, told;
	bool promoted[2 * CROWD + 1]; /* by number */
};

static struct crowd *open_crowd(int eta)
{
	struct errinfo e = { 0 };
	struct crowd *c = calloc(1, sizeof *c);
	ck_assert_ptr_nonnull(c);
	c->problem = (struct problem){ .objectives = { METRIC_ACCURACY, METRIC_MACS }, .objective_count = 2,
		.ladder = { .count = 2, .eta = eta } };
	rng_init(&c->luck, 5, 0);
	ok(halving_open(&c->problem, &c->halving, &e));
	return c;
}

static void close_crowd(struct crowd *c)
{
	halving_close(c->halving);
	free(c);
}

static void tell_one(struct crowd *c, bool complete)
{
	struct errinfo e = { 0 };
	struct outcome o = { .number = ++c->told, .ok = complete };
	o.metrics[METRIC_MACS] = rng_uniform(&c->luck);
	o.metrics[METRIC_ACCURACY] = sqrt(o.metrics[METRIC_MACS]) + 0.1 * rng_uniform(&c->luck);
	ok(halving_tell(c->halving, 0, &o, &e));
	if (!complete)
		return;
	score_outcome(&c->problem, &o, c->points[c->complete], &c->violations[c->complete]);
	c->numbers[c->complete++] = o.number;
}

static int ask_one(struct crowd *c)
{
	struct errinfo e = { 0 };
	int number, rung = 0;
	ok(halving_next(c->halving, &number, &rung, &e));
	ck_assert_int_eq(rung, 0);
	return number;
}

static void promote_one(struct crowd *c, int number)
{
	struct errinfo e = { 0 };
	ok(halving_promote(c->halving, 0, number, &e));
	c->promoted[number] = true;
}

static int best_of_field(const struct crowd *c, int from, int to)
{
	struct errinfo e = { 0 };
	int order[HALVING_FIELD], i = 0;
	ok(order_points(c->points[from], c->violations + from, to - from, 2, order, &e));
	while (c->promoted[c->numbers[from + order[i]]])
		i++;
	return c->numbers[from + order[i]];
}

START_TEST(the_best_is_among_the_last_complete_results)
{
	struct crowd *c = open_crowd(3);
	int number, promotions = 0;
	while (c->complete < CROWD) {
		tell_one(c, c->told % 7 != 3);
		if (!(number = ask_one(c)))
			continue;
		int from = c->complete > HALVING_FIELD ? c->complete - HALVING_FIELD : 0;
		ck_assert_int_eq(number, best_of_field(c, from, c->complete));
		promote_one(c, number);
		promotions++;
	}
	ck_assert_int_eq(promotions, c->told / 3);
	close_crowd(c);
}
END_TEST

/* As after a restart: results and promotions are told, and nobody asks whose turn it is. */
START_TEST(who_goes_up_does_not_depend_on_what_was_asked_before)
{
	struct crowd *asked = open_crowd(4), *silent = open_crowd(4);
	while (asked->complete < CROWD) {
		for (int burst = 0; burst < 90; burst++) {
			tell_one(asked, true);
			tell_one(silent, true);
			ask_one(asked);
			if (asked->complete == CROWD)
				break;
		}
		for (int number; (number = ask_one(asked)); ) {
			if (asked->told % 5 == 0)
				ck_assert_int_eq(ask_one(silent), number);
			promote_one(asked, number);
			promote_one(silent, number);
		}
	}
	close_crowd(asked);
	close_crowd(silent);
}
END_TEST

START_TEST(where_all_of_the_last_went_up_the_ones_before_them_do)
{
	struct crowd *c = open_crowd(2);
	int number, last;
	for (int i = 0; i < 3 * HALVING_FIELD; i++)
		tell_one(c, true);
	for (int i = 0; i < 3 * HALVING_FIELD; i++) {
		tell_one(c, false);
		while ((number = ask_one(c))) {
			for (last = c->complete - 1; c->promoted[c->numbers[last]]; last--)
				;
			int to = last >= c->complete - HALVING_FIELD ? c->complete : last + 1;
			int from = to > HALVING_FIELD ? to - HALVING_FIELD : 0;
			ck_assert_int_eq(number, best_of_field(c, from, to));
			promote_one(c, number);
		}
	}
	for (int i = 0; i < c->complete; i++)
		ck_assert(c->promoted[c->numbers[i]]);
	close_crowd(c);
}
END_TEST

Suite *halving_suite(void)
{
	Suite *suite = suite_create("halving");
	TCase *c = tcase_create("halving");
	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, open_jobs, close_jobs);
	tcase_add_loop_test(c, every_trial_is_what_a_simple_version_of_the_rule_says, 0, STRATEGIES * SHAPES);
	tcase_add_loop_test(c, workers_and_the_order_of_results_do_not_change_who_goes_up, 0, STRATEGIES * SHAPES);
	tcase_add_loop_test(c, a_restart_at_any_trial_continues_identically, 0, SHAPES);
	tcase_add_test(c, one_in_eta_goes_up);
	tcase_add_loop_test(c, however_small_the_budget_one_trial_reaches_the_last_rung, 0, 4);
	tcase_add_loop_test(c, where_all_fail_a_few_more_are_tried_and_then_it_ends, 0, 3);
	tcase_add_loop_test(c, strategies_propose_what_they_would_without_rungs, 0, STRATEGIES);
	tcase_add_test(c, a_latency_that_is_not_measured_does_not_count);
	tcase_add_test(c, a_promotion_that_cannot_have_been_is_an_internal_error);
	tcase_add_test(c, the_best_is_among_the_last_complete_results);
	tcase_add_test(c, who_goes_up_does_not_depend_on_what_was_asked_before);
	tcase_add_test(c, where_all_of_the_last_went_up_the_ones_before_them_do);
	suite_add_tcase(suite, c);
	return suite;
}

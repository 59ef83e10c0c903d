/* explain.c -- what a search learned.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/explain.h"
#include "search/score.h"
#include "search/space.h"
#include "tests/search/landscape.h"
#include "tests/search/suites.h"

enum { GROUPS = LANDSCAPE_GROUPS, RESULTS = 60 };

static const char GUIDED[] = "{\"name\": \"guided\"}";

/* Feasible, dominated by none, and the first of its like. */
static bool is_member(const struct problem *p, const struct outcome *o, int n, int i)
{
	double point[PARETO_MAX_OBJECTIVES], other[PARETO_MAX_OBJECTIVES], violation;
	int m = p->objective_count;
	score_outcome(p, &o[i], point, &violation);
	bool member = violation == 0;
	for (int k = 0; k < n && member; k++) {
		score_outcome(p, &o[k], other, &violation);
		bool like = k < i && !memcmp(point, other, (size_t)m * sizeof *other);
		member = violation > 0 || !(like || pareto_dominates(other, 0, point, 0, m));
	}
	return member;
}

static enum err try(const struct problem *p, const struct outcome *o, int n, int number, cJSON **ret,
	struct errinfo *ret_why)
{
	struct errinfo e = { 0 };
	struct explain *x = NULL;
	ok(explain_open(p, number, &x, &e));
	for (int i = 0; i < n; i++)
		ok(explain_add(x, &o[i], is_member(p, o, n, i) ? o[i].metrics : NULL, &e));
	enum err err = explain_write(x, ret, &e);
	explain_close(x);
	*ret_why = e;
	return err;
}

/* Of the outcome with that index, -1: of none in particular. */
static cJSON *explain(const struct problem *p, const struct outcome *o, int n, int chosen)
{
	struct errinfo e = { 0 };
	cJSON *doc = NULL;
	ok(try(p, o, n, chosen < 0 ? 0 : o[chosen].number, &doc, &e));
	return doc;
}

static cJSON *at(const cJSON *object, const char *key)
{
	cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	ck_assert_msg(item != NULL, "no %s", key);
	return item;
}

static double number(const cJSON *object, const char *key)
{
	ck_assert_msg(cJSON_IsNumber(at(object, key)), "%s is not a number", key);
	return at(object, key)->valuedouble;
}

static cJSON *group(const cJSON *object, int g)
{
	cJSON *groups = at(object, "groups");
	ck_assert_ptr_nonnull(cJSON_GetArrayItem(groups, g));
	return cJSON_GetArrayItem(groups, g);
}

START_TEST(sensitivities_are_in_the_true_order)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = RESULTS;
	p.seed = (uint64_t)_i;
	struct outcome *o = landscape_run(&p, "{\"name\": \"random\"}", landscape_evaluate);
	cJSON *doc = explain(&p, o, RESULTS, -1);
	ck_assert_str_eq(at(doc, "metric")->valuestring, "accuracy");
	ck_assert_str_eq(at(doc, "cost")->valuestring, "macs");
	ck_assert_int_eq((int)number(doc, "results"), RESULTS);
	ck_assert_int_eq(cJSON_GetArraySize(at(doc, "groups")), GROUPS);
	for (int i = 0; i < GROUPS; i++) {
		double mine = number(group(doc, i), "sensitivity");
		ck_assert_double_le(mine, 0);
		for (int k = 0; k < GROUPS; k++)
			if (landscape_weight[i] > 5 && landscape_weight[k] <= 1)
				ck_assert_double_lt(mine, number(group(doc, k), "sensitivity"));
	}
	cJSON_Delete(doc);
	landscape_free(o);
	space_free(s);
}
END_TEST

/* A search that soon leaves them whole knows less of them. */
START_TEST(what_guided_left_whole_counts_as_sensitive_too)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	double heavy = 0, light = 0;
	int heavies = 0;
	p.budget = RESULTS;
	p.seed = (uint64_t)_i;
	struct outcome *o = landscape_run(&p, GUIDED, landscape_evaluate);
	cJSON *doc = explain(&p, o, RESULTS, -1);
	for (int g = 0; g < GROUPS; g++) {
		bool heavily = landscape_weight[g] > 5;
		*(heavily ? &heavy : &light) += number(group(doc, g), "sensitivity");
		heavies += heavily;
	}
	heavy /= heavies;
	light /= GROUPS - heavies;
	ck_assert_msg(heavy < 2.5 * light && heavy < -0.1, "%g, of light ones %g", heavy, light);
	cJSON_Delete(doc);
	landscape_free(o);
	space_free(s);
}
END_TEST

START_TEST(what_half_a_group_frees_is_said)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	int keep[GROUPS];
	p.budget = 8;
	struct outcome *o = landscape_run(&p, GUIDED, landscape_evaluate);
	cJSON *doc = explain(&p, o, p.budget, -1);
	for (int g = 0; g < GROUPS; g++) {
		space_most(s, keep);
		keep[g] = 20;
		double freed = 1 - (double)cost_of(s, keep).macs / p.baseline[METRIC_MACS];
		ck_assert_double_eq_tol(number(group(doc, g), "freed"), freed, 1e-6);
		ck_assert_int_eq((int)number(group(doc, g), "channels"), 40);
		ck_assert_str_eq(at(group(doc, g), "name")->valuestring, s->groups[g].name);
	}
	cJSON_Delete(doc);
	landscape_free(o);
	space_free(s);
}
END_TEST

/* ---- a front by hand ---- */

enum { HANDS = 8, HAND_GROUPS = 2 };

struct by_hand {
	struct space *space;
	struct problem problem;
	int keep[HANDS][HAND_GROUPS];
	struct outcome outcomes[HANDS];
};

static void set(struct by_hand *h, int i, int first, int second, double accuracy)
{
	h->keep[i][0] = first;
	h->keep[i][1] = second;
	struct outcome o = fixture_evaluate(&h->problem, 10 + i, h->keep[i], false);
	o.metrics[METRIC_ACCURACY] = accuracy;
	h->outcomes[i] = o;
}

/* Numbers 10 and so on; on the front are 10, 12 and 13. */
static void by_hand(struct by_hand *h)
{
	h->space = fixture_wide(HAND_GROUPS, 40);
	h->problem = fixture_problem(h->space);
	set(h, 0, 40, 32, 0.94);
	set(h, 1, 40, 32, 0.93); /* dominated by 0 */
	set(h, 2, 40, 16, 0.9);
	set(h, 3, 20, 8, 0.7);
	set(h, 4, 20, 20, 0.6);  /* dominated by 3 */
	set(h, 5, 10, 4, 0.99);  /* failed */
	set(h, 6, 40, 16, 0.9);  /* as good as 2, and later */
	set(h, 7, 4, 4, NAN);
	h->outcomes[5].ok = false;
}

static void check_front(const cJSON *g, double least, double mean, double most, double whole)
{
	ck_assert_double_eq_tol(number(at(g, "front"), "least"), least, 1e-6);
	ck_assert_double_eq_tol(number(at(g, "front"), "mean"), mean, 1e-6);
	ck_assert_double_eq_tol(number(at(g, "front"), "most"), most, 1e-6);
	ck_assert_double_eq_tol(number(at(g, "front"), "whole"), whole, 1e-6);
}

START_TEST(the_front_is_summed_up_group_by_group)
{
	struct by_hand h;
	by_hand(&h);
	cJSON *doc = explain(&h.problem, h.outcomes, HANDS, -1);
	ck_assert_int_eq((int)number(doc, "front"), 3);
	check_front(group(doc, 0), 0.5, 2.5 / 3, 1, 2 / 3.0);
	check_front(group(doc, 1), 0.2, 1.4 / 3, 0.8, 0);
	cJSON_Delete(doc);
	space_free(h.space);
}
END_TEST

START_TEST(the_best_with_half_of_the_cost_is_chosen_by_itself)
{
	struct by_hand h;
	by_hand(&h);
	double whole = h.problem.baseline[METRIC_MACS];
	ck_assert_double_le(h.outcomes[2].metrics[METRIC_MACS], 0.5 * whole);
	ck_assert_double_gt(h.outcomes[0].metrics[METRIC_MACS], 0.5 * whole);
	cJSON *doc = explain(&h.problem, h.outcomes, HANDS, -1), *chosen = at(doc, "chosen");
	ck_assert_int_eq((int)number(chosen, "number"), 12);
	ck_assert_double_eq_tol(number(chosen, "value"), 0.9, 1e-6);
	ck_assert_double_eq_tol(number(chosen, "cost"), h.outcomes[2].metrics[METRIC_MACS] / whole, 1e-6);
	cJSON_Delete(doc);
	doc = explain(&h.problem, h.outcomes, 2, -1); /* none of them is so small */
	ck_assert_int_eq((int)number(at(doc, "chosen"), "number"), 10);
	cJSON_Delete(doc);
	space_free(h.space);
}
END_TEST

START_TEST(any_result_is_explained_when_it_is_asked_for)
{
	struct by_hand h;
	by_hand(&h);
	for (int i = 0; i < HANDS; i++) {
		cJSON *doc = explain(&h.problem, h.outcomes, HANDS, i), *chosen = at(doc, "chosen");
		ck_assert_int_eq((int)number(chosen, "number"), 10 + i);
		for (int g = 0; g < HAND_GROUPS; g++) {
			cJSON *mine = group(chosen, g);
			ck_assert_int_eq((int)number(mine, "kept"), h.keep[i][g]);
			ck_assert_double_eq_tol(number(mine, "share"), 1 - h.keep[i][g] / 40.0, 1e-6);
			ck_assert_int_eq(cJSON_IsNull(at(mine, "restore")), h.keep[i][g] == 40);
			ck_assert(strlen(at(mine, "reason")->valuestring) > 10);
		}
		cJSON_Delete(doc);
	}
	space_free(h.space);
}
END_TEST

static void check_reason(const struct space_group *g, int kept, const char *reason)
{
	const char *start = kept == g->channels ? "whole; " : kept == g->max_keep ? "as large as the job allows; " : "";
	if (g->min_keep == g->max_keep)
		start = "the job leaves no choice";
	else if (kept == g->min_keep)
		start = "as small as the job allows; ";
	ck_assert_msg(!strncmp(reason, start, strlen(start)), "%d of %d: %s", kept, g->channels, reason);
	ck_assert_int_eq(strstr(reason, " more") != NULL, kept < g->max_keep);
	ck_assert_int_eq(strstr(reason, " fewer") != NULL, kept > g->min_keep);
}

START_TEST(a_notch_more_costs_and_a_notch_less_frees)
{
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = RESULTS;
	s->groups[2].max_keep = 30;
	s->groups[4].min_keep = s->groups[4].max_keep = 35;
	struct outcome *o = landscape_run(&p, GUIDED, landscape_evaluate);
	cJSON *doc = explain(&p, o, RESULTS, -1), *chosen = at(doc, "chosen");
	ck_assert_double_eq_tol(number(chosen, "predicted"), number(chosen, "value"), 0.03);
	for (int g = 0; g < GROUPS; g++) {
		cJSON *mine = group(chosen, g), *more = at(mine, "restore"), *less = at(mine, "prune");
		int kept = (int)number(mine, "kept");
		ck_assert_int_eq(cJSON_IsNull(more), kept == s->groups[g].max_keep);
		ck_assert_int_eq(cJSON_IsNull(less), kept == s->groups[g].min_keep);
		check_reason(&s->groups[g], kept, at(mine, "reason")->valuestring);
		if (cJSON_IsObject(more)) {
			ck_assert_double_gt(number(more, "keep"), kept);
			ck_assert_double_gt(number(more, "cost"), 0);
		}
		if (cJSON_IsObject(less)) {
			ck_assert_double_lt(number(less, "keep"), kept);
			ck_assert_double_lt(number(less, "cost"), 0);
		}
	}
	cJSON_Delete(doc);
	landscape_free(o);
	space_free(s);
}
END_TEST

START_TEST(failed_results_are_not_counted)
{
	struct by_hand h;
	by_hand(&h);
	cJSON *doc = explain(&h.problem, h.outcomes, HANDS, -1);
	ck_assert_int_eq((int)number(doc, "results"), HANDS - 1);
	cJSON_Delete(doc);
	space_free(h.space);
}
END_TEST

/* As with several rungs: who is a member, and which is the best of them, was found out further up. */
START_TEST(members_are_judged_by_what_was_measured_in_the_end)
{
	struct errinfo e = { 0 };
	struct by_hand h;
	struct explain *x = NULL;
	cJSON *doc = NULL;
	double last[METRIC_COUNT] = { 0 };
	by_hand(&h);
	ok(explain_open(&h.problem, 0, &x, &e));
	for (int i = 0; i < 5; i++) {
		last[METRIC_ACCURACY] = (double[]){ 0.97, 0, 0.94, 0, 0.95 }[i];
		ok(explain_add(x, &h.outcomes[i], i % 2 ? NULL : last, &e));
	}
	ok(explain_write(x, &doc, &e));
	ck_assert_int_eq((int)number(doc, "front"), 3);
	check_front(group(doc, 0), 0.5, 2.5 / 3, 1, 2 / 3.0);
	ck_assert_int_eq((int)number(at(doc, "chosen"), "number"), 14);
	ck_assert_double_eq_tol(number(at(doc, "chosen"), "value"), 0.6, 1e-6);
	cJSON_Delete(doc);
	explain_close(x);
	space_free(h.space);
}
END_TEST

/* The changes are predicted many at a time: as if each were a candidate of its own, here one that failed. */
START_TEST(each_of_many_groups_is_explained_by_itself)
{
	enum { WIDE = 200, LEARNED = 3 };
	struct space *s = fixture_wide(WIDE, 40);
	struct problem p = fixture_problem(s);
	int keep[LEARNED + 1][WIDE];
	struct outcome o[LEARNED + 1];
	for (int i = 0; i <= LEARNED; i++) {
		for (int g = 0; g < WIDE; g++)
			keep[i][g] = 20 + (g + 7 * (i % LEARNED)) % 10;
		o[i] = fixture_evaluate(&p, i + 1, keep[i], false);
		o[i].metrics[METRIC_ACCURACY] = 0.5 + 0.1 * i;
	}
	o[LEARNED].ok = false;
	cJSON *doc = explain(&p, o, LEARNED + 1, 0), *chosen = at(doc, "chosen");
	for (int g = 0; g < WIDE; g += 13) {
		cJSON *less = at(group(chosen, g), "prune");
		keep[LEARNED][g] -= 2;
		cJSON *that = explain(&p, o, LEARNED + 1, LEARNED), *changed = at(that, "chosen");
		ck_assert_int_eq((int)number(less, "keep"), keep[LEARNED][g]);
		ck_assert_double_eq_tol(number(less, "cost"), number(changed, "cost") - number(chosen, "cost"), 3e-6);
		ck_assert_double_eq_tol(number(less, "value"),
			number(changed, "predicted") - number(chosen, "predicted"), 3e-6);
		ck_assert_double_ne(number(less, "value"), 0);
		keep[LEARNED][g] += 2;
		cJSON_Delete(that);
	}
	cJSON_Delete(doc);
	space_free(s);
}
END_TEST

START_TEST(too_many_groups_are_refused)
{
	struct errinfo e = { 0 };
	struct space *s = fixture_wide(EXPLAIN_GROUPS + 1, 4);
	struct problem p = fixture_problem(s);
	struct explain *x = NULL;
	fails(ERR_LIMIT, explain_open(&p, 0, &x, &e));
	says("2001 groups, expected at most 2000");
	space_free(s);
}
END_TEST

START_TEST(infeasible_results_are_on_no_front)
{
	struct by_hand h;
	by_hand(&h);
	fixture_constrain(&h.problem, "accuracy", ">= 0.92");
	cJSON *doc = explain(&h.problem, h.outcomes, HANDS, -1);
	ck_assert_int_eq((int)number(doc, "front"), 1);
	ck_assert_int_eq((int)number(at(doc, "chosen"), "number"), 10);
	cJSON_Delete(doc);
	h.problem.constraint_count = 0;
	fixture_constrain(&h.problem, "accuracy", ">= 0.949");
	doc = explain(&h.problem, h.outcomes, HANDS, -1);
	ck_assert_int_eq((int)number(doc, "front"), 0);
	ck_assert(cJSON_IsNull(at(doc, "chosen")));
	ck_assert(cJSON_IsNull(at(group(doc, 0), "front")));
	cJSON_Delete(doc);
	space_free(h.space);
}
END_TEST

START_TEST(without_a_complete_result_there_is_nothing_to_explain)
{
	struct errinfo e = { 0 };
	struct by_hand h;
	by_hand(&h);
	cJSON *doc = NULL;
	fails(ERR_NOT_FOUND, try(&h.problem, h.outcomes, 0, 0, &doc, &e));
	fails(ERR_NOT_FOUND, try(&h.problem, h.outcomes + 5, 1, 0, &doc, &e));
	fails(ERR_NOT_FOUND, try(&h.problem, h.outcomes + 7, 1, 0, &doc, &e));
	says("nothing to explain");
	fails(ERR_NOT_FOUND, try(&h.problem, h.outcomes, 1, 99, &doc, &e));
	says("trial 99 is not among the results");
	ck_assert_ptr_null(doc);
	space_free(h.space);
}
END_TEST

/* Nothing is predicted, and no text holds a number that is none. */
static void check_unpredicted(const struct by_hand *h)
{
	cJSON *doc = explain(&h->problem, h->outcomes, HANDS, 3), *chosen = at(doc, "chosen");
	char *text = cJSON_PrintUnformatted(doc);
	ck_assert_ptr_null(strstr(text, "nan"));
	ck_assert(cJSON_IsNull(at(chosen, "predicted")));
	for (int g = 0; g < HAND_GROUPS; g++) {
		ck_assert(cJSON_IsNull(at(group(doc, g), "sensitivity")));
		ck_assert(cJSON_IsNull(at(at(group(chosen, g), "restore"), "value")));
		ck_assert_double_gt(number(at(group(chosen, g), "restore"), "cost"), 0);
	}
	cJSON_free(text);
	cJSON_Delete(doc);
}

START_TEST(where_nothing_is_believed_nothing_is_predicted)
{
	struct by_hand h;
	by_hand(&h);
	h.problem.baseline[METRIC_ACCURACY] = NAN;
	check_unpredicted(&h);
	h.problem.objectives[0] = METRIC_PARAMS; /* known without any evaluation */
	check_unpredicted(&h);
	space_free(h.space);
}
END_TEST

START_TEST(more_results_than_are_learned_from_are_explained_too)
{
	enum { MANY = 400 };
	struct space *s = landscape_space();
	struct problem p = landscape_problem(s);
	p.budget = MANY;
	struct outcome *o = landscape_run(&p, "{\"name\": \"random\"}", landscape_evaluate);
	cJSON *doc = explain(&p, o, MANY, 0);
	ck_assert_int_eq((int)number(doc, "results"), MANY);
	ck_assert_int_eq((int)number(at(doc, "chosen"), "number"), 1);
	ck_assert_double_lt(number(group(doc, 3), "sensitivity"), number(group(doc, 4), "sensitivity"));
	cJSON_Delete(doc);
	landscape_free(o);
	space_free(s);
}
END_TEST

Suite *explain_suite(void)
{
	Suite *suite = suite_create("explain");
	TCase *c = tcase_create("explain");
	tcase_set_timeout(c, 60);
	tcase_add_loop_test(c, sensitivities_are_in_the_true_order, 0, 4);
	tcase_add_loop_test(c, what_guided_left_whole_counts_as_sensitive_too, 0, 4);
	tcase_add_test(c, what_half_a_group_frees_is_said);
	tcase_add_test(c, the_front_is_summed_up_group_by_group);
	tcase_add_test(c, the_best_with_half_of_the_cost_is_chosen_by_itself);
	tcase_add_test(c, any_result_is_explained_when_it_is_asked_for);
	tcase_add_test(c, a_notch_more_costs_and_a_notch_less_frees);
	tcase_add_test(c, failed_results_are_not_counted);
	tcase_add_test(c, members_are_judged_by_what_was_measured_in_the_end);
	tcase_add_test(c, each_of_many_groups_is_explained_by_itself);
	tcase_add_test(c, too_many_groups_are_refused);
	tcase_add_test(c, infeasible_results_are_on_no_front);
	tcase_add_test(c, without_a_complete_result_there_is_nothing_to_explain);
	tcase_add_test(c, where_nothing_is_believed_nothing_is_predicted);
	tcase_add_test(c, more_results_than_are_learned_from_are_explained_too);
	suite_add_tcase(suite, c);
	return suite;
}

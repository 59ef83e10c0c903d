/* explain.c -- what a search learned.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/explain.h"
#include "search/space.h"
#include "tests/search/landscape.h"
#include "tests/search/suites.h"

enum { GROUPS = LANDSCAPE_GROUPS, RESULTS = 60 };

static const char GUIDED[] = "{\"name\": \"guided\"}";

static cJSON *explain(const struct problem *p, const struct outcome *o, int n, int chosen)
{
	struct errinfo e = { 0 };
	cJSON *doc = NULL;
	ok(explain_json(p, o, n, chosen, &doc, &e));
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
	fails(ERR_NOT_FOUND, explain_json(&h.problem, h.outcomes, 0, -1, &doc, &e));
	fails(ERR_NOT_FOUND, explain_json(&h.problem, h.outcomes + 5, 1, -1, &doc, &e));
	fails(ERR_NOT_FOUND, explain_json(&h.problem, h.outcomes + 7, 1, -1, &doc, &e));
	says("nothing to explain");
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
	tcase_add_test(c, infeasible_results_are_on_no_front);
	tcase_add_test(c, without_a_complete_result_there_is_nothing_to_explain);
	tcase_add_test(c, where_nothing_is_believed_nothing_is_predicted);
	tcase_add_test(c, more_results_than_are_learned_from_are_explained_too);
	suite_add_tcase(suite, c);
	return suite;
}

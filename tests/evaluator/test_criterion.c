/* test_criterion.c -- which channels go first, and how many.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evaluator/data/dataset.h"
#include "evaluator/data/sample.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/activation.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/prune/choice.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/criterion.h"
#include "evaluator/prune/geometry.h"
#include "evaluator/prune/prune.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/nets.h"
#include "tests/evaluator/suites.h"

static const struct sketch_window K3 = {
	.kernel = { 3, 3 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .pads = { 1, 1, 1, 1 }
};

enum { FIRST = 6, SECOND = 5, SIDE = 6, IMAGES = 40 };

/* Two convolutions, one batch-norm, a classifier: two groups. */
struct pair {
	struct sketch s;
	struct coupling *c;
	struct arena *arena;
	int first, second, head, scale; /* weights */
	int relu, tail;                 /* what the second convolution and the classifier read */
};

static struct pair pair_open(void)
{
	struct errinfo e;
	struct pair p = { .s = sketch_open("pair", 9, 3, (int64_t[]){ 2, SIDE, SIDE }), .arena = arena_new() };
	int x = sketch_conv(&p.s, 0, FIRST, &K3, true);
	p.first = p.s.g->nodes[0].in[1];
	x = sketch_batch_norm(&p.s, x);
	p.scale = p.s.g->nodes[1].in[1];
	p.relu = sketch_one(&p.s, OP_RELU, x);
	x = sketch_conv(&p.s, p.relu, SECOND, &K3, true);
	p.second = p.s.g->nodes[3].in[1];
	p.tail = sketch_one(&p.s, OP_FLATTEN, sketch_one(&p.s, OP_GLOBAL_AVERAGE_POOL, x));
	sketch_finish(&p.s, sketch_gemm(&p.s, p.tail, 3, true, true));
	p.head = p.s.g->nodes[6].in[1];
	p.s.g->values[p.first].learned = p.s.g->values[p.second].learned = p.s.g->values[p.head].learned = true;
	ck_assert_msg(!coupling_new(p.s.g, &p.c, &e), "%s", e.msg);
	ck_assert_int_eq(p.c->group_count, 2);
	ck_assert_int_eq(p.c->groups[0].channels, FIRST);
	ck_assert_int_eq(p.c->groups[1].channels, SECOND);
	return p;
}

static void pair_close(struct pair *p)
{
	arena_free(p->arena);
	coupling_free(p->c);
	sketch_close(&p->s);
}

static const double *rank(struct pair *p, const struct ranking *r, const bool **ret_by_l1)
{
	struct errinfo e;
	const double *importance;
	ck_assert_msg(!criterion_importance(r, p->c, p->arena, &importance, ret_by_l1, &e), "%s", e.msg);
	return importance;
}

/* The weight's number at filter o, input i, place k. */
static double at(const struct pair *p, int weight, int o, int i, int k)
{
	const struct value *v = &p->s.g->values[weight];
	int64_t places = shape_count(&v->shape, 1) / v->shape.dim[0] / v->shape.dim[1];
	return ((const float *)v->data)[(o * v->shape.dim[1] + i) * places + k];
}

/* sqrt of the sum of squares of a row (dimension 0) or slice (1). */
static double norm(const struct pair *p, int weight, int dim, int index)
{
	const struct shape *s = &p->s.g->values[weight].shape;
	int64_t places = shape_count(s, 1) / s->dim[0] / s->dim[1];
	double sum = 0;
	for (int j = 0; j < s->dim[!dim]; j++)
		for (int k = 0; k < places; k++) {
			double x = dim ? at(p, weight, j, index, k) : at(p, weight, index, j, k);
			sum += x * x;
		}
	return sqrt(sum);
}

static double mean_norm(const struct pair *p, int weight, int dim)
{
	double sum = 0;
	int64_t n = p->s.g->values[weight].shape.dim[dim];
	for (int i = 0; i < n; i++)
		sum += norm(p, weight, dim, i);
	return sum / (double)n;
}

START_TEST(l2_importance_is_the_mean_share_of_rows_and_slices)
{
	struct pair p = pair_open();
	const bool *by_l1;
	const double *got = rank(&p, &(struct ranking){ .criterion = "l2" }, &by_l1);
	for (int i = 0; i < FIRST; i++) {
		double row = norm(&p, p.first, 0, i) / mean_norm(&p, p.first, 0);
		double slice = norm(&p, p.second, 1, i) / mean_norm(&p, p.second, 1);
		ck_assert_double_eq_tol(got[p.c->groups[0].classes[i]], row + slice, 1e-9);
	}
	ck_assert(!by_l1[0] && !by_l1[1]);
	pair_close(&p);
}
END_TEST

/* |a - b| between what a tensor has at two indices of a dimension, number by number. */
static double distance(const struct value *v, int dim, int a, int b)
{
	int64_t inner = 1;
	double sum = 0;
	const float *x = v->data;
	for (int i = dim + 1; i < v->shape.rank; i++)
		inner *= v->shape.dim[i];
	for (int64_t i = 0; i < shape_count(&v->shape, 1); i++) {
		int64_t n = v->shape.dim[dim], index = i / inner % n;
		if (index == a)
			sum += pow((double)x[i] - x[i + (b - a) * inner], 2);
	}
	return sqrt(sum);
}

START_TEST(distances_by_the_product_of_matrices_are_those_number_by_number)
{
	struct errinfo e;
	struct sketch s = sketch_open("geometry", 1, 1, (int64_t[]){ 1 });
	int n = (int[]){ 1, 7, 300 }[_i / 3], dim = _i % 3;
	int64_t dims[3] = { 4, 3, 5 };
	dims[dim] = n;
	const struct value *v = &s.g->values[sketch_tensor(&s, -1, 1, 3, dims)];
	double *got = calloc((size_t)n, sizeof *got);
	ck_assert(!geometry_distances(v, dim, got, &e));
	for (int a = 0; a < n; a++) {
		double sum = 0;
		for (int b = 0; b < n; b++)
			sum += distance(v, dim, a, b);
		ck_assert_double_eq_tol(got[a], sum, 1e-5 * (1 + sum));
	}
	free(got);
	sketch_close(&s);
}
END_TEST

START_TEST(fpgm_spares_the_filter_that_is_farthest_from_the_others)
{
	struct pair p = pair_open();
	const bool *by_l1;
	float *w = p.s.g->values[p.first].data;
	for (int k = 0; k < 18; k++) {
		w[1 * 18 + k] = w[0 * 18 + k]; /* filters 0 and 1 are alike */
		w[4 * 18 + k] = 9;             /* filter 4 is far from all */
	}
	const double *got = rank(&p, &(struct ranking){ .criterion = "fpgm" }, &by_l1);
	const int *classes = p.c->groups[0].classes;
	for (int i = 0; i < FIRST; i++)
		ck_assert(i == 4 || got[classes[i]] < got[classes[4]]);
	ck_assert_double_eq_tol(got[classes[0]], got[classes[1]], 1e-5);
	pair_close(&p);
}
END_TEST

START_TEST(bn_ranks_by_scales_and_says_which_groups_have_none)
{
	struct pair p = pair_open();
	const bool *by_l1;
	const double *l1 = rank(&p, &(struct ranking){ .criterion = "l1" }, &by_l1);
	const double *got = rank(&p, &(struct ranking){ .criterion = "bn" }, &by_l1);
	const float *scale = p.s.g->values[p.scale].data;
	double mean = 0;
	for (int i = 0; i < FIRST; i++)
		mean += fabs((double)scale[i]) / FIRST;
	for (int i = 0; i < FIRST; i++)
		ck_assert_double_eq_tol(got[p.c->groups[0].classes[i]], fabs((double)scale[i]) / mean, 1e-9);
	for (int i = 0; i < SECOND; i++)
		ck_assert_double_eq(got[p.c->groups[1].classes[i]], l1[p.c->groups[1].classes[i]]);
	ck_assert(!by_l1[0] && by_l1[1]);
	pair_close(&p);
}
END_TEST

/* Random images of the pair's size. */
static struct dataset images(uint32_t *labels, unsigned char *pixels)
{
	struct rng r;
	rng_init(&r, 3, 3);
	for (int i = 0; i < IMAGES * SIDE * SIDE * 2; i++)
		pixels[i] = (unsigned char)rng_below(&r, 256);
	memset(labels, 0, IMAGES * sizeof *labels);
	return (struct dataset){ .count = IMAGES, .channels = 2, .height = SIDE, .width = SIDE, .pixels = pixels,
		.labels = labels, .classes = 1 };
}

/* Means of |x| by channel of a value (batch, channels, places), over the sample's first n images, one at a time. */
static void means_one_by_one(const struct pair *p, const struct sample *s, int value, int channels, int n, double *ret)
{
	struct errinfo e;
	uint32_t *order;
	uint32_t label;
	float numbers[FIRST * SIDE * SIDE];
	int64_t places = shape_count(&p->s.g->values[value].shape, 1) / channels;
	struct plan *plan = agree_plan(p->s.g, 1, PLAN_OBSERVE, "one by one");
	memset(ret, 0, (size_t)channels * sizeof *ret);
	ck_assert(!sample_order(s, &order, &e));
	for (int i = 0; i < n; i++) {
		split_batch(s->split, order, (size_t)i, 1, plan_input(plan, 0), &label);
		ck_assert(!plan_run(plan, &e));
		plan_value(plan, value, numbers);
		for (int64_t k = 0; k < channels * places; k++)
			ret[k / places] += fabs((double)numbers[k]) / (double)(places * n);
	}
	plan_free(plan);
	free(order);
}

START_TEST(activation_is_the_mean_of_what_layers_read_over_whole_batches)
{
	struct errinfo e;
	struct pair p = pair_open();
	static uint32_t labels[IMAGES];
	static unsigned char pixels[IMAGES * SIDE * SIDE * 2];
	struct dataset data = images(labels, pixels);
	struct normalisation plain = { .std = { 1, 1 } };
	struct split split;
	ck_assert(!split_whole(&data, &plain, &split, &e));
	struct sample sample = { .split = &split, .images = IMAGES };
	const bool *by_l1;
	struct ranking r = { .criterion = "activation", .observe = activation_means, .arg = &sample };
	const double *got = rank(&p, &r, &by_l1);
	double wanted[FIRST], mean = 0;
	means_one_by_one(&p, &sample, p.relu, FIRST, 32, wanted); /* two batches of 16 */
	for (int i = 0; i < FIRST; i++)
		mean += wanted[i] / FIRST;
	for (int i = 0; i < FIRST; i++)
		ck_assert_double_eq_tol(got[p.c->groups[0].classes[i]], wanted[i] / mean, 1e-5);
	means_one_by_one(&p, &sample, p.tail, SECOND, 32, wanted);
	ck_assert((wanted[0] < wanted[1]) == (got[p.c->groups[1].classes[0]] < got[p.c->groups[1].classes[1]]));
	ck_assert(!by_l1[0] && !by_l1[1]);
	pair_close(&p);
}
END_TEST

START_TEST(activation_without_data_is_refused)
{
	struct errinfo e;
	struct pair p = pair_open();
	const double *importance;
	const bool *by_l1;
	struct ranking r = { .criterion = "activation" };
	ck_assert_int_eq(criterion_importance(&r, p.c, p.arena, &importance, &by_l1, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "'activation' looks at sample data"));
	pair_close(&p);
}
END_TEST

START_TEST(random_depends_on_the_seed_alone)
{
	struct pair p = pair_open();
	const bool *by_l1;
	const double *a = rank(&p, &(struct ranking){ .criterion = "random", .seed = 5 }, &by_l1);
	const double *b = rank(&p, &(struct ranking){ .criterion = "random", .seed = 5 }, &by_l1);
	const double *c = rank(&p, &(struct ranking){ .criterion = "random", .seed = 6 }, &by_l1);
	size_t bytes = (size_t)p.c->class_count * sizeof *a;
	ck_assert_mem_eq(a, b, bytes);
	ck_assert_mem_ne(a, c, bytes);
	ck_assert(!by_l1[0] && !by_l1[1]);
	pair_close(&p);
}
END_TEST

/* ---- how many ---- */

static enum err choose(const struct pair *p, const char *list, int *keep, struct errinfo *e)
{
	cJSON *doc = cJSON_Parse(list);
	ck_assert_ptr_nonnull(doc);
	enum err err = choice_by_list(p->c, doc, keep, e);
	cJSON_Delete(doc);
	return err;
}

START_TEST(a_list_names_groups_and_what_they_keep)
{
	struct errinfo e;
	struct pair p = pair_open();
	int keep[2];
	ck_assert_str_eq(p.c->groups[0].name, "node 0");
	ck_assert_str_eq(p.c->groups[1].name, "node 3");
	ck_assert_msg(!choose(&p, "{\"node 3\": {\"ratio\": 0.4}}", keep, &e), "%s", e.msg);
	ck_assert_int_eq(keep[0], FIRST);
	ck_assert_int_eq(keep[1], 3);
	ck_assert(!choose(&p, "{\"node 0\": 1}", keep, &e));
	ck_assert_int_eq(keep[0], 1);
	ck_assert_int_eq(keep[1], SECOND);
	pair_close(&p);
}
END_TEST

static const struct {
	const char *list, *message;
} wrong_lists[] = {
	{ "[]", "is an array of 0, expected an object" },
	{ "{\"node 1\": 3}", "node 1: is no group of the model" },
	{ "{\"node 0\": 0}", "node 0: is 0, expected an integer from 1 to 6" },
	{ "{\"node 0\": 7}", "node 0: is 7" },
	{ "{\"node 0\": 1.5}", "node 0: is 1.5" },
	{ "{\"node 0\": \"all\"}", "node 0: is \"all\"" },
	{ "{\"node 0\": {\"ratio\": 1}}", "node 0.ratio: is 1" },
	{ "{\"node 0\": {\"keep\": 1}}", "node 0.keep: unknown key" },
	{ "{\"node 0\": {}}", "node 0.ratio: missing" },
};

START_TEST(a_wrong_list_is_refused_by_the_name_of_the_group)
{
	struct errinfo e;
	struct pair p = pair_open();
	int keep[2];
	ck_assert_int_eq(choose(&p, wrong_lists[_i].list, keep, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, wrong_lists[_i].message) != NULL, "%s", e.msg);
	pair_close(&p);
}
END_TEST

static const char *const wrong_targets[] = {
	"", "macs", "macs<50%", "macs<=", "macs<=x", "macs<=50%%", "macs<=50 percent", "flops<=50%", "macs>=50%",
	"macs<=-1", "macs<=nan", "<=5", "MACs<=5",
};

START_TEST(a_wrong_target_is_refused)
{
	struct errinfo e;
	struct pair p = pair_open();
	int keep[2];
	double ratio;
	ck_assert_int_eq(choice_by_target(p.c, wrong_targets[_i], keep, &ratio, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "expected like macs<=50%") != NULL, "%s", e.msg);
	pair_close(&p);
}
END_TEST

static int64_t figure(const char *metric, const struct size *s)
{
	return metric[0] == 'p' ? s->params : metric[0] == 'm' ? s->macs : s->bytes;
}

/* What is left meets the bound, and no group could have one channel more. */
START_TEST(a_target_is_met_and_nearly_used_up)
{
	static const char *const metrics[] = { "params", "macs", "bytes" };
	static const int percents[] = { 90, 70, 50, 35 };
	char target[64];
	struct errinfo e;
	const char *metric = metrics[_i % 3];
	struct prunable p = { .arena = arena_new() };
	const bool *by_l1;
	struct sketch s = net_draw(&nets[0], 4);
	struct size before, after;
	int keep[NET_MOST_GROUPS];
	double ratio;
	p.graph = s.g;
	ck_assert(!coupling_new(s.g, &p.coupling, &e));
	ck_assert(!criterion_importance(
		&(struct ranking){ .criterion = "l1" }, p.coupling, p.arena, &p.importance, &by_l1, &e));
	ck_assert(!size_count(s.g, &before, &e));
	snprintf(target, sizeof target, " %s <= %d %%", metric, percents[_i / 3]);
	ck_assert_msg(!choice_by_target(p.coupling, target, keep, &ratio, &e), "%s", e.msg);
	ck_assert_double_eq_tol(ratio, 1 - percents[_i / 3] / 100.0, 1e-9);
	int64_t bound = figure(metric, &before) * percents[_i / 3] / 100;
	for (int more = -1; more < p.coupling->group_count; more++) {
		struct graph *g;
		if (more >= 0 && keep[more] == p.coupling->groups[more].channels)
			continue;
		keep[more < 0 ? 0 : more] += more >= 0;
		ck_assert(!prunable_make(&p, keep, &g, &e));
		ck_assert(!size_count(g, &after, &e));
		ck_assert_int_eq(figure(metric, &after) <= bound, more < 0);
		keep[more < 0 ? 0 : more] -= more >= 0;
		graph_free(g);
	}
	arena_free(p.arena);
	coupling_free(p.coupling);
	sketch_close(&s);
}
END_TEST

START_TEST(a_target_that_no_candidate_meets_says_what_is_possible)
{
	struct errinfo e;
	struct pair p = pair_open();
	int keep[2];
	double ratio;
	ck_assert_int_eq(choice_by_target(p.c, "params<=10", keep, &ratio, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "params <= 10 can't be met: with one channel in every group"));
	ck_assert(!choice_by_target(p.c, "params<=1e9", keep, &ratio, &e));
	ck_assert_int_eq(keep[0], FIRST);
	ck_assert_int_eq(keep[1], SECOND);
	pair_close(&p);
}
END_TEST

Suite *criterion_suite(void)
{
	Suite *s = suite_create("criterion");
	TCase *t = tcase_create("criterion");
	tcase_set_timeout(t, 60);
	tcase_add_test(t, l2_importance_is_the_mean_share_of_rows_and_slices);
	tcase_add_loop_test(t, distances_by_the_product_of_matrices_are_those_number_by_number, 0, 9);
	tcase_add_test(t, fpgm_spares_the_filter_that_is_farthest_from_the_others);
	tcase_add_test(t, bn_ranks_by_scales_and_says_which_groups_have_none);
	tcase_add_test(t, activation_is_the_mean_of_what_layers_read_over_whole_batches);
	tcase_add_test(t, activation_without_data_is_refused);
	tcase_add_test(t, random_depends_on_the_seed_alone);
	tcase_add_test(t, a_list_names_groups_and_what_they_keep);
	tcase_add_loop_test(
		t, a_wrong_list_is_refused_by_the_name_of_the_group, 0, sizeof wrong_lists / sizeof *wrong_lists);
	tcase_add_loop_test(t, a_wrong_target_is_refused, 0, sizeof wrong_targets / sizeof *wrong_targets);
	tcase_add_loop_test(t, a_target_is_met_and_nearly_used_up, 0, 12);
	tcase_add_test(t, a_target_that_no_candidate_meets_says_what_is_possible);
	suite_add_tcase(s, t);
	return s;
}

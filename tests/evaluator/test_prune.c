/* test_prune.c -- groups, surgery and the cost model, on the sample networks.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "evaluator/inspect.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/criterion.h"
#include "evaluator/prune/importance.h"
#include "evaluator/prune/inventory.h"
#include "evaluator/prune/prune.h"
#include "evaluator/prune_file.h"
#include "evaluator/prune/surgery.h"
#include "search/cost.h"
#include "search/space.h"
#include "tests/evaluator/mask.h"
#include "tests/evaluator/sketch.h"
#include "tests/evaluator/suites.h"

enum { BATCH = 8, MOST_GROUPS = 64 };

static const struct {
	const char *path;
	int groups;
	int64_t params, macs;
} samples[] = {
	/* Params as PyTorch counts them; MACs by hand: sum of weight elements times output positions. */
	{ "models/fashion-lenet5.onnx", 4, 61706, 416520 },
	{ "models/fashion-vgg.onnx", 6, 298410, 0 },
	{ "models/fashion-resnet20.onnx", 12, 272186, 0 },
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static struct prunable *open_sample(int i)
{
	struct prunable *p;
	struct errinfo e;
	ck_assert_msg(!prunable_open(samples[i].path, "l1", &p, &e), "%s", e.msg);
	return p;
}

/* Any candidate: each group keeps between one channel and all, all being as likely as light and heavy pruning. */
static void random_keep(const struct coupling *c, struct rng *r, int *keep)
{
	double hardness = rng_uniform(r);
	for (int g = 0; g < c->group_count; g++) {
		int channels = c->groups[g].channels;
		double ratio = hardness * rng_uniform(r);
		keep[g] = 1 + (int)((channels - 1) * (1 - ratio));
	}
}

/* Removes channels at random: the least important ones may be dead already, and prove nothing. */
static void remove_any(const struct coupling *c, const int *keep, struct rng *r, bool *removed)
{
	struct errinfo e;
	double *any = calloc((size_t)c->class_count, sizeof *any);
	for (int k = 0; k < c->class_count; k++)
		any[k] = rng_uniform(r);
	ck_assert(!criterion_select(c, any, keep, removed, &e));
	free(any);
}

static void run(const struct graph *g, const float *x, float *ret)
{
	struct plan *p;
	struct errinfo e;
	ck_assert_msg(!plan_new(g, BATCH, PLAN_INFER, &p, &e), "%s", e.msg);
	memcpy(plan_input(p, 0), x, (size_t)(BATCH * plan_input_size(p, 0)) * sizeof *x);
	ck_assert_msg(!plan_run(p, &e), "%s", e.msg);
	memcpy(ret, plan_output(p, 0), (size_t)(BATCH * plan_output_size(p, 0)) * sizeof *ret);
	plan_free(p);
}

/* Largest difference relative to the largest number, over the batch's ten logits. */
static double difference(const float *a, const float *b)
{
	double most = 0, scale = 1;
	for (int i = 0; i < BATCH * 10; i++) {
		most = fmax(most, fabs((double)a[i] - b[i]));
		scale = fmax(scale, fabs((double)a[i]));
	}
	return most / scale;
}

static void random_images(struct rng *r, float x[BATCH * 784])
{
	for (int i = 0; i < BATCH * 784; i++)
		x[i] = (float)rng_normal(r);
}

START_TEST(samples_have_the_groups_of_their_architecture)
{
	struct prunable *p = open_sample(_i);
	struct size s;
	struct errinfo e;
	ck_assert_int_eq(p->coupling->group_count, samples[_i].groups);
	ck_assert(!size_count(p->graph, &s, &e));
	ck_assert_int_eq(s.params, samples[_i].params);
	if (samples[_i].macs)
		ck_assert_int_eq(s.macs, samples[_i].macs);
	prunable_close(p);
}
END_TEST

static const struct group *group_named(const struct coupling *c, const char *name)
{
	for (int i = 0; i < c->group_count; i++)
		if (!strcmp(c->groups[i].name, name))
			return &c->groups[i];
	ck_abort_msg("no group %s", name);
}

START_TEST(a_residual_stream_is_one_group_across_its_blocks)
{
	struct prunable *p = open_sample(2);
	const struct coupling *c = p->coupling;
	const struct group *stem = group_named(c, "conv");
	ck_assert_int_eq(stem->channels, 16);
	for (int i = 0; i < c->g->value_count; i++) {
		const char *name = c->g->values[i].name;
		if (strcmp(name, "blocks.2.conv2.weight") && strcmp(name, "blocks.0.conv2.weight"))
			continue;
		const struct axis *out = coupling_axis(c, i, 0);
		ck_assert_ptr_eq(&c->groups[coupling_group_at(c, out, 0)], stem);
	}
	prunable_close(p);
}
END_TEST

START_TEST(flattened_maps_lose_a_whole_map_of_features_for_a_channel)
{
	struct prunable *p = open_sample(1);
	const struct coupling *c = p->coupling;
	int last = c->group_count - 1;
	for (int i = 0; i < c->g->value_count; i++)
		if (!strcmp(c->g->values[i].name, "classifier.weight"))
			ck_assert_int_eq(coupling_multiple(c, coupling_axis(c, i, 1), last), 9);
	ck_assert_int_eq(c->groups[last].channels, 128);
	prunable_close(p);
}
END_TEST

START_TEST(network_input_and_output_are_frozen_and_say_so)
{
	struct prunable *p = open_sample(_i);
	cJSON *doc;
	struct errinfo e;
	ck_assert(!inventory_write(p->coupling, &doc, &e));
	const cJSON *frozen = cJSON_GetObjectItem(doc, "frozen");
	ck_assert_int_eq(cJSON_GetArraySize(frozen), 2);
	ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(frozen, 0), "reason")->valuestring, "network input");
	ck_assert_str_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(frozen, 1), "reason")->valuestring, "network output");
	ck_assert_int_eq(cJSON_GetObjectItem(cJSON_GetArrayItem(frozen, 1), "channels")->valueint, 10);
	cJSON_Delete(doc);
	prunable_close(p);
}
END_TEST

START_TEST(cost_model_equals_the_pruned_graph_for_200_candidates)
{
	struct prunable *p = open_sample(_i);
	struct space *space;
	struct rng r;
	struct errinfo e;
	cJSON *doc;
	int keep[MOST_GROUPS];
	ck_assert(!inventory_write(p->coupling, &doc, &e));
	struct space_limits limits = { .max_ratio = 1, .round_to = 1 };
	ck_assert_msg(!space_read(doc, &limits, &space, &e), "%s", e.msg);
	ck_assert_int_eq(space->group_count, p->coupling->group_count);
	rng_init(&r, 200, (uint64_t)_i);
	for (int trial = 0; trial < 200; trial++) {
		struct graph *pruned;
		struct size counted;
		random_keep(p->coupling, &r, keep);
		ck_assert_msg(!prunable_make(p, keep, &pruned, &e), "%s", e.msg);
		ck_assert(!size_count(pruned, &counted, &e));
		struct cost computed = cost_of(space, keep);
		ck_assert_int_eq(computed.params, counted.params);
		ck_assert_int_eq(computed.macs, counted.macs);
		ck_assert_int_eq(computed.bytes, counted.bytes);
		graph_free(pruned);
	}
	struct size intact;
	ck_assert(!size_count(p->graph, &intact, &e));
	ck_assert_int_eq(cost_of_intact(space).params, intact.params);
	ck_assert_int_eq(cost_of_intact(space).macs, intact.macs);
	space_free(space);
	cJSON_Delete(doc);
	prunable_close(p);
}
END_TEST

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The share of the `many` least important channels, counted one by one. */
static double share_of_least(const struct group *g, const double *importance, int many)
{
	double sorted[1024], part = 0, all = 0;
	ck_assert_int_le(g->channels, 1024);
	for (int i = 0; i < g->channels; i++)
		sorted[i] = importance[g->classes[i]];
	qsort(sorted, (size_t)g->channels, sizeof *sorted, ascending);
	for (int i = 0; i < g->channels; i++) {
		part += i < many ? sorted[i] : 0;
		all += sorted[i];
	}
	return part / all;
}

START_TEST(shares_of_importance_are_those_of_the_channels_that_go_first)
{
	struct prunable *p = open_sample(_i);
	const struct coupling *c = p->coupling;
	struct arena *a = arena_new();
	struct space *space;
	struct errinfo e;
	cJSON *doc;
	const double *importance;
	const bool *by_l1;
	struct space_limits limits = { .max_ratio = 1, .round_to = 1 };
	ck_assert(!inventory_write(c, &doc, &e));
	ck_assert_msg(!importance_add(c, doc, &e), "%s", e.msg);
	ck_assert_msg(!space_read(doc, &limits, &space, &e), "%s", e.msg);
	ck_assert(!criterion_importance(&(struct ranking){ .criterion = "l1" }, c, a, &importance, &by_l1, &e));
	for (int g = 0; g < c->group_count; g++) {
		int channels = c->groups[g].channels, last = space->groups[g].share_count - 1;
		ck_assert_int_eq(last, channels < 32 ? channels : 32);
		for (int removed = 0; removed <= channels; removed++)
			if (removed * last % channels == 0) /* it stands on a point */
				ck_assert_double_eq_tol(space_share(&space->groups[g], channels - removed),
					share_of_least(&c->groups[g], importance, removed), 1e-5);
	}
	space_free(space);
	cJSON_Delete(doc);
	arena_free(a);
	prunable_close(p);
}
END_TEST

START_TEST(shares_rise_from_0_to_1_whatever_the_weights)
{
	double many[100], shares[IMPORTANCE_POINTS], few[4] = { 3, 1, 0, 4 };
	ck_assert_int_eq(importance_shares(few, 4, shares), 5);
	ck_assert_mem_eq(shares, ((double[]){ 0, 0, 0.125, 0.5, 1 }), 5 * sizeof *shares);
	double odd[3] = { 0, 0, 0 }, wild[2] = { NAN, 1 }, huge[2] = { INFINITY, 1 };
	ck_assert_int_eq(importance_shares(odd, 3, shares), 4);
	ck_assert_double_eq_tol(shares[1], 1.0 / 3, 1e-5);
	ck_assert_int_eq(importance_shares(wild, 2, shares), 3);
	ck_assert_double_eq(shares[1], 0.5);
	ck_assert_int_eq(importance_shares(huge, 2, shares), 3);
	ck_assert_double_eq(shares[1], 0.5);
	for (int i = 0; i < 100; i++)
		many[i] = exp(i % 37);
	ck_assert_int_eq(importance_shares(many, 100, shares), IMPORTANCE_POINTS);
	ck_assert_double_eq(shares[0], 0);
	ck_assert_double_eq(shares[IMPORTANCE_POINTS - 1], 1);
	for (int i = 1; i < IMPORTANCE_POINTS; i++)
		ck_assert_double_ge(shares[i], shares[i - 1]);
}
END_TEST

/* The property: let R be the removed channels. Set to zero every filter row, bias entry, batch-norm scale and shift
 * that belongs to R. Then every activation of R is exactly zero from where it is produced to where it is read (scale *
 * x + shift = 0, ReLU, max and mean of zeros, sums of zeros), readers add nothing for it, and the logits are those of
 * the network without R, up to the order of float sums. */
START_TEST(removing_equals_zeroing_where_no_shift_flows)
{
	struct prunable *p = open_sample(_i);
	struct rng r;
	struct errinfo e;
	static float x[BATCH * 784], compact[BATCH * 10], masked[BATCH * 10];
	bool *removed = calloc((size_t)p->coupling->class_count, sizeof *removed);
	int keep[MOST_GROUPS];
	rng_init(&r, 7, (uint64_t)_i);
	for (int trial = 0; trial < 20; trial++) {
		struct graph *small, *zeroed;
		random_images(&r, x);
		random_keep(p->coupling, &r, keep);
		remove_any(p->coupling, keep, &r, removed);
		ck_assert_msg(!surgery_remove(p->coupling, removed, &small, &e), "%s", e.msg);
		zeroed = mask_channels(p->coupling, removed, MASK_PRODUCERS);
		run(small, x, compact);
		run(zeroed, x, masked);
		ck_assert_double_le(difference(compact, masked), 1e-5);
		graph_free(small);
		graph_free(zeroed);
	}
	free(removed);
	prunable_close(p);
}
END_TEST

/* The counterpart, which shows that the property says something: a bias or batch-norm shift left on a removed channel
 * flows on and changes the logits. */
START_TEST(zeroing_filters_alone_is_not_removing_when_shifts_flow)
{
	struct prunable *p = open_sample(_i);
	struct rng r;
	struct errinfo e;
	static float x[BATCH * 784], compact[BATCH * 10], masked[BATCH * 10];
	bool *removed = calloc((size_t)p->coupling->class_count, sizeof *removed);
	int keep[MOST_GROUPS];
	struct graph *small, *zeroed;
	rng_init(&r, 8, (uint64_t)_i);
	random_images(&r, x);
	for (int g = 0; g < p->coupling->group_count; g++)
		keep[g] = p->coupling->groups[g].channels / 2;
	remove_any(p->coupling, keep, &r, removed);
	ck_assert(!surgery_remove(p->coupling, removed, &small, &e));
	zeroed = mask_channels(p->coupling, removed, MASK_FILTERS);
	run(small, x, compact);
	run(zeroed, x, masked);
	ck_assert_double_gt(difference(compact, masked), 1e-3);
	graph_free(small);
	graph_free(zeroed);
	free(removed);
	prunable_close(p);
}
END_TEST

START_TEST(keeping_everything_changes_nothing)
{
	struct prunable *p = open_sample(_i);
	struct rng r;
	struct errinfo e;
	static float x[BATCH * 784], before[BATCH * 10], after[BATCH * 10];
	int keep[MOST_GROUPS];
	struct graph *same;
	rng_init(&r, 9, 0);
	random_images(&r, x);
	for (int g = 0; g < p->coupling->group_count; g++)
		keep[g] = p->coupling->groups[g].channels;
	ck_assert(!prunable_make(p, keep, &same, &e));
	run(p->graph, x, before);
	run(same, x, after);
	ck_assert_mem_eq(before, after, sizeof before);
	graph_free(same);
	prunable_close(p);
}
END_TEST

START_TEST(one_channel_a_group_still_runs_and_survives_the_file)
{
	struct prunable *p = open_sample(_i);
	struct rng r;
	struct errinfo e;
	static float x[BATCH * 784], before[BATCH * 10], after[BATCH * 10];
	char path[] = "/tmp/pared-test-XXXXXX";
	int keep[MOST_GROUPS], fd = mkstemp(path);
	struct graph *thin, *read_back;
	rng_init(&r, 10, 0);
	random_images(&r, x);
	for (int g = 0; g < p->coupling->group_count; g++)
		keep[g] = 1;
	ck_assert(!prunable_make(p, keep, &thin, &e));
	ck_assert_msg(!onnx_write(thin, path, &e), "%s", e.msg);
	ck_assert_msg(!onnx_read(path, &read_back, &e), "%s", e.msg);
	run(thin, x, before);
	run(read_back, x, after);
	ck_assert_mem_eq(before, after, sizeof before);
	graph_free(thin);
	graph_free(read_back);
	prunable_close(p);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(the_least_important_channels_go_first)
{
	struct prunable *p = open_sample(0);
	const struct coupling *c = p->coupling;
	struct errinfo e;
	bool *removed = calloc((size_t)c->class_count, sizeof *removed);
	int keep[MOST_GROUPS];
	for (int g = 0; g < c->group_count; g++)
		keep[g] = c->groups[g].channels - 2;
	ck_assert(!criterion_select(c, p->importance, keep, removed, &e));
	for (int g = 0; g < c->group_count; g++) {
		double most_removed = -1, least_kept = INFINITY;
		for (int i = 0; i < c->groups[g].channels; i++) {
			int class = c->groups[g].classes[i];
			if (removed[class])
				most_removed = fmax(most_removed, p->importance[class]);
			else
				least_kept = fmin(least_kept, p->importance[class]);
		}
		ck_assert_double_ge(most_removed, 0);
		ck_assert_double_le(most_removed, least_kept);
	}
	free(removed);
	prunable_close(p);
}
END_TEST

START_TEST(l1_importance_is_the_mean_share_of_rows_and_slices)
{
	struct prunable *p = open_sample(0);
	const struct coupling *c = p->coupling;
	const struct group *first = &c->groups[0]; /* features.0: rows of its filter, slices of features.3 */
	const float *rows = NULL, *slices = NULL;
	for (int i = 0; i < c->g->value_count; i++) {
		if (!strcmp(c->g->values[i].name, "features.0.weight"))
			rows = c->g->values[i].data;
		if (!strcmp(c->g->values[i].name, "features.3.weight"))
			slices = c->g->values[i].data;
	}
	double row[6] = { 0 }, slice[6] = { 0 }, row_sum = 0, slice_sum = 0;
	for (int o = 0; o < 6; o++)
		for (int k = 0; k < 25; k++)
			row[o] += fabs((double)rows[o * 25 + k]);
	for (int o = 0; o < 16; o++)
		for (int i = 0; i < 6; i++)
			for (int k = 0; k < 25; k++)
				slice[i] += fabs((double)slices[(o * 6 + i) * 25 + k]);
	for (int i = 0; i < 6; i++) {
		row_sum += row[i];
		slice_sum += slice[i];
	}
	for (int i = 0; i < 6; i++)
		ck_assert_double_eq_tol(
			p->importance[first->classes[i]], 6 * row[i] / row_sum + 6 * slice[i] / slice_sum, 1e-9);
	prunable_close(p);
}
END_TEST

START_TEST(unknown_criterion_is_named)
{
	struct prunable *p;
	struct errinfo e;
	ck_assert_int_eq(prunable_open(samples[0].path, "l7", &p, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "l7"));
}
END_TEST

static double number_in(const cJSON *doc, const char *object, const char *name)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(doc, object), name));
}

static cJSON *prune_by(const struct prune_request *r)
{
	struct errinfo e;
	cJSON *summary;
	ck_assert_msg(!prune_file(r, &summary, &e), "%s", e.msg);
	return summary;
}

START_TEST(prune_file_takes_channels_by_group_or_a_target)
{
	struct errinfo e;
	char path[] = "/tmp/pared-test-XXXXXX", list[] = "/tmp/pared-test-XXXXXX";
	int fd = mkstemp(path), fd_list = mkstemp(list);
	static const char text[] = "{\"features.0\": 20, /* of 32 */ \"features.3\": {\"ratio\": 0.5}}";
	struct prune_request r = {
		.model = samples[1].path, .out = path, .criterion = "bn", .ratio = -1, .keep = list
	};
	ck_assert_int_eq(write(fd_list, text, sizeof text - 1), (int)sizeof text - 1);
	cJSON *summary = prune_by(&r);
	ck_assert_double_eq(number_in(summary, "keep", "features.0"), 20);
	ck_assert_double_eq(number_in(summary, "keep", "features.3"), 16);
	ck_assert_double_eq(number_in(summary, "keep", "features.17"), 128);
	ck_assert_double_eq(number_in(cJSON_GetObjectItem(summary, "requested"), "keep", "features.0"), 20);
	ck_assert_double_eq(number_in(summary, "achieved", "channels"), 28.0 / 448);
	ck_assert_ptr_null(cJSON_GetObjectItem(summary, "note"));
	ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(summary, "incomplete")));
	cJSON_Delete(summary);
	r.target = "macs<=40%";
	cJSON *ignored;
	ck_assert_int_eq(prune_file(&r, &ignored, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "expected one of"));
	r.keep = NULL;
	r.model = samples[0].path; /* LeNet-5 has no batch-norm */
	summary = prune_by(&r);
	ck_assert_double_eq_tol(number_in(summary, "requested", "macs"), 0.6, 1e-12);
	ck_assert_double_ge(number_in(summary, "achieved", "macs"), 0.6);
	ck_assert_double_le(number_in(summary, "achieved", "macs"), 0.605);
	ck_assert_str_eq(cJSON_GetObjectItem(summary, "note")->valuestring,
		"ranked by l1, for bn says nothing about them: features.0, features.3, classifier.1 and 1 more");
	cJSON_Delete(summary);
	r.criterion = "activation";
	ck_assert_int_eq(prune_file(&r, &ignored, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "sample data"));
	close(fd);
	close(fd_list);
	unlink(path);
	unlink(list);
}
END_TEST

/* A network in a file of its own, written over what stood there. */
static void write_sketch(struct sketch *s, const char *path)
{
	struct errinfo e;
	for (int v = 0; v < s->g->value_count; v++) {
		s->g->values[v].file_type = (int)s->g->values[v].dtype;
		s->g->values[v].learned = s->g->values[v].data != NULL;
	}
	ck_assert_msg(!onnx_write(s->g, path, &e), "%s", e.msg);
	sketch_close(s);
}

START_TEST(prune_file_says_so_when_nothing_can_go)
{
	struct errinfo e;
	struct stat st;
	char model[] = "/tmp/pared-test-XXXXXX", out[] = "/tmp/pared-test-XXXXXX";
	int fd = mkstemp(model), fd_out = mkstemp(out);
	struct sketch s = sketch_open("linear", 1, 1, (int64_t[]){ 12 });
	sketch_finish(&s, sketch_gemm(&s, 0, 5, true, true));
	write_sketch(&s, model);
	struct prune_request r = { .model = model, .out = out, .criterion = "l1", .ratio = 0.5, .images = 10 };
	cJSON *summary = prune_by(&r);
	const char *note = cJSON_GetStringValue(cJSON_GetObjectItem(summary, "note"));
	ck_assert(note && strstr(note, "nothing can be pruned") && strstr(note, "nothing to recalibrate"));
	ck_assert_double_eq(number_in(summary, "requested", "channels"), 0.5);
	ck_assert_double_eq(number_in(summary, "achieved", "channels"), 0);
	cJSON_Delete(summary);
	r.ratio = -1;
	r.target = "macs<=50%";
	ck_assert(!truncate(out, 0));
	ck_assert_int_eq(prune_file(&r, &summary, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "nothing can be pruned"), "%s", e.msg);
	ck_assert(!stat(out, &st) && st.st_size == 0);
	r.target = "macs<=100%";
	cJSON_Delete(prune_by(&r));
	close(fd);
	close(fd_out);
	unlink(model);
	unlink(out);
}
END_TEST

START_TEST(a_target_is_checked_without_a_network)
{
	static const char *const wrong[] = { "macs<50%", "", "latency<=50%", "macs<=-1", "macs<=x", "macs<=50%%" };
	struct errinfo e;
	ck_assert(!prune_file_check_target("macs<=50%", &e) && !prune_file_check_target("bytes <= 1e6", &e));
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		ck_assert_int_eq(prune_file_check_target(wrong[i], &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "target: is 'macs<=50%%', expected like macs<=50%"), "%s", e.msg);
}
END_TEST

/* Which of the two was meant is nobody's guess. */
START_TEST(a_group_that_is_named_twice_is_refused)
{
	static const char text[] = "{\"features.0\": 20, \"features.3\": 3, \"features.0\": 20}";
	struct errinfo e;
	cJSON *ignored;
	char list[] = "/tmp/pared-test-XXXXXX";
	int fd = mkstemp(list);
	ck_assert_int_eq(write(fd, text, sizeof text - 1), (int)sizeof text - 1);
	struct prune_request r = {
		.model = samples[1].path, .out = "/nowhere/out.onnx", .criterion = "l1", .ratio = -1, .keep = list
	};
	ck_assert_int_eq(prune_file(&r, &ignored, &e), ERR_INPUT);
	ck_assert_msg(strstr(e.msg, "features.0: is given twice"), "%s", e.msg);
	close(fd);
	unlink(list);
}
END_TEST

/* The columns of every row of a table begin where those of its heading do. */
static void lines_up(const char *text, const char *column, const char *row, const char *entry)
{
	const char *head = strstr(text, column), *line = strstr(text, row), *start = head;
	ck_assert_msg(head && line, "%s", text);
	while (start > text && start[-1] != '\n')
		start--;
	ck_assert_msg(!strncmp(line + (head - start), entry, strlen(entry)), "%s", text);
}

START_TEST(inspect_lines_up_long_names_and_says_what_is_missing)
{
	struct errinfo e;
	char *text = NULL, model[] = "/tmp/pared-test-XXXXXX";
	static const char name[] = "/a/path/of/scopes/that/goes/on/and/on/for/ever/and/ever/Relu";
	size_t len = 0;
	int fd = mkstemp(model);
	struct sketch s = sketch_open("long", 1, 1, (int64_t[]){ 12 });
	sketch_finish(&s, sketch_one(&s, OP_RELU, sketch_gemm(&s, 0, 5, true, true)));
	s.g->nodes[1].name = name;
	s.g->nodes[1].op = OP_COUNT;
	s.g->nodes[1].type = "AnOperatorWithALongName";
	s.g->nodes[1].opaque = "it is not known";
	write_sketch(&s, model);
	FILE *f = open_memstream(&text, &len);
	ck_assert_msg(!inspect_print(model, false, f, &e), "%s", e.msg);
	fclose(f);
	lines_up(text, "operator ", name, "AnOperatorWithALongName ");
	lines_up(text, "output ", name, "(batch, 5)");
	lines_up(strstr(text, "not understood"), "reason", name, "operator '");
	ck_assert_ptr_nonnull(strstr(text, "groups of channels that can be removed: none"));
	ck_assert_ptr_nonnull(strstr(text, "\nincomplete: nodes that aren't understood"));
	free(text);
	close(fd);
	unlink(model);
}
END_TEST

START_TEST(prune_file_says_requested_and_achieved)
{
	struct errinfo e;
	char path[] = "/tmp/pared-test-XXXXXX";
	int fd = mkstemp(path);
	cJSON *summary;
	struct prune_request r = { .model = samples[1].path, .out = path, .criterion = "l1", .ratio = 0.5 };
	ck_assert_msg(!prune_file(&r, &summary, &e), "%s", e.msg);
	const cJSON *achieved = cJSON_GetObjectItem(summary, "achieved");
	ck_assert_double_eq_tol(cJSON_GetObjectItem(achieved, "channels")->valuedouble, 0.5, 1e-9);
	ck_assert_double_gt(cJSON_GetObjectItem(achieved, "params")->valuedouble, 0.7);
	cJSON_Delete(summary);
	r.ratio = 1;
	ck_assert_int_eq(prune_file(&r, &summary, &e), ERR_INPUT);
	r.ratio = 0.5;
	r.model = path;
	ck_assert_int_eq(prune_file(&r, &summary, &e), ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.msg, "is the model itself"));
	close(fd);
	unlink(path);
}
END_TEST

Suite *prune_suite(void)
{
	Suite *s = suite_create("prune");
	TCase *t = tcase_create("prune");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, samples_have_the_groups_of_their_architecture, 0, SAMPLES);
	tcase_add_test(t, a_residual_stream_is_one_group_across_its_blocks);
	tcase_add_test(t, flattened_maps_lose_a_whole_map_of_features_for_a_channel);
	tcase_add_loop_test(t, network_input_and_output_are_frozen_and_say_so, 0, SAMPLES);
	tcase_add_loop_test(t, shares_of_importance_are_those_of_the_channels_that_go_first, 0, SAMPLES);
	tcase_add_test(t, shares_rise_from_0_to_1_whatever_the_weights);
	tcase_add_loop_test(t, cost_model_equals_the_pruned_graph_for_200_candidates, 0, SAMPLES);
	tcase_add_loop_test(t, removing_equals_zeroing_where_no_shift_flows, 0, SAMPLES);
	tcase_add_loop_test(t, zeroing_filters_alone_is_not_removing_when_shifts_flow, 0, SAMPLES);
	tcase_add_loop_test(t, keeping_everything_changes_nothing, 0, SAMPLES);
	tcase_add_loop_test(t, one_channel_a_group_still_runs_and_survives_the_file, 0, SAMPLES);
	tcase_add_test(t, the_least_important_channels_go_first);
	tcase_add_test(t, l1_importance_is_the_mean_share_of_rows_and_slices);
	tcase_add_test(t, unknown_criterion_is_named);
	tcase_add_test(t, prune_file_says_requested_and_achieved);
	tcase_add_test(t, prune_file_takes_channels_by_group_or_a_target);
	tcase_add_test(t, prune_file_says_so_when_nothing_can_go);
	tcase_add_test(t, a_target_is_checked_without_a_network);
	tcase_add_test(t, a_group_that_is_named_twice_is_refused);
	tcase_add_test(t, inspect_lines_up_long_names_and_says_what_is_missing);
	suite_add_tcase(s, t);
	return s;
}

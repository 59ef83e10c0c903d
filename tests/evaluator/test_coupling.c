/* test_coupling.c -- groups, surgery and costs on small networks, one a kind of coupling.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
#include "evaluator/model/onnx.h"
#include "evaluator/prune/coupling.h"
#include "evaluator/prune/criterion.h"
#include "evaluator/prune/inventory.h"
#include "evaluator/prune/ledger.h"
#include "evaluator/prune/surgery.h"
#include "search/cost.h"
#include "search/space.h"
#include "tests/evaluator/agree.h"
#include "tests/evaluator/mask.h"
#include "tests/evaluator/nets.h"
#include "tests/evaluator/suites.h"

enum { CANDIDATES = 50, BATCH = 3, MOST_GROUPS = 64 };

static struct coupling *couple(const struct sketch *s)
{
	struct coupling *c;
	struct errinfo e;
	ck_assert_msg(!coupling_new(s->g, &c, &e), "%s: %s", s->what, e.msg);
	return c;
}

START_TEST(a_network_has_the_groups_of_its_couplings)
{
	const struct net *net = &nets[_i];
	struct sketch s = net_draw(net, 1);
	struct coupling *c = couple(&s);
	int wanted = 0;
	while (wanted < NET_MOST_GROUPS && net->channels[wanted])
		wanted++;
	ck_assert_msg(c->group_count == wanted, "%s: %d groups, expected %d", net->name, c->group_count, wanted);
	for (int g = 0; g < wanted; g++)
		ck_assert_msg(c->groups[g].channels == abs(net->channels[g]),
			"%s: group %d has %d channels, expected %d", net->name, g, c->groups[g].channels,
			abs(net->channels[g]));
	for (int g = 0; g < wanted; g++)
		for (int other = 0; other < g; other++)
			ck_assert_str_ne(c->groups[g].name, c->groups[other].name);
	coupling_free(c);
	sketch_close(&s);
}
END_TEST

/* ---- random candidates ---- */

/* A network, its groups, and what its cost model says. */
struct bench {
	const struct net *net;
	struct sketch s;
	struct coupling *c;
	struct space *space;
	bool *removed;
	int keep[MOST_GROUPS];
	bool due; /* compact must equal masked */
};

/* net -1: one by lot. */
static struct bench bench_open(int net, uint64_t seed)
{
	static const struct net any = { .name = "by lot" };
	struct errinfo e;
	cJSON *doc;
	struct bench b = { .net = net < 0 ? &any : &nets[net] };
	b.s = net < 0 ? net_draw_any(seed) : net_draw(b.net, seed);
	struct space_limits limits = { .max_ratio = 1, .round_to = 1 };
	b.c = couple(&b.s);
	ck_assert_msg(!inventory_write(b.c, &doc, &e), "%s", e.msg);
	ck_assert_msg(!space_read(doc, &limits, &b.space, &e), "%s: %s", b.s.what, e.msg);
	cJSON_Delete(doc);
	ck_assert_int_le(b.c->group_count, MOST_GROUPS);
	b.removed = calloc((size_t)b.c->class_count + 1, sizeof *b.removed);
	return b;
}

static void bench_close(struct bench *b)
{
	free(b->removed);
	space_free(b->space);
	coupling_free(b->c);
	sketch_close(&b->s);
}

/* Any channels of every group; in each second candidate groups that are normalised over stay whole. */
static void choose(struct bench *b, struct rng *r, int number)
{
	struct errinfo e;
	double *any = calloc((size_t)b->c->class_count + 1, sizeof *any);
	b->due = true;
	for (int k = 0; k < b->c->class_count; k++)
		any[k] = rng_uniform(r);
	for (int g = 0; g < b->c->group_count; g++) {
		int channels = b->c->groups[g].channels;
		bool exempt = g < NET_MOST_GROUPS && b->net->channels[g] < 0;
		b->keep[g] = exempt && number % 2 ? channels : 1 + (int)rng_below(r, (uint64_t)channels);
		b->due = b->due && (!exempt || b->keep[g] == channels);
	}
	ck_assert(!criterion_select(b->c, any, b->keep, b->removed, &e));
	free(any);
}

static struct graph *prune(const struct bench *b)
{
	struct graph *g;
	struct errinfo e;
	ck_assert_msg(!surgery_remove(b->c, b->removed, &g, &e), "%s: %s", b->s.what, e.msg);
	return g;
}

START_TEST(costs_of_random_candidates_are_those_of_the_pruned_graph)
{
	struct bench b = bench_open(_i, 2);
	struct rng r;
	struct errinfo e;
	struct ledger *l;
	struct arena *a = arena_new();
	rng_init(&r, 50, (uint64_t)_i);
	ck_assert(!ledger_new(b.c, a, &l, &e));
	for (int i = 0; i < CANDIDATES; i++) {
		choose(&b, &r, 0);
		struct graph *g = prune(&b);
		struct size counted;
		ck_assert(!size_count(g, &counted, &e));
		struct cost searched = cost_of(b.space, b.keep);
		struct ledger_cost own = ledger_cost(l, b.keep);
		ck_assert_int_eq(searched.params, counted.params);
		ck_assert_int_eq(searched.macs, counted.macs);
		ck_assert_int_eq(searched.bytes, counted.bytes);
		ck_assert_int_eq(own.params, counted.params);
		ck_assert_int_eq(own.macs, counted.macs);
		ck_assert_int_eq(own.bytes, counted.bytes);
		graph_free(g);
	}
	arena_free(a);
	bench_close(&b);
}
END_TEST

/* All outputs, one after the other; the caller frees. */
static float *outputs_of(const struct graph *g, const char *what, const float *x, int64_t *ret_count)
{
	struct plan *p = agree_plan(g, BATCH, PLAN_INFER, what);
	agree_run(p, x);
	int64_t count = 0;
	for (int i = 0; i < plan_output_count(p); i++)
		count += BATCH * plan_output_size(p, i);
	float *y = malloc((size_t)count * sizeof *y), *to = y;
	for (int i = 0; i < plan_output_count(p); i++) {
		size_t n = (size_t)(BATCH * plan_output_size(p, i));
		memcpy(to, plan_output(p, i), n * sizeof *y);
		to += n;
	}
	*ret_count = count;
	plan_free(p);
	return y;
}

/* Largest difference relative to the largest number; infinite when a number is not finite. */
static double difference(const float *a, const float *b, int64_t count)
{
	double most = 0, scale = 1;
	for (int64_t i = 0; i < count; i++) {
		if (!isfinite(a[i]) || !isfinite(b[i]))
			return INFINITY;
		most = fmax(most, fabs((double)a[i] - b[i]));
		scale = fmax(scale, fabs((double)a[i]));
	}
	return most / scale;
}

static float *random_batch(const struct graph *g, struct rng *r)
{
	struct plan *p = agree_plan(g, BATCH, PLAN_INFER, "input");
	float *x = agree_input(r, agree_size(p));
	plan_free(p);
	return x;
}

static double compact_against_masked(const struct bench *b, const float *x, enum mask mask)
{
	int64_t count, same;
	struct graph *small = prune(b), *zeroed = mask_channels(b->c, b->removed, mask);
	float *compact = outputs_of(small, b->s.what, x, &count), *masked = outputs_of(zeroed, b->s.what, x, &same);
	ck_assert_int_eq(count, same);
	double apart = difference(compact, masked, count);
	free(compact);
	free(masked);
	graph_free(small);
	graph_free(zeroed);
	return apart;
}

START_TEST(compact_equals_masked_where_that_is_due)
{
	struct bench b = bench_open(_i, 3);
	struct rng r;
	enum mask mask = b.net->due == DUE_READERS ? MASK_READERS : MASK_PRODUCERS;
	rng_init(&r, 51, (uint64_t)_i);
	float *x = random_batch(b.s.g, &r);
	for (int i = 0; i < CANDIDATES; i++) {
		choose(&b, &r, i);
		double apart = compact_against_masked(&b, x, mask);
		ck_assert_msg(apart < (b.due ? 1e-5 : INFINITY), "%s, candidate %d: %g apart", b.s.what, i, apart);
	}
	free(x);
	bench_close(&b);
}
END_TEST

/* Shapes as predicted, costs exact, compact as masked: 20 networks a round, 5 candidates each. */
START_TEST(networks_by_lot_are_pruned_exactly)
{
	struct rng r;
	struct errinfo e;
	rng_init(&r, 53, (uint64_t)_i);
	for (int i = 0; i < 20; i++) {
		struct bench b = bench_open(-1, (uint64_t)(_i * 20 + i));
		float *x = random_batch(b.s.g, &r);
		for (int k = 0; k < 5; k++) {
			choose(&b, &r, k);
			struct size counted;
			struct graph *g = prune(&b);
			ck_assert(!size_count(g, &counted, &e));
			struct cost cost = cost_of(b.space, b.keep);
			ck_assert_msg(cost.params == counted.params && cost.macs == counted.macs &&
					cost.bytes == counted.bytes, "%s: costs", b.s.what);
			graph_free(g);
			double apart = compact_against_masked(&b, x, MASK_READERS);
			ck_assert_msg(apart < 1e-5, "%s, candidate %d: %g apart", b.s.what, k, apart);
		}
		free(x);
		bench_close(&b);
	}
}
END_TEST

/* ---- files ---- */

/* Operands, groups and sizes that were rewritten come back from a file as they are. */
START_TEST(a_pruned_network_survives_its_file)
{
	struct bench b = bench_open(_i, 5);
	struct rng r;
	struct errinfo e;
	char path[] = "/tmp/pared-test-XXXXXX";
	int fd = mkstemp(path);
	int64_t count, same;
	rng_init(&r, 52, (uint64_t)_i);
	choose(&b, &r, 0);
	struct graph *g = prune(&b), *back;
	float *x = random_batch(b.s.g, &r), *before = outputs_of(g, b.s.what, x, &count);
	ck_assert_msg(!onnx_write(g, path, &e), "%s: %s", b.s.what, e.msg);
	ck_assert_msg(!onnx_read(path, &back, &e), "%s: %s", b.s.what, e.msg);
	float *after = outputs_of(back, b.s.what, x, &same);
	ck_assert_int_eq(count, same);
	ck_assert_msg(difference(before, after, count) < 1e-6, "%s", b.s.what);
	free(x);
	free(before);
	free(after);
	graph_free(g);
	graph_free(back);
	bench_close(&b);
	close(fd);
	unlink(path);
}
END_TEST

/* ---- what is frozen ---- */

static void is_frozen(const struct sketch *s, int value, int dim, const char *reason)
{
	struct coupling *c = couple(s);
	int elements = 0;
	const struct axis *a = coupling_axis(c, value, dim);
	ck_assert_ptr_nonnull(a);
	const char *why = coupling_frozen(c, a, &elements);
	ck_assert_msg(why && strstr(why, reason), "%s: '%s', expected '%s'", s->what, why ? why : "free", reason);
	ck_assert_int_eq(elements, a->n);
	coupling_free(c);
}

static const struct sketch_window K1 = { .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 } };

static int gap(struct sketch *s, int x)
{
	return sketch_one(s, OP_FLATTEN, sketch_one(s, OP_GLOBAL_AVERAGE_POOL, x));
}

START_TEST(inputs_outputs_and_places_are_frozen)
{
	struct sketch s = sketch_open("border", 1, 3, (int64_t[]){ 3, 4, 4 });
	int x = sketch_conv(&s, 0, 5, &K1, true), y = sketch_gemm(&s, gap(&s, x), 2, true, true);
	sketch_finish(&s, y);
	is_frozen(&s, 0, 1, "network input");
	is_frozen(&s, y, 1, "network output");
	is_frozen(&s, x, 2, "spatial position");
	sketch_close(&s);
}
END_TEST

START_TEST(what_is_read_by_a_softmax_is_frozen_by_name)
{
	struct sketch s = sketch_open("softmax", 1, 3, (int64_t[]){ 3, 4, 4 });
	int x = sketch_conv(&s, 0, 5, &K1, true), y = sketch_one(&s, OP_SOFTMAX, x);
	sketch_int(&s, "axis", 1);
	sketch_finish(&s, sketch_gemm(&s, gap(&s, y), 2, true, true));
	is_frozen(&s, x, 1, "read by node 'node 1' (Softmax) along this dimension");
	sketch_close(&s);
}
END_TEST

/* ECA: a convolution along the channels. */
START_TEST(channels_that_are_places_of_a_convolution_are_frozen)
{
	struct sketch s = sketch_open("along channels", 1, 3, (int64_t[]){ 3, 4, 4 });
	struct sketch_window w = { .kernel = { 3 }, .stride = { 1 }, .dilation = { 1 }, .pads = { 1, 1 } };
	int x = sketch_conv(&s, 0, 8, &K1, true), pooled = sketch_one(&s, OP_GLOBAL_AVERAGE_POOL, x);
	int row = sketch_two(&s, OP_RESHAPE, pooled, sketch_operand(&s, 3, (int64_t[]){ -1, 1, 8 }));
	int gate = sketch_one(&s, OP_SIGMOID, sketch_conv(&s, row, 1, &w, false));
	gate = sketch_two(&s, OP_RESHAPE, gate, sketch_operand(&s, 4, (int64_t[]){ -1, 8, 1, 1 }));
	sketch_finish(&s, sketch_gemm(&s, gap(&s, sketch_two(&s, OP_MUL, x, gate)), 2, true, true));
	is_frozen(&s, x, 1, "spatial position");
	sketch_close(&s);
}
END_TEST

START_TEST(slices_in_steps_and_picked_channels_are_frozen)
{
	struct sketch s = sketch_open("steps", 1, 3, (int64_t[]){ 3, 4, 4 });
	int x = sketch_conv(&s, 0, 8, &K1, true), steps = sketch_operand(&s, 1, (int64_t[]){ 2 });
	int from = sketch_operand(&s, 1, (int64_t[]){ 0 }), to = sketch_operand(&s, 1, (int64_t[]){ 8 });
	int axis = sketch_operand(&s, 1, (int64_t[]){ 1 });
	int y = sketch_node(&s, OP_SLICE, 5, (int[]){ x, from, to, axis, steps });
	sketch_finish(&s, sketch_gemm(&s, gap(&s, y), 2, true, true));
	is_frozen(&s, x, 1, "(Slice)");
	sketch_close(&s);
}
END_TEST

/* What isn't understood is left alone, and all around it can be pruned. */
START_TEST(an_opaque_node_freezes_what_it_touches_and_nothing_else)
{
	struct sketch s = sketch_open("opaque", 1, 3, (int64_t[]){ 3, 4, 4 });
	struct errinfo e;
	int before = sketch_conv(&s, 0, 5, &K1, true), read = sketch_conv(&s, before, 6, &K1, true);
	int y = sketch_one(&s, OP_RELU, read);
	s.g->nodes[2].opaque = "operator 'com.example.Mystery' is not known, 100 % of it";
	s.g->values[y].shape = *sketch_shape(&s, read);
	int behind = sketch_conv(&s, y, 7, &K1, true);
	sketch_finish(&s, sketch_gemm(&s, gap(&s, behind), 2, true, true));
	is_frozen(&s, read, 1, "node 'node 2' (Relu): operator 'com.example.Mystery' is not known, 100 % of it");
	is_frozen(&s, y, 1, "com.example.Mystery");
	struct coupling *c = couple(&s);
	ck_assert_int_eq(c->group_count, 2);
	ck_assert_int_eq(c->groups[0].channels, 5);
	ck_assert_int_eq(c->groups[1].channels, 7);
	bool *removed = calloc((size_t)c->class_count, sizeof *removed);
	removed[c->groups[0].classes[2]] = removed[c->groups[1].classes[0]] = true;
	struct graph *g;
	ck_assert_msg(!surgery_remove(c, removed, &g, &e), "%s", e.msg);
	ck_assert_int_eq(g->values[before].shape.dim[1], 4);
	ck_assert_int_eq(g->values[y].shape.dim[1], 6);
	ck_assert_int_eq(g->values[behind].shape.dim[1], 6);
	graph_free(g);
	free(removed);
	coupling_free(c);
	sketch_close(&s);
}
END_TEST

static const char *why_frozen(const struct coupling *c, const struct axis *a, int i)
{
	const char *why = c->frozen[c->class_of[a->first + i]];
	return why ? why : "free";
}

/* Three parts: the second has no name, so it stays as it is; nobody reads the first, of which a channel stays. */
START_TEST(parts_without_names_stay_and_the_others_never_become_empty)
{
	struct sketch s = sketch_open("parts", 1, 3, (int64_t[]){ 3, 4, 4 });
	struct errinfo e;
	int x = sketch_conv(&s, 0, 9, &K1, true), sizes = sketch_operand(&s, 3, (int64_t[]){ 2, 3, 4 });
	int parts = sketch_node_of(&s, OP_SPLIT, 2, (int[]){ x, sizes }, 3);
	sketch_int(&s, "axis", 1);
	s.g->nodes[1].out[1] = -1;
	sketch_finish(&s, sketch_gemm(&s, gap(&s, parts + 2), 2, true, true));
	struct coupling *c = couple(&s);
	ck_assert_int_eq(c->group_count, 2);
	for (int i = 0; i < 9; i++)
		ck_assert_str_eq(why_frozen(c, coupling_axis(c, x, 1), i),
			i < 2 || i >= 5 ? "free" : "output 1 of node 'node 1' (Split) has no name");
	bool *removed = calloc((size_t)c->class_count, sizeof *removed);
	for (int g = 0; g < 2; g++)
		for (int k = 1; k < c->groups[g].channels; k++)
			removed[c->groups[g].classes[k]] = true;
	struct graph *g;
	ck_assert_msg(!surgery_remove(c, removed, &g, &e), "%s", e.msg);
	ck_assert_int_eq(g->values[parts + 2].shape.dim[1], 1);
	ck_assert_mem_eq(g->values[sizes].data, ((int64_t[]){ 1, 3, 1 }), 3 * sizeof(int64_t));
	ck_assert_mem_eq(s.g->values[sizes].data, ((int64_t[]){ 2, 3, 4 }), 3 * sizeof(int64_t));
	graph_free(g);
	free(removed);
	coupling_free(c);
	sketch_close(&s);
}
END_TEST

/* 12 channels 1.05 times as large are 12, and each is a blend of two. */
START_TEST(what_is_scaled_is_frozen_though_its_size_stays)
{
	struct sketch s = sketch_open("scaled", 1, 3, (int64_t[]){ 3, 4, 4 });
	int free = sketch_conv(&s, 0, 12, &K1, true), scales = sketch_tensor(&s, 1, 1, 1, (int64_t[]){ 4 });
	int up = sketch_node(&s, OP_RESIZE, 3, (int[]){ free, -1, scales });
	int x = sketch_conv(&s, up, 12, &K1, true), along = sketch_tensor(&s, 1, 1, 1, (int64_t[]){ 4 });
	((float *)s.g->values[scales].data)[2] = 2;
	((float *)s.g->values[along].data)[1] = 1.05f;
	int y = sketch_node(&s, OP_RESIZE, 3, (int[]){ x, -1, along });
	sketch_string(&s, "mode", "linear");
	sketch_finish(&s, sketch_gemm(&s, gap(&s, y), 2, true, true));
	ck_assert_int_eq(sketch_shape(&s, y)->dim[1], 12);
	is_frozen(&s, x, 1, "read by node 'node 3' (Resize)");
	is_frozen(&s, y, 1, "read by node 'node 3' (Resize)");
	struct coupling *c = couple(&s);
	ck_assert_int_eq(c->group_count, 1);
	ck_assert_str_eq(why_frozen(c, coupling_axis(c, up, 1), 0), "free");
	coupling_free(c);
	sketch_close(&s);
}
END_TEST

/* A vector's product has no dimension of outputs to look at, least of all another tensor's last. */
START_TEST(a_layer_without_output_channels_names_no_group)
{
	struct sketch s = sketch_open("vector", 1, 2, (int64_t[]){ 3, 4 });
	int deep = sketch_tensor(&s, -1, 1, SHAPE_MAX_RANK, (int64_t[]){ 1, 1, 1, 1, 1, 1, 4, 5 });
	int vector = sketch_tensor(&s, -1, 1, 1, (int64_t[]){ 4 });
	sketch_output(&s, sketch_two(&s, OP_MATMUL, 0, vector));
	int y = sketch_two(&s, OP_MATMUL, 0, deep);
	sketch_finish(&s, sketch_two(&s, OP_MATMUL, y, sketch_tensor(&s, -1, 1, 2, (int64_t[]){ 5, 2 })));
	struct coupling *c = couple(&s);
	ck_assert_ptr_null(coupling_axis(c, vector, -1));
	ck_assert_int_eq(c->group_count, 1);
	ck_assert_int_eq(c->groups[0].channels, 5);
	ck_assert_str_eq(c->groups[0].name, "node 1");
	coupling_free(c);
	sketch_close(&s);
}
END_TEST

START_TEST(groups_of_one_name_are_numbered)
{
	static const char *const given[] = { "a", "a#2", "a", "a" }, *const wanted[] = { "a", "a#2", "a#3", "a#4" };
	struct sketch s = sketch_open("names", 1, 3, (int64_t[]){ 3, 4, 4 });
	int x = 0;
	for (int i = 0; i < 4; i++) {
		x = sketch_conv(&s, x, 3, &K1, true);
		s.g->nodes[i].name = given[i];
	}
	sketch_finish(&s, sketch_gemm(&s, gap(&s, x), 2, true, true));
	struct coupling *c = couple(&s);
	ck_assert_int_eq(c->group_count, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_str_eq(c->groups[i].name, wanted[i]);
	coupling_free(c);
	sketch_close(&s);
}
END_TEST

START_TEST(more_elements_than_are_supported_are_refused)
{
	struct sketch s = sketch_open("large", 1, 1, (int64_t[]){ (1 << 25) + 1 });
	struct coupling *c;
	struct errinfo e;
	sketch_finish(&s, sketch_one(&s, OP_RELU, 0));
	ck_assert_int_eq(coupling_new(s.g, &c, &e), ERR_LIMIT);
	ck_assert_msg(strstr(e.msg, "add up to more than 33554432 elements"), "%s", e.msg);
	sketch_close(&s);
}
END_TEST

START_TEST(a_value_that_a_node_reads_often_is_freed_once)
{
	enum { OFTEN = 300000 };
	struct sketch s = sketch_open("often", 1, 3, (int64_t[]){ 2, 4, 4 });
	int x = sketch_conv(&s, 0, 6, &K1, false), y = sketch_one(&s, OP_SUM, x);
	sketch_finish(&s, sketch_conv(&s, sketch_conv(&s, y, 5, &K1, false), 9, &K1, false));
	struct node *sum = &s.g->nodes[1];
	sum->in = ARENA_ARRAY(s.g->arena, int, OFTEN);
	sum->in_count = OFTEN;
	for (int i = 0; i < OFTEN; i++)
		sum->in[i] = x;
	struct size size;
	struct errinfo e;
	ck_assert_msg(!size_count(s.g, &size, &e), "%s", e.msg);
	ck_assert_int_eq(size.memory, 4 * 16 * (5 + 9));
	sketch_close(&s);
}
END_TEST

START_TEST(a_layer_of_one_output_keeps_it)
{
	struct sketch s = sketch_open("one", 1, 3, (int64_t[]){ 3, 4, 4 });
	int x = sketch_conv(&s, 0, 1, &K1, true);
	sketch_finish(&s, sketch_gemm(&s, gap(&s, sketch_conv(&s, x, 4, &K1, true)), 2, true, true));
	is_frozen(&s, x, 1, "the only channel of its kind");
	sketch_close(&s);
}
END_TEST

/* What isn't cut is the original's, but for what recalibration writes into. */
START_TEST(only_what_changes_is_copied)
{
	struct sketch s = sketch_open("borrowed", 1, 3, (int64_t[]){ 3, 4, 4 });
	struct errinfo e;
	int x = sketch_batch_norm(&s, sketch_conv(&s, 0, 5, &K1, true));
	sketch_finish(&s, sketch_gemm(&s, gap(&s, sketch_conv(&s, x, 4, &K1, true)), 2, true, true));
	struct coupling *c = couple(&s);
	bool *removed = calloc((size_t)c->class_count, sizeof *removed);
	removed[c->groups[1].classes[0]] = true;
	struct graph *g;
	ck_assert_msg(!surgery_remove(c, removed, &g, &e), "%s", e.msg);
	const struct node *conv = &g->nodes[0], *norm = &g->nodes[1];
	ck_assert_ptr_eq(g->values[conv->in[1]].data, s.g->values[conv->in[1]].data);
	ck_assert_ptr_eq(g->values[norm->in[1]].data, s.g->values[norm->in[1]].data);
	for (int k = 3; k < 5; k++)
		ck_assert_ptr_ne(g->values[norm->in[k]].data, s.g->values[norm->in[k]].data);
	graph_free(g);
	free(removed);
	coupling_free(c);
	sketch_close(&s);
}
END_TEST

Suite *coupling_suite(void)
{
	Suite *s = suite_create("coupling");
	TCase *t = tcase_create("coupling");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_network_has_the_groups_of_its_couplings, 0, net_count);
	tcase_add_loop_test(t, costs_of_random_candidates_are_those_of_the_pruned_graph, 0, net_count);
	tcase_add_loop_test(t, compact_equals_masked_where_that_is_due, 0, net_count);
	tcase_add_loop_test(t, networks_by_lot_are_pruned_exactly, 0, 20);
	tcase_add_loop_test(t, a_pruned_network_survives_its_file, 0, net_count);
	tcase_add_test(t, inputs_outputs_and_places_are_frozen);
	tcase_add_test(t, what_is_read_by_a_softmax_is_frozen_by_name);
	tcase_add_test(t, channels_that_are_places_of_a_convolution_are_frozen);
	tcase_add_test(t, slices_in_steps_and_picked_channels_are_frozen);
	tcase_add_test(t, an_opaque_node_freezes_what_it_touches_and_nothing_else);
	tcase_add_test(t, parts_without_names_stay_and_the_others_never_become_empty);
	tcase_add_test(t, what_is_scaled_is_frozen_though_its_size_stays);
	tcase_add_test(t, a_layer_without_output_channels_names_no_group);
	tcase_add_test(t, groups_of_one_name_are_numbered);
	tcase_add_test(t, more_elements_than_are_supported_are_refused);
	tcase_add_test(t, a_layer_of_one_output_keeps_it);
	tcase_add_test(t, only_what_changes_is_copied);
	suite_add_tcase(s, t);
	TCase *large = tcase_create("large"); /* within check's own few seconds */
	tcase_add_test(large, a_value_that_a_node_reads_often_is_freed_once);
	suite_add_tcase(s, large);
	return s;
}

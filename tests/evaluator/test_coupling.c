/* test_coupling.c -- groups, surgery and costs on small networks, one a kind of coupling.
 * SPDX-License-Identifier: MIT */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "evaluator/kernels/plan.h"
#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"
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
		ck_assert_msg(c->groups[g].channels == abs(net->channels[g]), "%s: group %d has %d channels, expected %d",
			net->name, g, c->groups[g].channels, abs(net->channels[g]));
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

static struct bench bench_open(int net, uint64_t seed)
{
	struct errinfo e;
	cJSON *doc;
	struct bench b = { .net = &nets[net], .s = net_draw(&nets[net], seed) };
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
		bool exempt = b->net->channels[g] < 0;
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

Suite *coupling_suite(void)
{
	Suite *s = suite_create("coupling");
	TCase *t = tcase_create("coupling");
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_network_has_the_groups_of_its_couplings, 0, net_count);
	tcase_add_loop_test(t, costs_of_random_candidates_are_those_of_the_pruned_graph, 0, net_count);
	tcase_add_loop_test(t, compact_equals_masked_where_that_is_due, 0, net_count);
	suite_add_tcase(s, t);
	return s;
}

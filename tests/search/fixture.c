/* fixture.c -- spaces, problems and made-up evaluations that the tests of search/ share.
 * SPDX-License-Identifier: MIT */
#include "tests/search/fixture.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/space.h"

void fixture_expect(enum err wanted, enum err got, const struct errinfo *e, const char *what, int line)
{
	if (got != wanted)
		ck_abort_msg("line %d: %s is %s, expected %s: %s", line, what, err_name(got), err_name(wanted),
			got ? e->msg : "");
}

cJSON *fixture_json(const char *text)
{
	cJSON *doc = cJSON_Parse(text);
	ck_assert_msg(doc != NULL, "not JSON: %s", text);
	return doc;
}

static struct space *read_and_free(cJSON *doc, double max_ratio, int round_to)
{
	struct errinfo e = { 0 };
	struct space_limits limits = { .max_ratio = max_ratio, .round_to = round_to };
	struct space *s = NULL;
	ok(space_read(doc, &limits, &s, &e));
	cJSON_Delete(doc);
	return s;
}

static void add_group(cJSON *doc, int channels)
{
	cJSON *groups = cJSON_GetObjectItem(doc, "groups"), *g = cJSON_CreateObject();
	char name[16];
	snprintf(name, sizeof name, "g%d", cJSON_GetArraySize(groups));
	cJSON_AddStringToObject(g, "name", name);
	cJSON_AddNumberToObject(g, "channels", channels);
	cJSON_AddItemToArray(groups, g);
}

/* out and in as JSON text; figures are kernel, positions, vectors, buffers. */
static void add_layer(cJSON *doc, const char *op, const char *out, const char *in, const int figures[4])
{
	static const char *const names[] = { "kernel", "positions", "vectors", "buffers" };
	cJSON *l = cJSON_CreateObject();
	cJSON_AddStringToObject(l, "name", op);
	cJSON_AddStringToObject(l, "op", op);
	cJSON_AddItemToObject(l, "out", fixture_json(out));
	cJSON_AddItemToObject(l, "in", fixture_json(in));
	for (int i = 0; i < 4; i++)
		cJSON_AddNumberToObject(l, names[i], figures[i]);
	cJSON_AddItemToArray(cJSON_GetObjectItem(doc, "layers"), l);
}

static cJSON *empty(void)
{
	return fixture_json("{\"groups\": [], \"layers\": [], \"fixed\": {\"params\": 0, \"buffers\": 0}}");
}

static void add_chain_layer(cJSON *doc, int g, int side)
{
	char out[32], in[32];
	snprintf(out, sizeof out, "[[%d, 1]]", g);
	snprintf(in, sizeof in, g ? "[[%d, 1]]" : "[[-1, 3]]", g - 1);
	add_layer(doc, "Conv", out, in, (int[]){ 9, side * side, 0, 0 });
	add_layer(doc, "BatchNormalization", out, "[[-1, 0]]", (int[]){ 0, 0, 2, 2 });
}

static struct space *chain(int groups, int channels, double max_ratio, int round_to)
{
	cJSON *doc = empty();
	char in[32];
	int side = 32;
	for (int g = 0; g < groups; g++) {
		add_group(doc, channels ? channels : 8 * (1 + g % 8));
		add_chain_layer(doc, g, side);
		if (g % 3 == 2 && side > 1)
			side /= 2;
	}
	snprintf(in, sizeof in, "[[%d, %d]]", groups - 1, side * side);
	add_layer(doc, "Gemm", "[[-1, 10]]", in, (int[]){ 1, 1, 1, 0 });
	return read_and_free(doc, max_ratio, round_to);
}

struct space *fixture_chain(int groups, double max_ratio, int round_to)
{
	return chain(groups, 0, max_ratio, round_to);
}

struct space *fixture_wide(int groups, int channels)
{
	return chain(groups, channels, 1, 1);
}

struct space *fixture_coupled(double max_ratio, int round_to)
{
	cJSON *doc = empty();
	for (int g = 0; g < 4; g++)
		add_group(doc, (int[]){ 16, 24, 32, 7 }[g]);
	add_layer(doc, "Conv", "[[0, 1]]", "[[-1, 3]]", (int[]){ 49, 196, 1, 0 });
	add_layer(doc, "Conv", "[[0, 1]]", "[[0, 1]]", (int[]){ 9, 196, 0, 2 });             /* residual: both sides */
	add_layer(doc, "Conv", "[[1, 1]]", "[[-1, 1]]", (int[]){ 9, 196, 1, 2 });            /* depthwise */
	add_layer(doc, "Conv", "[[2, 1]]", "[[0, 1], [1, 1], [-1, 5]]", (int[]){ 1, 49, 1, 0 }); /* concatenation */
	add_layer(doc, "Conv", "[[3, 2], [3, 1]]", "[[2, 1], [3, 1]]", (int[]){ 9, 49, 2, 2 });
	add_layer(doc, "Gemm", "[[-1, 10]]", "[[3, 49]]", (int[]){ 1, 1, 1, 0 });
	cJSON *fixed = cJSON_GetObjectItem(doc, "fixed");
	cJSON_SetNumberValue(cJSON_GetObjectItem(fixed, "params"), 123);
	cJSON_SetNumberValue(cJSON_GetObjectItem(fixed, "buffers"), 45);
	return read_and_free(doc, max_ratio, round_to);
}

struct space *fixture_narrowed(void)
{
	struct space *s = fixture_coupled(0.75, 4);
	s->groups[0].max_keep = 12;
	s->groups[1].min_keep = s->groups[1].max_keep = 13;
	s->groups[2].min_keep = 12;
	s->groups[3].min_keep = s->groups[3].max_keep = 7;
	return s;
}

struct space *fixture_flat(int groups)
{
	cJSON *doc = empty();
	for (int g = 0; g < groups; g++) {
		add_group(doc, 10001);
		char out[32];
		snprintf(out, sizeof out, "[[%d, 1]]", g);
		add_layer(doc, "Conv", out, "[[-1, 1]]", (int[]){ 1, 1, 0, 0 });
	}
	return read_and_free(doc, 1, 1);
}

struct problem fixture_problem(const struct space *s)
{
	struct cost intact = cost_of_intact(s);
	return (struct problem){
		.space = s,
		.objectives = { METRIC_ACCURACY, METRIC_MACS },
		.objective_count = 2,
		.baseline = { [METRIC_ACCURACY] = 0.95, [METRIC_LOSS] = 0.1, [METRIC_PARAMS] = (double)intact.params,
			[METRIC_MACS] = (double)intact.macs, [METRIC_BYTES] = (double)intact.bytes,
			[METRIC_MEMORY] = 1e6, [METRIC_LATENCY] = 1 },
		.budget = 60,
		.seed = 1,
	};
}

void fixture_constrain(struct problem *p, const char *metric, const char *text)
{
	struct errinfo e = { 0 };
	struct constraint c[CONSTRAINT_MAX];
	int count = 0;
	cJSON *object = cJSON_CreateObject();
	cJSON_AddStringToObject(object, metric, text);
	ok(constraint_read(object, c, &count, &e));
	cJSON_Delete(object);
	ck_assert_int_eq(count, 1);
	p->constraints[p->constraint_count++] = c[0];
}

struct outcome fixture_evaluate(const struct problem *p, int number, const int *keep, bool flaky)
{
	struct outcome o = { .number = number, .keep = keep, .ok = true };
	struct cost c = cost_of(p->space, keep);
	struct rng noise;
	double damage = 0;
	uint64_t mixed = 0;
	for (int g = 0; g < p->space->group_count; g++) {
		double ratio = 1 - (double)keep[g] / p->space->groups[g].channels;
		damage += ratio * ratio * (1 + g % 3) / p->space->group_count;
		mixed = mixed * 31 + (uint64_t)keep[g];
	}
	rng_init(&noise, mixed, 99);
	o.metrics[METRIC_ACCURACY] = 0.1 + 0.85 * exp(-damage) + 0.001 * rng_uniform(&noise);
	o.metrics[METRIC_LOSS] = 0.1 + damage;
	o.metrics[METRIC_PARAMS] = (double)c.params;
	o.metrics[METRIC_MACS] = (double)c.macs;
	o.metrics[METRIC_BYTES] = (double)c.bytes;
	o.metrics[METRIC_MEMORY] = 1e6 * (1 - 0.1 * rng_uniform(&noise));
	o.metrics[METRIC_LATENCY] = (double)c.macs / p->baseline[METRIC_MACS] + 0.1 * rng_uniform(&noise);
	double luck = rng_uniform(&noise);
	if (flaky && luck < 0.1)
		o.ok = false;
	else if (flaky && luck < 0.15)
		o.metrics[METRIC_ACCURACY] = NAN;
	return o;
}

int *fixture_run(const struct problem *p, const char *strategy, bool flaky, int *ret_count)
{
	struct errinfo e = { 0 };
	struct table *t = NULL;
	size_t groups = (size_t)p->space->group_count;
	int *keep = calloc((size_t)p->budget * groups, sizeof *keep), n = 0, number;
	cJSON *object = fixture_json(strategy);
	ok(table_open(p, object, &t, &e));
	cJSON_Delete(object);
	for (;;) {
		enum table_answer answer;
		struct request request;
		int *mine = keep + (size_t)n * groups;
		if (n == p->budget)
			mine = keep; /* it must not be written any more */
		ok(table_ask(t, &answer, &number, mine, &request, &e));
		if (answer == TABLE_DONE)
			break;
		ck_assert_int_eq(answer, TABLE_PROPOSAL);
		ck_assert_int_eq(number, ++n);
		struct outcome o = fixture_evaluate(p, number, mine, flaky);
		ok(table_tell(t, &o, &e));
	}
	table_close(t);
	*ret_count = n;
	return keep;
}

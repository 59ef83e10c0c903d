/* space.c -- reading the inventory strictly, and what a group allows.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/space.h"
#include "tests/search/fixture.h"
#include "tests/search/suites.h"

static const char GOOD[] =
	"{\"groups\": [{\"name\": \"a\", \"channels\": 32, \"members\": [\"w\"]}, {\"name\": \"a\", \"channels\": 10}],"
	" \"frozen\": [{\"name\": \"fc\", \"channels\": 10, \"reason\": \"network output\"}],"
	" \"layers\": [{\"name\": \"l\", \"op\": \"Conv\", \"out\": [[0, 1]], \"in\": [[1, 2], [-1, 3]], \"kernel\": 9,"
	" \"positions\": 784, \"vectors\": 1, \"buffers\": 2}],"
	" \"fixed\": {\"params\": 5, \"buffers\": 6}}";
static const char MEMBERS[] = "\"members\": [\"w\"]", FIXED[] = "\"fixed\": {\"params\": 5, \"buffers\": 6}";

static enum err read_text(const char *text, double max_ratio, int round_to, struct space **ret, struct errinfo *e)
{
	cJSON *doc = fixture_json(text);
	struct space_limits limits = { .max_ratio = max_ratio, .round_to = round_to };
	enum err err = space_read(doc, &limits, ret, e);
	cJSON_Delete(doc);
	return err;
}

/* GOOD with one piece of its text replaced. */
static enum err read_with(const char *piece, const char *by, struct errinfo *e)
{
	char text[2048];
	const char *at = strstr(GOOD, piece);
	ck_assert_msg(at != NULL, "%s is not in the document", piece);
	snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, by, at + strlen(piece));
	struct space *s = NULL;
	enum err err = read_text(text, 0.9, 1, &s, e);
	space_free(s);
	return err;
}

START_TEST(a_good_inventory_is_read_whole)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	ok(read_text(GOOD, 0.9, 4, &s, &e));
	ck_assert_int_eq(s->group_count, 2);
	ck_assert_str_eq(s->groups[1].name, "a");
	ck_assert_int_eq(s->groups[0].channels, 32);
	ck_assert_int_eq(s->groups[0].min_keep, 4);
	ck_assert_int_eq(s->groups[0].max_keep, 32);
	ck_assert_ptr_null(s->groups[0].share);
	ck_assert_double_eq(s->chance, 0);
	ck_assert_int_eq(s->groups[0].step, 4);
	ck_assert_int_eq(s->layer_count, 1);
	const struct space_layer *l = &s->layers[0];
	ck_assert_str_eq(l->op, "Conv");
	ck_assert_int_eq(l->in.term_count, 1);
	ck_assert_int_eq(l->in.terms[0].group, 1);
	ck_assert_int_eq(l->in.terms[0].multiple, 2);
	ck_assert_int_eq(l->in.constant, 3);
	ck_assert_int_eq(l->positions, 784);
	ck_assert(l->stored);
	ck_assert_int_eq(s->fixed_params, 5);
	ck_assert_int_eq(s->fixed_buffers, 6);
	space_free(s);
}
END_TEST

START_TEST(a_product_of_two_computed_values_costs_macs_and_nothing_else)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	ok(read_text("{\"groups\": [{\"name\": \"a\", \"channels\": 8}],"
		" \"layers\": [{\"name\": \"l\", \"op\": \"MatMul\", \"out\": [[-1, 5]], \"in\": [[0, 1]],"
		" \"kernel\": 1, \"positions\": 10, \"vectors\": 0, \"buffers\": 0, \"stored\": 0}],"
		" \"fixed\": {\"params\": 3, \"buffers\": 0}}", 0.9, 1, &s, &e));
	struct cost c = cost_of(s, (int[]){ 6 });
	ck_assert_int_eq(c.params, 3);
	ck_assert_int_eq(c.macs, 5 * 6 * 10);
	ck_assert_int_eq(c.bytes, 12);
	ck_assert_int_eq(cost_of_intact(s).macs, 5 * 8 * 10);
	space_free(s);
}
END_TEST

static const struct {
	const char *piece, *by, *message;
} refused[] = {
	{ "\"channels\": 32", "\"channels\": 0", "groups[0].channels: is 0" },
	{ "\"channels\": 32", "\"channels\": 1.5", "groups[0].channels: is 1.5" },
	{ "\"channels\": 32", "\"channels\": 99999999999", "groups[0].channels" },
	{ "\"channels\": 10}]", "\"channels\": \"10\"}]", "groups[1].channels: is \"10\"" },
	{ "\"name\": \"a\", \"channels\": 32", "\"channels\": 32", "groups[0].name: missing" },
	{ "\"members\": [\"w\"]", "\"members\": 1", "groups[0].members: is 1" },
	{ "\"members\"", "\"colour\"", "groups[0].colour: unknown key" },
	{ "[{\"name\": \"fc\", \"channels\": 10, \"reason\": \"network output\"}]", "1", "frozen: is 1" },
	{ "[[0, 1]]", "[[2, 1]]", "layers[0].out[0]: group is 2, expected an integer from -1 to 1" },
	{ "[[0, 1]]", "[[-2, 1]]", "layers[0].out[0]: group is -2" },
	{ "[[0, 1]]", "[[0.5, 1]]", "layers[0].out[0]: group is 0.5" },
	{ "[[0, 1]]", "[[0, -1]]", "layers[0].out[0]: multiple is -1" },
	{ "[[0, 1]]", "[[0, 1e300]]", "layers[0].out[0]: multiple is 1e+300" },
	{ "[[0, 1]]", "[[0, null]]", "layers[0].out[0]: multiple is null" },
	{ "[[0, 1]]", "[[0]]", "layers[0].out[0]: is an array of 1, expected [group, multiple]" },
	{ "[[0, 1]]", "[[0, 1, 2]]", "layers[0].out[0]: is an array of 3" },
	{ "[[0, 1]]", "[7]", "layers[0].out[0]: is 7" },
	{ "[[0, 1]]", "{}", "layers[0].out: is an object" },
	{ "\"kernel\": 9", "\"kernel\": -9", "layers[0].kernel: is -9" },
	{ "\"kernel\": 9", "\"kernel\": 9.5", "layers[0].kernel: is 9.5" },
	{ "\"positions\": 784", "\"positions\": true", "layers[0].positions: is true" },
	{ "\"vectors\": 1, ", "", "layers[0].vectors: missing" },
	{ "\"buffers\": 2}]", "\"buffers\": 2, \"stored\": 2}]", "layers[0].stored: is 2" },
	{ "\"buffers\": 2}]", "\"buffers\": 2, \"stored\": true}]", "layers[0].stored: is true" },
	{ "\"params\": 5", "\"params\": -5", "fixed.params: is -5" },
	{ "\"params\": 5", "\"params\": 9007199254740992", "fixed: exceeds 2^53" },
	/* Each product alone would wrap around 64 bits. */
	{ "[[0, 1]]", "[[0, 9007199254740992]]", "layers[0].out: exceeds 2^53" },
	{ "[[0, 1]]", "[[-1, 9007199254740992], [-1, 1]]", "layers[0].out: exceeds 2^53" },
	{ "\"kernel\": 9", "\"kernel\": 9007199254740992", "layers[0]: the cost of the network" },
	{ "\"positions\": 784", "\"positions\": 4503599627370496", "layers[0]: the cost of the network" },
	{ "\"vectors\": 1", "\"vectors\": 9007199254740992", "layers[0]: the cost of the network" },
	{ "\"buffers\": 2}]", "\"buffers\": 140737488355328}]", "layers[0]: the cost of the network" },
};

START_TEST(a_wrong_inventory_is_refused_with_field_and_value)
{
	struct errinfo e = { 0 };
	fails(ERR_INPUT, read_with(refused[_i].piece, refused[_i].by, &e));
	says(refused[_i].message);
}
END_TEST

static const struct {
	const char *importance, *message;
} refused_shares[] = {
	{ "1", "groups[0].importance: is 1" },
	{ "[]", "groups[0].importance: has 0 entries, expected 2 to 33" },
	{ "[0]", "groups[0].importance: has 1 entries" },
	{ "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]",
		"groups[0].importance: has 34 entries" },
	{ "[0.1, 1]", "groups[0].importance[0]: is 0.1, expected a number from 0 to 0" },
	{ "[0, 0.9]", "groups[0].importance[1]: is 0.9, expected a number from 1 to 1" },
	{ "[0, 0.5, 0.4, 1]", "groups[0].importance[2]: is 0.4, expected a number from 0.5 to 1" },
	{ "[0, 1.5, 1]", "groups[0].importance[1]: is 1.5" },
	{ "[0, -1, 1]", "groups[0].importance[1]: is -1" },
	{ "[0, 1e999, 1]", "groups[0].importance[1]: is" },
	{ "[0, null, 1]", "groups[0].importance[1]: is null" },
	{ "[0, \"0.5\", 1]", "groups[0].importance[1]: is \"0.5\"" },
};

START_TEST(importance_that_is_no_rising_curve_is_refused)
{
	struct errinfo e = { 0 };
	char by[256];
	snprintf(by, sizeof by, "\"importance\": %s", refused_shares[_i].importance);
	fails(ERR_INPUT, read_with(MEMBERS, by, &e));
	says(refused_shares[_i].message);
}
END_TEST

START_TEST(chance_must_leave_something_to_learn)
{
	struct errinfo e = { 0 };
	static const char *const wrong[] = { "1", "1.01", "-0.1", "null", "\"0.1\"", "1e999" };
	char by[256];
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		snprintf(by, sizeof by, "%s, \"chance\": %s", FIXED, wrong[i]);
		fails(ERR_INPUT, read_with(FIXED, by, &e));
		says("chance: is ");
	}
}
END_TEST

START_TEST(importance_is_interpolated_and_chance_is_kept)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	ok(read_text("{\"groups\": [{\"name\": \"a\", \"channels\": 20, \"importance\": [0, 0, 0.25, 0.5, 1]},"
		" {\"name\": \"b\", \"channels\": 20}], \"layers\": [], \"chance\": 0.125,"
		" \"fixed\": {\"params\": 0, \"buffers\": 0}}", 0.9, 1, &s, &e));
	const struct space_group *g = s->groups;
	ck_assert_double_eq(s->chance, 0.125);
	ck_assert_int_eq(g->share_count, 5);
	ck_assert_double_eq(space_share(g, 20), 0);
	ck_assert_double_eq_tol(space_share(g, 15), 0, 1e-12);
	ck_assert_double_eq_tol(space_share(g, 10), 0.25, 1e-12);
	ck_assert_double_eq_tol(space_share(g, 8), 0.35, 1e-12);
	ck_assert_double_eq_tol(space_share(g, 4), 0.6, 1e-12);
	ck_assert_double_eq(space_share(g, 0), 1);
	ck_assert_double_eq_tol(space_share(g + 1, 4), 0.8, 1e-12); /* not known */
	space_free(s);
}
END_TEST

START_TEST(a_network_without_anything_to_prune_is_unsupported)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	fails(ERR_UNSUPPORTED, read_text("{\"groups\": [], \"layers\": [], \"fixed\": {\"params\": 1, \"buffers\": 0}}",
		0.9, 1, &s, &e));
	says("nothing can be pruned");
	fails(ERR_UNSUPPORTED, read_text(GOOD, 0, 1, &s, &e));
	says("nothing can be pruned");
	fails(ERR_UNSUPPORTED, read_text(GOOD, 0.9, 64, &s, &e));
	ck_assert_ptr_null(s);
}
END_TEST

START_TEST(limits_out_of_range_are_refused)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	fails(ERR_INPUT, read_text(GOOD, 1.5, 1, &s, &e));
	says("max_ratio");
	fails(ERR_INPUT, read_text(GOOD, NAN, 1, &s, &e));
	fails(ERR_INPUT, read_text(GOOD, 0.5, 0, &s, &e));
	says("round_to");
}
END_TEST

START_TEST(more_than_65536_groups_are_refused)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	cJSON *doc = fixture_json(GOOD), *groups = cJSON_CreateArray();
	for (int i = 0; i < 65537; i++)
		cJSON_AddItemToArray(groups, cJSON_CreateObject());
	cJSON_ReplaceItemInObject(doc, "groups", groups);
	struct space_limits limits = { .max_ratio = 0.9, .round_to = 1 };
	fails(ERR_LIMIT, space_read(doc, &limits, &s, &e));
	says("65537");
	cJSON_Delete(doc);
}
END_TEST

START_TEST(a_cost_of_exactly_2_to_the_53_is_accepted)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	ok(read_text("{\"groups\": [{\"name\": \"a\", \"channels\": 1024}],"
		" \"layers\": [{\"name\": \"l\", \"op\": \"Conv\", \"out\": [[0, 1]], \"in\": [[0, 1]],"
		" \"kernel\": 1, \"positions\": 8589934592, \"vectors\": 0, \"buffers\": 0}],"
		" \"fixed\": {\"params\": 0, \"buffers\": 0}}", 0.5, 1, &s, &e));
	ck_assert(cost_of_intact(s).macs == (int64_t)1 << 53);
	space_free(s);
}
END_TEST

START_TEST(max_ratio_times_channels_is_not_cut_by_rounding_errors)
{
	struct errinfo e = { 0 };
	for (int percent = 1; percent < 100; percent++) {
		struct space *s = NULL;
		ok(read_text("{\"groups\": [{\"name\": \"a\", \"channels\": 100}], \"layers\": [], "
			"\"fixed\": {\"params\": 0, \"buffers\": 0}}", percent / 100.0, 1, &s, &e));
		ck_assert_int_eq(s->groups[0].min_keep, 100 - percent);
		space_free(s);
	}
}
END_TEST

/* The groups conv1 to conv3 and head[0], of 20, 40, 64 and 7 channels, under some limits. */
static enum err read_limited(const struct space_limits *limits, struct space **ret, struct errinfo *e)
{
	cJSON *doc = fixture_json("{\"groups\": [{\"name\": \"conv1\", \"channels\": 20}, {\"name\": \"conv2\","
		" \"channels\": 40}, {\"name\": \"conv3\", \"channels\": 64}, {\"name\": \"head[0]\","
		" \"channels\": 7}], \"layers\": [], \"fixed\": {\"params\": 0, \"buffers\": 0}}");
	enum err err = space_read(doc, limits, ret, e);
	cJSON_Delete(doc);
	return err;
}

#define PATTERNS(...) \
	{ .text = (const char *const[]){ __VA_ARGS__ }, \
	  .count = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(const char *) }

static void limited_to(const struct space_limits *limits, const int min[4], const int max[4])
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	ok(read_limited(limits, &s, &e));
	for (int g = 0; g < 4; g++) {
		ck_assert_int_eq(s->groups[g].min_keep, min[g]);
		ck_assert_int_eq(s->groups[g].max_keep, max[g]);
	}
	space_free(s);
}

START_TEST(groups_that_are_not_included_or_are_excluded_stay_whole)
{
	struct space_limits limits = { .max_ratio = 0.9, .round_to = 1, .include = PATTERNS("conv[12]", "head[0]") };
	int whole[] = { 20, 40, 64, 7 };
	limited_to(&limits, (int[]){ 2, 4, 64, 1 }, whole);
	limits.exclude = (struct space_patterns)PATTERNS("conv2", "*3");
	limited_to(&limits, (int[]){ 2, 40, 64, 1 }, whole);
	limits.include.count = 0;
	limited_to(&limits, (int[]){ 2, 40, 64, 1 }, whole);
}
END_TEST

START_TEST(later_rules_win_in_what_they_say)
{
	struct space_rule rules[] = {
		{ .match = PATTERNS("*"), .min_ratio = 0.25, .max_ratio = 0.5 },
		{ .match = PATTERNS("conv3", "head*"), .min_ratio = NAN, .max_ratio = 0.75, .round_to = 16 },
		{ .match = PATTERNS("conv1"), .min_ratio = 0, .max_ratio = NAN },
	};
	struct space_limits limits = { .max_ratio = 0.9, .round_to = 1, .rules = rules, .rule_count = 3 };
	/* A fourth of head's 7 channels is two, and no multiple of 16 is left to it. */
	limited_to(&limits, (int[]){ 10, 20, 16, 5 }, (int[]){ 20, 30, 48, 5 });
}
END_TEST

START_TEST(at_least_what_must_be_removed_is)
{
	struct space_rule rule = { .match = PATTERNS("*"), .min_ratio = 0.3, .max_ratio = 0.3 };
	struct space_limits limits = { .max_ratio = 0.9, .round_to = 1, .rules = &rule, .rule_count = 1 };
	limited_to(&limits, (int[]){ 14, 28, 44, 4 }, (int[]){ 14, 28, 44, 4 });
}
END_TEST

START_TEST(a_pattern_that_matches_nothing_is_refused_with_the_groups_there_are)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	struct space_rule rule = { .match = PATTERNS("conv*", "dense*"), .min_ratio = NAN, .max_ratio = NAN };
	struct space_limits limits = { .max_ratio = 0.9, .round_to = 1, .include = PATTERNS("conv2", "fc?") };
	fails(ERR_UNSUPPORTED, read_limited(&limits, &s, &e));
	says("prune.include: \"fc?\" matches none of the network's groups: conv1, conv2, conv3, head[0]");
	limits.include.count = 1;
	limits.exclude = (struct space_patterns)PATTERNS("conv");
	fails(ERR_UNSUPPORTED, read_limited(&limits, &s, &e));
	says("prune.exclude: \"conv\" matches none");
	limits.exclude.count = 0;
	limits.rules = &rule;
	limits.rule_count = 1;
	fails(ERR_UNSUPPORTED, read_limited(&limits, &s, &e));
	says("prune.groups[0].match: \"dense*\" matches none");
	limits = (struct space_limits){ .max_ratio = 0.9, .round_to = 1, .exclude = PATTERNS("*") };
	fails(ERR_UNSUPPORTED, read_limited(&limits, &s, &e));
	says("nothing can be pruned");
	says("limits by name");
}
END_TEST

START_TEST(a_group_that_must_lose_more_than_it_may_is_refused)
{
	struct errinfo e = { 0 };
	struct space *s = NULL;
	struct space_rule rule = { .match = PATTERNS("conv2"), .min_ratio = 0.6, .max_ratio = NAN };
	struct space_limits limits = { .max_ratio = 0.5, .round_to = 1, .rules = &rule, .rule_count = 1 };
	fails(ERR_UNSUPPORTED, read_limited(&limits, &s, &e));
	says("group conv2 must lose at least 0.6 of its channels (min_ratio) and may lose at most 0.5");
	limits.exclude = (struct space_patterns)PATTERNS("conv2");
	limited_to(&limits, (int[]){ 10, 40, 32, 4 }, (int[]){ 20, 40, 64, 7 });
}
END_TEST

/* The nearest of all allowed keeps, by trying each. */
static int nearest(const struct space_group *g, double wanted)
{
	int best = g->max_keep;
	for (int k = g->max_keep - 1; k >= g->min_keep; k--)
		if (k % g->step == 0 && fabs(k - wanted) < fabs(best - wanted))
			best = k;
	return best;
}

START_TEST(rounding_finds_the_nearest_allowed_keep)
{
	for (int most = 1; most <= 20; most++)
		for (int step = 1; step <= 9; step++) {
			int least = most / 3 / step * step;
			struct space_group g = { .channels = most + most % 3, .max_keep = most, .step = step };
			g.min_keep = least ? least : most;
			for (double wanted = -3; wanted < most + 3; wanted += 0.25)
				ck_assert_int_eq(space_round_keep(&g, wanted), nearest(&g, wanted));
			ck_assert_int_eq(space_round_keep(&g, NAN), most);
			ck_assert_int_eq(space_round_keep(&g, -INFINITY), g.min_keep);
			ck_assert_int_eq(space_round_keep(&g, INFINITY), most);
		}
}
END_TEST

START_TEST(stepping_visits_every_allowed_keep_and_stops_at_the_ends)
{
	struct space_group g = { .channels = 40, .min_keep = 6, .max_keep = 21, .step = 3 };
	struct space_group odd = { .channels = 20, .min_keep = 8, .max_keep = 20, .step = 8 };
	struct space_group fixed = { .channels = 20, .min_keep = 13, .max_keep = 13, .step = 8 };
	int keep = 6;
	for (int wanted = 6; wanted <= 21; wanted += 3, keep = space_more(&g, keep))
		ck_assert_int_eq(keep, wanted);
	ck_assert_int_eq(keep, 21);
	ck_assert_int_eq(space_more(&odd, 8), 16);
	ck_assert_int_eq(space_more(&odd, 16), 20);
	ck_assert_int_eq(space_more(&odd, 20), 20);
	ck_assert_int_eq(space_less(&odd, 20), 16);
	ck_assert_int_eq(space_less(&odd, 16), 8);
	ck_assert_int_eq(space_less(&odd, 8), 8);
	ck_assert_int_eq(space_more(&fixed, 13), 13);
	ck_assert_int_eq(space_less(&fixed, 13), 13);
}
END_TEST

START_TEST(only_candidates_within_the_limits_are_allowed)
{
	struct space *s = fixture_coupled(0.5, 4); /* channels 16, 24, 32, 7 */
	ck_assert(space_allows(s, (int[]){ 16, 24, 32, 7 }));
	ck_assert(space_allows(s, (int[]){ 8, 12, 16, 4 }));
	ck_assert(!space_allows(s, (int[]){ 4, 12, 16, 4 }));
	ck_assert(!space_allows(s, (int[]){ 8, 13, 16, 4 }));
	ck_assert(!space_allows(s, (int[]){ 8, 12, 36, 4 }));
	ck_assert(!space_allows(s, (int[]){ 8, 12, 16, 0 }));
	ck_assert(!space_allows(s, (int[]){ 8, 12, 16, -4 }));
	ck_assert(!space_allows(s, (int[]){ 8, 12, 16, 8 }));
	space_free(s);
}
END_TEST

START_TEST(a_group_keeps_no_more_than_its_most)
{
	struct space *s = fixture_narrowed();
	int most[4];
	space_most(s, most);
	ck_assert_mem_eq(most, ((int[]){ 12, 13, 32, 7 }), sizeof most);
	ck_assert(space_allows(s, most));
	ck_assert(space_allows(s, (int[]){ 4, 13, 12, 7 }));
	ck_assert(!space_allows(s, (int[]){ 16, 13, 12, 7 }));
	ck_assert(!space_allows(s, (int[]){ 4, 24, 12, 7 }));
	ck_assert(!space_allows(s, (int[]){ 4, 12, 12, 7 }));
	ck_assert(!space_allows(s, (int[]){ 4, 13, 12, 4 }));
	space_free(s);
}
END_TEST

Suite *space_suite(void)
{
	Suite *suite = suite_create("space");
	TCase *c = tcase_create("space");
	tcase_add_test(c, a_good_inventory_is_read_whole);
	tcase_add_test(c, a_product_of_two_computed_values_costs_macs_and_nothing_else);
	tcase_add_loop_test(c, a_wrong_inventory_is_refused_with_field_and_value, 0, sizeof refused / sizeof *refused);
	tcase_add_loop_test(c, importance_that_is_no_rising_curve_is_refused, 0,
		sizeof refused_shares / sizeof *refused_shares);
	tcase_add_test(c, chance_must_leave_something_to_learn);
	tcase_add_test(c, importance_is_interpolated_and_chance_is_kept);
	tcase_add_test(c, a_network_without_anything_to_prune_is_unsupported);
	tcase_add_test(c, limits_out_of_range_are_refused);
	tcase_add_test(c, more_than_65536_groups_are_refused);
	tcase_add_test(c, a_cost_of_exactly_2_to_the_53_is_accepted);
	tcase_add_test(c, max_ratio_times_channels_is_not_cut_by_rounding_errors);
	tcase_add_test(c, groups_that_are_not_included_or_are_excluded_stay_whole);
	tcase_add_test(c, later_rules_win_in_what_they_say);
	tcase_add_test(c, at_least_what_must_be_removed_is);
	tcase_add_test(c, a_pattern_that_matches_nothing_is_refused_with_the_groups_there_are);
	tcase_add_test(c, a_group_that_must_lose_more_than_it_may_is_refused);
	tcase_add_test(c, rounding_finds_the_nearest_allowed_keep);
	tcase_add_test(c, stepping_visits_every_allowed_keep_and_stops_at_the_ends);
	tcase_add_test(c, only_candidates_within_the_limits_are_allowed);
	tcase_add_test(c, a_group_keeps_no_more_than_its_most);
	suite_add_tcase(suite, c);
	return suite;
}

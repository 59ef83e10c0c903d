/* plot.c -- tests of the drawing of a front.
 * SPDX-License-Identifier: MIT */
#include "client/plot.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/client/scene.h"

static const char job[] = "{'name': 'vgg', 'spec': {'objectives': ['accuracy', 'params']}}";
static const char trials[] =
	"[{'number': 0, 'state': 'complete', 'metrics': {'accuracy': 0.96, 'params': 298410, 'bytes': 1200000},"
	"  'test': {'accuracy': 0.93}},"
	" {'number': 1, 'state': 'complete', 'metrics': {'accuracy': 0.90, 'params': 50000, 'bytes': 200000},"
	"  'pareto': true, 'test': {'accuracy': 0.89}},"
	" {'number': 2, 'state': 'complete', 'metrics': {'accuracy': 0.94, 'params': 100000, 'bytes': 400000},"
	"  'pareto': true},"
	" {'number': 3, 'state': 'complete', 'metrics': {'accuracy': 0.70, 'params': 150000}},"
	" {'number': 4, 'state': 'failed'},"
	" {'number': 5, 'state': 'complete', 'metrics': {'accuracy': 7, 'params': 1}}]";

static enum err draw(const char *job_text, const char *trials_text, const char *x, char **ret)
{
	cJSON *j = parsed(job_text), *t = parsed(trials_text);
	enum err err = plot_draw(j, t, x, ret, &e);
	cJSON_Delete(j);
	cJSON_Delete(t);
	return err;
}

static int count(const char *text, const char *part)
{
	int n = 0;
	for (const char *p = strstr(text, part); p; p = strstr(p + 1, part))
		n++;
	return n;
}

static const char *skip_name(const char *s)
{
	ck_assert_msg(isalpha((unsigned char)*s), "a name is expected at: %.40s", s);
	while (isalnum((unsigned char)*s) || *s == '-' || *s == ':')
		s++;
	return s;
}

static const char *skip_entity(const char *s)
{
	static const char *const known[] = { "&amp;", "&lt;", "&gt;", "&quot;", "&#39;" };
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (!strncmp(s, known[i], strlen(known[i])))
			return s + strlen(known[i]);
	ck_abort_msg("no entity: %.40s", s);
}

/* Behind '<' and the name: NAME="VALUE" ... up to '>' or '/>'. */
static const char *skip_attributes(const char *s, bool *ret_closed)
{
	for (;;) {
		s += strspn(s, " \n");
		*ret_closed = *s == '/';
		if (*s == '>' || *s == '/')
			break;
		s = skip_name(s);
		ck_assert_msg(s[0] == '=' && s[1] == '"', "a quoted value is expected at: %.40s", s);
		for (s += 2; *s != '"'; s = *s == '&' ? skip_entity(s) : s + 1)
			ck_assert_msg(*s && *s != '<', "the value does not end: %.40s", s);
		s++;
	}
	s += *ret_closed;
	ck_assert_msg(*s == '>', "'>' is expected at: %.40s", s);
	return s + 1;
}

/* Every element closed in order, one root, every '&' and '<' in its place, no control characters. */
static void assert_well_formed(const char *s)
{
	struct {
		const char *name;
		int len;
	} open[16];
	int depth = 0, roots = 0;
	while (*s) {
		ck_assert_msg((unsigned char)*s >= 0x20 || *s == '\n', "control character %d", *s);
		if (*s == '&') {
			s = skip_entity(s);
		} else if (s[0] == '<' && s[1] == '/') {
			ck_assert_int_gt(depth, 0);
			depth--;
			ck_assert_msg(!strncmp(s + 2, open[depth].name, (size_t)open[depth].len) &&
					s[2 + open[depth].len] == '>',
				"%.*s is open at: %.40s", open[depth].len, open[depth].name, s);
			s += open[depth].len + 3;
		} else if (*s == '<') {
			bool closed;
			const char *name = s + 1;
			s = skip_name(name);
			ck_assert_int_lt(depth, 16);
			open[depth].name = name;
			open[depth].len = (int)(s - name);
			roots += depth == 0;
			s = skip_attributes(s, &closed);
			depth += !closed;
		} else {
			ck_assert_msg(depth > 0 || isspace((unsigned char)*s), "text outside the root: %.40s", s);
			s++;
		}
	}
	ck_assert_int_eq(depth, 0);
	ck_assert_int_eq(roots, 1);
}

START_TEST(every_kind_of_trial_has_its_mark)
{
	char *svg;
	ck_ok(draw(job, trials, NULL, &svg));
	assert_well_formed(svg);
	ck_assert_int_eq(count(svg, "<circle class=\"member\""), 2 + 1); /* and one in the legend */
	ck_assert_int_eq(count(svg, "<circle class=\"trial\""), 1 + 1);
	ck_assert_int_eq(count(svg, "<circle class=\"test\""), 1 + 1);
	ck_assert_int_eq(count(svg, "class=\"baseline\""), 1 + 1);
	ck_assert_int_eq(count(svg, "class=\"baseline hollow\""), 1);
	ck_assert_int_eq(count(svg, "class=\"front\""), 1);
	ck_assert_ptr_nonnull(strstr(svg, ">vgg</text>"));
	free(svg);
}
END_TEST

START_TEST(lower_rungs_are_not_drawn)
{
	char *svg;
	ck_ok(draw(job,
		"[{'number': 0, 'rung': 1, 'state': 'complete', 'metrics': {'accuracy': 0.9, 'params': 9}},"
		"{'number': 1, 'rung': 0, 'state': 'complete', 'metrics': {'accuracy': 0.5, 'params': 5}},"
		"{'number': 2, 'rung': 1, 'state': 'complete', 'metrics': {'accuracy': 0.8, 'params': 5}}]",
		NULL, &svg));
	ck_assert_int_eq(count(svg, "<circle class=\"trial\""), 1 + 1); /* and the legend's */
	free(svg);
}
END_TEST

START_TEST(axes_have_round_labels)
{
	char *svg;
	ck_ok(draw(job, trials, NULL, &svg));
	ck_assert_ptr_nonnull(strstr(svg, ">0</text>"));
	ck_assert_ptr_nonnull(strstr(svg, ">50k</text>"));
	ck_assert_ptr_nonnull(strstr(svg, ">300k</text>"));
	ck_assert_ptr_nonnull(strstr(svg, ">0.95</text>"));
	ck_assert_ptr_nonnull(strstr(svg, ">parameters</text>"));
	free(svg);
}
END_TEST

START_TEST(the_x_axis_is_the_metric_that_was_asked_for)
{
	char *svg;
	ck_ok(draw(job, trials, "bytes", &svg));
	assert_well_formed(svg);
	ck_assert_ptr_nonnull(strstr(svg, ">size of the weights</text>"));
	ck_assert_ptr_nonnull(strstr(svg, ">1 MB</text>"));
	ck_assert_int_eq(count(svg, "<circle class=\"trial\""), 0 + 1); /* trial 3 has no bytes */
	free(svg);
	ck_assert_int_eq(draw(job, trials, "speed", &svg), ERR_INPUT);
	ck_assert_str_eq(e.msg, "--x: is 'speed', expected params, macs, bytes, memory or latency");
}
END_TEST

START_TEST(without_a_wish_the_first_cost_among_the_objectives_is_taken)
{
	char *svg;
	ck_ok(draw("{'spec': {'objectives': ['loss', 'bytes', 'params']}}", trials, NULL, &svg));
	ck_assert_ptr_nonnull(strstr(svg, ">size of the weights</text>"));
	free(svg);
	ck_ok(draw("{}", trials, NULL, &svg));
	ck_assert_ptr_nonnull(strstr(svg, ">parameters</text>"));
	free(svg);
}
END_TEST

static const char *const names[] = {
	"a <b> & \\u0022c\\u0022 \\u0027d\\u0027 ]]> <!-- <script>alert(1)</script>",
	"\\u001b[31m\\u0001\\n\\uffff",
	"caf\303\251",
	"&amp;&#0;&bogus;",
	"a very long name that goes on and on and on, far beyond what any title of a drawing has room for, and then "
	"some more",
};

START_TEST(any_name_leaves_it_well_formed)
{
	char *svg, text[512];
	snprintf(text, sizeof text, "{'name': '%s'}", names[_i]);
	ck_ok(draw(text, trials, NULL, &svg));
	assert_well_formed(svg);
	ck_assert_ptr_null(strstr(svg, "<script"));
	free(svg);
}
END_TEST

static const char *const few[] = {
	"[{'number': 1, 'state': 'complete', 'pareto': true, 'metrics': {'accuracy': 0.5, 'params': 10}}]",
	"[{'number': 0, 'state': 'complete', 'metrics': {'accuracy': 1, 'params': 0}}]",
	"[{'number': 1, 'state': 'complete', 'metrics': {'accuracy': 0, 'params': 1e17}}]",
	"[{'number': 1, 'state': 'complete', 'metrics': {'accuracy': 0.123456789, 'params': 1e-9}}]",
	"[{'number': 1e300, 'state': 'complete', 'metrics': {'accuracy': 0.5, 'params': 3}, 'test': {'accuracy': -4}}]",
};

START_TEST(few_and_extreme_points_keep_finite_places_inside_the_frame)
{
	char *svg;
	ck_ok(draw(job, few[_i], NULL, &svg));
	assert_well_formed(svg);
	ck_assert_ptr_null(strstr(svg, "nan"));
	ck_assert_ptr_null(strstr(svg, "inf"));
	ck_assert_int_le(count(svg, "class=\"grid\""), 24);
	for (const char *p = strstr(svg, " cx=\""); p; p = strstr(p + 1, " cx=\"")) {
		double x = strtod(p + 5, NULL);
		ck_assert_msg(x >= 72 && x <= 776, "x is %g", x);
	}
	free(svg);
}
END_TEST

START_TEST(steps_rise_with_the_cost)
{
	char *svg;
	ck_ok(draw(job,
		"[{'number': 1, 'state': 'complete', 'pareto': true, 'metrics': {'accuracy': 0.9, 'params': 30}},"
		"{'number': 2, 'state': 'complete', 'pareto': true, 'metrics': {'accuracy': 0.5, 'params': 20}},"
		"{'number': 3, 'state': 'complete', 'pareto': true, 'metrics': {'accuracy': 0.7, 'params': 10}}]",
		NULL, &svg));
	const char *path = strstr(svg, "class=\"front\" d=\"M");
	ck_assert_ptr_nonnull(path);
	double x1, y1, x2, y2;
	char end[4];
	ck_assert_int_eq(sscanf(path, "class=\"front\" d=\"M%lf %lfH%lfV%lf%3s", &x1, &y1, &x2, &y2, end), 5);
	ck_assert_str_eq(end, "\"/>"); /* trial 2, beaten in this view, is no step */
	ck_assert(x1 < x2 && y1 > y2);
	free(svg);
}
END_TEST

START_TEST(nothing_complete_is_nothing_to_draw)
{
	char *svg;
	ck_assert_int_eq(draw(job, "[]", NULL, &svg), ERR_CONFLICT);
	ck_assert_int_eq(draw(job, "[{'number': 1, 'state': 'running'}, 3, null]", NULL, &svg), ERR_CONFLICT);
	ck_assert_int_eq(draw(job, trials, "latency", &svg), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(e.msg, "latency"));
}
END_TEST

Suite *suite_plot(void)
{
	Suite *s = suite_create("plot");
	TCase *t = tcase_create("plot");
	tcase_add_test(t, every_kind_of_trial_has_its_mark);
	tcase_add_test(t, lower_rungs_are_not_drawn);
	tcase_add_test(t, axes_have_round_labels);
	tcase_add_test(t, the_x_axis_is_the_metric_that_was_asked_for);
	tcase_add_test(t, without_a_wish_the_first_cost_among_the_objectives_is_taken);
	tcase_add_loop_test(t, any_name_leaves_it_well_formed, 0, sizeof names / sizeof *names);
	tcase_add_loop_test(t, few_and_extreme_points_keep_finite_places_inside_the_frame, 0, sizeof few / sizeof *few);
	tcase_add_test(t, steps_rise_with_the_cost);
	tcase_add_test(t, nothing_complete_is_nothing_to_draw);
	suite_add_tcase(s, t);
	return s;
}

/* explain.c -- pare explain: what a search learned, and why a candidate keeps what it keeps.
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "client/args.h"
#include "client/client.h"
#include "client/format.h"
#include "client/table.h"
#include "client/view.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static void put(struct table *t, const char *(*format)(double, char *), double x)
{
	char buf[FORMAT_MAX];
	table_cell(t, format(x, buf));
}

static const char *signed_change(double x, char *buf)
{
	snprintf(buf, FORMAT_MAX, isfinite(x) ? "%+.4f" : "-", x);
	return buf;
}

static const char *whole_number(double x, char *buf)
{
	snprintf(buf, FORMAT_MAX, isfinite(x) ? "%.0f" : "-", x);
	return buf;
}

/* What all candidates together say of each group. */
static enum err print_groups(const cJSON *doc, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "GROUP", TABLE_LEFT },
		{ "CHANNELS", TABLE_RIGHT },
		{ "HALVED", TABLE_RIGHT },
		{ "FREES", TABLE_RIGHT },
		{ "KEPT LEAST", TABLE_SPARSE },
		{ "MEAN", TABLE_SPARSE },
		{ "MOST", TABLE_SPARSE },
		{ "WHOLE", TABLE_SPARSE },
	};
	const cJSON *group;
	struct table *t = table_new(columns, COUNT(columns));
	if (!t)
		return err_set(e, ERR_MEMORY, "out of memory");
	cJSON_ArrayForEach(group, view_member(doc, "groups")) {
		table_cell(t, view_text(group, "name"));
		put(t, whole_number, view_number(group, "channels"));
		put(t, signed_change, view_number(group, "sensitivity"));
		put(t, format_percent, view_number(group, "freed"));
		put(t, format_percent, view_number(group, "front.least"));
		put(t, format_percent, view_number(group, "front.mean"));
		put(t, format_percent, view_number(group, "front.most"));
		put(t, format_percent, view_number(group, "front.whole"));
	}
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

static enum err print_reasons(const cJSON *chosen, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "GROUP", TABLE_LEFT },
		{ "KEPT", TABLE_RIGHT },
		{ "OF", TABLE_RIGHT },
		{ "LOST", TABLE_SPARSE },
		{ "WHY", TABLE_NOTE },
	};
	const cJSON *group;
	struct table *t = table_new(columns, COUNT(columns));
	if (!t)
		return err_set(e, ERR_MEMORY, "out of memory");
	cJSON_ArrayForEach(group, view_member(chosen, "groups")) {
		table_cell(t, view_text(group, "name"));
		put(t, whole_number, view_number(group, "kept"));
		put(t, whole_number, view_number(group, "channels"));
		put(t, format_percent, view_number(group, "share"));
		table_cell(t, view_text(group, "reason"));
	}
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

static void print_chosen_line(const cJSON *chosen, const char *metric, const char *cost, FILE *out)
{
	char value[FORMAT_MAX], predicted[FORMAT_MAX], share[FORMAT_MAX];
	fprintf(out, "\ntrial %.0f: %s %s (the model expects %s) with %s of the %s\n\n", view_number(chosen, "number"),
		metric, format_metric(metric, view_number(chosen, "value"), value),
		format_metric(metric, view_number(chosen, "predicted"), predicted),
		format_percent(view_number(chosen, "cost"), share), cost);
}

static enum err print_text(const cJSON *doc, FILE *out, bool bold, struct errinfo *e)
{
	char metric[32], cost[32];
	const cJSON *chosen = view_member(doc, "chosen");
	format_clean(view_text(doc, "metric"), metric, sizeof metric);
	format_clean(view_text(doc, "cost"), cost, sizeof cost);
	fprintf(out, "%.0f results, %.0f in the Pareto set. HALVED: what removing half of a group alone does to\n"
		"%s, as far as was learned; FREES: the share of all %s that this saves; KEPT: in the Pareto set.\n\n",
		view_number(doc, "results"), view_number(doc, "front"), metric, cost);
	enum err err = print_groups(doc, out, bold, e);
	if (err || !cJSON_IsObject(chosen))
		return err;
	print_chosen_line(chosen, metric, cost, out);
	return print_reasons(chosen, out, bold, e);
}

enum err explain_run(struct client *c, struct errinfo *e)
{
	int64_t job;
	char path[96];
	cJSON *doc;
	if (client_job(c, &job, e))
		return e->code;
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64 "/explain", job);
	if (c->args->trial >= 0)
		snprintf(path, sizeof path, "/v1/jobs/%" PRId64 "/explain?trial=%" PRId64, job, c->args->trial);
	enum err err = client_get(c, path, &doc, e);
	if (err)
		return err;
	err = c->args->json ? client_print_json(c, doc, e) : print_text(doc, c->out, c->bold, e);
	cJSON_Delete(doc);
	return err;
}

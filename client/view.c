/* view.c -- the daemon's JSON as tables for people.
 * SPDX-License-Identifier: MIT */
#include "client/view.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "client/format.h"
#include "client/plan.h"
#include "client/table.h"

enum { PROGRESS_MAX = 96 };

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

const cJSON *view_member(const cJSON *object, const char *path)
{
	char name[64];
	while (object && *path) {
		size_t len = strcspn(path, ".");
		if (len >= sizeof name)
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		object = cJSON_GetObjectItemCaseSensitive(object, name);
		path += len + (path[len] == '.');
	}
	return object;
}

double view_number(const cJSON *object, const char *path)
{
	const cJSON *v = view_member(object, path);
	return cJSON_IsNumber(v) ? v->valuedouble : NAN;
}

const char *view_text(const cJSON *object, const char *path)
{
	const cJSON *v = view_member(object, path);
	return cJSON_IsString(v) ? v->valuestring : NULL;
}

bool view_true(const cJSON *object, const char *path)
{
	return cJSON_IsTrue(view_member(object, path));
}

static bool complete(const cJSON *trial)
{
	const char *state = view_text(trial, "state");
	return state && !strcmp(state, "complete");
}

bool view_infeasible(const cJSON *trial)
{
	return complete(trial) && cJSON_IsFalse(view_member(trial, "feasible"));
}

static enum err no_memory(struct errinfo *e)
{
	return err_set(e, ERR_MEMORY, "out of memory");
}

static void cell_number(struct table *t, double x)
{
	char buf[FORMAT_MAX];
	snprintf(buf, sizeof buf, isfinite(x) ? "%.15g" : "-", x);
	table_cell(t, buf);
}

typedef const char *formatter(double x, char buf[FORMAT_MAX]);

static void cell(struct table *t, formatter *format, double x)
{
	char buf[FORMAT_MAX];
	table_cell(t, format(x, buf));
}

/* Trials that have ended. The baseline is among those that the daemon counts and not in the plan; before it is
 * complete there are no others. */
static double trials_done(const cJSON *job)
{
	double done = view_number(job, "trials.complete") + view_number(job, "trials.failed");
	if (cJSON_IsObject(view_member(job, "baseline")))
		return done >= 1 ? done - 1 : done;
	return isfinite(done) ? 0 : done;
}

/* "20/60", "20/60, 2 failed". */
static const char *progress_of(const cJSON *job, char buf[PROGRESS_MAX])
{
	struct plan plan;
	plan_read(job, &plan);
	double done = trials_done(job), planned = plan_total(&plan), failed = view_number(job, "trials.failed");
	if (!isfinite(done) || !isfinite(planned))
		snprintf(buf, PROGRESS_MAX, "-");
	else
		snprintf(buf, PROGRESS_MAX, done > 0 && failed > 0 ? "%.0f/%.0f, %.0f failed" : "%.0f/%.0f", done,
			planned, failed);
	return buf;
}

enum err view_jobs(const cJSON *jobs, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "JOB", TABLE_RIGHT },
		{ "NAME", TABLE_LEFT },
		{ "STATE", TABLE_LEFT },
		{ "TRIALS", TABLE_RIGHT },
		{ "BEST", TABLE_RIGHT },
		{ "PARETO", TABLE_RIGHT },
		{ "HYPERVOLUME", TABLE_RIGHT },
		{ "CREATED", TABLE_LEFT },
		{ "REASON", TABLE_NOTE },
	};
	struct table *t = table_new(columns, COUNT(columns));
	const cJSON *job;
	char buf[PROGRESS_MAX];
	if (!t)
		return no_memory(e);
	cJSON_ArrayForEach(job, jobs) {
		cell_number(t, view_number(job, "id"));
		table_cell(t, view_text(job, "name"));
		table_cell(t, view_text(job, "state"));
		table_cell(t, progress_of(job, buf));
		cell(t, format_fraction, view_number(job, "best.accuracy"));
		cell_number(t, view_number(job, "pareto"));
		cell(t, format_ratio, view_number(job, "hypervolume"));
		cell(t, format_time, view_number(job, "created"));
		table_cell(t, view_text(job, "reason"));
	}
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

/* "name: value" lines; absent values are left out. */
static void line(FILE *out, const char *name, const char *text)
{
	char clean[1024];
	if (text && strcmp(text, "-"))
		fprintf(out, "%-14s%s\n", name, format_clean(text, clean, sizeof clean));
}

static void line_json(FILE *out, const char *name, const cJSON *value)
{
	char *text = value && !cJSON_IsNull(value) ? cJSON_PrintUnformatted(value) : NULL;
	line(out, name, text);
	cJSON_free(text);
}

static const char *metrics_of(const cJSON *m, char *buf, size_t size)
{
	static const char *const names[] = { "accuracy", "loss", "params", "macs", "bytes", "memory", "latency" };
	size_t used = 0;
	buf[0] = '\0';
	for (int i = 0; i < COUNT(names); i++) {
		char value[FORMAT_MAX];
		double x = view_number(m, names[i]);
		if (!isfinite(x) || used >= size)
			continue;
		used += (size_t)snprintf(buf + used, size - used, "%s%s %s", used ? ", " : "", names[i],
			format_metric(names[i], x, value));
	}
	return used ? buf : NULL;
}

/* Ratios removed: "params 85.9%, macs 78.0%". */
static const char *ratios_of(const cJSON *ratios, char *buf, size_t size)
{
	const cJSON *ratio;
	size_t used = 0;
	buf[0] = '\0';
	cJSON_ArrayForEach(ratio, ratios) {
		char value[FORMAT_MAX];
		if (!cJSON_IsNumber(ratio) || !ratio->string || used >= size)
			continue;
		used += (size_t)snprintf(buf + used, size - used, "%s%.20s %s", used ? ", " : "", ratio->string,
			format_percent(ratio->valuedouble, value));
	}
	return used ? buf : NULL;
}

/* Median, its spread, and both as ratios to the unpruned network's. */
static const char *spread_of(const cJSON *m, char *buf, size_t size)
{
	double median = view_number(m, "latency_ms");
	if (!isfinite(median))
		return NULL;
	snprintf(buf, size, "%.3g ms (p10 %.3g, p90 %.3g), ratio %.3g (p10 %.3g, p90 %.3g)", median,
		view_number(m, "latency_p10_ms"), view_number(m, "latency_p90_ms"), view_number(m, "latency"),
		view_number(m, "latency_ratio_p10"), view_number(m, "latency_ratio_p90"));
	return buf;
}

/* Channels of every group; keep: those that stay, or NULL. */
static enum err view_groups(const cJSON *groups, const cJSON *keep, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "GROUP", TABLE_RIGHT },
		{ "NAME", TABLE_LEFT },
		{ "CHANNELS", TABLE_RIGHT },
		{ "KEPT", TABLE_SPARSE },
		{ "REMOVED", TABLE_SPARSE },
	};
	struct table *t = table_new(columns, COUNT(columns));
	const cJSON *group, *kept = keep ? keep->child : NULL;
	int index = 0;
	if (!t)
		return no_memory(e);
	cJSON_ArrayForEach(group, groups) {
		double channels = view_number(group, "channels"), stay = view_number(kept, "");
		cell_number(t, index++);
		table_cell(t, view_text(group, "name"));
		cell_number(t, channels);
		cell_number(t, stay);
		cell(t, format_percent, 1 - stay / channels);
		kept = kept ? kept->next : NULL;
	}
	fputc('\n', out);
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

/* What can't be pruned, and why. */
static enum err view_frozen(const cJSON *frozen, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "FROZEN", TABLE_LEFT },
		{ "CHANNELS", TABLE_RIGHT },
		{ "REASON", TABLE_LEFT },
	};
	struct table *t = table_new(columns, COUNT(columns));
	const cJSON *entry;
	if (!t)
		return no_memory(e);
	cJSON_ArrayForEach(entry, frozen) {
		table_cell(t, view_text(entry, "name"));
		cell_number(t, view_number(entry, "channels"));
		table_cell(t, view_text(entry, "reason"));
	}
	fputc('\n', out);
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

static void view_span(const cJSON *object, FILE *out)
{
	static const char *const moments[] = { "created", "started", "finished" };
	char buf[FORMAT_MAX];
	double started = view_number(object, "started"), finished = view_number(object, "finished");
	for (int i = 0; i < COUNT(moments); i++)
		line(out, moments[i], format_time(view_number(object, moments[i]), buf));
	if (isnan(finished) && started > 0)
		finished = (double)clock_wall_ms();
	if (started > 0 && finished > 0)
		line(out, "took", format_duration((finished - started) / 1000, buf));
}

/* Why nothing more is proposed. */
static const char *end_of(const cJSON *job)
{
	static const char *const ends[][2] = {
		{ "trials", "all trials were proposed" },
		{ "seconds", "by its budget of seconds" },
		{ "stall", "by a stall: its last results brought no gain" },
		{ "strategy", "by its strategy, which has nothing more to propose" },
		{ "finish", "by 'pare finish'" },
	};
	const char *ended = view_text(job, "ended");
	for (int i = 0; ended && i < COUNT(ends); i++)
		if (!strcmp(ended, ends[i][0]))
			return ends[i][1];
	return ended;
}

enum err view_job(const cJSON *job, FILE *out, bool bold, struct errinfo *e)
{
	char buf[512], number[FORMAT_MAX];
	struct plan plan;
	const cJSON *groups = view_member(job, "groups"), *frozen = view_member(job, "frozen");
	plan_read(job, &plan);
	snprintf(buf, sizeof buf, "%.0f", view_number(job, "id"));
	line(out, "job", buf);
	line(out, "name", view_text(job, "name"));
	line(out, "state", view_text(job, "state"));
	line(out, "reason", view_text(job, "reason"));
	view_span(job, out);
	line(out, "ended", end_of(job));
	line(out, "trials", progress_of(job, buf));
	if (plan.rungs > 1)
		line(out, "planned", plan_text(&plan, buf));
	line(out, "baseline", metrics_of(view_member(job, "baseline"), buf, sizeof buf));
	line(out, "best", metrics_of(view_member(job, "best"), buf, sizeof buf));
	snprintf(buf, sizeof buf, "%.0f, hypervolume %s", view_number(job, "pareto"),
		format_fraction(view_number(job, "hypervolume"), number));
	if (view_number(job, "pareto") > 0)
		line(out, "pareto", buf);
	line_json(out, "objectives", view_member(job, "spec.objectives"));
	line_json(out, "constraints", view_member(job, "spec.constraints"));
	line_json(out, "strategy", view_member(job, "spec.strategy"));
	line_json(out, "seed", view_member(job, "spec.seed"));
	enum err err = cJSON_GetArraySize(groups) ? view_groups(groups, NULL, out, bold, e) : ERR_OK;
	return err || !cJSON_GetArraySize(frozen) ? err : view_frozen(frozen, out, bold, e);
}

enum err view_trial(const cJSON *trial, const cJSON *groups, FILE *out, bool bold, struct errinfo *e)
{
	char buf[512];
	const cJSON *keep = view_member(trial, "candidate");
	line(out, "trial", view_text(trial, "id"));
	line(out, "state", view_text(trial, "state"));
	line(out, "reason", view_text(trial, "reason"));
	line(out, "same as", view_text(trial, "source"));
	if (view_number(trial, "rung") > 0)
		line_json(out, "rung", view_member(trial, "rung"));
	line(out, "continues", view_text(trial, "parent"));
	view_span(trial, out);
	line(out, "worker", view_text(trial, "worker"));
	line_json(out, "attempts", view_member(trial, "attempts"));
	line(out, "requested", ratios_of(view_member(trial, "requested"), buf, sizeof buf));
	line(out, "achieved", ratios_of(view_member(trial, "achieved"), buf, sizeof buf));
	line(out, "metrics", metrics_of(view_member(trial, "metrics"), buf, sizeof buf));
	line(out, "latency", spread_of(view_member(trial, "metrics"), buf, sizeof buf));
	line(out, "test", metrics_of(view_member(trial, "test"), buf, sizeof buf));
	line_json(out, "feasible", complete(trial) ? view_member(trial, "feasible") : NULL);
	line_json(out, "pareto", view_member(trial, "pareto"));
	line(out, "model", view_text(trial, "model"));
	bool fits = cJSON_IsArray(keep) && cJSON_GetArraySize(groups) == cJSON_GetArraySize(keep);
	return fits ? view_groups(groups, keep, out, bold, e) : ERR_OK;
}

/* Why a trial stands out: its reason, its place in the Pareto set, the trial it shares its result with. */
static const char *note_of(const cJSON *trial, char *buf, size_t size)
{
	const char *reason = view_text(trial, "reason"), *source = view_text(trial, "source");
	const char *standing = view_true(trial, "pareto") ? "pareto" : view_infeasible(trial) ? "infeasible" : "";
	if (reason)
		snprintf(buf, size, "%s", reason);
	else
		snprintf(buf, size, "%s%s%s%s", standing, *standing && source ? ", " : "", source ? "same as " : "",
			source ? source : "");
	return buf;
}

static bool any_climbs(const cJSON *trials)
{
	const cJSON *trial;
	cJSON_ArrayForEach(trial, trials)
		if (view_number(trial, "rung") > 0)
			return true;
	return false;
}

enum err view_trials(const cJSON *trials, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "TRIAL", TABLE_RIGHT },
		{ "RUNG", TABLE_SPARSE },
		{ "STATE", TABLE_LEFT },
		{ "ACCURACY", TABLE_RIGHT },
		{ "PARAMS", TABLE_RIGHT },
		{ "REMOVED", TABLE_RIGHT },
		{ "MACS", TABLE_RIGHT },
		{ "REMOVED", TABLE_RIGHT },
		{ "LATENCY", TABLE_SPARSE },
		{ "TIME", TABLE_RIGHT },
		{ "NOTE", TABLE_NOTE },
	};
	struct table *t = table_new(columns, COUNT(columns));
	const cJSON *trial;
	bool rungs = any_climbs(trials);
	char buf[256];
	if (!t)
		return no_memory(e);
	cJSON_ArrayForEach(trial, trials) {
		double started = view_number(trial, "started"), finished = view_number(trial, "finished");
		cell_number(t, view_number(trial, "number"));
		cell_number(t, rungs ? view_number(trial, "rung") : NAN);
		table_cell(t, view_text(trial, "state"));
		cell(t, format_fraction, view_number(trial, "metrics.accuracy"));
		cell(t, format_count, view_number(trial, "metrics.params"));
		cell(t, format_percent, view_number(trial, "achieved.params"));
		cell(t, format_count, view_number(trial, "metrics.macs"));
		cell(t, format_percent, view_number(trial, "achieved.macs"));
		cell(t, format_ratio, view_number(trial, "metrics.latency"));
		cell(t, format_duration, (finished - started) / 1000);
		table_cell(t, note_of(trial, buf, sizeof buf));
	}
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

static bool is_objective(const cJSON *pareto, const char *metric)
{
	const cJSON *name;
	cJSON_ArrayForEach(name, view_member(pareto, "objectives"))
		if (cJSON_IsString(name) && !strcmp(name->valuestring, metric))
			return true;
	return false;
}

static void pareto_row(struct table *t, const cJSON *trial, bool with_memory, const char *note)
{
	cell_number(t, view_number(trial, "number"));
	cell(t, format_fraction, view_number(trial, "metrics.accuracy"));
	cell(t, format_fraction, view_number(trial, "test.accuracy"));
	cell(t, format_count, view_number(trial, "metrics.params"));
	cell(t, format_percent, view_number(trial, "achieved.params"));
	cell(t, format_count, view_number(trial, "metrics.macs"));
	cell(t, format_percent, view_number(trial, "achieved.macs"));
	cell(t, format_bytes, view_number(trial, "metrics.bytes"));
	cell(t, format_bytes, with_memory ? view_number(trial, "metrics.memory") : NAN);
	cell(t, format_ratio, view_number(trial, "metrics.latency"));
	table_cell(t, note);
}

enum err view_pareto(const cJSON *pareto, const cJSON *baseline, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "TRIAL", TABLE_RIGHT },
		{ "ACCURACY", TABLE_RIGHT },
		{ "TEST", TABLE_SPARSE },
		{ "PARAMS", TABLE_RIGHT },
		{ "REMOVED", TABLE_RIGHT },
		{ "MACS", TABLE_RIGHT },
		{ "REMOVED", TABLE_RIGHT },
		{ "SIZE", TABLE_RIGHT },
		{ "MEMORY", TABLE_SPARSE },
		{ "LATENCY", TABLE_SPARSE },
		{ "", TABLE_NOTE },
	};
	struct table *t = table_new(columns, COUNT(columns));
	bool with_memory = is_objective(pareto, "memory"), member = false;
	const cJSON *trial;
	if (!t)
		return no_memory(e);
	cJSON_ArrayForEach(trial, view_member(pareto, "trials"))
		if (view_number(trial, "number") == 0)
			member = true;
	if (baseline)
		pareto_row(t, baseline, with_memory, member ? "baseline, in the set" : "baseline");
	cJSON_ArrayForEach(trial, view_member(pareto, "trials"))
		if (!baseline || view_number(trial, "number") > 0)
			pareto_row(t, trial, with_memory, NULL);
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

enum err view_workers(const cJSON *workers, FILE *out, bool bold, struct errinfo *e)
{
	static const struct table_column columns[] = {
		{ "WORKER", TABLE_LEFT },
		{ "STATE", TABLE_LEFT },
		{ "PID", TABLE_RIGHT },
		{ "TRIAL", TABLE_RIGHT },
		{ "DONE", TABLE_RIGHT },
		{ "FAILED", TABLE_RIGHT },
		{ "RESTARTS", TABLE_RIGHT },
		{ "SEEN", TABLE_RIGHT },
	};
	struct table *t = table_new(columns, COUNT(columns));
	double now = (double)clock_wall_ms();
	const cJSON *w;
	if (!t)
		return no_memory(e);
	cJSON_ArrayForEach(w, workers) {
		char buf[FORMAT_MAX], ago[FORMAT_MAX + 8];
		double seen = view_number(w, "seen");
		format_duration(seen > 0 ? fmax(0, now - seen) / 1000 : NAN, buf);
		snprintf(ago, sizeof ago, strcmp(buf, "-") ? "%s ago" : "%s", buf);
		table_cell(t, view_text(w, "name"));
		table_cell(t, view_text(w, "state"));
		cell_number(t, view_number(w, "pid"));
		table_cell(t, view_text(w, "trial"));
		cell_number(t, view_number(w, "completed"));
		cell_number(t, view_number(w, "failed"));
		cell_number(t, view_number(w, "restarts"));
		table_cell(t, ago);
	}
	enum err err = table_print(t, out, bold, e);
	table_free(t);
	return err;
}

/* "86.0k (71.0% removed)" */
static const char *size_of(const cJSON *trial, const char *metric, const char *achieved, char buf[2 * FORMAT_MAX])
{
	char size[FORMAT_MAX], percent[FORMAT_MAX];
	double removed = view_number(trial, achieved);
	format_count(view_number(trial, metric), size);
	snprintf(buf, 2 * FORMAT_MAX, isfinite(removed) ? "%s (%s removed)" : "%s", size,
		format_percent(removed, percent));
	return buf;
}

void view_trial_line(const cJSON *trial, FILE *out)
{
	char id[64], state[32], note[256], clean[256], rung[32] = "";
	char accuracy[FORMAT_MAX], params[2 * FORMAT_MAX], macs[2 * FORMAT_MAX];
	format_clean(view_text(trial, "id"), id, sizeof id);
	format_clean(view_text(trial, "state"), state, sizeof state);
	format_clean(note_of(trial, note, sizeof note), clean, sizeof clean);
	if (view_text(trial, "parent"))
		snprintf(rung, sizeof rung, " at rung %.0f", view_number(trial, "rung"));
	if (!cJSON_IsObject(view_member(trial, "metrics"))) {
		fprintf(out, "%-7s %s%s%s%s\n", id, state, rung, *clean ? ": " : "", clean);
		return;
	}
	fprintf(out, "%-7s %s%s, accuracy %s, params %s, macs %s%s%s\n", id, state, rung,
		format_fraction(view_number(trial, "metrics.accuracy"), accuracy),
		size_of(trial, "metrics.params", "achieved.params", params),
		size_of(trial, "metrics.macs", "achieved.macs", macs), *clean ? ", " : "", clean);
}

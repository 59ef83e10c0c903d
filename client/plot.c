/* plot.c -- a job's Pareto front as an SVG drawing.
 * SPDX-License-Identifier: MIT
 *
 * Middle tones on no background, so that it reads on a light and on a dark page. */
#include "client/plot.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/format.h"
#include "client/view.h"

/* Pixels of the drawing, and of the frame inside it. */
enum { WIDTH = 800, HEIGHT = 480, LEFT = 72, RIGHT = 776, TOP = 84, BOTTOM = 420 };

struct x_metric {
	const char *name, *title, *unit;
};

static const struct x_metric x_metrics[] = {
	{ "params", "parameters", "" },
	{ "macs", "multiply-accumulates of one image", "" },
	{ "bytes", "size of the weights", "B" },
	{ "memory", "peak memory of the activations", "B" },
	{ "latency", "latency, as a share of the unpruned model's", "" },
};
enum { X_METRICS = sizeof x_metrics / sizeof *x_metrics };

struct point {
	double x, accuracy, test; /* test: NaN when not known */
	int number;
	bool member;
};

struct axis {
	double from, to, step;
	double pixel_from, pixel_to;
};

struct plot {
	const struct x_metric *metric;
	struct point *points; /* by x, the baseline not among them */
	int count;
	struct point baseline; /* accuracy is NaN when there is none */
	struct axis x, y;
	FILE *out;
};

static const struct x_metric *metric_named(const char *name)
{
	for (int i = 0; i < X_METRICS; i++)
		if (!strcmp(x_metrics[i].name, name))
			return &x_metrics[i];
	return NULL;
}

enum err plot_check_metric(const char *metric, struct errinfo *e)
{
	if (metric_named(metric))
		return ERR_OK;
	return err_set(e, ERR_INPUT, "--x: is '%.100s', expected params, macs, bytes, memory or latency", metric);
}

static const struct x_metric *default_metric(const cJSON *job)
{
	const cJSON *name;
	cJSON_ArrayForEach(name, view_member(job, "spec.objectives"))
		if (cJSON_IsString(name) && metric_named(name->valuestring))
			return metric_named(name->valuestring);
	return &x_metrics[0];
}

/* By x, the better of equals first, so that the others lie under it. */
static int compare_points(const void *a, const void *b)
{
	const struct point *p = a, *q = b;
	if (p->x != q->x)
		return p->x < q->x ? -1 : 1;
	return (p->accuracy < q->accuracy) - (p->accuracy > q->accuracy);
}

static bool read_point(const cJSON *trial, const struct x_metric *m, struct point *ret)
{
	const cJSON *metrics = view_member(trial, "metrics");
	const char *state = view_text(trial, "state");
	struct point p = {
		.x = view_number(metrics, m->name),
		.accuracy = view_number(metrics, "accuracy"),
		.test = view_number(trial, "test.accuracy"),
		.member = view_true(trial, "pareto"),
	};
	double number = view_number(trial, "number");
	if (!state || strcmp(state, "complete") || !(p.x >= 0 && p.x < 1e18) || !(p.accuracy >= 0 && p.accuracy <= 1))
		return false;
	if (!(p.test >= 0 && p.test <= 1))
		p.test = NAN;
	p.number = number >= 0 && number <= 1e9 ? (int)number : 0;
	*ret = p;
	return true;
}

static enum err read_points(struct plot *p, const cJSON *trials, struct errinfo *e)
{
	int n = cJSON_GetArraySize(trials);
	const cJSON *trial;
	double last = view_number(cJSON_GetArrayItem(trials, 0), "rung"); /* the baseline's: the only one that counts */
	p->points = calloc((size_t)n + 1, sizeof *p->points);
	if (!p->points)
		return err_set(e, ERR_MEMORY, "out of memory");
	p->baseline.accuracy = NAN;
	cJSON_ArrayForEach(trial, trials) {
		struct point q;
		if (view_number(trial, "rung") < last || !read_point(trial, p->metric, &q))
			continue;
		if (q.number == 0)
			p->baseline = q;
		else
			p->points[p->count++] = q;
	}
	qsort(p->points, (size_t)p->count, sizeof *p->points, compare_points);
	if (p->count || isfinite(p->baseline.accuracy))
		return ERR_OK;
	return err_set(e, ERR_CONFLICT, "there is nothing to draw: no trial is complete with accuracy and %s",
		p->metric->name);
}

/* The step of 1, 2 or 5 times a power of ten that divides `span` in at most `parts`. */
static double round_step(double span, int parts)
{
	double raw = span / parts, power = pow(10, floor(log10(raw)));
	double digit = raw / power;
	return power * (digit <= 1 ? 1 : digit <= 2 ? 2 : digit <= 5 ? 5 : 10);
}

static struct axis make_axis(double from, double to, int parts, double pixel_from, double pixel_to)
{
	if (to - from < 1e-6 * fmax(1, fabs(to)))
		to = from + fmax(0.01, 0.01 * fabs(from));
	return (struct axis){ from, to, round_step(to - from, parts), pixel_from, pixel_to };
}

/* Ticks stand at the multiples of the step between the ends: first_tick * step ... last_tick * step. */
static int first_tick(const struct axis *a)
{
	return (int)ceil(a->from / a->step - 1e-9);
}

static int last_tick(const struct axis *a)
{
	return (int)floor(a->to / a->step + 1e-9);
}

static void widen(double *least, double *most, double value)
{
	if (isfinite(value)) {
		*least = fmin(*least, value);
		*most = fmax(*most, value);
	}
}

/* x starts at 0: shares of the unpruned model can be seen. y spans what there is, and a little air. */
static void fit_axes(struct plot *p)
{
	double low = 1, high = 0, zero = 0, most = 0;
	for (int i = -1; i < p->count; i++) {
		const struct point *q = i < 0 ? &p->baseline : &p->points[i];
		if (!isfinite(q->accuracy))
			continue;
		widen(&low, &high, q->accuracy);
		widen(&low, &high, q->test);
		widen(&zero, &most, q->x);
	}
	double air = fmax(0.002, 0.03 * (high - low));
	p->x = make_axis(0, most * 1.03, 8, LEFT, RIGHT);
	p->y = make_axis(fmax(0, low - air), fmin(1, high + air), 7, BOTTOM, TOP);
}

static double at(const struct axis *a, double value)
{
	return a->pixel_from + (value - a->from) / (a->to - a->from) * (a->pixel_to - a->pixel_from);
}

/* All labels of an axis share one prefix: 0, 50k, 100k. */
static const char *x_label(const struct plot *p, double value, char buf[FORMAT_MAX])
{
	static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
	int i = 0;
	for (double most = p->x.to; most >= 1000 && i < 5; most /= 1000)
		i++;
	snprintf(buf, FORMAT_MAX, "%.6g%s%s%s", value / pow(1000, i), *p->metric->unit && value > 0 ? " " : "",
		value > 0 ? prefixes[i] : "", value > 0 ? p->metric->unit : "");
	return buf;
}

static void draw_axes(const struct plot *p)
{
	char label[FORMAT_MAX];
	int decimals = (int)fmax(2, -floor(log10(p->y.step) + 1e-9));
	for (int i = first_tick(&p->x); i <= last_tick(&p->x); i++) {
		double value = i * p->x.step, x = at(&p->x, value);
		fprintf(p->out, "<path class=\"grid\" d=\"M%.1f %dV%d\"/>", x, TOP, BOTTOM);
		fprintf(p->out, "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n", x,
			BOTTOM + 19, x_label(p, value, label));
	}
	for (int i = first_tick(&p->y); i <= last_tick(&p->y); i++) {
		double value = i * p->y.step, y = at(&p->y, value);
		fprintf(p->out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, RIGHT);
		fprintf(p->out, "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.*f</text>\n", LEFT - 9,
			y + 4, decimals, value);
	}
	fprintf(p->out, "<path class=\"axis\" d=\"M%d %dV%dH%d\"/>\n", LEFT, TOP, BOTTOM, RIGHT);
	fprintf(p->out, "<text class=\"label\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
		(LEFT + RIGHT) / 2, BOTTOM + 44, p->metric->title);
	fprintf(p->out,
		"<text class=\"label\" text-anchor=\"middle\" transform=\"translate(20 %d) rotate(-90)\">"
		"accuracy</text>\n",
		(TOP + BOTTOM) / 2);
}

/* What a browser shows when the pointer rests on a point. */
static void draw_hint(const struct plot *p, const struct point *q)
{
	char x[FORMAT_MAX], accuracy[FORMAT_MAX];
	fprintf(p->out, "<title>trial %d: accuracy %s, %s %s</title>", q->number,
		format_fraction(q->accuracy, accuracy), p->metric->name, format_metric(p->metric->name, q->x, x));
}

static void draw_dot(const struct plot *p, const struct point *q, const char *class, double radius)
{
	fprintf(p->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\">", class, at(&p->x, q->x),
		at(&p->y, q->accuracy), radius);
	draw_hint(p, q);
	fprintf(p->out, "</circle>\n");
}

static void draw_diamond(FILE *out, const char *class, double x, double y)
{
	fprintf(out, "<path class=\"%s\" d=\"M%.1f %.1fl6 6 -6 6 -6 -6z\"/>\n", class, x, y - 6);
}

/* The best accuracy to be had at each cost. With three objectives some members lie below it in this projection: they
 * are dots only. */
static void draw_steps(const struct plot *p)
{
	double best = -1;
	bool begun = false;
	for (int i = 0; i < p->count; i++) {
		const struct point *q = &p->points[i];
		if (!q->member || q->accuracy <= best)
			continue;
		best = q->accuracy;
		fprintf(p->out, begun ? "H%.1fV%.1f" : "<path class=\"front\" d=\"M%.1f %.1f", at(&p->x, q->x),
			at(&p->y, q->accuracy));
		begun = true;
	}
	if (begun)
		fprintf(p->out, "\"/>\n");
}

static void draw_points(const struct plot *p)
{
	const struct point *b = &p->baseline;
	for (int i = 0; i < p->count; i++)
		if (!p->points[i].member)
			draw_dot(p, &p->points[i], "trial", 3);
	draw_steps(p);
	for (int i = 0; i < p->count; i++)
		if (p->points[i].member && isfinite(p->points[i].test))
			fprintf(p->out, "<circle class=\"test\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>\n",
				at(&p->x, p->points[i].x), at(&p->y, p->points[i].test));
	for (int i = 0; i < p->count; i++)
		if (p->points[i].member)
			draw_dot(p, &p->points[i], "member", 4.5);
	if (!isfinite(b->accuracy))
		return;
	draw_diamond(p->out, "baseline", at(&p->x, b->x), at(&p->y, b->accuracy));
	if (isfinite(b->test))
		draw_diamond(p->out, "baseline hollow", at(&p->x, b->x), at(&p->y, b->test));
}

static bool any_test(const struct plot *p)
{
	for (int i = 0; i < p->count; i++)
		if (p->points[i].member && isfinite(p->points[i].test))
			return true;
	return isfinite(p->baseline.accuracy) && isfinite(p->baseline.test);
}

enum { LEGEND_Y = 62 };

static void draw_key(const struct plot *p, int x, const char *text)
{
	fprintf(p->out, "<text class=\"key\" x=\"%d\" y=\"%d\">%s</text>\n", x + 11, LEGEND_Y + 4, text);
}

static void draw_legend(const struct plot *p)
{
	static const char dot[] = "<circle class=\"%s\" cx=\"%d\" cy=\"%d\" r=\"4\"/>";
	int x = LEFT + 6;
	fprintf(p->out, dot, "member", x, LEGEND_Y);
	draw_key(p, x, "Pareto set, held-out images");
	x += 222;
	if (any_test(p)) {
		fprintf(p->out, dot, "test", x, LEGEND_Y);
		draw_key(p, x, "the same, test set");
		x += 152;
	}
	fprintf(p->out, dot, "trial", x, LEGEND_Y);
	draw_key(p, x, "other trials");
	x += 106;
	if (isfinite(p->baseline.accuracy)) {
		draw_diamond(p->out, "baseline", x, LEGEND_Y);
		draw_key(p, x + 1, "unpruned");
	}
}

/* Text for XML: the five characters that mean something are written otherwise; the rest is clean UTF-8 already. */
static void put_escaped(FILE *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&quot;", out); break;
		case '\'': fputs("&#39;", out); break;
		default: fputc(*text, out);
		}
	}
}

static const char style[] =
	"<style>\n"
	"text { font-family: system-ui, \"Segoe UI\", \"DejaVu Sans\", Arial, sans-serif; fill: #768390; }\n"
	".head { font-size: 18px; font-weight: 600; } .label { font-size: 14px; } .key { font-size: 13px; }\n"
	".tick { font-size: 12px; font-variant-numeric: tabular-nums; }\n"
	".grid { stroke: #768390; stroke-opacity: 0.18; } .axis { stroke: #768390; fill: none; }\n"
	".front { stroke: #2f81f7; stroke-width: 2; stroke-linejoin: round; fill: none; }\n"
	".member { fill: #2f81f7; } .trial { fill: #768390; fill-opacity: 0.4; }\n"
	".test { stroke: #1f9d8b; stroke-width: 1.5; fill: none; }\n"
	".baseline { fill: #d9822b; stroke: #d9822b; stroke-width: 1.5; } .hollow { fill: none; }\n"
	"</style>\n";

static void draw_head(const struct plot *p, const char *name)
{
	fprintf(p->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" viewBox=\"0 0 %d %d\" ", WIDTH, HEIGHT);
	fprintf(p->out, "width=\"%d\" height=\"%d\">\n<title>", WIDTH, HEIGHT);
	put_escaped(p->out, name);
	fprintf(p->out, ": accuracy and %s of its pruned models</title>\n", p->metric->name);
	fputs(style, p->out);
	fprintf(p->out, "<text class=\"head\" x=\"%d\" y=\"32\">", LEFT);
	put_escaped(p->out, name);
	fprintf(p->out, "</text>\n");
}

static enum err render(struct plot *p, const char *name, char **ret, struct errinfo *e)
{
	char *svg = NULL;
	size_t len;
	p->out = open_memstream(&svg, &len);
	if (!p->out)
		return err_set(e, ERR_MEMORY, "out of memory");
	draw_head(p, name);
	draw_legend(p);
	draw_axes(p);
	draw_points(p);
	fprintf(p->out, "</svg>\n");
	bool failed = ferror(p->out);
	if (fclose(p->out) || failed) {
		free(svg);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*ret = svg;
	return ERR_OK;
}

enum err plot_draw(const cJSON *job, const cJSON *trials, const char *x, char **ret_svg, struct errinfo *e)
{
	struct plot p = { 0 };
	char name[256];
	if (x && plot_check_metric(x, e))
		return e->code;
	p.metric = x ? metric_named(x) : default_metric(job);
	format_clean(view_text(job, "name"), name, sizeof name);
	name[format_fit(name, 70)] = '\0';
	enum err err = read_points(&p, trials, e);
	if (!err) {
		fit_axes(&p);
		err = render(&p, name, ret_svg, e);
	}
	free(p.points);
	return err;
}

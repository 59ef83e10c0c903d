/* belief.c -- what is believed of the metrics that only an evaluation tells.
 * SPDX-License-Identifier: MIT */
#include "search/belief.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "search/cost.h"
#include "search/order.h"
#include "search/prior.h"
#include "search/score.h"
#include "search/space.h"
#include "search/surrogate.h"

/* Earlier results: the best of them will do. */
enum { KNOWN_MOST = 96 };

/* Before anything is judged, earlier results count as if they were off by this variance in so many cases. */
static const double DOUBT = 0.03, DOUBT_COUNT = 2;

/* Of one metric. */
struct opinion {
	struct link link;
	bool held;                 /* among objectives or constraints, and measured */
	struct surrogate *now;
	double missed; /* sum of squares of what earlier results were off by, where this job evaluated the same */
	int judged;
};

struct belief {
	const struct problem *problem;
	struct opinion opinions[METRIC_COUNT];
	int known; /* earlier results that are kept */
	int *known_keep;
	double *known_x, (*known_effects)[METRIC_COUNT];
	double *x, *effect, *variance; /* room for what is learned from */
};

static size_t groups_of(const struct belief *b)
{
	return (size_t)b->problem->space->group_count;
}

struct link belief_link(const struct belief *b, enum metric m)
{
	return b->opinions[m].link;
}

int belief_known(const struct belief *b)
{
	return b->known;
}

const int *belief_known_keep(const struct belief *b, int i)
{
	return b->known_keep + (size_t)i * groups_of(b);
}

/* ---- earlier jobs ---- */

/* What this job would have measured. */
static void foretell(const struct belief *b, const int *keep, const double *effects, double *ret_point)
{
	const struct problem *p = b->problem;
	struct cost cost = cost_of(p->space, keep);
	for (int i = 0; i < p->objective_count; i++) {
		enum metric m = p->objectives[i];
		double value = link_applies(m) ? link_value(&b->opinions[m].link, effects[m]) : cost_metric(&cost, m);
		ret_point[i] = score_value(m, value);
	}
}

static enum err order_prior(const struct belief *b, int *ret_order, struct errinfo *e)
{
	const struct prior *prior = b->problem->prior;
	int n = prior_count(prior), m = b->problem->objective_count;
	double *points = calloc((size_t)n * (size_t)m + 1, sizeof *points);
	if (!points)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (int i = 0; i < n; i++)
		foretell(b, prior_keep(prior, i), prior_effects(prior, i), points + (size_t)i * (size_t)m);
	enum err err = order_points(points, NULL, n, m, ret_order, e);
	free(points);
	return err;
}

/* Whether it says something of every metric that is believed in. */
static bool tells_all(const struct belief *b, const double *effects)
{
	for (int m = 0; m < METRIC_COUNT; m++)
		if (b->opinions[m].held && !isfinite(effects[m]))
			return false;
	return true;
}

static enum err take_known(struct belief *b, struct errinfo *e)
{
	const struct prior *prior = b->problem->prior;
	int n = prior ? prior_count(prior) : 0;
	size_t groups = groups_of(b), most = (size_t)(n < KNOWN_MOST ? n : KNOWN_MOST);
	int *order = calloc((size_t)n + 1, sizeof *order);
	b->known_keep = calloc(most * groups + 1, sizeof *b->known_keep);
	b->known_x = calloc(most * groups + 1, sizeof *b->known_x);
	b->known_effects = calloc(most + 1, sizeof *b->known_effects);
	if (!order || !b->known_keep || !b->known_x || !b->known_effects) {
		free(order);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	enum err err = n ? order_prior(b, order, e) : ERR_OK;
	for (int i = 0; i < n && b->known < KNOWN_MOST && !err; i++) {
		int *keep = b->known_keep + (size_t)b->known * groups;
		if (!tells_all(b, prior_effects(prior, order[i])))
			continue;
		memcpy(keep, prior_keep(prior, order[i]), groups * sizeof *keep);
		memcpy(b->known_effects[b->known], prior_effects(prior, order[i]), sizeof *b->known_effects);
		space_shares(b->problem->space, keep, b->known_x + (size_t)b->known++ * groups);
	}
	free(order);
	return err;
}

/* ---- learning ---- */

/* Appends row n when it says something of the metric. */
static int append(struct belief *b, int n, const double *x, double effect, double variance)
{
	if (!isfinite(effect))
		return n;
	memcpy(b->x + (size_t)n * groups_of(b), x, groups_of(b) * sizeof *x);
	b->effect[n] = effect;
	b->variance[n] = variance;
	return n + 1;
}

/* What earlier results add to the variance of their own. Where they are wrong they are so together: the more they miss
 * by, the less many of them weigh. */
static double doubt(const struct opinion *o)
{
	double missed = (DOUBT * DOUBT_COUNT + o->missed) / (DOUBT_COUNT + o->judged);
	return missed * fmax(missed / DOUBT, 1);
}

static int append_known(struct belief *b, const struct opinion *o, int n, double more)
{
	for (int i = 0; i < b->known && n < ARCHIVE_MOST; i++) {
		double effect = b->known_effects[i][o->link.metric];
		double variance = link_variance(&o->link, link_value(&o->link, effect)) + more;
		n = append(b, n, b->known_x + (size_t)i * groups_of(b), effect, variance);
	}
	return n;
}

static int append_own(struct belief *b, const struct opinion *o, const struct archive *a)
{
	int n = 0;
	for (int i = 0; i < a->count; i++) {
		double value = a->metrics[i][o->link.metric];
		if (isfinite(value))
			n = append(b, n, a->x + (size_t)i * groups_of(b), link_effect(&o->link, value),
				link_variance(&o->link, value));
	}
	return n;
}

static enum err fit(const struct belief *b, const struct opinion *o, int n, struct surrogate **ret, struct errinfo *e)
{
	struct surrogate_data d = { .groups = (int)groups_of(b), .n = n, .x = b->x, .effect = b->effect,
		.variance = b->variance, .censored = link_censored(&o->link) };
	return surrogate_fit(&d, ret, e);
}

enum err belief_learn(struct belief *b, const struct archive *a, struct errinfo *e)
{
	enum err err = ERR_OK;
	for (int m = 0; m < METRIC_COUNT && !err; m++) {
		struct opinion *o = &b->opinions[m];
		if (!o->held)
			continue;
		int n = append_own(b, o, a);
		if (!a->thinned)
			n = append_known(b, o, n, doubt(o));
		surrogate_free(o->now);
		o->now = NULL;
		err = fit(b, o, n, &o->now, e);
	}
	return err;
}

/* ---- opening ---- */

static void hold(struct belief *b, enum metric m)
{
	const struct problem *p = b->problem;
	struct opinion *o = &b->opinions[m];
	o->link = (struct link){ m, p->baseline[m], p->space->chance };
	o->held = link_applies(m) && isfinite(p->baseline[m]);
}

enum err belief_open(const struct problem *p, struct belief **ret, struct errinfo *e)
{
	struct belief *b = calloc(1, sizeof *b);
	size_t groups = (size_t)p->space->group_count;
	if (b) {
		b->problem = p;
		b->x = calloc(ARCHIVE_MOST * (groups + 2), sizeof *b->x);
	}
	if (!b || !b->x) {
		belief_close(b);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	b->effect = b->x + ARCHIVE_MOST * groups;
	b->variance = b->effect + ARCHIVE_MOST;
	for (int i = 0; i < p->objective_count; i++)
		hold(b, p->objectives[i]);
	for (int i = 0; i < p->constraint_count; i++)
		hold(b, p->constraints[i].metric);
	enum err err = take_known(b, e);
	if (err)
		belief_close(b);
	else
		*ret = b;
	return err;
}

void belief_close(struct belief *b)
{
	if (!b)
		return;
	for (int m = 0; m < METRIC_COUNT; m++) {
		surrogate_free(b->opinions[m].now);
	}
	free(b->known_keep);
	free(b->known_x);
	free(b->known_effects);
	free(b->x);
	free(b);
}

/* ---- judging ---- */

static void judge(struct opinion *o, double value, double known)
{
	double most = link_censored(&o->link);
	double off = fmin(link_effect(&o->link, value), most) - fmin(known, most);
	o->missed += off * off;
	o->judged++;
}

void belief_judge(struct belief *b, const struct outcome *o)
{
	int i = 0;
	while (i < b->known && memcmp(belief_known_keep(b, i), o->keep, groups_of(b) * sizeof *o->keep))
		i++;
	for (int m = 0; m < METRIC_COUNT && o->ok && i < b->known; m++)
		if (b->opinions[m].held && isfinite(o->metrics[m]))
			judge(&b->opinions[m], o->metrics[m], b->known_effects[i][m]);
}

/* ---- asking ---- */

enum err belief_predict(const struct belief *b, const double *x, int m, struct estimate *ret, struct errinfo *e)
{
	double *mean = malloc((2 * (size_t)m + 1) * sizeof *mean);
	if (!mean)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = ERR_OK;
	for (int k = 0; k < METRIC_COUNT && !err; k++) {
		const struct surrogate *s = b->opinions[k].now;
		if (!s)
			continue;
		err = surrogate_predict(s, x, m, mean, mean + m, e);
		for (int i = 0; i < m && !err; i++) {
			ret[i].mean[k] = mean[i];
			ret[i].deviation[k] = mean[m + i];
		}
	}
	free(mean);
	return err;
}

double belief_of_group(const struct belief *b, enum metric m, int g, double x)
{
	const struct surrogate *s = b->opinions[m].now;
	return s ? surrogate_of_group(s, g, x) : NAN;
}

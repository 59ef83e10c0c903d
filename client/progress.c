/* progress.c -- how far a job is, kept from its events and told in one line.
 * SPDX-License-Identifier: MIT */
#include "client/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/format.h"
#include "client/view.h"

void progress_init(struct progress *p)
{
	*p = (struct progress){ .job = NAN, .hypervolume = NAN, .plan = { .rungs = 1, .trials = { NAN } } };
}

void progress_fini(struct progress *p)
{
	free(p->trials);
	progress_init(p);
}

void progress_job(struct progress *p, const cJSON *job)
{
	format_clean(view_text(job, "name"), p->name, sizeof p->name);
	format_clean(view_text(job, "state"), p->state, sizeof p->state);
	format_clean(view_text(job, "reason") ? view_text(job, "reason") : "", p->reason, sizeof p->reason);
	const char *end = view_text(job, "ended");
	format_clean(end && strcmp(end, "trials") ? end : "", p->early, sizeof p->early);
	p->job = view_number(job, "id");
	plan_read(job, &p->plan);
	p->hypervolume = view_number(job, "hypervolume");
}

static enum err make_room(struct progress *p, size_t number, struct errinfo *e)
{
	if (number < p->trial_count)
		return ERR_OK;
	size_t count = 2 * number + 16;
	struct progress_trial *grown = reallocarray(p->trials, count, sizeof *grown);
	if (!grown)
		return err_set(e, ERR_MEMORY, "out of memory");
	memset(grown + p->trial_count, 0, (count - p->trial_count) * sizeof *grown);
	p->trials = grown;
	p->trial_count = count;
	return ERR_OK;
}

/* A trial's end comes a moment before the start of the next one: counted at that moment, time left would jump. */
static void count_running(struct progress *p, int change)
{
	if (change < 0 || p->running + change > p->parallel)
		p->parallel = p->running + (change > 0);
	p->running += change;
}

enum err progress_trial(struct progress *p, const cJSON *trial, bool *ret_ended, struct errinfo *e)
{
	double number = view_number(trial, "number");
	const char *state = view_text(trial, "state");
	if (!(number >= 0 && number < PROGRESS_MAX_TRIALS && number == floor(number)) || !state)
		return err_set(e, ERR_INTERNAL, "the daemon sent a trial without a number or a state");
	if (make_room(p, (size_t)number, e))
		return e->code;
	struct progress_trial *t = &p->trials[(size_t)number];
	bool ended_before = t->ended, ran_before = t->running;
	double started = view_number(trial, "started"), finished = view_number(trial, "finished");
	t->running = !strcmp(state, "running");
	t->complete = !strcmp(state, "complete");
	t->ended = t->complete || !strcmp(state, "failed") || !strcmp(state, "cancelled");
	double rung = view_number(trial, "rung");
	t->rung = rung > 0 && rung < PLAN_RUNGS ? (int)rung : 0;
	t->accuracy = view_number(trial, "metrics.accuracy");
	t->params = view_number(trial, "metrics.params");
	bool known_before = view_text(trial, "source") != NULL;
	t->seconds = t->ended && started > 0 && finished > started && !known_before ? (finished - started) / 1000 : NAN;
	if (number > 0)
		count_running(p, t->running - ran_before);
	*ret_ended = t->ended && !ended_before;
	return ERR_OK;
}

bool progress_done(const struct progress *p)
{
	return !strcmp(p->state, "done");
}

bool progress_over(const struct progress *p)
{
	return progress_done(p) || !strcmp(p->state, "failed") || !strcmp(p->state, "cancelled");
}

static int ended(const struct progress *p)
{
	int n = 0;
	for (size_t i = 1; i < p->trial_count; i++)
		n += p->trials[i].ended;
	return n;
}

/* Seconds that one worker needs for the trials to come at a rung. The baseline is left out: it does other work than the
 * rest. */
static double left_at(const struct progress *p, int rung)
{
	double seconds = 0, remaining = p->plan.trials[rung];
	int timed = 0;
	for (size_t i = 1; i < p->trial_count; i++) {
		const struct progress_trial *t = &p->trials[i];
		if (!t->ended || t->rung != rung)
			continue;
		remaining--;
		if (isfinite(t->seconds)) {
			seconds += t->seconds;
			timed++;
		}
	}
	if (remaining <= 0 && rung > 0)
		return 0;
	return timed && remaining >= 0 ? remaining * seconds / timed : NAN;
}

double progress_left(const struct progress *p)
{
	double seconds = 0;
	if (strcmp(p->state, "searching") || *p->early)
		return NAN;
	for (int r = 0; r < p->plan.rungs; r++)
		seconds += left_at(p, r);
	return seconds / (p->parallel ? p->parallel : 1);
}

static const struct progress_trial *best(const struct progress *p)
{
	const struct progress_trial *b = NULL;
	for (size_t i = 1; i < p->trial_count; i++)
		if (p->trials[i].complete && p->trials[i].rung == p->plan.rungs - 1 &&
			isfinite(p->trials[i].accuracy) && (!b || p->trials[i].accuracy > b->accuracy))
			b = &p->trials[i];
	return b;
}

enum part { PART_NAME = 1, PART_TRIALS = 2, PART_BEST = 4, PART_SIZE = 8, PART_VOLUME = 16, PART_LEFT = 32 };

/* Text behind what buf holds, two blanks between. */
static void append(char buf[PROGRESS_LINE], const char *text)
{
	size_t used = strlen(buf);
	snprintf(buf + used, PROGRESS_LINE - used, "%s%s", used ? "  " : "", text);
}

static void append_best(const struct progress *p, unsigned parts, char buf[PROGRESS_LINE])
{
	char text[128], accuracy[FORMAT_MAX], params[FORMAT_MAX];
	const struct progress_trial *b = best(p);
	if (!b)
		return;
	format_fraction(b->accuracy, accuracy);
	format_count(b->params, params);
	snprintf(text, sizeof text, parts & PART_SIZE ? "best %s (%s params)" : "best %s", accuracy, params);
	append(buf, text);
}

static void compose(const struct progress *p, unsigned parts, char buf[PROGRESS_LINE])
{
	char text[256], number[FORMAT_MAX];
	buf[0] = '\0';
	snprintf(text, sizeof text, parts & PART_NAME ? "job %.0f %s" : "job %.0f", p->job, p->name);
	append(buf, text);
	append(buf, p->state);
	if ((parts & PART_TRIALS) && *p->early) {
		snprintf(text, sizeof text, "%d trials, ended by %s", ended(p), p->early);
		append(buf, text);
	} else if ((parts & PART_TRIALS) && isfinite(plan_total(&p->plan))) {
		snprintf(text, sizeof text, "%d/%.0f trials", ended(p), plan_total(&p->plan));
		append(buf, text);
	}
	if (parts & PART_BEST)
		append_best(p, parts, buf);
	if ((parts & PART_VOLUME) && isfinite(p->hypervolume)) {
		snprintf(text, sizeof text, "hypervolume %.3f", p->hypervolume);
		append(buf, text);
	}
	if ((parts & PART_LEFT) && isfinite(progress_left(p))) {
		snprintf(text, sizeof text, "%s left", format_duration(progress_left(p), number));
		append(buf, text);
	}
}

void progress_line(const struct progress *p, int columns, char buf[PROGRESS_LINE])
{
	static const unsigned tries[] = {
		PART_NAME | PART_TRIALS | PART_BEST | PART_SIZE | PART_VOLUME | PART_LEFT,
		PART_TRIALS | PART_BEST | PART_SIZE | PART_VOLUME | PART_LEFT,
		PART_TRIALS | PART_BEST | PART_SIZE | PART_LEFT,
		PART_TRIALS | PART_BEST | PART_LEFT,
		PART_TRIALS | PART_LEFT,
		PART_TRIALS,
		0,
	};
	for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
		compose(p, tries[i], buf);
		if (format_width(buf) <= columns)
			return;
	}
	buf[format_fit(buf, columns)] = '\0';
}

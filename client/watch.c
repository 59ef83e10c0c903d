/* watch.c -- pare watch: a job's events, until it ends.
 * SPDX-License-Identifier: MIT
 *
 *   following --(stream breaks)--> lost --(an event arrives)--> following
 *       |                            `--(60 s)--> given up
 *       `--(done, failed, cancelled)--> over          Ctrl-C: left, in any state; the job goes on
 *
 * Events tell changes only, so the trials are listed anew at the start of every stream: whatever happened between two
 * streams is seen. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/json.h"
#include "client/args.h"
#include "client/client.h"
#include "client/format.h"
#include "client/progress.h"
#include "client/view.h"

enum { PATIENCE_S = 60, FIRST_DELAY_MS = 250, LONGEST_DELAY_MS = 8000 };

struct watch {
	struct client *c;
	struct http *calls; /* for questions while the stream is open */
	int64_t job;
	struct progress progress;
	bool live;          /* one line, drawn again and again */
	char drawn[PROGRESS_LINE]; /* what stands on the terminal */
	bool fresh;         /* nothing came on this stream yet */
	bool stale;         /* the hypervolume may have changed */
	int64_t lost_since; /* ns; 0: not lost */
	int delay_ms;
	enum err err; /* of a callback; it has a message of its own, for http_events overwrites that of its caller */
	struct errinfo inner;
	struct errinfo *e;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

static int columns(void)
{
	struct winsize size;
	return !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col > 1 ? size.ws_col : 80;
}

/* Blanks instead of an erase sequence: any terminal understands them. */
static void draw(struct watch *w, const char *text)
{
	char line[PROGRESS_LINE];
	int width = columns() - 1;
	int old = format_width(w->drawn) < width ? format_width(w->drawn) : width;
	if (!w->live)
		return;
	snprintf(line, sizeof line, "%s", text);
	line[format_fit(line, width)] = '\0';
	if (!strcmp(line, w->drawn))
		return;
	int rest = old - format_width(line);
	fprintf(w->c->out, "\r%s%*s", line, rest > 0 ? rest : 0, "");
	fflush(w->c->out);
	strcpy(w->drawn, line);
}

static void redraw(struct watch *w)
{
	char line[PROGRESS_LINE];
	progress_line(&w->progress, columns() - 1, line);
	draw(w, line);
}

static void clear(struct watch *w)
{
	draw(w, "");
	if (w->live)
		fputc('\r', w->c->out);
}

static enum err print_event(struct watch *w, const char *event, const cJSON *data)
{
	char *text = cJSON_PrintUnformatted(data);
	if (!text)
		return err_set(&w->inner, ERR_MEMORY, "out of memory");
	fprintf(w->c->out, "{\"event\":\"%s\",\"data\":%s}\n", event, text);
	fflush(w->c->out);
	cJSON_free(text);
	return ERR_OK;
}

/* told: the event itself has been printed as JSON. */
static enum err take_trial(struct watch *w, const cJSON *trial, bool told)
{
	bool ended;
	if (progress_trial(&w->progress, trial, &ended, &w->inner))
		return w->inner.code;
	if (!ended)
		return ERR_OK;
	w->stale = true;
	if (w->c->args->json)
		return told ? ERR_OK : print_event(w, "trial", trial);
	if (!w->live) {
		view_trial_line(trial, w->c->out);
		fflush(w->c->out);
	}
	return ERR_OK;
}

static enum err ask(struct watch *w, const char *behind, cJSON **ret, struct errinfo *e)
{
	char path[64];
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64 "%s", w->job, behind);
	return http_call(w->calls, "GET", path, NULL, PATIENCE_S, ret, e);
}

static enum err list_trials(struct watch *w)
{
	cJSON *answer = NULL;
	const cJSON *trial;
	enum err err = ask(w, "/trials", &answer, &w->inner);
	cJSON_ArrayForEach(trial, view_member(answer, "trials")) {
		if (err)
			break;
		err = take_trial(w, trial, false);
	}
	cJSON_Delete(answer);
	return err;
}

static enum err take_event(struct watch *w, const char *event, const cJSON *data)
{
	bool is_job = !strcmp(event, "job"), is_trial = !strcmp(event, "trial");
	w->lost_since = 0;
	w->delay_ms = FIRST_DELAY_MS;
	if (!is_job && !is_trial)
		return ERR_OK; /* of a newer daemon */
	if (w->c->args->json && print_event(w, event, data))
		return w->inner.code;
	if (is_job)
		progress_job(&w->progress, data);
	if (w->fresh) {
		w->fresh = false;
		if (list_trials(w))
			return w->inner.code;
	}
	return is_trial ? take_trial(w, data, true) : ERR_OK;
}

static bool on_event(const char *event, const char *text, void *arg)
{
	struct watch *w = arg;
	cJSON *data = NULL;
	if (json_parse("an event", text, strlen(text), &data, &w->inner))
		w->err = w->inner.code = ERR_INTERNAL; /* the daemon's fault, not that of whoever typed the command */
	else
		w->err = take_event(w, event, data);
	cJSON_Delete(data);
	redraw(w);
	return !w->err && !interrupted && !progress_over(&w->progress);
}

/* About once a second. */
static bool on_tick(void *arg)
{
	struct watch *w = arg;
	cJSON *job = NULL;
	if (w->live && w->stale && !w->err && !(w->err = ask(w, "", &job, &w->inner))) {
		w->stale = false;
		w->progress.hypervolume = view_number(job, "hypervolume");
	}
	cJSON_Delete(job);
	if (!w->fresh)
		redraw(w);
	return !w->err && !interrupted;
}

/* The stream broke. Waits before the next try, or gives up with the last failure. */
static enum err wait_for_daemon(struct watch *w)
{
	int64_t now = clock_ns();
	if (!w->lost_since) {
		w->lost_since = now;
		draw(w, "lost the daemon, trying again ...");
		if (!w->live)
			client_note(w->c, "lost the daemon, trying again for %d s", PATIENCE_S);
	}
	if (now - w->lost_since > (int64_t)PATIENCE_S * 1000000000)
		return err_set(w->e, ERR_UNAVAILABLE, "the daemon has not come back for %d s", PATIENCE_S);
	struct timespec delay = { w->delay_ms / 1000, w->delay_ms % 1000 * 1000000L };
	nanosleep(&delay, NULL);
	w->delay_ms = w->delay_ms * 2 < LONGEST_DELAY_MS ? w->delay_ms * 2 : LONGEST_DELAY_MS;
	return ERR_OK;
}

static enum err follow(struct watch *w)
{
	char path[64];
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64 "/events", w->job);
	while (!interrupted && !progress_over(&w->progress)) {
		w->fresh = true;
		w->err = ERR_OK;
		enum err err = http_events(w->c->http, path, on_event, on_tick, w, w->e);
		if (w->err) {
			err = w->err;
			*w->e = w->inner;
		}
		if (err && err != ERR_UNAVAILABLE)
			return err;
		if (!interrupted && !progress_over(&w->progress) && wait_for_daemon(w))
			return w->e->code;
	}
	return ERR_OK;
}

static enum err conclude(struct watch *w)
{
	const struct progress *p = &w->progress;
	if (!progress_over(p)) {
		client_note(w->c, "job %" PRId64 " goes on; 'pare watch %" PRId64 "' follows it again", w->job, w->job);
		w->c->code = CODE_INTERRUPTED;
		return ERR_OK;
	}
	if (!progress_done(p)) {
		client_note(w->c, "job %" PRId64 " %s%s%s", w->job,
			strcmp(p->state, "failed") ? "was cancelled" : "failed", *p->reason ? ": " : "", p->reason);
		w->c->code = CODE_JOB_FAILED;
	} else if (*p->reason) {
		client_note(w->c, "job %" PRId64 " is done: %s", w->job, p->reason);
	}
	return w->c->args->json ? ERR_OK : pareto_show(w->c, w->job, w->e);
}

/* The first question goes unrepeated: a daemon that is not there, or a job that it doesn't know, is told at once. */
static enum err begin(struct watch *w)
{
	cJSON *job;
	char path[64];
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64, w->job);
	if (client_connect(w->c, &w->calls, w->e) || client_get(w->c, path, &job, w->e))
		return w->e->code;
	progress_job(&w->progress, job);
	w->progress.state[0] = '\0'; /* even when it is over, its events are read once, for the trials */
	cJSON_Delete(job);
	return ERR_OK;
}

enum err watch_job(struct client *c, int64_t job, struct errinfo *e)
{
	struct watch w = {
		.c = c, .job = job, .live = c->terminal && !c->args->json, .delay_ms = FIRST_DELAY_MS, .e = e
	};
	struct sigaction act = { .sa_handler = on_interrupt }, before;
	progress_init(&w.progress);
	enum err err = begin(&w);
	if (!err) {
		interrupted = 0;
		sigaction(SIGINT, &act, &before);
		err = follow(&w);
		sigaction(SIGINT, &before, NULL);
		clear(&w);
	}
	if (!err)
		err = conclude(&w);
	http_close(w.calls);
	progress_fini(&w.progress);
	return err;
}

enum err watch_run(struct client *c, struct errinfo *e)
{
	int64_t job;
	return client_job(c, &job, e) ? e->code : watch_job(c, job, e);
}

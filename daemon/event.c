/* event.c -- server-sent events.
 * SPDX-License-Identifier: MIT
 *
 * A watcher belongs to the response of its connection, and is freed with it. Between two notes its connection is
 * suspended: libmicrohttpd would otherwise call the reader in circles. A note is shared by all watchers of a job. */
#include "daemon/event.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/server.h"
#include "daemon/text.h"
#include "daemon/view.h"
#include "store/job.h"
#include "store/trial.h"

enum { QUEUE = 1024, KEEP_ALIVE_MS = 15000, BLOCK = 4096 };

struct note {
	int refs;
	size_t len;
	char *text;
};

struct watcher {
	struct watcher *next;
	struct feed *feed;
	struct MHD_Connection *connection;
	int64_t job;
	struct note *queue[QUEUE]; /* a ring of count notes from first on; the first is sent up to offset */
	unsigned first, count;
	size_t offset;
	bool suspended;
	bool last;    /* the stream ends with what is queued */
	bool dropped; /* read too slowly */
};

struct mark {
	int64_t job, number; /* -1: the job itself */
};

struct feed {
	struct watcher *watchers;
	struct mark *marks;
	size_t mark_count, mark_capacity;
	uv_timer_t beat;
};

static void note_drop(struct note *n)
{
	if (--n->refs)
		return;
	free(n->text);
	free(n);
}

/* Takes over the text. */
static enum err note_new(struct text *t, struct note **ret, struct errinfo *e)
{
	struct note *n = calloc(1, sizeof *n);
	if (!n) {
		text_fini(t);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	n->refs = 1;
	enum err err = text_take(t, &n->text, &n->len, e);
	if (err)
		free(n);
	else
		*ret = n;
	return err;
}

static void watcher_clear(struct watcher *w)
{
	for (; w->count; w->count--) {
		note_drop(w->queue[w->first]);
		w->first = (w->first + 1) % QUEUE;
	}
	w->offset = 0;
}

static void watcher_push(struct watcher *w, struct note *n)
{
	if (w->dropped || w->last)
		return;
	if (w->count == QUEUE) {
		log_warning("a watcher of job %lld reads too slowly and is dropped", (long long)w->job);
		watcher_clear(w);
		w->dropped = true;
		return;
	}
	w->queue[(w->first + w->count++) % QUEUE] = n;
	n->refs++;
}

static void watcher_free(void *arg)
{
	struct watcher *w = arg, **at = &w->feed->watchers;
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	watcher_clear(w);
	free(w);
}

static ssize_t watcher_read(void *arg, uint64_t pos, char *buf, size_t max)
{
	struct watcher *w = arg;
	size_t used = 0;
	(void)pos;
	while (w->count && used < max) {
		struct note *n = w->queue[w->first];
		size_t part = n->len - w->offset < max - used ? n->len - w->offset : max - used;
		memcpy(buf + used, n->text + w->offset, part);
		used += part;
		w->offset += part;
		if (w->offset < n->len)
			break;
		note_drop(n);
		w->offset = 0;
		w->first = (w->first + 1) % QUEUE;
		w->count--;
	}
	if (used)
		return (ssize_t)used;
	if (w->dropped)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (w->last)
		return MHD_CONTENT_READER_END_OF_STREAM;
	w->suspended = true;
	MHD_suspend_connection(w->connection);
	return 0;
}

void feed_wake(struct daemon *d)
{
	for (struct watcher *w = d->feed->watchers; w; w = w->next) {
		if (!w->suspended || (!w->count && !w->last && !w->dropped))
			continue;
		w->suspended = false;
		MHD_resume_connection(w->connection);
		server_kick(d->server);
	}
}

static void on_beat(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	struct errinfo e;
	struct note *n;
	struct text t;
	text_init(&t);
	text_raw(&t, ": keep-alive\n\n", 14);
	if (note_new(&t, &n, &e))
		return;
	for (struct watcher *w = d->feed->watchers; w; w = w->next)
		if (w->suspended)
			watcher_push(w, n);
	note_drop(n);
	feed_wake(d);
}

enum err feed_new(struct daemon *d, struct feed **ret, struct errinfo *e)
{
	struct feed *f = calloc(1, sizeof *f);
	if (!f)
		return err_set(e, ERR_MEMORY, "out of memory");
	uv_timer_init(&d->loop, &f->beat);
	f->beat.data = d;
	uv_timer_start(&f->beat, on_beat, KEEP_ALIVE_MS, KEEP_ALIVE_MS);
	*ret = f;
	return ERR_OK;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	free(f->marks);
	free(f);
}

void feed_stop(struct daemon *d)
{
	for (struct watcher *w = d->feed->watchers; w; w = w->next)
		w->last = true;
	feed_wake(d);
	if (!uv_is_closing((uv_handle_t *)&d->feed->beat))
		uv_close((uv_handle_t *)&d->feed->beat, NULL);
}

/* ---- marks --------------------------------------------------------------------------------------------------------
 */

static bool watched(const struct feed *f, int64_t job)
{
	for (const struct watcher *w = f->watchers; w; w = w->next)
		if (w->job == job)
			return true;
	return false;
}

static enum err mark(struct feed *f, int64_t job, int64_t number, struct errinfo *e)
{
	if (!watched(f, job))
		return ERR_OK;
	for (size_t i = 0; i < f->mark_count; i++)
		if (f->marks[i].job == job && f->marks[i].number == number)
			return ERR_OK;
	if (f->mark_count == f->mark_capacity) {
		size_t capacity = 2 * f->mark_capacity + 32;
		struct mark *grown = realloc(f->marks, capacity * sizeof *grown);
		if (!grown)
			return err_set(e, ERR_MEMORY, "out of memory");
		f->marks = grown;
		f->mark_capacity = capacity;
	}
	f->marks[f->mark_count++] = (struct mark){ job, number };
	return ERR_OK;
}

enum err event_job(struct daemon *d, int64_t job, struct errinfo *e)
{
	return mark(d->feed, job, -1, e);
}

enum err event_trial(struct daemon *d, int64_t job, int64_t number, struct errinfo *e)
{
	return mark(d->feed, job, number, e);
}

static enum err render_job(struct daemon *d, int64_t job, struct note **ret, bool *ret_over, struct errinfo *e)
{
	struct text t;
	enum job_state state = JOB_DONE;
	text_init(&t);
	text_raw(&t, "event: job\ndata: ", 17);
	enum err err = view_job(d, job, &t, &state, e);
	if (err) {
		text_fini(&t);
		return err;
	}
	text_raw(&t, "\n\n", 2);
	*ret_over = state == JOB_DONE || state == JOB_FAILED || state == JOB_CANCELLED;
	return note_new(&t, ret, e);
}

static enum err render_trial(struct daemon *d, const struct mark *m, struct note **ret, struct errinfo *e)
{
	struct text t;
	struct trial_row r;
	enum err err = trial_load(d->store, m->job, m->number, &r, e);
	if (err)
		return err;
	text_init(&t);
	text_raw(&t, "event: trial\ndata: ", 19);
	view_trial(&r, &t);
	text_raw(&t, "\n\n", 2);
	trial_row_fini(&r);
	return note_new(&t, ret, e);
}

static enum err publish(struct daemon *d, const struct mark *m, struct errinfo *e)
{
	struct note *n;
	bool over = false;
	enum err err = m->number < 0 ? render_job(d, m->job, &n, &over, e) : render_trial(d, m, &n, e);
	if (err)
		return err;
	for (struct watcher *w = d->feed->watchers; w; w = w->next) {
		if (w->job != m->job)
			continue;
		watcher_push(w, n);
		w->last = w->last || over;
	}
	note_drop(n);
	return ERR_OK;
}

/* Trials first: the job's event may be the last one. */
enum err feed_publish(struct daemon *d, struct errinfo *e)
{
	struct feed *f = d->feed;
	for (int jobs = 0; jobs < 2; jobs++)
		for (size_t i = 0; i < f->mark_count; i++) {
			enum err err = (f->marks[i].number < 0) == jobs ? publish(d, &f->marks[i], e) : ERR_OK;
			if (err)
				return err;
		}
	f->mark_count = 0;
	return ERR_OK;
}

enum err feed_watch(struct exchange *r, int64_t job, struct errinfo *e)
{
	struct daemon *d = r->daemon;
	struct note *first;
	bool over;
	enum err err = render_job(d, job, &first, &over, e);
	if (err)
		return err;
	struct watcher *w = calloc(1, sizeof *w);
	if (!w) {
		note_drop(first);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*w = (struct watcher){ .next = d->feed->watchers, .feed = d->feed, .connection = r->connection, .job = job };
	d->feed->watchers = w;
	watcher_push(w, first);
	note_drop(first);
	w->last = over;
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, watcher_read, w,
		watcher_free);
	if (!response) {
		watcher_free(w);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	MHD_add_response_header(response, "Cache-Control", "no-store");
	exchange_answer(r, 200, "text/event-stream", response);
	return ERR_OK;
}

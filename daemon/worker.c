/* worker.c -- workers seen.
 * SPDX-License-Identifier: MIT */
#include "daemon/worker.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/pool.h"

enum { MOST_WORKERS = 1024, GONE_MS = 90000 }; /* a long poll lasts 60 s at most */

bool worker_name_valid(const char *name)
{
	size_t len = strlen(name);
	return len >= 1 && len <= 64 && strspn(name,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == len;
}

struct worker *worker_find(const struct daemon *d, const char *name)
{
	struct worker *w = d->workers;
	while (w && strcmp(w->name, name))
		w = w->next;
	return w;
}

static void forget_oldest(struct daemon *d)
{
	struct worker **oldest = NULL;
	size_t count = 0;
	for (struct worker **at = &d->workers; *at; at = &(*at)->next, count++)
		if (!(*at)->supervised && (!oldest || (*at)->seen < (*oldest)->seen))
			oldest = at;
	if (count < MOST_WORKERS || !oldest)
		return;
	struct worker *w = *oldest;
	*oldest = w->next;
	free(w);
}

enum err worker_named(struct daemon *d, const char *name, bool supervised, struct worker **ret, struct errinfo *e)
{
	struct worker *w = worker_find(d, name);
	if (!w) {
		forget_oldest(d);
		w = calloc(1, sizeof *w);
		if (!w)
			return err_set(e, ERR_MEMORY, "out of memory");
		memcpy(w->name, name, strlen(name) + 1);
		struct worker **end = &d->workers;
		while (*end)
			end = &(*end)->next;
		*end = w;
	}
	w->supervised = supervised;
	*ret = w;
	return ERR_OK;
}

const char *worker_state(struct daemon *d, const struct worker *w)
{
	bool running = !w->supervised || pool_pid(d->pool, w->name);
	if (hold_of_worker(d, w->name))
		return "busy";
	if (!running)
		return "backing-off";
	if (w->supervised && w->seen < pool_started(d->pool, w->name))
		return "starting";
	return w->supervised || clock_wall_ms() - w->seen < GONE_MS ? "idle" : "gone";
}

void worker_forget_all(struct daemon *d)
{
	while (d->workers) {
		struct worker *w = d->workers;
		d->workers = w->next;
		free(w);
	}
}

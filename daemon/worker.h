/* worker.h -- workers seen: what is known of each by its name, supervised or not.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct daemon;

struct worker {
	struct worker *next;
	char name[65];
	bool supervised;
	int64_t seen; /* ms, 0: never yet */
	int64_t completed, failed, restarts;
};

/* 1 to 64 letters, digits, dots, underscores and hyphens. */
bool worker_name_valid(const char *name);

/* The worker of that name, made when it is new. When too many are known, the one unseen for longest is forgotten,
 * unless it is supervised. */
enum err worker_named(struct daemon *d, const char *name, bool supervised, struct worker **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* NULL: unknown. */
struct worker *worker_find(const struct daemon *d, const char *name);

/* busy, idle, starting, backing-off or gone. */
const char *worker_state(struct daemon *d, const struct worker *w);

void worker_forget_all(struct daemon *d);

#endif

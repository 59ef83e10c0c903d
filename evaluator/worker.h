/* worker.h -- a loop over leases: take one, evaluate it, report.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_WORKER_H
#define EVALUATOR_WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct worker_options {
	const char *url, *token; /* as http_open */
	const char *name;        /* 1 to 64 letters, digits, '.', '_' and '-'; unique among the daemon's workers */
	const char *cache;       /* directory for blobs; may be shared by workers */
	uint64_t cache_bytes;
	pid_t supervisor;        /* this process has to die with that one, its parent; 0: nobody's */
	bool once;               /* end after one lease */
	char *const *restart;    /* argv to begin anew with after a trial passed a limit; NULL: exit with status 3 */
};

enum { WORKER_EXIT_LIMIT = 3 };

/* Works until SIGTERM or SIGINT (whose handlers it sets), until the supervisor is gone, or until an error that
 * waiting doesn't mend: a wrong address, a wrong token, an unusable cache. */
enum err worker_run(const struct worker_options *o, struct errinfo *e) __attribute__((warn_unused_result));

#endif

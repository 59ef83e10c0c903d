/* progress.h -- how far a job is, kept from its events and told in one line.
 * SPDX-License-Identifier: MIT
 *
 * No socket, no clock, no terminal: documents in, a text out. */
#ifndef CLIENT_PROGRESS_H
#define CLIENT_PROGRESS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "client/plan.h"

enum { PROGRESS_MAX_TRIALS = 1000001, PROGRESS_LINE = 512 };

struct progress_trial {
	bool running, ended, complete;
	int rung;
	double accuracy, params;
	double seconds; /* that it took; NaN when it took none, its result being known already */
};

struct progress {
	char name[128], state[32], reason[256];
	char early[32]; /* why it proposes no more before its budget is used up; "": it does, or did not stop early */
	double job, hypervolume;         /* NaN: unknown */
	struct plan plan;
	struct progress_trial *trials;   /* by number, 0 is the baseline */
	size_t trial_count;
	int running, parallel; /* trials now; and before the last one ended, whose worker has got another by now */
};

void progress_init(struct progress *p);
void progress_fini(struct progress *p);

void progress_job(struct progress *p, const cJSON *job);

/* *ret_ended: it has ended, and was not known to have. */
enum err progress_trial(struct progress *p, const cJSON *trial, bool *ret_ended, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The job is done, failed or cancelled; it went well only when done. */
bool progress_over(const struct progress *p);
bool progress_done(const struct progress *p);

/* Seconds until all planned trials are done, if those of each rung go on taking their mean time, as many at once as
 * lately; NaN while a rung with trials to come has nothing to go by. */
double progress_left(const struct progress *p);

/* At most `columns` wide: what matters least is left out first. */
void progress_line(const struct progress *p, int columns, char buf[PROGRESS_LINE]);

#endif

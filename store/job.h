/* job.h -- rows of compression requests.
 * SPDX-License-Identifier: MIT */
#ifndef STORE_JOB_H
#define STORE_JOB_H

#include <stdint.h>

#include "store/store.h"

enum job_state {
	JOB_QUEUED,
	JOB_PREPARING, /* the baseline is being evaluated */
	JOB_SEARCHING,
	JOB_FINISHING, /* the test set is scored for the Pareto set */
	JOB_DONE,
	JOB_FAILED,
	JOB_CANCELLED,
	JOB_PAUSED,
};
const char *job_state_name(enum job_state s);

/* Why a job's search proposes no more. */
enum job_ended {
	JOB_NOT_ENDED,
	JOB_ENDED_TRIALS,   /* the budget's trials are proposed */
	JOB_ENDED_SECONDS,  /* or its time is up */
	JOB_ENDED_STALL,    /* or its results stopped to bring a gain */
	JOB_ENDED_STRATEGY, /* the strategy has nothing more to propose */
	JOB_ENDED_FINISH,   /* somebody said so */
};
const char *job_ended_name(enum job_ended x); /* NULL: it has not */

struct job_row {
	int64_t id;
	enum job_state state, resume; /* resume: the state to go back to when paused */
	char *name, *spec;            /* spec: the job document, JSON text */
	char *inventory;              /* NULL until the baseline has reported */
	char *reason;                 /* NULL unless failed */
	int64_t budget;
	char *plan; /* trials at each rung, JSON text; NULL: the budget's, at the only one */
	int64_t created, started, finished; /* ms, 0: not yet */
	double hypervolume;                 /* NaN: not yet */
	enum job_ended ended;
	int64_t searched; /* ms that it proposed, pauses and the daemon's absence not counted */
};
void job_row_fini(struct job_row *r);

/* Adds a queued job; *ret_id is assigned at once. */
enum err job_insert(struct store *s, const char *name, const char *spec, int64_t budget, const char *plan, int64_t now,
	int64_t *ret_id, struct errinfo *e) __attribute__((warn_unused_result));
enum err job_load(struct store *s, int64_t id, struct job_row *ret, struct errinfo *e)
	__attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
/* state, resume, reason, started, finished, inventory, hypervolume, ended and searched of r are written. */
enum err job_update(struct store *s, const struct job_row *r, struct errinfo *e) __attribute__((warn_unused_result));

/* Calls back for each job, newest first; only_live: those that are not done, failed or cancelled, oldest first. Rows
 * are lent for the call. A callback's error ends the walk and is returned. */
typedef enum err job_row_cb(const struct job_row *r, void *arg, struct errinfo *e);
enum err job_each(struct store *s, bool only_live, job_row_cb *cb, void *arg, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

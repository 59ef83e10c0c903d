/* job.h -- live jobs: one compression request each, from its submission to its end.
 * SPDX-License-Identifier: MIT
 *
 * A live job is kept in memory beside its row; both change together within one transaction. What is over lives in the
 * store only. */
#ifndef DAEMON_JOB_H
#define DAEMON_JOB_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "search/strategy.h"
#include "store/job.h"
#include "store/lease.h"
#include "store/trial.h"

struct daemon;
struct front;
struct prior;
struct spec;
struct space;
struct table;

/* Work on a trial that is not over: its evaluation, or in the end the score of its test set. */
struct flight {
	struct flight *next; /* by number */
	int64_t number;
	enum lease_kind kind;
	int rung;
	char digest[DIGEST_HEX + 1];
	int64_t lease;  /* that is out for it, 0: none */
	int64_t leader; /* number of the identical trial whose result this one takes over, -1: it runs itself */
	int attempts;   /* how often it was handed out, releases not counted */
	int *keep;      /* the candidate, NULL for the baseline and the test */
};

struct job {
	struct job *next;
	struct daemon *daemon;
	struct job_row row;
	struct spec *spec;
	struct flight *flights;

	/* From the baseline's report on. */
	char model[DIGEST_HEX + 1]; /* what is pruned: the submitted one, or what was trained of it before */
	struct space *space;
	struct prior *prior; /* what earlier jobs learned, NULL: nothing */
	struct problem problem;
	struct table *table;
	struct front *front;
	struct trial_metrics baseline;

	int64_t counts[TRIAL_STATE_COUNT];
	double best;  /* accuracy of the best complete pruned trial of the last rung, NaN: none */
	bool stirred; /* something happened that may let it go on */
	bool changed; /* its row must be written */
	int64_t counted_ns;  /* up to when row.searched counts, 0: it does not run */
	int64_t saved;       /* row.searched as it is written */
	bool moved;   /* its front has changed, and the hypervolume with it */
};

enum { JOB_ATTEMPTS = 3 };

/* Takes over the document. The job and its baseline's trial are written; *ret is live. */
enum err job_submit(struct daemon *d, cJSON *doc, struct job **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

struct job *job_find(const struct daemon *d, int64_t id); /* NULL: not live */

/* The job, which something is to be done to ("cancel"): ERR_CONFLICT when it is over. */
enum err job_require(struct daemon *d, int64_t id, const char *verb, struct job **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* ERR_CONFLICT when the state forbids it. */
enum err job_cancel(struct job *j, struct errinfo *e) __attribute__((warn_unused_result));
enum err job_pause(struct job *j, struct errinfo *e) __attribute__((warn_unused_result));
enum err job_resume(struct job *j, struct errinfo *e) __attribute__((warn_unused_result));

/* The search proposes no more; what is under way is completed. The first reason counts. For a person it is ERR_CONFLICT
 * unless the job is searching, or paused in it. */
enum err job_end_search(struct job *j, enum job_ended why, struct errinfo *e) __attribute__((warn_unused_result));
enum err job_finish(struct job *j, struct errinfo *e) __attribute__((warn_unused_result));

/* Brings row.searched up to now. */
void job_account(struct job *j);

/* The state it is in, or would go back to when it is paused. */
enum job_state job_phase(const struct job *j);
bool job_over(const struct job *j);

/* To another state, by the table of transitions. ERR_CONFLICT. */
enum err job_move(struct job *j, enum job_state to, struct errinfo *e) __attribute__((warn_unused_result));

/* The job fails: its leases end, its open trials are cancelled. */
enum err job_fail(struct job *j, const char *reason, struct errinfo *e) __attribute__((warn_unused_result));

/* Adds a trial; writes one whose state was `from`. Both keep the counts and tell those who watch. */
enum err job_add_trial(struct job *j, const struct trial_row *r, struct errinfo *e) __attribute__((warn_unused_result));
enum err job_put_trial(struct job *j, const struct trial_row *r, enum trial_state from, struct errinfo *e)
	__attribute__((warn_unused_result));

/* What the counts and the best say of a trial that is there already: for a restart. */
void job_count_trial(struct job *j, const struct trial_row *r);

/* Replaces a string of a row by a copy of s (NULL: by none). */
enum err job_set_text(char **member, const char *s, struct errinfo *e) __attribute__((warn_unused_result));

/* Writes changed rows; forgets the jobs that are over. */
enum err job_flush(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));
void job_forget(struct daemon *d, bool all);

/* An empty live job around a row, which it takes over (on failure too); at the end of the list. */
enum err job_adopt(struct daemon *d, struct job_row *row, struct spec *spec, struct job **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Adds a flight of that trial by number. keep (may be NULL) is copied. */
enum err flight_add(struct job *j, const struct trial_row *r, enum lease_kind kind, const int *keep,
	struct flight **ret, struct errinfo *e) __attribute__((warn_unused_result));
struct flight *flight_find(const struct job *j, int64_t number);
/* The first one with that digest, NULL: none. */
struct flight *flight_like(const struct job *j, const char *digest);
void flight_remove(struct job *j, struct flight *f);

#endif

/* trial.h -- rows of evaluated candidates; trial 0 of a job is its baseline.
 * SPDX-License-Identifier: MIT
 *
 *   waiting -> running -> complete | failed
 *      ^----------'  (lease lost)          waiting, running -> cancelled
 */
#ifndef STORE_TRIAL_H
#define STORE_TRIAL_H

#include <stdint.h>

#include "store/store.h"

enum trial_state { TRIAL_WAITING, TRIAL_RUNNING, TRIAL_COMPLETE, TRIAL_FAILED, TRIAL_CANCELLED, TRIAL_STATE_COUNT };
const char *trial_state_name(enum trial_state s);

/* NaN: not measured. */
struct trial_metrics {
	double accuracy, loss, params, macs, bytes, memory;
	double latency; /* median ratio to the baseline */
	double latency_ratio_p10, latency_ratio_p90;
	double latency_ms, latency_p10_ms, latency_p90_ms;
};

struct trial_row {
	int64_t job, number; /* the key; in text "JOB.NUMBER" */
	int rung;       /* the baseline's is the last one */
	int64_t parent; /* number of the trial at the rung below that it continues, 0: none */
	enum trial_state state;
	char *candidate; /* JSON array of ints, NULL for the baseline */
	char *requested; /* JSON object of ratios asked for, NULL: nothing in particular */
	char *achieved;  /* JSON object of ratios reached, NULL for the baseline */
	char *digest;    /* SHA-256 over all that decides the result: model, data, settings, candidate */
	char *source;    /* "JOB.NUMBER" of the trial whose result this one shares, or NULL */
	char *model;     /* digest of the pruned model, or NULL */
	char *worker, *reason;
	int attempts;
	struct trial_metrics metrics;
	double test_accuracy, test_loss; /* NaN until scored */
	bool feasible, pareto;
	int64_t created, started, finished; /* ms, 0: not yet */
};
void trial_row_init(struct trial_row *r); /* all absent: NULL, NaN, 0 */
void trial_row_fini(struct trial_row *r);

/* Adds the row as it is. */
enum err trial_insert(struct store *s, const struct trial_row *r, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Writes every column of an existing row. */
enum err trial_update(struct store *s, const struct trial_row *r, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err trial_load(struct store *s, int64_t job, int64_t number, struct trial_row *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* The oldest complete trial of any job with that digest; ERR_NOT_FOUND when there is none. */
enum err trial_find(struct store *s, const char *digest, struct trial_row *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* The oldest waiting trial of one job; ERR_NOT_FOUND. */
enum err trial_next_waiting(struct store *s, int64_t job, struct trial_row *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Sets or clears membership of the Pareto set. */
enum err trial_set_pareto(struct store *s, int64_t job, int64_t number, bool member, struct errinfo *e)
	__attribute__((warn_unused_result));
/* All waiting and running trials of a job become cancelled. */
enum err trial_cancel_open(struct store *s, int64_t job, int64_t now, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Trials of a job in each state. */
enum err trial_count(struct store *s, int64_t job, int64_t ret[TRIAL_STATE_COUNT], struct errinfo *e)
	__attribute__((warn_unused_result));
/* The highest accuracy among a job's complete pruned trials (number > 0) of the last rung, which is the baseline's; NaN
 * when there is none. */
enum err trial_best_accuracy(struct store *s, int64_t job, double *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Calls back for each trial of a job by number; only_pareto: members, best accuracy first. */
typedef enum err trial_row_cb(const struct trial_row *r, void *arg, struct errinfo *e);
enum err trial_each(struct store *s, int64_t job, bool only_pareto, trial_row_cb *cb, void *arg, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Calls back for each complete candidate of a job at a rung, by number. Of the row are filled: job, number, rung,
 * state, feasible, pareto, candidate and the metrics up to latency. */
enum err trial_each_result(struct store *s, int64_t job, int rung, trial_row_cb *cb, void *arg, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Of the `most` (from 1) with the highest numbers alone, by number as well. */
enum err trial_each_latest(struct store *s, int64_t job, int rung, int most, trial_row_cb *cb, void *arg,
	struct errinfo *e) __attribute__((warn_unused_result));
/* Of the feasible ones alone, and without their candidates. */
enum err trial_each_feasible(struct store *s, int64_t job, int rung, trial_row_cb *cb, void *arg, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

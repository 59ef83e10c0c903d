/* view.h -- the daemon's JSON as tables for people.
 * SPDX-License-Identifier: MIT
 *
 * What is missing in a document, or of another kind than docs/protocol.md says, shows as "-". */
#ifndef CLIENT_VIEW_H
#define CLIENT_VIEW_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

/* Members by path ("metrics.accuracy"): NaN, NULL, false when there is none of that kind. */
const cJSON *view_member(const cJSON *object, const char *path);
double view_number(const cJSON *object, const char *path);
const char *view_text(const cJSON *object, const char *path);
bool view_true(const cJSON *object, const char *path);

/* The trial was evaluated and misses a constraint. */
bool view_infeasible(const cJSON *trial);

enum err view_jobs(const cJSON *jobs, FILE *out, bool bold, struct errinfo *e) __attribute__((warn_unused_result));
enum err view_job(const cJSON *job, FILE *out, bool bold, struct errinfo *e) __attribute__((warn_unused_result));
enum err view_trials(const cJSON *trials, FILE *out, bool bold, struct errinfo *e) __attribute__((warn_unused_result));
/* groups: those of the trial's job, or NULL. */
enum err view_trial(const cJSON *trial, const cJSON *groups, FILE *out, bool bold, struct errinfo *e)
	__attribute__((warn_unused_result));
/* pareto: the answer of /pareto; baseline: trial 0, or NULL while there is none. */
enum err view_pareto(const cJSON *pareto, const cJSON *baseline, FILE *out, bool bold, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err view_workers(const cJSON *workers, FILE *out, bool bold, struct errinfo *e)
	__attribute__((warn_unused_result));

/* One line about a trial that has ended. */
void view_trial_line(const cJSON *trial, FILE *out);

#endif

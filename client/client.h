/* client.h -- what the commands of pare share: the connection, where to print, how to end.
 * SPDX-License-Identifier: MIT */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

struct args;
struct http;

/* Documented in docs/man/pare.1. */
enum exit_code {
	CODE_OK = 0,
	CODE_JOB_FAILED = 1,  /* the job that was watched failed or was cancelled */
	CODE_USAGE = 2,       /* the command line, the job file or a file that it names is wrong */
	CODE_NOT_FOUND = 3,   /* the daemon has no such job or trial */
	CODE_UNREACHABLE = 4,
	CODE_CONFLICT = 5,    /* the state forbids it */
	CODE_OTHER = 6,
	CODE_INTERRUPTED = 130,
};

struct client {
	const struct args *args;
	struct http *http;
	char *token;         /* NULL: none */
	FILE *out, *err;
	bool terminal;       /* out is one */
	bool bold;           /* titles may be set off */
	enum exit_code code; /* of a command that went well */
	bool unreached;      /* the command failed, for nobody listens */
};

/* Another connection to the same daemon; the caller closes it. */
enum err client_connect(const struct client *c, struct http **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* GET. The caller deletes the result, which is never NULL. */
enum err client_get(struct client *c, const char *path, cJSON **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The answer as indented JSON on c->out. */
enum err client_print_json(struct client *c, const cJSON *json, struct errinfo *e) __attribute__((warn_unused_result));

/* The job that the first operand names. */
enum err client_job(const struct client *c, int64_t *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* A line on c->err, cleaned of what could steer a terminal. */
void client_note(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The commands; each prints its result and nothing on failure. */
typedef enum err command_run(struct client *c, struct errinfo *e);
command_run submit_run, jobs_run, show_run, trials_run, pareto_run, best_run, export_run, change_run, workers_run;
command_run watch_run, explain_run;

/* Follows a job until it ends and prints its Pareto set: `pare watch`, and `pare submit --watch` with the job that it
 * made. */
enum err watch_job(struct client *c, int64_t job, struct errinfo *e) __attribute__((warn_unused_result));

/* GET of a job's Pareto set as a table for people, the baseline first. */
enum err pareto_show(struct client *c, int64_t job, struct errinfo *e) __attribute__((warn_unused_result));

#endif

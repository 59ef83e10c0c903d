/* query.c -- the commands that ask once and print: jobs, show, trials, workers; finish, cancel, pause, resume.
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/http.h"
#include "client/args.h"
#include "client/client.h"
#include "client/view.h"

typedef enum err viewer(const cJSON *list, FILE *out, bool bold, struct errinfo *e);

/* GET path, whose answer holds an array `member`. */
static enum err list(struct client *c, const char *path, const char *member, viewer *view, struct errinfo *e)
{
	cJSON *answer;
	enum err err = client_get(c, path, &answer, e);
	if (err)
		return err;
	const cJSON *array = view_member(answer, member);
	if (c->args->json)
		err = client_print_json(c, answer, e);
	else if (!cJSON_IsArray(array))
		err = err_set(e, ERR_INTERNAL, "%s: the daemon's answer has no array '%s'", path, member);
	else
		err = view(array, c->out, c->bold, e);
	cJSON_Delete(answer);
	return err;
}

enum err jobs_run(struct client *c, struct errinfo *e)
{
	return list(c, "/v1/jobs", "jobs", view_jobs, e);
}

enum err workers_run(struct client *c, struct errinfo *e)
{
	return list(c, "/v1/workers", "workers", view_workers, e);
}

enum err trials_run(struct client *c, struct errinfo *e)
{
	int64_t job;
	char path[64];
	if (client_job(c, &job, e))
		return e->code;
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64 "/trials", job);
	return list(c, path, "trials", view_trials, e);
}

static enum err show_job(struct client *c, struct errinfo *e)
{
	int64_t job;
	char path[64];
	cJSON *answer;
	if (client_job(c, &job, e))
		return e->code;
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64, job);
	enum err err = client_get(c, path, &answer, e);
	if (err)
		return err;
	err = c->args->json ? client_print_json(c, answer, e) : view_job(answer, c->out, c->bold, e);
	cJSON_Delete(answer);
	return err;
}

/* JOB.NUMBER, digits on both sides. */
static enum err trial_name(const char *word, int64_t *ret_job, int64_t *ret_number, struct errinfo *e)
{
	char *end;
	errno = 0;
	long long job = strtoll(word, &end, 10);
	const char *number = *end == '.' ? end + 1 : "";
	long long n = strtoll(number, &end, 10);
	if (errno || job < 1 || n < 0 || !*number || *end)
		return err_set(e, ERR_INPUT,
			"JOB: is '%.100s', expected the number of a job, or JOB.NUMBER for a trial", word);
	*ret_job = job;
	*ret_number = n;
	return ERR_OK;
}

static enum err show_trial(struct client *c, struct errinfo *e)
{
	int64_t job = 0, number = 0;
	char path[64];
	cJSON *trial = NULL, *of = NULL;
	if (trial_name(c->args->operands[0], &job, &number, e))
		return e->code;
	snprintf(path, sizeof path, "/v1/trials/%" PRId64 ".%" PRId64, job, number);
	enum err err = client_get(c, path, &trial, e);
	if (err)
		return err;
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64, job);
	if (c->args->json)
		err = client_print_json(c, trial, e);
	else if (!(err = client_get(c, path, &of, e)))
		err = view_trial(trial, view_member(of, "groups"), c->out, c->bold, e);
	cJSON_Delete(of);
	cJSON_Delete(trial);
	return err;
}

enum err show_run(struct client *c, struct errinfo *e)
{
	return strchr(c->args->operands[0], '.') ? show_trial(c, e) : show_job(c, e);
}

/* finish, cancel, pause, resume: the command's name is the path's last part. */
enum err change_run(struct client *c, struct errinfo *e)
{
	int64_t job;
	char path[64];
	cJSON *answer = NULL;
	if (client_job(c, &job, e))
		return e->code;
	snprintf(path, sizeof path, "/v1/jobs/%" PRId64 "/%s", job, c->args->command);
	enum err err = http_call(c->http, "POST", path, NULL, 60, &answer, e);
	if (!err && c->args->json)
		err = client_print_json(c, answer, e);
	else if (!err)
		client_note(c, "job %" PRId64 " is %s%s", job,
			view_text(answer, "state") ? view_text(answer, "state") : "changed",
			strcmp(c->args->command, "finish") ? "" : ", and proposes no more");
	cJSON_Delete(answer);
	return err;
}

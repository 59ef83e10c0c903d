/* api_job.c -- jobs: submit, look at, steer.
 * SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "daemon/api.h"
#include "daemon/daemon.h"
#include "daemon/event.h"
#include "daemon/job.h"
#include "daemon/exchange.h"
#include "daemon/spec.h"
#include "daemon/text.h"
#include "daemon/view.h"

static enum err answer_job(struct exchange *r, unsigned status, int64_t id, struct errinfo *e)
{
	struct text t;
	enum job_state state;
	text_init(&t);
	enum err err = view_job(r->daemon, id, &t, &state, e);
	if (!err)
		return exchange_answer_json(r, status, &t, e);
	text_fini(&t);
	return err;
}

enum err api_job_submit(struct exchange *r, struct errinfo *e)
{
	cJSON *doc;
	struct job *j;
	enum err err = exchange_json(r, &doc, e);
	if (!err)
		err = job_submit(r->daemon, doc, &j, e);
	if (err)
		return err;
	log_info("job %lld (%s) submitted", (long long)j->row.id, j->row.name);
	return answer_job(r, 201, j->row.id, e);
}

enum err api_job_list(struct exchange *r, struct errinfo *e)
{
	struct text t;
	text_init(&t);
	enum err err = view_jobs(r->daemon, &t, e);
	if (!err)
		return exchange_answer_json(r, 200, &t, e);
	text_fini(&t);
	return err;
}

enum err api_job_get(struct exchange *r, struct errinfo *e)
{
	return answer_job(r, 200, r->args.id, e);
}

typedef enum err steer_cb(struct job *j, struct errinfo *e);

/* The row is written at once: an answer waits for the commit of what the store knows of, and of nothing else. */
static enum err steer(struct exchange *r, steer_cb *cb, const char *verb, struct errinfo *e)
{
	struct job *j;
	enum err err = job_require(r->daemon, r->args.id, verb, &j, e);
	if (!err)
		err = cb(j, e);
	if (!err)
		err = job_flush(r->daemon, e);
	return err ? err : answer_job(r, 200, r->args.id, e);
}

enum err api_job_cancel(struct exchange *r, struct errinfo *e)
{
	return steer(r, job_cancel, "cancel", e);
}

enum err api_job_pause(struct exchange *r, struct errinfo *e)
{
	return steer(r, job_pause, "pause", e);
}

enum err api_job_resume(struct exchange *r, struct errinfo *e)
{
	return steer(r, job_resume, "resume", e);
}

enum err api_job_finish(struct exchange *r, struct errinfo *e)
{
	return steer(r, job_finish, "finish", e);
}

/* A job that is not there is an error, not an empty list. */
static enum err check_job(struct exchange *r, struct errinfo *e)
{
	struct job_row row;
	if (job_find(r->daemon, r->args.id))
		return ERR_OK;
	enum err err = job_load(r->daemon->store, r->args.id, &row, e);
	if (!err)
		job_row_fini(&row);
	return err;
}

static enum err answer_trials(struct exchange *r, struct text *t, bool only_pareto, struct errinfo *e)
{
	text_key(t, "trials");
	text_open(t, '[');
	enum err err = view_trials(r->daemon, r->args.id, only_pareto, t, e);
	text_close(t, ']');
	text_close(t, '}');
	if (!err)
		return exchange_answer_json(r, 200, t, e);
	text_fini(t);
	return err;
}

enum err api_job_trials(struct exchange *r, struct errinfo *e)
{
	struct text t;
	enum err err = check_job(r, e);
	if (err)
		return err;
	text_init(&t);
	text_open(&t, '{');
	return answer_trials(r, &t, false, e);
}

static void put_objectives(struct text *t, const struct spec *s)
{
	text_key(t, "objectives");
	text_open(t, '[');
	for (int i = 0; i < s->objective_count; i++)
		text_string(t, metric_name(s->objectives[i]));
	text_close(t, ']');
}

static enum err put_stored_objectives(struct exchange *r, struct text *t, struct errinfo *e)
{
	struct job_row row;
	struct spec *spec;
	enum err err = job_load(r->daemon->store, r->args.id, &row, e);
	if (err)
		return err;
	err = spec_parse(row.spec, &spec, e);
	job_row_fini(&row);
	if (err)
		return err_set(e, ERR_INTERNAL, "job %lld: its stored document can't be read", (long long)r->args.id);
	put_objectives(t, spec);
	spec_free(spec);
	return ERR_OK;
}

enum err api_job_pareto(struct exchange *r, struct errinfo *e)
{
	struct text t;
	const struct job *j = job_find(r->daemon, r->args.id);
	enum err err = ERR_OK;
	text_init(&t);
	text_open(&t, '{');
	text_put_int(&t, "job", r->args.id);
	if (j && j->spec)
		put_objectives(&t, j->spec);
	else
		err = put_stored_objectives(r, &t, e);
	if (!err)
		return answer_trials(r, &t, true, e);
	text_fini(&t);
	return err;
}

enum err api_job_events(struct exchange *r, struct errinfo *e)
{
	return feed_watch(r, r->args.id, e);
}

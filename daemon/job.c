/* job.c -- live jobs and their states.
 * SPDX-License-Identifier: MIT
 *
 *   queued -> preparing -> searching -> finishing -> done
 *      '----------^------------'  (a known baseline needs no evaluation)
 *
 *   any of the first four <-> paused;  any of the first four, paused -> failed | cancelled
 *
 * A paused job remembers the state it was in, and moves on in it when a lease that was out reports. */
#include "daemon/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/baseline.h"
#include "daemon/daemon.h"
#include "daemon/event.h"
#include "daemon/hold.h"
#include "daemon/spec.h"
#include "daemon/text.h"
#include "daemon/warm.h"
#include "search/front.h"
#include "search/prior.h"
#include "search/space.h"
#include "search/table.h"

#define TO(state) (1u << JOB_##state)

static const unsigned transitions[] = {
	[JOB_QUEUED] = TO(PREPARING) | TO(SEARCHING) | TO(PAUSED) | TO(FAILED) | TO(CANCELLED),
	[JOB_PREPARING] = TO(SEARCHING) | TO(PAUSED) | TO(FAILED) | TO(CANCELLED),
	[JOB_SEARCHING] = TO(FINISHING) | TO(PAUSED) | TO(FAILED) | TO(CANCELLED),
	[JOB_FINISHING] = TO(DONE) | TO(PAUSED) | TO(FAILED) | TO(CANCELLED),
	[JOB_PAUSED] = TO(QUEUED) | TO(PREPARING) | TO(SEARCHING) | TO(FINISHING) | TO(FAILED) | TO(CANCELLED),
	[JOB_DONE] = 0,
	[JOB_FAILED] = 0,
	[JOB_CANCELLED] = 0,
};

static const unsigned final = TO(DONE) | TO(FAILED) | TO(CANCELLED);

bool job_over(const struct job *j)
{
	return final >> j->row.state & 1;
}

enum job_state job_phase(const struct job *j)
{
	return j->row.state == JOB_PAUSED ? j->row.resume : j->row.state;
}

enum err job_move(struct job *j, enum job_state to, struct errinfo *e)
{
	bool beneath = j->row.state == JOB_PAUSED && !(final >> to & 1);
	enum job_state from = beneath ? j->row.resume : j->row.state;
	if (!(transitions[from] >> to & 1))
		return err_set(e, ERR_CONFLICT, "job %lld: is %s, it cannot become %s", (long long)j->row.id,
			job_state_name(from), job_state_name(to));
	if (beneath)
		j->row.resume = to;
	else
		j->row.state = to;
	int64_t now = clock_wall_ms();
	if (!j->row.started && (to == JOB_PREPARING || to == JOB_SEARCHING))
		j->row.started = now;
	if (job_over(j))
		j->row.finished = now;
	j->changed = j->stirred = true;
	job_account(j);
	return event_job(j->daemon, j->row.id, e);
}

void job_account(struct job *j)
{
	int64_t now = clock_ns(), gone_ms = j->counted_ns ? (now - j->counted_ns) / 1000000 : 0;
	bool runs = j->row.state == JOB_SEARCHING && !j->row.ended;
	j->row.searched += gone_ms;
	j->counted_ns = !runs ? 0 : j->counted_ns ? j->counted_ns + gone_ms * 1000000 : now;
}

enum err job_end_search(struct job *j, enum job_ended why, struct errinfo *e)
{
	if (j->row.ended)
		return ERR_OK;
	job_account(j);
	j->row.ended = why;
	table_stop(j->table);
	j->changed = j->stirred = true;
	log_info("job %lld proposes no more: %s", (long long)j->row.id, job_ended_name(why));
	return event_job(j->daemon, j->row.id, e);
}

enum err job_finish(struct job *j, struct errinfo *e)
{
	if (job_phase(j) == JOB_SEARCHING)
		return job_end_search(j, JOB_ENDED_FINISH, e);
	return err_set(e, ERR_CONFLICT, "job %lld: is %s, only a job that is searching can be finished",
		(long long)j->row.id, job_state_name(job_phase(j)));
}

enum err job_set_text(char **member, const char *s, struct errinfo *e)
{
	char *copy = s ? strdup(s) : NULL;
	if (s && !copy)
		return err_set(e, ERR_MEMORY, "out of memory");
	free(*member);
	*member = copy;
	return ERR_OK;
}

struct job *job_find(const struct daemon *d, int64_t id)
{
	for (struct job *j = d->jobs; j; j = j->next)
		if (j->row.id == id)
			return j;
	return NULL;
}

static enum err too_late(int64_t id, enum job_state state, const char *verb, struct errinfo *e)
{
	return err_set(e, ERR_CONFLICT, "job %lld: is %s, you can't %s it", (long long)id, job_state_name(state), verb);
}

enum err job_require(struct daemon *d, int64_t id, const char *verb, struct job **ret, struct errinfo *e)
{
	struct job_row row;
	struct job *j = job_find(d, id);
	if (j && job_over(j))
		return too_late(id, j->row.state, verb, e);
	if (j) {
		*ret = j;
		return ERR_OK;
	}
	enum err err = job_load(d->store, id, &row, e);
	if (err)
		return err;
	err = too_late(id, row.state, verb, e);
	job_row_fini(&row);
	return err;
}

static void job_free(struct job *j)
{
	while (j->flights)
		flight_remove(j, j->flights);
	table_close(j->table);
	front_close(j->front);
	prior_free(j->prior);
	space_free(j->space);
	spec_free(j->spec);
	job_row_fini(&j->row);
	free(j);
}

enum err job_adopt(struct daemon *d, struct job_row *row, struct spec *spec, struct job **ret, struct errinfo *e)
{
	struct job *j = calloc(1, sizeof *j);
	if (!j) {
		job_row_fini(row);
		spec_free(spec);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*j = (struct job){ .daemon = d, .row = *row, .spec = spec, .best = NAN, .stirred = true,
		.saved = row->searched };
	struct job **end = &d->jobs;
	while (*end)
		end = &(*end)->next;
	*end = j;
	*ret = j;
	return ERR_OK;
}

static enum err add_baseline(struct job *j, struct errinfo *e)
{
	struct trial_row r;
	struct flight *f;
	char digest[DIGEST_HEX + 1];
	enum err err = spec_digest_baseline(j->spec, digest, e);
	if (err)
		return err;
	trial_row_init(&r);
	r.job = j->row.id;
	r.rung = spec_last(j->spec);
	r.created = clock_wall_ms();
	r.digest = digest;
	r.model = j->spec->model;
	err = job_add_trial(j, &r, e);
	if (!err)
		err = flight_add(j, &r, LEASE_BASELINE, NULL, &f, e);
	return err ? err : baseline_known(j, f, e);
}

static enum err insert(struct daemon *d, const struct spec *spec, int64_t *ret_id, struct errinfo *e)
{
	struct text t;
	char *plan;
	text_init(&t);
	spec_write_plan(spec, &t);
	enum err err = text_take(&t, &plan, NULL, e);
	if (err)
		return err;
	char *text = cJSON_PrintUnformatted(spec->doc);
	err = text ? job_insert(d->store, spec->name, text, spec->trials, plan, clock_wall_ms(), ret_id, e)
		   : err_set(e, ERR_MEMORY, "out of memory");
	cJSON_free(text);
	free(plan);
	return err;
}

enum err job_submit(struct daemon *d, cJSON *doc, struct job **ret, struct errinfo *e)
{
	struct spec *spec;
	struct job_row row;
	struct job *j;
	int64_t id;
	enum err err = spec_read(doc, &spec, e);
	if (err)
		return err;
	err = spec_blobs(spec, d->store, e);
	if (!err)
		err = warm_check(spec, d->store, e);
	if (!err)
		err = insert(d, spec, &id, e);
	if (!err)
		err = job_load(d->store, id, &row, e);
	if (err) {
		spec_free(spec);
		return err;
	}
	err = job_adopt(d, &row, spec, &j, e);
	if (!err)
		err = add_baseline(j, e);
	if (!err)
		*ret = j;
	return err;
}

/* Ends the leases, cancels what is open, and moves to a final state. */
static enum err end(struct job *j, enum job_state to, struct errinfo *e)
{
	struct daemon *d = j->daemon;
	enum err err = job_move(j, to, e);
	if (!err)
		err = hold_drop_job(d, j, e);
	for (const struct flight *f = j->flights; f && !err; f = f->next)
		if (f->kind != LEASE_TEST)
			err = event_trial(d, j->row.id, f->number, e);
	if (!err)
		err = trial_cancel_open(d->store, j->row.id, j->row.finished, e);
	if (!err)
		err = trial_count(d->store, j->row.id, j->counts, e);
	while (j->flights)
		flight_remove(j, j->flights);
	d->trial_ended = true;
	return err;
}

enum err job_cancel(struct job *j, struct errinfo *e)
{
	return end(j, JOB_CANCELLED, e);
}

enum err job_fail(struct job *j, const char *reason, struct errinfo *e)
{
	enum err err = job_set_text(&j->row.reason, reason, e);
	return err ? err : end(j, JOB_FAILED, e);
}

enum err job_pause(struct job *j, struct errinfo *e)
{
	enum job_state was = j->row.state;
	if (was == JOB_PAUSED)
		return err_set(e, ERR_CONFLICT, "job %lld: is paused already", (long long)j->row.id);
	j->row.resume = was;
	return job_move(j, JOB_PAUSED, e);
}

enum err job_resume(struct job *j, struct errinfo *e)
{
	if (j->row.state != JOB_PAUSED)
		return err_set(e, ERR_CONFLICT, "job %lld: is %s, only a paused job can be resumed",
			(long long)j->row.id, job_state_name(j->row.state));
	j->row.state = j->row.resume;
	j->changed = j->stirred = true;
	job_account(j);
	return event_job(j->daemon, j->row.id, e);
}

static void count_result(struct job *j, const struct trial_row *r)
{
	bool counts = r->state == TRIAL_COMPLETE && r->number > 0 && r->rung == spec_last(j->spec);
	if (counts && !(j->best >= r->metrics.accuracy))
		j->best = r->metrics.accuracy;
}

void job_count_trial(struct job *j, const struct trial_row *r)
{
	j->counts[r->state]++;
	count_result(j, r);
}

enum err job_add_trial(struct job *j, const struct trial_row *r, struct errinfo *e)
{
	enum err err = trial_insert(j->daemon->store, r, e);
	if (err)
		return err;
	job_count_trial(j, r);
	return ERR_OK;
}

enum err job_put_trial(struct job *j, const struct trial_row *r, enum trial_state from, struct errinfo *e)
{
	enum err err = trial_update(j->daemon->store, r, e);
	if (err)
		return err;
	j->counts[from]--;
	job_count_trial(j, r);
	if (r->state != TRIAL_WAITING && r->state != TRIAL_RUNNING)
		j->daemon->trial_ended = true;
	return event_trial(j->daemon, r->job, r->number, e);
}

enum err job_flush(struct daemon *d, struct errinfo *e)
{
	for (struct job *j = d->jobs; j; j = j->next) {
		enum err err = j->moved ? front_hypervolume(j->front, &j->row.hypervolume, e) : ERR_OK;
		if (!err && j->changed)
			err = job_update(d->store, &j->row, e);
		if (err)
			return err;
		if (j->changed)
			j->saved = j->row.searched;
		j->moved = j->changed = false;
	}
	return ERR_OK;
}

static void log_end(const struct job *j)
{
	const char *because = j->row.reason ? j->row.reason : "";
	int members = j->front ? front_size(j->front) : 0;
	if (j->row.state == JOB_DONE)
		log_info("job %lld (%s) is done: %d in the Pareto set%s%s", (long long)j->row.id, j->row.name, members,
			*because ? "; " : "", because);
	else
		log_info("job %lld (%s) %s%s%s", (long long)j->row.id, j->row.name,
			j->row.state == JOB_FAILED ? "failed" : "is cancelled", *because ? ": " : "", because);
}

void job_forget(struct daemon *d, bool all)
{
	for (struct job **at = &d->jobs; *at;) {
		struct job *j = *at;
		if (!all && !job_over(j)) {
			at = &j->next;
			continue;
		}
		if (job_over(j))
			log_end(j);
		*at = j->next;
		job_free(j);
	}
}

enum err flight_add(struct job *j, const struct trial_row *r, enum lease_kind kind, const int *keep,
	struct flight **ret, struct errinfo *e)
{
	if (!r->digest || strlen(r->digest) != DIGEST_HEX)
		return err_set(e, ERR_INTERNAL, "trial %lld.%lld: is stored without a digest", (long long)r->job,
			(long long)r->number);
	struct flight *f = calloc(1, sizeof *f);
	size_t n = keep ? (size_t)j->space->group_count : 0;
	int *copy = n ? calloc(n, sizeof *copy) : NULL;
	if (!f || (n && !copy)) {
		free(f);
		free(copy);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	if (n)
		memcpy(copy, keep, n * sizeof *copy);
	*f = (struct flight){ .number = r->number, .kind = kind, .rung = r->rung, .leader = -1, .keep = copy };
	memcpy(f->digest, r->digest, sizeof f->digest);
	struct flight **at = &j->flights;
	while (*at && (*at)->number < r->number)
		at = &(*at)->next;
	f->next = *at;
	*at = f;
	*ret = f;
	return ERR_OK;
}

struct flight *flight_find(const struct job *j, int64_t number)
{
	struct flight *f = j->flights;
	while (f && f->number != number)
		f = f->next;
	return f;
}

struct flight *flight_like(const struct job *j, const char *digest)
{
	struct flight *f = j->flights;
	while (f && strcmp(f->digest, digest))
		f = f->next;
	return f;
}

void flight_remove(struct job *j, struct flight *f)
{
	struct flight **at = &j->flights;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	free(f->keep);
	free(f);
}

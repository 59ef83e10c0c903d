/* hold.c -- leases that are out.
 * SPDX-License-Identifier: MIT */
#include "daemon/hold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/event.h"
#include "daemon/job.h"
#include "daemon/pool.h"
#include "daemon/result.h"
#include "daemon/spec.h"
#include "daemon/text.h"

enum { GRACE_SECONDS = 30 };

static const int64_t second_ns = 1000000000;

void hold_beat(struct daemon *d, struct hold *h)
{
	h->expires_ns = clock_ns() + d->config.lease_seconds * second_ns;
}

static bool trains(const struct job *j, const struct flight *f)
{
	switch (f->kind) {
	case LEASE_BASELINE:
		return j->spec->pretrains;
	case LEASE_CANDIDATE:
		return j->spec->rungs[f->rung].trains;
	case LEASE_TEST:
		break;
	}
	return false;
}

enum err hold_adopt(struct daemon *d, struct job *j, struct flight *f, struct lease_row *row, struct hold **ret,
	struct errinfo *e)
{
	struct hold *h = calloc(1, sizeof *h);
	if (!h) {
		lease_row_fini(row);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	int64_t age_ms = clock_wall_ms() - row->granted;
	*h = (struct hold){ .row = *row, .job = j, .trains = trains(j, f) };
	h->began_ns = clock_ns() - (age_ms > 0 ? age_ms : 0) * 1000000;
	hold_beat(d, h);
	f->lease = row->id;
	struct hold **end = &d->holds;
	while (*end)
		end = &(*end)->next;
	*end = h;
	*ret = h;
	return ERR_OK;
}

struct hold *hold_find(const struct daemon *d, int64_t id)
{
	struct hold *h = d->holds;
	while (h && h->row.id != id)
		h = h->next;
	return h;
}

struct hold *hold_of_worker(const struct daemon *d, const char *worker)
{
	struct hold *h = d->holds;
	while (h && strcmp(h->row.worker, worker))
		h = h->next;
	return h;
}

static void hold_free(struct daemon *d, struct hold *h)
{
	struct hold **at = &d->holds;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	lease_row_fini(&h->row);
	free(h);
}

void hold_forget(struct daemon *d)
{
	while (d->holds)
		hold_free(d, d->holds);
}

/* ---- handing out ------------------------------------------------------------------------------------------------ */

static bool is_exclusive(const struct job *j, const struct flight *f)
{
	const struct spec_rung *r = &j->spec->rungs[f->rung];
	return f->kind != LEASE_TEST && r->latency && r->exclusive;
}

static struct flight *next_flight(struct daemon *d, struct job **ret_job)
{
	for (const struct hold *h = d->holds; h; h = h->next)
		if (h->row.exclusive)
			return NULL;
	for (struct job *j = d->jobs; j; j = j->next) {
		if (j->row.state == JOB_PAUSED || job_over(j))
			continue;
		for (struct flight *f = j->flights; f; f = f->next) {
			if (f->lease || f->leader >= 0)
				continue;
			*ret_job = j;
			return is_exclusive(j, f) && d->holds ? NULL : f;
		}
	}
	return NULL;
}

static enum err start_trial(struct job *j, const struct flight *f, const char *worker, struct errinfo *e)
{
	struct trial_row r;
	enum err err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
	if (err)
		return err;
	enum trial_state from = r.state;
	r.state = TRIAL_RUNNING;
	r.started = clock_wall_ms();
	r.attempts = f->attempts;
	err = job_set_text(&r.worker, worker, e);
	if (!err)
		err = job_put_trial(j, &r, from, e);
	trial_row_fini(&r);
	return err;
}

static enum err insert(struct daemon *d, struct job *j, const struct flight *f, const char *worker, bool supervised,
	struct lease_row *ret, struct errinfo *e)
{
	int64_t now = clock_wall_ms(), id;
	char *name = strdup(worker);
	if (!name)
		return err_set(e, ERR_MEMORY, "out of memory");
	struct lease_row row = { .job = j->row.id, .number = f->number, .kind = f->kind,
		.exclusive = is_exclusive(j, f), .supervised = supervised, .worker = name, .granted = now,
		.expires = now + d->config.lease_seconds * 1000 };
	enum err err = lease_insert(d->store, &row, &id, e);
	if (err) {
		free(name);
		return err;
	}
	row.id = id;
	*ret = row;
	return ERR_OK;
}

enum err hold_grant(struct daemon *d, const char *worker, bool supervised, struct hold **ret, struct errinfo *e)
{
	struct job *j;
	struct lease_row row;
	struct flight *f = next_flight(d, &j);
	*ret = NULL;
	if (!f)
		return ERR_OK;
	enum err err = insert(d, j, f, worker, supervised, &row, e);
	if (!err)
		err = hold_adopt(d, j, f, &row, ret, e);
	if (err)
		return err;
	f->attempts++;
	if (f->kind != LEASE_TEST)
		err = start_trial(j, f, worker, e);
	if (!err && j->row.state == JOB_QUEUED)
		err = job_move(j, JOB_PREPARING, e);
	return err;
}

/* ---- coming back ------------------------------------------------------------------------------------------------- */

enum err hold_close(struct daemon *d, struct hold *h, struct errinfo *e)
{
	struct flight *f = flight_find(h->job, h->row.number);
	enum err err = lease_end(d->store, h->row.id, e);
	if (f && f->lease == h->row.id)
		f->lease = 0;
	hold_free(d, h);
	return err;
}

static enum err wait_again(struct job *j, const struct flight *f, struct errinfo *e)
{
	struct trial_row r;
	if (f->kind == LEASE_TEST)
		return ERR_OK;
	enum err err = trial_load(j->daemon->store, j->row.id, f->number, &r, e);
	if (err)
		return err;
	enum trial_state from = r.state;
	r.state = TRIAL_WAITING;
	r.attempts = f->attempts;
	err = job_put_trial(j, &r, from, e);
	trial_row_fini(&r);
	return err;
}

enum err hold_release(struct daemon *d, struct hold *h, struct errinfo *e)
{
	struct job *j = h->job;
	struct flight *f = flight_find(j, h->row.number);
	enum err err = hold_close(d, h, e);
	if (err || !f)
		return err;
	if (f->attempts > 0)
		f->attempts--;
	return wait_again(j, f, e);
}

enum err hold_lost(struct daemon *d, struct hold *h, const char *how, struct errinfo *e)
{
	struct job *j = h->job;
	struct flight *f = flight_find(j, h->row.number);
	log_warning("trial %lld.%lld: %s", (long long)j->row.id, (long long)h->row.number, how);
	enum err err = hold_close(d, h, e);
	if (err || !f)
		return err;
	if (f->attempts < JOB_ATTEMPTS)
		return wait_again(j, f, e);
	struct errinfo reason;
	err_set(&reason, ERR_GONE, "%.500s; %d attempts", how, f->attempts);
	return result_failed(j, f, reason.msg, e);
}

enum err hold_worker_died(struct daemon *d, const char *worker, const char *how, struct errinfo *e)
{
	for (;;) {
		struct hold *h = d->holds;
		while (h && (!h->row.supervised || strcmp(h->row.worker, worker)))
			h = h->next;
		enum err err = !h ? ERR_OK : d->stopping ? hold_release(d, h, e) : hold_lost(d, h, how, e);
		if (!h || err)
			return err;
	}
}

enum err hold_drop_job(struct daemon *d, const struct job *j, struct errinfo *e)
{
	for (struct hold *h = d->holds, *next; h; h = next) {
		next = h->next;
		enum err err = h->job == j ? hold_close(d, h, e) : ERR_OK;
		if (err)
			return err;
	}
	return ERR_OK;
}

/* ---- limits --------------------------------------------------------------------------------------------------------
 */

/* Resident MiB of a process's own, without what it maps from files (decoded data, which workers share); 0 when it is
 * gone. */
static int64_t own_mb(int pid)
{
	char path[64];
	long long size, resident, shared, own = 0;
	snprintf(path, sizeof path, "/proc/%d/statm", pid);
	FILE *f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%lld %lld %lld", &size, &resident, &shared) == 3)
		own = resident - shared;
	fclose(f);
	return own * sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

/* The sentence when the trial is past a limit of its job, otherwise nothing. */
static void past_limit(struct daemon *d, const struct hold *h, char reason[256])
{
	const struct spec *s = h->job->spec;
	int64_t age = (clock_ns() - h->began_ns) / second_ns, most = spec_trial_seconds(s, h->trains);
	int pid = h->row.supervised ? pool_pid(d->pool, h->row.worker) : 0;
	int64_t used = pid ? own_mb(pid) : 0;
	reason[0] = '\0';
	if (age > most + GRACE_SECONDS)
		snprintf(reason, 256, "still running after %lld s, limits.trial_seconds is %lld", (long long)age,
			(long long)most);
	else if (used > s->trial_memory_mb)
		snprintf(reason, 256, "worker %s used %lld MiB of memory, limits.trial_memory_mb is %lld",
			h->row.worker, (long long)used, (long long)s->trial_memory_mb);
}

static enum err cut_off(struct daemon *d, struct hold *h, const char *reason, struct errinfo *e)
{
	struct job *j = h->job;
	struct flight *f = flight_find(j, h->row.number);
	log_warning("trial %lld.%lld: %s", (long long)j->row.id, (long long)h->row.number, reason);
	if (h->row.supervised)
		pool_kill(d->pool, h->row.worker);
	enum err err = hold_close(d, h, e);
	return err || !f ? err : result_failed(j, f, reason, e);
}

static enum err sweep_one(struct daemon *d, struct hold *h, bool *ret_gone, struct errinfo *e)
{
	char reason[256];
	past_limit(d, h, reason);
	*ret_gone = true;
	if (*reason)
		return cut_off(d, h, reason, e);
	if (h->expires_ns < clock_ns()) {
		snprintf(reason, sizeof reason, "no heartbeat from worker %s for %d s", h->row.worker,
			d->config.lease_seconds);
		if (h->row.supervised)
			pool_kill(d->pool, h->row.worker);
		return hold_lost(d, h, reason, e);
	}
	*ret_gone = false;
	return ERR_OK;
}

/* What is revoked may take other holds with it (a job that fails): the walk starts again. */
enum err hold_sweep(struct daemon *d, struct errinfo *e)
{
	for (struct hold *h = d->holds; h;) {
		bool gone;
		enum err err = sweep_one(d, h, &gone, e);
		if (err)
			return err;
		h = gone ? d->holds : h->next;
	}
	return ERR_OK;
}

/* ---- the lease as the worker gets it ------------------------------------------------------------------------------
 */

static const char *model_of(const struct hold *h, const struct trial_row *r)
{
	switch (h->row.kind) {
	case LEASE_BASELINE:
		return h->job->spec->model;
	case LEASE_CANDIDATE:
		return h->job->model;
	case LEASE_TEST:
		break;
	}
	return r->model;
}

/* The weights that a promoted candidate continues from. Keys that say nothing are left out: simple workers, which do
 * not train, need not know them. */
static enum err write_from(const struct hold *h, const struct trial_row *r, struct text *t, struct errinfo *e)
{
	struct trial_row parent;
	if (h->row.kind != LEASE_CANDIDATE || !r->parent)
		return ERR_OK;
	enum err err = trial_load(h->job->daemon->store, r->job, r->parent, &parent, e);
	if (err)
		return err;
	text_put_string(t, "from", parent.model);
	trial_row_fini(&parent);
	return ERR_OK;
}

static void write_settings(const struct hold *h, const struct trial_row *r, struct text *t)
{
	const struct spec *s = h->job->spec;
	text_key(t, "data");
	spec_write_data(s, t);
	text_key(t, "prune");
	spec_write_prune(s, t);
	text_key(t, "rung");
	spec_write_rung(&s->rungs[r->rung], h->row.kind == LEASE_CANDIDATE, t);
	if (h->row.kind == LEASE_BASELINE && s->pretrains) {
		text_key(t, "pretrain");
		spec_write_pretrain(s, t);
	}
	text_key(t, "limits");
	spec_write_limits(s, h->trains, t);
	text_put_int(t, "seed", s->seed);
	text_put_json(t, "candidate", r->candidate);
}

enum err hold_write(const struct daemon *d, const struct hold *h, struct text *t, struct errinfo *e)
{
	struct trial_row r;
	char id[48];
	int beat = d->config.lease_seconds / 4;
	enum err err = trial_load(d->store, h->row.job, h->row.number, &r, e);
	if (err)
		return err;
	snprintf(id, sizeof id, "%lld.%lld", (long long)h->row.job, (long long)h->row.number);
	text_open(t, '{');
	text_put_int(t, "id", h->row.id);
	text_put_string(t, "trial", id);
	text_put_string(t, "kind", lease_kind_name(h->row.kind));
	text_put_int(t, "heartbeat", beat < 1 ? 1 : beat);
	text_put_int(t, "expires", d->config.lease_seconds);
	text_put_string(t, "model", model_of(h, &r));
	err = write_from(h, &r, t, e);
	write_settings(h, &r, t);
	text_close(t, '}');
	trial_row_fini(&r);
	return err;
}

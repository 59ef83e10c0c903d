/* job.c -- rows of compression requests.
 * SPDX-License-Identifier: MIT */
#include "store/job.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/statement.h"

#define SELECT_JOB \
	"SELECT id, state, resume, name, spec, inventory, reason, budget, plan, created, started, finished, " \
	"hypervolume, ended, searched FROM job "

static const char *const states[] = {
	[JOB_QUEUED] = "queued",
	[JOB_PREPARING] = "preparing",
	[JOB_SEARCHING] = "searching",
	[JOB_FINISHING] = "finishing",
	[JOB_DONE] = "done",
	[JOB_FAILED] = "failed",
	[JOB_CANCELLED] = "cancelled",
	[JOB_PAUSED] = "paused",
};
enum { STATES = sizeof states / sizeof *states };

const char *job_state_name(enum job_state s)
{
	return (unsigned)s < STATES ? states[s] : "unknown";
}

static const char *const ends[] = {
	[JOB_ENDED_TRIALS - 1] = "trials",
	[JOB_ENDED_SECONDS - 1] = "seconds",
	[JOB_ENDED_STALL - 1] = "stall",
	[JOB_ENDED_STRATEGY - 1] = "strategy",
	[JOB_ENDED_FINISH - 1] = "finish",
};
enum { ENDS = sizeof ends / sizeof *ends };

const char *job_ended_name(enum job_ended x)
{
	int at = (int)x - 1;
	return at >= 0 && at < ENDS ? ends[at] : NULL;
}

void job_row_fini(struct job_row *r)
{
	free(r->name);
	free(r->spec);
	free(r->inventory);
	free(r->reason);
	free(r->plan);
	*r = (struct job_row){ 0 };
}

static const char *subject_of(int64_t id, char buf[32])
{
	snprintf(buf, 32, "job %lld", (long long)id);
	return buf;
}

enum err job_insert(struct store *s, const char *name, const char *spec, int64_t budget, const char *plan, int64_t now,
	int64_t *ret_id, struct errinfo *e)
{
	static const char sql[] =
		"INSERT INTO job(state, resume, name, spec, budget, plan, created) "
		"VALUES ('queued', 'queued', ?, ?, ?, ?, ?)";
	struct statement st;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_text(&st, name);
	bind_text(&st, spec);
	bind_int(&st, budget);
	bind_text(&st, plan);
	bind_int(&st, now);
	err = statement_run(&st, "job", NULL, e);
	if (!err)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return err;
}

static struct job_row row_of(struct statement *st)
{
	struct job_row r = { .id = take_int(st) };
	r.state = (enum job_state)take_word(st, states, STATES);
	r.resume = (enum job_state)take_word(st, states, STATES);
	r.name = take_text(st);
	r.spec = take_text(st);
	r.inventory = take_text(st);
	r.reason = take_text(st);
	r.budget = take_int(st);
	r.plan = take_text(st);
	r.created = take_int(st);
	r.started = take_int(st);
	r.finished = take_int(st);
	r.hypervolume = take_real(st);
	r.ended = (enum job_ended)(take_word(st, ends, ENDS) + 1);
	r.searched = take_int(st);
	return r;
}

enum err job_load(struct store *s, int64_t id, struct job_row *ret, struct errinfo *e)
{
	static const char sql[] = SELECT_JOB "WHERE id = ?";
	struct statement st;
	struct job_row r = { 0 };
	bool found;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, id);
	err = statement_step(&st, "job", &found, e);
	if (!err && found)
		r = row_of(&st);
	else if (!err)
		err = err_set(e, ERR_NOT_FOUND, "there is no job %lld", (long long)id);
	enum err ended = statement_end(&st, err ? NULL : e);
	if (!err)
		err = ended;
	if (err)
		job_row_fini(&r);
	else
		*ret = r;
	return err;
}

enum err job_update(struct store *s, const struct job_row *r, struct errinfo *e)
{
	static const char sql[] = "UPDATE job SET state = ?, resume = ?, reason = ?, started = ?, finished = ?, "
				  "inventory = ?, hypervolume = ?, ended = ?, searched = ? WHERE id = ?";
	struct statement st;
	char subject[32];
	int64_t changed;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_text(&st, job_state_name(r->state));
	bind_text(&st, job_state_name(r->resume));
	bind_text(&st, r->reason);
	bind_time(&st, r->started);
	bind_time(&st, r->finished);
	bind_text(&st, r->inventory);
	bind_real(&st, r->hypervolume);
	bind_text(&st, job_ended_name(r->ended));
	bind_int(&st, r->searched);
	bind_int(&st, r->id);
	err = statement_run(&st, subject_of(r->id, subject), &changed, e);
	if (!err && !changed)
		err = err_set(e, ERR_NOT_FOUND, "there is no job %lld", (long long)r->id);
	return err;
}

enum err job_each(struct store *s, bool only_live, job_row_cb *cb, void *arg, struct errinfo *e)
{
	static const char all[] = SELECT_JOB "ORDER BY id DESC";
	static const char live[] = SELECT_JOB "WHERE state NOT IN ('done', 'failed', 'cancelled') ORDER BY id";
	struct statement st;
	bool more;
	enum err err = statement_begin(s, only_live ? live : all, &st, e);
	if (err)
		return err;
	while (!(err = statement_step(&st, "job", &more, e)) && more) {
		struct job_row r = row_of(&st);
		if (!st.rc)
			err = cb(&r, arg, e);
		job_row_fini(&r);
		if (err || st.rc)
			break;
	}
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

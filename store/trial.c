/* trial.c -- rows of evaluated candidates.
 * SPDX-License-Identifier: MIT
 *
 * COLUMNS, row_bind and row_take name the columns in one order: the plain ones, the texts, the numbers. */
#include "store/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/statement.h"

#define COLUMNS \
	"rung, parent, state, attempts, feasible, pareto, created, started, finished, " \
	"candidate, requested, achieved, digest, source, model, worker, reason, " \
	"accuracy, loss, params, macs, bytes, memory, latency, latency_ratio_p10, latency_ratio_p90, " \
	"latency_ms, latency_p10_ms, latency_p90_ms, test_accuracy, test_loss"
#define PLACES "?, ?, ?, ?, ?, ?, ?, ?, ?,  ?, ?, ?, ?, ?, ?, ?, ?,  ?, ?, ?, ?, ?, ?, ?, ?, ?,  ?, ?, ?, ?, ?"
#define SELECT_TRIAL "SELECT job, number, " COLUMNS " FROM trial "

static const size_t texts[] = {
	offsetof(struct trial_row, candidate),
	offsetof(struct trial_row, requested),
	offsetof(struct trial_row, achieved),
	offsetof(struct trial_row, digest),
	offsetof(struct trial_row, source),
	offsetof(struct trial_row, model),
	offsetof(struct trial_row, worker),
	offsetof(struct trial_row, reason),
};
static const size_t numbers[] = {
	offsetof(struct trial_row, metrics.accuracy),
	offsetof(struct trial_row, metrics.loss),
	offsetof(struct trial_row, metrics.params),
	offsetof(struct trial_row, metrics.macs),
	offsetof(struct trial_row, metrics.bytes),
	offsetof(struct trial_row, metrics.memory),
	offsetof(struct trial_row, metrics.latency),
	offsetof(struct trial_row, metrics.latency_ratio_p10),
	offsetof(struct trial_row, metrics.latency_ratio_p90),
	offsetof(struct trial_row, metrics.latency_ms),
	offsetof(struct trial_row, metrics.latency_p10_ms),
	offsetof(struct trial_row, metrics.latency_p90_ms),
	offsetof(struct trial_row, test_accuracy),
	offsetof(struct trial_row, test_loss),
};
enum { TEXTS = sizeof texts / sizeof *texts, NUMBERS = sizeof numbers / sizeof *numbers };

static const char *const states[TRIAL_STATE_COUNT] = {
	[TRIAL_WAITING] = "waiting",
	[TRIAL_RUNNING] = "running",
	[TRIAL_COMPLETE] = "complete",
	[TRIAL_FAILED] = "failed",
	[TRIAL_CANCELLED] = "cancelled",
};

const char *trial_state_name(enum trial_state s)
{
	return (unsigned)s < TRIAL_STATE_COUNT ? states[s] : "unknown";
}

static char **text_of(const struct trial_row *r, size_t i)
{
	return (char **)((char *)r + texts[i]);
}

static double *number_of(const struct trial_row *r, size_t i)
{
	return (double *)((char *)r + numbers[i]);
}

void trial_row_init(struct trial_row *r)
{
	*r = (struct trial_row){ 0 };
	for (size_t i = 0; i < NUMBERS; i++)
		*number_of(r, i) = NAN;
}

void trial_row_fini(struct trial_row *r)
{
	for (size_t i = 0; i < TEXTS; i++)
		free(*text_of(r, i));
	trial_row_init(r);
}

static void row_bind(struct statement *st, const struct trial_row *r)
{
	bind_int(st, r->rung);
	if (r->parent)
		bind_int(st, r->parent);
	else
		bind_text(st, NULL);
	bind_text(st, trial_state_name(r->state));
	bind_int(st, r->attempts);
	bind_int(st, r->feasible);
	bind_int(st, r->pareto);
	bind_int(st, r->created);
	bind_time(st, r->started);
	bind_time(st, r->finished);
	for (size_t i = 0; i < TEXTS; i++)
		bind_text(st, *text_of(r, i));
	for (size_t i = 0; i < NUMBERS; i++)
		bind_real(st, *number_of(r, i));
}

static void row_take(struct statement *st, struct trial_row *r)
{
	trial_row_init(r);
	r->job = take_int(st);
	r->number = take_int(st);
	r->rung = (int)take_int(st);
	r->parent = take_int(st);
	r->state = (enum trial_state)take_word(st, states, TRIAL_STATE_COUNT);
	r->attempts = (int)take_int(st);
	r->feasible = take_int(st);
	r->pareto = take_int(st);
	r->created = take_int(st);
	r->started = take_int(st);
	r->finished = take_int(st);
	for (size_t i = 0; i < TEXTS; i++)
		*text_of(r, i) = take_text(st);
	for (size_t i = 0; i < NUMBERS; i++)
		*number_of(r, i) = take_real(st);
}

static const char *subject_of(int64_t job, int64_t number, char buf[48])
{
	snprintf(buf, 48, "trial %lld.%lld", (long long)job, (long long)number);
	return buf;
}

enum err trial_insert(struct store *s, const struct trial_row *r, struct errinfo *e)
{
	static const char sql[] = "INSERT INTO trial(job, number, " COLUMNS ") VALUES (?, ?, " PLACES ")";
	struct statement st;
	char subject[48];
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, r->job);
	bind_int(&st, r->number);
	row_bind(&st, r);
	return statement_run(&st, subject_of(r->job, r->number, subject), NULL, e);
}

/* Runs an update of one trial; that there is none is an error. */
static enum err run_on_one(struct statement *st, int64_t job, int64_t number, struct errinfo *e)
{
	char subject[48];
	int64_t changed;
	enum err err = statement_run(st, subject_of(job, number, subject), &changed, e);
	if (!err && !changed)
		err = err_set(e, ERR_NOT_FOUND, "there is no %s", subject);
	return err;
}

enum err trial_update(struct store *s, const struct trial_row *r, struct errinfo *e)
{
	static const char sql[] = "UPDATE trial SET (" COLUMNS ") = (" PLACES ") WHERE job = ? AND number = ?";
	struct statement st;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	row_bind(&st, r);
	bind_int(&st, r->job);
	bind_int(&st, r->number);
	return run_on_one(&st, r->job, r->number, e);
}

enum err trial_set_pareto(struct store *s, int64_t job, int64_t number, bool member, struct errinfo *e)
{
	static const char sql[] = "UPDATE trial SET pareto = ? WHERE job = ? AND number = ?";
	struct statement st;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, member);
	bind_int(&st, job);
	bind_int(&st, number);
	return run_on_one(&st, job, number, e);
}

enum err trial_cancel_open(struct store *s, int64_t job, int64_t now, struct errinfo *e)
{
	static const char sql[] = "UPDATE trial SET state = 'cancelled', finished = ? "
				  "WHERE job = ? AND state IN ('waiting', 'running')";
	struct statement st;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_time(&st, now);
	bind_int(&st, job);
	return statement_run(&st, "trials", NULL, e);
}

/* Ends a query for one row, which `missing` describes. */
static enum err take_one(struct statement *st, const char *missing, struct trial_row *ret, struct errinfo *e)
{
	struct trial_row r;
	bool found;
	trial_row_init(&r);
	enum err err = statement_step(st, missing, &found, e);
	if (!err && found)
		row_take(st, &r);
	else if (!err)
		err = err_set(e, ERR_NOT_FOUND, "there is no %s", missing);
	enum err ended = statement_end(st, err ? NULL : e);
	if (!err)
		err = ended;
	if (err)
		trial_row_fini(&r);
	else
		*ret = r;
	return err;
}

enum err trial_load(struct store *s, int64_t job, int64_t number, struct trial_row *ret, struct errinfo *e)
{
	static const char sql[] = SELECT_TRIAL "WHERE job = ? AND number = ?";
	struct statement st;
	char subject[48];
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, job);
	bind_int(&st, number);
	return take_one(&st, subject_of(job, number, subject), ret, e);
}

/* Rows are numbered as they are inserted: the lowest rowid is the oldest, and the index ends in it. */
enum err trial_find(struct store *s, const char *digest, struct trial_row *ret, struct errinfo *e)
{
	static const char sql[] = SELECT_TRIAL "WHERE digest = ? AND state = 'complete' ORDER BY rowid LIMIT 1";
	struct statement st;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_text(&st, digest);
	return take_one(&st, "complete trial with that digest", ret, e);
}

enum err trial_next_waiting(struct store *s, int64_t job, struct trial_row *ret, struct errinfo *e)
{
	static const char sql[] = SELECT_TRIAL "WHERE job = ? AND state = 'waiting' ORDER BY number LIMIT 1";
	struct statement st;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, job);
	return take_one(&st, "waiting trial", ret, e);
}

enum err trial_count(struct store *s, int64_t job, int64_t ret[TRIAL_STATE_COUNT], struct errinfo *e)
{
	static const char sql[] = "SELECT state, count(*) FROM trial WHERE job = ? GROUP BY state";
	struct statement st;
	int64_t counts[TRIAL_STATE_COUNT] = { 0 };
	bool more;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, job);
	while (!(err = statement_step(&st, "trials", &more, e)) && more) {
		int state = take_word(&st, states, TRIAL_STATE_COUNT);
		if (state >= 0)
			counts[state] = take_int(&st);
	}
	enum err ended = statement_end(&st, err ? NULL : e);
	if (!err)
		err = ended;
	for (int i = 0; !err && i < TRIAL_STATE_COUNT; i++)
		ret[i] = counts[i];
	return err;
}

enum err trial_best_accuracy(struct store *s, int64_t job, double *ret, struct errinfo *e)
{
	static const char sql[] = "SELECT max(accuracy) FROM trial "
				  "WHERE job = ?1 AND state = 'complete' AND number > 0 "
				  "AND rung = (SELECT rung FROM trial WHERE job = ?1 AND number = 0)";
	struct statement st;
	bool row;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, job);
	err = statement_step(&st, "trials", &row, e);
	if (!err)
		*ret = take_real(&st);
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

static void take_result(struct statement *st, int64_t job, int rung, struct trial_row *r)
{
	trial_row_init(r);
	r->job = job;
	r->rung = rung;
	r->state = TRIAL_COMPLETE;
	r->number = take_int(st);
	r->feasible = take_int(st);
	r->pareto = take_int(st);
	r->candidate = take_text(st);
	r->metrics.accuracy = take_real(st);
	r->metrics.loss = take_real(st);
	r->metrics.params = take_real(st);
	r->metrics.macs = take_real(st);
	r->metrics.bytes = take_real(st);
	r->metrics.memory = take_real(st);
	r->metrics.latency = take_real(st);
}

/* Of ?1, ?2 and what follows: the plan takes them from an index, in order. */
#define SELECT_RESULT(candidate) \
	"SELECT number, feasible, pareto, " candidate ", accuracy, loss, params, macs, bytes, memory, latency " \
	"FROM trial WHERE " RESULTS
#define RESULTS "job = ?1 AND rung = ?2 AND number > 0 AND state = 'complete' "

static enum err walk_results(struct statement *st, int64_t job, int rung, trial_row_cb *cb, void *arg,
	struct errinfo *e)
{
	bool more;
	enum err err;
	while (!(err = statement_step(st, "trials", &more, e)) && more) {
		struct trial_row r;
		take_result(st, job, rung, &r);
		if (!st->rc)
			err = cb(&r, arg, e);
		trial_row_fini(&r);
		if (err || st->rc)
			break;
	}
	enum err ended = statement_end(st, err ? NULL : e);
	return err ? err : ended;
}

static enum err begin_results(struct store *s, const char *sql, int64_t job, int rung, struct statement *ret,
	struct errinfo *e)
{
	enum err err = statement_begin(s, sql, ret, e);
	if (err)
		return err;
	bind_int(ret, job);
	bind_int(ret, rung);
	return ERR_OK;
}

enum err trial_each_result(struct store *s, int64_t job, int rung, trial_row_cb *cb, void *arg, struct errinfo *e)
{
	static const char sql[] = SELECT_RESULT("candidate") "ORDER BY number";
	struct statement st;
	enum err err = begin_results(s, sql, job, rung, &st, e);
	return err ? err : walk_results(&st, job, rung, cb, arg, e);
}

enum err trial_each_latest(struct store *s, int64_t job, int rung, int most, trial_row_cb *cb, void *arg,
	struct errinfo *e)
{
	static const char sql[] = SELECT_RESULT("candidate") "AND number >= ifnull("
		"(SELECT number FROM trial WHERE " RESULTS "ORDER BY number DESC LIMIT 1 OFFSET ?3), 1) "
		"ORDER BY number";
	struct statement st;
	enum err err = begin_results(s, sql, job, rung, &st, e);
	if (err)
		return err;
	bind_int(&st, most - 1);
	return walk_results(&st, job, rung, cb, arg, e);
}

enum err trial_each_feasible(struct store *s, int64_t job, int rung, trial_row_cb *cb, void *arg, struct errinfo *e)
{
	static const char sql[] = SELECT_RESULT("NULL") "AND feasible = 1 ORDER BY number";
	struct statement st;
	enum err err = begin_results(s, sql, job, rung, &st, e);
	return err ? err : walk_results(&st, job, rung, cb, arg, e);
}

enum err trial_each(struct store *s, int64_t job, bool only_pareto, trial_row_cb *cb, void *arg, struct errinfo *e)
{
	static const char all[] = SELECT_TRIAL "WHERE job = ? ORDER BY number";
	static const char members[] = SELECT_TRIAL "WHERE job = ? AND pareto = 1 ORDER BY accuracy DESC, number";
	struct statement st;
	bool more;
	enum err err = statement_begin(s, only_pareto ? members : all, &st, e);
	if (err)
		return err;
	bind_int(&st, job);
	while (!(err = statement_step(&st, "trials", &more, e)) && more) {
		struct trial_row r;
		row_take(&st, &r);
		if (!st.rc)
			err = cb(&r, arg, e);
		trial_row_fini(&r);
		if (err || st.rc)
			break;
	}
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

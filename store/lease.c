/* lease.c -- who is evaluating what, until when.
 * SPDX-License-Identifier: MIT
 *
 * Only live leases have a row. SQLite remembers the highest id that it gave out in sqlite_sequence, so an id up to that
 * one without a row is a lease that has ended. */
#include "store/lease.h"

#include <stdio.h>
#include <stdlib.h>

#include "store/statement.h"

#define SELECT_LEASE "SELECT id, job, number, kind, exclusive, supervised, worker, granted, expires FROM lease "

static const char *const kinds[] = {
	[LEASE_BASELINE] = "baseline",
	[LEASE_CANDIDATE] = "candidate",
	[LEASE_TEST] = "test",
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *lease_kind_name(enum lease_kind k)
{
	return (unsigned)k < KINDS ? kinds[k] : "unknown";
}

void lease_row_fini(struct lease_row *r)
{
	free(r->worker);
	*r = (struct lease_row){ 0 };
}

static struct lease_row row_of(struct statement *st)
{
	struct lease_row r = { .id = take_int(st) };
	r.job = take_int(st);
	r.number = take_int(st);
	r.kind = (enum lease_kind)take_word(st, kinds, KINDS);
	r.exclusive = take_int(st);
	r.supervised = take_int(st);
	r.worker = take_text(st);
	r.granted = take_int(st);
	r.expires = take_int(st);
	return r;
}

enum err lease_insert(struct store *s, const struct lease_row *r, int64_t *ret_id, struct errinfo *e)
{
	static const char sql[] =
		"INSERT INTO lease(job, number, kind, exclusive, supervised, worker, granted, expires) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
	struct statement st;
	char subject[64];
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, r->job);
	bind_int(&st, r->number);
	bind_text(&st, lease_kind_name(r->kind));
	bind_int(&st, r->exclusive);
	bind_int(&st, r->supervised);
	bind_text(&st, r->worker);
	bind_int(&st, r->granted);
	bind_int(&st, r->expires);
	snprintf(subject, sizeof subject, "lease of trial %lld.%lld", (long long)r->job, (long long)r->number);
	err = statement_run(&st, subject, NULL, e);
	if (!err)
		*ret_id = sqlite3_last_insert_rowid(s->db);
	return err;
}

/* The error for an id without a row: one that was given out is over. */
static enum err absent(struct store *s, int64_t id, struct errinfo *e)
{
	static const char sql[] = "SELECT ? BETWEEN 1 AND seq FROM sqlite_sequence WHERE name = 'lease'";
	struct statement st;
	bool row;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, id);
	err = statement_step(&st, "lease", &row, e);
	bool ended = !err && row && take_int(&st);
	enum err end = statement_end(&st, err ? NULL : e);
	if (err || end)
		return err ? err : end;
	if (ended)
		return err_set(e, ERR_GONE, "lease %lld is over", (long long)id);
	return err_set(e, ERR_NOT_FOUND, "there is no lease %lld", (long long)id);
}

enum err lease_load(struct store *s, int64_t id, struct lease_row *ret, struct errinfo *e)
{
	static const char sql[] = SELECT_LEASE "WHERE id = ?";
	struct statement st;
	struct lease_row r = { 0 };
	bool found = false;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, id);
	err = statement_step(&st, "lease", &found, e);
	if (!err && found)
		r = row_of(&st);
	enum err ended = statement_end(&st, err ? NULL : e);
	if (!err)
		err = ended;
	if (!err && !found)
		err = absent(s, id, e);
	if (err)
		lease_row_fini(&r);
	else
		*ret = r;
	return err;
}

/* Runs a write that is about one lease. */
static enum err run_on_one(struct store *s, struct statement *st, int64_t id, struct errinfo *e)
{
	int64_t changed;
	enum err err = statement_run(st, "lease", &changed, e);
	return err || changed ? err : absent(s, id, e);
}

enum err lease_extend(struct store *s, int64_t id, int64_t expires, struct errinfo *e)
{
	static const char sql[] = "UPDATE lease SET expires = ? WHERE id = ?";
	struct statement st;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, expires);
	bind_int(&st, id);
	return run_on_one(s, &st, id, e);
}

enum err lease_end(struct store *s, int64_t id, struct errinfo *e)
{
	static const char sql[] = "DELETE FROM lease WHERE id = ?";
	struct statement st;
	enum err err = statement_begin_write(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, id);
	return run_on_one(s, &st, id, e);
}

/* There are as many live leases as busy workers, so one statement serves both uses, without an index. */
enum err lease_each(struct store *s, int64_t job, lease_row_cb *cb, void *arg, struct errinfo *e)
{
	static const char sql[] = SELECT_LEASE "WHERE ?1 = 0 OR job = ?1 ORDER BY id";
	struct statement st;
	bool more;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	bind_int(&st, job);
	while (!(err = statement_step(&st, "lease", &more, e)) && more) {
		struct lease_row r = row_of(&st);
		if (!st.rc)
			err = cb(&r, arg, e);
		lease_row_fini(&r);
		if (err || st.rc)
			break;
	}
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

enum err lease_count(struct store *s, int64_t *ret, struct errinfo *e)
{
	static const char sql[] = "SELECT count(*) FROM lease";
	struct statement st;
	bool row;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	err = statement_step(&st, "lease", &row, e);
	if (!err)
		*ret = take_int(&st);
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

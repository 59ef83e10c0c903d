/* statement.c -- prepared statements with their parameters and columns in order.
 * SPDX-License-Identifier: MIT */
#include "store/statement.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum err code_of(int extended)
{
	switch (extended) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
		return ERR_CONFLICT;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return ERR_NOT_FOUND;
	default:
		break;
	}
	switch (extended & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_UNAVAILABLE;
	case SQLITE_NOMEM:
		return ERR_MEMORY;
	case SQLITE_TOOBIG:
		return ERR_LIMIT;
	case SQLITE_IOERR:
	case SQLITE_FULL:
	case SQLITE_CANTOPEN:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_PROTOCOL:
		return ERR_IO;
	default:
		return ERR_INTERNAL;
	}
}

enum err statement_failure(struct store *s, const char *subject, struct errinfo *e)
{
	int extended = sqlite3_extended_errcode(s->db);
	enum err err = code_of(extended);
	if (s->dirty && sqlite3_get_autocommit(s->db))
		s->lost = true;
	if (err == ERR_UNAVAILABLE)
		return err_set(e, err,
			"%s: %s/pared.db is locked by another program; end its transaction and try again", subject,
			s->directory);
	if (err == ERR_NOT_FOUND)
		return err_set(e, err, "%s: what it belongs to does not exist", subject);
	return err_set(
		e, err, "%s: %s/pared.db: %s (SQLite %d)", subject, s->directory, sqlite3_errmsg(s->db), extended);
}

static struct prepared *prepared_for(struct store *s, const char *sql)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->prepared[i].sql == sql)
			return s->prepared[i].busy ? NULL : &s->prepared[i];
	if (s->count == STATEMENT_CACHE)
		return NULL;
	struct prepared *fresh = &s->prepared[s->count++];
	*fresh = (struct prepared){ .sql = sql };
	return fresh;
}

enum err statement_begin(struct store *s, const char *sql, struct statement *ret, struct errinfo *e)
{
	struct statement st = { .store = s, .slot = prepared_for(s, sql) };
	if (st.slot)
		st.stmt = st.slot->stmt;
	unsigned flags = st.slot ? SQLITE_PREPARE_PERSISTENT : 0;
	if (!st.stmt && sqlite3_prepare_v3(s->db, sql, -1, flags, &st.stmt, NULL))
		return statement_failure(s, "database", e);
	if (st.slot) {
		st.slot->stmt = st.stmt;
		st.slot->busy = true;
	}
	*ret = st;
	return ERR_OK;
}

static enum err transaction_begin(struct store *s, struct errinfo *e)
{
	static const char sql[] = "BEGIN IMMEDIATE";
	struct statement st;
	if (s->lost)
		return err_set(e, ERR_IO,
			"%s/pared.db: the transaction was lost, nothing can be written before it is ended",
			s->directory);
	if (s->dirty)
		return ERR_OK;
	enum err err = statement_begin(s, sql, &st, e);
	if (!err)
		err = statement_run(&st, "transaction", NULL, e);
	s->dirty = !err;
	return err;
}

enum err statement_begin_write(struct store *s, const char *sql, struct statement *ret, struct errinfo *e)
{
	enum err err = transaction_begin(s, e);
	return err ? err : statement_begin(s, sql, ret, e);
}

static void note(struct statement *st, int rc)
{
	if (rc && !st->rc)
		st->rc = rc;
}

void bind_int(struct statement *st, int64_t x)
{
	note(st, sqlite3_bind_int64(st->stmt, ++st->at, x));
}

void bind_time(struct statement *st, int64_t ms)
{
	if (ms)
		bind_int(st, ms);
	else
		note(st, sqlite3_bind_null(st->stmt, ++st->at));
}

void bind_real(struct statement *st, double x)
{
	if (isnan(x))
		note(st, sqlite3_bind_null(st->stmt, ++st->at));
	else
		note(st, sqlite3_bind_double(st->stmt, ++st->at, x));
}

void bind_text(struct statement *st, const char *text)
{
	note(st, sqlite3_bind_text(st->stmt, ++st->at, text, -1, SQLITE_STATIC));
}

enum err statement_step(struct statement *st, const char *subject, bool *ret_row, struct errinfo *e)
{
	if (st->rc)
		return err_set(e, st->rc == SQLITE_TOOBIG ? ERR_LIMIT : ERR_INTERNAL, "%s: a value can't be stored: %s",
			subject, sqlite3_errstr(st->rc));
	int rc = sqlite3_step(st->stmt);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		return statement_failure(st->store, subject, e);
	st->at = -1;
	*ret_row = rc == SQLITE_ROW;
	return ERR_OK;
}

int64_t take_int(struct statement *st)
{
	return sqlite3_column_int64(st->stmt, ++st->at);
}

double take_real(struct statement *st)
{
	++st->at;
	return sqlite3_column_type(st->stmt, st->at) == SQLITE_NULL ? NAN : sqlite3_column_double(st->stmt, st->at);
}

char *take_text(struct statement *st)
{
	++st->at;
	if (sqlite3_column_type(st->stmt, st->at) == SQLITE_NULL)
		return NULL;
	const char *text = (const char *)sqlite3_column_text(st->stmt, st->at);
	char *copy = text ? strdup(text) : NULL;
	if (!copy)
		note(st, SQLITE_NOMEM);
	return copy;
}

int take_word(struct statement *st, const char *const *names, int n)
{
	const char *text = (const char *)sqlite3_column_text(st->stmt, ++st->at);
	for (int i = 0; text && i < n; i++)
		if (!strcmp(text, names[i]))
			return i;
	return -1;
}

enum err statement_end(struct statement *st, struct errinfo *e)
{
	if (st->slot) {
		sqlite3_reset(st->stmt);
		sqlite3_clear_bindings(st->stmt);
		st->slot->busy = false;
	} else {
		sqlite3_finalize(st->stmt);
	}
	return st->rc == SQLITE_NOMEM ? err_set(e, ERR_MEMORY, "out of memory") : ERR_OK;
}

enum err statement_run(struct statement *st, const char *subject, int64_t *ret_changed, struct errinfo *e)
{
	bool row;
	enum err err = statement_step(st, subject, &row, e);
	if (!err && ret_changed)
		*ret_changed = sqlite3_changes64(st->store->db);
	enum err ended = statement_end(st, err ? NULL : e);
	return err ? err : ended;
}

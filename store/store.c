/* store.c -- the one database: open, migrate, commit.
 * SPDX-License-Identifier: MIT
 *
 * Two daemons on one directory are kept apart by flock on a file of our own: locks on pared.db itself belong to SQLite
 * and let readers in. The lock goes with the process, however it ends; children don't inherit the descriptor over exec.
 */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "store/blob.h"
#include "store/schema.h"
#include "store/statement.h"

enum { BUSY_TIMEOUT_MS = 2000 };

static const char settings[] = "PRAGMA synchronous = FULL;"
			       "PRAGMA foreign_keys = ON;"
			       "PRAGMA journal_size_limit = 67108864;";

static enum err lock_directory(struct store *s, struct errinfo *e)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof path, "%s/pared.lock", s->directory) >= sizeof path)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", s->directory);
	s->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (s->lock < 0)
		return err_errno(e, "%s", path);
	if (!flock(s->lock, LOCK_EX | LOCK_NB))
		return ERR_OK;
	if (errno == EWOULDBLOCK)
		return err_set(e, ERR_CONFLICT, "%s: is in use by another pared", s->directory);
	return err_errno(e, "%s", path);
}

/* SQLite answers with the mode that it could reach: a file system without shared memory keeps the old one. */
static enum err use_wal(struct store *s, struct errinfo *e)
{
	static const char sql[] = "PRAGMA journal_mode = WAL";
	static const char *const wal[] = { "wal" };
	struct statement st;
	bool row;
	enum err err = statement_begin(s, sql, &st, e);
	if (err)
		return err;
	err = statement_step(&st, "open", &row, e);
	if (!err && take_word(&st, wal, 1) < 0)
		err = err_set(
			e, ERR_IO, "%s/pared.db: the file system does not support SQLite's WAL mode", s->directory);
	enum err ended = statement_end(&st, err ? NULL : e);
	return err ? err : ended;
}

/* The version is looked at before anything is written, WAL mode (which the file remembers) included. */
static enum err open_database(struct store *s, struct errinfo *e)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof path, "%s/pared.db", s->directory) >= sizeof path)
		return err_set(e, ERR_INPUT, "%.200s...: the path is too long", s->directory);
	int rc = sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
	if (!s->db)
		return err_set(e, ERR_MEMORY, "out of memory");
	if (rc || sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS))
		return statement_failure(s, "open", e);
	enum err err = schema_check(s, e);
	if (!err)
		err = use_wal(s, e);
	if (err)
		return err;
	if (sqlite3_exec(s->db, settings, NULL, NULL, NULL))
		return statement_failure(s, "open", e);
	return schema_migrate(s, e);
}

enum err store_open(const char *directory, struct store **ret, struct errinfo *e)
{
	enum err err = file_make_directory(directory, e);
	if (err)
		return err;
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->lock = -1;
	s->directory = strdup(directory);
	err = s->directory ? lock_directory(s, e) : err_set(e, ERR_MEMORY, "out of memory");
	if (!err)
		err = blob_prepare(s->directory, e);
	if (!err)
		err = open_database(s, e);
	if (err)
		store_close(s);
	else
		*ret = s;
	return err;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	store_rollback(s);
	for (size_t i = 0; i < s->count; i++)
		sqlite3_finalize(s->prepared[i].stmt);
	sqlite3_close(s->db);
	if (s->lock >= 0)
		close(s->lock);
	free(s->directory);
	free(s);
}

bool store_dirty(const struct store *s)
{
	return s->dirty;
}

enum err store_commit(struct store *s, struct errinfo *e)
{
	static const char sql[] = "COMMIT";
	struct statement st;
	if (!s->dirty)
		return ERR_OK;
	enum err err = s->lost
		? err_set(e, ERR_IO, "%s/pared.db: the transaction was lost to an earlier failure", s->directory)
		: statement_begin(s, sql, &st, e);
	if (!err)
		err = statement_run(&st, "commit", NULL, e);
	if (err)
		store_rollback(s);
	s->dirty = false;
	return err;
}

void store_rollback(struct store *s)
{
	if (s->dirty && !sqlite3_get_autocommit(s->db))
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	s->dirty = false;
	s->lost = false;
}

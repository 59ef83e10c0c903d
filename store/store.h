/* store.h -- the one database: open, migrate, commit.
 * SPDX-License-Identifier: MIT
 *
 * SQLite in WAL mode with synchronous=FULL. The daemon is the only writer; people read it with sqlite3 while it runs.
 * Writes of one turn of the event loop form one transaction: the first write opens it, store_commit ends it (group
 * commit), and nothing is acknowledged to anybody before. Not thread-safe: one thread. Functions of job.h, trial.h,
 * lease.h and blob.h take this handle; strings they return inside rows live until the row's fini. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct store;

enum { STORE_SCHEMA = 3 };

/* Opens or makes directory/pared.db and directory/blobs/, and migrates an older schema step by step, each step one
 * transaction. A newer schema is ERR_CONFLICT and is left alone; so is a directory that another process holds open by
 * store_open. */
enum err store_open(const char *directory, struct store **ret, struct errinfo *e) __attribute__((warn_unused_result));
/* Rolls back what is not committed. */
void store_close(struct store *s);

/* Whether there are uncommitted writes. */
bool store_dirty(const struct store *s);
/* On failure nothing since the last commit is kept. Any write, too, may fail with the disk full and take the
 * transaction with it: every later write and the commit then fail, until store_commit has said so or store_rollback was
 * called. A person's sqlite3 that holds the write lock makes the first write of a transaction ERR_UNAVAILABLE after 2
 * s, with nothing lost. */
enum err store_commit(struct store *s, struct errinfo *e) __attribute__((warn_unused_result));
void store_rollback(struct store *s);

#endif

/* statement.h -- inside of store/: the handle, and prepared statements with their parameters and columns in order.
 * SPDX-License-Identifier: MIT
 *
 * A statement is prepared once and kept in the handle, found again by the address of its SQL, so every SQL text is one
 * static string. Parameters are bound and columns are taken from left to right without numbers:
 *
 *     statement_begin -> bind_... -> statement_step -> take_... -> statement_end
 *
 * A failed bind (a text beyond SQLite's limit) shows in statement_step, a failed take (memory) in statement_end. */
#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

enum { STATEMENT_CACHE = 64 };

struct prepared {
	const char *sql;
	sqlite3_stmt *stmt;
	bool busy; /* a walk is in the middle of it; a nested one gets its own */
};

struct store {
	sqlite3 *db;
	char *directory;
	int lock;   /* descriptor of the lock file, -1: none */
	bool dirty; /* a transaction is open */
	bool lost;  /* SQLite gave the open transaction up by itself (disk full); it is still to be ended */
	struct prepared prepared[STATEMENT_CACHE];
	size_t count;
};

struct statement {
	struct store *store;
	sqlite3_stmt *stmt;
	struct prepared *slot; /* NULL: not cached, finalized at the end */
	int at;                /* the parameter bound or the column taken last */
	int rc;                /* the first failure of a bind or a take */
};

/* What SQLite's last failure on this handle means here. `subject` starts the message: "trial 7.41". */
enum err statement_failure(struct store *s, const char *subject, struct errinfo *e);

/* Begins a query, or a write: that one opens the transaction when none is open. On failure there is nothing to end. */
enum err statement_begin(struct store *s, const char *sql, struct statement *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err statement_begin_write(struct store *s, const char *sql, struct statement *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

void bind_int(struct statement *st, int64_t x);
void bind_time(struct statement *st, int64_t ms);       /* 0: NULL */
void bind_real(struct statement *st, double x);         /* NaN: NULL */
void bind_text(struct statement *st, const char *text); /* NULL: NULL; borrowed until statement_end */

enum err statement_step(struct statement *st, const char *subject, bool *ret_row, struct errinfo *e)
	__attribute__((warn_unused_result));

int64_t take_int(struct statement *st); /* NULL: 0 */
double take_real(struct statement *st); /* NULL: NaN */
char *take_text(struct statement *st);  /* NULL: NULL; the caller frees */
/* The index of the column's word among the n names; -1 when it is none of them. */
int take_word(struct statement *st, const char *const *names, int n);

/* ERR_MEMORY when a take failed. */
enum err statement_end(struct statement *st, struct errinfo *e) __attribute__((warn_unused_result));

/* One whole write: steps it to its end and ends it. ret_changed (may be NULL) is the number of rows touched. */
enum err statement_run(struct statement *st, const char *subject, int64_t *ret_changed, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* table.h -- aligned columns for people.
 * SPDX-License-Identifier: MIT
 *
 * Cells are given row by row, left to right. A row that is not full when the table is printed is a bug of the caller.
 */
#ifndef CLIENT_TABLE_H
#define CLIENT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

enum table_column_kind {
	TABLE_LEFT,   /* text */
	TABLE_RIGHT,  /* numbers */
	TABLE_SPARSE, /* numbers, left out altogether when no row has one */
	TABLE_NOTE,   /* text, left out when no row has one, nothing is shown for "-" */
};

struct table_column {
	const char *title;
	enum table_column_kind kind;
};

struct table;

/* columns must outlive the table. NULL when there is no memory. */
struct table *table_new(const struct table_column *columns, int count);
void table_free(struct table *t);

/* The text is copied and cleaned of what could steer a terminal; NULL or "-": no value. Memory that was missing is
 * reported by table_print. */
void table_cell(struct table *t, const char *text);

/* Titles in bold when `bold`. No line ends in blanks. */
enum err table_print(const struct table *t, FILE *out, bool bold, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* table.c -- aligned columns for people.
 * SPDX-License-Identifier: MIT */
#include "client/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/format.h"

enum { CELL_MAX = 256 };

struct table {
	const struct table_column *columns;
	int column_count;
	char **cells; /* row after row */
	size_t count, capacity;
	bool out_of_memory;
};

struct table *table_new(const struct table_column *columns, int count)
{
	struct table *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->columns = columns;
	t->column_count = count;
	return t;
}

void table_free(struct table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i]);
	free(t->cells);
	free(t);
}

void table_cell(struct table *t, const char *text)
{
	char clean[CELL_MAX];
	if (t->count == t->capacity) {
		size_t capacity = t->capacity ? 2 * t->capacity : 64;
		char **grown = reallocarray(t->cells, capacity, sizeof *grown);
		if (!grown) {
			t->out_of_memory = true;
			return;
		}
		t->cells = grown;
		t->capacity = capacity;
	}
	format_clean(text && *text ? text : "-", clean, sizeof clean);
	char *copy = strdup(clean);
	if (copy)
		t->cells[t->count++] = copy;
	else
		t->out_of_memory = true;
}

static bool absent(const char *cell)
{
	return !strcmp(cell, "-");
}

/* Columns of the terminal that column c takes; 0: it is not shown. */
static int width_of(const struct table *t, int c)
{
	bool some = false;
	int width = format_width(t->columns[c].title);
	for (size_t i = (size_t)c; i < t->count; i += (size_t)t->column_count) {
		int w = format_width(t->cells[i]);
		some = some || !absent(t->cells[i]);
		width = w > width ? w : width;
	}
	bool optional = t->columns[c].kind == TABLE_SPARSE || t->columns[c].kind == TABLE_NOTE;
	return optional && !some ? 0 : width;
}

/* One line of cells (titles when cells is NULL); blanks are held back until something follows them. */
static void print_row(const struct table *t, char *const *cells, const int *widths, FILE *out)
{
	int owed = 0;
	for (int c = 0; c < t->column_count; c++) {
		const char *text = cells ? cells[c] : t->columns[c].title;
		bool left = t->columns[c].kind == TABLE_LEFT || t->columns[c].kind == TABLE_NOTE;
		if (!widths[c])
			continue;
		if (t->columns[c].kind == TABLE_NOTE && absent(text))
			text = "";
		int fill = widths[c] - format_width(text);
		if (*text)
			fprintf(out, "%*s%s", owed + (left ? 0 : fill), "", text);
		owed = *text ? (left ? fill : 0) : owed + widths[c];
		owed += 2;
	}
}

enum err table_print(const struct table *t, FILE *out, bool bold, struct errinfo *e)
{
	int *widths = calloc((size_t)t->column_count, sizeof *widths);
	if (!widths || t->out_of_memory) {
		free(widths);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	assert(t->count % (size_t)t->column_count == 0);
	for (int c = 0; c < t->column_count; c++)
		widths[c] = width_of(t, c);
	fputs(bold ? "\033[1m" : "", out);
	print_row(t, NULL, widths, out);
	fputs(bold ? "\033[0m\n" : "\n", out);
	for (size_t i = 0; i < t->count; i += (size_t)t->column_count) {
		print_row(t, t->cells + i, widths, out);
		fputc('\n', out);
	}
	free(widths);
	return ERR_OK;
}

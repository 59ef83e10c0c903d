/* option.c -- the options of a verb on the command line, taken apart by a table.
 * SPDX-License-Identifier: MIT */
#include "evaluator/option.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* strtod with nothing before or behind the number. */
static bool number_of(const char *text, double *ret)
{
	char *end;
	errno = 0;
	double x = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(x) || strspn(text, " \t\n") > 0)
		return false;
	*ret = x;
	return true;
}

static const char *shown(const struct option_row *r)
{
	return r->name ? r->name : r->value;
}

enum { DIGITS = 16 /* so that 2^53 has no exponent */ };

static enum err take_number(const struct option_row *r, const char *text, void *member, struct errinfo *e)
{
	double x = 0;
	bool whole = r->kind == OPTION_COUNT;
	if (!number_of(text, &x) || x < r->min || x > r->max || (whole && x != floor(x)))
		return err_set(e, ERR_INPUT, "%s: is '%.60s', expected %s from %.*g to %.*g", shown(r), text,
			whole ? "a whole number" : "a number", DIGITS, r->min, DIGITS, r->max);
	if (whole)
		*(size_t *)member = (size_t)x;
	else
		*(double *)member = x;
	return ERR_OK;
}

static enum err take(const struct option_row *r, const char *text, void *member, struct errinfo *e)
{
	switch (r->kind) {
	case OPTION_FLAG:
		*(bool *)member = true;
		return ERR_OK;
	case OPTION_COUNT:
	case OPTION_NUMBER:
		return take_number(r, text, member, e);
	case OPTION_TEXT:
		break;
	}
	if (!*text)
		return err_set(e, ERR_INPUT, "%s: is empty, expected %s", shown(r), r->value);
	*(const char **)member = text;
	return ERR_OK;
}

/* The row for an argument: by its name up to '=', or the nameless one. */
static const struct option_row *row_of(const struct option_row *rows, size_t n, const char *arg, bool named)
{
	size_t len = strcspn(arg, "=");
	for (size_t i = 0; i < n; i++) {
		const char *name = rows[i].name;
		if (named ? name && strlen(name) == len && !memcmp(name, arg, len) : !name)
			return &rows[i];
	}
	return NULL;
}

static enum err check_required(const char *verb, const struct option_row *rows, size_t n, const bool *seen,
	struct errinfo *e)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].required && !seen[i])
			return err_set(e, ERR_INPUT, "%s: %s%s%s is missing (see pare-worker --help)", verb,
				rows[i].name ? rows[i].name : "", rows[i].name ? " " : "", rows[i].value);
	return ERR_OK;
}

enum err option_read(int argc, char **argv, const struct option_row *rows, size_t n, void *out, struct errinfo *e)
{
	enum { MOST_ROWS = 16 };
	bool seen[MOST_ROWS] = { false }, names_end = false;
	assert(n <= MOST_ROWS);
	for (int i = 2; i < argc; i++) {
		const char *arg = argv[i], *text = arg;
		bool named = !names_end && arg[0] == '-' && arg[1];
		if (named && !strcmp(arg, "--")) {
			names_end = true;
			continue;
		}
		const struct option_row *r = row_of(rows, n, arg, named);
		if (!r)
			return err_set(e, ERR_INPUT, "%s: unknown %s '%.80s' (see pare-worker --help)", argv[1],
				named ? "option" : "argument", arg);
		if (seen[r - rows])
			return err_set(e, ERR_INPUT, "%s: %s is given twice", argv[1], shown(r));
		seen[r - rows] = true;
		const char *equals = named ? strchr(arg, '=') : NULL;
		if (equals && r->kind == OPTION_FLAG)
			return err_set(e, ERR_INPUT, "%s: %s takes no value", argv[1], r->name);
		if (named && r->kind != OPTION_FLAG) {
			if (!equals && i + 1 == argc)
				return err_set(e, ERR_INPUT, "%s: %s needs a value: %s", argv[1], r->name, r->value);
			text = equals ? equals + 1 : argv[++i];
		}
		enum err err = take(r, text, (char *)out + r->offset, e);
		if (err)
			return err_wrap(e, "%s", argv[1]);
	}
	return check_required(argv[1], rows, n, seen, e);
}

enum err option_numbers(const char *name, const char *text, float *ret, size_t max, size_t *ret_n, struct errinfo *e)
{
	char part[64];
	size_t n = 0;
	for (const char *p = text;; p++, n++) {
		size_t len = strcspn(p, ",");
		double x;
		snprintf(part, sizeof part, "%.*s", len < sizeof part ? (int)len : (int)sizeof part - 1, p);
		if (!number_of(part, &x) || !isfinite((float)x))
			return err_set(e, ERR_INPUT, "%s: entry %zu is '%s', expected a number", name, n, part);
		if (n == max)
			return err_set(e, ERR_INPUT, "%s: has more than %zu entries", name, max);
		ret[n] = (float)x;
		p += len;
		if (!*p)
			break;
	}
	*ret_n = n + 1;
	return ERR_OK;
}

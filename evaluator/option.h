/* option.h -- the options of a verb on the command line, taken apart by a table.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_OPTION_H
#define EVALUATOR_OPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum option_kind {
	OPTION_FLAG,   /* bool */
	OPTION_TEXT,   /* const char *, not empty */
	OPTION_COUNT,  /* size_t, within min..max */
	OPTION_NUMBER, /* double, within min..max */
};

struct option_row {
	const char *name; /* "--json", or "-o" for one letter, or NULL for the one argument without a name */
	const char *value; /* what stands for its value in messages: "FILE" */
	enum option_kind kind;
	size_t offset; /* of the member in the struct being filled */
	bool required; /* otherwise the member keeps the default that the caller put there */
	double min, max;
};

/* Fills *out from argv[2], argv[3], ...: "--name VALUE", "--name=VALUE" and the nameless argument in any order,
 * "--" before an argument that starts with '-'. ERR_INPUT names the option, what was found and what was expected. */
enum err option_read(int argc, char **argv, const struct option_row *rows, size_t n, void *out, struct errinfo *e)
	__attribute__((warn_unused_result));

/* "0.48,0.45,0.40" as floats; *ret_n at most max. */
enum err option_numbers(const char *name, const char *text, float *ret, size_t max, size_t *ret_n, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

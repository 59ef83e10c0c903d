/* args.h -- the command line of pare, taken apart.
 * SPDX-License-Identifier: MIT
 *
 * Options may stand anywhere; the first word that is none is the command, what follows are its operands. */
#ifndef CLIENT_ARGS_H
#define CLIENT_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { ARGS_MAX_OPERANDS = 4, ARGS_MAX_WHERE = 16 };

/* Texts are borrowed from argv. NULL or -1: not given. */
struct args {
	const char *url, *token_file;
	const char *name, *output, *svg, *x;
	int64_t seed, budget, trial;
	bool json, help, version, watch, force;
	const char *command;
	const char *operands[ARGS_MAX_OPERANDS];
	int operand_count;
	const char *where[ARGS_MAX_WHERE];
	int where_count;
	uint32_t seen; /* bit i: option i of the table was given */
};

/* ERR_INPUT names the option, the value and what was expected. Whether the options fit the command is args_check's
 * business. */
enum err args_parse(int argc, char **argv, struct args *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* ERR_INPUT when an option was given that the command doesn't take. */
enum err args_check(const struct args *a, struct errinfo *e) __attribute__((warn_unused_result));

/* The options of a command, or the common ones for NULL, a line each. */
void args_help(FILE *out, const char *command);

/* The one of n words that is nearest to `word` by edits (Damerau and Levenshtein's, a third of its letters at most);
 * NULL when none is near. */
const char *args_nearest(const char *word, const char *const *words, int n);

#endif

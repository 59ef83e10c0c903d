/* args.c -- the command line of pare, taken apart.
 * SPDX-License-Identifier: MIT */
#include "client/args.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { FLAG, TEXT, INTEGER, WHERE };

struct option {
	const char *name;
	char letter;         /* 0: none */
	enum kind kind;
	size_t offset;       /* in struct args */
	int64_t min, max;    /* of an INTEGER */
	const char *command; /* the one that takes it, or several with commas between; NULL: all of them */
	const char *value;   /* what the help calls its value */
	const char *help;
};

#define MEMBER(m) offsetof(struct args, m)
static const struct option options[] = {
	{ "url", 'u', TEXT, MEMBER(url), 0, 0, NULL, "URL",
		"the daemon: unix:PATH or http://HOST:PORT (or PARED_URL; unix:/run/pared/pared.sock)" },
	{ "token-file", 0, TEXT, MEMBER(token_file), 0, 0, NULL, "FILE", "holds the token that TCP asks for" },
	{ "json", 0, FLAG, MEMBER(json), 0, 0, NULL, NULL, "print the daemon's JSON, for programs" },
	{ "help", 'h', FLAG, MEMBER(help), 0, 0, NULL, NULL, "print help and stop" },
	{ "version", 'V', FLAG, MEMBER(version), 0, 0, NULL, NULL, "print the version and stop" },
	{ "watch", 'w', FLAG, MEMBER(watch), 0, 0, "submit", NULL, "follow the job until it ends" },
	{ "name", 0, TEXT, MEMBER(name), 0, 0, "submit", "NAME", "instead of the file's name" },
	{ "seed", 0, INTEGER, MEMBER(seed), 0, INT64_C(1) << 53, "submit", "N", "instead of the file's seed" },
	{ "budget", 0, INTEGER, MEMBER(budget), 1, 1000000, "submit", "N", "instead of the file's budget.trials" },
	{ "svg", 0, TEXT, MEMBER(svg), 0, 0, "pareto", "FILE", "also draw the front; - for standard output" },
	{ "x", 0, TEXT, MEMBER(x), 0, 0, "pareto", "METRIC", "of the drawing: params, macs, bytes, memory or latency" },
	{ "trial", 0, INTEGER, MEMBER(trial), 0, 2000000, "export, explain", "N",
		"the trial's number; 0 is the submitted model" },
	{ "where", 0, WHERE, 0, 0, 0, "best", "BOUND", "such as \"macs<=30%\"; several must all be met" },
	{ "output", 'o', TEXT, MEMBER(output), 0, 0, "export", "FILE", "where to; - for standard output" },
	{ "force", 'f', FLAG, MEMBER(force), 0, 0, "export", NULL, "overwrite FILE" },
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static const struct option *by_name(const char *name, size_t len)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (strlen(options[i].name) == len && !memcmp(options[i].name, name, len))
			return &options[i];
	return NULL;
}

static const struct option *by_letter(char letter)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

static enum err unknown(const char *word, struct errinfo *e)
{
	const char *names[OPTION_COUNT];
	char name[64];
	for (int i = 0; i < OPTION_COUNT; i++)
		names[i] = options[i].name;
	snprintf(name, sizeof name, "%s", word + strspn(word, "-"));
	name[strcspn(name, "=")] = '\0';
	const char *near = word[1] == '-' ? args_nearest(name, names, OPTION_COUNT) : NULL;
	if (near)
		return err_set(e, ERR_INPUT, "%.200s: there is no such option; did you mean --%s?", word, near);
	return err_set(e, ERR_INPUT, "%.200s: there is no such option", word);
}

static enum err add_where(const char *value, struct args *a, struct errinfo *e)
{
	if (a->where_count == ARGS_MAX_WHERE)
		return err_set(e, ERR_INPUT, "--where: is there more than %d times", ARGS_MAX_WHERE);
	a->where[a->where_count++] = value;
	return ERR_OK;
}

static enum err assign(const struct option *o, const char *value, struct args *a, struct errinfo *e)
{
	void *member = (char *)a + o->offset;
	a->seen |= UINT32_C(1) << (o - options);
	if (o->kind == FLAG) {
		*(bool *)member = true;
		return ERR_OK;
	}
	if ((o->kind == TEXT || o->kind == WHERE) && !*value)
		return err_set(e, ERR_INPUT, "--%s: is empty, expected %s", o->name, o->value);
	if (o->kind == WHERE)
		return add_where(value, a, e);
	if (o->kind == TEXT) {
		*(const char **)member = value;
		return ERR_OK;
	}
	char *end;
	errno = 0;
	long long n = strtoll(value, &end, 10);
	if (end == value || *end || errno || n < o->min || n > o->max)
		return err_set(e, ERR_INPUT, "--%s: is '%.100s', expected an integer from %lld to %lld", o->name, value,
			(long long)o->min, (long long)o->max);
	*(int64_t *)member = n;
	return ERR_OK;
}

/* One option at argv[*i]; leaves *i at the last word it used. */
static enum err option(int argc, char **argv, int *i, struct args *a, struct errinfo *e)
{
	const char *word = argv[*i];
	bool is_long = word[1] == '-';
	size_t len = is_long ? strcspn(word + 2, "=") : 1;
	const struct option *o = is_long ? by_name(word + 2, len) : by_letter(word[1]);
	if (!o)
		return unknown(word, e);
	const char *rest = word + (is_long ? 2 : 1) + len; /* "=VALUE", or what stands behind the letter, or "" */
	if (o->kind == FLAG && *rest)
		return err_set(e, ERR_INPUT, "%.200s: --%s takes no value", word, o->name);
	if (o->kind == FLAG)
		return assign(o, NULL, a, e);
	if (*rest)
		return assign(o, rest + is_long, a, e);
	if (*i + 1 >= argc)
		return err_set(e, ERR_INPUT, "%s: has no value, expected %s", word, o->value);
	return assign(o, argv[++*i], a, e);
}

static enum err operand(const char *word, struct args *a, struct errinfo *e)
{
	if (!a->command)
		a->command = word;
	else if (a->operand_count == ARGS_MAX_OPERANDS)
		return err_set(e, ERR_INPUT, "'%.200s': too many operands", word);
	else
		a->operands[a->operand_count++] = word;
	return ERR_OK;
}

enum err args_parse(int argc, char **argv, struct args *ret, struct errinfo *e)
{
	struct args a = { .seed = -1, .budget = -1, .trial = -1 };
	bool only_operands = false;
	enum err err = ERR_OK;
	for (int i = 1; i < argc && !err; i++) {
		if (!only_operands && !strcmp(argv[i], "--"))
			only_operands = true;
		else if (!only_operands && argv[i][0] == '-' && argv[i][1])
			err = option(argc, argv, &i, &a, e);
		else
			err = operand(argv[i], &a, e);
	}
	if (!err)
		*ret = a;
	return err;
}

/* Whether the command is one of the option's. */
static bool belongs(const struct option *o, const char *command)
{
	size_t len = strlen(command);
	for (const char *p = o->command; p; p = strchr(p, ',')) {
		p += strspn(p, ", ");
		if (!strncmp(p, command, len) && (!p[len] || p[len] == ','))
			return true;
	}
	return false;
}

enum err args_check(const struct args *a, struct errinfo *e)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &options[i];
		if ((a->seen >> i & 1) && o->command && !belongs(o, a->command))
			return err_set(
				e, ERR_INPUT, "--%s: belongs to '%s', not to '%s'", o->name, o->command, a->command);
	}
	return ERR_OK;
}

void args_help(FILE *out, const char *command)
{
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option *o = &options[i];
		char left[64];
		if (command ? !belongs(o, command) : o->command != NULL)
			continue;
		snprintf(left, sizeof left, "%c%c%s--%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
			o->letter ? ", " : "  ", o->name, o->value ? " " : "", o->value ? o->value : "");
		fprintf(out, "  %-22s  %s\n", left, o->help);
	}
}

static int smaller(int a, int b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, substitutions and swaps of neighbours that turn a into b. */
static int edits(const char *a, const char *b)
{
	enum { LONGEST = 32 };
	int d[LONGEST + 1][LONGEST + 1];
	int n = (int)strlen(a), m = (int)strlen(b);
	if (n > LONGEST || m > LONGEST)
		return LONGEST;
	for (int i = 0; i <= n; i++)
		for (int j = 0; j <= m; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = smaller(
				smaller(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = smaller(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

const char *args_nearest(const char *word, const char *const *words, int n)
{
	const char *best = NULL;
	int least = (int)(strlen(word) + 2) / 3 + 1;
	for (int i = 0; i < n; i++) {
		int distance = edits(word, words[i]);
		if (distance < least) {
			least = distance;
			best = words[i];
		}
	}
	return best;
}

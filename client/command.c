/* command.c -- pare: from a command line to an exit code.
 * SPDX-License-Identifier: MIT */
#include "client/command.h"

#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/http.h"
#include "client/args.h"

enum { LARGEST_TOKEN_FILE = 4096 };

struct command {
	const char *name, *operand; /* operand: NULL when it takes none */
	command_run *run;
	const char *summary, *help;
};

static const struct command commands[] = {
	{ "submit", "FILE", submit_run, "send a job file and what it names, print the job's number",
		"Reads a job file (JSON with comments), uploads the model and the data that it names unless\n"
		"the daemon has them already, and creates the job. File names count from the job file's folder." },
	{ "watch", "JOB", watch_run, "follow a job until it ends, then print its Pareto set",
		"Ctrl-C stops watching; the job goes on." },
	{ "jobs", NULL, jobs_run, "list the jobs", "Newest first." },
	{ "show", "JOB", show_run, "print what is known about a job, or a trial (JOB.NUMBER)",
		"With a job's groups of channels, or a trial's channels that stay in each." },
	{ "trials", "JOB", trials_run, "list a job's trials",
		"REMOVED is the fraction of the unpruned model's that is gone." },
	{ "pareto", "JOB", pareto_run, "print or draw a job's Pareto set",
		"The models of which none is better in every objective; best accuracy first, the unpruned model\n"
		"above them. ACCURACY is that on the held-out images, TEST that on the test set." },
	{ "best", "JOB", best_run, "print a job's best trial that meets bounds (--where \"macs<=30%\")",
		"Best is the first of the job's objectives, among the complete trials of the last rung that keep the\n"
		"job's constraints; of jobs under way, so far. A bound is METRIC <= or >= NUMBER, NUMBER%, baseline,\n"
		"baseline + NUMBER or baseline - NUMBER; a percentage is of the unpruned model's." },
	{ "explain", "JOB", explain_run, "print what a job's search learned of each group of channels",
		"And why one candidate keeps what it keeps: that of --trial, or the best of the Pareto set with at\n"
		"most half of the cost. From the results so far, at rung 0 when there are several." },
	{ "export", "JOB", export_run, "fetch a trial's model (ONNX)",
		"The file's digest is checked before it gets its name." },
	{ "finish", "JOB", change_run, "propose no more trials of a job and bring it to its end",
		"Trials that are under way, and those that go up from them, are completed; then the test set is\n"
		"scored." },
	{ "cancel", "JOB", change_run, "end a job early; what is complete stays",
		"Trials that are running are dropped." },
	{ "pause", "JOB", change_run, "hand out no more trials of a job", "Trials that are running are finished." },
	{ "resume", "JOB", change_run, "go on with a paused job", "" },
	{ "workers", NULL, workers_run, "list the workers", "" },
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static const struct command *command_named(const char *name)
{
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static void help_all(FILE *out)
{
	fprintf(out, "usage: pare [-u URL] [--token-file FILE] [--json] COMMAND ...\n\n"
		     "Gives a trained network to pared and takes the best smaller ones from it.\n\ncommands:\n");
	for (int i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-8s%-6s%s\n", commands[i].name, commands[i].operand ? commands[i].operand : "",
			commands[i].summary);
	fprintf(out, "  help    [COMMAND]\n\noptions:\n");
	args_help(out, NULL);
	fprintf(out, "\nThe manual: man pare\n");
}

static void help_command(FILE *out, const struct command *c)
{
	fprintf(out, "usage: pare %s%s%s [OPTION ...]\n\n", c->name, c->operand ? " " : "",
		c->operand ? c->operand : "");
	fprintf(out, "%c%s.\n%s%s\n", toupper(c->summary[0]), c->summary + 1, c->help, *c->help ? "\n" : "");
	fprintf(out, "options:\n");
	args_help(out, c->name);
	args_help(out, NULL);
}

enum exit_code exit_code_of(enum err err)
{
	switch (err) {
	case ERR_OK: return CODE_OK;
	case ERR_INPUT: case ERR_UNSUPPORTED: return CODE_USAGE;
	case ERR_NOT_FOUND: return CODE_NOT_FOUND;
	case ERR_UNAVAILABLE: return CODE_UNREACHABLE;
	case ERR_CONFLICT: case ERR_GONE: return CODE_CONFLICT;
	case ERR_LIMIT: case ERR_DENIED: case ERR_MEMORY: case ERR_IO: case ERR_INTERNAL: return CODE_OTHER;
	}
	return CODE_OTHER;
}

static enum err no_command(const char *name, struct errinfo *e)
{
	const char *names[COMMAND_COUNT];
	for (int i = 0; i < COMMAND_COUNT; i++)
		names[i] = commands[i].name;
	const char *near = args_nearest(name, names, COMMAND_COUNT);
	if (near)
		return err_set(e, ERR_INPUT, "'%.100s': there is no such command; did you mean '%s'?", name, near);
	return err_set(e, ERR_INPUT, "'%.100s': there is no such command; 'pare help' lists them", name);
}

/* help, help COMMAND, COMMAND --help */
static enum err help(const struct args *a, FILE *out, struct errinfo *e)
{
	bool verb = a->command && !strcmp(a->command, "help");
	const char *about = verb ? (a->operand_count ? a->operands[0] : NULL) : a->command;
	const struct command *c = about && strcmp(about, "help") ? command_named(about) : NULL;
	if (about && !c && strcmp(about, "help"))
		return no_command(about, e);
	if (c)
		help_command(out, c);
	else
		help_all(out);
	return ERR_OK;
}

static enum err read_token(const char *path, char **ret, struct errinfo *e)
{
	size_t len;
	if (file_read(path, LARGEST_TOKEN_FILE, ret, &len, e)) {
		err_wrap(e, "--token-file");
		return e->code = e->code == ERR_MEMORY ? ERR_MEMORY : ERR_INPUT;
	}
	while (len && isspace((unsigned char)(*ret)[len - 1]))
		(*ret)[--len] = '\0';
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)(*ret)[i]))
			len = 0;
	if (len)
		return ERR_OK;
	free(*ret);
	*ret = NULL;
	return err_set(
		e, ERR_INPUT, "--token-file: %s: holds no token, expected one line of visible ASCII characters", path);
}

static enum err run(struct client *c, const struct command *command, struct errinfo *e)
{
	const struct args *a = c->args;
	int expected = command->operand ? 1 : 0;
	if (args_check(a, e))
		return e->code;
	if (a->operand_count < expected)
		return err_set(e, ERR_INPUT, "%s: expected %s; 'pare help %s' says more", command->name,
			command->operand, command->name);
	if (a->operand_count > expected)
		return err_set(
			e, ERR_INPUT, "%s: '%.100s': one operand too many", command->name, a->operands[expected]);
	if (a->token_file && read_token(a->token_file, &c->token, e))
		return e->code;
	enum err err = client_connect(c, &c->http, e);
	if (!err)
		err = command->run(c, e);
	c->unreached = err == ERR_UNAVAILABLE && http_unreached(c->http);
	http_close(c->http);
	free(c->token);
	return err;
}

static enum err dispatch(struct client *c, struct errinfo *e)
{
	const struct args *a = c->args;
	if (a->version) {
		fprintf(c->out, "pare %s\n", VERSION);
		return ERR_OK;
	}
	if (a->help || (a->command && !strcmp(a->command, "help")))
		return help(a, c->out, e);
	if (!a->command)
		return err_set(e, ERR_INPUT, "expected a command; 'pare help' lists them");
	const struct command *command = command_named(a->command);
	return command ? run(c, command, e) : no_command(a->command, e);
}

int pare_run(int argc, char **argv)
{
	struct args a;
	struct errinfo e = { 0 };
	const char *no_colour = getenv("NO_COLOR");
	setlocale(LC_CTYPE, "C.UTF-8"); /* for wcwidth; the decimal point stays a point */
	struct client c = { .args = &a, .out = stdout, .err = stderr, .terminal = isatty(STDOUT_FILENO) };
	c.bold = c.terminal && !(no_colour && *no_colour);
	enum err err = args_parse(argc, argv, &a, &e);
	if (!err)
		err = dispatch(&c, &e);
	if ((fflush(c.out) || ferror(c.out)) && !err)
		err = err_errno(&e, "standard output");
	if (err)
		client_note(&c, "%s", e.msg);
	if (c.unreached)
		client_note(&c, "is pared running? -u and PARED_URL say where it listens");
	return err ? exit_code_of(err) : c.code;
}

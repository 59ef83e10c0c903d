/* scene.c -- what the tests of client/ share: documents, and pare run as a process.
 * SPDX-License-Identifier: MIT */
#include "tests/client/scene.h"

#include <fcntl.h>
#include <ftw.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "client/command.h"

struct errinfo e;
static char folder[64];

cJSON *parsed(const char *text)
{
	char *copy = strdup(text);
	ck_assert_ptr_nonnull(copy);
	for (char *quote = strchr(copy, '\''); quote; quote = strchr(quote, '\''))
		*quote = '"';
	cJSON *doc = cJSON_Parse(copy);
	ck_assert_msg(doc != NULL, "the test's own JSON is wrong: %s", copy);
	free(copy);
	return doc;
}

void scene_setup(void)
{
	strcpy(folder, "/tmp/pare-scene-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
	(void)st, (void)flag, (void)at;
	return remove(path);
}

void scene_teardown(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scene_path(const char *name)
{
	static char paths[5][128];
	static int next;
	char *path = paths[next++ % 5];
	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

const char *scene_file(const char *name, const char *text)
{
	const char *path = scene_path(name);
	ck_ok(file_write(path, text, strlen(text), &e));
	return path;
}

void assert_has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "'%s' is missing in: %s", part, text);
}

void assert_lacks(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "'%s' is in: %s", part, text);
}

enum { MOST_WORDS = 16 };

static int collect(char **argv, const char *url, va_list ap)
{
	int argc = 0;
	argv[argc++] = (char *)"pare";
	if (url) {
		argv[argc++] = (char *)"-u";
		argv[argc++] = (char *)url;
	}
	while (argc < MOST_WORDS && (argv[argc] = va_arg(ap, char *)))
		argc++;
	ck_assert_int_lt(argc, MOST_WORDS);
	return argc;
}

static void slurp(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "rb");
	ck_assert_ptr_nonnull(f);
	buf[fread(buf, 1, size - 1, f)] = '\0';
	fclose(f);
}

static int code_of(pid_t pid)
{
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "pare was ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* The files that pare's output goes to. */
static const char *output(int stream)
{
	return scene_path(stream == STDOUT_FILENO ? ".stdout" : ".stderr");
}

static pid_t begin(int argc, char **argv)
{
	fflush(NULL);
	pid_t pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (!freopen(output(STDOUT_FILENO), "wb", stdout) || !freopen(output(STDERR_FILENO), "wb", stderr))
			_exit(99);
		exit(pare_run(argc, argv));
	}
	return pid;
}

pid_t pare_begin(const char *url, ...)
{
	char *argv[MOST_WORDS + 1] = { 0 };
	va_list ap;
	va_start(ap, url);
	int argc = collect(argv, url, ap);
	va_end(ap);
	return begin(argc, argv);
}

void pare_end(struct run *r, pid_t pid)
{
	r->code = code_of(pid);
	slurp(output(STDOUT_FILENO), r->out, sizeof r->out);
	slurp(output(STDERR_FILENO), r->err, sizeof r->err);
}

void pare(struct run *r, const char *url, ...)
{
	char *argv[MOST_WORDS + 1] = { 0 };
	va_list ap;
	va_start(ap, url);
	int argc = collect(argv, url, ap);
	va_end(ap);
	pare_end(r, begin(argc, argv));
}

void pare_on_terminal(struct run *r, const char *url, int columns, const char *interrupt_at, ...)
{
	char *argv[MOST_WORDS + 1] = { 0 };
	struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };
	size_t len = 0;
	int terminal;
	va_list ap;
	va_start(ap, interrupt_at);
	int argc = collect(argv, url, ap);
	va_end(ap);
	fflush(NULL);
	pid_t pid = forkpty(&terminal, NULL, NULL, &size);
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		exit(pare_run(argc, argv));
	for (;;) {
		ssize_t n = read(terminal, r->out + len, sizeof r->out - 1 - len);
		if (n <= 0)
			break; /* EIO once the other side is closed */
		len += (size_t)n;
		r->out[len] = '\0';
		if (interrupt_at && strstr(r->out, interrupt_at)) {
			kill(pid, SIGINT);
			interrupt_at = NULL;
		}
	}
	r->out[len] = '\0';
	r->code = code_of(pid);
	close(terminal);
}

/* scene.h -- what the tests of client/ share: documents, and pare run as a process.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_CLIENT_SCENE_H
#define TESTS_CLIENT_SCENE_H

#include <cjson/cJSON.h>
#include <check.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

#define ck_ok(call) ck_assert_msg((call) == ERR_OK, "%s: %s", #call, e.msg)

/* What a test finds in the caller's struct errinfo is of the last failure only. */
extern struct errinfo e;

/* JSON, which may have ' in the place of every " to be readable inside C; the caller deletes it. */
cJSON *parsed(const char *text);

/* A file in a folder that lasts as long as the test; returns its path, valid until the next call but four. */
const char *scene_file(const char *name, const char *text);
const char *scene_path(const char *name);
void scene_setup(void);
void scene_teardown(void);

void assert_has(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

struct run {
	int code;
	char out[65536], err[8192];
};

/* pare with these words (a NULL ends them) in a process of its own, its output in files. */
void pare(struct run *r, const char *url, ...);

/* The same in two halves, one at a time, for whoever has something to do meanwhile. */
pid_t pare_begin(const char *url, ...);
void pare_end(struct run *r, pid_t pid);

/* The same with a terminal of that many columns as standard output and error; all of it lands in r->out. SIGINT is sent
 * when `interrupt_at` (NULL: never) has been seen. */
void pare_on_terminal(struct run *r, const char *url, int columns, const char *interrupt_at, ...);

Suite *suite_args(void);
Suite *suite_format(void);
Suite *suite_table(void);
Suite *suite_view(void);
Suite *suite_jobfile(void);
Suite *suite_progress(void);
Suite *suite_plot(void);
Suite *suite_pare(void);
Suite *suite_watch(void);
Suite *suite_export(void);

#endif

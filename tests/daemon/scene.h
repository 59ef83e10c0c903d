/* scene.h -- what the daemon's tests stand on: a folder of its own, a pared in it, and a network that does not exist.
 * SPDX-License-Identifier: MIT
 *
 * The network has three groups of channels in a chain; its accuracy is a formula of the channels kept. Costs come from
 * the cost model, as a faithful worker's would. */
#ifndef TESTS_DAEMON_SCENE_H
#define TESTS_DAEMON_SCENE_H

#include <check.h>
#include <cjson/cJSON.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/http.h"

enum { SCENE_GROUPS = 3 };

struct scene {
	char directory[64];
	char socket[80], url[88];
	pid_t pid;
	struct http *http;
	const char *workers;  /* JSON text of the configuration's "workers" */
	const char *extra;    /* more keys of the configuration, each followed by a comma */
	long largest_file;    /* bytes that the daemon may write into one, 0: no limit; for faults */
	const char *token;    /* content of the token file, NULL: none */
	char blob[DIGEST_HEX + 1]; /* uploaded: stands for the model and all the data */
};

#define ck_ok(call) ck_assert_msg((call) == ERR_OK, "%s: %s", #call, e.msg)
#define ck_fails(code_, part_, call) \
	do { \
		enum err got_ = (call); \
		ck_assert_msg(got_ == (code_), "%s: %s (%s), expected %s", #call, err_name(got_), got_ ? e.msg : "", \
			err_name(code_)); \
		ck_assert_msg(strstr(e.msg, part_), "%s: \"%s\" does not say \"%s\"", #call, e.msg, part_); \
	} while (0)

extern struct errinfo e;

/* A folder with a configuration, and a running daemon with the blob. Fields workers, extra and token may be set
 * before. */
void scene_open(struct scene *s);
/* Ends the daemon by SIGTERM, expects status 0, removes the folder. */
void scene_close(struct scene *s);

/* The folder and the configuration alone; the daemon's start; its death by SIGKILL; its end by SIGTERM, whose exit
 * status is returned. */
void scene_set(struct scene *s);
void scene_start(struct scene *s);
void scene_kill(struct scene *s);
int scene_stop(struct scene *s);
void scene_strike(struct scene *s);

/* Runs pared with these arguments (NULL at the end), returns its exit status; what it wrote on standard error goes to
 * ret. */
int scene_run(char *const *args, char *ret, size_t size);
/* The path of a program under test. */
const char *scene_program(const char *name);

/* What the daemon has logged; lives until the next call. */
const char *scene_log(const struct scene *s);

/* Calls that must succeed, or be refused with that code and that part of the detail. body is JSON text or NULL. */
cJSON *scene_get(struct scene *s, const char *path);
cJSON *scene_post(struct scene *s, const char *path, const char *body);
void scene_refused(struct scene *s, enum err code, const char *part, const char *path, const char *body);

/* A job document: the keys in more (JSON text ending in a comma, or "") come first. The caller frees. */
char *scene_job(const struct scene *s, const char *more);
/* Submits it and returns the job's number. */
int scene_submit(struct scene *s, const char *more);

/* The text of a member of a document, path by dots: "trials.waiting". "" when it isn't there. Eight results live. */
const char *scene_text(const cJSON *doc, const char *path);
double scene_number(const cJSON *doc, const char *path);

/* A job's state. */
const char *scene_state(struct scene *s, int job);

/* Sockets by hand: connects and sends; reads until the end of the stream or until want is seen, at most 10 s. The text
 * lives until the next call. */
int scene_send(const struct scene *s, const char *text);
const char *scene_read(int fd, const char *want);
/* As scene_send, of a request with a JSON body. */
int scene_send_json(const struct scene *s, const char *method, const char *path, const char *body);

Suite *suite_config(void);
Suite *suite_spec(void);
Suite *suite_route(void);
Suite *suite_text(void);
Suite *suite_keep(void);
Suite *suite_life(void);
Suite *suite_replay(void);
Suite *suite_warm(void);
Suite *suite_rung(void);
Suite *suite_manual(void);
Suite *suite_ending(void);
Suite *suite_best(void);
Suite *suite_explain(void);
Suite *suite_lease(void);
Suite *suite_poll(void);
Suite *suite_event(void);
Suite *suite_http(void);
Suite *suite_pool(void);
Suite *suite_stop(void);

/* pool.c: this program as a worker that misbehaves; main calls it when it is started as one. */
int fake_worker(int argc, char **argv);

#endif

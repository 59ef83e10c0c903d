/* scene.h -- what the tests of base/ share: an error, a folder of their own, a server that says what it is told.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_BASE_SCENE_H
#define TESTS_BASE_SCENE_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

extern struct errinfo e;
extern char directory[256];

#define ck_ok(call) ck_assert_msg((call) == ERR_OK, "%s: %s", #call, e.msg)
#define ck_fails(code_, call) \
	do { \
		enum err got_ = (call); \
		ck_assert_msg(got_ == (code_), "%s: %s (%s), expected %s", #call, err_name(got_), got_ ? e.msg : "", \
			err_name(code_)); \
		ck_assert_int_eq(e.code, (code_)); \
	} while (0)

/* A case whose tests run in an empty folder, removed after each. */
TCase *scene_case(Suite *s, const char *name);
/* directory/name; the text lives until the second next call. */
const char *in_folder(const char *name);
/* Entries of a folder; those of the scene's when path is NULL. */
int count_entries(const char *path);
void write_text(const char *path, const char *text);

/* What the server does with one request. */
struct answer {
	const char *text; /* sent as it is; NULL: nothing is said and the connection stays open */
	size_t step; /* bytes a packet; 0: all in one */
	bool hang_up; /* closes the connection after it */
};

/* Listens on directory/socket and answers one request after the other from a child process. */
void server_start(const struct answer *answers, size_t n);
/* Ends the server. What it was sent: "<connected>\n" for each connection, and the requests as they came. */
const char *server_heard(void);

Suite *suite_err(void);
Suite *suite_arena(void);
Suite *suite_rng(void);
Suite *suite_digest(void);
Suite *suite_file(void);
Suite *suite_json(void);
Suite *suite_dataspec(void);
Suite *suite_trainspec(void);
Suite *suite_tar(void);
Suite *suite_http(void);
Suite *suite_stream(void);
Suite *suite_log(void);

#endif

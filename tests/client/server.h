/* server.h -- a daemon of cardboard: answers by a list, and writes down what it was asked.
 * SPDX-License-Identifier: MIT
 *
 * It listens on a Unix socket in a folder of its own, in a forked process with a thread a connection. */
#ifndef TESTS_CLIENT_SERVER_H
#define TESTS_CLIENT_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The first row whose method and path are those of the request answers it; a row with `once` only the first time. No
 * row: 404. */
struct canned {
	const char *method, *path;
	int status;
	const char *body; /* of an event stream: its text, after which the connection is closed */
	bool once;
	bool events;      /* a stream without a length */
	bool hold;        /* keep the stream open instead */
	bool binary;      /* the body is no JSON */
};

struct server {
	char folder[64], url[96], log[80];
	pid_t pid;
};

/* canned ends with a row whose method is NULL, and must outlive the server's start only. Fails the test when it can't.
 */
void server_start(struct server *s, const struct canned *canned);
/* The process ends, the socket goes with it; the folder stays until server_stop. */
void server_kill(struct server *s);
void server_stop(struct server *s);

/* Everything asked so far, a line each: "PUT /v1/blobs/... 5 hello" (length and body). The caller frees. */
char *server_log(const struct server *s);

#endif

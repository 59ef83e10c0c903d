/* canned.h -- a daemon on a Unix socket that answers as a test tells it to.
 * SPDX-License-Identifier: MIT
 *
 * One thread serves all connections. The test gives a function that answers each request, or leaves it unanswered:
 * a worker then waits, as it would in a long poll or in a slow download. */
#ifndef TESTS_EVALUATOR_CANNED_H
#define TESTS_EVALUATOR_CANNED_H

#include <cjson/cJSON.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct canned;

struct canned_request {
	int connection;
	const char *line; /* "POST /v1/leases" */
	const char *body; /* terminated */
	size_t len;
};

typedef void canned_cb(struct canned *c, const struct canned_request *r, void *arg);

enum { CANNED_CONNECTIONS = 8, CANNED_LOG = 256 };

struct canned {
	char url[128];
	int listener;
	canned_cb *answer;
	void *arg;
	atomic_bool stop;
	struct {
		int fd; /* -1: free */
		char *data;
		size_t len, size;
	} connections[CANNED_CONNECTIONS];
	struct {
		char line[160];
		cJSON *body; /* NULL when it was none or no JSON */
	} log[CANNED_LOG];
	atomic_int nlog;
};

/* Listens on "daemon.sock" in the working directory. */
void canned_open(struct canned *c, canned_cb *answer, void *arg);
void canned_close(struct canned *c);

void canned_reply(const struct canned_request *r, int status, const void *body, size_t len);
void canned_reply_text(const struct canned_request *r, int status, const char *body);

/* Serves until the process `child` has ended and gives its wait status; fails the test after 20 s. */
int canned_serve_child(struct canned *c, pid_t child);

/* Serves until c->stop, as the body of a thread. */
void *canned_serve(void *c);

/* How many requests with this line came; *ret_body (may be NULL) is the last one's. */
int canned_saw(const struct canned *c, const char *line, const cJSON **ret_body);

/* How many connections are open. */
int canned_connected(const struct canned *c);

#endif

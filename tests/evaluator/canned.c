/* canned.c -- a daemon on a Unix socket that answers as a test tells it to.
 * SPDX-License-Identifier: MIT */
#include "tests/evaluator/canned.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { POLL_MS = 20, PATIENCE_S = 20, LARGEST = 1 << 20 };

void canned_open(struct canned *c, canned_cb *answer, void *arg)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "daemon.sock" };
	*c = (struct canned){ .url = "unix:daemon.sock", .answer = answer, .arg = arg };
	for (int i = 0; i < CANNED_CONNECTIONS; i++)
		c->connections[i].fd = -1;
	c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(c->listener >= 0);
	ck_assert(!bind(c->listener, (struct sockaddr *)&at, sizeof at) && !listen(c->listener, CANNED_CONNECTIONS));
}

static void disconnect(struct canned *c, int i)
{
	close(c->connections[i].fd);
	free(c->connections[i].data);
	c->connections[i].fd = -1;
	c->connections[i].data = NULL;
	c->connections[i].len = c->connections[i].size = 0;
}

void canned_close(struct canned *c)
{
	for (int i = 0; i < CANNED_CONNECTIONS; i++)
		if (c->connections[i].fd >= 0)
			disconnect(c, i);
	for (int i = 0; i < c->nlog; i++)
		cJSON_Delete(c->log[i].body);
	close(c->listener);
}

void canned_reply(const struct canned_request *r, int status, const void *body, size_t len)
{
	char head[128];
	int n = snprintf(head, sizeof head, "HTTP/1.1 %d canned\r\nContent-Length: %zu\r\n\r\n", status, len);
	if (status == 204)
		n = snprintf(head, sizeof head, "HTTP/1.1 204 canned\r\n\r\n");
	if (send(r->connection, head, (size_t)n, MSG_NOSIGNAL) == n && len && strncmp(r->line, "HEAD", 4))
		while (len) {
			ssize_t sent = send(r->connection, body, len, MSG_NOSIGNAL);
			if (sent <= 0)
				return;
			body = (const char *)body + sent;
			len -= (size_t)sent;
		}
}

void canned_reply_text(const struct canned_request *r, int status, const char *body)
{
	canned_reply(r, status, body, strlen(body));
}

/* Answers the first whole request in the buffer; false when there is none. */
static bool take_request(struct canned *c, int i)
{
	char *data = c->connections[i].data, *end = data ? strstr(data, "\r\n\r\n") : NULL;
	if (!end)
		return false;
	const char *length = strcasestr(data, "\r\nContent-Length:");
	size_t head = (size_t)(end + 4 - data), body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	if (c->connections[i].len < head + body) {
		if (c->connections[i].len == head && strcasestr(data, "\r\nExpect: 100-continue"))
			send(c->connections[i].fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL);
		return false;
	}
	ck_assert_int_lt(c->nlog, CANNED_LOG);
	char *line = c->log[c->nlog].line, *copy = strndup(data + head, body);
	snprintf(line, sizeof c->log->line, "%.*s", (int)(strstr(data, " HTTP/") - data), data);
	c->log[c->nlog++].body = cJSON_Parse(copy);
	struct canned_request r = { c->connections[i].fd, line, copy, body };
	c->connections[i].len -= head + body;
	memmove(data, data + head + body, c->connections[i].len + 1);
	c->answer(c, &r, c->arg);
	free(copy);
	return true;
}

static void receive(struct canned *c, int i)
{
	char chunk[16384];
	ssize_t n = recv(c->connections[i].fd, chunk, sizeof chunk, 0);
	if (n <= 0 || c->connections[i].len + (size_t)n > LARGEST) {
		disconnect(c, i);
		return;
	}
	c->connections[i].data = realloc(c->connections[i].data, c->connections[i].len + (size_t)n + 1);
	ck_assert_ptr_nonnull(c->connections[i].data);
	memcpy(c->connections[i].data + c->connections[i].len, chunk, (size_t)n);
	c->connections[i].len += (size_t)n;
	c->connections[i].data[c->connections[i].len] = '\0';
	while (take_request(c, i))
		;
}

static void accept_one(struct canned *c)
{
	int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
	for (int i = 0; i < CANNED_CONNECTIONS; i++)
		if (c->connections[i].fd < 0) {
			c->connections[i].fd = fd;
			return;
		}
	close(fd);
}

/* Whatever comes within a few milliseconds. */
static void turn(struct canned *c)
{
	struct pollfd p[CANNED_CONNECTIONS + 1] = { { .fd = c->listener, .events = POLLIN } };
	for (int i = 0; i < CANNED_CONNECTIONS; i++)
		p[i + 1] = (struct pollfd){ .fd = c->connections[i].fd, .events = POLLIN };
	if (poll(p, CANNED_CONNECTIONS + 1, POLL_MS) <= 0)
		return;
	for (int i = 0; i < CANNED_CONNECTIONS; i++)
		if (p[i + 1].revents)
			receive(c, i);
	if (p[0].revents)
		accept_one(c);
}

int canned_serve_child(struct canned *c, pid_t child)
{
	int status;
	int64_t until = clock_ns() + PATIENCE_S * INT64_C(1000000000);
	for (;;) {
		pid_t ended = waitpid(child, &status, WNOHANG);
		ck_assert(ended >= 0);
		if (ended == child)
			break;
		turn(c);
		if (clock_ns() > until) {
			kill(child, SIGKILL);
			waitpid(child, NULL, 0);
			ck_abort_msg("the child still runs after %d s; the last request was %s", PATIENCE_S,
				c->nlog ? c->log[c->nlog - 1].line : "none");
		}
	}
	turn(c); /* what it sent last */
	return status;
}

void *canned_serve(void *arg)
{
	struct canned *c = arg;
	while (!atomic_load(&c->stop))
		turn(c);
	return NULL;
}

int canned_saw(const struct canned *c, const char *line, const cJSON **ret_body)
{
	int n = 0;
	for (int i = 0; i < c->nlog; i++)
		if (!strcmp(c->log[i].line, line)) {
			n++;
			if (ret_body)
				*ret_body = c->log[i].body;
		}
	return n;
}

int canned_connected(const struct canned *c)
{
	int n = 0;
	for (int i = 0; i < CANNED_CONNECTIONS; i++)
		n += c->connections[i].fd >= 0;
	return n;
}

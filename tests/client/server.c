/* server.c -- a daemon of cardboard: answers by a list, and writes down what it was asked.
 * SPDX-License-Identifier: MIT */
#include "tests/client/server.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum { LARGEST_REQUEST = 1 << 20, MOST_ROWS = 32 };

/* Of the forked process. */
static const struct canned *rows;
static bool used[MOST_ROWS];
static int log_fd;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct canned *row_for(const char *method, const char *path)
{
	const struct canned *found = NULL;
	pthread_mutex_lock(&lock);
	for (int i = 0; rows[i].method && !found; i++) {
		if (strcmp(rows[i].method, method) || strcmp(rows[i].path, path) || (rows[i].once && used[i]))
			continue;
		used[i] = true;
		found = &rows[i];
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static void note(const char *method, const char *path, const char *body, size_t len)
{
	pthread_mutex_lock(&lock);
	dprintf(log_fd, "%s %s %zu %.*s\n", method, path, len, (int)len, body);
	pthread_mutex_unlock(&lock);
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

/* False: the connection is to be closed. */
static bool answer(int fd, const char *method, const char *path)
{
	static const struct canned none = { .status = 404,
		.body = "{\"type\":\"pared:not-found\",\"detail\":\"there is no such thing\"}" };
	const struct canned *row = row_for(method, path);
	char head[256];
	if (!row)
		row = &none;
	const char *body = row->body ? row->body : "";
	int n = snprintf(head, sizeof head, "HTTP/1.1 %d Whatever\r\nContent-Type: %s\r\n", row->status,
		row->events ? "text/event-stream" : row->binary ? "application/octet-stream" : "application/json");
	send_all(fd, head, (size_t)n);
	if (row->events)
		n = snprintf(head, sizeof head, "Connection: close\r\n\r\n");
	else
		n = snprintf(head, sizeof head, "Content-Length: %zu\r\n\r\n", strlen(body));
	send_all(fd, head, (size_t)n);
	if (strcmp(method, "HEAD"))
		send_all(fd, body, strlen(body));
	while (row->hold)
		sleep(1);
	return !row->events;
}

/* One request from buf, which holds *len bytes and gets more; false at the end of the connection. */
static bool serve_one(int fd, char *buf, size_t *len)
{
	char method[8], path[256];
	char *end;
	while (!(end = strstr(buf, "\r\n\r\n"))) {
		ssize_t n = recv(fd, buf + *len, LARGEST_REQUEST - *len, 0);
		if (n <= 0)
			return false;
		*len += (size_t)n;
		buf[*len] = '\0';
	}
	size_t head = (size_t)(end - buf) + 4;
	if (sscanf(buf, "%7s %255s", method, path) != 2)
		return false;
	const char *length = strcasestr(buf, "\r\ncontent-length:");
	size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
	const char *expect = strcasestr(buf, "\r\nexpect: 100-continue");
	if (expect && expect < end)
		send_all(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	while (*len < head + body) {
		ssize_t n = recv(fd, buf + *len, LARGEST_REQUEST - *len, 0);
		if (n <= 0)
			return false;
		*len += (size_t)n;
		buf[*len] = '\0';
	}
	note(method, path, buf + head, body);
	*len -= head + body;
	memmove(buf, buf + head + body, *len + 1);
	return answer(fd, method, path);
}

static void *connection(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char *buf = calloc(1, LARGEST_REQUEST + 1);
	size_t len = 0;
	while (buf && serve_one(fd, buf, &len)) {
	}
	free(buf);
	close(fd);
	return NULL;
}

static void serve(int listener)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		pthread_t thread;
		int fd = accept(listener, NULL, NULL);
		if (fd >= 0 && !pthread_create(&thread, NULL, connection, (void *)(intptr_t)fd))
			pthread_detach(thread);
	}
}

void server_start(struct server *s, const struct canned *canned)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	if (!s->folder[0]) {
		strcpy(s->folder, "/tmp/pare-test-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(s->folder));
	}
	snprintf(a.sun_path, sizeof a.sun_path, "%s/sock", s->folder);
	snprintf(s->url, sizeof s->url, "unix:%s/sock", s->folder);
	snprintf(s->log, sizeof s->log, "%s/log", s->folder);
	unlink(a.sun_path);
	log_fd = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_ge(log_fd, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(listener, 16), 0);
	rows = canned;
	s->pid = fork();
	ck_assert_int_ge(s->pid, 0);
	if (s->pid == 0)
		serve(listener);
	close(listener);
	close(log_fd);
}

void server_kill(struct server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		ck_assert_int_eq(waitpid(s->pid, NULL, 0), s->pid);
	}
	s->pid = 0;
}

void server_stop(struct server *s)
{
	char path[160];
	server_kill(s);
	snprintf(path, sizeof path, "%s/sock", s->folder);
	unlink(path);
	unlink(s->log);
	rmdir(s->folder);
}

char *server_log(const struct server *s)
{
	char *text;
	size_t len;
	ck_assert_int_eq(file_read(s->log, LARGEST_REQUEST, &text, &len, NULL), ERR_OK);
	return text;
}

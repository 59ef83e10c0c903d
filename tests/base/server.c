/* server.c -- a server on a Unix socket that says what it is told, in packets as small as it is told.
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/base/scene.h"

enum { LARGEST_REQUEST = 65536 };

static pid_t server;

/* Reads one request, with as much body as its Content-Length says; its length, 0 when the peer hung up. */
static size_t read_request(int fd, char *text)
{
	size_t len = 0, need = 0;
	while (!need || len < need) {
		ssize_t n = read(fd, text + len, LARGEST_REQUEST - 1 - len);
		if (n <= 0)
			return 0;
		len += (size_t)n;
		text[len] = '\0';
		char *end = strstr(text, "\r\n\r\n");
		char *length = strstr(text, "Content-Length: ");
		if (end)
			need = (size_t)(end + 4 - text) + (length && length < end ? strtoul(length + 16, NULL, 10) : 0);
	}
	return len;
}

static void say(int fd, const struct answer *a)
{
	size_t len = a->text ? strlen(a->text) : 0, step = a->step ? a->step : len;
	for (size_t at = 0; at < len; at += step) {
		if (send(fd, a->text + at, at + step < len ? step : len - at, MSG_NOSIGNAL) < 0)
			return;
		if (a->step)
			usleep(200);
	}
}

static void serve(int listener, int heard, const struct answer *answers, size_t n)
{
	static char text[LARGEST_REQUEST];
	int fd = -1;
	for (size_t i = 0; i < n;) {
		if (fd < 0) {
			fd = accept(listener, NULL, NULL);
			dprintf(heard, "<connected>\n");
		}
		size_t len = read_request(fd, text);
		if (len) {
			(void)!write(heard, text, len);
			say(fd, &answers[i]);
		}
		if (!len || answers[i].hang_up) {
			close(fd);
			fd = -1;
		}
		i += len > 0;
	}
	pause(); /* an open connection stays open until server_heard */
}

void server_start(const struct answer *answers, size_t n)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);
	int heard = open(in_folder("heard"), O_CREAT | O_WRONLY | O_APPEND, 0600);
	int n_path = snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", directory);
	ck_assert_int_lt(n_path, (int)sizeof address.sun_path);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(listener, 5), 0);
	server = fork();
	if (!server)
		serve(listener, heard, answers, n);
	close(listener);
	close(heard);
}

const char *server_heard(void)
{
	static char text[LARGEST_REQUEST];
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	FILE *f = fopen(in_folder("heard"), "r");
	ck_assert_ptr_nonnull(f);
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

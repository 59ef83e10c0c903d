/* server.h -- libmicrohttpd inside the loop: one listener on the Unix socket, one on TCP when it is wanted.
 * SPDX-License-Identifier: MIT
 *
 * libmicrohttpd's epoll descriptor is watched by a uv_poll_t and its timeouts by a uv_timer_t; it runs in their
 * callbacks only, so that a commit at the end of the turn covers all that its handlers wrote. */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <stdbool.h>

#include "base/err.h"

struct daemon;
struct exchange;
struct server;

/* Opens the sockets (socket.h) and serves. d->server is set on success. */
enum err server_open(struct daemon *d, struct errinfo *e) __attribute__((warn_unused_result));

/* "unix:PATH", where supervised workers connect. */
const char *server_url(const struct server *s);

/* Requests that are not done. */
unsigned server_active(const struct server *s);

/* To be called when a connection was resumed: without threads of its own libmicrohttpd does not notice. */
void server_kick(struct server *s);

/* Stops: no connection may be suspended. The loop must run once more before server_free. */
void server_close(struct server *s);
void server_free(struct server *s); /* accepts NULL */

/* Answers that wait for the commit, in order. */
void server_add_answer(struct exchange *r);
void server_forget_answer(struct exchange *r);
struct exchange *server_take_answer(struct daemon *d); /* NULL: no more */

#endif

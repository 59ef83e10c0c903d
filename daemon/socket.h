/* socket.h -- listening sockets: made here, or handed over by systemd.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_SOCKET_H
#define DAEMON_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* A Unix socket at path. A file that is left from a dead daemon is replaced; ERR_CONFLICT when somebody answers on it,
 * or when it is no socket. */
enum err socket_unix(const char *path, unsigned mode, int *ret_fd, struct errinfo *e)
	__attribute__((warn_unused_result));

/* A TCP socket; *ret_port is the one bound, also when port is 0. */
enum err socket_tcp(const char *host, int port, int *ret_fd, int *ret_port, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The Unix socket that systemd passed, -1: none. ERR_INPUT when it passed anything else. */
enum err socket_activated(int *ret_fd, struct errinfo *e) __attribute__((warn_unused_result));

/* The path that a Unix socket is bound to, as far as size allows. */
enum err socket_path(int fd, char *ret, size_t size, struct errinfo *e) __attribute__((warn_unused_result));

#endif

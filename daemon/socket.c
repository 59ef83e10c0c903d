/* socket.c -- listening sockets.
 * SPDX-License-Identifier: MIT */
#include "daemon/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

enum { BACKLOG = 511 };

static enum err close_with(int fd, enum err err)
{
	close(fd);
	return err;
}

/* Removes the socket file of a daemon that is no more. */
static enum err clear_stale(const struct sockaddr_un *address, struct errinfo *e)
{
	struct stat st;
	const char *path = address->sun_path;
	if (lstat(path, &st))
		return errno == ENOENT ? ERR_OK : err_errno(e, "%s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFLICT, "%s: exists and is not a socket", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, "%s", path);
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0 || errno == EAGAIN)
		return close_with(fd, err_set(e, ERR_CONFLICT, "%s: another daemon answers on it", path));
	if (errno != ECONNREFUSED)
		return close_with(fd, err_errno(e, "%s", path));
	close(fd);
	return unlink(path) && errno != ENOENT ? err_errno(e, "%s", path) : ERR_OK;
}

enum err socket_unix(const char *path, unsigned mode, int *ret_fd, struct errinfo *e)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof address.sun_path)
		return err_set(e, ERR_INPUT, "%.200s: is longer than %zu bytes", path, sizeof address.sun_path - 1);
	memcpy(address.sun_path, path, strlen(path) + 1);
	enum err err = clear_stale(&address, e);
	if (err)
		return err;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, "%s", path);
	/* Nobody gets in between bind and chmod: the file is made without permissions. */
	mode_t mask = umask(0777);
	int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (bound || chmod(path, mode) || listen(fd, BACKLOG))
		return close_with(fd, err_errno(e, "%s", path));
	*ret_fd = fd;
	return ERR_OK;
}

static socklen_t fill_address(const char *host, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	*ret = (struct sockaddr_storage){ 0 };
	if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		return sizeof *v4;
	}
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) != 1)
		return 0;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons((uint16_t)port);
	return sizeof *v6;
}

static int bound_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &len))
		return 0;
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						  : ((struct sockaddr_in6 *)&address)->sin6_port);
}

enum err socket_tcp(const char *host, int port, int *ret_fd, int *ret_port, struct errinfo *e)
{
	struct sockaddr_storage address;
	int on = 1;
	socklen_t len = fill_address(host, port, &address);
	if (!len)
		return err_set(e, ERR_INPUT, "tcp.host: is \"%.100s\", expected a numeric address", host);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, "tcp %s:%d", host, port);
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) || bind(fd, (struct sockaddr *)&address, len) ||
		listen(fd, BACKLOG))
		return close_with(fd, err_errno(e, "tcp %s:%d", host, port));
	*ret_fd = fd;
	*ret_port = bound_port(fd);
	return ERR_OK;
}

enum err socket_activated(int *ret_fd, struct errinfo *e)
{
	int n = sd_listen_fds(1);
	*ret_fd = -1;
	if (n == 0)
		return ERR_OK;
	if (n < 0) {
		errno = -n;
		return err_errno(e, "socket activation");
	}
	if (n > 1 || sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
		return err_set(e, ERR_INPUT,
			"socket activation: got %d descriptors, expected one listening Unix stream socket", n);
	int flags = fcntl(SD_LISTEN_FDS_START, F_GETFL);
	if (flags < 0 || fcntl(SD_LISTEN_FDS_START, F_SETFL, flags | O_NONBLOCK))
		return err_errno(e, "socket activation");
	*ret_fd = SD_LISTEN_FDS_START;
	return ERR_OK;
}

enum err socket_path(int fd, char *ret, size_t size, struct errinfo *e)
{
	struct sockaddr_un address = { 0 };
	socklen_t len = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &len))
		return err_errno(e, "socket activation");
	if (address.sun_path[0] != '/')
		return err_set(e, ERR_INPUT, "socket activation: the socket is bound to no path");
	snprintf(ret, size, "%.*s", (int)sizeof address.sun_path, address.sun_path);
	return ERR_OK;
}

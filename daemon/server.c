/* server.c -- libmicrohttpd inside the loop.
 * SPDX-License-Identifier: MIT */
#include "daemon/server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/exchange.h"
#include "daemon/socket.h"

enum { MOST_CONNECTIONS = 4096, SPARE_DESCRIPTORS = 128, IDLE_SECONDS = 60, HEADER_MEMORY = 32 * 1024 };

struct listener {
	struct server *server;
	struct MHD_Daemon *mhd;
	uv_poll_t poll;
	uv_timer_t timer;
	bool local, open;
};

struct server {
	struct daemon *daemon;
	struct listener unix_listener, tcp_listener;
	struct exchange *answers, **answers_end;
	unsigned active;
	char url[sizeof(struct sockaddr_un) + 8];
	bool activated;
};

const char *server_url(const struct server *s)
{
	return s->url;
}

unsigned server_active(const struct server *s)
{
	return s->active;
}

/* ---- answers that wait for the commit ------------------------------------------------------------------------------
 */

void server_add_answer(struct exchange *r)
{
	struct server *s = r->daemon->server;
	r->next_answer = NULL;
	*s->answers_end = r;
	s->answers_end = &r->next_answer;
}

void server_forget_answer(struct exchange *r)
{
	struct server *s = r->daemon->server;
	for (struct exchange **at = &s->answers; *at; at = &(*at)->next_answer) {
		if (*at != r)
			continue;
		*at = r->next_answer;
		if (!*at)
			s->answers_end = at;
		return;
	}
}

struct exchange *server_take_answer(struct daemon *d)
{
	struct exchange *r = d->server->answers;
	if (r)
		server_forget_answer(r);
	return r;
}

/* ---- libmicrohttpd's callbacks ----------------------------------------------------------------------------------- */

static enum MHD_Result on_access(void *arg, struct MHD_Connection *connection, const char *path, const char *method,
	const char *version, const char *data, size_t *len, void **state)
{
	struct listener *l = arg;
	struct exchange *r = *state;
	(void)version;
	if (!r) {
		r = exchange_new(l->server->daemon, connection, l->local);
		if (!r)
			return MHD_NO;
		*state = r;
		l->server->active++;
		return exchange_begin(r, method, path);
	}
	if (*len == 0)
		return exchange_end(r);
	enum MHD_Result result = exchange_body(r, data, *len);
	*len = 0;
	return result;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **state,
	enum MHD_RequestTerminationCode why)
{
	struct listener *l = arg;
	(void)connection;
	if (!*state)
		return;
	exchange_free(*state, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	*state = NULL;
	l->server->active--;
}

static void on_log(void *arg, const char *fmt, va_list ap)
{
	char line[512];
	(void)arg;
	vsnprintf(line, sizeof line, fmt, ap);
	line[strcspn(line, "\n")] = '\0';
	log_debug("http: %s", line);
}

/* A path with an escaped NUL would end there: it stays escaped, and is no path of ours. */
static size_t on_unescape(void *arg, struct MHD_Connection *connection, char *s)
{
	(void)arg, (void)connection;
	return strstr(s, "%00") ? strlen(s) : MHD_http_unescape(s);
}

/* ---- in the loop ---------------------------------------------------------------------------------------------------
 */

static void on_timer(uv_timer_t *timer);

static void run(struct listener *l)
{
	MHD_UNSIGNED_LONG_LONG ms;
	MHD_run(l->mhd);
	if (MHD_get_timeout(l->mhd, &ms) == MHD_YES)
		uv_timer_start(&l->timer, on_timer, ms, 0);
	else
		uv_timer_stop(&l->timer);
}

static void on_timer(uv_timer_t *timer)
{
	run(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	run(poll->data);
}

void server_kick(struct server *s)
{
	struct listener *all[] = { &s->unix_listener, &s->tcp_listener };
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i]->open)
			uv_timer_start(&all[i]->timer, on_timer, 0, 0);
}

/* Descriptors for connections, after those of the store, the workers and files on their way. */
static unsigned connection_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 64;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 2 * SPARE_DESCRIPTORS)
		return 64;
	rlim_t room = limit.rlim_cur - SPARE_DESCRIPTORS;
	return room > MOST_CONNECTIONS ? MOST_CONNECTIONS : (unsigned)room;
}

static enum err listener_open(struct listener *l, struct server *s, int fd, bool local, struct errinfo *e)
{
	l->server = s;
	l->local = local;
	l->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		on_access, l, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
		MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, l,
		MHD_OPTION_CONNECTION_LIMIT, connection_limit() / 2,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY,
		MHD_OPTION_END);
	const union MHD_DaemonInfo *info = l->mhd ? MHD_get_daemon_info(l->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		if (l->mhd)
			MHD_stop_daemon(l->mhd);
		else
			close(fd);
		return err_set(e, ERR_INTERNAL, "libmicrohttpd does not start");
	}
	uv_loop_t *loop = &s->daemon->loop;
	uv_timer_init(loop, &l->timer);
	uv_poll_init(loop, &l->poll, info->epoll_fd);
	l->timer.data = l->poll.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_poll);
	l->open = true;
	return ERR_OK;
}

static enum err open_unix(struct server *s, struct errinfo *e)
{
	const struct config *c = &s->daemon->config;
	char path[sizeof(struct sockaddr_un)];
	int fd;
	enum err err = socket_activated(&fd, e);
	if (err)
		return err;
	s->activated = fd >= 0;
	if (s->activated) {
		err = socket_path(fd, path, sizeof path, e);
	} else {
		snprintf(path, sizeof path, "%s", c->socket);
		err = socket_unix(path, c->socket_mode, &fd, e);
	}
	if (err)
		return err;
	snprintf(s->url, sizeof s->url, "unix:%s", path);
	err = listener_open(&s->unix_listener, s, fd, true, e);
	if (!err)
		log_info("listening on %s", path);
	return err;
}

static enum err open_tcp(struct server *s, struct errinfo *e)
{
	const struct config *c = &s->daemon->config;
	int fd, port;
	if (!c->tcp_host)
		return ERR_OK;
	enum err err = socket_tcp(c->tcp_host, c->tcp_port, &fd, &port, e);
	if (!err)
		err = listener_open(&s->tcp_listener, s, fd, false, e);
	if (!err)
		log_info(strchr(c->tcp_host, ':') ? "listening on http://[%s]:%d" : "listening on http://%s:%d",
			c->tcp_host, port);
	return err;
}

enum err server_open(struct daemon *d, struct errinfo *e)
{
	struct server *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->daemon = d;
	s->answers_end = &s->answers;
	d->server = s; /* from here on daemon_run closes what is open */
	enum err err = open_unix(s, e);
	return err ? err : open_tcp(s, e);
}

static void listener_close(struct listener *l)
{
	if (!l->open)
		return;
	l->open = false;
	uv_poll_stop(&l->poll);
	uv_close((uv_handle_t *)&l->poll, NULL);
	uv_close((uv_handle_t *)&l->timer, NULL);
	MHD_stop_daemon(l->mhd);
}

void server_close(struct server *s)
{
	if (s->unix_listener.open && !s->activated)
		unlink(s->url + strlen("unix:"));
	listener_close(&s->unix_listener);
	listener_close(&s->tcp_listener);
}

void server_free(struct server *s)
{
	free(s);
}

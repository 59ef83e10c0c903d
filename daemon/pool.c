/* pool.c -- supervised workers.
 * SPDX-License-Identifier: MIT */
#include "daemon/pool.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/server.h"
#include "daemon/worker.h"

enum { FIRST_DELAY_MS = 500, LONGEST_DELAY_MS = 30000, GOOD_RUN_MS = 60000, PATIENCE_MS = 10000, OUR_VARIABLES = 2 };

struct slot {
	struct pool *pool;
	char name[24];
	uv_process_t process;
	uv_timer_t timer;
	bool running, killed;
	int64_t started; /* ms */
	int64_t started_ns;
	uint64_t delay_ms;
};

struct pool {
	struct daemon *daemon;
	struct slot *slots;
	char **env; /* of all workers; the strings are the daemon's own */
	int count, running;
	uv_timer_t patience;
	void (*on_stopped)(struct daemon *d);
};

static struct slot *slot_named(const struct pool *p, const char *name)
{
	for (int i = 0; p && i < p->count; i++)
		if (!strcmp(p->slots[i].name, name))
			return &p->slots[i];
	return NULL;
}

bool pool_has(const struct pool *p, const char *name)
{
	return slot_named(p, name);
}

int pool_pid(const struct pool *p, const char *name)
{
	const struct slot *s = slot_named(p, name);
	return s && s->running ? s->process.pid : 0;
}

int64_t pool_started(const struct pool *p, const char *name)
{
	const struct slot *s = slot_named(p, name);
	return s ? s->started : 0;
}

/* ---- the environment ----------------------------------------------------------------------------------------- */

static bool is_ours(const char *variable)
{
	return !strncmp(variable, "OMP_NUM_THREADS=", 16) || !strncmp(variable, "OPENBLAS_NUM_THREADS=", 21);
}

/* The daemon's own, with one thread a worker. NULL: no memory; the strings are borrowed. */
static char **make_environment(void)
{
	size_t n = 0, used = 0;
	while (environ[n])
		n++;
	char **env = calloc(n + OUR_VARIABLES + 1, sizeof *env);
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (!is_ours(environ[i]))
			env[used++] = environ[i];
	env[used++] = "OMP_NUM_THREADS=1";
	env[used++] = "OPENBLAS_NUM_THREADS=1";
	return env;
}

/* ---- a process' life
 * -------------------------------------------------------------------------------------------------- */

static void start(struct slot *s);

static void on_restart(uv_timer_t *timer)
{
	struct slot *s = timer->data;
	struct worker *w = worker_find(s->pool->daemon, s->name);
	if (w)
		w->restarts++;
	start(s);
}

static void on_closed(uv_handle_t *handle)
{
	struct slot *s = handle->data;
	struct daemon *d = s->pool->daemon;
	if (d->stopping) {
		if (s->pool->running == 0)
			s->pool->on_stopped(d);
		return;
	}
	bool good = s->killed || clock_ns() - s->started_ns >= (int64_t)GOOD_RUN_MS * 1000000;
	if (good)
		s->delay_ms = FIRST_DELAY_MS;
	log_warning("worker %s starts again in %.1f s", s->name, (double)s->delay_ms / 1000);
	uv_timer_start(&s->timer, on_restart, s->delay_ms, 0);
	s->delay_ms = 2 * s->delay_ms > LONGEST_DELAY_MS ? LONGEST_DELAY_MS : 2 * s->delay_ms;
}

static void on_ended(uv_process_t *process, int64_t status, int by_signal)
{
	struct slot *s = process->data;
	struct pool *p = s->pool;
	struct errinfo e;
	char how[96];
	if (by_signal)
		snprintf(how, sizeof how, "worker %s died by signal %d", s->name, by_signal);
	else
		snprintf(how, sizeof how, "worker %s exited with status %lld", s->name, (long long)status);
	if (!p->daemon->stopping)
		log_warning("%s", how);
	s->running = false;
	p->running--;
	if (hold_worker_died(p->daemon, s->name, how, &e))
		daemon_crash(p->daemon, &e);
	uv_close((uv_handle_t *)process, on_closed);
}

static int spawn(struct slot *s)
{
	const struct daemon *d = s->pool->daemon;
	const struct config *c = &d->config;
	char pid[32];
	snprintf(pid, sizeof pid, "%d", (int)getpid());
	char *const args[] = { c->worker_program, "work", "--url", (char *)server_url(d->server), "--name", s->name,
		"--cache", c->cache, "--supervised", pid, NULL };
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
		{ .flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO },
	};
	uv_process_options_t options = { .file = c->worker_program, .args = (char **)args, .env = s->pool->env,
		.exit_cb = on_ended, .stdio = stdio, .stdio_count = 3 };
	return uv_spawn(&s->pool->daemon->loop, &s->process, &options);
}

static void start(struct slot *s)
{
	s->killed = false;
	s->started = clock_wall_ms();
	s->started_ns = clock_ns();
	s->process.data = s;
	int code = spawn(s);
	if (code == 0) {
		s->running = true;
		s->pool->running++;
		log_debug("worker %s started, pid %d", s->name, s->process.pid);
		return;
	}
	log_error("%s: %s", s->pool->daemon->config.worker_program, uv_strerror(code));
	uv_close((uv_handle_t *)&s->process, on_closed);
}

enum err pool_new(struct daemon *d, struct pool **ret, struct errinfo *e)
{
	struct pool *p = calloc(1, sizeof *p);
	struct slot *slots = calloc((size_t)d->config.workers + 1, sizeof *slots);
	char **env = make_environment();
	if (!p || !slots || !env) {
		free(p);
		free(slots);
		free(env);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*p = (struct pool){ .daemon = d, .slots = slots, .env = env, .count = d->config.workers };
	uv_timer_init(&d->loop, &p->patience);
	p->patience.data = p;
	*ret = p;
	enum err err = ERR_OK;
	for (int i = 0; i < p->count && !err; i++) {
		struct worker *w;
		struct slot *s = &slots[i];
		s->pool = p;
		s->delay_ms = FIRST_DELAY_MS;
		snprintf(s->name, sizeof s->name, "local-%d", i + 1);
		uv_timer_init(&d->loop, &s->timer);
		s->timer.data = s;
		err = worker_named(d, s->name, true, &w, e);
		if (!err)
			start(s);
	}
	return err;
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	free(p->slots);
	free(p->env);
	free(p);
}

/* ---- the end of it
 * ---------------------------------------------------------------------------------------------------- */

void pool_kill(struct pool *p, const char *name)
{
	struct slot *s = slot_named(p, name);
	if (!s || !s->running)
		return;
	s->killed = true;
	uv_process_kill(&s->process, SIGKILL);
}

void pool_kill_all(struct pool *p)
{
	for (int i = 0; p && i < p->count; i++)
		pool_kill(p, p->slots[i].name);
}

static void on_patience(uv_timer_t *timer)
{
	log_warning("workers that did not end in %d s are killed", PATIENCE_MS / 1000);
	pool_kill_all(timer->data);
}

void pool_stop(struct pool *p, void (*on_stopped)(struct daemon *d))
{
	p->on_stopped = on_stopped;
	for (int i = 0; i < p->count; i++) {
		uv_timer_stop(&p->slots[i].timer);
		if (p->slots[i].running)
			uv_process_kill(&p->slots[i].process, SIGTERM);
	}
	if (p->running == 0)
		on_stopped(p->daemon);
	else
		uv_timer_start(&p->patience, on_patience, PATIENCE_MS, 0);
}

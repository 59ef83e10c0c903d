/* daemon.c -- the loop: start, turn, stop.
 * SPDX-License-Identifier: MIT
 *
 * A turn ends twice, before the loop sleeps (for what timers wrote) and after it has served sockets. Answers that are
 * resumed there leave in the next turn. */
#include "daemon/daemon.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/drive.h"
#include "daemon/event.h"
#include "daemon/hold.h"
#include "daemon/job.h"
#include "daemon/notify.h"
#include "daemon/pool.h"
#include "daemon/replay.h"
#include "daemon/exchange.h"
#include "daemon/server.h"
#include "daemon/waiter.h"
#include "daemon/worker.h"
#include "store/store.h"

enum { SWEEP_MS = 1000, LINGER_STEP_MS = 10, LINGER_STEPS = 100 };

_Noreturn void daemon_crash(struct daemon *d, const struct errinfo *e)
{
	log_error("%s; nothing that was not written is acknowledged, the daemon ends", e->msg);
	pool_kill_all(d->pool);
	_exit(1);
}

/* ---- a turn
 * ------------------------------------------------------------------------------------------------------------ */

static enum err end_turn(struct daemon *d, bool *ret_more, struct errinfo *e)
{
	enum err err = drive_jobs(d, ret_more, e);
	if (!err)
		err = waiter_serve(d, e);
	if (!err)
		err = job_flush(d, e);
	if (!err)
		err = feed_publish(d, e);
	if (!err && store_dirty(d->store))
		err = store_commit(d->store, e);
	return err;
}

static void on_idle(uv_idle_t *idle)
{
	(void)idle; /* that it is active keeps the loop from sleeping */
}

static void turn(struct daemon *d)
{
	struct errinfo e;
	bool more;
	if (end_turn(d, &more, &e))
		daemon_crash(d, &e);
	job_forget(d, false);
	feed_wake(d);
	exchange_send_all(d);
	if (more)
		uv_idle_start(&d->idle, on_idle);
	else
		uv_idle_stop(&d->idle);
}

static void on_alarm(uv_timer_t *timer)
{
	(void)timer; /* the end of the turn looks at the deadlines */
}

static void on_prepare(uv_prepare_t *prepare)
{
	struct daemon *d = prepare->data;
	turn(d);
	int ms = waiter_next_deadline(d);
	if (ms >= 0)
		uv_timer_start(&d->alarm, on_alarm, (uint64_t)ms, 0);
	else
		uv_timer_stop(&d->alarm);
}

static void on_check(uv_check_t *check)
{
	turn(check->data);
}

static void on_sweep(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	struct errinfo e;
	if (hold_sweep(d, &e) || drive_clocks(d, &e))
		daemon_crash(d, &e);
	waiter_sweep(d);
	notify_status(d);
}

/* ---- stop
 * --------------------------------------------------------------------------------------------------------------- */

/* Answers under way are given a moment. */
static void on_linger(uv_timer_t *timer)
{
	struct daemon *d = timer->data;
	if (server_active(d->server) == 0 || ++d->lingered > LINGER_STEPS)
		uv_stop(&d->loop);
}

static void on_workers_gone(struct daemon *d)
{
	uv_timer_start(&d->linger, on_linger, LINGER_STEP_MS, LINGER_STEP_MS);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct daemon *d = handle->data;
	if (d->stopping) {
		pool_kill_all(d->pool);
		return;
	}
	log_info("stopping after %s", number == SIGTERM ? "SIGTERM" : "SIGINT");
	d->stopping = true;
	notify_stopping();
	waiter_refuse_all(d);
	feed_stop(d);
	pool_stop(d->pool, on_workers_gone);
}

/* ---- start
 * -------------------------------------------------------------------------------------------------------------- */

static void init_handles(struct daemon *d)
{
	uv_prepare_init(&d->loop, &d->prepare);
	uv_check_init(&d->loop, &d->check);
	uv_idle_init(&d->loop, &d->idle);
	uv_timer_init(&d->loop, &d->sweep);
	uv_timer_init(&d->loop, &d->alarm);
	uv_timer_init(&d->loop, &d->linger);
	uv_signal_init(&d->loop, &d->sigterm);
	uv_signal_init(&d->loop, &d->sigint);
	d->prepare.data = d->check.data = d->idle.data = d->sweep.data = d;
	d->linger.data = d->sigterm.data = d->sigint.data = d;
	uv_prepare_start(&d->prepare, on_prepare);
	uv_check_start(&d->check, on_check);
	uv_timer_start(&d->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	uv_signal_start(&d->sigterm, on_signal, SIGTERM);
	uv_signal_start(&d->sigint, on_signal, SIGINT);
}

static enum err start(struct daemon *d, struct errinfo *e)
{
	enum err err = feed_new(d, &d->feed, e);
	if (!err)
		err = replay_jobs(d, e);
	if (!err)
		err = job_flush(d, e);
	if (!err && store_dirty(d->store))
		err = store_commit(d->store, e);
	if (!err)
		err = server_open(d, e);
	if (!err && d->config.workers)
		err = file_make_directory(d->config.cache, e);
	return err ? err : pool_new(d, &d->pool, e);
}

/* ---- the whole
 * ---------------------------------------------------------------------------------------------------------- */

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_all(struct daemon *d)
{
	if (d->server)
		server_close(d->server);
	pool_kill_all(d->pool);
	uv_walk(&d->loop, close_handle, NULL);
	uv_run(&d->loop, UV_RUN_DEFAULT);
	hold_forget(d);
	job_forget(d, true);
	worker_forget_all(d);
	pool_free(d->pool);
	server_free(d->server);
	feed_free(d->feed);
	uv_loop_close(&d->loop);
}

static enum err serve(struct daemon *d, struct errinfo *e)
{
	int code = uv_loop_init(&d->loop);
	if (code)
		return err_set(e, ERR_INTERNAL, "libuv does not start: %s", uv_strerror(code));
	enum err err = start(d, e);
	if (!err) {
		init_handles(d);
		log_info("pared " VERSION " is ready, %d worker%s", d->config.workers,
			d->config.workers == 1 ? "" : "s");
		notify_ready();
		uv_run(&d->loop, UV_RUN_DEFAULT);
		turn(d);
		log_info("stopped");
	}
	close_all(d);
	return err;
}

enum err daemon_run(struct daemon *d, struct errinfo *e)
{
	d->started_ns = clock_ns();
	signal(SIGPIPE, SIG_IGN);
	enum err err = file_make_directory(d->config.state, e);
	if (!err)
		err = store_open(d->config.state, &d->store, e);
	if (!err)
		err = serve(d, e);
	if (d->store)
		store_close(d->store);
	return err;
}

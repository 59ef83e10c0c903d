/* worker.c -- a loop over leases: take one, evaluate it, report.
 * SPDX-License-Identifier: MIT
 *
 *     waiting --lease--> trial --report ready--> complete --+
 *        ^                 |----it can't be done--> fail ---+
 *        |                 |----SIGTERM, no blob--> release-+
 *        |                 '----lease lost: nothing --------+
 *        '--------------------------------------------------'
 *
 * The trial runs on the main thread; heartbeat.c keeps its lease and its limits on another, with a connection
 * of its own. A process can't be freed of a trial that passed a limit, so it ends, or executes itself again. */
#include "evaluator/worker.h"

#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/http.h"
#include "base/json.h"
#include "base/log.h"
#include "evaluator/backoff.h"
#include "evaluator/cache.h"
#include "evaluator/data/decode.h"
#include "evaluator/heartbeat.h"
#include "evaluator/kernels/dnn.h"
#include "evaluator/report.h"
#include "evaluator/trial.h"

enum { POLL_S = 30, POLL_TIMEOUT_S = 60, PATIENCE_S = 60, RELEASE_PATIENCE_S = 2, SUPERVISOR_ABSENCE_S = 10 };

/* For the signal handler; `stop` is also raised by the heartbeat. */
static atomic_bool terminating, stop;

struct worker {
	const struct worker_options *o;
	struct http *http, *beat; /* of the main thread, of the heartbeat's */
	struct cache *cache;
	struct workspace *workspace;
	struct shelf shelf;
	char model[CACHE_PATH];   /* where a trial writes its network */
	bool faulty;              /* the last trial was given back by a fault of this machine or the daemon */
	double expires;           /* of the lease at hand */
};

static void on_signal(int number)
{
	(void)number;
	atomic_store(&terminating, true);
	atomic_store(&stop, true);
}

/* Without SA_RESTART, so that waiting ends. The mask may come blocked from restart_or_exit, with signals pending. */
static void take_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal };
	sigaction(SIGTERM, &act, NULL);
	act.sa_flags = (int)SA_RESETHAND; /* the second Ctrl-C ends what hangs */
	sigaction(SIGINT, &act, NULL);
	act = (struct sigaction){ .sa_handler = SIG_IGN };
	sigaction(SIGPIPE, &act, NULL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool orphaned(const struct worker_options *o)
{
	return o->supervisor && getppid() != o->supervisor;
}

/* ---- one lease ---- */

struct limits {
	double trial_seconds;
	int64_t trial_memory_mb;
};

static const struct json_field limit_fields[] = {
	JSON_FIELD(struct limits, trial_seconds, JSON_NUMBER, .required = true, .min = 0.001, .max = 1e9),
	JSON_FIELD(struct limits, trial_memory_mb, JSON_INT, .required = true, .min = 1, .max = 1 << 30),
};

struct lease {
	int64_t id;
	const char *trial, *kind, *model;
	double heartbeat, expires;
	const cJSON *data, *prune, *rung, *limits, *seed, *candidate, *from, *pretrain;
};

static const struct json_field lease_fields[] = {
	JSON_FIELD(struct lease, id, JSON_INT, .required = true, .min = 1, .max = 0x1p53),
	JSON_FIELD(struct lease, trial, JSON_STRING, .required = true),
	JSON_FIELD(struct lease, kind, JSON_STRING, .required = true),
	JSON_FIELD(struct lease, heartbeat, JSON_NUMBER, .required = true, .min = 0.01, .max = 86400),
	JSON_FIELD(struct lease, expires, JSON_NUMBER, .required = true, .min = 0.01, .max = 86400),
	JSON_FIELD(struct lease, model, JSON_STRING, .required = true),
	JSON_FIELD(struct lease, data, JSON_ANY, .required = true),
	JSON_FIELD(struct lease, prune, JSON_ANY, .required = false),
	JSON_FIELD(struct lease, rung, JSON_ANY, .required = false),
	JSON_FIELD(struct lease, limits, JSON_OBJECT, .required = true),
	JSON_FIELD(struct lease, seed, JSON_ANY, .required = false),
	JSON_FIELD(struct lease, candidate, JSON_ANY, .required = false),
	JSON_FIELD(struct lease, from, JSON_ANY, .required = false),
	JSON_FIELD(struct lease, pretrain, JSON_ANY, .required = false),
};

/* What trial_run needs it reads itself; here only what the loop needs. */
static enum err lease_read(const cJSON *doc, struct lease *ret, struct heartbeat_lease *ret_beat, struct errinfo *e)
{
	struct limits limits = { 0 };
	enum err err = json_read(doc, "", lease_fields, sizeof lease_fields / sizeof *lease_fields, ret, e);
	if (!err)
		err = json_read(ret->limits, "limits", limit_fields, sizeof limit_fields / sizeof *limit_fields,
			&limits, e);
	if (err)
		return err_wrap(e, "lease");
	*ret_beat = (struct heartbeat_lease){ ret->id, ret->heartbeat, ret->expires, limits.trial_seconds,
		limits.trial_memory_mb };
	return ERR_OK;
}

/* A restart of the daemon is waited out for as long as the lease may live without it. */
static enum err fetch(const char *digest, char ret_path[CACHE_PATH], void *arg, struct errinfo *e)
{
	struct worker *w = arg;
	struct backoff b = { 0 };
	int64_t until = clock_ns() + (int64_t)(w->expires * 1e9);
	enum err err;
	do
		err = cache_get(w->cache, w->http, digest, ret_path, e);
	while (err == ERR_UNAVAILABLE && clock_ns() < until && backoff_wait(&b, &stop));
	return atomic_load(&stop) ? err_set(e, ERR_GONE, "the trial was stopped") : err;
}

/* On the heartbeat's thread, all signals blocked: they stay so over the exec, and a SIGTERM that comes now is
 * delivered when the next process asks for it. */
static void restart_or_exit(const char *reason, void *arg)
{
	const struct worker *w = arg;
	log_warning("%s", reason);
	cache_clean(w->cache);
	if (w->o->restart && !atomic_load(&terminating)) {
		char self[CACHE_PATH];
		ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
		self[n < 0 ? 0 : n] = '\0';
		close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
		execv(self, w->o->restart);
	}
	_exit(WORKER_EXIT_LIMIT);
}

static void tell_outcome(const struct lease *l, const char *verb, enum err err, const struct errinfo *e)
{
	if (err) /* a lease that is over, of a cancelled job say, is nothing wrong */
		log_line(err == ERR_GONE ? LOG_INFO : LOG_WARNING, "trial %s: %s was not taken: %s", l->trial, verb,
			e->msg);
}

/* Whether the trial went wrong by the machine's or the daemon's fault rather than the candidate's: a full disk, a file
 * that vanished. Then another attempt may do better. An internal error is the daemon's own once the trial has ended
 * well. */
static bool own_fault(enum err err, bool ended)
{
	return err == ERR_UNAVAILABLE || err == ERR_GONE || err == ERR_IO || err == ERR_NOT_FOUND ||
	       (ended && (err == ERR_INTERNAL || err == ERR_MEMORY));
}

/* What follows from how the trial ended. e tells why it did, when err says so. */
static void report(struct worker *w, const struct lease *l, enum heartbeat_state state, enum err err, cJSON *result,
	struct errinfo *e)
{
	struct reporter r = { w->http, l->id, l->expires + PATIENCE_S, &terminating };
	struct errinfo why = { 0 };
	bool ended = !err;
	if (state == HEARTBEAT_GONE || (err == ERR_GONE && state != HEARTBEAT_HELD)) {
		log_info("trial %s: dropped, the lease is lost", l->trial);
		return;
	}
	if (!err) {
		err = report_complete(&r, result, access(w->model, F_OK) ? NULL : w->model, e);
		if (!err || err == ERR_GONE || err == ERR_NOT_FOUND || err == ERR_CONFLICT) {
			tell_outcome(l, "the report", err, e);
			return;
		}
		err_wrap(e, "the report was not taken");
	}
	if (own_fault(err, ended)) {
		w->faulty = err != ERR_GONE;
		r.patience_s = RELEASE_PATIENCE_S;
		log_line(w->faulty ? LOG_WARNING : LOG_INFO, "trial %s: released: %s", l->trial, e->msg);
		err = report_release(&r, &why);
		tell_outcome(l, "the release", err, &why);
		return;
	}
	log_warning("trial %s: failed: %s", l->trial, e->msg);
	err = report_fail(&r, e->msg, &why);
	tell_outcome(l, "the failure", err, &why);
}

static void work_on(struct worker *w, const cJSON *doc)
{
	struct lease l = { .trial = "?" };
	struct heartbeat_lease beat;
	struct heartbeat *h = NULL;
	struct errinfo e = { 0 };
	cJSON *result = NULL;
	enum heartbeat_state state = HEARTBEAT_HELD;
	enum err err = lease_read(doc, &l, &beat, &e);
	atomic_store(&stop, false);
	if (atomic_load(&terminating))
		atomic_store(&stop, true);
	w->expires = l.expires;
	if (!err)
		err = cache_prepare(w->cache, &e);
	if (!err)
		err = heartbeat_start(w->beat, &beat, &stop, restart_or_exit, w, &h, &e);
	if (!err) {
		http_set_stop(w->http, &stop);
		err = trial_run(w->workspace, doc, w->model, &stop, &result, &e);
		http_set_stop(w->http, NULL);
		heartbeat_lift_limits(h);
		state = heartbeat_state(h);
	}
	if (l.id)
		report(w, &l, state, err, result, &e);
	else
		log_warning("%s", e.msg);
	if (h)
		heartbeat_stop(h);
	unlink(w->model);
	cache_release(w->cache);
	cJSON_Delete(result);
}

/* ---- the loop ---- */

/* *ret is NULL when there is no work. */
static enum err next_lease(struct worker *w, cJSON **ret, struct errinfo *e)
{
	cJSON *body = cJSON_CreateObject();
	enum err err = ERR_OK;
	*ret = NULL;
	if (!body || !cJSON_AddStringToObject(body, "worker", w->o->name) ||
		!cJSON_AddNumberToObject(body, "wait", POLL_S)) {
		cJSON_Delete(body);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	http_set_stop(w->http, &terminating);
	err = http_call(w->http, "POST", "/v1/leases", body, POLL_TIMEOUT_S, ret, e);
	http_set_stop(w->http, NULL);
	cJSON_Delete(body);
	return err;
}

/* Waiting doesn't mend a wrong address or token, everything else may pass. */
static bool hopeless(enum err err)
{
	return err == ERR_INPUT || err == ERR_DENIED || err == ERR_NOT_FOUND;
}

/* An attempt to get a lease failed, as all have since `absent`. False when the worker should end: a supervised one
 * that was orphaned before it could know its parent sees the daemon's absence only here. */
static bool wait_for_daemon(struct worker *w, struct backoff *b, int64_t absent, const struct errinfo *e)
{
	if (b->waits == 0)
		log_warning("no lease: %s; trying on", e->msg);
	if (w->o->supervisor && clock_ns() - absent > SUPERVISOR_ABSENCE_S * INT64_C(1000000000)) {
		log_warning("no daemon for %d s: ending", SUPERVISOR_ABSENCE_S);
		return false;
	}
	return backoff_wait(b, &terminating);
}

static enum err loop(struct worker *w, struct errinfo *e)
{
	struct backoff b = { 0 }, faults = { 0 };
	int64_t absent = 0;
	while (!atomic_load(&terminating) && !orphaned(w->o)) {
		cJSON *lease = NULL;
		int64_t asked = clock_ns();
		enum err err = next_lease(w, &lease, e);
		if (err && atomic_load(&terminating))
			break;
		if (err && hopeless(err))
			return err;
		if (err) {
			absent = absent ? absent : clock_ns();
			if (!wait_for_daemon(w, &b, absent, e))
				break;
			continue;
		}
		absent = 0;
		/* A daemon that says "no work" at once must not be asked in a tight loop. */
		if (!lease && clock_ns() - asked < INT64_C(1000000000)) {
			backoff_wait(&b, &terminating);
			continue;
		}
		backoff_reset(&b);
		if (!lease)
			continue;
		w->faulty = false;
		work_on(w, lease);
		if (w->faulty)
			backoff_wait(&faults, &terminating); /* what was released comes back at once */
		else
			backoff_reset(&faults);
		cJSON_Delete(lease);
		if (w->o->once)
			break;
	}
	return ERR_OK;
}

/* Kernels are kept for little more than one network in training, so that a worker doesn't grow with every candidate,
 * and large blocks always go back to the system: among blocks that stay, candidates of all sizes would leave ever
 * larger gaps. Which of two kernels is the faster one is remembered beside the blobs. */
static void open_kernels(const struct worker *w)
{
	enum { KEPT_KERNELS = 128, LARGE_BLOCK = 256 << 10 };
	char path[PATH_MAX];
	dnn_keep_kernels(KEPT_KERNELS);
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	snprintf(path, sizeof path, "%s/kernels.txt", w->o->cache);
	workspace_remember(w->workspace, path);
}

enum err worker_run(const struct worker_options *o, struct errinfo *e)
{
	struct worker w = { .o = o };
	if (o->supervisor && prctl(PR_SET_PDEATHSIG, SIGKILL))
		return err_errno(e, "prctl");
	if (orphaned(o)) /* it died before the call above */
		return ERR_OK;
	take_signals();
	enum err err = http_open(o->url, o->token, &w.http, e);
	if (!err)
		err = http_open(o->url, o->token, &w.beat, e);
	if (!err)
		err = cache_open(o->cache, o->name, o->cache_bytes, &w.cache, e);
	if (!err)
		err = cache_temporary(w.cache, "model.onnx", w.model, e);
	if (!err)
		err = workspace_open(fetch, &w, &w.workspace, e);
	if (!err) {
		w.shelf = cache_shelf(w.cache);
		workspace_share(w.workspace, &w.shelf);
		open_kernels(&w);
		err = loop(&w, e);
	}
	if (w.workspace)
		workspace_close(w.workspace);
	cache_close(w.cache);
	http_close(w.beat);
	http_close(w.http);
	return err;
}

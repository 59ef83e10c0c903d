/* heartbeat.c -- keeps a lease while its trial runs, and holds the trial to its limits.
 * SPDX-License-Identifier: MIT
 *
 *     HELD --410, 404, cancel--> GONE
 *     HELD --expires without an answer--> UNREACHABLE
 *
 * The mutex guards `ended` and `limited`. It is held from the moment that a limit is found passed until the process
 * has ended, so that heartbeat_lift_limits can't slip through and a second report be made of the same trial. */
#include "evaluator/heartbeat.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { TICK_NS = 200 * 1000 * 1000, CALL_TIMEOUT_S = 2, FAIL_ATTEMPTS = 3 };

static const double RETRY_S = 0.5;

struct heartbeat {
	struct http *http;
	struct heartbeat_lease lease;
	atomic_bool *stop;
	heartbeat_limit_cb *past_limit;
	void *arg;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t wake;
	bool ended, limited;
	atomic_int state;
	int64_t started, answered, next; /* clock_ns */
};

static int64_t in_ns(double seconds)
{
	return (int64_t)(seconds * 1e9);
}

static enum err post(struct heartbeat *h, const char *verb, const cJSON *body, cJSON **ret, struct errinfo *e)
{
	char path[96];
	snprintf(path, sizeof path, "/v1/leases/%lld/%s", (long long)h->lease.id, verb);
	return http_call(h->http, "POST", path, body, CALL_TIMEOUT_S, ret, e);
}

static void lose(struct heartbeat *h, enum heartbeat_state state)
{
	atomic_store(&h->state, state);
	atomic_store(h->stop, true);
}

/* Anything but a clear answer (a full disk, a restart) is worth another try until the lease has run out. */
static void beat(struct heartbeat *h)
{
	cJSON *body = cJSON_CreateObject(), *answer = NULL;
	enum err err = body ? post(h, "heartbeat", body, &answer, NULL) : ERR_MEMORY;
	bool cancel = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(answer, "cancel"));
	int64_t now = clock_ns();
	if (cancel || err == ERR_GONE || err == ERR_NOT_FOUND) {
		lose(h, HEARTBEAT_GONE);
	} else if (!err) {
		h->answered = now;
		h->next = now + in_ns(h->lease.every);
	} else if (now - h->answered >= in_ns(h->lease.expires)) {
		lose(h, HEARTBEAT_UNREACHABLE);
	} else {
		h->next = now + in_ns(h->lease.every < RETRY_S ? h->lease.every : RETRY_S);
	}
	cJSON_Delete(answer);
	cJSON_Delete(body);
}

/* Resident memory of this process's own, in MiB: what it maps from files, decoded data above all, it shares with other
 * workers and the kernel takes back. 0 when /proc/self/statm can't be read. */
static int64_t own_mb(void)
{
	long long resident, shared, pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return 0;
	if (fscanf(f, "%*s %lld %lld", &resident, &shared) == 2)
		pages = resident - shared;
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE) / (1024 * 1024);
}

static bool past_limit(const struct heartbeat *h, char reason[160])
{
	double ran = (double)(clock_ns() - h->started) / 1e9;
	if (ran > h->lease.trial_seconds) {
		snprintf(reason, 160, "limits.trial_seconds: the trial ran for %.1f s, the limit is %g s", ran,
			h->lease.trial_seconds);
		return true;
	}
	int64_t mb = own_mb();
	if (mb > h->lease.trial_memory_mb) {
		snprintf(reason, 160, "limits.trial_memory_mb: the worker grew to %lld MiB, the limit is %lld MiB",
			(long long)mb, (long long)h->lease.trial_memory_mb);
		return true;
	}
	return false;
}

/* The memory keeps growing while this runs, hence few and short attempts; unreported, the lease is lost with the
 * process and the trial given out again. */
static void report_limit(struct heartbeat *h, const char *reason)
{
	cJSON *body = cJSON_CreateObject();
	if (body && cJSON_AddStringToObject(body, "reason", reason))
		for (int i = 0; i < FAIL_ATTEMPTS; i++)
			if (post(h, "fail", body, NULL, NULL) != ERR_UNAVAILABLE)
				break;
	cJSON_Delete(body);
	h->past_limit(reason, h->arg);
}

/* Sleeps for a tick, less when the end was asked for. */
static void wait_tick(struct heartbeat *h)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += TICK_NS;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!h->ended && pthread_cond_timedwait(&h->wake, &h->mutex, &until) == 0)
		;
}

static void *run(void *arg)
{
	struct heartbeat *h = arg;
	char reason[160];
	pthread_mutex_lock(&h->mutex);
	while (!h->ended) {
		if (h->limited && past_limit(h, reason))
			report_limit(h, reason);
		if (atomic_load(&h->state) == HEARTBEAT_HELD && clock_ns() >= h->next) {
			pthread_mutex_unlock(&h->mutex);
			beat(h);
			pthread_mutex_lock(&h->mutex);
		}
		wait_tick(h);
	}
	pthread_mutex_unlock(&h->mutex);
	return NULL;
}

static bool wake_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	if (pthread_condattr_init(&attr))
		return false;
	bool ok = !pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) && !pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
	return ok;
}

/* Signals belong to the main thread, whose waiting they interrupt. */
static bool thread_start(struct heartbeat *h)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	bool ok = !pthread_create(&h->thread, NULL, run, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

enum err heartbeat_start(struct http *http, const struct heartbeat_lease *lease, atomic_bool *stop,
	heartbeat_limit_cb *past_limit_cb, void *arg, struct heartbeat **ret, struct errinfo *e)
{
	struct heartbeat *h = calloc(1, sizeof *h);
	if (!h)
		return err_set(e, ERR_MEMORY, "out of memory");
	h->http = http;
	h->lease = *lease;
	h->stop = stop;
	h->past_limit = past_limit_cb;
	h->arg = arg;
	h->limited = true;
	h->started = h->answered = clock_ns();
	h->next = h->started + in_ns(lease->every);
	pthread_mutex_init(&h->mutex, NULL);
	if (!wake_init(&h->wake)) {
		pthread_mutex_destroy(&h->mutex);
		free(h);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	if (!thread_start(h)) {
		pthread_cond_destroy(&h->wake);
		pthread_mutex_destroy(&h->mutex);
		free(h);
		return err_set(e, ERR_INTERNAL, "the heartbeat's thread does not start");
	}
	*ret = h;
	return ERR_OK;
}

enum heartbeat_state heartbeat_state(struct heartbeat *h)
{
	return (enum heartbeat_state)atomic_load(&h->state);
}

void heartbeat_lift_limits(struct heartbeat *h)
{
	pthread_mutex_lock(&h->mutex);
	h->limited = false;
	pthread_mutex_unlock(&h->mutex);
}

void heartbeat_stop(struct heartbeat *h)
{
	pthread_mutex_lock(&h->mutex);
	h->ended = true;
	pthread_cond_signal(&h->wake);
	pthread_mutex_unlock(&h->mutex);
	pthread_join(h->thread, NULL);
	pthread_cond_destroy(&h->wake);
	pthread_mutex_destroy(&h->mutex);
	free(h);
}

/* notify.c -- what systemd is told.
 * SPDX-License-Identifier: MIT */
#include "daemon/notify.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "daemon/daemon.h"
#include "daemon/hold.h"
#include "daemon/job.h"

void notify_ready(void)
{
	sd_notify(0, "READY=1\nSTATUS=Ready");
}

void notify_stopping(void)
{
	sd_notify(0, "STOPPING=1\nSTATUS=Waiting for the workers to end");
}

void notify_status(const struct daemon *d)
{
	int jobs = 0, leases = 0;
	if (!getenv("NOTIFY_SOCKET"))
		return;
	for (const struct job *j = d->jobs; j; j = j->next)
		jobs++;
	for (const struct hold *h = d->holds; h; h = h->next)
		leases++;
	sd_notifyf(0, "STATUS=%d live job%s, %d trial%s being evaluated", jobs, jobs == 1 ? "" : "s", leases,
		leases == 1 ? "" : "s");
}

/* notify.h -- what systemd is told; nothing happens without it.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

struct daemon;

void notify_ready(void);
void notify_stopping(void);

/* The line that systemctl status shows: jobs and leases. */
void notify_status(const struct daemon *d);

#endif

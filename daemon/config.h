/* config.h -- what the daemon is told by its file: JSON with comments, unknown keys refused.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"

struct config {
	char *state;          /* directory of the database and the blobs */
	char *socket;         /* path of the Unix socket */
	unsigned socket_mode; /* its permission bits */
	char *tcp_host;       /* numeric address, NULL: no TCP */
	int tcp_port;         /* 0: any that is free; the log says which */
	char *tcp_token;      /* what every request over TCP must carry; the token file's content */
	int workers;          /* supervised processes */
	char *worker_program;
	char *cache;          /* directory for the workers */
	int64_t max_blob;     /* bytes */
	enum log_level log_level;
	int lease_seconds;    /* without a heartbeat for so long a lease is lost */
};

/* Reads and checks a configuration; also the token file when TCP is wanted. ERR_INPUT names key, value and what was
 * expected. */
enum err config_read(const cJSON *doc, struct config *ret, struct errinfo *e) __attribute__((warn_unused_result));
enum err config_load(const char *path, struct config *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* Whether this machine can serve it: folders that are writable or can be made, a worker program that can be run.
 * ERR_INPUT naming the key and the path. Changes nothing. */
enum err config_check(const struct config *c, struct errinfo *e) __attribute__((warn_unused_result));

void config_fini(struct config *c);

#endif

/* route.h -- which handler answers which method and path.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_ROUTE_H
#define DAEMON_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

struct exchange;

/* What the braces in a pattern stand for. */
struct route_args {
	int64_t id;     /* {id}: a positive integer; of {trial}, "JOB.NUMBER", the job */
	int64_t number; /* of {trial} */
	char word[DIGEST_HEX + 1]; /* {digest}: at most 64 characters, unchecked */
};

typedef enum err route_cb(struct exchange *r, struct errinfo *e);

struct route {
	const char *method, *pattern;
	route_cb *handle; /* the request is complete */
	route_cb *begin;  /* its headers are; NULL: the body is collected as JSON text */
	bool while_stopping; /* workers give back their leases during a stop */
};

enum route_match { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* Looks a path up in a table. HEAD counts as GET. On ROUTE_NO_METHOD allowed lists the methods that the path has. */
enum route_match route_find(const struct route *table, size_t n, const char *method, const char *path,
	const struct route **ret, struct route_args *ret_args, char ret_allowed[64]);

#endif

/* lease.h -- who is evaluating what, until when.
 * SPDX-License-Identifier: MIT
 *
 * A lease outlives a crash of the daemon, so that a remote worker's result still counts. */
#ifndef STORE_LEASE_H
#define STORE_LEASE_H

#include <stdint.h>

#include "store/store.h"

enum lease_kind { LEASE_BASELINE, LEASE_CANDIDATE, LEASE_TEST };
const char *lease_kind_name(enum lease_kind k);

struct lease_row {
	int64_t id, job, number; /* job.number is the trial */
	enum lease_kind kind;
	bool exclusive;  /* nothing else is handed out meanwhile */
	bool supervised; /* held by a process that the daemon started: it dies with the daemon */
	char *worker;
	int64_t granted, expires; /* ms */
};
void lease_row_fini(struct lease_row *r);

/* Ids grow and are never used twice, not even after a restart. r->id is ignored. */
enum err lease_insert(struct store *s, const struct lease_row *r, int64_t *ret_id, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err lease_load(struct store *s, int64_t id, struct lease_row *ret, struct errinfo *e)
	__attribute__((warn_unused_result)); /* ERR_NOT_FOUND */
/* A lease that has ended is ERR_GONE, not ERR_NOT_FOUND, for these and for lease_load. */
enum err lease_extend(struct store *s, int64_t id, int64_t expires, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err lease_end(struct store *s, int64_t id, struct errinfo *e) __attribute__((warn_unused_result));

/* Live leases, oldest first. job 0: of all jobs. */
typedef enum err lease_row_cb(const struct lease_row *r, void *arg, struct errinfo *e);
enum err lease_each(struct store *s, int64_t job, lease_row_cb *cb, void *arg, struct errinfo *e)
	__attribute__((warn_unused_result));
enum err lease_count(struct store *s, int64_t *ret, struct errinfo *e) __attribute__((warn_unused_result));

#endif

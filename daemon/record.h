/* record.h -- a job as the store knows it, live or over: for questions about what was found.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

#include "search/strategy.h"
#include "store/job.h"

struct daemon;
struct spec;

struct record {
	struct job_row row;
	struct spec *spec;
	struct space *space;
	struct problem problem;
};

/* ERR_NOT_FOUND; ERR_CONFLICT while nothing is known of the network, or when it never was. */
enum err record_load(struct daemon *d, int64_t job, struct record *ret, struct errinfo *e)
	__attribute__((warn_unused_result));
void record_fini(struct record *r);

#endif

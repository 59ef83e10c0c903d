/* job.h -- a job under way, for tests: a table, what it has handed out, and what the workers are at.
 * SPDX-License-Identifier: MIT */
#ifndef TESTS_SEARCH_JOB_H
#define TESTS_SEARCH_JOB_H

#include "tests/search/fixture.h"

enum { JOB_GROUPS = 6, JOB_TRIALS = 300, JOB_WORKERS = 8 }; /* at most */

struct job_trial {
	int rung, parent, keep[JOB_GROUPS];
	bool back, promoted;
	struct outcome outcome;
};

struct job {
	struct problem problem;
	struct table *table;
	int fail_from; /* trials at this rung and above always fail */
	bool flaky;
	struct job_trial trials[JOB_TRIALS + 1]; /* by number */
	int count, busy[JOB_WORKERS], busy_count;
	bool done;
};

/* j is all zeros or was open before: then that is closed. */
void job_open(struct job *j, const struct problem *p, const char *strategy, bool flaky);
void job_close(struct job *j);

/* The worker `which` of the busy ones finishes. */
void job_finish(struct job *j, int which);

/* Until `stop` trials were handed out, or all is done: workers that are lucky finish first. */
void job_work(struct job *j, int workers, struct rng *luck, int stop);

/* Fails unless both handed out the same trials. */
void job_same(const struct job *a, const struct job *b);

#endif

/* proposal.h -- a candidate that was proposed becomes a trial.
 * SPDX-License-Identifier: MIT */
#ifndef DAEMON_PROPOSAL_H
#define DAEMON_PROPOSAL_H

#include "base/err.h"

struct job;
struct request;

/* The table's trial `number`, which keeps so many channels and was asked for as q says: it is written, complete at once
 * when its candidate is known, otherwise with a flight. The job may be over afterwards. */
enum err proposal_add(struct job *j, int number, const int *keep, const struct request *q, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

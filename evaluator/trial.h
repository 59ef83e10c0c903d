/* trial.h -- one lease's work: prune, train, recalibrate, measure, export.
 * SPDX-License-Identifier: MIT
 *
 * What can be kept from one trial to the next (decoded data, the parsed model and its groups, the baseline ready to be
 * timed) lives in a struct workspace and is found again by digest. Thread: the worker's main one; only `stop` is set by
 * another. */
#ifndef EVALUATOR_TRIAL_H
#define EVALUATOR_TRIAL_H

#include <cjson/cJSON.h>
#include <stdatomic.h>

#include "base/err.h"

struct shelf;
struct workspace;

/* Gives the path of a local copy of blob `digest`, fetching it when it is missing. */
typedef enum err workspace_fetch_cb(const char *digest, char ret_path[4096], void *arg, struct errinfo *e);

enum err workspace_open(workspace_fetch_cb *fetch, void *arg, struct workspace **ret, struct errinfo *e)
	__attribute__((warn_unused_result));
/* Decoded data is kept on `shelf`, for all workers of the machine; without one each has its own. */
void workspace_share(struct workspace *w, const struct shelf *shelf);
/* Which kernels long training is fastest with is kept in the file at path (kernels/choice.h). */
void workspace_remember(struct workspace *w, const char *path);
void workspace_close(struct workspace *w);

/* Does what the lease (docs/protocol.md) says. *ret_report is the body of `complete` but for "model". Networks that did
 * not exist before, a candidate's or a baseline's that is trained first, are written to model_path; otherwise it is
 * left alone. When *stop becomes true the work ends soon with ERR_GONE. Any other error is the reason for `fail`;
 * ERR_UNAVAILABLE means that a blob could not be fetched: the lease is better released. */
enum err trial_run(struct workspace *w, const cJSON *lease, const char *model_path, const atomic_bool *stop,
	cJSON **ret_report, struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* workspace.h -- what is kept from one trial to the next.
 * SPDX-License-Identifier: MIT
 *
 * The parsed model with its groups and importances, decoded data, and the baseline ready to be timed: each found again
 * by digest, so that a worker that stays on one job reads nothing twice. */
#ifndef EVALUATOR_WORKSPACE_H
#define EVALUATOR_WORKSPACE_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/err.h"
#include "evaluator/data/source.h"
#include "evaluator/prune/prune.h"
#include "evaluator/trial.h"

struct plan;
struct teacher;

/* The model of that digest, its channels ranked. `sample` names the data that r observes: the same name stands for the
 * same data. Lives until another one is asked for. */
enum err workspace_model(struct workspace *w, const char *digest, const struct ranking *r, const char *sample,
	const struct prunable **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The same of a file that isn't a blob yet, trained just now: its digest is computed. */
enum err workspace_model_file(struct workspace *w, const char *path, const struct ranking *r, const char *sample,
	const struct prunable **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* What the model last opened says of the images that train: `name` stands for them, and for the batches that they come
 * in. Lives until another model or name is asked for. */
enum err workspace_teacher(struct workspace *w, const char *name, const struct split *images, struct teacher **ret,
	struct errinfo *e) __attribute__((warn_unused_result));

/* From now on kernels are chosen by what was measured, when so many steps of training are worth measuring, or else by
 * the rule. */
void workspace_choose_kernels(const struct workspace *w, int64_t steps);

/* The data of one role, decoded; errors begin with "data.ROLE: ". The last three asked for are kept. *stop (may be
 * NULL) becoming true ends it with ERR_GONE. */
enum err workspace_data(struct workspace *w, const struct source *s, enum data_role role, const atomic_bool *stop,
	const struct dataset **ret, struct errinfo *e) __attribute__((warn_unused_result));

/* The images that train and those that score candidates. They live until the next call, s->norm must too. */
enum err workspace_splits(struct workspace *w, const struct source *s, const atomic_bool *stop, struct split *ret_train,
	struct split *ret_held, struct errinfo *e) __attribute__((warn_unused_result));

/* The model last opened, ready for inference at one batch size. */
enum err workspace_baseline(struct workspace *w, int64_t batch, struct plan **ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Where blob `digest` lies on this machine. */
enum err workspace_path(struct workspace *w, const char *digest, char ret_path[4096], struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

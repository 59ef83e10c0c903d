/* trainspec.h -- how a network is trained: "train" of a rung and "pretrain" of a job document (docs/job-file.md).
 * SPDX-License-Identifier: MIT
 *
 * The daemon checks it when a job is submitted, a worker when it gets a lease: both read it here. */
#ifndef BASE_TRAINSPEC_H
#define BASE_TRAINSPEC_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum train_optimizer { TRAIN_SGD, TRAIN_ADAMW };
enum train_schedule { TRAIN_CONSTANT, TRAIN_COSINE, TRAIN_ONE_CYCLE };

struct trainspec {
	double epochs; /* above 0 to 10000, fractions are fine; default 1 when steps isn't given */
	int64_t steps; /* batches instead, 1 to 1e9; 0: epochs counts. Giving both is an error */
	int64_t batch; /* images a step, 2 to 65536; default 128 */
	enum train_optimizer optimizer;
	double rate;   /* peak learning rate, above 0 to 1000; default 0.05 for sgd, 0.001 for adamw */
	double momentum; /* sgd: 0 to below 1, default 0.9 */
	bool nesterov;   /* sgd: default true */
	double beta1, beta2, epsilon; /* adamw: 0 to below 1, default 0.9, 0.999; above 0 to 1, default 1e-8 */
	double weight_decay; /* 0 to 1, default 5e-4 (sgd) or 0.01 (adamw, decoupled) */
	bool decay_norms;    /* weight decay on scale and shift of normalisations too; default false */
	enum train_schedule schedule; /* default cosine */
	double warmup; /* constant, cosine: share of all steps in which the rate rises to its peak, 0 to 0.9 */
	double clip;   /* largest L2 norm of the whole gradient, above 0 to 1e9, default 2; 0 (JSON null): any */
	double smoothing; /* label smoothing, 0 to 0.9; default 0 */
	double distil_weight, distil_temperature; /* share of the teacher's part, 0 to 1; 0.1 to 100 */
	bool flip;      /* "augment": {"flip": false, "shift": 0, "crop": 1}: mirrored left to right half of the time */
	int64_t shift;  /* moved by up to so many pixels up, down, left, right, 0 to 64; what is laid bare is 0 before
			 * normalisation */
	double crop;    /* a window of between this share and all of each side, resized to the whole, 0.1 to 1 */
	int64_t patience; /* "early_stop": {"patience": 0, "images": 2000}: epochs without a lower loss on images kept
			   * from training before the best weights are taken, 0 to 1000; 0: off */
	int64_t patience_images; /* 1 to 1e9, at most a fifth of the training images; by lot */
};

/* `path` is where the object stands, "" at the top. `teacher`: distillation is possible ("distil": {"weight": 0.5,
 * "temperature": 4}, which is the default; null or weight 0: none); otherwise giving it is an error. ERR_INPUT names
 * the key, its value and what was expected. */
enum err trainspec_read(const cJSON *object, const char *path, bool teacher, struct trainspec *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The complete settings in one canonical form, for the caller to cJSON_Delete: trainspec_read makes the same of it.
 * Only settings that have an effect are in it ("distil" is null where there is none). NULL: out of memory. */
cJSON *trainspec_write(const struct trainspec *s);

const char *train_optimizer_name(enum train_optimizer o); /* "sgd", "adamw" */
const char *train_schedule_name(enum train_schedule s);   /* "constant", "cosine", "one-cycle" */

#endif

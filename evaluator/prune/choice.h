/* choice.h -- how many channels each group keeps, as a person asks for it.
 * SPDX-License-Identifier: MIT
 *
 * keep[g] is filled for every group. */
#ifndef EVALUATOR_PRUNE_CHOICE_H
#define EVALUATOR_PRUNE_CHOICE_H

#include <cjson/cJSON.h>

#include "base/err.h"

struct coupling;

/* The nearest to a fraction removed of every group, 0 <= ratio < 1; one channel stays. */
void choice_by_ratio(const struct coupling *c, double ratio, int *ret_keep);

/* An object of GROUP: CHANNELS KEPT, or GROUP: {"ratio": R}; groups that aren't named keep all. ERR_INPUT names the
 * group. */
enum err choice_by_list(const struct coupling *c, const cJSON *list, int *ret_keep, struct errinfo *e)
	__attribute__((warn_unused_result));

/* Whether a text is a target; ERR_INPUT says what is expected. */
enum err choice_check_target(const char *target, struct errinfo *e) __attribute__((warn_unused_result));

/* "macs<=50%", "params<=100000", "bytes<=1e6": one ratio for all groups, as small as the bound allows, and then as many
 * channels more as it still allows, evenly. *ret_ratio is the fraction of the metric that the bound removes. ERR_INPUT
 * when the text is something else, or no candidate is so small. */
enum err choice_by_target(const struct coupling *c, const char *target, int *ret_keep, double *ret_ratio,
	struct errinfo *e) __attribute__((warn_unused_result));

#endif

/* plot.h -- a job's Pareto front as an SVG drawing.
 * SPDX-License-Identifier: MIT */
#ifndef CLIENT_PLOT_H
#define CLIENT_PLOT_H

#include <cjson/cJSON.h>

#include "base/err.h"

/* ERR_INPUT unless it can be an x axis: params, macs, bytes, memory or latency. */
enum err plot_check_metric(const char *metric, struct errinfo *e) __attribute__((warn_unused_result));

/* Draws accuracy over metric x (NULL: the job's first objective that is one, else params): every complete trial
 * faintly, the members of the Pareto set joined by steps, their test accuracy hollow, the unpruned model as a diamond.
 * job and trials are the daemon's documents. The text is well-formed XML of its own, without scripts or links; the
 * caller frees it. ERR_CONFLICT when nothing is complete yet. */
enum err plot_draw(const cJSON *job, const cJSON *trials, const char *x, char **ret_svg, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* accuracy.h -- how well a network classifies.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_ACCURACY_H
#define EVALUATOR_MEASURE_ACCURACY_H

#include <stdatomic.h>
#include <stddef.h>

#include "base/err.h"

struct graph;
struct split;

struct score {
	double accuracy; /* top-1, of the images scored; of equal logits the first counts */
	double loss;     /* mean cross-entropy, natural logarithm */
	size_t count;
};

/* Scores the first `images` of the split (all when there are fewer). Shapes and labels are checked against the network
 * first. A logit that is not finite, or anything else in the first batch, is ERR_INPUT; *stop (may be NULL) becoming
 * true is ERR_GONE. */
enum err score_graph(const struct graph *g, const struct split *s, size_t images, const atomic_bool *stop,
	struct score *ret, struct errinfo *e) __attribute__((warn_unused_result));

/* As score_graph, of a file and the whole split. */
enum err score_model(const char *model, const struct split *s, struct score *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* ERR_UNSUPPORTED when the network, whatever the data, is none that classifies images, or holds a node that cannot be
 * run: names it and the reason. */
enum err score_check_model(const struct graph *g, struct errinfo *e) __attribute__((warn_unused_result));

/* The same, and ERR_INPUT when the split's images don't fit the network's input, or its labels the output. */
enum err score_check(const struct graph *g, const struct split *s, struct errinfo *e)
	__attribute__((warn_unused_result));

#endif

/* batch.h -- how many images a network is given at a time.
 * SPDX-License-Identifier: MIT */
#ifndef EVALUATOR_MEASURE_BATCH_H
#define EVALUATOR_MEASURE_BATCH_H

#include <stddef.h>

#include "base/err.h"

struct graph;

/* Bytes of activations that a batch may need before it is made smaller. */
enum { BATCH_MEMORY = 256 << 20 };

/* `most` images, or as many as there are when that is fewer, halved until their activations fit, but not below `least`.
 * It follows from the network and the numbers given alone: what is measured must not depend on the machine. */
enum err batch_choose(const struct graph *g, size_t images, size_t most, size_t least, size_t *ret, struct errinfo *e)
	__attribute__((warn_unused_result));

/* The same where no buffer is recycled (PLAN_OBSERVE). */
size_t batch_choose_whole(const struct graph *g, size_t images, size_t most);

#endif

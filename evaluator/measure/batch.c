/* batch.c -- how many images a network is given at a time.
 * SPDX-License-Identifier: MIT */
#include "evaluator/measure/batch.h"

#include <stdint.h>

#include "evaluator/measure/size.h"
#include "evaluator/model/graph.h"

/* Halves keep what is a power of two one, so that whole batches of it still make up round numbers of images. */
static size_t fit(int64_t bytes, size_t images, size_t most, size_t least)
{
	size_t batch = images < most ? images : most;
	while (batch / 2 >= least && bytes > BATCH_MEMORY / (int64_t)batch)
		batch /= 2;
	return batch;
}

enum err batch_choose(const struct graph *g, size_t images, size_t most, size_t least, size_t *ret, struct errinfo *e)
{
	struct size size;
	enum err err = size_count(g, &size, e);
	if (!err)
		*ret = fit(size.memory, images, most, least);
	return err;
}

size_t batch_choose_whole(const struct graph *g, size_t images, size_t most)
{
	int64_t bytes = 0;
	for (int i = 0; i < g->value_count; i++) {
		const struct value *v = &g->values[i];
		if (!v->data && v->shape.rank >= 0)
			bytes += 4 * shape_count(&v->shape, 1);
	}
	return fit(bytes, images, most, 1);
}

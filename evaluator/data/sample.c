/* sample.c -- the images that are looked at to learn something about a network.
 * SPDX-License-Identifier: MIT */
#include "evaluator/data/sample.h"

#include <stdlib.h>

#include "base/rng.h"
#include "evaluator/data/dataset.h"

enum err sample_order(const struct sample *s, uint32_t **ret, struct errinfo *e)
{
	struct rng rng;
	uint32_t *order = malloc(s->split->count * sizeof *order + 1);
	if (!order)
		return err_set(e, ERR_MEMORY, "out of memory");
	rng_init(&rng, 0, 0x73616d706c65); /* a stream of its own */
	rng_permutation(&rng, order, s->split->count);
	*ret = order;
	return ERR_OK;
}

size_t sample_count(const struct sample *s)
{
	return s->images < s->split->count ? s->images : s->split->count;
}

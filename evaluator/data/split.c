/* split.c -- which images of a data set train, and which score.
 * SPDX-License-Identifier: MIT */
#include <math.h>
#include <stdlib.h>

#include "base/rng.h"
#include "evaluator/data/dataset.h"

/* Streams of random numbers of their own, so that a seed may be used for other things as well. */
static const uint64_t PARTING = 0x73706c6974000001, SHUFFLING = 0x73706c6974000002;

enum err split_whole(const struct dataset *d, const struct normalisation *norm, struct split *ret, struct errinfo *e)
{
	if (norm && norm->channels && norm->channels != d->channels)
		return err_set(e, ERR_INPUT, "data.mean, data.std: have %d entries, expected %lld, one a channel",
			norm->channels, (long long)d->channels);
	*ret = (struct split){ .data = d, .count = d->count, .norm = norm };
	return ERR_OK;
}

enum err split_holdout(const struct dataset *d, const struct normalisation *norm, size_t holdout,
	struct split *ret_train, struct split *ret_held, struct errinfo *e)
{
	if (holdout == 0 || holdout >= d->count)
		return err_set(e, ERR_INPUT, "data.holdout: is %zu, expected 1 to %zu (there are %zu training images)",
			holdout, d->count - 1, d->count);
	struct split whole;
	enum err err = split_whole(d, norm, &whole, e);
	if (err)
		return err;
	*ret_train = (struct split){ .data = d, .count = d->count - holdout, .norm = norm };
	*ret_held = (struct split){ .data = d, .first = d->count - holdout, .count = holdout, .norm = norm };
	return ERR_OK;
}

static uint32_t *shuffle(size_t count, uint64_t seed, uint64_t stream)
{
	struct rng rng;
	uint32_t *order = calloc(count, sizeof *order);
	if (!order)
		return NULL;
	rng_init(&rng, seed, stream);
	rng_permutation(&rng, order, count);
	return order;
}

enum err split_shuffled(const struct dataset *d, const struct normalisation *norm, struct split *ret,
	uint32_t **ret_order, struct errinfo *e)
{
	struct split s;
	enum err err = split_whole(d, norm, &s, e);
	if (err)
		return err;
	uint32_t *order = shuffle(d->count, 0, SHUFFLING);
	if (!order)
		return err_set(e, ERR_MEMORY, "no memory for the order of %zu images", d->count);
	s.order = order;
	*ret = s;
	*ret_order = order;
	return ERR_OK;
}

/* ---- shares of classes ---- */

struct quota {
	size_t images, held; /* of a class */
	double rest;         /* what rounding down took from its share */
	uint32_t class;
};

/* Largest rest first; of equals the lower class. */
static int by_rest(const void *a, const void *b)
{
	const struct quota *x = a, *y = b;
	if (x->rest != y->rest)
		return x->rest < y->rest ? 1 : -1;
	return (x->class > y->class) - (x->class < y->class);
}

static int by_class(const void *a, const void *b)
{
	const struct quota *x = a, *y = b;
	return (x->class > y->class) - (x->class < y->class);
}

/* How many of each class are held: its share rounded down, and one more for those with the largest rests (Hamilton's
 * method), until there are `held`. */
static struct quota *share_out(const struct dataset *d, size_t held)
{
	struct quota *q = calloc(d->classes, sizeof *q);
	size_t given = 0;
	if (!q)
		return NULL;
	for (size_t i = 0; i < d->count; i++)
		q[d->labels[i]].images++;
	for (uint32_t c = 0; c < d->classes; c++) {
		double share = (double)q[c].images * (double)held / (double)d->count;
		q[c].class = c;
		q[c].held = (size_t)floor(share);
		q[c].rest = share - floor(share);
		given += q[c].held;
	}
	qsort(q, d->classes, sizeof *q, by_rest);
	for (uint32_t i = 0; given < held; i = (i + 1) % d->classes)
		if (q[i].held < q[i].images) {
			q[i].held++;
			given++;
		}
	qsort(q, d->classes, sizeof *q, by_class);
	return q;
}

/* Moves the held images behind the others, both in the order in which they stand. */
static enum err part_by_class(const struct dataset *d, size_t held, uint32_t *order, struct errinfo *e)
{
	struct quota *q = share_out(d, held);
	uint32_t *last = calloc(held, sizeof *last);
	size_t kept = 0, moved = 0;
	if (!q || !last) {
		free(q);
		free(last);
		return err_set(e, ERR_MEMORY, "no memory to split %zu images", d->count);
	}
	for (size_t i = 0; i < d->count; i++) {
		struct quota *own = &q[d->labels[order[i]]];
		if (own->held) {
			own->held--;
			last[moved++] = order[i];
		} else {
			order[kept++] = order[i];
		}
	}
	for (size_t i = 0; i < moved; i++)
		order[kept + i] = last[i];
	free(q);
	free(last);
	return ERR_OK;
}

enum err split_seeded(const struct dataset *d, const struct normalisation *norm, const struct split_request *r,
	struct split *ret_train, struct split *ret_held, uint32_t **ret_order, struct errinfo *e)
{
	struct split whole;
	size_t held = r->count ? r->count : (size_t)llround(r->fraction * (double)d->count);
	if (held == 0 || held >= d->count)
		return err_set(e, ERR_INPUT,
			"data.split.validation: is %zu images, expected 1 to %zu (there are %zu training images)", held,
			d->count - 1, d->count);
	enum err err = split_whole(d, norm, &whole, e);
	if (err)
		return err;
	uint32_t *order = shuffle(d->count, r->seed, PARTING);
	if (!order)
		return err_set(e, ERR_MEMORY, "no memory for the order of %zu images", d->count);
	if (r->stratified && part_by_class(d, held, order, e)) {
		free(order);
		return ERR_MEMORY;
	}
	whole.order = order;
	*ret_train = *ret_held = whole;
	ret_train->count = ret_held->first = d->count - held;
	ret_held->count = held;
	*ret_order = order;
	return ERR_OK;
}

/* random.c -- random candidates that cover the whole cost range evenly.
 * SPDX-License-Identifier: MIT
 *
 * Targets and options are those of search/cover.h; each proposal is a random shape that budget_fit scales to its
 * target. Proposal k has random numbers of its own, so that a replay needs none of those before. */
#include <stdlib.h>

#include "search/cover.h"
#include "search/sample.h"
#include "search/space.h"
#include "search/strategy.h"

enum { STREAM = 1, TRIES_AT_TARGET = 16, TRIES = 32 };

struct strategy {
	struct cover cover;
	uint64_t seed;
};

static void release(struct strategy *s)
{
	if (!s)
		return;
	cover_fini(&s->cover);
	free(s);
}

static enum err open_random(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct strategy *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->seed = p->seed;
	enum err err = cover_read(&s->cover, p, object, STREAM, e);
	if (err) {
		release(s);
		return err;
	}
	*ret = s;
	return ERR_OK;
}

static enum err propose(struct strategy *s, struct rng *rng, double target, int *ret_keep, struct errinfo *e)
{
	sample_shape(rng, s->cover.space->group_count, s->cover.ratio);
	return cover_fit(&s->cover, target, ret_keep, e);
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	struct cover *c = &s->cover;
	struct rng rng;
	sample_rng(&rng, s->seed, STREAM, c->asked);
	double target = cover_target(c, c->asked);
	enum err err = propose(s, &rng, target, ret_keep, e);
	for (int i = 1; !err && i < TRIES && seen_has(&c->seen, ret_keep, c->space->group_count); i++) {
		if (i >= TRIES_AT_TARGET)
			target = cover_share(c, rng_uniform(&rng));
		err = propose(s, &rng, target, ret_keep, e);
	}
	*ret_request = cover_request(c, target);
	*ret_done = false;
	return err ? err : cover_add(c, ret_keep, e);
}

static enum err skip(struct strategy *s, const int *keep, struct errinfo *e)
{
	return cover_add(&s->cover, keep, e);
}

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	(void)s, (void)o, (void)e;
	return ERR_OK; /* chance has no memory */
}

const struct strategy_ops strategy_random = {
	.name = "random",
	.summary = "random shapes at costs spread evenly over a window",
	.check = cover_check,
	.open = open_random,
	.ask = ask,
	.tell = tell,
	.skip = skip,
	.free = release,
};

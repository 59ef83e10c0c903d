/* uniform.c -- the same pruning ratio for every group, at costs spread evenly: what papers compare with.
 * SPDX-License-Identifier: MIT
 *
 * Targets and options are those of search/cover.h. The ratio is the one at which a candidate just keeps its target;
 * budget_fit hands what rounding leaves free back to single groups. A target that gives nothing new is followed by the
 * next ones of the sequence; when many of them give nothing new either, the window was proposed as a whole and the
 * strategy ends. */
#include <stdlib.h>

#include "search/cover.h"
#include "search/space.h"
#include "search/strategy.h"

enum { STREAM = 4, TRIES = 64 };

struct strategy {
	struct cover cover;
	bool ended;
};

static void release(struct strategy *s)
{
	if (!s)
		return;
	cover_fini(&s->cover);
	free(s);
}

static enum err open_uniform(const struct problem *p, const cJSON *object, struct strategy **ret, struct errinfo *e)
{
	struct strategy *s = calloc(1, sizeof *s);
	if (!s)
		return err_set(e, ERR_MEMORY, "out of memory");
	enum err err = cover_read(&s->cover, p, object, STREAM, e);
	if (err) {
		release(s);
		return err;
	}
	for (int g = 0; g < p->space->group_count; g++)
		s->cover.ratio[g] = 1;
	*ret = s;
	return ERR_OK;
}

static enum err ask(struct strategy *s, int *ret_keep, struct request *ret_request, bool *ret_done, struct errinfo *e)
{
	struct cover *c = &s->cover;
	*ret_done = true;
	for (int i = 0; i < TRIES && !s->ended; i++) {
		double target = cover_target(c, c->asked + i);
		enum err err = cover_fit(c, target, ret_keep, e);
		if (err)
			return err;
		if (seen_has(&c->seen, ret_keep, c->space->group_count))
			continue;
		*ret_request = cover_request(c, target);
		*ret_done = false;
		return cover_add(c, ret_keep, e);
	}
	s->ended = true;
	return ERR_OK;
}

static enum err skip(struct strategy *s, const int *keep, struct errinfo *e)
{
	return cover_add(&s->cover, keep, e);
}

static enum err tell(struct strategy *s, const struct outcome *o, struct errinfo *e)
{
	(void)s, (void)o, (void)e;
	return ERR_OK; /* it doesn't learn */
}

const struct strategy_ops strategy_uniform = {
	.name = "uniform",
	.summary = "the same ratio everywhere, at costs spread evenly over a window",
	.check = cover_check,
	.open = open_uniform,
	.ask = ask,
	.tell = tell,
	.skip = skip,
	.free = release,
};
